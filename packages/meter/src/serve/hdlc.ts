/**
 * Meters behind an HDLC link (IEC 62056-46): the server address says which device, upper part the logical, lower part the
 * physical one; the client address is the client SAP. Each link carries one association, freed with the link.
 *
 * Leaves out: the link itself (package hdlc).
 */
import { MisuseError } from '@amiable/bytes';
import type { ServerAssociation } from '@amiable/dlms';
import {
  createHdlcServer,
  type HdlcAddress,
  type HdlcAddresses,
  type HdlcServer,
  type HdlcServerLink,
  lowerAddress,
  upperAddress,
} from '@amiable/hdlc';
import { associationFor } from './associations.ts';
import type { Guesses } from './guesses.ts';
import { Outlet } from './outlet.ts';
import type { Connection, MeterServerOptions, ServerAddress } from './types.ts';

export function serverAddress(address: HdlcAddress): ServerAddress {
  return { logical: upperAddress(address), physical: lowerAddress(address) };
}

type Link<M> = HdlcServerLink<ServerAssociation<M>>;

export class HdlcConnection<M> {
  lastHeard = 0;
  readonly #options: MeterServerOptions<M>;
  readonly #guesses: Guesses;
  readonly #outlet: Outlet;
  readonly #server: HdlcServer<ServerAssociation<M>>;
  #cancel: (() => void) | undefined;
  #due = Number.POSITIVE_INFINITY;

  constructor(options: MeterServerOptions<M>, connection: Connection, guesses: Guesses) {
    this.#options = options;
    this.#guesses = guesses;
    this.#outlet = new Outlet(connection, options.maxWaiting);
    const { limits, maxLinks } = options.hdlc ?? {};
    this.#server = createHdlcServer<ServerAssociation<M>>(
      {
        accepts: (server) => options.find(serverAddress(server)) !== undefined,
        ...(limits && { limits }),
        maxLinks: maxLinks ?? 64,
        ...(options.inactivity !== undefined && { inactivityTimeout: options.inactivity }),
      },
      this,
    );
  }

  get open(): number {
    return this.#server.links.size;
  }

  *associations(): IterableIterator<ServerAssociation<M>> {
    for (const { context } of this.#server.links) if (context) yield context;
  }

  /** Bytes kept for what is not complete, or not acknowledged. */
  get held(): number {
    let bytes = 0;
    for (const link of this.#server.links) bytes += link.held + (link.context?.held ?? 0);
    return bytes;
  }

  data(bytes: Uint8Array): void {
    if (this.#outlet.closed) return;
    const now = this.#options.clock.now();
    const { counters } = this.#server;
    const before = counters.framesIn;
    this.#server.receive(bytes, now);
    // A frame, not any byte: noise now and then keeps no connection.
    if (counters.framesIn !== before) this.lastHeard = now;
    this.#arm();
  }

  /** One timer for all links; it is moved only when something falls due earlier. */
  #arm(): void {
    const due = this.#server.nextDeadline();
    if (due >= this.#due || due === Number.POSITIVE_INFINITY) return;
    this.#cancel?.();
    this.#due = due;
    this.#cancel = this.#options.clock.after(Math.max(0, due - this.#options.clock.now()), () => {
      this.#due = Number.POSITIVE_INFINITY;
      this.#cancel = undefined;
      this.#server.tick(this.#options.clock.now());
      this.#arm();
    });
  }

  // HdlcServerSink

  write(bytes: Uint8Array): void {
    this.#outlet.write(bytes);
    // The rest of the chunk finds nobody.
    if (this.#outlet.closed) for (const link of [...this.#server.links]) link.close();
  }

  connected(link: Link<M>): void {
    const address = serverAddress(link.server);
    const served = this.#options.find(address);
    if (served) link.context = associationFor(this.#options, served, link.client.value, address, this.#guesses);
  }

  information(link: Link<M>, information: Uint8Array): void {
    const association = link.context;
    if (!association) return;
    this.#options.trace?.('in', information, link.client.value, serverAddress(link.server));
    const answer = association.receive(information);
    if (answer) this.#send(link, answer);
    this.#drain(link, association);
  }

  disconnected(link: Link<M>): void {
    link.context?.closed();
    link.context = undefined;
  }

  failed(link: Link<M>): void {
    link.context?.closed();
    link.context = undefined;
  }

  /** A UI frame reaches associations that live without AARQ; its answer goes back when it was polled for. */
  unnumbered(information: Uint8Array, { destination, source }: HdlcAddresses, poll: boolean): void {
    const address = serverAddress(destination);
    const served = this.#options.find(address);
    if (!served) return;
    const association = associationFor(this.#options, served, source.value, address, this.#guesses);
    if (association.status === 0) return;
    const answer = association.receive(information);
    if (answer && poll) this.#server.sendUnnumbered(answer, { destination: source, source: destination }, true);
    association.closed();
  }

  #drain(link: Link<M>, association: ServerAssociation<M>): void {
    for (let apdu = association.next(); apdu; apdu = association.next()) this.#send(link, apdu);
  }

  #send(link: Link<M>, apdu: Uint8Array): void {
    this.#options.trace?.('out', apdu, link.client.value, serverAddress(link.server));
    try {
      link.send(apdu, this.#options.clock.now());
    } catch (error) {
      // Closed meanwhile, or a client that never polls: what does not fit the queue is lost, as on a real line.
      if (!(error instanceof MisuseError)) throw error;
    }
  }

  flush(): void {
    for (const link of this.#server.links) if (link.context) this.#drain(link, link.context);
    this.#arm();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    this.#server.reset();
  }
}
