/**
 * GET (IEC 62056-5-3 clause 6.6 and 7.3.3): one attribute or a list of them, with the answer whole or in blocks.
 *
 * Decides: block n is confirmed by asking for the next with n. An error inside a block ends the transfer as its result.
 */
import { DecodeError } from '@amiable/bytes';
import { decodeApdu } from '../apdu/codec.ts';
import { APDU } from '../apdu/tags.ts';
import type { Apdu, AttributeDescriptor, DataResult, GetResponseWithDatablock } from '../apdu/types.ts';
import { attributeName } from './failure.ts';
import { checkInvoke, Incoming, isAnswer, type Operation, type Turn } from './operation.ts';
import type { ClientLimits } from './types.ts';

export class GetOperation implements Operation {
  readonly name = 'get';
  readonly #attribute: AttributeDescriptor;
  readonly #invoke: number;
  readonly #limits: ClientLimits;
  #blocks: Incoming | undefined;

  constructor(attribute: AttributeDescriptor, invoke: number, limits: ClientLimits) {
    this.#attribute = attribute;
    this.#invoke = invoke;
    this.#limits = limits;
  }

  title(): string {
    return `GET ${attributeName(this.#attribute)}`;
  }

  expecting(): string {
    return expectingOf('get-response-normal or get-response-with-datablock', this.#blocks, this.#invoke);
  }

  first(): Apdu {
    return { type: 'get-request-normal', invoke: this.#invoke, attribute: this.#attribute };
  }

  owns(answer: Uint8Array): boolean {
    return isAnswer(answer, APDU.getResponse, this.#invoke);
  }

  take(apdu: Apdu): Turn {
    if (apdu.type === 'get-response-normal' && !this.#blocks) {
      const wrong = checkInvoke(this.#invoke, apdu.invoke);
      return wrong ? { wrong } : { done: { ok: true, operation: 'get', result: apdu.result } };
    }
    if (apdu.type !== 'get-response-with-datablock') return { wrong: `it is ${apdu.type}` };
    this.#blocks ??= new Incoming(this.#limits);
    const turn = takeBlock(apdu, this.#blocks, this.#invoke);
    if (turn === 'last') return { done: { ok: true, operation: 'get', result: { data: this.#blocks.join() } } };
    if ('error' in turn) return { done: { ok: true, operation: 'get', result: turn } };
    return turn;
  }

  partial(): Uint8Array | undefined {
    return this.#blocks && this.#blocks.bytes > 0 ? this.#blocks.join() : undefined;
  }
}

export class GetListOperation implements Operation {
  readonly name = 'get-list';
  readonly #attributes: readonly AttributeDescriptor[];
  readonly #invoke: number;
  readonly #limits: ClientLimits;
  #blocks: Incoming | undefined;

  constructor(attributes: readonly AttributeDescriptor[], invoke: number, limits: ClientLimits) {
    this.#attributes = attributes;
    this.#invoke = invoke;
    this.#limits = limits;
  }

  title(): string {
    return `GET of ${this.#attributes.length} attributes`;
  }

  expecting(): string {
    return expectingOf('get-response-with-list or get-response-with-datablock', this.#blocks, this.#invoke);
  }

  first(): Apdu {
    return { type: 'get-request-with-list', invoke: this.#invoke, attributes: this.#attributes };
  }

  owns(answer: Uint8Array): boolean {
    return isAnswer(answer, APDU.getResponse, this.#invoke);
  }

  take(apdu: Apdu): Turn {
    if (apdu.type === 'get-response-with-list' && !this.#blocks) {
      const wrong = checkInvoke(this.#invoke, apdu.invoke);
      return wrong ? { wrong } : this.#results(apdu.results);
    }
    if (apdu.type !== 'get-response-with-datablock') return { wrong: `it is ${apdu.type}` };
    this.#blocks ??= new Incoming(this.#limits);
    const turn = takeBlock(apdu, this.#blocks, this.#invoke);
    if (turn === 'last') return this.#joined(this.#blocks);
    if ('error' in turn) return this.#results(this.#attributes.map(() => turn));
    return turn;
  }

  /** The blocks together are the list as the undivided answer has it. */
  #joined(blocks: Incoming): Turn {
    try {
      const whole = decodeApdu(blocks.join([APDU.getResponse, 3, this.#invoke]));
      if (whole.type === 'get-response-with-list') return this.#results(whole.results);
      return { wrong: 'its blocks together are no list' };
    } catch (error) {
      if (error instanceof DecodeError)
        return { wrong: `its blocks together are no list of results: ${error.message}` };
      throw error;
    }
  }

  #results(results: readonly DataResult[]): Turn {
    const wanted = this.#attributes.length;
    if (results.length !== wanted) return { wrong: `it has ${results.length} results for ${wanted} attributes` };
    return { done: { ok: true, operation: 'get-list', results } };
  }
}

function expectingOf(whole: string, blocks: Incoming | undefined, invoke: number): string {
  const id = `with invoke id ${invoke & 0x0f}`;
  return blocks ? `get-response-with-datablock, block ${blocks.due}, ${id}` : `${whole} ${id}`;
}

function takeBlock(
  apdu: GetResponseWithDatablock,
  blocks: Incoming,
  invoke: number,
): { wrong: string } | { next: Apdu } | { error: number } | 'last' {
  const wrong = checkInvoke(invoke, apdu.invoke);
  if (wrong) return { wrong };
  if ('error' in apdu.result) return { error: apdu.result.error };
  const refused = blocks.add(apdu.blockNumber, apdu.result.raw);
  if (refused) return { wrong: refused };
  if (apdu.lastBlock) return 'last';
  if (apdu.result.raw.length === 0) return { wrong: `block ${apdu.blockNumber} is empty and not the last` };
  return { next: { type: 'get-request-next', invoke, blockNumber: apdu.blockNumber } };
}
