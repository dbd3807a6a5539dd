/**
 * SET (IEC 62056-5-3 clause 6.7 and 7.3.4): one attribute or a list of them, with the value whole or in blocks.
 *
 * Decides: a value that does not fit goes in blocks, each confirmed by its number. A server that gives up half-way says
 * so with a result in the last answer; it is the result.
 */
import { encodeApdu } from '../apdu/codec.ts';
import { APDU } from '../apdu/tags.ts';
import type { Apdu, AttributeDescriptor, EncodedData } from '../apdu/types.ts';
import { attributeName } from './failure.ts';
import {
  checkInvoke,
  encodedList,
  isAnswer,
  mustCut,
  type Operation,
  Outgoing,
  type Room,
  type Turn,
} from './operation.ts';

const EMPTY = { lastBlock: false, blockNumber: 1, raw: new Uint8Array(0) } as const;

export class SetOperation implements Operation {
  readonly name = 'set';
  readonly #attribute: AttributeDescriptor;
  readonly #value: EncodedData;
  readonly #invoke: number;
  #blocks: Outgoing | undefined;

  constructor(attribute: AttributeDescriptor, value: EncodedData, invoke: number) {
    this.#attribute = attribute;
    this.#value = value;
    this.#invoke = invoke;
  }

  title(): string {
    return `SET ${attributeName(this.#attribute)}`;
  }

  expecting(): string {
    return expectingOf('set-response-normal', 'set-response-last-datablock', this.#blocks, this.#invoke);
  }

  first(room: Room): Apdu {
    const invoke = this.#invoke;
    const attribute = this.#attribute;
    const request = { type: 'set-request-normal', invoke, attribute, value: this.#value } as const;
    if (this.#value.length < room.plain - 64 || !mustCut(encodeApdu(request).length, room, 'SET')) return request;
    const shell = { type: 'set-request-with-first-datablock', invoke, attribute, ...EMPTY } as const;
    this.#blocks = new Outgoing(this.#value, shell, room);
    return { ...shell, ...this.#blocks.next() };
  }

  owns(answer: Uint8Array): boolean {
    return isAnswer(answer, APDU.setResponse, this.#invoke);
  }

  take(apdu: Apdu): Turn {
    if (!this.#blocks) {
      if (apdu.type !== 'set-response-normal') return { wrong: `it is ${apdu.type}` };
      const wrong = checkInvoke(this.#invoke, apdu.invoke);
      return wrong ? { wrong } : { done: { ok: true, operation: 'set', result: apdu.result } };
    }
    if (apdu.type === 'set-response-last-datablock') {
      const wrong = checkInvoke(this.#invoke, apdu.invoke) ?? checkLast(this.#blocks, apdu.blockNumber, apdu.result);
      return wrong ? { wrong } : { done: { ok: true, operation: 'set', result: apdu.result } };
    }
    return confirmed(apdu, this.#blocks, this.#invoke);
  }
}

export class SetListOperation implements Operation {
  readonly name = 'set-list';
  readonly #attributes: readonly AttributeDescriptor[];
  readonly #values: readonly EncodedData[];
  readonly #invoke: number;
  #blocks: Outgoing | undefined;

  constructor(attributes: readonly AttributeDescriptor[], values: readonly EncodedData[], invoke: number) {
    this.#attributes = attributes;
    this.#values = values;
    this.#invoke = invoke;
  }

  title(): string {
    return `SET of ${this.#attributes.length} attributes`;
  }

  expecting(): string {
    const last = 'set-response-last-datablock-with-list';
    return expectingOf('set-response-with-list', last, this.#blocks, this.#invoke);
  }

  first(room: Room): Apdu {
    const invoke = this.#invoke;
    const attributes = this.#attributes;
    const request = { type: 'set-request-with-list', invoke, attributes, values: this.#values } as const;
    if (!mustCut(encodeApdu(request).length, room, 'SET')) return request;
    const shell = { type: 'set-request-with-list-and-first-datablock', invoke, attributes, ...EMPTY } as const;
    this.#blocks = new Outgoing(encodedList(this.#values), shell, room);
    return { ...shell, ...this.#blocks.next() };
  }

  owns(answer: Uint8Array): boolean {
    return isAnswer(answer, APDU.setResponse, this.#invoke);
  }

  take(apdu: Apdu): Turn {
    if (!this.#blocks) {
      if (apdu.type !== 'set-response-with-list') return { wrong: `it is ${apdu.type}` };
      const wrong = checkInvoke(this.#invoke, apdu.invoke);
      return wrong ? { wrong } : this.#results(apdu.results);
    }
    if (apdu.type === 'set-response-last-datablock-with-list') {
      const failed = apdu.results.find((result) => result !== 0) ?? 0;
      const wrong = checkInvoke(this.#invoke, apdu.invoke) ?? checkLast(this.#blocks, apdu.blockNumber, failed);
      return wrong ? { wrong } : this.#results(apdu.results);
    }
    // Giving up half-way, a server may say so once for all.
    if (apdu.type === 'set-response-last-datablock' && apdu.result !== 0) {
      const wrong = checkInvoke(this.#invoke, apdu.invoke);
      return wrong ? { wrong } : this.#results(this.#attributes.map(() => apdu.result));
    }
    return confirmed(apdu, this.#blocks, this.#invoke);
  }

  #results(results: readonly number[]): Turn {
    const wanted = this.#attributes.length;
    if (results.length !== wanted) return { wrong: `it has ${results.length} results for ${wanted} attributes` };
    return { done: { ok: true, operation: 'set-list', results } };
  }
}

function expectingOf(whole: string, last: string, blocks: Outgoing | undefined, invoke: number): string {
  const id = `with invoke id ${invoke & 0x0f}`;
  if (!blocks) return `${whole} ${id}`;
  return `${blocks.last ? last : 'set-response-datablock'}, block ${blocks.number}, ${id}`;
}

/** A success before the last block was sent, or for another block, is none. */
function checkLast(blocks: Outgoing, blockNumber: number, result: number): string | undefined {
  if (result !== 0) return undefined;
  if (!blocks.last) return `it ends with block ${blockNumber}, and more are to be sent`;
  return blockNumber === blocks.number ? undefined : `it confirms block ${blockNumber}, not block ${blocks.number}`;
}

function confirmed(apdu: Apdu, blocks: Outgoing, invoke: number): Turn {
  if (apdu.type !== 'set-response-datablock') return { wrong: `it is ${apdu.type}` };
  const wrong = checkInvoke(invoke, apdu.invoke);
  if (wrong) return { wrong };
  if (apdu.blockNumber !== blocks.number)
    return { wrong: `it confirms block ${apdu.blockNumber}, not block ${blocks.number}` };
  if (blocks.last) return { wrong: `it asks for more after the last block, ${blocks.number}` };
  return { next: { type: 'set-request-with-datablock', invoke, ...blocks.next() } };
}
