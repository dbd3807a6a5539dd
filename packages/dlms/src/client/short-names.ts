/**
 * Read, Write and UnconfirmedWrite (IEC 62056-5-3 clause 6.13 to 6.16 and 7.3.6 to 7.3.9): variables by short names, whole or
 * in blocks both ways.
 *
 * Decides: what goes in blocks is the request without its tag; what comes in blocks is, joined, the answer without its
 * tag; where there is one variable, its value alone is taken too. These services have no invoke ids: only type, order and
 * number of results tell an answer from another.
 */
import { DecodeError } from '@amiable/bytes';
import { decodeApdu, encodeApdu } from '../apdu/codec.ts';
import { APDU } from '../apdu/tags.ts';
import type { Apdu, DataResult, EncodedData, ReadResult, VariableAccess } from '../apdu/types.ts';
import { endOfData } from '../skip.ts';
import { octetString } from './octet-string.ts';
import { Incoming, mustCut, type Operation, Outgoing, type Room, type Turn } from './operation.ts';
import type { ClientLimits, VariableResult } from './types.ts';

/** Of the data in blocks that come without their list of results. */
const DEPTH = 32;
const EMPTY = { lastBlock: false, blockNumber: 1, raw: new Uint8Array(0) } as const;

const nameOf = (v: VariableAccess | undefined): string =>
  v && 'name' in v ? v.name.toString(16).toUpperCase().padStart(4, '0') : '';
const titleOf = (service: string, variables: readonly VariableAccess[]): string =>
  variables.length === 1 ? `${service} of ${nameOf(variables[0])}` : `${service} of ${variables.length} variables`;

export class ReadOperation implements Operation {
  readonly name = 'read';
  readonly #variables: readonly VariableAccess[];
  readonly #limits: ClientLimits;
  #out: Outgoing | undefined;
  #in: Incoming | undefined;

  constructor(variables: readonly VariableAccess[], limits: ClientLimits) {
    this.#variables = variables;
    this.#limits = limits;
  }

