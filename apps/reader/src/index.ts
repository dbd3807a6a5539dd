export { readCommand } from './command.ts';
export { portsOfTexts } from './config/port-text.ts';
export type { ReaderConfig } from './config/types.ts';
export { createDeviceReader, type DeviceReaderOptions } from './device.ts';
export { healthCauses } from './gateways/prometheus.ts';
export { type KeyEntry, keyMark, keyRing } from './keys.ts';
export { type Device, keyEntries, parseDevice, UsageError } from './options.ts';
export { createPortReader, type PortReader, type PortReaderOptions } from './port.ts';
export { readerCommand } from './service/command.ts';
export { startReader } from './service/service.ts';
export type {
  InProcess,
  PortStatus,
  ReaderMachine,
  ReaderService,
  ReaderStatus,
  SpoolStatus,
  UplinkStatus,
} from './service/types.ts';
