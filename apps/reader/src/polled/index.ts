/** A live port by what its options say: asked where there is an interval, else listened to. */
import { createDeviceReader, type DeviceReaderOptions } from '../device.ts';
import type { PortReader } from '../port.ts';
import { createPolledReader } from './loop.ts';
import type { PolledReaderOptions } from './reader-options.ts';
import type { PollOptions } from './types.ts';

export { busMeters, meterWords, slaveAddressOf, slaveAddressText } from './addresses.ts';
export { createPolledReader } from './loop.ts';
export { type BusMemories, openBusMemory } from './memory.ts';
export type { PolledReaderOptions } from './reader-options.ts';
export {
  ASKED_PROTOCOLS,
  type AskedProtocol,
  type BusMemory,
  isAsked,
  type PollOptions,
} from './types.ts';

export interface LiveReaderOptions extends DeviceReaderOptions, Pick<PolledReaderOptions, 'makeLink'> {
  readonly poll?: PollOptions | undefined;
}

export const createLiveReader = (options: LiveReaderOptions): PortReader =>
  options.poll === undefined ? createDeviceReader(options) : createPolledReader({ ...options, poll: options.poll });
