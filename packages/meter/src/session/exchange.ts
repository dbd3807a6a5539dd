/**
 * Drives a client association over a transport: one operation after the other, each one promise, one timer for all.
 *
 * Decides: how long is waited, and for what; what ends the session: time that is up, a line that is gone, an answer that
 * cannot be. Blocks that may have been lost are asked for once more before time counts as up. A request that was refused for
 * its invocation counter is tried once more with the counter that the refusal names. After the end every operation fails
 * with the reason. Leaves out: what operations mean (session.ts).
 */
import { LinkError } from '@amiable/bytes';
import {
  type ClientAssociation,
  createClientAssociation,
  DlmsPeerError,
  excerpt,
  type Indication,
  type Outcome,
  type Step,
} from '@amiable/dlms';
import { type Alarm, createAlarm } from './alarm.ts';
import { associationOptions } from './security.ts';
import {
  type ApduTransport,
  SESSION_TIMEOUTS,
  type SessionClock,
  type SessionOptions,
  type SessionTimeouts,
} from './types.ts';

interface Job {
  readonly start: (association: ClientAssociation) => Step;
  readonly finish: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  /** Time for an answer. */
  readonly answer: number;
  retried: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;
const NOTHING: Uint8Array = new Uint8Array(0);

export class Exchange {
  readonly association: ClientAssociation;
  readonly #transport: ApduTransport;
  readonly #clock: SessionClock;
  readonly #options: SessionOptions;
  readonly #timeouts: SessionTimeouts;
  readonly #patience: number;
  readonly #alarm: Alarm;
  readonly #waiting: Job[] = [];
  readonly #outbox: Uint8Array[] = [];
  readonly #listeners = new Set<(indication: Indication) => void>();
  /** Associated: from here on its end is told. */
  established = false;
  /** The user ends it. */
  leaving = false;
  #sending = false;
  #job: Job | undefined;
  #answerBy = NEVER;
  #operationBy = NEVER;
  #last = NOTHING;
  /** Why it is over. Words where the user ended it: an error with its stack is costly, and mostly nobody asks. */
  #over: Error | string | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#timeouts = { ...SESSION_TIMEOUTS, ...options.timeouts };
    this.#patience = options.transport.patience ?? 0;
    this.#alarm = createAlarm(options.clock, () => this.#timeUp());
    const { trace, onNotification } = options;
    if (onNotification) this.#listeners.add(onNotification);
    this.association = createClientAssociation({
      ...associationOptions(options),
      ...(trace && {
        trace: (direction, apdu, plain) =>
          trace({ direction, time: options.clock.now(), apdu, ...(plain && { plain }) }),
      }),
    });
  }

  get describe(): string {
    return this.#transport.describe;
  }

  get over(): boolean {
    return this.#over !== undefined;
  }

