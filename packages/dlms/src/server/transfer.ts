/**
 * Block transfer of GET, SET, ACTION, Read and Write in the server (IEC 62056-5-3 clause 6.4 to 6.10; state machines
 * of clause 7.3): answers cut into pieces that fit the client's PDU size, requests joined from theirs.
 *
 * Decides: a block that is not the next one ends the transfer and says so; a block of another invoke id is refused and
 * leaves the transfer as it is. Leaves out: general block transfer (../general-block.ts).
 */
import type { DataResult } from '../apdu/types.ts';
import { DATA } from './codes.ts';
import type { AssociationState, Incoming, Outgoing } from './state.ts';

/** Tag, choice, invoke id, last-block, block-number, choice of result, length of three bytes. */
const GET_BLOCK = 12;
const ACTION_BLOCK = 11;
/** Tag, one result, choice, last-block, block-number of two bytes, length. */
const READ_BLOCK = 9;
const SN_BLOCKS = 0xffff;

/** Writes a length at `at`, which has three bytes' room. @returns the offset behind it */
export function putLength(out: Uint8Array, at: number, length: number): number {
  if (length < 0x80) {
    out[at] = length;
    return at + 1;
  }
  if (length < 0x100) {
    out[at] = 0x81;
    out[at + 1] = length;
    return at + 2;
  }
  out[at] = 0x82;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  return at + 3;
}

/**
 * SEQUENCE OF Get-Data-Result, in ReadResponse too, behind `ahead` bytes left free. `length` is that of the elements: 1 + data,
 * or 2.
 */
export function encodeResults(results: readonly DataResult[], length: number, ahead = 0): Uint8Array {
  const out = new Uint8Array(ahead + length + 3);
  let at = putLength(out, ahead, results.length);
  for (const result of results) {
    if ('data' in result) {
      out[at++] = 0;
      out.set(result.data, at);
      at += result.data.length;
    } else {
      out[at++] = 1;
      out[at++] = result.error;
    }
  }
  return out.subarray(0, at);
}

/** Begins an answer in blocks and gives the first. */
export function startBlocks<M>(
  state: AssociationState<M>,
  kind: Outgoing['kind'],
  invoke: number,
  bytes: Uint8Array,
): Uint8Array {
  state.outgoing = { kind, invoke: invoke & 0x0f, bytes, offset: 0, block: 0 };
  return nextBlock(state, invoke);
}

/** The next block of the answer under way. */
export function nextBlock<M>(state: AssociationState<M>, invoke: number): Uint8Array {
  const going = state.outgoing as Outgoing;
  const head = going.kind === 'get' ? GET_BLOCK : going.kind === 'action' ? ACTION_BLOCK : READ_BLOCK;
  const size = Math.max(1, state.room - head);
  const end = Math.min(going.offset + size, going.bytes.length);
  const last = end === going.bytes.length;
  going.block++;
  const out = new Uint8Array(head + (end - going.offset));
  let at: number;
  if (going.kind === 'read') {
    out[0] = 0x0c;
    out[1] = 1;
    out[2] = 2;
    out[3] = last ? 1 : 0;
    out[4] = going.block >>> 8;
    out[5] = going.block;
    at = 6;
  } else {
    out[0] = going.kind === 'get' ? 0xc4 : 0xc7;
    out[1] = 2;
    out[2] = invoke;
    at = putBlockNumber(out, 3, last, going.block);
    // Choice: raw-data.
    if (going.kind === 'get') out[at++] = 0;
  }
  at = putLength(out, at, end - going.offset);
  out.set(going.bytes.subarray(going.offset, end), at);
  at += end - going.offset;
  going.offset = end;
  if (last) state.outgoing = undefined;
  return at === out.length ? out : out.subarray(0, at);
}

/** last-block and a block number of 32 bits. @returns the offset behind them */
export function putBlockNumber(out: Uint8Array, at: number, last: boolean, block: number): number {
  out[at] = last ? 1 : 0;
  out[at + 1] = block >>> 24;
  out[at + 2] = block >>> 16;
  out[at + 3] = block >>> 8;
  out[at + 4] = block;
  return at + 5;
}

/** Whether a read answer of so many bytes has block numbers enough. */
export function readFits<M>(state: AssociationState<M>, length: number): boolean {
  return Math.ceil(length / Math.max(1, state.room - READ_BLOCK)) <= SN_BLOCKS;
}

/**
 * Whether the client asked for the block after the one sent last.
 * @returns 0, or the Data-Access-Result to refuse with
 */
export function mayContinue<M>(
  state: AssociationState<M>,
  kind: Outgoing['kind'],
  invoke: number,
  blockNumber: number,
): number {
  const going = state.outgoing;
  if (!going || going.kind !== kind || going.invoke !== (invoke & 0x0f)) return DATA.noLongGetInProgress;
  if (blockNumber === going.block) return 0;
  state.outgoing = undefined;
  return DATA.dataBlockNumberInvalid;
}

/** Takes the first block of a request. @returns 0, or the Data-Access-Result to refuse with */
export function startIncoming<M>(
  state: AssociationState<M>,
  incoming: Omit<Incoming, 'buffer' | 'length' | 'block'>,
  blockNumber: number,
  raw: Uint8Array,
): number {
  state.incoming = undefined;
  if (blockNumber !== 1) return DATA.dataBlockNumberInvalid;
  if (raw.length > state.limits.request) return DATA.longSetAborted;
  // Copied: the request is a view of a buffer that will be overwritten.
  state.incoming = { ...incoming, buffer: raw.slice(), length: raw.length, block: 1 };
  return 0;
}

/** Takes a further block. @returns 0, or the Data-Access-Result to refuse with */
export function continueIncoming<M>(
  state: AssociationState<M>,
  kind: Incoming['kind'],
  invoke: number,
  blockNumber: number,
  raw: Uint8Array,
): number {
  const coming = state.incoming;
  if (!coming || coming.kind !== kind || coming.invoke !== (invoke & 0x0f)) return DATA.noLongSetInProgress;
  if (blockNumber !== coming.block + 1) {
    state.incoming = undefined;
    return DATA.dataBlockNumberInvalid;
  }
  const needed = coming.length + raw.length;
  if (needed > state.limits.request) {
    state.incoming = undefined;
    return DATA.longSetAborted;
  }
  if (needed > coming.buffer.length) {
    const grown = new Uint8Array(Math.min(Math.max(needed, coming.buffer.length * 2), state.limits.request));
    grown.set(coming.buffer.subarray(0, coming.length));
    coming.buffer = grown;
  }
  coming.buffer.set(raw, coming.length);
  coming.length = needed;
  coming.block = blockNumber;
  return 0;
}

/** What the blocks made together. */
export function finishIncoming<M>(state: AssociationState<M>): Incoming & { readonly whole: Uint8Array } {
  const coming = state.incoming as Incoming;
  state.incoming = undefined;
  return { ...coming, whole: coming.buffer.subarray(0, coming.length) };
}
