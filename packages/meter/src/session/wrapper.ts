/**
 * APDUs over TCP or UDP (IEC 62056-47): each with the wrapper before it.
 *
 * Decides: only what comes from the server's wPort to the client's is taken. A stream that is out of step cannot be read
 * any further and ends; a datagram that is none is dropped.
 */
import { DecodeError, LinkError } from '@amiable/bytes';
import { createWrapperReceiver, decodeWrapperDatagram, encodeWrapper, type WrapperReceiver } from '@amiable/dlms';
import { TransportLink } from './transport-link.ts';
import type { ApduTransport, ApduTransportEvents, SessionLink } from './types.ts';

export interface WrapperTransportOptions {
  /** wPort of the client; 16 (public) unless said. */
  readonly client?: number;
  /** wPort of the server; 1 (management logical device) unless said. */
  readonly server?: number;
  /** Longest APDU that is taken; 65535 unless said. */
  readonly maxLength?: number;
}

export function wrapperTransport(link: SessionLink, options: WrapperTransportOptions = {}): ApduTransport {
  return new WrapperTransport(link, options);
}

class WrapperTransport implements ApduTransport {
  readonly #link: TransportLink;
  readonly #datagrams: boolean;
  readonly #client: number;
  readonly #server: number;
  readonly #receiver: WrapperReceiver;
  #strays = 0;
  #stray = '';

  constructor(link: SessionLink, { client = 16, server = 1, maxLength }: WrapperTransportOptions) {
    this.#link = new TransportLink(link);
    this.#datagrams = link.datagrams === true;
    this.#client = client;
    this.#server = server;
    this.#receiver = createWrapperReceiver(maxLength === undefined ? {} : { maxLength }, {
      frame: (source, destination, apdu) => this.#frame(source, destination, apdu),
      failed: (error) => this.#link.fail(new LinkError(`${this.describe}: ${error.message}`, { cause: error })),
    });
  }

  get describe(): string {
    return this.#link.describe;
  }

  open(events: ApduTransportEvents): Promise<void> {
    return this.#link.start(
      events,
      this.#datagrams ? (bytes) => this.#datagram(bytes) : (bytes) => this.#receiver.push(bytes),
    );
  }

  #datagram(bytes: Uint8Array): void {
    try {
      const { source, destination, apdu } = decodeWrapperDatagram(bytes);
      this.#frame(source, destination, apdu);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#noteStray(`a datagram that is no APDU: ${error.message}`);
    }
  }

  #frame(source: number, destination: number, apdu: Uint8Array): void {
    if (source === this.#server && destination === this.#client) this.#link.apdu(apdu.slice());
    else this.#noteStray(`an APDU from wPort ${source} to ${destination}`);
  }

  #noteStray(what: string): void {
    this.#strays++;
    this.#stray = what;
  }

  trouble(): string {
    const { waiting } = this.#receiver;
    const words = [];
    if (waiting > 0) words.push(`${waiting} bytes of an unfinished APDU came`);
    if (this.#strays > 0) words.push(`${this.#strays} not for us came, the last: ${this.#stray}`);
    return words.join('; ');
  }

  send(apdu: Uint8Array): void {
    this.#link.write(encodeWrapper(this.#client, this.#server, apdu));
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
