/** What the central system does by itself, by kind: parts of the program put in what they can do. */
import type { OwnKind, Run, Store } from '@amiable/store';

export interface OwnJob {
  readonly run: Run;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** When it was due, epoch ms. */
  readonly due: number;
  /** The run was cancelled, or the program ends. */
  readonly signal: AbortSignal;
  /** Shown with the run while it is under way. */
  progress(fact: Readonly<Record<string, unknown>>): void;
}

/** Done when it resolves; failed, with the message in words, when it rejects. May be called again for the same run when a process died. */
export type OwnTask = (job: OwnJob) => Promise<{ readonly note?: string | undefined } | undefined>;

export type OwnKinds = Map<OwnKind, OwnTask>;

const DAY = 86_400_000;

/** Runs, their jobs and occurrences are kept for so many days: `days`, 92 unless said. */
export function retentionOfWork(store: Store, now: () => number): OwnTask {
  return async ({ parameters }) => {
    const { days = 92 } = parameters;
    if (typeof days !== 'number' || !(days >= 7)) throw new Error('retention: days is a number from 7 on');
    const gone = await store.work.runs.prune(now() - days * DAY);
    return { note: `${gone} runs that ended more than ${days} days ago were let go` };
  };
}

/** Counts what is there and what lacks, day by day (docs/completeness.md). */
export function completenessOf(store: Store, now: () => number): OwnTask {
  return async ({ parameters, signal }) => {
    const { profiles, days, giveUpDays } = parameters as { profiles?: string[]; days?: number; giveUpDays?: number };
    const found = await store.completeness.compute(
      {
        ...(profiles === undefined ? {} : { profiles }),
        ...(days === undefined ? {} : { days }),
        ...(giveUpDays === undefined ? {} : { giveUpDays }),
      },
      now(),
      signal,
    );
    return { note: `${found.meters} meters: ${found.missing} of ${found.expected} values lack` };
  };
}
