/**
 * General block transfer (IEC 62056-5-3 clause 6.5 and 7.3.13; Green Book 9.4.6.13), both ends: any APDU in numbered blocks,
 * several of them without waiting ("streaming"), with lost blocks asked for again.
 *
 * Decides: blocks are numbered from 1 within one exchange (request and response), an empty acknowledgement takes a
 * number too. A block with STR = 0 ends a window and is acknowledged by BNA, the highest number up to which nothing is
 * missing; the sender goes on behind that number, so a gap is asked for by naming what is before it and a window as long as
 * the gap. The last block of a response is not acknowledged. BN = BNA = 0 gives up. Everything is bounded: bytes, blocks, blocks
 * beyond a gap, repetitions without progress. Leaves out: time (`repeat` is called when it is up), ciphering (blocks
 * carry APDUs that are ciphered already).
 */
import { DecodeError, MisuseError } from '@amiable/bytes';
import { encodeApdu } from './apdu/codec.ts';
import type { GeneralBlockTransfer } from './apdu/types.ts';
import { blockSize, countBlocks, MAX_BLOCKS, Pieces } from './block-pieces.ts';

export const MAX_WINDOW = 63;
const EMPTY = new Uint8Array(0);
const NOTHING: readonly Uint8Array[] = [];

export interface BlockTransferOptions {
  readonly role: 'client' | 'server';
  /** Blocks taken without acknowledging, 1 to 63; the peer is told. 8 unless said. */
  readonly window?: number;
  /** The longest APDU that the peer takes; 0 is no limit. */
  readonly maxPduSize: number;
  /** Bytes of a joined APDU; 65536 unless said. */
  readonly maxBytes?: number;
  /** Times that the same blocks may be asked for, or sent, again without progress; 5 unless said. */
  readonly maxRepeats?: number;
}

export interface BlockStep {
  /** General-Block-Transfer APDUs to send. */
  readonly send: readonly Uint8Array[];
  /** The whole APDU, after its last block. */
  readonly apdu?: Uint8Array;
  /** The peer is streaming: further blocks follow without anything being sent. */
  readonly more: boolean;
}

export interface BlockTransfer {
  /**
   * Cuts an APDU and gives the first window of it. In the server it answers the exchange under way.
   * @throws MisuseError when it needs more than 65535 blocks
   */
  send(apdu: Uint8Array): readonly Uint8Array[];
  /** Takes one block. @throws DecodeError `block` for what must not come here, `limit` for too much */
  receive(block: GeneralBlockTransfer): BlockStep;
  /** Nothing came in time: what is to be sent again; nothing when it was sent often enough or there is nothing. */
  repeat(): readonly Uint8Array[];
  /** Forgets the exchange. To be called before a request or answer that is not in blocks. */
  reset(): void;
  /** Whether an exchange is in blocks. */
  readonly active: boolean;
  /** Bytes kept. */
  readonly held: number;
}

/** BN = BNA = 0: the block transfer is given up. */
export function abortBlocks(): Uint8Array {
  return encodeApdu({
    type: 'general-block-transfer',
    lastBlock: true,
    streaming: false,
    window: 0,
    blockNumber: 0,
    blockNumberAcknowledged: 0,
    block: EMPTY,
  });
}

export function createBlockTransfer(options: BlockTransferOptions): BlockTransfer {
  return new Transfer(options);
}

class Transfer implements BlockTransfer {
  readonly #server: boolean;
  readonly #window: number;
  readonly #maxPduSize: number;
  readonly #maxRepeats: number;
  readonly #pieces: Pieces;
  /** Blocks that came before one that is missing. */
  readonly #early = new Map<number, Uint8Array>();
  #earlyBytes = 0;

  // What we send.
  #apdu: Uint8Array | undefined;
  #size = 0;
  /** Number of the block before the first of `#apdu`. */
  #before = 0;
  #count = 0;
  /** The highest numbers: sent at all, and acknowledged. */
  #sent = 0;
  #acknowledged = 0;
  #peerWindow = 1;

  // What we receive.
  /** The highest number up to which nothing is missing. */
  #complete = 0;
  /** Empty acknowledgements of the peer since `#complete`: they may have taken numbers, or not. */
  #empty = 0;
  #last = 0;
  /** Number of the last acknowledgement that came: the same once more was doubled on the way. */
  #heard = 0;
  /** The highest number we have allowed, by window; 0 before we have named one. */
  #allowed = 0;
  #delivered = false;
  #first: Uint8Array | undefined;
  #active = false;
  #repeats = 0;

