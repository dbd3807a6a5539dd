/**
 * The client's end of a link, the primary station (IEC 62056-46 clause 6.4): it alone begins and ends the link, and has
 * the word until it polls. One poll is under way at a time; the answer with F, or the response timeout, ends it.
 *
 * What it decides.
 * - After the timeout a single unacknowledged I frame is sent again; with several, or none, RR asks what came over.
 * - An answer that repeats what is here already was on its way before the timeout; it is passed over, F and all, for to
 *   react would send everything twice from there on.
 * - Answers that bring nothing new count like timeouts, so that a peer cannot keep the client busy for ever.
 * - Information longer than negotiated is taken in: nothing breaks by it, and some meters negotiate one thing and do
 *   another. What this end sends keeps to what was negotiated.
 *
 * Left out: normal disconnected mode's XID and TEST; unbalanced asynchronous modes.
 */
import { copyBytes, type Drop, LinkError, MisuseError, toHex } from '@amiable/bytes';
import { step } from '@amiable/fsm';
import { addressLength, isAllStation } from '../address.ts';
import { CONTROL, PF } from '../control.ts';
import { frameBytes, joinAddresses, NOTHING } from '../frame.ts';
import { decodeParameters, encodeParameters, type HdlcParameters, negotiate, ownParameters } from '../parameters.ts';
import { rejectText } from '../reject.ts';
import { createHdlcScanner, type HdlcScanner } from '../scanner.ts';
import { addressesAt, frameText, Gate, newCounters } from './common.ts';
import { CLIENT_MODE, type ClientMode, type ClientModeEffect, type ClientModeInput } from './mode.ts';
import { hasLlc, MOST_QUEUED, TAKE, Transfer, type TransferOptions } from './transfer.ts';
import type { HdlcClient, HdlcClientOptions, HdlcClientSink, HdlcClientState, HdlcLinkCounters } from './types.ts';

/** LLC octets of what a client sends. */
const COMMAND_LLC = Uint8Array.of(0xe6, 0xe6, 0x00);
/** Where polling cannot be left to the user: a busy server, an information that stopped half-way. */
const LEAST_POLL_INTERVAL = 200;

export function createHdlcClient(options: HdlcClientOptions, sink: HdlcClientSink): HdlcClient {
  return new Client(options, sink);
}

class Client implements HdlcClient {
  readonly counters: HdlcLinkCounters = newCounters();
  readonly #options: HdlcClientOptions;
  readonly #sink: HdlcClientSink;
  readonly #own: HdlcParameters;
  readonly #transferOptions: TransferOptions;
  readonly #scanner: HdlcScanner;
  readonly #llc: boolean;
  readonly #retries: number;
  readonly #responseTimeout: number;
  readonly #pollInterval: number;
  readonly #answerTimeout: number;
  readonly #busyTimeout: number;
  readonly #keepAlive: number;
  /** Destination and source of what is sent, and of what is for us. */
  readonly #there: Uint8Array;
  readonly #here: Uint8Array;

  #mode: ClientMode = { type: 'disconnected' };
  #transfer: Transfer | undefined;
  /** Changes with every link, so that a callback can be seen to have ended it. */
  #epoch = 0;
  #now = 0;
  readonly #gate = new Gate((bytes) => this.#scanner.push(bytes));

  /** The server has the word until `#deadline`. */
  #polling = false;
  #deadline = Number.POSITIVE_INFINITY;
  #attempts = 0;
  /** I frames in the current turn. */
  #sent = 0;
  /** When to poll although there is nothing to send. */
  #pollAt = Number.POSITIVE_INFINITY;
  #pollWanted = false;
  /** I frames were lost: ask for them. */
  #gap = false;
  #answerDue = false;
  #lastProgress = 0;
  #peerBusySince = -1;
  #busy = false;
  #closing = false;
  /** What was refused since the last poll: a timeout's error shows it. */
  #lastDrop: Drop | undefined;

