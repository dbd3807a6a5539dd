/** What the central system does by itself, by kind: parts of the program put in what they can do. */
import type { Caller } from '@amiable/model';
import type { OwnKind, Run, Store } from '@amiable/store';
import { z } from 'zod';

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
export interface OwnTask {
  (job: OwnJob): Promise<{ readonly note?: string | undefined } | undefined>;
  /** Looks at parameters when a task is saved. @throws MisuseError or z.ZodError for wrong ones */
  check?(parameters: unknown, caller: Caller): void | Promise<void>;
}

const checkedBy = (task: OwnTask, schema: z.ZodType): OwnTask =>
  Object.assign(task, { check: (parameters: unknown) => void schema.parse(parameters) });

export type OwnKinds = Map<OwnKind, OwnTask>;

const DAY = 86_400_000;

const retentionParameters = z.strictObject({
  days: z.number().int().min(7).max(36_600).default(92),
});

const completenessParameters = z.strictObject({
  profiles: z.array(z.string().min(1).max(40)).min(1).max(100).optional(),
  days: z.number().int().min(1).max(400).optional(),
  giveUpDays: z.number().int().min(1).max(3660).optional(),
});

/** Runs, their jobs and occurrences are kept for so many days: `days`, 92 unless said. */
export function retentionOfWork(store: Store, now: () => number): OwnTask {
  return checkedBy(async ({ parameters }) => {
    const { days } = retentionParameters.parse(parameters);
    const gone = await store.work.runs.prune(now() - days * DAY);
    return { note: `${gone} runs that ended more than ${days} days ago were let go` };
  }, retentionParameters);
}

/** Counts what is there and what lacks, day by day (docs/completeness.md). */
export function completenessOf(store: Store, now: () => number): OwnTask {
  return checkedBy(async ({ parameters, signal }) => {
    const { profiles, days, giveUpDays } = completenessParameters.parse(parameters);
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
  }, completenessParameters);
}
