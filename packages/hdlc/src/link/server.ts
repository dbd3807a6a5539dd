/**
 * The server's end: any number of stations behind one line, each link a pair of client and server address (IEC 62056-46
 * clauses 6.4.2 and 6.4.3). A secondary station speaks only when polled, and never by a timer of its own but the
 * inactivity timeout: repeating is the client's business.
 *
 * What it decides.
 * - Memory is taken when SNRM is accepted and given back with the link; stations without a link cost nothing.
 * - SNRM on a living link ends it at once and begins a new one; only when nothing was exchanged since an SNRM with the
 *   same parameters is it that one's repetition.
 * - An information without the LLC octets is acknowledged and dropped, as the LLC sublayer has it (clause 5.4).
 * - Frames to all stations are heard if they are UI without poll; frames to no station, never.
 *
 * Left out: the way a station gets its address; server-initiated links (the standard has none).
 */
import { copyBytes, DecodeError, LinkError, toHex } from '@amiable/bytes';
import { step } from '@amiable/fsm';
import { addressLength, isAllStation, isNoStation, readAddress } from '../address.ts';
import { CONTROL, PF } from '../control.ts';
import { frameBytes, joinAddresses, NOTHING } from '../frame.ts';
import {
  DEFAULT_PARAMETERS,
  decodeParameters,
  encodeParameters,
  type HdlcParameters,
  negotiate,
  ownParameters,
  sameParameters,
} from '../parameters.ts';
import { encodeReject, type FrameReject, rejectReasons } from '../reject.ts';
import { createHdlcScanner, type HdlcScanner } from '../scanner.ts';
import { frameText, Gate, newCounters } from './common.ts';
import { SERVER_MODE, type ServerMode, type ServerModeEffect, type ServerModeInput } from './mode.ts';
import { isBetween, type LinkHome, type LinkKey, NEVER, ServerLink } from './server-link.ts';
import { hasLlc, MOST_QUEUED, TAKE, Transfer, type TransferOptions } from './transfer.ts';
import type {
  DisconnectReason,
  HdlcAddresses,
  HdlcLinkCounters,
  HdlcServer,
  HdlcServerOptions,
  HdlcServerSink,
} from './types.ts';

/** LLC octets of what a server sends. */
const RESPONSE_LLC = Uint8Array.of(0xe6, 0xe7, 0x00);
/** Why a frame is answered with FRMR. */
type Refusal = 'undefinedControl' | 'informationNotAllowed' | 'tooLong' | 'invalidNr';

const OFF: ServerMode = { type: 'disconnected' };

export function createHdlcServer<T = unknown>(options: HdlcServerOptions, sink: HdlcServerSink<T>): HdlcServer<T> {
  return new Server<T>(options, sink);
}

