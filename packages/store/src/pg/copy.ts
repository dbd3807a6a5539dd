/**
 * COPY in PostgreSQL's binary form, both ways, on a client's own connection: the fast lane for blocks and messages.
 * The node driver reads every other answer as text, in which packed bytes would travel twice as long and be parsed twice.
 *
 * Not here: which columns. A row out is read field by field by who asked for it, while it is under its hands.
 */
import type pg from 'pg';
import { Bytes } from '../codec/bytes.ts';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** Microseconds from 1970 to PostgreSQL's 2000-01-01. */
const EPOCH_MS = 946_684_800_000;
/** Days from 1970 to 2000-01-01. */
export const EPOCH_DAYS = 10_957;

/** The part of the driver's connection that this uses. */
interface Wire {
  query(text: string): void;
  sendCopyFromChunk(chunk: Uint8Array): void;
  endCopyFrom(): void;
  sendCopyFail(message: string): void;
  readonly stream: NodeJS.WritableStream & { readonly writableNeedDrain?: boolean };
}

/** Writes rows field by field; what is written leaves in chunks. */
export class CopyRows extends Bytes {
  begin(): void {
    this.bytes(SIGNATURE);
  }
  row(fields: number): void {
    this.int16(fields);
  }
  none(): void {
    this.int32(-1);
  }
  long(value: number): void {
    this.int32(8);
    this.int64(value);
  }
  bigLong(value: bigint): void {
    this.int32(8);
    this.bigInt64(value);
  }
  number64(value: number | bigint | null): void {
    if (value === null) this.none();
    else if (typeof value === 'bigint') this.bigLong(value);
    else this.long(value);
  }
  int(value: number): void {
    this.int32(4);
    this.int32(value);
  }
  short(value: number): void {
    this.int32(2);
    this.int16(value);
  }
  /** Days since 1970. */
  date(day: number): void {
    this.int32(4);
    this.int32(day - EPOCH_DAYS);
  }
  yesNo(value: boolean): void {
    this.int32(1);
    this.byte(value ? 1 : 0);
  }
  /** Epoch ms. */
  moment(value: number): void {
    this.long((value - EPOCH_MS) * 1000);
  }
  words(value: string | null): void {
    if (value === null) this.none();
    else this.blob(Buffer.from(value));
  }
  blob(value: Uint8Array): void {
    this.int32(value.length);
    this.bytes(value);
  }
  end(): void {
    this.int16(-1);
  }
}

/** Runs `COPY … FROM STDIN (FORMAT binary)`: `fill` writes some rows each time it is called, until it gives false. */
export function copyIn(client: pg.ClientBase, text: string, fill: (rows: CopyRows) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const rows = new CopyRows(1 << 19);
    let failed: unknown;
    let wire: Wire;
    let over = false;
    const pump = (): void => {
      if (over) return;
      try {
        for (;;) {
          const more = fill(rows);
          if (!more) rows.end();
          wire.sendCopyFromChunk(rows.buffer.subarray(0, rows.length));
          // The driver has copied the chunk into its message.
          rows.length = 0;
          if (!more) {
            wire.endCopyFrom();
            return;
          }
          if (wire.stream.writableNeedDrain) {
            wire.stream.once('drain', pump);
            return;
          }
        }
      } catch (error) {
        failed = error;
        wire.sendCopyFail('the sender failed');
      }
    };
    submit(client, {
      submit(connection: Wire) {
        wire = connection;
        wire.query(text);
        return null;
      },
      handleCopyInResponse() {
        rows.begin();
        pump();
      },
      handleCommandComplete() {},
      handleReadyForQuery() {
        over = true;
        resolve();
      },
      handleError(error: unknown) {
        over = true;
        reject(failed ?? error);
      },
    });
  });
}

/** One row of a binary COPY, read from the left; valid only while it is handed over. */
export class CopyRow {
  data: Buffer = Buffer.alloc(0);
  private at = 0;

