/**
 * Serving meters: any number of connections, each with any of the devices that `find` knows.
 *
 * Decides: how many connections there are, when a silent one is closed (one timer for all), that a connection that ends
 * frees its associations at once. Leaves out: sockets (package io gives connections), devices (package cosem).
 */
import { LinkError } from '@amiable/bytes';
import type { ServerAssociation } from '@amiable/dlms';
import type { SessionLink } from '../session/types.ts';
import { HdlcConnection } from './hdlc.ts';
import { Slab } from './slab.ts';
import type { Connection, ConnectionEvents, MeterServer, MeterServerOptions, ServerTransport } from './types.ts';
import { WrapperConnection } from './wrapper.ts';

const MOST_CONNECTIONS = 1000;
const INACTIVITY = 180_000;

/** A server for devices; feed it with connections (`accept`) and datagrams. */
export function createMeterServer<M>(options: MeterServerOptions<M>): MeterServer<M> {
  return new Server(options);
}

/**
 * Serves on one link: a serial line, an optical head, one TCP connection. Resolves when the link is open.
 * @throws LinkError when there are connections enough
 */
export async function serveLink<M>(
  link: SessionLink,
  options: MeterServerOptions<M>,
  transport: ServerTransport = 'hdlc',
): Promise<MeterServer<M>> {
  const server = createMeterServer(options);
  await serveOn(server, link, transport);
  return server;
}

/** As `serveLink`, on a server that may have other connections. @throws LinkError when there are connections enough */
export async function serveOn<M>(
  server: MeterServer<M>,
  link: SessionLink,
  transport: ServerTransport = 'hdlc',
): Promise<void> {
  const events = server.accept(
    {
      describe: link.describe,
      // A link that cannot be written tells so by closing.
      write: (bytes) => void link.write(bytes).catch(ignore),
      close: () => void link.close().catch(ignore),
    },
    transport,
  );
  if (!events) throw new LinkError(`${link.describe}: the server has connections enough`);
  await link.open({ data: (bytes) => events.data(bytes), closed: () => events.closed() });
}

const ignore = (): void => {};

interface Held<M> {
  readonly connection: Connection;
  readonly served: WrapperConnection<M> | HdlcConnection<M>;
  /** UDP peers are forgotten, not closed. */
  readonly peer: string | undefined;
}

class Server<M> implements MeterServer<M> {
  readonly #options: MeterServerOptions<M>;
  readonly #held = new Set<Held<M>>();
  readonly #peers = new Map<string, Held<M>>();
  readonly #slab = new Slab();
  #cancel: (() => void) | undefined;

  constructor(options: MeterServerOptions<M>) {
    this.#options = options;
  }

  get connections(): number {
    return this.#held.size;
  }

  accept(connection: Connection, transport: ServerTransport = 'wrapper'): ConnectionEvents | undefined {
    if (this.#held.size >= (this.#options.maxConnections ?? MOST_CONNECTIONS)) {
      connection.close();
      return undefined;
    }
    const served =
      transport === 'wrapper'
        ? new WrapperConnection(this.#options, connection, this.#slab)
        : new HdlcConnection(this.#options, connection);
    const held: Held<M> = { connection, served, peer: undefined };
    this.#hold(held);
    return {
      data: (bytes) => served.data(bytes),
      closed: () => this.#release(held),
      get open() {
        return served.open;
      },
    };
  }

  #hold(held: Held<M>): void {
    held.served.lastHeard = this.#options.clock.now();
    this.#held.add(held);
    this.#watch();
  }

  #release(held: Held<M>): void {
    if (!this.#held.delete(held)) return;
    if (held.peer !== undefined) this.#peers.delete(held.peer);
    held.served.close();
    if (this.#held.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  datagram(bytes: Uint8Array, peer: string, reply: (bytes: Uint8Array) => void): void {
    const known = this.#peers.get(peer);
    const served = known
      ? known.served
      : new WrapperConnection(this.#options, { write: reply, close: ignore }, this.#slab);
    if (!(served instanceof WrapperConnection)) return;
    served.datagram(bytes, reply);
    const open = !served.table.values().next().done;
    // Senders can be forged: without an association nothing is kept of them, and nobody makes room for them.
    if (known && !open) this.#release(known);
    if (known || !open) return;
    const most = this.#options.maxConnections ?? MOST_CONNECTIONS;
    if (this.#held.size >= most) this.#forgetSilentPeer();
    if (this.#held.size >= most) {
      served.close();
      return;
    }
    const held: Held<M> = { connection: { describe: peer, write: reply, close: ignore }, served, peer };
    this.#peers.set(peer, held);
    this.#hold(held);
  }

  #forgetSilentPeer(): void {
    let silent: Held<M> | undefined;
    for (const held of this.#peers.values())
      if (!silent || held.served.lastHeard < silent.served.lastHeard) silent = held;
    if (silent) this.#release(silent);
  }

  /** Looks for silent connections four times within the time they have. */
  #watch(): void {
    const inactivity = this.#options.inactivity ?? INACTIVITY;
    if (this.#cancel || inactivity === 0) return;
    this.#cancel = this.#options.clock.after(inactivity / 4, () => {
      this.#cancel = undefined;
      const since = this.#options.clock.now() - inactivity;
      for (const held of [...this.#held]) {
        if (held.served.lastHeard > since) continue;
        held.connection.close();
        this.#release(held);
      }
      if (this.#held.size > 0) this.#watch();
    });
  }

  *associations(): IterableIterator<ServerAssociation<M>> {
    for (const { served } of this.#held)
      yield* served instanceof WrapperConnection ? served.table.values() : served.associations();
  }

  flush(): void {
    for (const { served } of this.#held) served.flush();
  }

  close(): void {
    for (const held of [...this.#held]) {
      held.connection.close();
      this.#release(held);
    }
  }
}
