/** What the reader of a port that is asked is given: what any device is read with, and what is asked for. */
import type { Link, Parity } from '@amiable/io';
import type { DeviceReaderOptions } from '../device.ts';
import type { PollOptions } from './types.ts';

export interface LineSetting {
  readonly baud: number;
  readonly parity: Parity;
}

export interface PolledReaderOptions extends DeviceReaderOptions {
  readonly poll: PollOptions;
  /** In place of the device, for tests. */
  readonly makeLink?: ((setting: LineSetting) => Link) | undefined;
}
