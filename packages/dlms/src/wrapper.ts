/**
 * The wrapper of DLMS/COSEM over TCP and UDP (IEC 62056-47): version 1, source and destination wPort, length, each two
 * bytes, before every APDU.
 *
 * Decides: what to do with a stream that is out of step. There is no check sum and no flag to search for, so a wrong
 * version or a length beyond the limit ends the receiver with an error that shows the bytes; the connection is to be
 * closed. Leaves out: sockets, and which wPort is what.
 */
import { DecodeError, type Field, MisuseError, toHex } from '@amiable/bytes';
import { Explainer } from './apdu/explainer.ts';
import { explainApdu } from './explain.ts';

export const WRAPPER_VERSION = 1;
export const WRAPPER_HEADER = 8;

export interface WrapperFrame {
  readonly source: number;
  readonly destination: number;
  readonly apdu: Uint8Array;
}

/** An APDU with its header. @throws MisuseError when an address or the length takes more than 16 bits */
export function encodeWrapper(source: number, destination: number, apdu: Uint8Array): Uint8Array {
  if (!isPort(source) || !isPort(destination)) throw new MisuseError(`a wPort is 0 to 65535`);
  if (apdu.length > 0xffff) throw new MisuseError(`an APDU of ${apdu.length} bytes does not fit the wrapper`);
  const out = new Uint8Array(WRAPPER_HEADER + apdu.length);
  out[1] = WRAPPER_VERSION;
  out[2] = source >>> 8;
  out[3] = source;
  out[4] = destination >>> 8;
  out[5] = destination;
  out[6] = apdu.length >>> 8;
  out[7] = apdu.length;
  out.set(apdu, WRAPPER_HEADER);
  return out;
}

const isPort = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 0xffff;

export interface WrapperSink {
  /** A whole APDU. It may be a view of the pushed chunk: copy what is kept beyond the call. */
  frame(source: number, destination: number, apdu: Uint8Array): void;
  /** The stream is out of step and will never be read again. */
  failed(error: DecodeError): void;
}

export interface WrapperReceiverOptions {
  /** Longest APDU that is taken; 65,535 unless said. */
  readonly maxLength?: number;
}

export interface WrapperReceiver {
  /** Takes bytes as they come, cut and joined in any way. */
  push(chunk: Uint8Array): void;
  /** Bytes of a frame that waits for its rest; none may be left when the connection closes. */
  readonly waiting: number;
}

/** Cuts a stream into APDUs. Holds at most one frame of `maxLength`. */
export function createWrapperReceiver(options: WrapperReceiverOptions, sink: WrapperSink): WrapperReceiver {
  return new Receiver(Math.min(options.maxLength ?? 0xffff, 0xffff), sink);
}

class Receiver implements WrapperReceiver {
  readonly #maxLength: number;
  readonly #sink: WrapperSink;
  /** The frame under way, when it came in pieces; grows to what its header announced. */
  #held = new Uint8Array(64);
  #waiting = 0;
  #offset = 0;
  #broken = false;

  constructor(maxLength: number, sink: WrapperSink) {
    this.#maxLength = maxLength;
    this.#sink = sink;
  }

  get waiting(): number {
    return this.#waiting;
  }

