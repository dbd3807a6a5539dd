/**
 * A port whose meters are asked: one round after the other at a fixed interval, for as long as it is wanted, opened again whenever
 * the line is lost. To the rest of the reader it is a port as any other: the same messages, counters and words about the line.
 *
 * Decides: when a round begins; that one which takes longer than the interval is not overtaken; which speed and parity an M-Bus is
 * tried with where they are not given. What a round does is in optical.ts and mbus.ts.
 */
import { MisuseError } from '@amiable/bytes';
import { backOff, type Link, nodeCrypto, portError, sleep, systemClock } from '@amiable/io';
import { createAnyReader } from '@amiable/meter';
import { addCounters, newPortCounters, type PortCounters } from '@amiable/model';
import { deviceName } from '../device-name.ts';
import type { PortReader } from '../port.ts';
import { describeSetting, settingsToTry } from '../settings.ts';
import { andThen } from '../words.ts';
import { makeLine, type WatchedLine, watched } from './line.ts';
import { knownMeters, mbusAsker } from './mbus.ts';
import { opticalAsker, SIGN_ON } from './optical.ts';
import type { LineSetting, PolledReaderOptions } from './reader-options.ts';
import { type Asker, isAsked, type Surroundings } from './types.ts';

/** As links that come back by themselves. */
const AGAIN = { first: 500, longest: 30_000 } as const;
const MBUS_BAUD = 2400;
const NOTHING = new Uint8Array(0);

export function createPolledReader(options: PolledReaderOptions): PortReader {
  return new PolledReader(options);
}

class PolledReader implements PortReader {
  readonly #options: PolledReaderOptions;
  readonly #decoder: ReturnType<typeof createAnyReader>;
  readonly #stopping = new AbortController();
  readonly #own: PortCounters = newPortCounters();
  readonly #settings: readonly LineSetting[];
  #bytes = 0;
  #pending: Promise<void>[] = [];
  /** Why a message could not be opened; told once. */
  #sealed: string | undefined;
  #wasUp = false;
  /** Said to be lost. */
  #down = '';
  /** Being closed and opened for another setting is no event. */
  #turning = false;
  /** Which setting is tried; behind the last: the first once more, for good. */
  #attempt = 0;
  #settled = false;