  set(data: Buffer, at: number): void {
    this.data = data;
    this.at = at;
  }
  private word(at: number): number {
    const data = this.data;
    return (
      ((data[at] as number) << 24) |
      ((data[at + 1] as number) << 16) |
      ((data[at + 2] as number) << 8) |
      (data[at + 3] as number)
    );
  }
  private field(): number {
    const length = this.word(this.at);
    this.at += 4;
    return length;
  }
  long(): number {
    const at = this.at + 4;
    this.at += 12;
    return this.word(at) * 4294967296 + (this.word(at + 4) >>> 0);
  }
  bigLong(): bigint | null {
    if (this.field() < 0) return null;
    this.at += 8;
    return this.data.readBigInt64BE(this.at - 8);
  }
  int(): number {
    this.at += 8;
    return this.word(this.at - 4);
  }
  short(): number {
    this.at += 6;
    return (((this.data[this.at - 2] as number) << 24) >> 16) | (this.data[this.at - 1] as number);
  }
  /** Days since 1970. */
  date(): number {
    return this.int() + EPOCH_DAYS;
  }
  /** Epoch milliseconds. */
  time(): number {
    return Math.round(this.long() / 1000) + EPOCH_MS;
  }
  /** A view of the row's own bytes. */
  blob(): Buffer {
    const length = this.field();
    if (length < 0) return this.data.subarray(0, 0);
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }
  /** Where the next bytea lies, without making a view of it: [from, to) in `data`. */
  span(): number {
    const length = this.field();
    const from = this.at;
    if (length > 0) this.at += length;
    return from;
  }
  /** Whether the next field is null; it stays to be read. */
  isNull(): boolean {
    return (this.data[this.at] as number) > 127;
  }
  get position(): number {
    return this.at;
  }
}

const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
const ERROR = 0x45;

/**
 * Runs `COPY (…) TO STDOUT (FORMAT binary)` and hands over each row while it comes in. A row is a message of its own, and
 * the driver would make three objects of each: while rows come, their bytes are read off the socket here, and everything
 * else is passed on to the driver.
 */
export function copyOut(client: pg.ClientBase, text: string, take: (row: CopyRow) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const row = new CopyRow();
    let first = true;
    let failed: unknown;
    let stream: NodeJS.EventEmitter | undefined;
    let driver: (chunk: Buffer) => void;
    let rest: Buffer | undefined;

    const data = (chunk: Buffer): void => {
      const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
      rest = undefined;
      let at = 0;
      while (at + 5 <= bytes.length) {
        const code = bytes[at] as number;
        const end = at + 1 + bytes.readInt32BE(at + 1);
        if (end > bytes.length) break;
        if (code === COPY_DATA) message(bytes, at + 5, end);
        else if (code === COPY_DONE || code === ERROR) {
          giveBack();
          driver(bytes.subarray(at));
          return;
        } else driver(bytes.subarray(at, end));
        at = end;
      }
      if (at < bytes.length) rest = bytes.subarray(at);
    };

    const message = (bytes: Buffer, from: number, end: number): void => {
      let at = from;
      if (first) {
        first = false;
        at = from + 19 + bytes.readInt32BE(from + 15);
      }
      if (failed !== undefined || end < at + 2 || (bytes[at] as number) > 127) return;
      row.set(bytes, at + 2);
      try {
        take(row);
      } catch (error) {
        failed = error;
      }
    };

    const giveBack = (): void => {
      stream?.removeListener('data', data);
      stream?.on('data', driver);
    };

    submit(client, {
      submit(connection: Wire) {
        const socket = connection.stream;
        stream = socket;
        driver = socket.listeners('data')[0] as (chunk: Buffer) => void;
        socket.removeListener('data', driver);
        socket.on('data', data);
        connection.query(text);
        return null;
      },
      handleCommandComplete() {},
      handleReadyForQuery() {
        if (failed === undefined) resolve();
        else reject(failed);
      },
      handleError(error: unknown) {
        // A connection that broke before its turn fails the query without having begun it.
        if (stream && !stream.listeners('data').includes(driver)) giveBack();
        reject(error);
      },
    });
  });
}

/** The driver takes any object of this form; its types name only those of the package's own. */
function submit(client: pg.ClientBase, query: object): void {
  const whole = {
    handleRowDescription() {},
    handleDataRow() {},
    handlePortalSuspended() {},
    handleEmptyQuery() {},
    handleCopyData() {},
    handleCopyInResponse(connection: Wire) {
      connection.sendCopyFail('no rows to send');
    },
    ...query,
  };
  client.query(whole as unknown as pg.Submittable);
}