  listen(listener: (indication: Indication) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @throws LinkError when it cannot be opened in time */
  async open(): Promise<void> {
    const { connect } = this.#timeouts;
    let cancel: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(connect, () => {
        reject(new LinkError(`${this.describe}: connecting: no connection in ${connect / 1000} s${this.#trouble()}`));
      });
    });
    try {
      const opened = this.#transport.open({
        apdu: (bytes) => this.#receive(bytes),
        progress: () => this.#progress(),
        closed: (error) => this.#lost(error),
      });
      await Promise.race([opened, late]);
    } catch (error) {
      this.#end(error as Error);
      await this.#transport.close();
      throw error;
    } finally {
      cancel?.();
    }
  }

  /**
   * Runs one operation after those before it. `finish` makes the result of its outcome, or throws.
   * @param answer other time for an answer than usual, ms
   */
  run<T>(
    start: (association: ClientAssociation) => Step,
    finish: (outcome: Outcome) => T,
    answer = this.#timeouts.answer,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (outcome: Outcome): void => {
        try {
          resolve(finish(outcome));
        } catch (error) {
          reject(error);
        }
      };
      const job: Job = { start, finish: done, reject, answer: Math.max(answer, this.#patience), retried: false };
      if (this.#job) this.#waiting.push(job);
      else this.#begin(job);
    });
  }

  #begin(job: Job): void {
    if (this.#over !== undefined) {
      job.reject(this.#reason());
      return;
    }
    this.#job = job;
    let step: Step;
    try {
      step = job.start(this.association);
    } catch (error) {
      this.#job = undefined;
      job.reject(error as Error);
      this.#beginNext();
      return;
    }
    this.#operationBy = this.#clock.now() + this.#timeouts.operation;
    this.#apply(step);
  }

  #reason(): Error {
    const over = this.#over ?? '';
    return typeof over === 'string' ? new LinkError(`${this.describe}: ${over}`) : over;
  }

  #beginNext(): void {
    const next = this.#job ? undefined : this.#waiting.shift();
    if (next) this.#begin(next);
  }

  #progress(): void {
    if (!this.#job || this.#answerBy === NEVER) return;
    this.#answerBy = this.#clock.now() + this.#job.answer;
    this.#alarm.set(Math.min(this.#answerBy, this.#operationBy));
  }

  #receive(bytes: Uint8Array): void {
    if (this.#over !== undefined) return;
    this.#last = bytes;
    this.#apply(this.association.receive(bytes));
  }

  #apply(step: Step): void {
    if (step.done) {
      this.#send(step.send, false);
      this.#settle(step.done);
    } else if (this.association.busy && this.#job) {
      this.#answerBy = this.#clock.now() + this.#job.answer;
      this.#alarm.set(Math.min(this.#answerBy, this.#operationBy));
      if (step.send.length > 0) this.#send(step.send, true);
      else this.#transport.more?.();
    } else this.#send(step.send, false);
    if (step.indication) for (const listener of this.#listeners) listener(step.indication);
  }

  /** In order, also where sending one brings the answer to it at once. */
  #send(apdus: readonly Uint8Array[], answered: boolean): void {
    if (apdus.length === 0) return;
    this.#outbox.push(...apdus);
    if (this.#sending) return;
    this.#sending = true;
    for (let next = this.#outbox.shift(); next; next = this.#outbox.shift())
      this.#transport.send(next, answered && this.#outbox.length === 0);
    this.#sending = false;
  }

  #settle(outcome: Outcome): void {
    const job = this.#job;
    this.#answerBy = this.#operationBy = NEVER;
    this.#alarm.set(NEVER);
    this.#job = undefined;
    if (job && !outcome.ok && this.#mayRetry(job, outcome.error)) {
      job.retried = true;
      this.#begin(job);
      return;
    }
    if (!outcome.ok && this.association.state === 'broken') this.#end(outcome.error);
    job?.finish(outcome);
    if (this.#over !== undefined) void this.#transport.close();
    else this.#beginNext();
  }

  #mayRetry(job: Job, error: Error): boolean {
    const expected = error instanceof DlmsPeerError ? error.expectedCounter : undefined;
    const counter = this.#options.security?.counter;
    if (expected === undefined || !counter?.raise || job.retried) return false;
    counter.raise(expected);
    return true;
  }

  #timeUp(): void {
    const job = this.#job;
    if (!job) return;
    const now = this.#clock.now();
    if (now < this.#operationBy - 1) {
      const again = this.association.repeat();
      if (again.length > 0) {
        this.#answerBy = now + job.answer;
        this.#alarm.set(Math.min(this.#answerBy, this.#operationBy));
        this.#send(again, true);
        return;
      }
    }
    const { doing, expecting } = this.association;
    const what =
      now < this.#operationBy - 1
        ? `no answer in ${job.answer / 1000} s`
        : `not finished in ${this.#timeouts.operation / 1000} s`;
    const last = `; the last that came: ${excerpt(this.#last)}`;
    this.#fail(new LinkError(`${doing}: ${what}; expected ${expecting}${last}${this.#trouble()}`));
  }

  #trouble(): string {
    const trouble = this.#transport.trouble?.() ?? '';
    return trouble === '' ? '' : `; ${trouble}`;
  }

  #lost(error: Error): void {
    if (this.#over !== undefined) return;
    const { doing, expecting } = this.association;
    const last = `; the last that came: ${excerpt(this.#last)}`;
    const what =
      doing === '' ? `associated, idle: ${error.message}` : `${doing}: ${error.message}; expected ${expecting}`;
    const failure = new LinkError(`${what}${last}${this.#trouble()}`, { cause: error });
    this.#fail(failure);
  }

  #fail(error: Error): void {
    const step = this.association.fail(error);
    this.#end(error);
    if (step.done) this.#settle(step.done);
    else void this.#transport.close();
  }

  /** The user ends it. */
  #leave(why: string): void {
    if (this.#job)
      this.#fail(new LinkError(`${this.association.doing}: ${why}; expected ${this.association.expecting}`));
    else this.#end(why);
  }

  /** Nothing more will be asked. */
  #end(reason: Error | string): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#alarm.stop();
    this.#outbox.length = 0;
    for (const job of this.#waiting.splice(0)) {
      const cause = this.#reason();
      job.reject(new LinkError(`the session is over: ${cause.message}`, { cause }));
    }
    if (this.established && !this.leaving) this.#options.onClosed?.(this.#reason());
  }

  /** Ends what is under way, and closes all. @param why in words, e.g. `the session was released` */
  async close(why: string): Promise<void> {
    this.leaving = true;
    if (this.#over === undefined) this.#leave(why);
    await this.#transport.close();
  }
}
