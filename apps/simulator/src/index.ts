export { simulateCommand } from './command.ts';
export { meterIdentity as virtualMeterSerials } from './electricity/config.ts';
export { type Cipher, encodeList } from './han/encode.ts';
export type { Emission, HanMeter, Truth } from './han/meter.ts';
export { findModel, MODELS, type Model } from './han/models.ts';
export type { ListKind } from './han/schedule.ts';
export { type HistoryOptions, type HistorySeries, history } from './history.ts';
export { type SimulateOptions, simulateOptions } from './options.ts';
export { type Output, type RunCounters, runSimulator, truthLine } from './run.ts';
export {
  createStreet,
  createVirtualMeter,
  type Street,
  type StreetMeter,
  type StreetOptions,
  virtualCipher,
  virtualSerial,
} from './street.ts';
