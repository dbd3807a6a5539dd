export { readCommand } from './command.ts';
export { createDeviceReader, type DeviceReaderOptions } from './device.ts';
export { type KeyEntry, keyMark, keyRing } from './keys.ts';
export { type Device, keyEntries, parseDevice, UsageError } from './options.ts';
export { createPortReader, type PortReader, type PortReaderOptions } from './port.ts';