class Server<T> implements HdlcServer<T>, LinkHome<T> {
  readonly counters: HdlcLinkCounters = newCounters();
  readonly links = new Set<ServerLink<T>>();
  readonly #options: HdlcServerOptions;
  readonly #sink: HdlcServerSink<T>;
  readonly #own: HdlcParameters;
  readonly #transferOptions: TransferOptions;
  readonly #scanner: HdlcScanner;
  readonly #llc: boolean;
  readonly #maxLinks: number;
  readonly #inactivityTimeout: number;
  readonly #answerTime: number;
  readonly #byKey = new Map<LinkKey, ServerLink<T>>();
  /** Most frames are for the same link as the one before. */
  #last: ServerLink<T> | undefined;
  /** The link whose frame is being handled. */
  #current: ServerLink<T> | undefined;
  #now = 0;
  /** No deadline is before this. */
  #earliest = NEVER;
  readonly #gate = new Gate((bytes) => {
    try {
      this.#scanner.push(bytes);
    } finally {
      this.#current = undefined;
    }
  });

  constructor(options: HdlcServerOptions, sink: HdlcServerSink<T>) {
    this.#options = options;
    this.#sink = sink;
    this.#own = ownParameters(options.limits);
    this.#llc = options.llc !== false;
    this.#transferOptions = {
      maxInformation: options.maxInformation ?? 131_072,
      maxQueued: options.maxQueued ?? 64,
      maxQueuedOctets: options.maxQueuedOctets ?? MOST_QUEUED,
      prefix: this.#llc ? RESPONSE_LLC : NOTHING,
    };
    this.#maxLinks = options.maxLinks ?? 1024;
    this.#inactivityTimeout = options.inactivityTimeout ?? 120_000;
    this.#answerTime = options.answerTime ?? 0;
    this.#scanner = createHdlcScanner({
      frame: (buf, start, infoStart, infoEnd) => this.#frame(buf, start, infoStart, infoEnd),
      drop: () => {
        this.counters.dropped++;
      },
    });
  }

  receive(bytes: Uint8Array, now: number): void {
    this.#now = now;
    this.#gate.receive(bytes);
  }

  idle(now: number): void {
    this.#now = now;
    this.#guarded(() => {
      this.#scanner.idle();
      this.#current = undefined;
    });
  }

  sendUnnumbered(information: Uint8Array, addresses: HdlcAddresses, final = false): void {
    const control = CONTROL.UI | (final ? PF : 0);
    const there = joinAddresses(addresses.destination, addresses.source);
    this.#write(frameBytes(there, control, false, this.#transferOptions.prefix, information, 0, information.length));
  }

  reset(): void {
    for (const link of [...this.links]) this.#input(link, { type: 'lost' });
    this.#scanner.idle();
  }

  close(link: ServerLink<T>): void {
    if (this.#byKey.get(link.key) === link) this.#input(link, { type: 'close' });
  }

  tick(now: number): void {
    this.#now = now;
    if (now >= this.#earliest) this.#guarded(() => this.#sweep(now));
  }

  /** Looks at every link; rare, for `#earliest` is known. */
  #sweep(now: number): void {
    let earliest = NEVER;
    for (const link of [...this.links]) {
      if (now >= link.holdUntil) this.#answer(link);
      if (this.#inactivityTimeout > 0 && now - link.heard >= this.#inactivityTimeout) {
        this.#input(link, { type: 'inactive' });
        continue;
      }
      earliest = Math.min(earliest, this.#deadlineOf(link));
    }
    // Links that a callback opened meanwhile stand in #earliest through #watch.
    this.#earliest = earliest;
    for (const link of this.links) this.#watch(link);
  }

  nextDeadline(): number {
    return this.links.size === 0 ? NEVER : this.#earliest;
  }

  /** An answer that a poll has waited for is here. */
  release(link: ServerLink<T>, now: number): void {
    if (this.#current === link) return; // the frame being handled is answered in a moment
    this.#now = now;
    this.#guarded(() => this.#answer(link));
  }

  #guarded(work: () => void): void {
    this.#gate.enter();
    try {
      work();
    } finally {
      this.#gate.leave();
    }
  }

  #deadlineOf(link: ServerLink<T>): number {
    const inactive = this.#inactivityTimeout > 0 ? link.heard + this.#inactivityTimeout : NEVER;
    return Math.min(inactive, link.holdUntil);
  }

  #watch(link: ServerLink<T>): void {
    const at = this.#deadlineOf(link);
    if (at < this.#earliest) this.#earliest = at;
  }

  // ------------------------------------------------ frames in

  #frame(buf: Uint8Array, start: number, infoStart: number, infoEnd: number): void {
    this.counters.framesIn++;
    const end = infoEnd + 2;
    const destination = start + 2;
    const source = destination + addressLength(buf, destination, end);
    const controlAt = source + addressLength(buf, source, end);
    const control = buf[controlAt] as number;
    const kind = control & ~PF;
    const link = this.#find(buf, destination, source, controlAt);
    this.#current = link;
    if (link === undefined || kind === CONTROL.UI || kind === CONTROL.SNRM) {
      const addresses: HdlcAddresses = {
        destination: readAddress(buf, destination, (source - destination) as 1 | 2 | 4),
        source: readAddress(buf, source, (controlAt - source) as 1 | 2 | 4),
      };
      if (link === undefined && !this.#isHere(addresses, control)) {
        this.counters.ignored++;
        return;
      }
      if (link) link.heard = this.#now;
      if (kind === CONTROL.UI) this.#unnumbered(link, buf, infoStart, infoEnd, control, addresses);
      else if (kind === CONTROL.SNRM) {
        const key = this.#key(buf, destination, source, controlAt);
        this.#snrm(link, key, addresses, control, buf.subarray(infoStart, infoEnd));
      } else this.#stranger(addresses, control);
      return;
    }
    link.heard = this.#now;
    const refusal =
      (control & 1) === 0
        ? this.#informationFrame(link, buf, start, infoStart, infoEnd, control)
        : this.#otherFrame(link, infoEnd > infoStart, control);
    if (refusal !== undefined) this.#refuse(link, buf, start, infoEnd, control, refusal);
  }

  /** One number for a pair of addresses, their lengths included; text where a number is too small. */
  #key(buf: Uint8Array, destination: number, source: number, controlAt: number): LinkKey {
    if (controlAt - destination > 6) return toHex(buf.subarray(destination, controlAt));
    let key = 0;
    for (let i = destination; i < controlAt; i++) key = key * 128 + ((buf[i] as number) >> 1);
    return key * 16 + (source - destination) + (controlAt - source === 1 ? 0 : 8);
  }

  #find(buf: Uint8Array, destination: number, source: number, controlAt: number): ServerLink<T> | undefined {
    const last = this.#last;
    if (last !== undefined && isBetween(last, buf, destination, source, controlAt)) return last;
    const link = this.#byKey.get(this.#key(buf, destination, source, controlAt));
    if (link !== undefined) this.#last = link;
    return link;
  }

  #isHere({ destination, source }: HdlcAddresses, control: number): boolean {
    if (isNoStation(destination)) return false;
    if (isAllStation(destination)) return control === CONTROL.UI;
    return this.#options.accepts(destination, source);
  }

  /** A frame for a station that has no link with this client. */
  #stranger({ destination, source }: HdlcAddresses, control: number): void {
    const kind = control & ~PF;
    if (kind === CONTROL.UA || kind === CONTROL.DM || kind === CONTROL.FRMR || !(control & PF)) {
      this.counters.ignored++;
      return;
    }
    for (const effect of step(SERVER_MODE, OFF, { type: kind === CONTROL.DISC ? 'disc' : 'poll' }).effects)
      if (effect === 'sendDm') this.#response(joinAddresses(source, destination), CONTROL.DM | PF, NOTHING);
  }

  #unnumbered(
    link: ServerLink<T> | undefined,
    buf: Uint8Array,
    infoStart: number,
    infoEnd: number,
    control: number,
    addresses: HdlcAddresses,
  ): void {
    const poll = (control & PF) !== 0;
    const from = this.#llc && hasLlc(buf, infoStart, infoEnd) ? infoStart + 3 : infoStart;
    const before = this.counters.framesOut;
    this.#sink.unnumbered?.(copyBytes(buf, from, infoEnd), addresses, poll);
    // A poll is answered, whatever it was.
    if (!poll || this.counters.framesOut !== before) return;
    if (link && this.#byKey.get(link.key) === link) this.#input(link, { type: 'poll' }, control);
    else this.#stranger(addresses, CONTROL.UI | PF);
  }

  #snrm(
    link: ServerLink<T> | undefined,
    key: LinkKey,
    addresses: HdlcAddresses,
    control: number,
    info: Uint8Array,
  ): void {
    let parameters: HdlcParameters;
    try {
      parameters = negotiate(this.#own, decodeParameters(info));
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      this.counters.ignored++;
      return;
    }
    const room = link !== undefined || this.#byKey.size < this.#maxLinks || this.#makeRoom();
    const repeated = link !== undefined && !link.exchanged && sameParameters(link.parameters, parameters);
    const { effects } = step(SERVER_MODE, link?.mode ?? OFF, { type: 'snrm', repeated, room });
    let now = link;
    for (const effect of effects) {
      if (effect === 'downReconnected') this.#down(now as ServerLink<T>, 'reconnected');
      else if (effect === 'up') now = this.#up(now, key, addresses, parameters);
      else if (effect === 'sendUa') {
        // A link that was closed while it was told of is refused.
        const there = joinAddresses(addresses.source, addresses.destination);
        const plain = info.length === 0 && sameParameters(parameters, DEFAULT_PARAMETERS);
        if (!now?.open) this.#response(there, CONTROL.DM | (control & PF), NOTHING);
        else this.#response(there, CONTROL.UA | (control & PF), plain ? NOTHING : encodeParameters(parameters));
      } else if (effect === 'sendDm')
        this.#response(joinAddresses(addresses.source, addresses.destination), CONTROL.DM | (control & PF), NOTHING);
    }
  }

  /** SNRM can come from thousands of addresses: the oldest link on which nothing followed goes. */
  #makeRoom(): boolean {
    for (const link of this.links) {
      if (link.exchanged) continue;
      this.#input(link, { type: 'inactive' });
      return true;
    }
    return false;
  }

  #up(
    old: ServerLink<T> | undefined,
    key: LinkKey,
    addresses: HdlcAddresses,
    parameters: HdlcParameters,
  ): ServerLink<T> {
    if (old) this.#forget(old);
    const link = new ServerLink<T>(this, addresses, key, new Transfer(this.#transferOptions, parameters), this.#now);
    this.#byKey.set(key, link);
    this.links.add(link);
    this.#watch(link);
    this.#current = link;
    this.#sink.connected(link);
    return link;
  }

  /** Gives the reason to refuse the frame, if there is one. */
  #informationFrame(
    link: ServerLink<T>,
    buf: Uint8Array,
    start: number,
    infoStart: number,
    infoEnd: number,
    control: number,
  ): Refusal | undefined {
    const t = link.transfer;
    link.exchanged = true;
    if (link.mode.type === 'connected') {
      const ns = (control >> 1) & 7;
      const nr = control >> 5;
      const behind = t.isBehind(ns);
      if (infoEnd - infoStart > t.parameters.maxInfoReceive) return 'tooLong';
      if (t.validNr(nr)) t.acknowledge(nr);
      else if (!behind) return 'invalidNr';
      if (behind) this.counters.outOfSequence++;
      else if (!link.busy) {
        const take = t.take(buf, infoStart, infoEnd, ns, ((buf[start] as number) & 0x08) !== 0);
        if (take === TAKE.complete) {
          link.owing = true;
          this.#sink.information(link, t.completed);
        } else if (take === TAKE.tooLong) return 'tooLong';
        else if (take === TAKE.ahead || take === TAKE.overrun) this.counters.outOfSequence++;
        else if (take !== TAKE.segment) this.counters.ignored++;
      }
    }
    // When the user has closed the link meanwhile, the poll gets DM.
    if (control & PF) this.#input(link, { type: 'poll' }, control);
    return undefined;
  }

  #otherFrame(link: ServerLink<T>, informed: boolean, control: number): Refusal | undefined {
    const low = control & 0x0f;
    const kind = control & ~PF;
    if (low === CONTROL.RR || low === CONTROL.RNR) {
      link.exchanged = true;
      if (link.mode.type === 'connected') {
        if (informed) return 'informationNotAllowed';
        const nr = control >> 5;
        if (!link.transfer.validNr(nr)) return 'invalidNr';
        link.transfer.acknowledge(nr);
        link.peerBusy = low === CONTROL.RNR;
      }
      if (control & PF) this.#input(link, { type: 'poll' }, control);
    } else if (kind === CONTROL.DISC) this.#input(link, { type: 'disc' }, control);
    else if (kind === CONTROL.UA || kind === CONTROL.DM || kind === CONTROL.FRMR) this.counters.ignored++;
    else return 'undefinedControl';
    return undefined;
  }

  // ------------------------------------------------ mode

  #refuse(
    link: ServerLink<T>,
    buf: Uint8Array,
    start: number,
    infoEnd: number,
    control: number,
    reason: Refusal,
  ): void {
    const { vs, vr, va, top } = link.transfer;
    if (link.mode.type === 'connected') {
      const r: FrameReject = {
        control,
        vs,
        vr,
        response: false,
        undefinedControl: reason === 'undefinedControl' || reason === 'informationNotAllowed',
        informationNotAllowed: reason === 'informationNotAllowed',
        tooLong: reason === 'tooLong',
        invalidNr: reason === 'invalidNr',
      };
      link.reject = encodeReject(r);
      const expected = {
        undefinedControl: 'I, RR, RNR, SNRM, DISC or UI',
        informationNotAllowed: 'no information field',
        tooLong: `frames of ${link.parameters.maxInfoReceive} and information of ${this.#transferOptions.maxInformation} octets at most`,
        invalidNr: `N(R) from ${va} to ${top}`,
      }[reason];
      const message =
        `HDLC link from client ${link.client.value} to server ${link.server.value} in state connected, V(S) ${vs}, ` +
        `V(A) ${va}, V(R) ${vr}: expected ${expected} (${rejectReasons(r)}), came ${frameText(buf, start, infoEnd + 2)}`;
      this.#input(link, { type: 'reject' }, control, message);
    } else this.#input(link, { type: 'reject' }, control);
  }

  #input(link: ServerLink<T>, input: ServerModeInput, control = 0, message = ''): void {
    const { state, effects } = step(SERVER_MODE, link.mode, input);
    link.mode = state;
    for (const effect of effects) this.#perform(link, effect, control, message);
  }

  #perform(link: ServerLink<T>, effect: ServerModeEffect, control: number, message: string): void {
    switch (effect) {
      case 'answer':
        this.#answer(link);
        break;
      case 'sendUa':
        this.#response(link.there, CONTROL.UA | (control & PF), NOTHING);
        break;
      case 'sendDm':
        this.#response(link.there, CONTROL.DM | (control & PF), NOTHING);
        break;
      case 'sendFrmr':
        // Without a poll there is no word to say it; the next poll gets it.
        if (control & PF) this.#response(link.there, CONTROL.FRMR | PF, link.reject);
        break;
      case 'failed':
        link.holdUntil = NEVER;
        this.#sink.failed(link, new LinkError(message));
        break;
      case 'forget':
        this.#forget(link);
        break;
      case 'downRequested':
        this.#down(link, 'requested');
        break;
      case 'downPeer':
        this.#down(link, 'peer');
        break;
      case 'downInactive':
        this.#down(link, 'inactivity');
        break;
      case 'downReconnected':
      case 'up':
        break; // SNRM only, see #snrm
    }
  }

  /** Gives the link back before it is told of, so that nothing of it is found any more. */
  #down(link: ServerLink<T>, reason: DisconnectReason): void {
    link.mode = OFF;
    this.#forget(link);
    this.#sink.disconnected(link, reason);
  }

  #forget(link: ServerLink<T>): void {
    link.holdUntil = NEVER;
    link.mode = OFF;
    if (this.#byKey.get(link.key) === link) this.#byKey.delete(link.key);
    this.links.delete(link);
    if (this.#last === link) this.#last = undefined;
  }

  // ------------------------------------------------ frames out

  /** The word is ours, once. */
  #answer(link: ServerLink<T>): void {
    const t = link.transfer;
    const held = link.holdUntil !== NEVER;
    link.holdUntil = NEVER;
    t.taken = 0;
    t.goBack();
    if (t.canSend && !link.peerBusy) {
      while (t.canSend) {
        if (t.vs !== t.top) this.counters.repeated++;
        this.#write(t.next(link.there, true));
      }
    } else if (link.owing && this.#answerTime > 0 && !held && !link.busy) {
      link.holdUntil = this.#now + this.#answerTime;
      this.#watch(link);
    } else {
      const control = (link.busy ? CONTROL.RNR : CONTROL.RR) | PF | (t.vr << 5);
      this.#write(frameBytes(link.there, control, false, NOTHING, NOTHING, 0, 0));
    }
  }

  #response(there: Uint8Array, control: number, info: Uint8Array): void {
    this.#write(frameBytes(there, control, false, NOTHING, info, 0, info.length));
  }

  #write(frame: Uint8Array): void {
    this.counters.framesOut++;
    this.#sink.write(frame);
  }
}