  constructor(options: BlockTransferOptions) {
    const window = options.window ?? 8;
    if (window < 1 || window > MAX_WINDOW)
      throw new MisuseError(`a window is 1 to ${MAX_WINDOW} blocks, not ${window}`);
    this.#server = options.role === 'server';
    this.#window = window;
    this.#maxPduSize = options.maxPduSize;
    this.#maxRepeats = options.maxRepeats ?? 5;
    this.#pieces = new Pieces(options.maxBytes ?? 65_536);
  }

  get active(): boolean {
    return this.#active;
  }

  get held(): number {
    return this.#pieces.held + this.#earlyBytes + (this.#apdu?.length ?? 0) + (this.#first?.length ?? 0);
  }

  reset(): void {
    this.#pieces.clear();
    this.#early.clear();
    this.#earlyBytes = 0;
    this.#apdu = undefined;
    this.#before = this.#count = this.#sent = this.#acknowledged = 0;
    this.#complete = this.#empty = this.#last = this.#allowed = this.#repeats = 0;
    this.#peerWindow = 1;
    this.#heard = 0;
    this.#delivered = this.#active = false;
    this.#first = undefined;
  }

  send(apdu: Uint8Array): readonly Uint8Array[] {
    if (!this.#server) this.reset();
    const size = blockSize(this.#maxPduSize);
    const count = countBlocks(apdu.length, size);
    if (this.#sent + count > MAX_BLOCKS) throw new MisuseError(`${count} blocks more pass the number ${MAX_BLOCKS}`);
    this.#apdu = apdu;
    this.#size = size;
    this.#before = this.#acknowledged = this.#sent;
    this.#count = count;
    this.#active = true;
    this.#repeats = 0;
    this.#heard = 0;
    return this.#nextWindow();
  }

  /** The blocks behind the acknowledged ones, as many as the peer takes. */
  #nextWindow(): readonly Uint8Array[] {
    const final = this.#before + this.#count;
    const to = Math.min(this.#acknowledged + this.#peerWindow, final);
    const out: Uint8Array[] = [];
    for (let n = this.#acknowledged + 1; n <= to; n++) {
      const at = (n - this.#before - 1) * this.#size;
      const block = (this.#apdu as Uint8Array).subarray(at, at + this.#size);
      out.push(this.#encode(n, n === final, n !== to, block));
    }
    this.#sent = Math.max(this.#sent, to);
    return out;
  }

  #encode(
    number: number,
    lastBlock: boolean,
    streaming: boolean,
    block: Uint8Array,
    window = this.#window,
  ): Uint8Array {
    return encodeApdu({
      type: 'general-block-transfer',
      lastBlock,
      streaming,
      window,
      blockNumber: number,
      blockNumberAcknowledged: this.#complete,
      block,
    });
  }

  get #sending(): boolean {
    return this.#apdu !== undefined && this.#acknowledged < this.#before + this.#count;
  }

  receive(block: GeneralBlockTransfer): BlockStep {
    if (block.blockNumber === 0) {
      this.reset();
      throw new DecodeError('block', 'the peer gave the block transfer up', 2);
    }
    if (this.#server && block.blockNumber === 1 && block.blockNumberAcknowledged === 0 && block.block.length > 0) {
      // A request begins; or the client has not seen our answer and says its request once more.
      const known = this.#first !== undefined && same(this.#first, block.block);
      if (known && this.#delivered) return this.#again();
      if (!known) this.reset();
      this.#first ??= new Uint8Array(block.block);
    }
    this.#active = true;
    if (this.#apdu) {
      const answered = this.#takeAcknowledgement(block);
      if (answered) return answered;
    } else this.#peerWindow = Math.max(1, block.window);
    return this.#takeData(block);
  }

  /** @returns what to send on when the block only acknowledges, undefined when it is to be read as data */
  #takeAcknowledgement(block: GeneralBlockTransfer): BlockStep | undefined {
    const upTo = block.blockNumberAcknowledged;
    if (upTo > this.#sent) this.#fail(`block ${upTo} is acknowledged, ${this.#sent} is the last that was sent`, 4);
    this.#peerWindow = Math.max(1, block.window);
    if (upTo > this.#acknowledged) {
      this.#acknowledged = upTo;
      this.#repeats = 0;
    } else if (this.#sending && block.block.length === 0) {
      // Answering a doubled acknowledgement would double every block from here on.
      if (block.blockNumber === this.#heard) return { send: NOTHING, more: true };
      this.#repeated();
    }
    if (block.block.length === 0) this.#heard = block.blockNumber;
    if (!this.#sending) {
      this.#apdu = undefined;
      return this.#server && block.block.length === 0 ? { send: NOTHING, more: false } : undefined;
    }
    // The end of the request once more: the answer has not been seen.
    if (block.block.length > 0 && block.blockNumber <= this.#complete) return this.#again();
    if (block.block.length > 0)
      this.#fail(`data came while blocks from ${this.#acknowledged + 1} on are not yet acknowledged`, 4);
    this.#noteEmpty(block.blockNumber);
    const blocks = this.#nextWindow();
    // It waits for numbers that were acknowledgements of ours, and lost.
    if (upTo < this.#before && this.#server)
      return { send: [this.#encode(this.#before, false, true, EMPTY), ...blocks], more: false };
    return { send: blocks, more: false };
  }

  #noteEmpty(number: number): void {
    // Numbers on the way here were acknowledgements that were lost: no data comes before all of ours is acknowledged.
    if (number > this.#complete) this.#empty = number - this.#complete;
  }

  #takeData(block: GeneralBlockTransfer): BlockStep {
    const number = block.blockNumber;
    if (block.block.length === 0 && (!block.lastBlock || this.#pieces.bytes + this.#earlyBytes === 0)) {
      // A peer that acknowledges and has no data yet: no APDU is empty.
      this.#noteEmpty(number);
      return { send: NOTHING, more: true };
    }
    if (this.#empty > 0) {
      // The first data after acknowledgements show whether those took numbers.
      if (number > this.#complete + this.#empty) this.#complete += this.#empty;
      this.#empty = 0;
    }
    const before = this.#complete;
    if (number > before) {
      const room = this.#allowed === 0 ? before + MAX_WINDOW : this.#allowed;
      if (number > room) this.#fail(`block ${number} is beyond the window, which ends with ${room}`, 2);
      if (this.#last !== 0 && (number > this.#last || (block.lastBlock && number !== this.#last)))
        this.#fail(`block ${number} after block ${this.#last} was the last`, 2);
      if (block.lastBlock) this.#last = number;
      this.#keep(number, block.block);
    }
    if (this.#last !== 0 && this.#complete === this.#last) return this.#whole();
    // Into a window of one nothing can stream: Gurux says so all the same, and waits.
    if (block.streaming && !block.lastBlock && this.#window > 1) return { send: NOTHING, more: true };
    if (this.#complete === before) this.#repeated();
    return { send: [this.#acknowledge()], more: false };
  }

  #keep(number: number, piece: Uint8Array): void {
    if (this.#early.has(number)) {
      this.#drain();
      return;
    }
    if (this.#pieces.bytes + this.#earlyBytes + piece.length > this.#pieces.maxBytes)
      this.#fail(`blocks of more than ${this.#pieces.maxBytes} bytes in all`, 0, 'limit');
    if (number !== this.#complete + 1) {
      this.#earlyBytes += piece.length;
      this.#early.set(number, new Uint8Array(piece));
      return;
    }
    this.#pieces.add(piece);
    this.#complete++;
    this.#repeats = 0;
    this.#drain();
  }

  #drain(): void {
    for (let next = this.#early.get(this.#complete + 1); next; next = this.#early.get(this.#complete + 1)) {
      this.#early.delete(this.#complete + 1);
      this.#earlyBytes -= next.length;
      this.#pieces.add(next);
      this.#complete++;
    }
  }

  #whole(): BlockStep {
    const apdu = this.#pieces.join();
    this.#delivered = true;
    this.#last = this.#allowed = 0;
    if (!this.#server) this.reset();
    return { send: NOTHING, apdu, more: false };
  }

  /** Names what is complete, and a window that fills the first gap or goes on. */
  #acknowledge(): Uint8Array {
    let window = this.#window;
    if (this.#early.size > 0) {
      let gap = 1;
      while (!this.#early.has(this.#complete + gap + 1)) gap++;
      window = Math.min(gap, this.#window);
    }
    this.#allowed = Math.max(this.#complete + this.#window, ...this.#early.keys());
    if (this.#sent >= MAX_BLOCKS) this.#fail(`more than ${MAX_BLOCKS} blocks`, 2, 'limit');
    this.#sent++;
    // What we had to send is sent: an acknowledgement is our last block too. A server that is still to answer says 0.
    return this.#encode(this.#sent, !this.#server, false, EMPTY, window);
  }

  #again(): BlockStep {
    this.#repeated();
    return { send: this.#sending ? this.#nextWindow() : NOTHING, more: false };
  }

  #repeated(): void {
    if (++this.#repeats > this.#maxRepeats)
      this.#fail(`no progress beyond block ${this.#complete} in ${this.#repeats} attempts`, 2);
  }

  repeat(): readonly Uint8Array[] {
    if (!this.#active || this.#repeats >= this.#maxRepeats) return NOTHING;
    this.#repeats++;
    if (this.#sending) return this.#nextWindow();
    // Half of an APDU is here: say again up to where.
    return this.#complete > 0 && !this.#delivered ? [this.#acknowledge()] : NOTHING;
  }

  #fail(message: string, offset: number, reason = 'block'): never {
    this.reset();
    throw new DecodeError(reason, message, offset);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
