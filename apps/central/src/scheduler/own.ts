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
  exchangeDays: z.number().int().min(7).max(36_600).default(800),
});

const completenessParameters = z.strictObject({
  profiles: z.array(z.string().min(1).max(40)).min(1).max(100).optional(),
  days: z.number().int().min(1).max(400).optional(),
  giveUpDays: z.number().int().min(1).max(3660).optional(),
});

/** Runs, their jobs and occurrences are kept for `days`, 92 unless said; what was told of imports of readings and of commands for `exchangeDays`, 800. */
export function retentionOfWork(store: Store, now: () => number): OwnTask {
  return checkedBy(async ({ parameters }) => {
    const { days, exchangeDays } = retentionParameters.parse(parameters);
    const gone = await store.work.runs.prune(now() - days * DAY);
    const long = now() - exchangeDays * DAY;
    const told = (await store.delivery.imports.prune(long)) + (await store.delivery.commands.prune(long));
    return {
      note: `${gone} runs that ended more than ${days} days ago were let go${told > 0 ? `, ${told} imports of readings and commands older than ${exchangeDays} days` : ''}`,
    };
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
