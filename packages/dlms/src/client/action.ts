/**
 * ACTION (IEC 62056-5-3 clause 6.8 and 7.3.5): one method or a list of them, parameters and what is returned whole or in
 * blocks.
 *
 * Decides: parameters in blocks are the encoded parameters (of a list: with their number before them); an answer in
 * blocks is, joined, what the undivided answer has after its invoke id.
 */
import { DecodeError } from '@amiable/bytes';
import { decodeApdu, encodeApdu } from '../apdu/codec.ts';
import { APDU } from '../apdu/tags.ts';
import type { ActionResult, Apdu, EncodedData, MethodDescriptor } from '../apdu/types.ts';
import { methodName } from './failure.ts';
import {
  checkInvoke,
  encodedList,
  Incoming,
  isAnswer,
  mustCut,
  type Operation,
  Outgoing,
  type Room,
  type Turn,
} from './operation.ts';
import type { ClientLimits } from './types.ts';

const EMPTY = { lastBlock: false, blockNumber: 1, raw: new Uint8Array(0) } as const;

abstract class Invocation implements Operation {
  abstract readonly name: 'action' | 'action-list';
  protected abstract readonly answer: 'action-response-normal' | 'action-response-with-list';
  protected readonly invoke: number;
  readonly #limits: ClientLimits;
  #out: Outgoing | undefined;
  #in: Incoming | undefined;

  constructor(invoke: number, limits: ClientLimits) {
    this.invoke = invoke;
    this.#limits = limits;
  }

  abstract title(): string;
  abstract first(room: Room): Apdu;
  protected abstract finish(apdu: Apdu): Turn;

  protected cut(whole: Uint8Array, shell: Apdu, room: Room): ReturnType<Outgoing['next']> {
    this.#out = new Outgoing(whole, shell, room);
    return this.#out.next();
  }

  expecting(): string {
    const id = `with invoke id ${this.invoke & 0x0f}`;
    if (this.#in) return `action-response-with-pblock, block ${this.#in.due}, ${id}`;
    if (this.#out && !this.#out.last) return `action-response-next-pblock, block ${this.#out.number}, ${id}`;
    return `${this.answer} or action-response-with-pblock ${id}`;
  }

  owns(answer: Uint8Array): boolean {
    return isAnswer(answer, APDU.actionResponse, this.invoke);
  }

  take(apdu: Apdu): Turn {
    switch (apdu.type) {
      case 'action-response-normal':
      case 'action-response-with-list': {
        if (this.#in) break;
        const wrong = checkInvoke(this.invoke, apdu.invoke);
        if (wrong) return { wrong };
        // A server may refuse before it has all blocks; it cannot have done anything.
        if (this.#out && !this.#out.last && !refuses(apdu))
          return { wrong: `it says success after block ${this.#out.number}, and more are to be sent` };
        return this.finish(apdu);
      }
      case 'action-response-next-pblock': {
        const out = this.#out;
        if (!out || this.#in) break;
        const wrong = checkInvoke(this.invoke, apdu.invoke);
        if (wrong) return { wrong };
        if (apdu.blockNumber !== out.number)
          return { wrong: `it confirms block ${apdu.blockNumber}, not block ${out.number}` };
        if (out.last) return { wrong: `it asks for more after the last block, ${out.number}` };
        return { next: { type: 'action-request-with-pblock', invoke: this.invoke, ...out.next() } };
      }
      case 'action-response-with-pblock': {
        if (this.#out && !this.#out.last) break;
        const wrong = checkInvoke(this.invoke, apdu.invoke);
        if (wrong) return { wrong };
        this.#in ??= new Incoming(this.#limits);
        const refused = this.#in.add(apdu.blockNumber, apdu.raw);
        if (refused) return { wrong: refused };
        if (apdu.lastBlock) return this.#joined(this.#in);
        if (apdu.raw.length === 0) return { wrong: `block ${apdu.blockNumber} is empty and not the last` };
        return { next: { type: 'action-request-next-pblock', invoke: this.invoke, blockNumber: apdu.blockNumber } };
      }
    }
    return { wrong: `it is ${apdu.type}` };
  }

  #joined(blocks: Incoming): Turn {
    const choice = this.answer === 'action-response-normal' ? 1 : 3;
    try {
      return this.finish(decodeApdu(blocks.join([APDU.actionResponse, choice, this.invoke])));
    } catch (error) {
      if (error instanceof DecodeError) return { wrong: `its blocks together are no result: ${error.message}` };
      throw error;
    }
  }
}

function refuses(apdu: Apdu): boolean {
  if (apdu.type === 'action-response-normal') return apdu.result.result !== 0;
  return apdu.type === 'action-response-with-list' && apdu.results.every((r) => r.result !== 0);
}

export class ActionOperation extends Invocation {
  readonly name = 'action';
  protected readonly answer = 'action-response-normal';
  readonly #method: MethodDescriptor;
  readonly #parameters: EncodedData | undefined;

  constructor(method: MethodDescriptor, parameters: EncodedData | undefined, invoke: number, limits: ClientLimits) {
    super(invoke, limits);
    this.#method = method;
    this.#parameters = parameters;
  }

  title(): string {
    return `ACTION ${methodName(this.#method)}`;
  }

  first(room: Room): Apdu {
    const { invoke } = this;
    const method = this.#method;
    const parameters = this.#parameters;
    if (!parameters) return { type: 'action-request-normal', invoke, method };
    const request = { type: 'action-request-normal', invoke, method, parameters } as const;
    if (parameters.length < room.plain - 32 || !mustCut(encodeApdu(request).length, room, 'ACTION')) return request;
    const shell = { type: 'action-request-with-first-pblock', invoke, method, ...EMPTY } as const;
    return { ...shell, ...this.cut(parameters, shell, room) };
  }

  protected finish(apdu: Apdu): Turn {
    if (apdu.type !== 'action-response-normal') return { wrong: `it is ${apdu.type}` };
    return { done: { ok: true, operation: 'action', result: apdu.result } };
  }
}

export class ActionListOperation extends Invocation {
  readonly name = 'action-list';
  protected readonly answer = 'action-response-with-list';
  readonly #methods: readonly MethodDescriptor[];
  readonly #parameters: readonly EncodedData[];

  constructor(
    methods: readonly MethodDescriptor[],
    parameters: readonly EncodedData[],
    invoke: number,
    limits: ClientLimits,
  ) {
    super(invoke, limits);
    this.#methods = methods;
    this.#parameters = parameters;
  }

  title(): string {
    return `ACTION of ${this.#methods.length} methods`;
  }

  first(room: Room): Apdu {
    const { invoke } = this;
    const methods = this.#methods;
    const request = { type: 'action-request-with-list', invoke, methods, parameters: this.#parameters } as const;
    if (!mustCut(encodeApdu(request).length, room, 'ACTION')) return request;
    const shell = { type: 'action-request-with-list-and-first-pblock', invoke, methods, ...EMPTY } as const;
    return { ...shell, ...this.cut(encodedList(this.#parameters), shell, room) };
  }

  protected finish(apdu: Apdu): Turn {
    if (apdu.type !== 'action-response-with-list') return { wrong: `it is ${apdu.type}` };
    const results: readonly ActionResult[] = apdu.results;
    const wanted = this.#methods.length;
    if (results.length !== wanted) return { wrong: `it has ${results.length} results for ${wanted} methods` };
    return { done: { ok: true, operation: 'action-list', results } };
  }
}
