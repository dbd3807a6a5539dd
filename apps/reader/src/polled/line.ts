/**
 * The line of a port that is asked: what the device's name stands for, opened with a setting, watched for its loss. What sessions of the
 * protocols do when writing fails, they do by themselves; here it only counts that the line is to be opened anew.
 */
import { type Link, type SerialLink, serialLink, tcpClient, tcpServer } from '@amiable/io';
import type { DeviceName } from '../device-name.ts';
import type { LineSetting, PolledReaderOptions } from './reader-options.ts';

export function makeLine(options: PolledReaderOptions, name: DeviceName, setting: LineSetting): Link {
  const { device, makeLink, serialBinding, signals } = options;
  if (makeLink) return makeLink(setting);
  if (device.type === 'tcp') return tcpClient(device.at);
  if (device.type === 'tcpServer') return tcpServer(device.at);
  const serial = serialLink({
    path: name.path(),
    ...setting,
    ...(serialBinding === undefined ? {} : { binding: serialBinding }),
  });
  if (signals) void serial.setSignals(signals);
  return serial;
}

export interface WatchedLine extends Link {
  setBaud?(baud: number): Promise<void>;
  /** Why the line has to be opened anew. */
  readonly lost: Error | undefined;
}

/** `heard` gets every octet as it came; `lost` is called once. */
export function watched(link: Link, heard: (bytes: Uint8Array) => void, lost: () => void): WatchedLine {
  let over: Error | undefined;
  let closing = false;
  const lose = (error: Error): void => {
    if (over || closing) return;
    over = error;
    lost();
  };
  const guard = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: Error) => {
      lose(error);
      throw error;
    });
  const { setBaud } = link as Partial<SerialLink>;
  return {
    get describe() {
      return link.describe;
    },
    get lost() {
      return over;
    },
    open: (events) =>
      link.open({
        data(bytes) {
          heard(bytes);
          events.data(bytes);
        },
        closed(error) {
          lose(error ?? new Error(`${link.describe}: closed`));
          events.closed(error);
        },
      }),
    write: (bytes) => guard(link.write(bytes)),
    ...(setBaud && { setBaud: (baud: number) => guard(setBaud.call(link, baud)) }),
    pause: () => link.pause(),
    resume: () => link.resume(),
    close() {
      closing = true;
      return link.close();
    },
  };
}
