/**
 * A master on a line: the operations of master.ts over a link, one after the other, with the times of exchange.ts.
 *
 * Decides: what is repeated; that the line has been silent for a pause before each question; that an operation can be called off.
 */
import { LinkError } from '@amiable/bytes';
import type { RecordToSend } from '../application/types.ts';
import type { LongFrame } from '../frame.ts';
import type { SecondaryAddress } from '../link.ts';
import { PAUSE_BITS } from '../link.ts';
import { type Answer, createExchange, type Exchange } from './exchange.ts';
import {
  createMbusMaster,
  type Found,
  isFailure,
  type MasterOptions,
  type Operation,
  type Question,
  type SlaveAddress,
} from './master.ts';

/** The part of a link (package io) that a session uses. */
export interface MbusLink {
  readonly describe: string;
  open(events: { data(bytes: Uint8Array): void; closed(error?: Error): void }): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Serial lines only; elsewhere the rate is the adapter's. */
  setBaud?(baud: number): Promise<void>;
}

export interface MbusClock {
  now(): number;
  after(ms: number, fn: () => void): () => void;
}

export interface MbusSessionOptions extends MasterOptions {
  readonly link: MbusLink;
  readonly clock: MbusClock;
  /** 2400 unless said. */
  readonly baud?: number;
  /** What adapter and network delay, ms; 100 unless said. */
  readonly latency?: number;
  readonly signal?: AbortSignal;
  /** Frames as they are sent and heard. */
  readonly trace?: (direction: 'sent' | 'received', bytes: Uint8Array, at: number) => void;
}

export interface MbusSession {
  readonly describe: string;
  readonly baud: number;
  read(address: SlaveAddress): Promise<LongFrame[]>;
  readAlarm(address: SlaveAddress): Promise<LongFrame | undefined>;
  write(address: SlaveAddress, records: readonly RecordToSend[] | Uint8Array): Promise<void>;
  select(address: SecondaryAddress): Promise<Answer>;
  applicationReset(address: SlaveAddress, subcode?: number): Promise<void>;
  setBaud(address: SlaveAddress, baud: number): Promise<void>;
  setPrimary(address: SlaveAddress, to: number): Promise<void>;
  scanPrimary(first?: number, last?: number): Promise<Found[]>;
  scanSecondary(pattern?: Partial<SecondaryAddress>): Promise<Found[]>;
  close(): Promise<void>;
}

/** Opens the link. @throws what the link throws */
export async function createMbusSession(options: MbusSessionOptions): Promise<MbusSession> {
  const session = new Session(options);
  await session.open();
  return session;
}

/** How long a pause on the line is waited for, ms: twice the longest frame at 300 Bd is shorter. */
const MOST_WAITING = 20_000;

class Session implements MbusSession {
  readonly #options: MbusSessionOptions;
  readonly #master: ReturnType<typeof createMbusMaster>;
  readonly #latency: number;
  #baud: number;
  #exchange: Exchange | undefined;
  #changed: (() => void) | undefined;
  #lost: Error | undefined;
  #quietUntil = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MbusSessionOptions) {
    this.#options = options;
    this.#baud = options.baud ?? 2400;
    this.#latency = options.latency ?? 100;
    this.#master = createMbusMaster(options);
  }

  get describe(): string {
    return this.#options.link.describe;
  }

  get baud(): number {
    return this.#baud;
  }

  async open(): Promise<void> {
    const { link, clock, signal } = this.#options;
    signal?.addEventListener('abort', () => this.#end(new LinkError('called off')), { once: true });
    await link.open({
      data: (bytes) => {
        const now = clock.now();
        this.#quietUntil = now + this.#pause();
        this.#options.trace?.('received', bytes, now);
        this.#exchange?.push(bytes, now);
        this.#changed?.();
      },
      closed: (error) => this.#end(error ?? new LinkError(`${link.describe}: the line was closed`)),
    });
    if (signal?.aborted) this.#end(new LinkError('called off'));
  }

  #pause(): number {
    return (PAUSE_BITS * 1000) / this.#baud;
  }

  #end(error: Error): void {
    this.#lost ??= error;
    this.#changed?.();
  }

  /** One operation after the other. */
  #run<T>(operation: Operation<T>): Promise<T> {
    const result = this.#last.then(() => this.#drive(operation));
    this.#last = result.catch(() => {});
    return result;
  }

  async #drive<T>(operation: Operation<T>): Promise<T> {
    let step = operation.next();
    while (!step.done) {
      const question = step.value;
      let answer = await this.#ask(question);
      for (let n = 0; n < question.repeats && isFailure(answer); n++) answer = await this.#ask(question);
      step = operation.next(answer);
    }
    return step.value;
  }

  async #ask(question: Question): Promise<Answer> {
    const { link, clock, trace } = this.#options;
    if (question.baud !== undefined) {
      await link.setBaud?.(question.baud);
      this.#baud = question.baud;
      return { kind: 'silence' };
    }
    // A line that is never silent is spoken into all the same: what comes of it says more than waiting for ever.
    const patience = clock.now() + MOST_WAITING;
    await this.#until(() => Math.min(this.#quietUntil, patience));
    if (this.#lost) throw this.#lost;
    const exchange = createExchange(
      question.bytes,
      clock.now(),
      { baud: this.#baud, latency: this.#latency },
      question.answered,
    );
    this.#exchange = exchange;
    trace?.('sent', question.bytes, clock.now());
    // Whether the write or the answer settles first does not matter; a failed write ends the session.
    link.write(question.bytes).catch((error: unknown) => this.#end(error as Error));
    while (exchange.answer === undefined) {
      await this.#until(() => exchange.deadline);
      if (this.#lost) throw this.#lost;
      exchange.wake(clock.now());
    }
    this.#exchange = undefined;
    return exchange.answer;
  }

  /** Waits until a time that may move while octets arrive; returns early when the line is lost. */
  #until(deadline: () => number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      let cancel = (): void => {};
      const look = (): void => {
        cancel();
        const left = deadline() - clock.now();
        if (this.#lost || left <= 0) {
          this.#changed = undefined;
          resolve();
        } else cancel = clock.after(left, look);
      };
      this.#changed = look;
      look();
    });
  }

  read = (address: SlaveAddress) => this.#run(this.#master.read(address));
  readAlarm = (address: SlaveAddress) => this.#run(this.#master.readAlarm(address));
  write = (address: SlaveAddress, records: readonly RecordToSend[] | Uint8Array) =>
    this.#run(this.#master.write(address, records));
  select = (address: SecondaryAddress) => this.#run(this.#master.select(address));
  applicationReset = (address: SlaveAddress, subcode?: number) =>
    this.#run(this.#master.applicationReset(address, subcode));
  setBaud = (address: SlaveAddress, baud: number) => this.#run(this.#master.setBaud(address, baud, this.#baud));
  setPrimary = (address: SlaveAddress, to: number) => this.#run(this.#master.setPrimary(address, to));
  scanPrimary = (first?: number, last?: number) => this.#run(this.#master.scanPrimary(first, last));
  scanSecondary = (pattern?: Partial<SecondaryAddress>) => this.#run(this.#master.scanSecondary(pattern));

  async close(): Promise<void> {
    this.#end(new LinkError(`${this.describe}: closed`));
    await this.#options.link.close();
  }
}