  constructor(options: HdlcClientOptions, sink: HdlcClientSink) {
    this.#options = options;
    this.#sink = sink;
    this.#own = ownParameters(options.limits);
    this.#llc = options.llc !== false;
    this.#transferOptions = {
      maxInformation: options.maxInformation ?? 131_072,
      maxQueued: options.maxQueued ?? 64,
      maxQueuedOctets: options.maxQueuedOctets ?? MOST_QUEUED,
      prefix: this.#llc ? COMMAND_LLC : NOTHING,
    };
    this.#retries = options.retries ?? 3;
    this.#responseTimeout = options.responseTimeout ?? 5_000;
    this.#pollInterval = options.pollInterval ?? 200;
    this.#answerTimeout = options.answerTimeout ?? 60_000;
    this.#busyTimeout = options.busyTimeout ?? 60_000;
    this.#keepAlive = options.keepAlive ?? 0;
    this.#there = joinAddresses(options.server, options.client);
    this.#here = joinAddresses(options.client, options.server);
    this.#scanner = createHdlcScanner({
      frame: (buf, start, infoStart, infoEnd) => this.#frame(buf, start, infoStart, infoEnd),
      drop: (d) => {
        this.counters.dropped++;
        this.#lastDrop = d;
      },
    });
  }

  get state(): HdlcClientState {
    return this.#mode.type;
  }

  get parameters(): HdlcParameters | undefined {
    return this.#transfer?.parameters;
  }

  // ------------------------------------------------ what the user asks for

  connect(now: number): void {
    if (this.#mode.type !== 'disconnected') throw new MisuseError(`connect in state ${this.#mode.type}`);
    this.#now = now;
    this.#guarded(() => this.#input({ type: 'connect' }));
  }

  send(information: Uint8Array, now: number, answer = true): void {
    const transfer = this.#transfer;
    if (!transfer || this.#closing) throw new MisuseError(`send in state ${this.#mode.type}: connect first`);
    transfer.queue(information);
    this.#now = now;
    this.#answerDue = answer;
    this.#lastProgress = now;
    this.#turn();
  }

  poll(now: number): void {
    if (!this.#transfer) throw new MisuseError(`poll in state ${this.#mode.type}: connect first`);
    this.#now = now;
    this.#pollWanted = true;
    this.#turn();
  }

  sendUnnumbered(information: Uint8Array, now: number, poll = false): void {
    this.#now = now;
    this.#write(
      frameBytes(
        this.#there,
        CONTROL.UI | (poll && !isAllStation(this.#options.server) ? PF : 0),
        false,
        this.#transferOptions.prefix,
        information,
        0,
        information.length,
      ),
    );
  }

  setBusy(busy: boolean, now: number): void {
    this.#now = now;
    if (this.#busy === busy) return;
    this.#busy = busy;
    if (!busy && this.#transfer) {
      this.#pollWanted = true;
      this.#turn();
    }
  }

  disconnect(now: number): void {
    this.#now = now;
    if (this.#mode.type === 'connected' && this.#polling) this.#closing = true;
    else this.#guarded(() => this.#input({ type: 'disconnect' }));
  }

  reset(): void {
    this.#mode = { type: 'disconnected' };
    this.#forget();
    this.#scanner.idle();
  }

  receive(bytes: Uint8Array, now: number): void {
    this.#now = now;
    this.#gate.receive(bytes);
  }

  idle(now: number): void {
    this.#now = now;
    this.#guarded(() => this.#scanner.idle());
  }

  tick(now: number): void {
    this.#now = now;
    if (now >= this.#deadline) {
      const before = this.#deadline;
      this.#guarded(() => {
        // What waits for its rest may hide an answer, and will get no rest.
        this.#scanner.idle();
        if (this.#deadline === before) this.#timeout();
      });
    } else if (now >= this.#pollAt) {
      this.#pollAt = Number.POSITIVE_INFINITY;
      this.#pollWanted = true;
      this.#turn();
    }
  }

  nextDeadline(): number {
    return Math.min(this.#deadline, this.#pollAt);
  }

  #guarded(work: () => void): void {
    this.#gate.enter();
    try {
      work();
    } finally {
      this.#gate.leave();
    }
  }

  /** `#pump` at the user's request. */
  #turn(): void {
    this.#gate.enter();
    try {
      this.#pump(false);
    } finally {
      this.#gate.leave();
    }
  }

  // ------------------------------------------------ mode

  #input(input: ClientModeInput, why?: () => string): void {
    const { state, effects } = step(CLIENT_MODE, this.#mode, input);
    const before = this.#mode;
    this.#mode = state;
    for (const effect of effects) this.#perform(effect, before, why);
  }

  #perform(effect: ClientModeEffect, before: ClientMode, why?: () => string): void {
    switch (effect) {
      case 'sendSnrm': {
        const info = this.#options.negotiate === false ? NOTHING : encodeParameters(this.#own);
        if (before.type === 'disconnected') this.#forget();
        this.#command(CONTROL.SNRM, info);
        break;
      }
      case 'sendDisc':
        this.#forget();
        this.#command(CONTROL.DISC, NOTHING);
        break;
      case 'up':
        this.#deadline = Number.POSITIVE_INFINITY;
        this.#schedule();
        this.#sink.connected((this.#transfer as Transfer).parameters);
        break;
      case 'downRequested':
      case 'downPeer':
        this.#forget();
        this.#sink.disconnected(effect === 'downRequested' ? 'requested' : 'peer');
        break;
      case 'refused':
      case 'silent':
      case 'broken': {
        const message = `HDLC link ${this.#where(before)}: ${why ? why() : effect}`;
        this.#forget();
        this.#sink.failed(new LinkError(message));
        break;
      }
      case 'ignored':
        this.counters.ignored++;
    }
  }

  /** SNRM or DISC, and the wait for UA. */
  #command(control: number, info: Uint8Array): void {
    this.#deadline = this.#now + this.#responseTimeout;
    this.#lastDrop = undefined;
    this.#write(frameBytes(this.#there, control | PF, false, NOTHING, info, 0, info.length));
  }

  /** Nothing of the link is left. */
  #forget(): void {
    this.#epoch++;
    this.#transfer = undefined;
    this.#polling = false;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#pollAt = Number.POSITIVE_INFINITY;
    this.#attempts = 0;
    this.#sent = 0;
    this.#pollWanted = false;
    this.#gap = false;
    this.#answerDue = false;
    this.#peerBusySince = -1;
    this.#busy = false;
    this.#closing = false;
    this.#lastDrop = undefined;
  }

  #where(mode: ClientMode): string {
    const t = this.#transfer;
    const numbers = t ? `, V(S) ${t.vs}, V(A) ${t.va}, V(R) ${t.vr}` : '';
    return `to server ${toHex(this.#there.subarray(0, this.#there.length - this.#options.client.length)).toUpperCase()} in state ${mode.type}${numbers}`;
  }

  #broken(expected: string, buf: Uint8Array, start: number, end: number): void {
    this.#input({ type: 'broken' }, () => `expected ${expected}, came ${frameText(buf, start, end)}`);
  }

  #timeout(): void {
    this.counters.timeouts++;
    this.#deadline = Number.POSITIVE_INFINITY;
    const t = this.#transfer;
    if (t && this.#closing) {
      this.#input({ type: 'disconnect' });
      return;
    }
    if (!t || this.#attempts >= this.#retries) {
      this.#input({ type: 'timeout', retries: this.#retries }, () => this.#silence());
      return;
    }
    this.#attempts++;
    this.#polling = false;
    t.taken = 0;
    if (t.unacknowledged === 1) {
      t.goBack();
      this.#pump(true);
    } else this.#poll();
  }

  #silence(): string {
    const t = this.#transfer;
    const expected = t ? (t.unacknowledged > 0 ? `an answer with N(R) ${t.top}` : 'an answer to a poll') : 'UA';
    const d = this.#lastDrop;
    const came = d
      ? `only ${d.length} octets that are no frame (${d.reason}): ${toHex(d.excerpt.subarray(0, 64)).toUpperCase()}`
      : 'nothing';
    return `expected ${expected} within ${this.#responseTimeout} ms, asked ${this.#retries + 1} times, came ${came}`;
  }

  // ------------------------------------------------ frames in

  #frame(buf: Uint8Array, start: number, infoStart: number, infoEnd: number): void {
    this.counters.framesIn++;
    const here = this.#here;
    for (let i = 0; i < here.length; i++)
      if (buf[start + 2 + i] !== here[i]) {
        this.#foreign(buf, start, infoStart, infoEnd);
        return;
      }
    const control = buf[start + 2 + here.length] as number;
    if ((control & 1) === 0) this.#informationFrame(buf, start, infoStart, infoEnd, control);
    else {
      const low = control & 0x0f;
      if (low === CONTROL.RR || low === CONTROL.RNR) this.#supervisoryFrame(buf, start, infoEnd, control);
      else this.#unnumberedFrame(buf, start, infoStart, infoEnd, control);
    }
  }

  #supervisoryFrame(buf: Uint8Array, start: number, infoEnd: number, control: number): void {
    const t = this.#transfer;
    if (!t) {
      this.counters.ignored++;
      return;
    }
    const nr = control >> 5;
    if (!t.validNr(nr)) {
      this.#broken(`N(R) from ${t.va} to ${t.top}`, buf, start, infoEnd + 2);
      return;
    }
    const progress = t.acknowledge(nr);
    const busy = (control & 0x0f) === CONTROL.RNR;
    if (!busy) this.#peerBusySince = -1;
    else if (this.#peerBusySince < 0) this.#peerBusySince = this.#now;
    if ((control & PF) === 0) return;
    // An answer to the one I frame sent acknowledges it; this one was on its way before.
    if (!this.#polling || (!busy && !progress && this.#sent === 1 && t.unacknowledged === 1)) {
      this.counters.ignored++;
      return;
    }
    this.#final(progress, false);
  }

  #informationFrame(buf: Uint8Array, start: number, infoStart: number, infoEnd: number, control: number): void {
    const t = this.#transfer;
    const segmented = ((buf[start] as number) & 0x08) !== 0;
    if (!t) {
      if (this.#mode.type !== 'disconnected') this.counters.ignored++;
      else this.#sink.stray?.(copyBytes(buf, infoStart, infoEnd), addressesAt(buf, start, infoEnd), segmented);
      return;
    }
    const ns = (control >> 1) & 7;
    if (t.isBehind(ns)) {
      this.counters.outOfSequence++;
      return;
    }
    const nr = control >> 5;
    if (!t.validNr(nr)) {
      this.#broken(`N(R) from ${t.va} to ${t.top}`, buf, start, infoEnd + 2);
      return;
    }
    let progress = t.acknowledge(nr);
    const take = this.#busy ? TAKE.overrun : t.take(buf, infoStart, infoEnd, ns, segmented);
    if (take === TAKE.segment || take === TAKE.complete) {
      progress = true;
      this.#lastProgress = this.#now;
      if (this.#polling) this.#deadline = this.#now + this.#responseTimeout;
      if (take === TAKE.complete) {
        this.#answerDue = false;
        const epoch = this.#epoch;
        this.#sink.information(t.completed);
        if (epoch !== this.#epoch) return;
      }
    } else if (take === TAKE.ahead || take === TAKE.overrun) {
      this.counters.outOfSequence++;
      this.#gap = true;
    } else {
      this.#broken(this.#expectedOf(take), buf, start, infoEnd + 2);
      return;
    }
    if (control & PF) {
      if (this.#polling) this.#final(progress, true);
      else this.counters.ignored++;
    }
  }

  #expectedOf(take: number): string {
    if (take === TAKE.tooLong) return `information of at most ${this.#transferOptions.maxInformation} octets`;
    return take === TAKE.badLlc ? 'the LLC octets E6 E7 00' : 'a segment with information';
  }

  /** The word is ours again. `information`: it came with an I frame. */
  #final(progress: boolean, information: boolean): void {
    const t = this.#transfer as Transfer;
    this.#polling = false;
    this.#deadline = Number.POSITIVE_INFINITY;
    t.taken = 0;
    if (!progress && (t.unacknowledged > 0 || this.#gap) && this.#peerBusySince < 0 && !this.#busy) {
      if (this.#attempts >= this.#retries) {
        const { va, top, vr } = t;
        this.#input(
          { type: 'broken' },
          () =>
            `expected N(R) beyond ${va} up to ${top}, or N(S) ${vr}, came ${this.#retries + 1} answers with neither`,
        );
        return;
      }
      this.#attempts++;
    } else this.#attempts = 0;
    t.goBack();
    this.#pump(information && progress);
  }

  #unnumberedFrame(buf: Uint8Array, start: number, infoStart: number, infoEnd: number, control: number): void {
    const came = () => `came ${frameText(buf, start, infoEnd + 2)}`;
    switch (control & ~PF) {
      case CONTROL.UI:
        this.#unnumbered(buf, start, infoStart, infoEnd, control);
        break;
      case CONTROL.UA:
        if (this.#mode.type === 'connecting') this.#accepted(buf, start, infoStart, infoEnd);
        else this.#input({ type: 'ua' });
        break;
      case CONTROL.DM:
        this.#input({ type: 'dm' }, () => `expected UA, the server refuses the link: ${came()}`);
        break;
      case CONTROL.FRMR:
        this.#input({ type: 'frmr' }, () => {
          const reason = rejectText(buf.subarray(infoStart, infoEnd));
          return `expected ${this.#transfer ? 'I, RR or RNR' : 'UA'}, the server rejects a frame (${reason}): ${came()}`;
        });
        break;
      default:
        this.counters.ignored++;
    }
  }

  #accepted(buf: Uint8Array, start: number, infoStart: number, infoEnd: number): void {
    let parameters: HdlcParameters;
    try {
      parameters = negotiate(this.#own, decodeParameters(buf.subarray(infoStart, infoEnd)));
    } catch (e) {
      this.#broken(`UA with parameters (${(e as Error).message})`, buf, start, infoEnd + 2);
      return;
    }
    this.#transfer = new Transfer(this.#transferOptions, parameters);
    this.#input({ type: 'ua' });
  }

  /** A frame that is not from our server to us. */
  #foreign(buf: Uint8Array, start: number, infoStart: number, infoEnd: number): void {
    const end = infoEnd + 2;
    const source = start + 2 + addressLength(buf, start + 2, end);
    const control = buf[source + addressLength(buf, source, end)] as number;
    if ((control & ~PF) === CONTROL.UI) this.#unnumbered(buf, start, infoStart, infoEnd, control);
    else if ((control & 1) === 0 && this.#sink.stray) {
      const segmented = ((buf[start] as number) & 0x08) !== 0;
      this.#sink.stray(copyBytes(buf, infoStart, infoEnd), addressesAt(buf, start, infoEnd), segmented);
    } else this.counters.ignored++;
  }

  #unnumbered(buf: Uint8Array, start: number, infoStart: number, infoEnd: number, control: number): void {
    const from = this.#llc && hasLlc(buf, infoStart, infoEnd) ? infoStart + 3 : infoStart;
    this.#sink.unnumbered?.(copyBytes(buf, from, infoEnd), addressesAt(buf, start, infoEnd), (control & PF) !== 0);
  }

  // ------------------------------------------------ frames out

  /** Uses the word, when it is ours: I frames, or RR, or nothing. `more`: the peer has more, by the look of it. */
  #pump(more: boolean): void {
    const t = this.#transfer;
    if (!t || this.#polling) return;
    this.#pollAt = Number.POSITIVE_INFINITY;
    if (this.#closing) {
      this.#input({ type: 'disconnect' });
      return;
    }
    if (this.#peerBusySince < 0 && t.canSend) {
      this.#sendWindow(t);
      return;
    }
    if (this.#peerBusySince >= 0 && this.#now - this.#peerBusySince > this.#busyTimeout) {
      this.#input({ type: 'broken' }, () => `expected RR within ${this.#busyTimeout} ms, came only RNR`);
      return;
    }
    if (t.joining && this.#now - this.#lastProgress > this.#answerTimeout) {
      const { vr } = t;
      this.#input(
        { type: 'broken' },
        () => `expected the rest of an information from N(S) ${vr} on within ${this.#answerTimeout} ms, came none`,
      );
      return;
    }
    if (this.#pollWanted || this.#gap || (more && t.joining)) this.#poll();
    else this.#schedule();
  }

  #sendWindow(t: Transfer): void {
    this.#gap = false;
    this.#pollWanted = false;
    this.#polling = true;
    this.#deadline = this.#now + this.#responseTimeout;
    this.#lastDrop = undefined;
    this.#sent = 0;
    while (t.canSend) {
      if (t.vs !== t.top) this.counters.repeated++;
      this.#sent++;
      this.#write(t.next(this.#there, true));
    }
  }

  /** Gives the server the word, with nothing to say but what came over. */
  #poll(): void {
    const t = this.#transfer as Transfer;
    this.#gap = false;
    this.#pollWanted = false;
    this.#polling = true;
    this.#deadline = this.#now + this.#responseTimeout;
    this.#lastDrop = undefined;
    this.#sent = 0;
    const control = (this.#busy ? CONTROL.RNR : CONTROL.RR) | PF | (t.vr << 5);
    this.#write(frameBytes(this.#there, control, false, NOTHING, NOTHING, 0, 0));
  }

  /** When to poll next, if nobody asks for anything. */
  #schedule(): void {
    const t = this.#transfer as Transfer;
    const { joining } = t;
    if (this.#answerDue && this.#now - this.#lastProgress > this.#answerTimeout) this.#answerDue = false;
    if (joining || (this.#peerBusySince >= 0 && t.pending))
      this.#pollAt = this.#now + (this.#pollInterval || LEAST_POLL_INTERVAL);
    else if (this.#answerDue && this.#pollInterval > 0) this.#pollAt = this.#now + this.#pollInterval;
    else if (this.#keepAlive > 0) this.#pollAt = this.#now + this.#keepAlive;
    if (this.#busy && this.#keepAlive === 0) this.#pollAt = Number.POSITIVE_INFINITY;
  }

  #write(frame: Uint8Array): void {
    this.counters.framesOut++;
    this.#sink.write(frame);
  }
}
