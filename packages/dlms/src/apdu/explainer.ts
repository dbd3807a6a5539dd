/**
 * Collects what every byte is while a codec walks over them (`explain` of schema.ts). Fields do not overlap and leave
 * no byte out; a fault inside something whose length is known ends there, and what follows it is told again.
 */
import { DecodeError, type Field, Reader, toHex } from '@amiable/bytes';

const MAX_FIELDS = 20_000;
const MAX_NESTING = 8;

/** Explains the APDU that fills what is left of `out.reader`. */
export type ExplainNested = (out: Explainer, path: string) => void;

export class Explainer {
  readonly fields: Field[] = [];
  reader: Reader;
  readonly #apdu: ExplainNested;
  #nesting = 0;
  /** Number of the data block under way: the first one begins with a value. */
  blockNumber = 0;

  constructor(bytes: Uint8Array, apdu: ExplainNested) {
    this.reader = new Reader(bytes);
    this.#apdu = apdu;
  }

  /** Bytes that fields tell of so far. */
  get covered(): number {
    const last = this.fields.at(-1);
    return last ? last.offset + last.length : 0;
  }

  /** A field from `start` to where the reader stands. */
  add(path: string, start: number, text: string): void {
    if (this.fields.length >= MAX_FIELDS) throw new DecodeError('limit', 'too many fields to explain', start);
    this.fields.push({ path, offset: start, length: this.reader.pos - start, text });
  }

  /** The next `length` bytes as one field. */
  take(path: string, length: number, text: string): void {
    const start = this.reader.pos;
    this.reader.skip(length, path);
    this.add(path, start, text);
  }

  /**
   * Lets `walk` explain the next `length` bytes. It cannot leave them; what it leaves over and what it stumbles on are
   * fields of their own.
   * @param cut what to say of bytes that end too early, where that is no fault: the next block has the rest
   */
  within(path: string, length: number, walk: () => void, cut?: string): void {
    const outer = this.reader;
    outer.need(length, path);
    const end = outer.pos + length;
    this.reader = new Reader(outer.buf, outer.pos, end);
    try {
      walk();
      if (this.reader.pos < end) this.take(`${path}/rest`, end - this.reader.pos, 'bytes behind the end');
    } catch (error) {
      if (!(error instanceof DecodeError) || this.fields.length >= MAX_FIELDS) throw error;
      this.reader.pos = Math.max(this.covered, outer.pos);
      const continues = cut !== undefined && error.reason === 'truncated';
      if (this.reader.pos < end || !continues)
        this.take(continues ? path : `${path}/fault`, end - this.reader.pos, continues ? cut : error.message);
    } finally {
      this.reader = outer;
      outer.pos = end;
    }
  }

  /** The APDU in the next `length` bytes. */
  apdu(path: string, length: number): void {
    if (this.#nesting >= MAX_NESTING) {
      this.take(path, length, 'APDUs nest too deep to explain');
      return;
    }
    this.#nesting++;
    this.within(path, length, () => this.#apdu(this, path));
    this.#nesting--;
  }
}

export const upperHex = (bytes: ArrayLike<number>): string => toHex(bytes).toUpperCase();

/** ASCII text in quotes, noughts at the end left out; undefined when the bytes are none. */
export function printable(bytes: Uint8Array): string | undefined {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  if (end === 0) return undefined;
  let text = '';
  for (let i = 0; i < end; i++) {
    const c = bytes[i] as number;
    if (c < 0x20 || c > 0x7e) return undefined;
    text += String.fromCharCode(c);
  }
  return JSON.stringify(text);
}
