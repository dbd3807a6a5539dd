/**
 * Rings of rows and of log entries in typed arrays: 10,000 meters hold 22 million rows. They grow by doubling up to their
 * capacity, so that a young meter is small.
 *
 * Time is kept in whole seconds of the meter's clock, 32 bits unsigned: good to the year 2106.
 */
import { DecodeError, type Reader, type Writer } from '@amiable/bytes';
import type { EventNumber } from './events.ts';
import type { LogEntry } from './state-types.ts';

type Values = Uint32Array | Float64Array;

function grown<T extends Uint32Array | Uint16Array | Float64Array>(old: T, length: number): T {
  const made = new (old.constructor as new (length: number) => T)(length);
  made.set(old as never);
  return made;
}

const bytesOf = (values: Uint32Array | Uint16Array | Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Oldest first, in the machine's byte order: state.ts marks it. */
function inOrder<T extends Uint32Array | Uint16Array | Float64Array>(
  values: T,
  head: number,
  length: number,
): Uint8Array {
  const made = new (values.constructor as new (length: number) => T)(length);
  const first = Math.min(length, values.length - head);
  made.set(values.subarray(head, head + first) as never);
  made.set(values.subarray(0, length - first) as never, first);
  return bytesOf(made);
}

/** Rows of (time, status, `width` values); the oldest is overwritten when it is full. */
export class Ring {
  readonly capacity: number;
  readonly width: number;
  /** Registers are 32 bits; slaves' mantissas may be anything. */
  readonly wide: boolean;
  #head = 0;
  #length = 0;
  #times = new Uint32Array(0);
  #status = new Uint16Array(0);
  #values: Values;

  constructor(capacity: number, width: number, wide: boolean) {
    this.capacity = capacity;
    this.width = width;
    this.wide = wide;
    this.#values = wide ? new Float64Array(0) : new Uint32Array(0);
  }

  get length(): number {
    return this.#length;
  }

  /** Opens a row; fill it with `set`. */
  push(at: number, status: number): void {
    if (this.#length === this.#times.length && this.#length < this.capacity) {
      const room = Math.min(this.capacity, Math.max(16, this.#length * 2));
      this.#times = grown(this.#times, room);
      this.#status = grown(this.#status, room);
      this.#values = grown(this.#values, room * this.width);
    }
    let place: number;
    if (this.#length < this.capacity) place = this.#length++;
    else {
      place = this.#head;
      this.#head = place + 1 === this.capacity ? 0 : place + 1;
    }
    this.#times[place] = Math.floor(at / 1000);
    this.#status[place] = status;
  }

  /** Writes a column of the newest row. */
  set(column: number, value: number): void {
    this.#values[this.#place(this.#length - 1) * this.width + column] = value;
  }

  #place(index: number): number {
    const place = this.#head + index;
    return place >= this.capacity ? place - this.capacity : place;
  }

  timeOf(index: number): number {
    return this.#in(index) ? (this.#times[this.#place(index)] as number) * 1000 : Number.NaN;
  }

  statusOf(index: number): number {
    return this.#in(index) ? (this.#status[this.#place(index)] as number) : 0;
  }

  value(index: number, column: number): number {
    return this.#in(index) && column >= 0 && column < this.width
      ? (this.#values[this.#place(index) * this.width + column] as number)
      : Number.NaN;
  }

  #in(index: number): boolean {
    return index >= 0 && index < this.#length;
  }

  clear(): void {
    this.#head = 0;
    this.#length = 0;
  }

  save(out: Writer): void {
    const { width } = this;
    out
      .u16(this.#length)
      .u8(width)
      .u8(this.wide ? 1 : 0);
    out.bytes(inOrder(this.#times, this.#head, this.#length));
    out.bytes(inOrder(this.#status, this.#head, this.#length));
    out.bytes(inOrder<Values>(this.#values, this.#head * width, this.#length * width));
  }

  /** @throws DecodeError */
  static load(from: Reader, capacity: number): Ring {
    const at = from.pos;
    const length = from.u16('rows');
    const width = from.u8('columns');
    const wide = from.u8('column size') === 1;
    if (length > capacity || width > 8) throw new DecodeError('length', `${length} rows of ${width}`, at);
    const ring = new Ring(capacity, width, wide);
    from.need(length * (6 + width * (wide ? 8 : 4)), 'rows');
    ring.#length = length;
    ring.#times = new Uint32Array(length);
    ring.#status = new Uint16Array(length);
    ring.#values = wide ? new Float64Array(length * width) : new Uint32Array(length * width);
    for (const values of [ring.#times, ring.#status, ring.#values]) bytesOf(values).set(from.bytes(values.byteLength));
    return ring;
  }
}

/** Entries of (time, status, event). */
export class LogRing {
  readonly #rows: Ring;

  constructor(capacity: number, rows = new Ring(capacity, 1, false)) {
    this.#rows = rows;
  }

  save(out: Writer): void {
    this.#rows.save(out);
  }

  /** @throws DecodeError */
  static load(from: Reader, capacity: number): LogRing {
    return new LogRing(capacity, Ring.load(from, capacity));
  }

  get capacity(): number {
    return this.#rows.capacity;
  }

  get length(): number {
    return this.#rows.length;
  }

  push(at: number, status: number, event: EventNumber): void {
    this.#rows.push(at, status);
    this.#rows.set(0, event);
  }

  entry(index: number): LogEntry {
    return {
      at: this.#rows.timeOf(index),
      status: this.#rows.statusOf(index),
      event: this.#rows.value(index, 0) as EventNumber,
    };
  }

  clear(): void {
    this.#rows.clear();
  }
}
