/** Both ends of a link on a line in virtual time: it delays, loses, damages, doubles and cuts what goes over it, by a seed. */
import type { LinkError } from '@amiable/bytes';
import {
  createHdlcClient,
  createHdlcServer,
  type HdlcClient,
  type HdlcClientOptions,
  type HdlcServer,
  type HdlcServerLink,
  type HdlcServerOptions,
} from '../src/index.ts';

/** Park-Miller: the same numbers for the same seed. */
export function randomOf(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

export interface Faults {
  readonly lose: number;
  readonly damage: number;
  readonly double: number;
  /** Longest delay of a frame, ms; order is kept, as on a wire. */
  readonly delay: number;
}

export const CLIENT = { value: 16, length: 1 } as const;
export const SERVER = { value: (1 << 14) | 17, length: 4 } as const;

export interface World {
  readonly client: HdlcClient;
  readonly server: HdlcServer;
  readonly events: string[];
  readonly clientGot: Uint8Array[];
  readonly serverGot: Uint8Array[];
  /** Octets written, by direction. */
  readonly toServer: Uint8Array[];
  readonly toClient: Uint8Array[];
  link: HdlcServerLink | undefined;
  error: LinkError | undefined;
  now: number;
  /** Runs until nothing is to be done, or `until`. */
  run(until?: number): void;
}

export interface WorldOptions {
  readonly client?: Partial<HdlcClientOptions>;
  readonly server?: Partial<HdlcServerOptions>;
  readonly faults?: Faults;
  readonly random?: () => number;
  onServer?(world: World, link: HdlcServerLink, information: Uint8Array): void;
  onClient?(world: World, information: Uint8Array): void;
}

export function createWorld(options: WorldOptions = {}): World {
  const random = options.random ?? (() => 0.5);
  const faults = options.faults ?? { lose: 0, damage: 0, double: 0, delay: 0 };
  const wire: { at: number; toServer: boolean; bytes: Uint8Array }[] = [];
  const last = { true: 0, false: 0 };

  function put(toServer: boolean, bytes: Uint8Array): void {
    (toServer ? world.toServer : world.toClient).push(bytes);
    const copies = random() < faults.double ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (random() < faults.lose) continue;
      const sent = bytes.slice();
      if (random() < faults.damage) {
        const at = Math.floor(random() * sent.length);
        sent[at] = (sent[at] as number) ^ (1 << Math.floor(random() * 8));
      }
      const key = toServer ? 'true' : 'false';
      const at = Math.max(last[key], world.now + Math.floor(random() * faults.delay));
      last[key] = at;
      const cut = Math.floor(random() * sent.length);
      wire.push({ at, toServer, bytes: sent.subarray(0, cut) }, { at, toServer, bytes: sent.subarray(cut) });
    }
  }

  const client = createHdlcClient(
    { client: CLIENT, server: SERVER, responseTimeout: 1000, ...options.client },
    {
      write: (bytes) => put(true, bytes),
      connected: () => world.events.push('client connected'),
      information(information) {
        world.clientGot.push(information);
        options.onClient?.(world, information);
      },
      disconnected: (reason) => world.events.push(`client disconnected ${reason}`),
      failed(error) {
        world.error = error;
        world.events.push('client failed');
      },
      unnumbered: (info, { source }, final) =>
        world.events.push(`client unnumbered ${info.length} from ${source.value} ${final}`),
      stray: (info) => world.events.push(`client stray ${info.length}`),
    },
  );
  const server = createHdlcServer(
    { accepts: (a) => a.value === SERVER.value && a.length === SERVER.length, ...options.server },
    {
      write: (bytes) => put(false, bytes),
      connected(link) {
        world.link = link;
        world.events.push('server connected');
      },
      information(link, information) {
        world.serverGot.push(information);
        options.onServer?.(world, link, information);
      },
      disconnected: (_, reason) => world.events.push(`server disconnected ${reason}`),
      failed(_, error) {
        world.error = error;
        world.events.push('server failed');
      },
      unnumbered: (info, { destination }, poll) =>
        world.events.push(`server unnumbered ${info.length} to ${destination.value} ${poll}`),
    },
  );
  const world: World = {
    client,
    server,
    events: [],
    clientGot: [],
    serverGot: [],
    toServer: [],
    toClient: [],
    link: undefined,
    error: undefined,
    now: 0,
    run(until = Number.POSITIVE_INFINITY) {
      for (let steps = 0; ; steps++) {
        if (steps > 200_000) throw new Error('the line never falls silent');
        let next = 0;
        for (let i = 1; i < wire.length; i++)
          if ((wire[i] as { at: number }).at < (wire[next] as { at: number }).at) next = i;
        const onWire = wire[next]?.at ?? Number.POSITIVE_INFINITY;
        const due = Math.min(onWire, client.nextDeadline(), server.nextDeadline());
        if (due > until || due === Number.POSITIVE_INFINITY) {
          if (until !== Number.POSITIVE_INFINITY) world.now = until;
          return;
        }
        world.now = Math.max(world.now, due);
        if (onWire === due) {
          const { toServer, bytes } = wire.splice(next, 1)[0] as (typeof wire)[number];
          (toServer ? server : client).receive(bytes, world.now);
        } else if (client.nextDeadline() === due) client.tick(world.now);
        else server.tick(world.now);
      }
    },
  };
  return world;
}

/** An information that says which one it is. */
export function numbered(n: number, length: number): Uint8Array {
  const out = new Uint8Array(Math.max(2, length)).fill(n + 1);
  out[0] = n >> 8;
  out[1] = n;
  return out;
}
