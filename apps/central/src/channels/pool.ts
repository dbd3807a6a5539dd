/**
 * The modems of one channel: each is used by one call at a time, rests between two calls, and longer after calls that failed.
 *
 * Decides: who gets the next modem: the one that waited longest; the modem that rested longest. Leaves out: time windows and the number
 * of sessions (the lease has seen to them), and the call itself (lines.ts).
 */
import { LinkError } from '@amiable/bytes';
import type { Clock } from '@amiable/io';
import type { ChannelDevice, ModemPort } from './device.ts';

export interface HeldModem {
  readonly modem: ModemPort;
  /** Gives it back; `failed`: no connection came about. Idempotent. */
  release(failed: boolean): void;
}

export interface ModemPool {
  /** Resolves when it is one's turn. @throws LinkError when none was free for `patience` ms, or the pool closed */
  take(patience: number): Promise<HeldModem>;
  readonly waiting: number;
  readonly busy: number;
  /** Takes other settings; modems that are left out end with their call. */
  configure(device: ChannelDevice): void;
  /** Who waits is refused. */
  close(): void;
}

interface Slot {
  modem: ModemPort;
  busy: boolean;
  gone: boolean;
  /** Not before, by the clock. */
  rested: number;
  failures: number;
}

interface Waiter {
  readonly resolve: (held: HeldModem) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: () => void;
}

const PAUSE = 2000;
/** A modem whose calls fail rests up to so many times as long. */
const MOST_PAUSES = 32;

export function createPool(
  { name, clock, wanted }: { readonly name: string; readonly clock: Clock; readonly wanted?: () => void },
  first: ChannelDevice,
): ModemPool {
  let device = first;
  let slots: Slot[] = [];
  let closed = false;
  let cancelWake = (): void => {};
  const waiters: Waiter[] = [];

  const slotOf = (modem: ModemPort): Slot => ({ modem, busy: false, gone: false, rested: 0, failures: 0 });

  function held(slot: Slot): HeldModem {
    let over = false;
    return {
      modem: slot.modem,
      release(failed) {
        if (over) return;
        over = true;
        slot.busy = false;
        slot.failures = failed ? slot.failures + 1 : 0;
        const times = Math.min(MOST_PAUSES, 2 ** Math.min(slot.failures, 20));
        slot.rested = clock.now() + (device.pause ?? PAUSE) * times;
        serve();
      },
    };
  }

  function serve(): void {
    cancelWake();
    const now = clock.now();
    while (waiters.length > 0) {
      const free = slots.filter((slot) => !slot.busy && !slot.gone).sort((a, b) => a.rested - b.rested)[0];
      if (!free) {
        wanted?.();
        return;
      }
      if (free.rested > now) {
        cancelWake = clock.after(free.rested - now, serve);
        return;
      }
      free.busy = true;
      const next = waiters.shift() as Waiter;
      next.cancel();
      next.resolve(held(free));
    }
  }

  const pool: ModemPool = {
    get waiting() {
      return waiters.length;
    },
    get busy() {
      return slots.filter((slot) => slot.busy).length;
    },
    take(patience) {
      if (closed) return Promise.reject(new LinkError(`channel ${name}: closed`));
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          resolve,
          reject,
          cancel: clock.after(patience, () => {
            waiters.splice(waiters.indexOf(waiter), 1);
            reject(
              new LinkError(
                `channel ${name}: none of its ${slots.length} modems was free within ${Math.round(patience / 1000)} s`,
              ),
            );
          }),
        };
        waiters.push(waiter);
        serve();
      });
    },
    configure(given) {
      device = given;
      const before = slots;
      slots = given.modems.map((modem) => {
        const known = before.find((slot) => slot.modem.port === modem.port);
        if (known) known.modem = modem;
        return known ?? slotOf(modem);
      });
      for (const slot of before) if (!slots.includes(slot)) slot.gone = true;
      serve();
    },
    close() {
      closed = true;
      cancelWake();
      for (const waiter of waiters.splice(0)) {
        waiter.cancel();
        waiter.reject(new LinkError(`channel ${name}: closed`));
      }
    },
  };
  pool.configure(first);
  return pool;
}
