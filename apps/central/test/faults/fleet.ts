/**
 * Virtual DLMS meters on real sockets, with all that goes wrong on the way to them. Each meter has a port of its own, so that a fault is one
 * meter's.
 */
import { type IncomingEvents, type Listener, listenTcp } from '@amiable/io';
import { createServer, fleetDirectory } from '../../../simulator/src/electricity-server/listen.ts';
import type { ServedMeter } from '../../../simulator/src/electricity-server/served.ts';
import { meterOf } from '../virtual-line.ts';

/** How a meter's line behaves just now. */
export type Mood =
  | 'well'
  /** It is connected to, and says nothing. */
  | 'silent'
  /** The connection is closed as soon as it stands. */
  | 'refusing'
  /** It answers so many octets, then no more; the connection stands. */
  | { readonly halfOpen: number }
  /** It answers so many octets, then the connection is reset. */
  | { readonly cut: number }
  /** Each answer comes so much later, ms of the machine. */
  | { readonly slow: number }
  /** Each frame comes twice. */
  | 'twice';

export interface Fleet {
  readonly meters: readonly ServedMeter[];
  readonly ports: readonly number[];
  readonly connections: number;
  mood: (index: number) => Mood;
  close(): Promise<void>;
}

export async function startFleet(count: number, clock: { now(): number }): Promise<Fleet> {
  const meters = Array.from({ length: count }, (_, i) =>
    meterOf(i + 1, () => clock.now(), {
      parameters: { capturePeriod: 15, periodic: ['1.8.0', '2.8.0', '1.8.1', '1.8.2'] },
    }),
  );
  const timers = { now: () => Date.now(), after: (ms: number, fn: () => void) => laterOf(ms, fn) };
  const server = createServer(
    fleetDirectory((n) => meters[n - 1]),
    timers,
    { inactivity: 0 },
  );
  const listeners: Listener[] = [];
  let connections = 0;
  const fleet = {
    meters,
    mood: (_: number): Mood => 'well',
    get ports() {
      return listeners.map(({ port }) => port);
    },
    get connections() {
      return connections;
    },
    async close() {
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
  for (let i = 0; i < count; i++)
    listeners.push(
      await listenTcp({ host: '127.0.0.1', port: 0 }, (connection): IncomingEvents | undefined => {
        connections++;
        const mood = fleet.mood(i);
        if (mood === 'refusing') return undefined;
        if (mood === 'silent') return { data() {}, closed() {} };
        let left =
          typeof mood === 'object'
            ? 'halfOpen' in mood
              ? mood.halfOpen
              : 'cut' in mood
                ? mood.cut
                : Infinity
            : Infinity;
        const write = (bytes: Uint8Array): void => {
          const part = bytes.subarray(0, Math.max(0, left));
          left -= bytes.length;
          if (part.length > 0) connection.write(part);
          if (left <= 0 && typeof mood === 'object' && 'cut' in mood) connection.close();
        };
        const events = server.accept(
          {
            describe: connection.describe,
            close: () => connection.close(),
            write(bytes) {
              const copy = bytes.slice();
              if (typeof mood === 'object' && 'slow' in mood) laterOf(mood.slow, () => write(copy));
              else write(copy);
              if (mood === 'twice') write(copy);
            },
          },
          'wrapper',
        );
        return events;
      }),
    );
  return fleet;
}

function laterOf(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
}
