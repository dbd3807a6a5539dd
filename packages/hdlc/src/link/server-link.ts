/**
 * What a server keeps of one link: a client and server address, the mode, the sequence numbers, and what a poll waits for.
 * What happens to it stands in server.ts.
 */
import { MisuseError } from '@amiable/bytes';
import type { HdlcAddress } from '../address.ts';
import { joinAddresses, NOTHING } from '../frame.ts';
import type { HdlcParameters } from '../parameters.ts';
import type { ServerMode } from './mode.ts';
import type { Transfer } from './transfer.ts';
import type { HdlcAddresses, HdlcServerLink } from './types.ts';

export const NEVER = Number.POSITIVE_INFINITY;

export type LinkKey = number | string;

/** What a link asks of its server. */
export interface LinkHome<T> {
  /** An answer that a poll has waited for is here. */
  release(link: ServerLink<T>, now: number): void;
  close(link: ServerLink<T>): void;
}

export class ServerLink<T> implements HdlcServerLink<T> {
  readonly client: HdlcAddress;
  readonly server: HdlcAddress;
  readonly key: LinkKey;
  /** Destination and source of what is sent. */
  readonly there: Uint8Array;
  readonly transfer: Transfer;
  readonly #home: LinkHome<T>;
  context: T | undefined = undefined;
  mode: ServerMode = { type: 'connected' };
  heard: number;
  peerBusy = false;
  busy = false;
  /** Anything but SNRM came. */
  exchanged = false;
  /** An information was handed over and not answered yet. */
  owing = false;
  /** A poll waits for an answer until then. */
  holdUntil = NEVER;
  /** The information field of FRMR. */
  reject: Uint8Array = NOTHING;

  constructor(home: LinkHome<T>, addresses: HdlcAddresses, key: LinkKey, transfer: Transfer, now: number) {
    this.#home = home;
    this.client = addresses.source;
    this.server = addresses.destination;
    this.key = key;
    this.there = joinAddresses(this.client, this.server);
    this.transfer = transfer;
    this.heard = now;
  }

  get parameters(): HdlcParameters {
    return this.transfer.parameters;
  }

  get held(): number {
    return this.transfer.held;
  }

  get open(): boolean {
    return this.mode.type === 'connected';
  }

  send(information: Uint8Array, now: number): void {
    if (!this.open) throw new MisuseError('send on a link that is closed');
    this.transfer.queue(information);
    this.owing = false;
    if (this.holdUntil !== NEVER) this.#home.release(this, now);
  }

  setBusy(busy: boolean): void {
    this.busy = busy;
  }

  close(): void {
    this.#home.close(this);
  }
}

/** Whether the addresses of a frame are those of a link, which stand the other way round there. */
export function isBetween<T>(
  link: ServerLink<T>,
  buf: Uint8Array,
  destination: number,
  source: number,
  controlAt: number,
): boolean {
  const there = link.there;
  const clientLength = controlAt - source;
  const serverLength = source - destination;
  if (there.length !== clientLength + serverLength || link.client.length !== clientLength) return false;
  for (let i = 0; i < clientLength; i++) if (there[i] !== buf[source + i]) return false;
  for (let i = 0; i < serverLength; i++) if (there[clientLength + i] !== buf[destination + i]) return false;
  return true;
}
