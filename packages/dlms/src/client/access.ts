/**
 * ACCESS (IEC 62056-5-3 clause 6.9): several gets, sets and actions in one request. It has no blocks of its own: what is too
 * long goes by general block transfer.
 *
 * Decides: the answer must have one value and one result for each specification; where the server broke off at an error
 * (as it was asked to) it may have fewer.
 */
import { APDU } from '../apdu/tags.ts';
import type { AccessSpecification, Apdu, EncodedData } from '../apdu/types.ts';
import type { Operation, Turn } from './operation.ts';

/** Bits of Long-Invoke-Id-And-Priority. */
export const LONG_INVOKE = {
  id: 0xffffff,
  selfDescriptive: 0x1000_0000,
  breakOnError: 0x2000_0000,
  confirmed: 0x4000_0000,
  highPriority: 0x8000_0000,
} as const;

export class AccessOperation implements Operation {
  readonly name = 'access';
  readonly #request: Extract<Apdu, { type: 'access-request' }>;

  constructor(
    specifications: readonly AccessSpecification[],
    data: readonly EncodedData[],
    longInvoke: number,
    dateTime: Uint8Array,
  ) {
    this.#request = { type: 'access-request', longInvoke, dateTime, specifications, data };
  }

  title(): string {
    return `ACCESS of ${this.#request.specifications.length} parts`;
  }

  expecting(): string {
    return `access-response with long invoke id ${this.#request.longInvoke & LONG_INVOKE.id}`;
  }

  first(): Apdu {
    return this.#request;
  }

  owns(answer: Uint8Array): boolean {
    const id = ((answer[2] ?? 0) << 16) | ((answer[3] ?? 0) << 8) | (answer[4] ?? 0);
    return answer[0] === APDU.accessResponse && id === (this.#request.longInvoke & LONG_INVOKE.id);
  }

  take(apdu: Apdu): Turn {
    if (apdu.type !== 'access-response') return { wrong: `it is ${apdu.type}` };
    const id = this.#request.longInvoke & LONG_INVOKE.id;
    const came = apdu.longInvoke & LONG_INVOKE.id;
    if (came !== id) return { wrong: `the long invoke id is ${came}, not ${id}` };
    const { specifications } = this.#request;
    const { data, results } = apdu;
    if (results.length !== data.length) return { wrong: `it has ${results.length} results and ${data.length} values` };
    const broke = (this.#request.longInvoke & LONG_INVOKE.breakOnError) !== 0 && results.some((r) => r.result !== 0);
    if (broke ? results.length > specifications.length : results.length !== specifications.length)
      return { wrong: `it has ${results.length} results for ${specifications.length} parts` };
    for (const [i, result] of results.entries()) {
      const kind = specifications[i]?.kind.slice(0, 3);
      if (result.kind.slice(0, 3) !== kind) return { wrong: `result ${i + 1} is one of ${result.kind}` };
    }
    return { done: { ok: true, operation: 'access', response: apdu } };
  }
}
