/**
 * The way out of one connection, which ends for a client that does not read what it asks for: while a chunk of requests is
 * answered nothing leaves, and a poll of ten bytes can have a window of frames for its answer.
 */
import type { Connection } from './types.ts';

const MOST_WAITING = 1 << 20;
/** The other end is asked for what it has not taken once so many bytes were written. */
const LOOK = 65_536;

export class Outlet {
  closed = false;
  readonly #connection: Connection;
  readonly #most: number;
  #unseen = 0;

  constructor(connection: Connection, most = MOST_WAITING) {
    this.#connection = connection;
    this.#most = most;
  }

  write(bytes: Uint8Array): void {
    if (this.closed) return;
    this.#connection.write(bytes);
    this.#unseen += bytes.length;
    if (this.#unseen >= LOOK) this.look();
  }

  /** Closes when more waits than may. */
  look(): void {
    this.#unseen = 0;
    if ((this.#connection.waiting ?? 0) > this.#most) this.close();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#connection.close();
  }
}
