/**
 * Meters behind the wrapper (IEC 62056-47): a TCP connection, or the datagrams of one UDP peer.
 *
 * Decides: the destination wPort says which device, the source wPort which client; a device that is not there is not
 * answered. A stream that is out of step, or whose reader does not read, is closed.
 */

import { DecodeError } from '@amiable/bytes';
import {
  createWrapperReceiver,
  decodeWrapperDatagram,
  type ServerAssociation,
  type WrapperReceiver,
} from '@amiable/dlms';
import { AssociationTable } from './associations.ts';
import type { Guesses } from './guesses.ts';
import { Outlet } from './outlet.ts';
import type { Slab } from './slab.ts';
import type { Connection, MeterServerOptions } from './types.ts';

export class WrapperConnection<M> {
  readonly table: AssociationTable<M>;
  lastHeard = 0;
  readonly #options: MeterServerOptions<M>;
  readonly #outlet: Outlet;
  readonly #slab: Slab;
  readonly #receiver: WrapperReceiver;
  readonly #write: (bytes: Uint8Array) => void;

  constructor(options: MeterServerOptions<M>, connection: Connection, slab: Slab, guesses: Guesses) {
    this.#options = options;
    this.#outlet = new Outlet(connection, options.maxWaiting);
    this.#slab = slab;
    this.table = new AssociationTable(options, guesses);
    this.#write = (bytes) => this.#outlet.write(bytes);
    this.#receiver = createWrapperReceiver({}, this);
  }

  get open(): number {
    return this.table.size;
  }

  /** Bytes kept for what is not complete. */
  get held(): number {
    let bytes = this.#receiver.waiting;
    for (const association of this.table.values()) bytes += association.held;
    return bytes;
  }

  data(bytes: Uint8Array): void {
    if (this.#outlet.closed) return;
    this.#receiver.push(bytes);
    this.#slab.flush(this.#write);
    this.#outlet.look();
  }

  datagram(bytes: Uint8Array, reply: (bytes: Uint8Array) => void): void {
    try {
      const { source, destination, apdu } = decodeWrapperDatagram(bytes);
      this.frame(source, destination, apdu);
    } catch (error) {
      // A datagram that is none is nobody's.
      if (!(error instanceof DecodeError)) throw error;
    }
    this.#slab.flush(reply);
  }

  /** WrapperSink. */
  frame(source: number, destination: number, apdu: Uint8Array): void {
    // The rest of a chunk, in which somebody asked for more than he reads.
    if (this.#outlet.closed) return;
    // A word, not a byte of one: half a message now and then keeps no connection.
    this.lastHeard = this.#options.clock.now();
    const association = this.table.get(source, destination);
    if (!association) return;
    if (this.#options.trace) this.#trace('in', apdu, source, destination);
    const answer = association.receive(apdu);
    if (answer) this.#send(destination, source, answer);
    this.drain(source, destination, association);
    this.table.settle(source, destination, association);
  }

  /** WrapperSink: nothing can be found again in a stream that is out of step. */
  failed(): void {
    this.#outlet.close();
  }

  drain(source: number, destination: number, association: ServerAssociation<M>): void {
    for (let apdu = association.next(); apdu; apdu = association.next()) this.#send(destination, source, apdu);
  }

  flush(): void {
    for (const [key, association] of this.table.entries())
      this.drain(Math.floor(key / 0x1_0000), key & 0xffff, association);
    this.#slab.flush(this.#write);
  }

  #send(source: number, destination: number, apdu: Uint8Array): void {
    if (this.#options.trace) this.#trace('out', apdu, destination, source);
    this.#slab.wrapper(source, destination, apdu, this.#write);
  }

  #trace(direction: 'in' | 'out', apdu: Uint8Array, client: number, server: number): void {
    this.#options.trace?.(direction, apdu, client, { logical: server, physical: undefined });
  }

  close(): void {
    this.table.close();
  }
}
