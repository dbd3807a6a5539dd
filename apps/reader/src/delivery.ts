/**
 * From a decoded message to everywhere it belongs: counters, screen, log name, multicast, uplinks. Refused messages are
 * counted and shown when asked for; frames that no key opens go to the uplinks too, since their server may have the key
 * one day.
 */

import type { Drop } from '@amiable/bytes';
import type { KeyRing } from '@amiable/dlms';
import { type MulticastSender, type PortError, portError, sleep } from '@amiable/io';
import { type Message, messageToJson } from '@amiable/model';
import { add, type Counts } from './counters.ts';
import type { LogFile } from './log-file.ts';
import type { ReadIo } from './machine.ts';
import type { ReadOptions } from './options.ts';
import { explained, printed } from './screen.ts';
import type { Spool } from './spool/spool.ts';
import type { DeliveryQueue } from './uplinks/queue.ts';
import type { Uplink } from './uplinks/uplink.ts';

const FLUSH_AT = 1 << 16;
/** Messages between two looks whether the spool can take more. */
const SPOOL_TURN = 256;

/** What sources need of a run. */
export interface Run {
  readonly options: ReadOptions;
  readonly io: ReadIo;
  /** Aborted when the run shall end. */
  readonly signal: AbortSignal;
  readonly keys: KeyRing;
  readonly counts: Counts;
  readonly log: LogFile | undefined;
  tell(line: string): void;
  /** Takes a message of any kind. `wait`: the source can be held back. */
  deliver(m: Message, wait: boolean): Promise<void>;
  /** What was printed so far appears. */
  flush(): Promise<void>;
  drop(d: Drop): void;
  bytes(n: number): void;
}

/** What a run writes to; filled while it opens. */
export interface Outlets {
  log: LogFile | undefined;
  multicast: MulticastSender | undefined;
  readonly uplinks: Uplink[];
  /** One for each uplink, where there is no spool. */
  readonly queues: DeliveryQueue[];
  spool: Spool | undefined;
  /** stdout cannot take any more: nobody reads it, or it cannot be written. */
  screenEnded(fault: PortError | undefined): void;
}

export function createRun(
  given: Pick<Run, 'options' | 'io' | 'signal' | 'keys' | 'counts' | 'tell'>,
  outlets: Outlets,
): Run {
  const { options, io, signal, keys, counts, tell } = given;
  let multicastFault = '';
  // Whoever waits for room shall see that the run ends.
  signal.addEventListener('abort', () => {
    for (const one of outlets.queues) one.wake();
  });

  let screen = '';
  const flush = async () => {
    if (screen === '') return;
    const text = screen;
    screen = '';
    try {
      if (!(await io.out(text))) outlets.screenEnded(undefined);
    } catch (error) {
      outlets.screenEnded(portError('stdout', error));
    }
  };

  /** For `--speed 60x`: when the message before was, by the meter's clock. */
  let before: number | undefined;
  const keepPace = async (m: Message) => {
    if (options.source.type !== 'files' || options.source.speed.type !== 'clock' || m.time === undefined) return;
    const gap = before === undefined ? 0 : m.time - before;
    before = m.time;
    if (gap > 0) {
      await flush();
      await sleep(io.clock, gap / options.source.speed.times, signal);
    }
  };

  const send = async (m: Message) => {
    const { multicast } = outlets;
    if (!multicast) return;
    try {
      await multicast.send(Buffer.from(messageToJson(m, { raw: options.raw })));
      multicastFault = '';
    } catch (error) {
      const { message } = portError(multicast.describe, error);
      if (message !== multicastFault) tell(message);
      multicastFault = message;
    }
  };

  let spooled = 0;
  const uplink = async (m: Message, wait: boolean) => {
    const { spool, queues } = outlets;
    if (spool) {
      spool.append(m);
      // A replay is held back rather than thinned.
      if (wait && ++spooled % SPOOL_TURN === 0) await spool.room(signal);
      return;
    }
    if (queues.length === 0) return;
    const line = messageToJson(m, { raw: true });
    for (const one of queues) {
      if (one.put(line)) continue;
      if (wait) while (!signal.aborted && !one.put(line)) await one.room();
      else one.lose();
    }
  };

  const show = async (m: Message) => {
    screen += printed(m, options.output, { raw: options.raw, mac: io.mac });
    if (options.trace && options.output !== 'none') {
      const trace = await explained(m, keys);
      // Objects a line must stay that.
      if (options.output === 'text') screen += trace;
      else io.err(trace);
    }
    if (screen.length > FLUSH_AT || options.pause > 0) await flush();
  };

  return {
    ...given,
    get log() {
      return outlets.log;
    },
    flush,
    async deliver(m, wait) {
      if (signal.aborted && wait) return;
      const closed = m.error?.reason === 'noKey' || m.error?.reason === 'wrongKey';
      const bad = m.error !== undefined || m.flags.includes('checksumBad');
      if (closed) add(counts.closed, m.error?.reason ?? '');
      else if (!bad) {
        counts.good++;
        for (const flag of m.flags) add(counts.flags, flag);
        if (m.meterType !== undefined) outlets.log?.meterType(m.meterType);
        await keepPace(m);
      }
      if (!bad || options.bad) await show(m);
      if (!bad) await send(m);
      if (!bad || closed) await uplink(m, wait);
      if (!bad && options.pause > 0) await sleep(io.clock, options.pause, signal);
    },
    drop(d) {
      if (d.reason === 'noise') counts.noise += d.length;
      else add(counts.dropped, d.reason);
    },
    bytes(n) {
      counts.bytes += n;
    },
  };
}
