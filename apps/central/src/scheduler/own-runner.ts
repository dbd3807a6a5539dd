/**
 * Executes runs of own kinds, in this process, several at a time. Held in the database: when the process dies another executes it again.
 */
import type { OwnKind, Run, Store } from '@amiable/store';
import { closeTransaction } from './control.ts';
import type { OwnKinds } from './own.ts';
import { neededFor, scopeOf } from './rights.ts';

/** Real ms. */
const HOLD = 60_000;
const RENEW = 15_000;
const AT_ONCE = 4;

export interface OwnRunnerParts {
  readonly store: Store;
  readonly now: () => number;
  readonly clock: () => number;
  readonly name: string;
  readonly ownKinds: OwnKinds;
  readonly log: (line: string) => void;
}

type Begin = (run: Run, scope: 'all' | readonly number[], at: number) => Promise<Run>;

export function createOwnRunner(parts: OwnRunnerParts) {
  const { store, now, clock, name, ownKinds, log } = parts;
  const { runs } = store.work;
  const under = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();

  async function end(run: Run, state: 'done' | 'failed', note: string | undefined): Promise<void> {
    const at = now();
    const ended = await runs.change(run.id, ['waiting', 'running', 'paused'], state, at, { note });
    if (ended) closeTransaction(store, ended, at);
  }

  async function execute(run: Run, signal: AbortSignal): Promise<void> {
    const task = ownKinds.get(run.kind as OwnKind);
    if (!task) return end(run, 'failed', `this program cannot do ${run.kind} by itself`);
    let latest: Readonly<Record<string, unknown>> | undefined;
    let writing = false;
    const progress = (fact: Readonly<Record<string, unknown>>): void => {
      latest = fact;
      if (writing) return;
      writing = true;
      // The newest is written; what comes meanwhile replaces it.
      void (async () => {
        while (latest) {
          const fact = latest;
          latest = undefined;
          await runs.progress(run.id, fact).catch(() => {});
        }
        writing = false;
      })();
    };
    try {
      const { parameters = {} } = run.definition as { parameters?: Record<string, unknown> };
      const result = await task({ run, parameters, due: run.due, signal, progress });
      // When the program ends the next one does it again.
      if (!signal.aborted) await end(run, 'done', result?.note);
    } catch (error) {
      if (!signal.aborted) await end(run, 'failed', (error as Error).message);
    }
  }

  async function take(run: Run, at: number, begin: Begin): Promise<void> {
    if (!(await runs.hold(run.id, name, clock(), clock() + HOLD))) return;
    const rights = await scopeOf(store, run, neededFor(run.kind as OwnKind, {}));
    if ('refused' in rights) return end(run, 'failed', rights.refused);
    const begun = await begin(run, rights.scope, at);
    const running = run.state === 'running' ? begun : await runs.change(run.id, ['waiting'], 'running', at);
    if (!running) return;
    const abort = new AbortController();
    const renewal = setInterval(() => {
      void (async () => {
        const held = await runs.hold(run.id, name, clock(), clock() + HOLD);
        const state = (await runs.get(run.id))?.state;
        if (!held || state === 'cancelled') abort.abort();
      })().catch(() => {});
    }, RENEW);
    renewal.unref();
    const done = execute(running, abort.signal)
      .catch((error: Error) => log(`tasks: ${run.name}: ${error.message}`))
      .finally(async () => {
        clearInterval(renewal);
        under.delete(run.id);
        await runs.unhold(run.id, name).catch(() => {});
      });
    under.set(run.id, { abort, done });
  }

  return {
    async look(run: Run, at: number, begin: Begin): Promise<void> {
      if (under.has(run.id) || run.state === 'paused') return;
      if (run.state === 'waiting' && run.expires <= at) return end(run, 'failed', 'its time was over before it began');
      if (under.size < AT_ONCE) await take(run, at, begin);
    },
    /** A run was cancelled here: what it does is told at once. */
    cancel(run: string): void {
      under.get(run)?.abort.abort();
    },
    async stop(): Promise<void> {
      for (const { abort } of under.values()) abort.abort();
      await Promise.all([...under.values()].map(({ done }) => done));
    },
  };
}
