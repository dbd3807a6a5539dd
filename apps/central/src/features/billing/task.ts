/** The task kind `billing`: runs by a schedule or by hand, taken up again when a process died (feature M6). */
import { MisuseError } from '@amiable/bytes';
import { localToUtc } from '@amiable/calendar';
import type { Scope } from '@amiable/model';
import type { BillingRun, MeterSelection, Store } from '@amiable/store';
import type { Context } from '../../context.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { neededFor, scopeOf } from '../../scheduler/rights.ts';
import { checkSelection } from '../registry/meters.ts';
import { executeRun, periodOf } from './run.ts';
import { type RunParameters, runParameters } from './shapes.ts';

/**
 * Begins a run, or finds the one that this run of the task began before. Its period is what the words mean now.
 * @throws MisuseError for a period that is not over
 */
export async function beginRun(
  store: Store,
  parameters: RunParameters,
  how: {
    readonly scope: Scope;
    readonly taskRun: string;
    readonly who: string;
    readonly zone: string;
    readonly now: number;
  },
): Promise<BillingRun> {
  const { scope, taskRun, who, zone, now } = how;
  const period = periodOf(parameters, zone, now);
  const [from, to] = [localToUtc(zone, period.from), localToUtc(zone, period.to)];
  if (to > now && parameters.kind !== 'difference')
    throw new MisuseError(`${period.name} is not over; a bill waits for the end of its period, a preview does not`);
  const definition = parameters.from === undefined ? { ...parameters, of: period.name } : parameters;
  return store.billing.runs.begin({
    kind: parameters.kind,
    name: period.name,
    from,
    to,
    definition,
    scope,
    taskRun,
    by: { who, at: now },
  });
}

export function billingTask(context: Context): OwnTask {
  const { store, now } = context;
  const task: OwnTask = async ({ run, parameters, signal, progress }) => {
    const found = await scopeOf(store, run, neededFor('billing', {}));
    if ('refused' in found) throw new MisuseError(found.refused);
    const { timeZone = context.timeZone } = run.definition as { timeZone?: string };
    const billing = await beginRun(store, runParameters.parse(parameters), {
      scope: found.scope,
      taskRun: run.id,
      who: run.creator,
      zone: timeZone,
      now: now(),
    });
    try {
      const note = await executeRun(billing, found.scope, { store, now, signal, progress });
      if (signal.aborted) {
        // Cancelled by somebody: it stays as far as it came. When the program ends, the next one goes on with it.
        if ((await store.work.runs.get(run.id))?.state === 'cancelled')
          await store.billing.runs.end(billing.id, 'cancelled', {}, null, now());
        return undefined;
      }
      await store.access.audit({
        at: context.access.clock(),
        who: run.creator,
        ...(run.creatorId === null ? {} : { user: run.creatorId }),
        action: 'task billing',
        object: `billing run ${billing.id}`,
        detail: { run: run.id, period: billing.name, kind: billing.kind },
      });
      return { note };
    } catch (error) {
      if (error instanceof MisuseError) await store.billing.runs.end(billing.id, 'failed', {}, error.message, now());
      throw error;
    }
  };
  return Object.assign(task, {
    check: (parameters: unknown, caller: Parameters<NonNullable<OwnTask['check']>>[1]) => {
      const p = runParameters.parse(parameters);
      periodOf(p, context.timeZone, now());
      const { types: _, ...selection } = p.target;
      checkSelection(selection as MeterSelection, caller);
    },
  });
}
