/**
 * The sequence numbers of one link, the same at both ends (IEC 62056-46 clause 6.4.4.4.5; ISO/IEC 13239 clause 7.2):
 * cuts informations into I frames and joins them, keeps V(S) and V(R) modulo 8, sends again what was not acknowledged.
 *
 * What it decides. Segments are cut when they are sent, from the information itself; nothing is copied before it is in a
 * frame. An I frame out of sequence is dropped, whole runs are sent again from N(R) on (there is no REJ). Of two frames
 * with N(S) not the expected one, "behind" is a repetition and "ahead" a gap; between pollings at most a window of I
 * frames is taken in, so a peer cannot run the numbers round.
 *
 * Left out: whose turn it is and when (client.ts, server.ts).
 */
import { copyBytes, MisuseError } from '@amiable/bytes';
import { PF } from '../control.ts';
import { frameBytes, NOTHING } from '../frame.ts';
import type { HdlcParameters } from '../parameters.ts';

/** What became of an I frame. */
export const TAKE = {
  /** In sequence; more segments follow. */
  segment: 0,
  /** In sequence, and `completed` holds an information. */
  complete: 1,
  /** Here already. */
  behind: 2,
  /** One before it is missing. */
  ahead: 3,
  /** More I frames than the window allows before they were acknowledged. */
  overrun: 4,
  /** The joined information is longer than allowed. */
  tooLong: 5,
  /** Complete, but does not start with the LLC octets. */
  badLlc: 6,
  /** A segment of nothing: it would go on for ever. */
  empty: 7,
} as const;
export type Take = (typeof TAKE)[keyof typeof TAKE];

const LLC_LENGTH = 3;
/** Octets that may wait to be sent, unless said. */
export const MOST_QUEUED = 1 << 20;
/** First room for segments to be joined in. */
const JOIN_ROOM = 1024;
/** Sent informations at the front of the queue are let go at this number. */
const QUEUE_SLACK = 32;

export interface TransferOptions {
  readonly maxInformation: number;
  readonly maxQueued: number;
  /** Octets of the informations that wait or are not acknowledged; one alone may be longer. */
  readonly maxQueuedOctets: number;
  /** Goes before each information sent; empty without LLC. */
  readonly prefix: Uint8Array;
}

/** The LLC octets (clause 5.3.2): destination E6, or FF for all; source E6 or E7; any quality. */
export function hasLlc(buf: Uint8Array, at: number, end: number): boolean {
  if (end - at < LLC_LENGTH) return false;
  const d = buf[at] as number;
  return (d === 0xe6 || d === 0xff) && ((buf[at + 1] as number) & 0xfe) === 0xe6;
}

export class Transfer {
  parameters: HdlcParameters;
  readonly #options: TransferOptions;

  /** Oldest number sent and not acknowledged. */
  va = 0;
  /** V(S): the number to send next; behind `top` while frames are sent again. */
  vs = 0;
  /** The number that a new segment gets. */
  top = 0;
  /** V(R): the number expected next. */
  vr = 0;
  /** I frames taken in since the last poll or final. */
  taken = 0;
  /** The last one that came whole, LLC octets taken off. */
  completed: Uint8Array = NOTHING;

  /** By sequence number: the information a segment is of, and where it starts and ends in it. */
  readonly #of: (Uint8Array | undefined)[] = new Array(8).fill(undefined);
  readonly #from: number[] = new Array(8).fill(0);
  readonly #to: number[] = new Array(8).fill(0);
  /** Informations not yet cut up wholly, from #head on; #cut octets of the first are in segments. */
  #queue: Uint8Array[] = [];
  #head = 0;
  #cut = 0;
  /** Octets of informations of which not all is acknowledged. */
  #kept = 0;

  #join: Uint8Array | undefined;
  #joined = 0;

  constructor(options: TransferOptions, parameters: HdlcParameters) {
    this.#options = options;
    this.parameters = parameters;
  }

  // ------------------------------------------------ sending

