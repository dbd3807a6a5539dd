/**
 * Reads on demand: a run of one meter with the highest priority, that goes the way of all work, watched until it ends.
 *
 * Decides: what a read is to workers; how it stands, in a sentence for a person on the phone; how many one may have waiting. Leaves out:
 * reading itself (the workers), and what came (result.ts).
 */
import type { Caller, Scope } from '@amiable/model';
import type { Job, JobRow, MeterId, Run, RunId, Store } from '@amiable/store';
import { HttpError } from '../../http/error.ts';
import type { Read, ReadBody } from './schema.ts';

/** Nobody on the phone waits longer. */
const EXPIRES = 10 * 60_000;
/** Reads of one caller that have not ended. */
export const MOST_PENDING = 20;
const POLL = 250;
const MOST_WATCHED = 2000;
/** A worker that was not heard for so long is none. */
const WORKER_GONE = 60_000;
const DAY = 86_400_000;

/** A second try, for a line that broke; more is a task's. */
const RETRY = { tries: 2, pause: 2000, factor: 1, longest: 2000, jitter: 0, decay: 0 };

export interface ReadsOptions {
  readonly store: Pick<Store, 'work' | 'reads' | 'journal'>;
  readonly now: () => number;
  /** Waiting between two looks at the database while somebody watches; the machine's timer unless given. */
  readonly after?: (ms: number, fn: () => void) => () => void;
}

export interface Reads {
  /** @throws HttpError 429 where too many of the caller's wait */
  order(meter: { readonly id: MeterId; readonly serial: string }, body: ReadBody, caller: Caller): Promise<Read>;
  /** Undefined for what is no read, or one of a meter outside of the scope. */
  get(id: RunId, scope: Scope): Promise<Read | undefined>;
  ofMeter(meter: MeterId, limit: number, scope: Scope): Promise<Read[]>;
  cancel(id: RunId, scope: Scope): Promise<Read | undefined>;
  /** Tells each change until the read ends or it is called off; looked for as long as somebody watches. */
  watch(id: RunId, scope: Scope, changed: (read: Read) => void): () => void;
  /** What was ordered: of a read that is known. */
  body(id: RunId): Promise<{ readonly body: ReadBody; readonly run: Run } | undefined>;
  close(): void;
}

const kindOf = (body: ReadBody): Job['kind'] => {
  if (body.what === 'registers') return 'registers';
  if (body.what === 'events') return 'events';
  return body.profile === 'daily' || body.profile === 'monthly' ? body.profile : 'profile';
};

/** As tasks of this kind are written (parameterSchemas of @amiable/tasks). */
function parametersOf(body: ReadBody, now: number): Readonly<Record<string, unknown>> {
  if (body.what === 'registers') return body.registers ? { registers: body.registers } : { set: body.set ?? 'billing' };
  if (body.what === 'profile')
    return { profile: body.profile, from: body.from, to: body.to, ...(body.again && { again: true }) };
  return { ...(body.log !== undefined && { log: body.log }), from: body.from ?? now - 30 * DAY };
}

function wordsOf(body: ReadBody): string {
  if (body.what === 'registers')
    return body.registers ? body.registers.slice(0, 5).join(', ') : `registers ${body.set ?? 'billing'}`;
  if (body.what === 'events') return `events${body.log === undefined ? '' : ` of ${body.log}`}`;
  return `profile ${body.profile}`;
}

