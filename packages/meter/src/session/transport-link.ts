/** What all transports do with a link: open it, write without waiting, tell its end once. */
import { LinkError } from '@amiable/bytes';
import type { ApduTransportEvents, SessionLink } from './types.ts';

export class TransportLink {
  readonly #link: SessionLink;
  #events: ApduTransportEvents | undefined;
  #closing: Promise<void> | undefined;

  constructor(link: SessionLink) {
    this.#link = link;
  }

  get describe(): string {
    return this.#link.describe;
  }

  get open(): boolean {
    return this.#events !== undefined;
  }

  async start(events: ApduTransportEvents, data: (bytes: Uint8Array) => void): Promise<void> {
    if (this.#closing) throw new LinkError(`${this.describe}: closed`);
    this.#events = events;
    await this.#link.open({
      data: (bytes) => {
        this.#events?.progress();
        // Links of the machine give Buffers, whose `slice` does not copy.
        if (this.#events) data(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
      },
      closed: (error) => this.fail(error ?? new LinkError(`${this.describe}: the line was closed`)),
    });
  }

  write(bytes: Uint8Array): void {
    // The link tells its end by `closed` too; whichever comes first is the reason.
    this.#link.write(bytes).catch((error: unknown) => this.fail(error as Error));
  }

  apdu(bytes: Uint8Array): void {
    this.#events?.apdu(bytes);
  }

  /** Ends it: told to the session once, and the link is closed. */
  fail(error: Error): void {
    const events = this.#events;
    if (!events) return;
    void this.close();
    events.closed(error);
  }

  close(): Promise<void> {
    this.#events = undefined;
    this.#closing ??= this.#link.close().catch(() => {});
    return this.#closing;
  }
}
