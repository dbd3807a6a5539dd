/**
 * A worker that can be killed at any step without a process of its own: from the step on nothing it asks the store comes back, and its
 * connections are gone. What it had under way may have reached the database or not, as with a real kill.
 */
import type { Link } from '@amiable/io';
import type { Store } from '@amiable/store';
import { connectTo } from '../../src/channels/lines.ts';

const AREAS = new Set(['work', 'readout', 'events', 'completeness', 'journal']);
/** These are no statements of their own. */
const PLAIN = new Set(['registerOf', 'begin', 'end', 'add', 'onStored']);

export interface Mortal {
  readonly store: Store;
  connect(address: string): Link;
  readonly dead: boolean;
  /** Steps so far. */
  readonly steps: number;
  kill(): void;
}

const never = (): Promise<never> => new Promise(() => {});

/**
 * @param at dies at this step: before it is done, or (`after`) when it was done and nobody has heard of it
 */
export function mortalOf(store: Store, at: number, after: boolean): Mortal {
  let steps = 0;
  let dead = false;
  const links = new Set<Link>();
  const kill = (): void => {
    dead = true;
    for (const link of links) void link.close();
  };
  function guard<T extends object>(inner: T): T {
    return new Proxy(inner, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof name === 'string' && AREAS.has(name) && typeof value === 'object' && value !== null)
          return guard(value);
        if (typeof value !== 'function') return value;
        if (typeof name === 'string' && PLAIN.has(name)) return dead ? () => '0' : value.bind(target);
        return (...given: unknown[]) => {
          if (dead) return never();
          const last = ++steps === at;
          if (last && !after) {
            kill();
            return never();
          }
          const result = (value as (...g: unknown[]) => unknown).apply(target, given);
          if (!last) return result;
          kill();
          void Promise.resolve(result).catch(() => {});
          return never();
        };
      },
    });
  }
  return {
    store: guard(store),
    get dead() {
      return dead;
    },
    get steps() {
      return steps;
    },
    kill,
    connect(address) {
      const link = connectTo(address);
      return {
        describe: link.describe,
        async open(events) {
          if (dead) return never();
          links.add(link);
          await link.open({
            data: (bytes) => {
              if (!dead) events.data(bytes);
            },
            closed: (error) => {
              links.delete(link);
              if (!dead) events.closed(error);
            },
          });
        },
        write: (bytes) => (dead ? never() : link.write(bytes)),
        pause: () => link.pause(),
        resume: () => link.resume(),
        close: () => (dead ? Promise.resolve() : link.close()),
      };
    },
  };
}
