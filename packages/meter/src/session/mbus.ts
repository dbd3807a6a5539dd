/**
 * APDUs over wired M-Bus (EN 13757-2 link layer, EN 13757-4 transport; DLMS UA Green Book, M-Bus based profile): the
 * client is the master. SND_NKE opens, SND_UD carries a segment each and is acknowledged by E5, REQ_UD2 asks for the
 * segments of an answer until the last.
 *
 * Decides: what is sent again when nothing comes, by frame count bits, and when a slave that says E5 ("nothing yet") is
 * asked again. Leaves out: selection by secondary address, and broadcasts.
 */
import { LinkError } from '@amiable/bytes';
import {
  createMbusReceiver,
  encodeLongFrame,
  encodeShortFrame,
  type LongFrame,
  splitTransport,
  transportSegment,
} from '@amiable/mbus';
import { joinParts } from '../assembly.ts';
import { type Alarm, createAlarm } from './alarm.ts';
import { TransportLink } from './transport-link.ts';
import type { ApduTransport, ApduTransportEvents, SessionClock, SessionLink } from './types.ts';

export interface MbusTransportOptions {
  /** Primary address of the slave, 1 to 250. */
  readonly address: number;
  /** Service access points: STSAP of the client, DTSAP of the server; 16 and 1 unless said. */
  readonly client?: number;
  readonly server?: number;
  /** Until a frame is answered, ms; 500 unless said. */
  readonly responseTimeout?: number;
  /** How often a frame is sent again; 3 unless said. */
  readonly retries?: number;
  /** Between questions to a slave that has no answer yet, ms; 200 unless said. */
  readonly pollInterval?: number;
  /** Longest APDU that is joined; 65536 unless said. */
  readonly maxBytes?: number;
}

const SND_NKE = 0x40;
const SND_UD = 0x53;
const REQ_UD2 = 0x5b;
const FCB = 0x20;

export function mbusTransport(link: SessionLink, clock: SessionClock, options: MbusTransportOptions): ApduTransport {
  return new MbusTransport(link, clock, options);
}

class MbusTransport implements ApduTransport {
  readonly #inner: TransportLink;
  readonly #clock: SessionClock;
  readonly #options: Required<MbusTransportOptions>;
  readonly #alarm: Alarm;
  readonly patience: number;
  readonly #receiver: ReturnType<typeof createMbusReceiver>;
  /** Frames not yet acknowledged, the first is on the line. */
  #queue: Uint8Array[] = [];
  #state: 'idle' | 'sending' | 'asking' | 'pausing' = 'idle';
  #answered = false;
  #attempts = 0;
  /** Of SND_UD and of REQ_UD2: slaves that take and give several telegrams keep two. */
  #sendBit = FCB;
  #askBit = FCB;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #opened: ((error?: Error) => void) | undefined;

