/**
 * The associations of one connection: made when a client speaks, kept while they are open, bounded in number.
 */
import { createServerAssociation, type ServerAssociation } from '@amiable/dlms';
import type { Guesses } from './guesses.ts';
import type { MeterServerOptions, ServedDevice, ServerAddress } from './types.ts';

const MOST = 16;

export function associationFor<M>(
  options: MeterServerOptions<M>,
  served: ServedDevice<M>,
  clientSap: number,
  address: ServerAddress,
  guesses: Guesses,
): ServerAssociation<M> {
  const { crypto, limits } = options;
  return createServerAssociation({
    device: served.device,
    meter: served.meter,
    clientSap,
    serverSap: address.logical,
    random: (length) => options.random(length),
    login: guesses.guard(`${address.logical} ${address.physical ?? ''} ${clientSap}`),
    ...(crypto && { crypto }),
    ...(limits && { limits }),
    fault: (error) => options.fault(error),
  });
}

/** By client and server wPort. */
export class AssociationTable<M> {
  readonly #options: MeterServerOptions<M>;
  readonly #guesses: Guesses;
  readonly #open = new Map<number, ServerAssociation<M>>();
  /** The one that spoke last; mostly the one that speaks next. */
  #lastKey = -1;
  #last: ServerAssociation<M> | undefined;

  constructor(options: MeterServerOptions<M>, guesses: Guesses) {
    this.#options = options;
    this.#guesses = guesses;
  }

  get size(): number {
    return this.#open.size;
  }

  values(): IterableIterator<ServerAssociation<M>> {
    return this.#open.values();
  }

  entries(): IterableIterator<[number, ServerAssociation<M>]> {
    return this.#open.entries();
  }

  /** The association of the two ports, a new one if there is none; undefined when nobody is at that address. */
  get(source: number, destination: number): ServerAssociation<M> | undefined {
    const key = source * 0x1_0000 + destination;
    if (key === this.#lastKey) return this.#last;
    const known = this.#open.get(key);
    if (known) return known;
    const address = { logical: destination, physical: undefined };
    const served = this.#options.find(address);
    return served && associationFor(this.#options, served, source, address, this.#guesses);
  }

  /** After a message: an association is kept while it is open, or opening. One that is not costs nothing. */
  settle(source: number, destination: number, association: ServerAssociation<M>): void {
    const key = source * 0x1_0000 + destination;
    if (association.status === 0) {
      this.#open.delete(key);
      this.#lastKey = -1;
      this.#last = undefined;
      return;
    }
    if (key === this.#lastKey) return;
    this.#lastKey = key;
    this.#last = association;
    // Set anew, so that the map is in the order of speaking and its first is the one longest silent.
    this.#open.delete(key);
    this.#open.set(key, association);
    if (this.#open.size > (this.#options.maxAssociations ?? MOST)) this.#dropSilent();
  }

  #dropSilent(): void {
    for (const [key, association] of this.#open) {
      this.#open.delete(key);
      association.closed();
      return;
    }
  }

  /** The connection is gone: every association is free at once. */
  close(): void {
    const all = [...this.#open.values()];
    this.#open.clear();
    this.#lastKey = -1;
    this.#last = undefined;
    for (const association of all) association.closed();
  }
}
