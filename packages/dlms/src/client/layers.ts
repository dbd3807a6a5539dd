/**
 * What an APDU of the client passes on its way out and in: protection, general block transfer, the trace (IEC 62056-5-3
 * clauses 5.3 and 6.5).
 *
 * Decides: an APDU is protected first and then cut, joined first and then opened. What is longer than the server takes goes
 * by general block transfer if that was negotiated, else it is a misuse.
 */
import { DecodeError, MisuseError } from '@amiable/bytes';
import { decodeApdu, encodeApdu } from '../apdu/codec.ts';
import { APDU } from '../apdu/tags.ts';
import type { Apdu, GeneralBlockTransfer } from '../apdu/types.ts';
import { type BlockJoiner, createBlockJoiner } from '../block-pieces.ts';
import { CONFORMANCE, type ConformanceBit } from '../conformance.ts';
import { type BlockTransfer, createBlockTransfer } from '../general-block.ts';
import type { Room } from './operation.ts';
import type { ClientAssociationOptions, ClientLimits, Negotiated, OperationName } from './types.ts';

const NOTHING: readonly Uint8Array[] = [];
const USUAL_OVERHEAD = 64;

export type Unpacked =
  | { readonly kind: 'apdu'; readonly apdu: Apdu; readonly plain: Uint8Array }
  /** No whole APDU yet: acknowledge blocks, if there is something to send. */
  | { readonly kind: 'part'; readonly send: readonly Uint8Array[] }
  /** Opened, but not to be decoded. */
  | { readonly kind: 'unreadable'; readonly plain: Uint8Array; readonly error: DecodeError }
  /** Its protection does not hold. */
  | { readonly kind: 'refused'; readonly text: string; readonly apdu: Uint8Array };

const NO_PART: Unpacked = { kind: 'part', send: NOTHING };

export class Layers {
  readonly #options: ClientAssociationOptions;
  readonly #limits: ClientLimits;
  #negotiated: Negotiated | undefined;
  #transfer: BlockTransfer | undefined;
  #joiner: BlockJoiner | undefined;
  readonly #overhead: number;

  constructor(options: ClientAssociationOptions, limits: ClientLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#overhead = options.security ? (options.overhead ?? USUAL_OVERHEAD) : 0;
  }

  establish(negotiated: Negotiated | undefined): void {
    this.#negotiated = negotiated;
    this.#transfer = negotiated && this.has('general-block-transfer') ? this.#newTransfer(negotiated) : undefined;
  }

  #newTransfer({ maxPduSize }: Negotiated): BlockTransfer {
    // One, unless said: there are servers that answer a larger window with blocks without end.
    const { window = 1 } = this.#options;
    return createBlockTransfer({ role: 'client', maxPduSize, maxBytes: this.#limits.maxBytes, window });
  }

  has(bit: ConformanceBit): boolean {
    return this.#negotiated !== undefined && (this.#negotiated.conformance & CONFORMANCE[bit]) !== 0;
  }

  get #maxPduSize(): number {
    return this.#negotiated?.maxPduSize ?? 0;
  }

  room(name: OperationName): Room {
    const service =
      name === 'action' || name === 'action-list'
        ? 'block-transfer-with-action'
        : name === 'get' || name === 'get-list' || name === 'read'
          ? 'block-transfer-with-get-or-read'
          : 'block-transfer-with-set-or-write';
    return {
      plain: this.#maxPduSize === 0 ? Number.POSITIVE_INFINITY : this.#maxPduSize - this.#overhead,
      blocks: this.has(service),
      general: this.#transfer !== undefined,
    };
  }

  /** An APDU of ACSE, as it is. */
  bare(apdu: Uint8Array): readonly Uint8Array[] {
    this.#options.trace?.('out', apdu, undefined);
    return [apdu];
  }

  /** An APDU that is taken unread. */
  seen(bytes: Uint8Array): void {
    this.#options.trace?.('in', bytes, undefined);
  }