export function createReads({ store, now, after = later }: ReadsOptions): Reads {
  const watched = new Map<RunId, Set<{ scope: Scope; changed: (read: Read) => void; last: string }>>();
  let cancelPoll = (): void => {};
  let polling = false;
  let closed = false;

  async function readOf(run: Run, scope: Scope): Promise<Read | undefined> {
    const ordered = run.definition.onDemand as ReadBody | undefined;
    if (!ordered) return undefined;
    const [job] = await store.work.runs.jobs(run.id, { limit: 1, scope });
    if (!job) return undefined;
    const { from, to } = ordered as { from?: number; to?: number };
    const state = stateOf(run, job);
    return {
      id: run.id,
      meter: job.meter,
      serial: job.serial,
      what: ordered.what,
      ...('set' in ordered && ordered.set !== undefined && { set: ordered.set }),
      ...('registers' in ordered && ordered.registers !== undefined && { registers: [...ordered.registers] }),
      ...('profile' in ordered && { profile: ordered.profile }),
      ...('log' in ordered && ordered.log !== undefined && { log: ordered.log }),
      ...(from !== undefined && { from: new Date(from).toISOString() }),
      ...(to !== undefined && { to: new Date(to).toISOString() }),
      state,
      sentence: await sentenceOf(run, job, state),
      asked: new Date(run.created).toISOString(),
      ended: job.ended === null ? null : new Date(job.ended).toISOString(),
      by: run.creator,
      tries: job.attempts,
      stored: job.stored,
      transaction: run.transaction,
      result: null,
    };
  }

  async function sentenceOf(run: Run, job: JobRow, state: Read['state']): Promise<string> {
    const why = job.reason ? `: ${job.reason}` : '';
    const last = `${job.reason ?? ''}`;
    switch (job.state) {
      case 'done':
        return job.stored === 0
          ? 'Nothing of what was asked is new: the meter has nothing of it, or it is in the store already.'
          : `The meter was read: ${job.stored} ${job.stored === 1 ? 'value' : 'values'}.`;
      case 'cancelled':
        return 'The read was cancelled.';
      case 'expired':
        return 'Nobody could read the meter in time; is a worker running, and is its channel open at this hour?';
      case 'failed':
      case 'given-up':
        return `The meter was not read${why}`;
      case 'leased':
        return job.attempts > 0 ? `The meter is being called again, after: ${last}` : 'The meter is being called.';
    }
    if (state === 'cancelled') return 'The read was cancelled.';
    if (run.state === 'paused') return 'The read is paused.';
    if (job.attempts > 0) return `The meter is called again in a moment, after: ${last}`;
    if (now() - run.created < 3000) return 'The read waits for a worker.';
    const workers = await store.work.workers();
    return workers.some(({ seen }) => now() - seen < WORKER_GONE)
      ? 'The read waits: the workers are busy, or the channel of the meter is closed at this hour.'
      : 'The read waits: no acquisition worker is running.';
  }

  async function look(): Promise<void> {
    for (const [id, listeners] of watched) {
      const run = await store.work.runs.get(id);
      for (const listener of [...listeners]) {
        const read = run && (await readOf(run, listener.scope));
        if (!read) {
          listeners.delete(listener);
          continue;
        }
        const text = JSON.stringify(read);
        if (text === listener.last) continue;
        listener.last = text;
        if (isOver(read)) listeners.delete(listener);
        listener.changed(read);
      }
      if (listeners.size === 0) watched.delete(id);
    }
  }

  function poll(): void {
    if (polling || closed || watched.size === 0) return;
    polling = true;
    cancelPoll = after(POLL, () => {
      // A database that is away is looked at again; the read goes on without us.
      look()
        .catch(() => {})
        .finally(() => {
          polling = false;
          poll();
        });
    });
  }

  const known = async (id: RunId, scope: Scope): Promise<{ run: Run; read: Read } | undefined> => {
    const run = await store.work.runs.get(id);
    const read = run && (await readOf(run, scope));
    return run && read && { run, read };
  };

  const reads: Reads = {
    async order(meter, body, caller) {
      if ((await store.reads.pending(caller.name)) >= MOST_PENDING)
        throw new HttpError(429, `${MOST_PENDING} reads of yours wait already; let some of them end first`);
      const at = now();
      const words = `read now: ${wordsOf(body)}`;
      const transaction = store.journal.begin({
        kind: 'command',
        meter: meter.id,
        started: at,
        text: `${words} (${caller.name})`,
      });
      try {
        const run = await store.work.runs.create({
          what: 'task',
          kind: kindOf(body),
          name: words,
          definition: { kind: kindOf(body), parameters: parametersOf(body, at), retry: RETRY, onDemand: body },
          meters: [meter.id],
          priority: 9,
          due: at,
          expires: at + EXPIRES,
          created: at,
          creator: caller.name,
          scope: caller.scope === 'all' ? null : caller.scope,
          transaction,
        });
        const read = run && (await readOf(run, 'all'));
        if (!read) throw new HttpError(500, 'the read could not be ordered');
        // Its entry in the transaction log ends with it, whoever watches.
        reads.watch(read.id, 'all', (seen) => {
          if (!isOver(seen)) return;
          const state = seen.state === 'done' || seen.state === 'cancelled' ? seen.state : 'failed';
          store.journal.end(transaction, { ended: now(), state, text: `${words} (${caller.name}): ${seen.sentence}` });
        });
        return read;
      } catch (error) {
        store.journal.end(transaction, { ended: now(), state: 'failed' });
        throw error;
      }
    },
    async get(id, scope) {
      return (await known(id, scope))?.read;
    },
    async ofMeter(meter, limit, scope) {
      const found: Read[] = [];
      for (const id of await store.reads.ofMeter(meter, limit)) {
        const one = await known(id, scope);
        if (one) found.push(one.read);
      }
      return found;
    },
    async cancel(id, scope) {
      const one = await known(id, scope);
      if (!one) return undefined;
      if (!isOver(one.read)) await store.work.runs.change(id, ['waiting', 'running', 'paused'], 'cancelled', now());
      return (await known(id, scope))?.read;
    },
    watch(id, scope, changed) {
      if (watched.size >= MOST_WATCHED && !watched.has(id)) throw new HttpError(503, 'too many reads are watched');
      const listeners = watched.get(id) ?? new Set();
      watched.set(id, listeners);
      const listener = { scope, changed, last: '' };
      listeners.add(listener);
      poll();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && watched.get(id) === listeners) watched.delete(id);
      };
    },
    async body(id) {
      const run = await store.work.runs.get(id);
      const body = run?.definition.onDemand as ReadBody | undefined;
      return run && body && { body, run };
    },
    close() {
      closed = true;
      cancelPoll();
      watched.clear();
    },
  };
  return reads;
}

export const isOver = ({ state }: Pick<Read, 'state'>): boolean =>
  state === 'done' || state === 'failed' || state === 'cancelled';

function stateOf(run: Run, job: JobRow): Read['state'] {
  if (job.state === 'done' || job.state === 'cancelled') return job.state;
  if (job.state === 'failed' || job.state === 'given-up' || job.state === 'expired') return 'failed';
  if (run.state === 'cancelled') return 'cancelled';
  return job.state === 'leased' || job.attempts > 0 ? 'running' : 'waiting';
}

function later(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms);
  timer.unref();
  return () => clearTimeout(timer);
}
