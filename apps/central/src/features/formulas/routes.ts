/** Profile calculation by HTTP: formulas in versions, checked when they are saved, calculated by hand or by a task. */
import { MisuseError } from '@amiable/bytes';
import { dependentFormulas, dependsOn, type Intervals, inOrder } from '@amiable/compute';
import { type Caller, decimal, QUALITIES } from '@amiable/model';
import { type Formula, formulaShape } from '@amiable/model/schemas';
import type { Store, StoredFormula } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { callerOf, covers } from '../../scheduler/rights.ts';
import { checked, namedOf, type RunReport, runFormula } from './run.ts';

const MOST = 10_000;
const MOST_VALUES = 10_000;
const iso = (at: number): string => new Date(at).toISOString();
/** Virtual meters say so where others name their maker. */
const CALCULATED = 'calculated';

const name = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u, 'a name of letters, digits, blanks and . _ -');
const byName = z.object({ name });
const shown = z.object({
  name: z.string(),
  version: z.number().int(),
  segment: z.number().int(),
  changedBy: z.string(),
  changedAt: z.iso.datetime(),
  definition: z.record(z.string(), z.unknown()),
});
const jsonOf = ({ name, version, segment, changedBy, changedAt, definition }: StoredFormula) => ({
  name,
  version,
  segment,
  changedBy,
  changedAt: iso(changedAt),
  definition: { ...definition },
});
const report = z.object({
  formula: z.string(),
  version: z.number().int(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  days: z.number().int(),
  left: z.number().int().describe('days that had not changed'),
  meters: z.number().int(),
  written: z.number().int(),
  shares: z.record(z.string(), z.number().int()),
  lacking: z.array(z.object({ input: z.string(), meter: z.string(), serial: z.string(), count: z.number().int() })),
  lackingMeters: z.number().int(),
  fitted: z.array(z.string()).describe('how intervals of other lengths were fitted'),
});
const reportOf = (r: RunReport) => ({
  ...r,
  from: iso(r.from),
  to: iso(r.to),
  lacking: [...r.lacking],
  fitted: [...r.fitted],
  shares: { ...r.shares },
});

/** Names of formulas of other segments are not told. */
function visibleTo({ scope }: Caller, all: readonly StoredFormula[]): (name: string) => boolean {
  const seen = new Set(all.filter((f) => scope === 'all' || scope.includes(f.segment)).map((f) => f.name));
  return (name) => seen.has(name);
}

async function allOf(store: Store): Promise<StoredFormula[]> {
  return [...(await store.formulas.list({ limit: MOST, scope: 'all' }))];
}

/** @throws MisuseError for units that do not fit, inputs that are not there, cycles */
async function checkWhole(
  store: Store,
  key: string,
  definition: Formula,
  others: readonly StoredFormula[],
  caller: Caller,
) {
  const rest = others.filter((f) => f.name !== key);
  const check = await checked(store, definition, rest);
  for (const [input, given] of Object.entries(definition.inputs))
    if (given.kind === 'meter' && !(await store.meter(given.meter, caller.scope)))
      throw new MisuseError(`input ${input}: there is no meter ${given.meter}`);
  const named = await namedOf(store, [...rest, { name: key, definition } as StoredFormula]);
  const same = rest.find(
    (f) =>
      f.definition.result.name === definition.result.name &&
      f.definition.result.meter !== undefined &&
      f.definition.result.meter === definition.result.meter,
  );
  if (same)
    throw new MisuseError(
      `${visibleTo(caller, [same])(same.name) ? `formula ${same.name}` : 'another formula'} writes ${definition.result.name} of ${definition.result.meter} already`,
    );
  inOrder(named);
  const own = named.at(-1) as (typeof named)[number];
  return { check, dependsOn: dependsOn(own, named), dependents: dependentFormulas(key, named) };
}

/** The meter that a formula's result is kept with: its own. @throws MisuseError for one that measures */
async function ensureMeter(context: Context, definition: Formula, segment: number, caller: Caller): Promise<void> {
  const { store, now, timeZone } = context;
  const serial = definition.result.meter;
  if (serial === undefined) return;
  const there = await store.registry.meterBySerial(serial, 'all');
  if (there !== undefined) {
    const entry = await store.registry.entry(there, caller.scope);
    if (!entry) throw new MisuseError(`result.meter: the serial number ${serial} is taken`);
    if (entry.maker !== CALCULATED)
      throw new MisuseError(
        `result.meter: ${serial} is a meter that measures; a result needs a serial number of its own`,
      );
    return;
  }
  await store.registry.createMeter(
    {
      serial,
      name: definition.description || serial,
      maker: CALCULATED,
      timeZone: definition.timeZone ?? timeZone,
      segment,
    },
    caller.scope,
    { who: caller.name, at: now() },
  );
}

const taskShape = z.strictObject({
  formulas: z.array(name).min(1).max(1000).optional().describe('all unless said; those that depend on them too'),
  days: z
    .number()
    .int()
    .min(1)
    .max(4000)
    .default(35)
    .describe('days before today that a formula without results begins with'),
  force: z.boolean().default(false).describe('all of it, changed or not'),
});

export function calculationTask(context: Context): OwnTask {
  const { store, now, timeZone } = context;
  const run: OwnTask = async ({ run, parameters, signal, progress }) => {
    const { formulas, days, force } = taskShape.parse(parameters);
    const caller = await callerOf(store, run);
    const all = await allOf(store);
    const named = await namedOf(store, all);
    const seen = await store.formulas.list({ limit: MOST, scope: caller.scope });
    const visible = new Set(
      seen.filter((f) => formulas?.includes(f.name) || covers(caller.scope, f.reads)).map((f) => f.name),
    );
    const lost = formulas?.find((f) => !visible.has(f));
    if (lost !== undefined) throw new MisuseError(`there is no formula ${lost}`);
    const wanted = new Set(formulas?.flatMap((f) => [f, ...dependentFormulas(f, named)]) ?? visible);
    const ordered = inOrder(named).filter((f) => wanted.has(f.name) && visible.has(f.name));
    const words: string[] = [];
    let failed = 0;
    for (const [done, { name: key }] of ordered.entries()) {
      if (signal.aborted) break;
      progress({ done, total: ordered.length, formula: key });
      const stored = all.find((f) => f.name === key) as StoredFormula;
      try {
        const found = await runFormula(
          { store, now, timeZone, scope: caller.scope, by: caller.name, days, force, signal },
          stored,
          all.filter((f) => f !== stored),
        );
        words.push(
          `${key}: ${found.days} days, ${found.left} unchanged, ${found.written} values${found.lackingMeters > 0 ? `, ${found.lackingMeters} meters lack values` : ''}`,
        );
      } catch (error) {
        if (!(error instanceof MisuseError)) throw error;
        failed++;
        words.unshift(`${key}: ${error.message}`);
      }
    }
    const note = words.join('\n').slice(0, 4000) || 'there are no formulas';
    if (failed > 0) throw new MisuseError(note);
    return { note };
  };
  return Object.assign(run, {
    check: async (parameters: unknown, caller: Caller) => {
      for (const key of taskShape.parse(parameters).formulas ?? [])
        if (!(await store.formulas.get(key, caller.scope))) throw new MisuseError(`there is no formula ${key}`);
    },
  });
}

export function formulaRoutes(router: Router, context: Context): void {
  const { store, now, timeZone } = context;
  context.ownKinds.set('calculation', calculationTask(context));
  const find = async (key: string, caller: Caller): Promise<StoredFormula> => {
    const found = await store.formulas.get(key, caller.scope);
    if (!found) throw new HttpError(404, 'there is no formula of this name');
    return found;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/formulas',
    needs: 'formula:view',
    tag: 'calculation',
    summary: 'Formulas that calculate profiles',
    query: z.strictObject({
      after: z.string().max(100).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({ formulas: z.array(shown), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query: { after, limit } }) => {
      const found = await store.formulas.list({
        limit,
        scope: caller.scope,
        ...(after === undefined ? {} : { after }),
      });
      return { formulas: found.map(jsonOf), next: found.length < limit ? null : (found.at(-1)?.name ?? null) };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/formulas/:name',
    needs: 'formula:view',
    tag: 'calculation',
    summary: 'A formula with what it depends on, what depends on it, and how far its results stand',
    params: byName,
    answer: shown.extend({
      dependsOn: z.array(z.string()),
      dependents: z.array(z.string()),
      state: z
        .object({
          version: z.number().int(),
          from: z.iso.datetime(),
          to: z.iso.datetime(),
          seenAt: z.iso.datetime(),
          incomplete: z.array(z.string()),
        })
        .nullable(),
    }),
    scoped: true,
    handler: async ({ caller, params }) => {
      const found = await find(params.name, caller);
      const named = await namedOf(store, await allOf(store));
      const visible = new Set((await store.formulas.list({ limit: MOST, scope: caller.scope })).map((f) => f.name));
      const own = named.find((f) => f.name === found.name);
      const state = await store.formulas.state(found.id);
      return {
        ...jsonOf(found),
        dependsOn: own ? dependsOn(own, named).filter((n) => visible.has(n)) : [],
        dependents: dependentFormulas(found.name, named).filter((n) => visible.has(n)),
        state: state
          ? {
              version: state.version,
              from: iso(state.from),
              to: iso(state.to),
              seenAt: iso(state.seenAt),
              incomplete: [...state.incomplete],
            }
          : null,
      };
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/formulas/:name',
    needs: 'formula:create',
    tag: 'calculation',
    summary: 'Makes a formula, or a new version of it; units, inputs and cycles are checked first',
    params: byName,
    query: z.strictObject({
      segment: z.coerce
        .number()
        .int()
        .min(1)
        .default(1)
        .describe('data segment of a new formula and its virtual meter'),
      dry: z.enum(['true', 'false']).default('false').describe('true: only check'),
    }),
    body: formulaShape,
    answer: shown.extend({ unit: z.string(), dependsOn: z.array(z.string()), dependents: z.array(z.string()) }),
    scoped: true,
    handler: async ({ caller, params, query, body, about }) => {
      about(`formula ${params.name}`, { expression: body.expression, dry: query.dry });
      if (caller.scope !== 'all' && !caller.scope.includes(query.segment))
        throw new HttpError(422, `segment: there is no segment ${query.segment}`);
      const before = await store.formulas.get(params.name, 'all');
      if (before && caller.scope !== 'all' && !caller.scope.includes(before.segment))
        throw new HttpError(404, 'there is no formula of this name');
      const segment = before?.segment ?? query.segment;
      const others = await allOf(store);
      const visible = visibleTo(caller, others);
      const { check, ...depends } = await checkWhole(store, params.name, body, others, caller);
      const answer = {
        unit: check.unit,
        dependsOn: depends.dependsOn.filter(visible),
        dependents: depends.dependents.filter(visible),
      };
      if (query.dry === 'true')
        return {
          name: params.name,
          version: before?.version ?? 0,
          segment,
          changedBy: caller.name,
          changedAt: iso(now()),
          definition: body,
          ...answer,
        };
      await ensureMeter(context, body, segment, caller);
      const meter =
        body.result.meter === undefined ? undefined : await store.registry.meterBySerial(body.result.meter, 'all');
      const known = new Map((await namedOf(store, others)).map((f) => [f.name, f.meter]));
      const saved = await store.formulas.put(
        { name: params.name, definition: body, segment },
        caller.name,
        now(),
        caller.scope,
        (rest) => {
          // Somebody else may have saved meanwhile: the circle is looked for again, where nobody can.
          inOrder([
            ...rest.map((f) => ({
              name: f.name,
              formula: f.definition,
              meter:
                f.definition.result.meter === undefined
                  ? undefined
                  : (known.get(f.name) ?? `?${f.definition.result.meter}`),
            })),
            { name: params.name, formula: body, meter },
          ]);
        },
      );
      return { ...jsonOf(saved), ...answer };
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/formulas/:name',
    needs: 'formula:delete',
    tag: 'calculation',
    summary: 'Takes a formula away; what it calculated stays',
    params: byName,
    answer: z.object({ removed: z.boolean() }),
    scoped: true,
    handler: async ({ caller, params, about }) => {
      const found = await find(params.name, caller);
      about(`formula ${params.name}`);
      const all = await allOf(store);
      const named = await namedOf(store, all);
      const needed = named
        .filter((f) => f.name !== found.name && dependsOn(f, named).includes(found.name))
        .map((f) => f.name);
      const told = needed.filter(visibleTo(caller, all)).slice(0, 5);
      if (needed.length > 0)
        throw new HttpError(
          409,
          `${told.length > 0 ? told.join(', ') : 'another formula'} ${Math.max(told.length, 1) === 1 ? 'reads' : 'read'} its result`,
        );
      return { removed: await store.formulas.remove(params.name, caller.scope) };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/formulas/:name/versions',
    needs: 'formula:view',
    tag: 'calculation',
    summary: 'Every version that a formula had, the newest first',
    params: byName,
    answer: z.object({
      versions: z.array(shown.pick({ version: true, definition: true, changedBy: true, changedAt: true })),
    }),
    scoped: true,
    handler: async ({ caller, params }) => {
      const found = await find(params.name, caller);
      return {
        versions: (await store.formulas.versions(found.id)).map((v) => ({
          ...v,
          definition: { ...v.definition },
          changedAt: iso(v.changedAt),
        })),
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/formulas/:name/runs',
    needs: 'formula:view',
    tag: 'calculation',
    summary: 'What was calculated when, and of what qualities it is',
    params: byName,
    query: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(20) }),
    answer: z.object({
      runs: z.array(
        report
          .pick({ version: true, from: true, to: true, meters: true, days: true, written: true })
          .extend({ id: z.string(), by: z.string(), at: z.iso.datetime(), report: z.record(z.string(), z.unknown()) }),
      ),
    }),
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const found = await find(params.name, caller);
      return {
        runs: (await store.formulas.runs(found.id, query.limit)).map((r) => ({
          ...r,
          from: iso(r.from),
          to: iso(r.to),
          at: iso(r.at),
          report: { ...r.report },
        })),
      };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/formulas/:name/calculate',
    needs: 'execute:calculate',
    tag: 'calculation',
    summary: 'Calculates now: what is new or changed, or all of a time; dry shows the values and writes nothing',
    params: byName,
    body: z.strictObject({
      from: when.optional().describe('whole local days; left out: what stands already and what is new'),
      to: when.optional(),
      force: z.boolean().default(false),
      dry: z.boolean().default(false),
      dependents: z.boolean().default(true).describe('those that read its result too'),
    }),
    answer: z.object({
      reports: z.array(report),
      values: z
        .array(
          z.object({
            meter: z.string().nullable(),
            time: z.iso.datetime(),
            value: z.string().nullable(),
            quality: z.string(),
          }),
        )
        .describe('of dry, up to 10,000'),
    }),
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const found = await find(params.name, caller);
      about(`formula ${params.name}`, { dry: body.dry });
      const all = await allOf(store);
      const values: { meter: string | null; time: string; value: string | null; quality: string }[] = [];
      const take = (meter: string | undefined, { start, step, scaler, values: own, quality }: Intervals): void => {
        for (let i = 0; i < own.length && values.length < MOST_VALUES; i++) {
          const value = own[i] as number;
          values.push({
            meter: meter ?? null,
            time: iso(start + i * step),
            value: Number.isNaN(value) ? null : decimal(value, scaler),
            quality: QUALITIES[quality[i] as number] as string,
          });
        }
      };
      const named = await namedOf(store, all);
      const seen = await store.formulas.list({ limit: MOST, scope: caller.scope });
      // What reads more than the caller sees is left to who sees it.
      const visible = new Set(seen.filter((f) => covers(caller.scope, f.reads)).map((f) => f.name));
      const more =
        body.dependents && !body.dry ? dependentFormulas(found.name, named).filter((n) => visible.has(n)) : [];
      const reports: RunReport[] = [];
      for (const key of [found.name, ...more]) {
        const stored = all.find((f) => f.name === key) as StoredFormula;
        const span = {
          ...(body.from === undefined ? {} : { from: body.from }),
          ...(body.to === undefined ? {} : { to: body.to }),
        };
        reports.push(
          await runFormula(
            {
              store,
              now,
              timeZone,
              scope: caller.scope,
              by: caller.name,
              force: body.force,
              dry: body.dry,
              ...span,
              ...(body.dry ? { take } : {}),
            },
            stored,
            all.filter((f) => f !== stored),
          ),
        );
      }
      return { reports: reports.map(reportOf), values };
    },
  });
}
