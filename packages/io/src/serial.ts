/**
 * Serial ports through the serialport library, loaded at first use only. Decides the words of errors: which ports there
 * are when the named one is missing, and the command that mends missing rights. `lock` is on: two programs that share a
 * port steal each other's bytes.
 */
import { readFileSync, statSync } from 'node:fs';
import { PortError, portError } from './faults.ts';
import type { Link } from './link.ts';

export type Parity = 'N' | 'E' | 'O';

export interface SerialOptions {
  readonly path: string;
  readonly baud?: number;
  readonly parity?: Parity;
  /** Another binding of the serialport library, for tests. */
  readonly binding?: unknown;
}

const PARITY = { N: 'none', E: 'even', O: 'odd' } as const;

type SerialModule = typeof import('serialport');
type SerialStream = InstanceType<SerialModule['SerialPort']>;

/** Paths of the serial ports of this machine that a meter may hang on. */
export async function listSerialPorts(): Promise<string[]> {
  try {
    const { SerialPort } = await import('serialport');
    return (await SerialPort.list()).map((port) => port.path);
  } catch {
    return [];
  }
}

export interface SerialLink extends Link {
  /** Changes the rate of the open port, once all that was written has left it (sign-on of optical heads). @throws PortError */
  setBaud(baud: number): Promise<void>;
  /**
   * Sets the control lines that are given, e.g. the Data Request of a P1 cable that has it on RTS or DTR; `false` holds the meter's
   * telegrams back. Before the port is open it says how they shall be from the opening on. @throws PortError
   */
  setSignals(signals: Signals): Promise<void>;
  /** Whether Data Carrier Detect is on: a modem has a call. @throws PortError where the line has no control lines */
  carrier(): Promise<boolean>;
}

/** Control lines of a serial port; true is on (asserted). */
export interface Signals {
  readonly rts?: boolean;
  readonly dtr?: boolean;
}

export function serialLink({ path, baud = 2400, parity = 'E', binding }: SerialOptions): SerialLink {
  let port: SerialStream | undefined;
  let lines: Signals = {};
  const signal = (stream: SerialStream, signals: Signals): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.set({ ...signals }, (error) => (error ? reject(portError(path, error)) : resolve()));
    });
  return {
    describe: `${path} at ${baud} 8${parity}1`,
    async open(events) {
      const module = await load();
      const options = {
        path,
        baudRate: baud,
        parity: PARITY[parity],
        dataBits: 8 as const,
        stopBits: 1 as const,
        autoOpen: false,
        lock: true,
      };
      const stream = binding
        ? (new module.SerialPortMock(options as never) as unknown as SerialStream)
        : new module.SerialPort(options);
      await new Promise<void>((resolve, reject) => {
        stream.open((error) => (error ? reject(error) : resolve()));
      }).catch(async (error) => {
        throw await openFault(path, error);
      });
      port = stream;
      if (lines.rts !== undefined || lines.dtr !== undefined)
        // A line without control lines (a pseudo-terminal) cannot be told; telegrams may come all the same.
        await signal(stream, lines).catch(() => {});
      let failure: PortError | undefined;
      stream.on('data', (bytes: Uint8Array) => events.data(bytes));
      stream.on('error', (error: Error) => {
        failure = portError(path, error);
      });
      stream.on('close', (error: Error | null) => {
        const wanted = port !== stream;
        if (!wanted) port = undefined;
        if (wanted) events.closed();
        else {
          const lost = error
            ? new PortError('closed', `${path}: the device is gone; was it unplugged?`, error)
            : undefined;
          events.closed(lost ?? failure ?? new PortError('closed', `${path}: the device closed`));
        }
      });
    },
    write(bytes) {
      const stream = port;
      if (!stream) return Promise.reject(new PortError('closed', `${path}: not open`));
      return new Promise((resolve, reject) => {
        stream.write(bytes, (error) => {
          if (error) reject(portError(path, error));
          else stream.drain((fault) => (fault ? reject(portError(path, fault)) : resolve()));
        });
      });
    },
    setBaud(rate) {
      const stream = port;
      if (!stream) return Promise.reject(new PortError('closed', `${path}: not open`));
      return new Promise((resolve, reject) => {
        stream.update({ baudRate: rate }, (error) => (error ? reject(portError(path, error)) : resolve()));
      });
    },
    async setSignals(signals) {
      // The library sets all lines at once, so those said before are said again.
      lines = { ...lines, ...signals };
      if (port) await signal(port, lines);
    },
    carrier() {
      const stream = port;
      if (!stream) return Promise.reject(new PortError('closed', `${path}: not open`));
      return new Promise((resolve, reject) => {
        stream.get((error, found) => (error ? reject(portError(path, error)) : resolve(found?.dcd === true)));
      });
    },
    // Nobody can hold a meter back: bytes not fetched now are lost in the kernel's small buffer, so drain always.
    pause() {},
    resume() {},
    close() {
      const stream = port;
      port = undefined;
      if (!stream?.isOpen) return Promise.resolve();
      return new Promise((resolve) => {
        stream.close(() => resolve());
      });
    },
  };
}

async function load(): Promise<SerialModule> {
  try {
    return await import('serialport');
  } catch (error) {
    throw new PortError('tool', 'The serial port library does not load on this machine; run npm ci once more', error);
  }
}

async function openFault(path: string, error: unknown): Promise<PortError> {
  const fault = portError(path, error);
  if (fault.reason === 'notFound') {
    const there = await listSerialPorts();
    const list =
      there.length > 0 ? `The serial ports here are: ${there.join(', ')}` : 'This machine shows no serial port at all';
    return new PortError('notFound', `${path}: there is no such device. ${list}. Is the adapter plugged in?`, error);
  }
  if (fault.reason === 'permission') {
    return new PortError(
      'permission',
      `${path}: this user may not open it. Run "sudo usermod -aG ${groupOf(path)} $USER", log out and in again, and try once more`,
      error,
    );
  }
  return fault;
}

/** The group that owns the device: dialout on Debian and Raspberry Pi OS, uucp on others. */
function groupOf(path: string): string {
  try {
    const { gid } = statSync(path);
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.split(':')[2] === String(gid));
    // A device of the group root would make every user of the port an administrator.
    const name = line?.split(':')[0];
    if (name && gid !== 0) return name;
  } catch {
    // Not every system has the file: the common name will do.
  }
  return 'dialout';
}
