/**
 * The latest values of every meter, in memory: what the street shows and the event stream sends. It follows the ingest
 * (after commit, so that nobody sees what could still be lost) and starts from what the store knew last.
 */
import { type Live, type Message, toNumber, type Value } from '@amiable/model';
import type { Placed } from '@amiable/store';

export interface LiveHub {
  /** Takes committed messages. */
  update(placed: readonly Placed[]): void;
  get(meter: string): Live | undefined;
  /** Puts back what was known before a restart. */
  restore(states: Iterable<Live>): void;
  /**
   * Calls `send` with the meters that changed, at most every `interval` ms; a slow listener gets the latest state, not a
   * backlog. @returns an end
   */
  listen(
    filter: ReadonlySet<string> | undefined,
    send: (changed: readonly Live[]) => boolean,
    /** Which meters the listener may see; asked anew for each event. Undefined: all. */
    seen?: () => { has(meter: string): boolean } | undefined,
  ): () => void;
  /** Power now (W, import less export) and epoch ms of every meter that gives any. */
  powers(seen?: {
    has(meter: string): boolean;
  }): Iterable<{ readonly meter: string; readonly time: number; readonly power: number }>;
  /** Sends what is due to all listeners; called by the owner's timer. */
  flush(): void;
  readonly listeners: number;
}

/** No event carries more meters than this; the rest follow in the next. */
const MAX_PER_EVENT = 500;

const shortForm = (obis: string): string => (obis.split(':')[1] as string).split('*')[0] as string;
const shortForms = new Map<string, string>();

function shortOf(obis: string): string {
  let short = shortForms.get(obis);
  if (short === undefined) {
    if (shortForms.size > 10_000) shortForms.clear();
    short = shortForm(obis);
    shortForms.set(obis, short);
  }
  return short;
}

type Entry = Live['values'][string];

interface State {
  readonly meter: string;
  time: number;
  readonly values: Map<string, Entry & { at: number }>;
}

function powerOf(values: State['values']): number | null {
  const taken = values.get('1.7.0');
  if (!taken || typeof taken.value !== 'number') return null;
  const given = values.get('2.7.0');
  // Short lists carry import alone: while it is above zero, export is none; at zero the last known export stands.
  const out = taken.value > 0 || !given || typeof given.value !== 'number' ? 0 : given.value;
  return taken.value - out;
}

export function createLiveHub(): LiveHub {
  const states = new Map<string, State>();
  const listeners = new Set<{
    filter: ReadonlySet<string> | undefined;
    changed: Set<string>;
    send: (changed: readonly Live[]) => boolean;
    seen: (() => { has(meter: string): boolean } | undefined) | undefined;
  }>();

  const view = (state: State): Live => ({
    meter: state.meter,
    time: new Date(state.time).toISOString(),
    power: powerOf(state.values),
    values: Object.fromEntries([...state.values].map(([code, { at: _, ...entry }]) => [code, entry])),
  });

  const touch = (meter: string): void => {
    for (const listener of listeners) if (!listener.filter || listener.filter.has(meter)) listener.changed.add(meter);
  };

  return {
    update(placed) {
      for (const { meter, message } of placed) {
        if (message.error || message.items.length === 0) continue;
        let state = states.get(meter);
        if (!state) {
          state = { meter, time: 0, values: new Map() };
          states.set(meter, state);
        }
        const time =
          message.time === undefined || message.flags.includes('clockWrong') ? message.receivedAt : message.time;
        if (time < state.time) continue;
        state.time = time;
        const iso = new Date(time).toISOString();
        for (let k = 0; k < message.items.length; k++) {
          const item = message.items[k] as Message['items'][number];
          const code = item.obis === undefined ? item.address : shortOf(item.obis);
          if (code === undefined) continue;
          const value = message.values[k] as Value;
          const at = message.times?.[k] ?? time;
          state.values.set(code, {
            value: typeof value === 'string' ? value : toNumber(value, item.scaler),
            name: item.name,
            ...(item.unit === undefined ? {} : { unit: item.unit }),
            time: at === time ? iso : new Date(at).toISOString(),
            at,
          });
        }
        touch(meter);
      }
    },
    get(meter) {
      const state = states.get(meter);
      return state && view(state);
    },
    restore(saved) {
      for (const live of saved) {
        if (states.has(live.meter)) continue;
        const values = Object.entries(live.values).map(
          ([code, v]) => [code, { ...v, at: Date.parse(v.time) }] as const,
        );
        states.set(live.meter, { meter: live.meter, time: Date.parse(live.time), values: new Map(values) });
      }
    },
    *powers(seen) {
      for (const [meter, { time, values }] of states) {
        if (seen && !seen.has(meter)) continue;
        const power = powerOf(values);
        if (power !== null) yield { meter, time, power };
      }
    },
    listen(filter, send, seen) {
      const listener = { filter, send, seen, changed: new Set(filter ?? states.keys()) };
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    flush() {
      for (const listener of listeners) {
        if (listener.changed.size === 0) continue;
        const batch: Live[] = [];
        const taken: string[] = [];
        const seen = listener.seen?.();
        for (const meter of listener.changed) {
          if (seen && !seen.has(meter)) {
            listener.changed.delete(meter);
            continue;
          }
          const state = states.get(meter);
          taken.push(meter);
          if (state) batch.push(view(state));
          if (taken.length >= MAX_PER_EVENT) break;
        }
        // A listener that cannot take more now keeps its list and gets the newest state when it can.
        if (batch.length === 0 || listener.send(batch)) for (const meter of taken) listener.changed.delete(meter);
      }
    },
    get listeners() {
      return listeners.size;
    },
  };
}
