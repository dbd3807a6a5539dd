/** The task kind `validation`: by a schedule, within a flow, or on order, with the rights of who made it. */
import { MisuseError } from '@amiable/bytes';
import type { Caller } from '@amiable/model';
import type { MeterId, Run, Store } from '@amiable/store';
import type { Target } from '@amiable/tasks';
import type { Context } from '../../context.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { callerOf } from '../../scheduler/rights.ts';
import { checkTarget, selectionOf } from '../../scheduler/targets.ts';
import { mayGroup, type ValidationParameters, validationParameters } from './parameters.ts';
import type { Pool } from './pool.ts';
import { loadRules } from './rule-sets.ts';
import { noteOf, pagesOf, runValidation } from './run.ts';

const DAY = 86_400_000;
/** States of days are kept so long: what is older is not looked at any more. */
const KEPT = 800 * DAY;
const PAGE = 250;

/** In a flow the meters of a step before, or of a group, stand in place of the target. */
async function* metersOf(store: Store, run: Run, caller: Caller): AsyncGenerator<readonly MeterId[]> {
  const { from } = run.definition as { from?: { run: string; which: 'done' | 'failed' | 'all' } };
  const within = async (meters: readonly MeterId[]): Promise<readonly MeterId[]> =>
    meters.length === 0 ? [] : store.registry.select({ meters }, caller.scope, { limit: PAGE });
  if (run.meters) {
    for (let i = 0; i < run.meters.length; i += PAGE) yield await within(run.meters.slice(i, i + PAGE));
    return;
  }
  if (!from) return;
  for (let after: MeterId | undefined; ; ) {
    const page = await store.work.runs.metersOf(from.run, from.which, { limit: PAGE, after });
    yield await within(page);
    if (page.length < PAGE) return;
    after = page.at(-1);
  }
}

export function validationTask(context: Context, pool: () => Pool): OwnTask {
  const { store, now } = context;
  const task: OwnTask = async ({ run, parameters: given, signal, progress }) => {
    const caller = await callerOf(store, run);
    const parsed = validationParameters.parse(given);
    mayGroup(caller, parsed);
    const { target = {}, from } = run.definition as { target?: Target; from?: object };
    const parameters: ValidationParameters =
      Object.keys(target).length > 0 ? { ...parsed, target: target as ValidationParameters['target'] } : parsed;
    const named = run.meters !== null || from !== undefined;
    const at = now();
    const total = named
      ? run.meters?.length
      : (parameters.target.meters?.length ??
        (await store.registry.count(selectionOf(parameters.target as Target, at), caller.scope, 10_000_000)));
    const result = await runValidation(
      { store, pool: pool(), now },
      {
        parameters,
        scope: caller.scope,
        who: caller.name,
        meters: named ? metersOf(store, run, caller) : pagesOf(store, parameters.target, caller.scope, at),
        total,
        signal,
        progress,
      },
    );
    await store.validation.forget(Math.floor((at - KEPT) / DAY));
    return { note: noteOf(result) };
  };
  return Object.assign(task, {
    check: async (parameters: unknown, caller: Caller) => {
      const { target, ruleSet, from, to, groups } = validationParameters.parse(parameters);
      mayGroup(caller, { groups });
      if (from !== undefined && to !== undefined && to <= from) throw new MisuseError('to: it must come after from');
      await checkTarget(store, target as Target, caller.scope, now());
      if (ruleSet !== undefined) await loadRules(store, ruleSet);
    },
  });
}