  /** Beside the operation that is under way, whose blocks go on. */
  aside(plain: Uint8Array): readonly Uint8Array[] {
    const { security, trace } = this.#options;
    const bytes = security ? security.protect(plain) : plain;
    trace?.('out', bytes, security ? plain : undefined);
    return [bytes];
  }

  /** @throws MisuseError when it is too long for the server, or there is no key or counter for it */
  pack(apdu: Apdu): readonly Uint8Array[] {
    const { security, trace } = this.#options;
    const most = this.#maxPduSize;
    const plain = encodeApdu(apdu);
    if (most !== 0 && plain.length > most && !this.#transfer) throw tooLong(apdu, plain, most);
    const bytes = security ? security.protect(plain) : plain;
    this.#transfer?.reset();
    if (most === 0 || bytes.length <= most) {
      trace?.('out', bytes, security ? plain : undefined);
      return [bytes];
    }
    if (!this.#transfer) throw tooLong(apdu, bytes, most);
    const blocks = this.#transfer.send(bytes);
    this.#tell(blocks, plain);
    return blocks;
  }

  #tell(blocks: readonly Uint8Array[], plain?: Uint8Array): void {
    const { trace } = this.#options;
    if (trace) for (const [i, block] of blocks.entries()) trace('out', block, i === 0 ? plain : undefined);
  }

  /** Blocks to send again. */
  repeat(): readonly Uint8Array[] {
    const blocks = this.#transfer?.repeat() ?? NOTHING;
    this.#tell(blocks);
    return blocks;
  }

  reset(): void {
    this.#transfer?.reset();
  }

  /** @param asked whether an answer is awaited: blocks that come unasked are a push. @throws DecodeError */
  unpack(bytes: Uint8Array, asked: boolean): Unpacked {
    if (bytes[0] !== APDU.generalBlockTransfer) return this.#open(bytes, bytes);
    const block = decodeApdu(bytes);
    if (block.type !== 'general-block-transfer') return NO_PART;
    if (this.#transfer && asked) {
      const step = this.#transfer.receive(block);
      if (step.apdu) return this.#open(step.apdu, bytes);
      this.#options.trace?.('in', bytes, undefined);
      this.#tell(step.send);
      return step.send.length === 0 ? NO_PART : { kind: 'part', send: step.send };
    }
    const pushed = this.#push(block);
    if (pushed) return this.#open(pushed, bytes);
    this.#options.trace?.('in', bytes, undefined);
    return NO_PART;
  }

  #push(block: GeneralBlockTransfer): Uint8Array | undefined {
    this.#joiner ??= createBlockJoiner(this.#limits.maxBytes);
    try {
      return block.blockNumber === 1 || this.#joiner.waiting > 0 ? this.#joiner.push(block) : undefined;
    } catch (error) {
      // A push that lost a block is lost; nobody waits for it.
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  /** @param line what came over the line last: `apdu` itself, or its last block */
  #open(apdu: Uint8Array, line: Uint8Array): Unpacked {
    const { security, trace } = this.#options;
    let plain = apdu;
    if (apdu.length > this.#limits.maxBytes)
      throw new DecodeError('limit', `an APDU of more than ${this.#limits.maxBytes} bytes`, 0);
    if (security) {
      const opened = security.unprotect(apdu);
      if (!opened.ok) {
        trace?.('in', line, undefined);
        return { kind: 'refused', text: `its protection is refused: ${opened.text} (${opened.reason})`, apdu };
      }
      plain = opened.plain;
    }
    trace?.('in', line, plain === line ? undefined : plain);
    try {
      return { kind: 'apdu', apdu: decodeApdu(plain), plain };
    } catch (error) {
      if (error instanceof DecodeError) return { kind: 'unreadable', plain, error };
      throw error;
    }
  }
}

function tooLong(apdu: Apdu, bytes: Uint8Array, most: number): MisuseError {
  return new MisuseError(`${apdu.type} has ${bytes.length} bytes, the server takes ${most}`);
}