  constructor(link: SessionLink, clock: SessionClock, options: MbusTransportOptions) {
    this.#inner = new TransportLink(link);
    this.#clock = clock;
    const usual = { client: 16, server: 1, responseTimeout: 500, retries: 3, pollInterval: 200, maxBytes: 65_536 };
    this.#options = { ...usual, ...options };
    this.patience = this.#options.responseTimeout * (this.#options.retries + 1) + 1000;
    this.#alarm = createAlarm(clock, () => this.#late());
    this.#receiver = createMbusReceiver({
      frame: (frame) => this.#frame(frame),
      acknowledge: () => this.#acknowledged(),
      drop: () => {},
    });
  }

  get describe(): string {
    return this.#inner.describe;
  }

  async open(events: ApduTransportEvents): Promise<void> {
    const closed = (error: Error): void => {
      this.#alarm.stop();
      if (this.#opened) this.#opened(error);
      else events.closed(error);
    };
    await this.#inner.start({ ...events, closed }, (bytes) => this.#receiver.push(bytes));
    await new Promise<void>((resolve, reject) => {
      this.#opened = (error) => (error ? reject(error) : resolve());
      this.#queue = [encodeShortFrame(SND_NKE, this.#options.address)];
      this.#go('sending');
    });
    this.#opened = undefined;
  }

  send(apdu: Uint8Array, answered: boolean): void {
    const { address, client, server } = this.#options;
    for (const part of splitTransport(apdu, client, server)) {
      this.#queue.push(encodeLongFrame({ ...part, address, control: SND_UD | this.#sendBit }));
      this.#sendBit ^= FCB;
    }
    this.#answered = answered;
    if (this.#state === 'idle' || this.#state === 'pausing') this.#go('sending');
  }

  more(): void {
    if (this.#state === 'idle') this.#ask();
  }

  #ask(): void {
    this.#queue = [encodeShortFrame(REQ_UD2 | this.#askBit, this.#options.address)];
    this.#askBit ^= FCB;
    this.#go('asking');
  }

  #go(state: 'sending' | 'asking'): void {
    this.#state = state;
    this.#attempts = 0;
    this.#write();
  }

  #write(): void {
    const frame = this.#queue[0];
    if (!frame) return;
    this.#receiver.idle();
    this.#inner.write(frame);
    this.#alarm.set(this.#clock.now() + this.#options.responseTimeout);
  }

  #late(): void {
    if (this.#state === 'pausing') {
      this.#ask();
      return;
    }
    if (this.#state === 'idle') return;
    if (++this.#attempts <= this.#options.retries) {
      this.#write();
      return;
    }
    const what = this.#state === 'asking' ? 'REQ_UD2' : this.#opened ? 'SND_NKE' : 'SND_UD';
    this.#inner.fail(
      new LinkError(
        `${this.describe}: the M-Bus slave ${this.#options.address} did not answer ${what}; expected E5 or RSP_UD`,
      ),
    );
  }

  #acknowledged(): void {
    if (this.#state === 'asking') {
      // Nothing yet: asked again later, until the session's own time is up.
      this.#state = 'pausing';
      this.#alarm.set(this.#clock.now() + this.#options.pollInterval);
      return;
    }
    if (this.#state !== 'sending') return;
    this.#queue.shift();
    if (this.#queue.length > 0) {
      this.#attempts = 0;
      this.#write();
      return;
    }
    this.#state = 'idle';
    this.#alarm.set(Number.POSITIVE_INFINITY);
    this.#opened?.();
    if (this.#answered && !this.#opened) this.#ask();
  }

  #frame(frame: LongFrame): void {
    const { address, client, server, maxBytes } = this.#options;
    if (this.#state !== 'asking' || frame.address !== address) return;
    const segment = transportSegment(frame);
    if (!segment || segment.source !== server || segment.destination !== client) return;
    if (segment.sequence !== (this.#parts.length & 0x0f)) {
      // The one before once more: our next question was lost.
      if (segment.sequence === ((this.#parts.length - 1) & 0x0f)) this.#ask();
      return;
    }
    this.#parts.push(segment.data.slice());
    this.#bytes += segment.data.length;
    if (this.#bytes > maxBytes) {
      this.#inner.fail(new LinkError(`${this.describe}: an APDU of more than ${maxBytes} bytes`));
      return;
    }
    if (!segment.final) {
      this.#ask();
      return;
    }
    const apdu = joinParts(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    this.#queue = [];
    this.#state = 'idle';
    this.#answered = false;
    this.#alarm.set(Number.POSITIVE_INFINITY);
    this.#inner.apdu(apdu);
  }

  trouble(): string {
    const { dropped } = this.#receiver.counters;
    const n = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    const half = this.#bytes > 0 ? `${this.#bytes} bytes of an unfinished APDU came; ` : '';
    return n > 0 ? `${half}${n} frames or runs of noise were dropped` : half;
  }

  close(): Promise<void> {
    this.#alarm.stop();
    this.#state = 'idle';
    return this.#inner.close();
  }
}
