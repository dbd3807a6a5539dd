/** The task kind `report`: a stored report made by a schedule, with the rights of who made the task. */
import { MisuseError } from '@amiable/bytes';
import { isValidZone } from '@amiable/calendar';
import type { Caller, Scope } from '@amiable/model';
import type { Report, ReportOutput } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { both, callerOf } from '../../scheduler/rights.ts';
import { checked, definition, makeTable, type ReportDefinition, render } from './make.ts';
import { sendOut } from './outputs.ts';

const DAY = 86_400_000;
const parameters = z.strictObject({
  report: z.string().min(1).max(100).describe('name of a report'),
  keepDays: z.number().int().min(1).max(3660).default(400).describe('what was made is kept so long'),
});

export interface Outcome {
  readonly id: string;
  readonly lines: number;
  readonly outputs: readonly ReportOutput[];
}

/** Makes a stored report, keeps it and sends it out. */
export async function makeReport(
  context: Context,
  report: Pick<Report, 'name' | 'segments'> & { readonly id: number | null; readonly definition: ReportDefinition },
  asked: { readonly caller: Caller; readonly now: number; readonly signal?: AbortSignal | undefined },
): Promise<Outcome> {
  const { definition: given } = report;
  // Who wrote it says where it goes: nothing goes there that they do not see themselves.
  const call = { ...asked, caller: { ...asked.caller, scope: both(report.segments, asked.caller.scope) } };
  const timeZone = given.timeZone ?? context.timeZone;
  if (!isValidZone(timeZone)) throw new MisuseError(`timeZone: ${timeZone} is no IANA time zone`);
  const table = await makeTable(given, { context, timeZone, ...call });
  const content = await render(table, given.format, call.caller.language);
  const { store } = context;
  const lines = table.rows.length;
  const id = await store.reports.keep({
    report: report.id,
    name: report.name,
    kind: given.kind,
    format: given.format,
    lines,
    made: call.now,
    who: call.caller.name,
    scope: call.caller.scope,
    content,
  });
  const outputs = await sendOut(given.outputs, { name: report.name, table, format: given.format, content }, context);
  if (outputs.length > 0) await store.reports.delivered(id, outputs);
  return { id, lines, outputs };
}

export function reportTask(context: Context): OwnTask {
  const { store, now } = context;
  const find = async (name: string, scope: Scope): Promise<Report> => {
    const found = await store.reports.byName(name, scope);
    if (!found) throw new MisuseError(`parameters.report: there is no report ${JSON.stringify(name)}`);
    return found;
  };
  const run: OwnTask = async ({ run, parameters: given, signal }) => {
    const { report: name, keepDays } = parameters.parse(given);
    const report = await find(name, 'all');
    const caller = await callerOf(store, run);
    const made = await makeReport(
      context,
      { ...report, definition: definition.parse(report.definition) },
      { caller, now: now(), signal },
    );
    await store.reports.prune(now() - keepDays * DAY);
    const faults = made.outputs.filter(({ fault }) => fault !== null);
    if (faults.length > 0) throw new MisuseError(faults.map(({ to, fault }) => `${to}: ${fault}`).join('; '));
    return {
      note: `${made.lines} rows${made.outputs.length > 0 ? `, ${made.outputs.map(({ to }) => to).join(', ')}` : ''}`,
    };
  };
  return Object.assign(run, {
    check: async (given: unknown, caller: Caller) => {
      const report = await find(parameters.parse(given).report, caller.scope);
      checked(definition.parse(report.definition), { caller });
    },
  });
}
