/**
 * Serving meters: any number of connections, each with any of the devices that `find` knows.
 *
 * Decides: how many connections there are, when a silent one is closed (one timer for all), that a connection that ends
 * frees its associations at once. Leaves out: sockets (package io gives connections), devices (package cosem).
 */
import { LinkError } from '@amiable/bytes';
import type { ServerAssociation } from '@amiable/dlms';
import type { SessionLink } from '../session/types.ts';
import { Guesses } from './guesses.ts';
import { HdlcConnection } from './hdlc.ts';
import { Slab } from './slab.ts';
import type { Connection, ConnectionEvents, MeterServer, MeterServerOptions, ServerTransport } from './types.ts';
import { WrapperConnection } from './wrapper.ts';

const MOST_CONNECTIONS = 1000;
const INACTIVITY = 180_000;
const MOST_HELD = 128 << 20;

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
      lasting: true,
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
  /** What `served.held` was when it was looked at last. */
  bytes: number;
}

const isPeer = <M>({ peer }: Held<M>): boolean => peer !== undefined;
const holds = <M>({ bytes, connection }: Held<M>): boolean => bytes > 0 && !connection.lasting;
/** A TCP connection or line that only takes a place: no association, open or opening. */
const hasNobody = <M>({ served, peer, connection }: Held<M>): boolean => {
  if (peer !== undefined || connection.lasting) return false;
  const associations = served instanceof WrapperConnection ? served.table.values() : served.associations();
  for (const { status } of associations) if (status !== 0) return false;
  return true;
};

class Server<M> implements MeterServer<M> {
  readonly #options: MeterServerOptions<M>;
  readonly #held = new Set<Held<M>>();
  readonly #peers = new Map<string, Held<M>>();
  readonly #slab = new Slab();
  readonly #guesses: Guesses;
  #bytes = 0;
  #cancel: (() => void) | undefined;

  constructor(options: MeterServerOptions<M>) {
    this.#options = options;
    this.#guesses = new Guesses(options.clock);
  }

  get connections(): number {
    return this.#held.size;
  }

  accept(connection: Connection, transport: ServerTransport = 'wrapper'): ConnectionEvents | undefined {
    const most = this.#options.maxConnections ?? MOST_CONNECTIONS;
    if (this.#held.size >= most && !this.#drop(this.#silent(hasNobody))) {
      connection.close();
      return undefined;
    }
    const served =
      transport === 'wrapper'
        ? new WrapperConnection(this.#options, connection, this.#slab, this.#guesses)
        : new HdlcConnection(this.#options, connection, this.#guesses);
    const held: Held<M> = { connection, served, peer: undefined, bytes: 0 };
    this.#hold(held);
    return {
      data: (bytes) => {
        served.data(bytes);
        this.#count(held);
      },
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
    this.#bytes -= held.bytes;
    if (held.peer !== undefined) this.#peers.delete(held.peer);
    held.served.close();
    if (this.#held.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  get held(): number {
    return this.#bytes;
  }

  #count(held: Held<M>): void {
    const now = held.served.held;
    if (now === held.bytes || !this.#held.has(held)) return;
    this.#bytes += now - held.bytes;
    held.bytes = now;
    const most = this.#options.maxHeld ?? MOST_HELD;
    while (this.#bytes > most && this.#drop(this.#silent(holds)));
  }

  /** Of the connections of a kind the one longest silent. */
  #silent(of: (held: Held<M>) => boolean): Held<M> | undefined {
    let silent: Held<M> | undefined;
    for (const held of this.#held)
      if ((!silent || held.served.lastHeard < silent.served.lastHeard) && of(held)) silent = held;
    return silent;
  }

  #drop(held: Held<M> | undefined): boolean {
    if (!held) return false;
    held.connection.close();
    this.#release(held);
    return true;
  }

  datagram(bytes: Uint8Array, peer: string, reply: (bytes: Uint8Array) => void): void {
    const known = this.#peers.get(peer);
    const served = known
      ? known.served
      : new WrapperConnection(this.#options, { write: reply, close: ignore }, this.#slab, this.#guesses);
    if (!(served instanceof WrapperConnection)) return;
    served.datagram(bytes, reply);
    const open = !served.table.values().next().done;
    // Senders can be forged: without an association nothing is kept of them, and nobody makes room for them.
    if (known && !open) this.#release(known);
    if (known) this.#count(known);
    if (known || !open) return;
    const most = this.#options.maxConnections ?? MOST_CONNECTIONS;
    if (this.#held.size >= most) this.#drop(this.#silent(isPeer));
    if (this.#held.size >= most) {
      served.close();
      return;
    }
    const held: Held<M> = { connection: { describe: peer, write: reply, close: ignore }, served, peer, bytes: 0 };
    this.#peers.set(peer, held);
    this.#hold(held);
    this.#count(held);
  }

  /** Looks for silent connections four times within the time they have. */
  #watch(): void {
    const inactivity = this.#options.inactivity ?? INACTIVITY;
    if (this.#cancel || inactivity === 0) return;
    this.#cancel = this.#options.clock.after(inactivity / 4, () => {
      this.#cancel = undefined;
      const since = this.#options.clock.now() - inactivity;
      for (const held of [...this.#held]) {
        if (held.served.lastHeard <= since && !held.connection.lasting) this.#drop(held);
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
    for (const held of [...this.#held]) this.#drop(held);
  }
}
