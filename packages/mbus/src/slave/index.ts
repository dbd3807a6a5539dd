export { askBus, type BusAnswer, type BusSlave } from './bus.ts';
export { APPLICATION_ERRORS } from './errors.ts';
export {
  createMbusSlave,
  type MbusSlave,
  type MbusSlaveOptions,
  type SlaveRequest,
  type SlaveSink,
} from './slave.ts';
export { errorTelegram, telegramsOf } from './telegram.ts';
