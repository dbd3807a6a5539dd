export { type Answer, createExchange, type Exchange, type ExchangeOptions } from './exchange.ts';
export {
  createMbusMaster,
  type Found,
  type MasterOptions,
  type MbusMaster,
  moreFollows,
  type Operation,
  type Progress,
  type Question,
  runOperation,
  type SlaveAddress,
  secondaryOf,
} from './master.ts';
export {
  createMbusSession,
  type MbusClock,
  type MbusLink,
  type MbusSession,
  type MbusSessionOptions,
} from './session.ts';
