/**
 * A link that comes back: opened again after every loss, waiting twice as long after each failure up to a bound, with
 * some chance in it so that a thousand readers do not return to a server in the same second.
 */
import { run, type Step, type Table } from '@amiable/fsm';
import type { Clock } from './clock.ts';
import { portError } from './faults.ts';
import type { Link, LinkEvents } from './link.ts';

export type ReconnectState =
  | { readonly type: 'idle' }
  | { readonly type: 'opening'; readonly failures: number }
  | { readonly type: 'open' }
  | { readonly type: 'waiting'; readonly failures: number }
  /** Closing in order to open again at once. */
  | { readonly type: 'turning' }
  | { readonly type: 'ending' };

export type ReconnectInput =
  | { readonly type: 'start' }
  | { readonly type: 'opened' }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'lost'; readonly error: Error | undefined }
  | { readonly type: 'timer' }
  | { readonly type: 'turn' }
  | { readonly type: 'stop' };

export type ReconnectEffect =
  | { readonly do: 'open' }
  | { readonly do: 'close' }
  | { readonly do: 'wait'; readonly failures: number }
  | { readonly do: 'cancelWait' }
  | { readonly do: 'tell'; readonly status: LinkStatus }
  | { readonly do: 'ended' };

export type LinkStatus =
  | { readonly type: 'up' }
  | { readonly type: 'down'; readonly error: Error | undefined; readonly failures: number };

type S = Step<ReconnectState, ReconnectEffect>;
const tell = (status: LinkStatus): ReconnectEffect => ({ do: 'tell', status });

const down = (failures: number, error: Error | undefined): S => ({
  state: { type: 'waiting', failures },
  effects: [tell({ type: 'down', error, failures }), { do: 'wait', failures }],
});
const stay = (state: ReconnectState): S => ({ state, effects: [] });
const end: S = { state: { type: 'idle' }, effects: [{ do: 'ended' }] };
const closing: S = { state: { type: 'ending' }, effects: [{ do: 'close' }] };
const turning: S = { state: { type: 'turning' }, effects: [{ do: 'close' }] };
const reopening: S = { state: { type: 'opening', failures: 0 }, effects: [{ do: 'open' }] };

export const RECONNECT: Table<ReconnectState, ReconnectInput, ReconnectEffect> = {
  idle: { start: () => reopening, turn: stay, stop: () => end, lost: stay, timer: stay },
  opening: {
    opened: () => ({ state: { type: 'open' }, effects: [tell({ type: 'up' })] }),
    failed: (s, i) => down(s.failures + 1, i.error),
    // The opening cannot be called off; its outcome, whichever, is awaited.
    stop: () => stay({ type: 'ending' }),
    turn: stay,
    timer: stay,
    lost: stay,
  },
  open: { lost: (_, i) => down(1, i.error), turn: () => turning, stop: () => closing, timer: stay },
  waiting: {
    timer: (s) => ({ state: { type: 'opening', failures: s.failures }, effects: [{ do: 'open' }] }),
    turn: () => ({ state: { type: 'opening', failures: 0 }, effects: [{ do: 'cancelWait' }, { do: 'open' }] }),
    stop: () => ({ state: { type: 'idle' }, effects: [{ do: 'cancelWait' }, { do: 'ended' }] }),
    lost: stay,
  },
  turning: { lost: () => reopening, stop: () => stay({ type: 'ending' }), turn: stay, timer: stay },
  ending: { lost: () => end, failed: () => end, opened: () => closing, stop: stay, turn: stay, timer: stay },
};

export interface BackOff {
  readonly first: number;
  readonly longest: number;
}

/** Milliseconds before try number `failures` + 1: doubling, the upper half of it by chance. */
export function backOff({ first, longest }: BackOff, failures: number, random: () => number): number {
  const full = Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  return full / 2 + (full / 2) * random();
}

export interface PersistentOptions {
  /** Called for every opening, so that baud rate or address may differ from last time. */
  readonly make: () => Link;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly backOff?: BackOff;
  readonly status?: (status: LinkStatus) => void;
}

export interface PersistentLink extends Link {
  /** Closes and opens anew, with what `make` gives now. */
  turn(): void;
}

/** `open` resolves at once and failures are told to `status`: this link is never given up until `close`. */
export function persistentLink({
  make,
  clock,
  random = Math.random,
  backOff: times = { first: 500, longest: 30_000 },
  status,
}: PersistentOptions): PersistentLink {
  let link: Link | undefined;
  let events: LinkEvents | undefined;
  let cancel = () => {};
  let ended = () => {};
  let paused = false;
  const machine = run<ReconnectState, ReconnectInput, ReconnectEffect>(RECONNECT, { type: 'idle' }, (effect) => {
    switch (effect.do) {
      case 'open':
        openOnce();
        break;
      case 'close':
        void link?.close();
        break;
      case 'wait':
        cancel = clock.after(backOff(times, effect.failures, random), () => machine.send({ type: 'timer' }));
        break;
      case 'cancelWait':
        cancel();
        break;
      case 'tell':
        status?.(effect.status);
        break;
      case 'ended':
        ended();
        break;
    }
  });
  const openOnce = () => {
    const own = make();
    link = own;
    own
      .open({
        data: (bytes) => events?.data(bytes),
        closed: (error) => machine.send({ type: 'lost', error }),
      })
      .then(
        () => {
          if (paused) own.pause();
          machine.send({ type: 'opened' });
        },
        (error) => machine.send({ type: 'failed', error: portError(own.describe, error) }),
      );
  };
  return {
    get describe() {
      return (link ?? make()).describe;
    },
    async open(given) {
      events = given;
      machine.send({ type: 'start' });
    },
    write(bytes) {
      if (machine.state.type !== 'open' || !link) return Promise.reject(portError('link', new Error('not connected')));
      return link.write(bytes);
    },
    pause() {
      paused = true;
      link?.pause();
    },
    resume() {
      paused = false;
      link?.resume();
    },
    turn() {
      machine.send({ type: 'turn' });
    },
    close() {
      const receiver = events;
      events = undefined;
      return new Promise((resolve) => {
        const before = ended;
        ended = () => {
          ended = () => {};
          before();
          receiver?.closed();
          resolve();
        };
        machine.send({ type: 'stop' });
      });
    },
  };
}