  push(chunk: Uint8Array): void {
    let at = this.#waiting > 0 ? this.#fill(chunk) : 0;
    while (!this.#broken && chunk.length - at >= WRAPPER_HEADER) {
      const end = at + WRAPPER_HEADER + (((chunk[at + 6] as number) << 8) | (chunk[at + 7] as number));
      if (!this.#check(chunk, at)) return;
      if (end > chunk.length) break;
      this.#deliver(chunk, at, end);
      at = end;
    }
    if (this.#broken || at >= chunk.length) return;
    // Behind the while, a header that is not whole yet may be known to be wrong already.
    if (chunk.length - at < WRAPPER_HEADER && !this.#checkVersion(chunk, at, chunk.length)) return;
    this.#hold(chunk, at, chunk.length);
  }

  /** Adds to the frame under way. @returns where in the chunk the next one begins */
  #fill(chunk: Uint8Array): number {
    let at = 0;
    if (this.#waiting < WRAPPER_HEADER) {
      at = Math.min(WRAPPER_HEADER - this.#waiting, chunk.length);
      this.#hold(chunk, 0, at);
      if (this.#waiting < WRAPPER_HEADER) {
        this.#checkVersion(this.#held, 0, this.#waiting);
        return at;
      }
      if (!this.#check(this.#held, 0)) return at;
    }
    const length = WRAPPER_HEADER + (((this.#held[6] as number) << 8) | (this.#held[7] as number));
    const end = Math.min(at + length - this.#waiting, chunk.length);
    this.#hold(chunk, at, end);
    if (this.#waiting < length) return end;
    this.#waiting = 0;
    // The buffer is given away, for the receiver of the frame may push again.
    const whole = this.#held;
    this.#held = new Uint8Array(64);
    this.#deliver(whole, 0, length);
    return end;
  }

  #hold(chunk: Uint8Array, from: number, to: number): void {
    const size = this.#waiting + to - from;
    if (size > this.#held.length) {
      const grown = new Uint8Array(Math.min(Math.max(size, 2 * this.#held.length), WRAPPER_HEADER + this.#maxLength));
      grown.set(this.#held.subarray(0, this.#waiting));
      this.#held = grown;
    }
    this.#held.set(chunk.subarray(from, to), this.#waiting);
    this.#waiting = size;
  }

  #deliver(buf: Uint8Array, start: number, end: number): void {
    this.#offset += end - start;
    const source = ((buf[start + 2] as number) << 8) | (buf[start + 3] as number);
    const destination = ((buf[start + 4] as number) << 8) | (buf[start + 5] as number);
    this.#sink.frame(source, destination, buf.subarray(start + WRAPPER_HEADER, end));
  }

  #checkVersion(buf: Uint8Array, at: number, end: number): boolean {
    if (buf[at] !== 0 || (end - at > 1 && buf[at + 1] !== WRAPPER_VERSION))
      return this.#fail('version', 'a wrapper header of version 1 was expected', buf, at, end);
    return true;
  }

  #check(buf: Uint8Array, at: number): boolean {
    if (!this.#checkVersion(buf, at, buf.length)) return false;
    const length = ((buf[at + 6] as number) << 8) | (buf[at + 7] as number);
    if (length > this.#maxLength)
      return this.#fail('limit', `an APDU of ${length} bytes, ${this.#maxLength} are allowed`, buf, at, buf.length);
    return true;
  }

  #fail(reason: string, text: string, buf: Uint8Array, at: number, end: number): false {
    this.#broken = true;
    this.#waiting = 0;
    const shown = toHex(buf.subarray(at, Math.min(end, at + 16)), ' ').toUpperCase();
    this.#sink.failed(new DecodeError(reason, `${text}, here is ${shown}`, this.#offset));
    return false;
  }
}

/** One datagram, one APDU. @throws DecodeError `version`, `length`, `truncated` */
export function decodeWrapperDatagram(bytes: Uint8Array): WrapperFrame {
  if (bytes.length < WRAPPER_HEADER)
    throw new DecodeError('truncated', `a wrapper header has 8 bytes, not ${bytes.length}`, bytes.length);
  if (bytes[0] !== 0 || bytes[1] !== WRAPPER_VERSION)
    throw new DecodeError('version', `wrapper version 1 was expected, here is ${toHex(bytes.subarray(0, 2))}`, 0);
  const length = ((bytes[6] as number) << 8) | (bytes[7] as number);
  if (length !== bytes.length - WRAPPER_HEADER)
    throw new DecodeError('length', `the header says ${length} bytes, ${bytes.length - WRAPPER_HEADER} are here`, 6);
  return {
    source: ((bytes[2] as number) << 8) | (bytes[3] as number),
    destination: ((bytes[4] as number) << 8) | (bytes[5] as number),
    apdu: bytes.subarray(WRAPPER_HEADER),
  };
}

/** Fields of wrapped APDUs, one behind the other. Never throws. */
export function explainWrapper(bytes: Uint8Array): Field[] {
  const out = new Explainer(bytes, () => {});
  const { reader } = out;
  try {
    while (reader.remaining > 0) {
      const start = reader.pos;
      const version = reader.u16('wrapper version');
      if (version !== WRAPPER_VERSION)
        throw new DecodeError('version', `wrapper version 1 was expected, not ${version}`, start);
      out.add('wrapper/version', start, 'wrapper version 1');
      const sourceAt = reader.pos;
      const source = reader.u16('source');
      out.add('wrapper/source', sourceAt, `source wPort ${source}`);
      const destinationAt = reader.pos;
      const destination = reader.u16('destination');
      out.add('wrapper/destination', destinationAt, `destination wPort ${destination}`);
      const lengthAt = reader.pos;
      const length = reader.u16('length');
      out.add('wrapper/length', lengthAt, `APDU of ${length} bytes`);
      const at = reader.pos;
      const apdu = reader.bytes(Math.min(length, reader.remaining), 'APDU');
      for (const field of explainApdu(apdu)) out.fields.push({ ...field, offset: field.offset + at });
      if (apdu.length < length)
        throw new DecodeError('truncated', `${length - apdu.length} bytes are missing`, bytes.length);
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const from = out.covered;
    out.fields.push({ path: 'fault', offset: from, length: bytes.length - from, text: error.message });
  }
  return out.fields;
}