  /** @throws MisuseError when too many wait */
  queue(information: Uint8Array): void {
    if (this.#queue.length - this.#head >= this.#options.maxQueued)
      throw new MisuseError(`${this.#options.maxQueued} informations wait to be sent: wait until the peer takes them`);
    if (information.length === 0) throw new MisuseError('an I frame carries information, this one is empty');
    if (this.#kept > 0 && this.#kept + information.length > this.#options.maxQueuedOctets)
      throw new MisuseError(`${this.#kept} octets wait to be sent: wait until the peer takes them`);
    this.#queue.push(information);
    this.#kept += information.length;
  }

  /** Sent and not acknowledged. */
  get unacknowledged(): number {
    return (this.top - this.va) & 7;
  }

  /** Something is left to send, now or when the window opens. */
  get pending(): boolean {
    return this.vs !== this.top || this.#head < this.#queue.length;
  }

  /** An I frame may go now. */
  get canSend(): boolean {
    return this.pending && ((this.vs - this.va) & 7) < this.parameters.windowTransmit;
  }

  /** Octets in memory for what is to be sent and for what is joined. */
  get held(): number {
    return this.#kept + (this.#join?.length ?? 0);
  }

  /** Everything handed in has been acknowledged. */
  get allAcknowledged(): boolean {
    return this.va === this.top && this.#head >= this.#queue.length;
  }

  /** Whether `nr` acknowledges only what was sent. */
  validNr(nr: number): boolean {
    return ((nr - this.va) & 7) <= this.unacknowledged;
  }

  /** Takes a valid N(R); true when it acknowledges something. */
  acknowledge(nr: number): boolean {
    const count = (nr - this.va) & 7;
    if (count === 0) return false;
    const ahead = (this.vs - this.va) & 7;
    for (let i = 0; i < count; i++) {
      const n = (this.va + i) & 7;
      const { length } = this.#of[n] as Uint8Array;
      if (this.#to[n] === length) this.#kept -= length;
      this.#of[n] = undefined;
    }
    this.va = nr;
    if (ahead < count) this.vs = nr;
    return true;
  }

  /** The peer had its turn: what is not acknowledged goes again. */
  goBack(): void {
    this.vs = this.va;
  }

  /** The next I frame; `canSend` must hold. The poll/final bit is put on the last one that may go, when `pf` is set. */
  next(addresses: Uint8Array, pf: boolean): Uint8Array {
    const ns = this.vs;
    if (ns === this.top) this.#segment();
    const information = this.#of[ns] as Uint8Array;
    const from = this.#from[ns] as number;
    const to = this.#to[ns] as number;
    this.vs = (ns + 1) & 7;
    const control = (this.vr << 5) | (ns << 1) | (pf && !this.canSend ? PF : 0);
    const prefix = from === 0 ? this.#options.prefix : NOTHING;
    return frameBytes(addresses, control, to < information.length, prefix, information, from, to);
  }

  /** Cuts the next segment off the queue, under number `top`. */
  #segment(): void {
    const information = this.#queue[this.#head] as Uint8Array;
    const from = this.#cut;
    const room = this.parameters.maxInfoTransmit - (from === 0 ? this.#options.prefix.length : 0);
    const to = Math.min(information.length, from + room);
    const n = this.top;
    this.#of[n] = information;
    this.#from[n] = from;
    this.#to[n] = to;
    this.top = (n + 1) & 7;
    if (to < information.length) {
      this.#cut = to;
      return;
    }
    this.#cut = 0;
    this.#head++;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head >= QUEUE_SLACK) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  // ------------------------------------------------ receiving

  /** Part of an information is here. */
  get joining(): boolean {
    return this.#joined > 0;
  }

  /** N(S) says that the frame was here before. */
  isBehind(ns: number): boolean {
    return ((ns - this.vr) & 7) >= this.parameters.windowReceive;
  }

  /** Takes an I frame with information buf[from, to). */
  take(buf: Uint8Array, from: number, to: number, ns: number, segmented: boolean): Take {
    if (ns !== this.vr) return this.isBehind(ns) ? TAKE.behind : TAKE.ahead;
    if (this.taken >= this.parameters.windowReceive) return TAKE.overrun;
    this.taken++;
    if (this.#joined + to - from > this.#options.maxInformation) return TAKE.tooLong;
    if (segmented && to === from) return TAKE.empty;
    this.vr = (this.vr + 1) & 7;
    if (segmented) {
      this.#append(buf, from, to);
      return TAKE.segment;
    }
    if (this.#joined === 0) return this.#complete(buf, from, to);
    this.#append(buf, from, to);
    const whole = this.#joined;
    this.#joined = 0;
    const result = this.#complete(this.#join as Uint8Array, 0, whole);
    // Room for a large information is not kept for the small ones that follow.
    if (whole > JOIN_ROOM * 4) this.#join = undefined;
    return result;
  }

  #append(buf: Uint8Array, from: number, to: number): void {
    const need = this.#joined + to - from;
    if (this.#join === undefined || this.#join.length < need) {
      const grown = new Uint8Array(Math.min(Math.max(JOIN_ROOM, need * 2), this.#options.maxInformation));
      if (this.#join) grown.set(this.#join.subarray(0, this.#joined));
      this.#join = grown;
    }
    this.#join.set(buf.subarray(from, to), this.#joined);
    this.#joined = need;
  }

  #complete(buf: Uint8Array, from: number, to: number): Take {
    if (this.#options.prefix.length === 0) {
      // An I frame without information acknowledges and says nothing.
      this.completed = copyBytes(buf, from, to);
      return to > from ? TAKE.complete : TAKE.segment;
    }
    if (!hasLlc(buf, from, to)) return TAKE.badLlc;
    this.completed = copyBytes(buf, from + LLC_LENGTH, to);
    return TAKE.complete;
  }
}
