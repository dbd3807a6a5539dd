/**
 * A port by the name a user gives it (a serial port, host:port, :port), read for as long as asked and opened again whenever
 * it is lost. On a serial port parity and speed are found where they are not given.
 */
import { run as runTable } from '@amiable/fsm';
import {
  type Clock,
  type Link,
  type LinkStatus,
  PortError,
  persistentLink,
  serialLink,
  systemClock,
  tcpClient,
  tcpServer,
} from '@amiable/io';
import { deviceName } from './device-name.ts';
import type { Device } from './options.ts';
import { createPortReader, type PortReader, type PortReaderOptions } from './port.ts';
import {
  describeSetting,
  SEARCH,
  type SearchEffect,
  type SearchInput,
  type SearchState,
  type Setting,
  settingsToTry,
} from './settings.ts';
import { andThen } from './words.ts';

export interface DeviceReaderOptions extends Omit<PortReaderOptions, 'link'> {
  readonly device: Device;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** What a person wants to know about the line: opened, lost, back, encrypted, parity found. */
  tell(line: string): void;
  /** End with the error when the very first opening fails, instead of trying for ever. */
  readonly mustOpen?: boolean;
  /** Modem lines held high, the others low: the Data Request of some P1 cables. Left to the system when absent. */
  readonly signals?: { readonly rts: boolean; readonly dtr: boolean };
  /** Every change of the line, in data. */
  status?(now: LinkStatus): void;
  /** Another serialport binding, for tests. */
  readonly serialBinding?: unknown;
  /** Where adapters have names that last; for tests. */
  readonly byId?: string;
}

export function createDeviceReader(options: DeviceReaderOptions): PortReader {
  const { device, clock = systemClock, tell, mustOpen = false } = options;
  const ending = new AbortController();
  let fatal: Error | undefined;

  const settings = device.type === 'serial' ? settingsToTry(device, options.protocol) : [];
  let setting = settings[0];
  const name = deviceName(device.type === 'serial' ? device.path : '', options.byId);
  const make = (): Link => {
    if (device.type === 'tcp') return tcpClient(device.at);
    if (device.type === 'tcpServer') return tcpServer(device.at);
    const { serialBinding } = options;
    const serial = serialLink({
      path: name.path(),
      ...setting,
      ...(serialBinding === undefined ? {} : { binding: serialBinding }),
    });
    // Not open yet: it only remembers them.
    if (options.signals) void serial.setSignals(options.signals);
    return serial;
  };

  let wasUp = false;
  /** Said to be lost; every further failure would only repeat it. */
  let down = '';
  /** Being closed and opened for another setting is no event. */
  let turning = false;
  const status = (now: LinkStatus) => {
    options.status?.(now);
    if (now.type === 'up') {
      if (device.type === 'serial') name.opened();
      if (down) tell(`${link.describe}: back`);
      else if (!turning) tell(`reading ${link.describe}`);
      wasUp = true;
      turning = false;
      down = '';
      return;
    }
    const error = now.error ?? new PortError('closed', `${link.describe}: closed`);
    if (!wasUp && mustOpen) {
      fatal = error;
      ending.abort();
    } else if (down !== error.message) tell(andThen(error.message, 'Trying again'));
    down = error.message;
  };
  const link = persistentLink({ make, clock, status, ...(options.random ? { random: options.random } : {}) });

  let arrived = 0;
  const search = runTable<SearchState, SearchInput, SearchEffect>(
    SEARCH,
    { type: 'trying', index: 0, of: Math.max(1, settings.length), rounds: 0 },
    (effect) => {
      const now: Setting | undefined = settings[effect.do === 'silent' ? 0 : effect.index];
      if (!now) return;
      if (effect.do === 'use') {
        const came = arrived > 0 ? `${arrived} bytes came but no message` : 'nothing came';
        if (effect.firstRound) tell(`${came}; trying ${describeSetting(now)}`);
        setting = now;
        arrived = 0;
        turning = true;
        port.turned();
        link.turn();
      } else if (effect.do === 'found') {
        if (settings.length > 1) tell(`messages come with ${describeSetting(now)}`);
      } else {
        tell(
          settings.length > 1
            ? 'no message with any parity and speed yet; going on. Has the grid company switched the port on, and does the adapter sit on the right two pins?'
            : `no message with ${describeSetting(now)} yet; going on. Without -P and --baud the right ones are searched`,
        );
      }
    },
  );
  let cancel = () => {};
  const watch = () => {
    if (device.type !== 'serial') return;
    cancel = clock.after(device.patience, () => {
      // While the device is gone no setting is to blame.
      if (!down) search.send({ type: 'patience' });
      watch();
    });
  };

  let told: string | undefined;
  const tellSealed = (reason: string | undefined) => {
    if ((reason !== 'noKey' && reason !== 'wrongKey') || told === reason) return;
    told = reason;
    tell(
      reason === 'noKey'
        ? `${link.describe}: it is encrypted; a key is needed (-k)`
        : `${link.describe}: wrong key: what comes cannot be opened with the key given. Nothing is lost: with the right key it can be read later`,
    );
  };

  const port = createPortReader({
    ...options,
    link,
    bytes(chunk) {
      arrived += chunk.length;
      options.bytes?.(chunk);
    },
    message(m) {
      // Whatever passed the check sums proves the setting, a frame without its key too.
      if (!m.flags.includes('checksumBad')) {
        if (search.state.type === 'trying' || search.state.quiet > 0) search.send({ type: 'good' });
        tellSealed(m.error?.reason);
      }
      return options.message(m);
    },
  });
  return {
    get counters() {
      return port.counters;
    },
    stop: () => port.stop(),
    turned: () => port.turned(),
    get protocol() {
      return port.protocol;
    },
    async run(signal) {
      watch();
      try {
        await port.run(signal ? AbortSignal.any([signal, ending.signal]) : ending.signal);
      } finally {
        cancel();
      }
      if (fatal) throw fatal;
    },
  };
}