  constructor(options: PolledReaderOptions) {
    this.#options = options;
    const { clock = systemClock, reader, port, keys, crypto = nodeCrypto, device, poll, live = true } = options;
    this.#decoder = createAnyReader(
      {
        reader,
        port,
        keys,
        crypto,
        live,
        bad: options.bad,
        maxClockError: options.maxClockError,
        zone: options.zone,
        knownMeter: options.knownMeter,
        protocol: options.protocol,
        now: () => clock.now(),
      },
      {
        message: (m) => {
          this.#tellSealed(m.error?.reason);
          const taken = options.message(m);
          if (taken) this.#pending.push(taken);
        },
        drop: (d) => options.drop?.(d),
      },
    );
    this.#settings =
      options.protocol === 'iec62056-21'
        ? [SIGN_ON]
        : device.type === 'serial'
          ? settingsToTry(device, 'mbus')
          : [{ baud: poll.baud ?? MBUS_BAUD, parity: 'E' }];
  }

  get counters(): PortCounters {
    return addCounters({ ...this.#decoder.counters, bytes: this.#bytes }, this.#own);
  }

  get protocol() {
    return this.#decoder.protocol;
  }

  turned(): void {}

  stop(): void {
    this.#stopping.abort();
  }

  async run(signal?: AbortSignal): Promise<void> {
    const { clock = systemClock, random = Math.random, device, poll, protocol, byId, mustOpen = false } = this.#options;
    if (!isAsked(protocol)) throw new MisuseError('a port is asked only as iec62056-21 or mbus');
    const either = signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal;
    const name = deviceName(device.type === 'serial' ? device.path : '', byId);
    const known = knownMeters(poll);
    let failures = 0;
    let next = clock.now();
    while (!either.aborted) {
      const tentative = () => !this.#settled && this.#settings.length > 1 && this.#attempt < this.#settings.length;
      const setting = this.#settings[this.#attempt % this.#settings.length] as LineSetting;
      const ended = new AbortController();
      const end = () => ended.abort();
      either.addEventListener('abort', end, { once: true });
      const line = watched(makeLine(this.#options, name, setting), (bytes) => this.#heard(bytes), end);
      let asker: Asker | undefined;
      let another = false;
      try {
        const around = this.#around(ended.signal);
        asker =
          protocol === 'mbus'
            ? await mbusAsker(
                { line, clock, poll, baud: setting.baud, network: device.type !== 'serial', tentative, known },
                around,
              )
            : await opticalAsker({ line, clock, poll, network: device.type !== 'serial' }, around);
        if (device.type === 'serial') name.opened();
        this.#up(line);
        failures = 0;
        while (!ended.signal.aborted && !another) {
          await sleep(clock, next - clock.now(), ended.signal);
          if (ended.signal.aborted) break;
          const answered = await asker.round();
          if (answered && !this.#settled) this.#settle(setting);
          another = !answered && tentative();
          if (!another) for (next += poll.interval; next <= clock.now(); ) next += poll.interval;
        }
        if (another) {
          this.#attempt++;
          this.#turning = true;
        } else if (!this.#settled) this.#attempt = 0;
      } catch (error) {
        if (!either.aborted && !line.lost && asker) throw error;
        if (!either.aborted && !line.lost && !this.#wasUp && mustOpen) throw portError(line.describe, error);
        if (!line.lost && !either.aborted) this.#lost(line, error as Error, ++failures);
      } finally {
        either.removeEventListener('abort', end);
        await (asker ?? line).close().catch(() => {});
        this.#decoder.end();
        await this.#taken();
      }
      if (line.lost && !either.aborted) this.#lost(line, line.lost, ++failures);
      if (failures > 0) await sleep(clock, backOff(AGAIN, failures, random), either);
    }
  }

  #around(signal: AbortSignal): Surroundings {
    const { tell } = this.#options;
    return {
      signal,
      tell,
      decode: (bytes) => {
        this.#decoder.push(bytes);
        this.#decoder.end();
      },
      settled: () => this.#taken(),
      refused: (reason) => {
        this.#own.dropped[reason] = (this.#own.dropped[reason] ?? 0) + 1;
        this.#options.drop?.({ reason, offset: this.#bytes, length: 0, excerpt: NOTHING });
      },
    };
  }

  #heard(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#options.bytes?.(bytes);
  }

  async #taken(): Promise<void> {
    while (this.#pending.length > 0) await Promise.all(this.#pending.splice(0));
  }

  #settle(setting: LineSetting): void {
    this.#settled = true;
    if (this.#settings.length > 1) this.#options.tell(`meters answer with ${describeSetting(setting)}`);
  }

  // --- what is said of the line, in the words of device.ts

  #up(link: Link): void {
    const { tell, status, poll } = this.#options;
    status?.({ type: 'up' });
    if (this.#down) tell(`${link.describe}: back`);
    else if (!this.#turning) tell(`reading ${link.describe}, every ${poll.interval / 1000} s`);
    this.#wasUp = true;
    this.#turning = false;
    this.#down = '';
  }

  #lost({ describe }: WatchedLine, cause: Error, failures: number): void {
    const { tell, status } = this.#options;
    const error = portError(describe, cause);
    status?.({ type: 'down', error, failures });
    if (this.#down !== error.message) tell(andThen(error.message, 'Trying again'));
    this.#down = error.message;
  }

  #tellSealed(reason: string | undefined): void {
    if ((reason !== 'noKey' && reason !== 'wrongKey') || this.#sealed === reason) return;
    this.#sealed = reason;
    this.#options.tell(
      reason === 'noKey'
        ? 'what the meter says is encrypted; a key is needed'
        : 'wrong key: what comes cannot be opened with the key given. Nothing is lost: with the right key it can be read later',
    );
  }
}