  title(): string {
    return titleOf('Read', this.#variables);
  }

  expecting(): string {
    if (this.#in) return `read-response with block ${this.#in.due}`;
    if (this.#out && !this.#out.last) return `read-response that confirms block ${this.#out.number}`;
    return `read-response with ${this.#variables.length} results`;
  }

  first(room: Room): Apdu {
    const request = { type: 'read-request', variables: this.#variables } as const;
    const encoded = encodeApdu(request);
    if (!mustCut(encoded.length, room, 'Read')) return request;
    this.#out = new Outgoing(encoded.subarray(1), readBlock(EMPTY), room);
    return readBlock(this.#out.next());
  }

  owns(answer: Uint8Array): boolean {
    return answer[0] === APDU.readResponse;
  }

  take(apdu: Apdu): Turn {
    if (apdu.type !== 'read-response') return { wrong: `it is ${apdu.type}` };
    const [only] = apdu.results;
    if (only && apdu.results.length === 1 && 'block' in only) return this.#block(only.block);
    if (this.#in) return { wrong: 'it is a read-response without a block' };
    if (this.#out && !this.#out.last) return this.#confirmed(this.#out, apdu.results);
    return this.#results(apdu.results);
  }

  #confirmed(out: Outgoing, results: readonly ReadResult[]): Turn {
    const [only] = results;
    if (only && 'error' in only) return this.#results(this.#variables.map(() => only));
    if (!only || !('blockNumber' in only))
      return { wrong: `block ${out.number} is not confirmed, and more are to be sent` };
    if (only.blockNumber !== out.number)
      return { wrong: `it confirms block ${only.blockNumber}, not block ${out.number}` };
    return { next: readBlock(out.next()) };
  }

  #block(block: { readonly lastBlock: boolean; readonly blockNumber: number; readonly raw: Uint8Array }): Turn {
    if (this.#out && !this.#out.last) return { wrong: 'it answers before all blocks of the request are sent' };
    this.#in ??= new Incoming(this.#limits);
    const refused = this.#in.add(block.blockNumber, block.raw);
    if (refused) return { wrong: refused };
    if (!block.lastBlock) {
      if (block.raw.length === 0) return { wrong: `block ${block.blockNumber} is empty and not the last` };
      const variables = [{ kind: 'block-number-access', blockNumber: block.blockNumber }] as const;
      return { next: { type: 'read-request', variables } };
    }
    return this.#joined(this.#in);
  }

  #joined(blocks: Incoming): Turn {
    const list = listOf(blocks);
    if (this.#variables.length === 1) {
      const [only] = list instanceof Error ? [] : list;
      const fits = only && !(list instanceof Error) && list.length === 1 && ('data' in only || 'error' in only);
      const data = blocks.join();
      if (!fits && isOneValue(data)) return this.#results([{ data }]);
    }
    if (list instanceof Error) return { wrong: `its blocks together are no list of results: ${list.message}` };
    return this.#results(list);
  }

  #results(results: readonly ReadResult[]): Turn {
    const wanted = this.#variables.length;
    if (results.length !== wanted) return { wrong: `it has ${results.length} results for ${wanted} variables` };
    const plain: DataResult[] = [];
    for (const result of results) {
      if ('data' in result || 'error' in result) plain.push(result);
      else return { wrong: 'a block stands among its results' };
    }
    return { done: { ok: true, operation: 'read', results: plain } };
  }

  /** Of one variable: the list's count and the choice before the data are left out, where they are there. */
  partial(): Uint8Array | undefined {
    if (!this.#in || this.#variables.length !== 1) return undefined;
    const joined = this.#in.join();
    if (joined.length < 3) return undefined;
    return joined[0] === 1 && joined[1] === 0 ? joined.subarray(2) : joined;
  }
}

/** The results that blocks are together, as the undivided answer has them. */
function listOf(blocks: Incoming): readonly ReadResult[] | DecodeError {
  try {
    const whole = decodeApdu(blocks.join([APDU.readResponse]));
    return whole.type === 'read-response' ? whole.results : [];
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/** Gurux servers put the value itself into the blocks, without the list of results around it. */
function isOneValue(bytes: Uint8Array): boolean {
  try {
    return endOfData(bytes, 0, bytes.length, DEPTH) === bytes.length;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

const readBlock = (block: ReturnType<Outgoing['next']>): Apdu => ({
  type: 'read-request',
  variables: [{ kind: 'read-data-block-access', ...block }],
});

export class WriteOperation implements Operation {
  readonly name = 'write';
  readonly #variables: readonly VariableAccess[];
  readonly #values: readonly EncodedData[];
  #out: Outgoing | undefined;

  constructor(variables: readonly VariableAccess[], values: readonly EncodedData[]) {
    this.#variables = variables;
    this.#values = values;
  }

  title(): string {
    return titleOf('Write', this.#variables);
  }

  expecting(): string {
    if (this.#out && !this.#out.last) return `write-response that confirms block ${this.#out.number}`;
    return `write-response with ${this.#variables.length} results`;
  }

  first(room: Room): Apdu {
    const request = { type: 'write-request', variables: this.#variables, values: this.#values } as const;
    const encoded = encodeApdu(request);
    if (!mustCut(encoded.length, room, 'Write')) return request;
    this.#out = new Outgoing(encoded.subarray(1), writeBlock(EMPTY), room);
    return writeBlock(this.#out.next());
  }

  owns(answer: Uint8Array): boolean {
    return answer[0] === APDU.writeResponse;
  }

  take(apdu: Apdu): Turn {
    if (apdu.type !== 'write-response') return { wrong: `it is ${apdu.type}` };
    const [only] = apdu.results;
    const out = this.#out;
    if (out && !out.last) {
      if (only && 'error' in only) return this.#results(this.#variables.map(() => only));
      if (!only || !('blockNumber' in only))
        return { wrong: `block ${out.number} is not confirmed, and more are to be sent` };
      if (only.blockNumber !== out.number)
        return { wrong: `it confirms block ${only.blockNumber}, not block ${out.number}` };
      return { next: writeBlock(out.next()) };
    }
    const plain: VariableResult[] = [];
    for (const result of apdu.results) {
      if ('success' in result || 'error' in result) plain.push(result);
      else return { wrong: 'a block number stands among its results' };
    }
    return this.#results(plain);
  }

  #results(results: readonly VariableResult[]): Turn {
    const wanted = this.#variables.length;
    if (results.length !== wanted) return { wrong: `it has ${results.length} results for ${wanted} variables` };
    return { done: { ok: true, operation: 'write', results } };
  }
}

/** The piece travels as the one value, an octet-string. */
function writeBlock({ lastBlock, blockNumber, raw }: ReturnType<Outgoing['next']>): Apdu {
  return {
    type: 'write-request',
    variables: [{ kind: 'write-data-block-access', lastBlock, blockNumber }],
    values: [octetString(raw)],
  };
}
