/**
 * One operation of a client association: a request, the further requests that its answers call for, and the result.
 *
 * Decides: what all services share: pieces of blocks in and out, bounds, invoke ids. The services themselves are get.ts,
 * set.ts, action.ts, access.ts and short-names.ts.
 */
import { MisuseError } from '@amiable/bytes';
import { encodeApdu } from '../apdu/codec.ts';
import type { Apdu } from '../apdu/types.ts';
import { Pieces } from '../block-pieces.ts';
import type { ClientLimits, OperationName, Outcome } from './types.ts';

/** What an answer leads to: another request, the end, or nothing that this operation can make sense of. */
export type Turn =
  | { readonly next: Apdu }
  | { readonly done: Extract<Outcome, { ok: true }> }
  /** What is wrong with it. */
  | { readonly wrong: string };

export interface Operation {
  readonly name: OperationName;
  /** What is done to what, in words; asked for only when something went wrong. */
  title(): string;
  /** What is waited for, in words. */
  expecting(): string;
  /** The first request. @throws MisuseError when it cannot be brought into the room there is */
  first(room: Room): Apdu;
  take(apdu: Apdu): Turn;
  /** Whether bytes that cannot be read are the answer that was due all the same: by tag and invoke id. */
  owns(answer: Uint8Array): boolean;
  /** The beginning of the value, when blocks of it came. */
  partial?(): Uint8Array | undefined;
}

/** What the negotiated PDU size and conformance leave to a request. */
export interface Room {
  /** The longest plain APDU that fits, before protection; Infinity without a limit. */
  readonly plain: number;
  /** Whether the blocks of this service may be used. */
  readonly blocks: boolean;
  /** Whether a longer APDU can go as it is, by general block transfer. */
  readonly general: boolean;
}

/** Whether a request must be cut into blocks of its service. @throws MisuseError when it is too long and cannot be */
export function mustCut(length: number, room: Room, service: string): boolean {
  if (length <= room.plain) return false;
  if (room.blocks) return true;
  if (room.general) return false;
  throw new MisuseError(
    `the ${service} request has ${length} bytes, the server takes ${room.plain}, and block transfer for it was not negotiated`,
  );
}

const wrongInvoke = (expected: number, came: number): string =>
  `the invoke id is ${came & 0x0f}, not ${expected & 0x0f}`;

/** Undefined when the answer belongs to our request; else what is wrong. Only the id counts: some servers change the bits. */
export function checkInvoke(expected: number, came: number): string | undefined {
  return ((expected ^ came) & 0x0f) === 0 ? undefined : wrongInvoke(expected, came);
}

/** The beginning of an LN answer: tag, choice, invoke id. */
export function isAnswer(answer: Uint8Array, tag: number, invoke: number): boolean {
  return answer.length > 2 && answer[0] === tag && checkInvoke(invoke, answer[2] as number) === undefined;
}

/** Blocks that come in, in order, until the last. */
export class Incoming {
  readonly #limits: ClientLimits;
  readonly #pieces: Pieces;
  /** The number of the block that is due. */
  due = 1;

  constructor(limits: ClientLimits) {
    this.#limits = limits;
    this.#pieces = new Pieces(limits.maxBytes);
  }

  /** @returns what is wrong with it, if anything */
  add(blockNumber: number, raw: Uint8Array): string | undefined {
    if (blockNumber !== this.due) return `it is block ${blockNumber}, not block ${this.due}`;
    if (this.due > this.#limits.maxBlocks) return `more than ${this.#limits.maxBlocks} blocks came`;
    if (this.#pieces.bytes + raw.length > this.#limits.maxBytes)
      return `more than ${this.#limits.maxBytes} bytes of blocks came`;
    this.#pieces.add(raw);
    this.due++;
    return undefined;
  }

  get bytes(): number {
    return this.#pieces.bytes;
  }

  /** All of them in one, after `head`. */
  join(head: readonly number[] = []): Uint8Array {
    const joined = this.#pieces.soFar();
    if (head.length === 0) return joined;
    const whole = new Uint8Array(head.length + joined.length);
    whole.set(head);
    whole.set(joined, head.length);
    return whole;
  }
}

/** A value that goes out in blocks. */
export class Outgoing {
  readonly #whole: Uint8Array;
  readonly #size: number;
  #at = 0;
  /** The number of the block that was given out last. */
  number = 0;

  /** @param shell the first request with an empty piece: what it takes is not there for the pieces */
  constructor(whole: Uint8Array, shell: Apdu, room: Room) {
    const left = room.plain - encodeApdu(shell).length;
    // From 128 bytes on, the length of a piece takes two bytes more than that of none.
    const size = left < 0x80 ? left : left - 2;
    if (size < 1)
      throw new MisuseError(`a server that takes ${room.plain} bytes leaves no room for a block of ${shell.type}`);
    this.#whole = whole;
    this.#size = size;
  }

  get last(): boolean {
    return this.#at >= this.#whole.length;
  }

  next(): { readonly lastBlock: boolean; readonly blockNumber: number; readonly raw: Uint8Array } {
    const raw = this.#whole.subarray(this.#at, this.#at + this.#size);
    this.#at += raw.length;
    this.number++;
    return { lastBlock: this.last, blockNumber: this.number, raw };
  }
}

/** Values as a list is encoded: their number, then each. */
export function encodedList(values: readonly Uint8Array[]): Uint8Array {
  const count = values.length;
  const head = count < 0x80 ? [count] : count < 0x100 ? [0x81, count] : [0x82, count >>> 8, count & 0xff];
  const whole = new Uint8Array(values.reduce((n, v) => n + v.length, head.length));
  whole.set(head);
  let at = head.length;
  for (const value of values) {
    whole.set(value, at);
    at += value.length;
  }
  return whole;
}
