/**
 * Validation over HTTP: rule sets, what they found, what people do about it, runs on order, and what the rules would say of one meter.
 *
 * Decides: a rule set is checked whole before it is kept (both matrices, formulas), with a sentence for what is refused.
 */
import type { ExceptionFilter } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import { when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { checkTarget } from '../../scheduler/targets.ts';
import { runOf, runShape } from '../tasks/shapes.ts';
import { mayGroup, validationParameters } from './parameters.ts';
import { createPool, type Pool } from './pool.ts';
import { checkDefinition, definitionSchema, estimationSchema, GIVEN, SHIPPED } from './rule-sets.ts';
import {
  bulkBody,
  changeBody,
  changedShape,
  estimateOf,
  estimateShape,
  exceptionId,
  exceptionList,
  exceptionOf,
  exceptionQuery,
  exceptionShape,
  ruleSetOf,
  ruleSetShape,
  summaryQuery,
  summaryShape,
  versionShape,
  word,
} from './shapes.ts';
import { validationTask } from './task.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LIFETIME = 24 * HOUR;
/** Threads beside the main one; AMIABLE_VALIDATION_THREADS says another number, 0 none. */
const THREADS = 2;

export function threadsWanted(said: string | undefined): number {
  const n = said === undefined || said.trim() === '' ? THREADS : Number(said);
  return Number.isInteger(n) && n >= 0 && n <= 64 ? n : THREADS;
}

const nameParams = z.object({ name: word });
const putRuleSet = z.strictObject({
  description: z.string().max(2000).nullable().optional(),
  isDefault: z.boolean().optional().describe('holds where no other fits'),
  /** Its own name goes without saying. */
  rules: z.record(z.string(), z.unknown()).optional().describe('rules and whom they are for; see docs/validation.md'),
  estimation: estimationSchema.optional(),
  reason: z.string().max(500).optional().describe('why, for the list of versions'),
});

export function validationRoutes(router: Router, context: Context): void {
  const { store } = context;
  const { rules, exceptions } = store.validation;
  const tag = 'validation';
  // Threads are started when there is something to do for them.
  let pool: Pool | undefined;
  context.ownKinds.set(
    'validation',
    validationTask(context, () => {
      pool ??= createPool(threadsWanted(process.env.AMIABLE_VALIDATION_THREADS), context.log);
      return pool;
    }),
  );
  router.app.addHook('onClose', async () => pool?.close());

  // ---------------------------------------------------------------- rule sets
  router.add({
    method: 'GET',
    path: '/api/v1/validation/rules',
    needs: 'rule:view',
    tag,
    summary: 'Rule sets; the first is the one that comes with the program',
    answer: z.object({
      ruleSets: z.array(ruleSetShape),
      shipped: z
        .array(z.record(z.string(), z.unknown()))
        .describe('rule sets to begin with: nobody has them unless they are put'),
    }),
    handler: async () => ({
      ruleSets: [
        {
          name: 'given',
          description: 'Comes with the program; holds where no other rule set does',
          isDefault: false,
          version: 1,
          definition: GIVEN as unknown as Record<string, unknown>,
          changedAt: null,
          changedBy: null,
        },
        ...(await rules.list()).map(ruleSetOf),
      ],
      shipped: SHIPPED.map((definition) => ({ ...definition })),
    }),
  });
  router.add({
    method: 'GET',
    path: '/api/v1/validation/rules/:name',
    needs: 'rule:view',
    tag,
    summary: 'One rule set with its versions, the newest first',
    params: nameParams,
    answer: ruleSetShape.extend({ versions: z.array(versionShape) }),
    handler: async ({ params }) => {
      const set = await rules.get(params.name);
      if (!set) throw new HttpError(404, `there is no rule set ${params.name}`);
      const versions = await rules.versions(params.name);
      return {
        ...ruleSetOf(set),
        versions: versions.map((v) => ({
          ...v,
          definition: v.definition as Record<string, unknown>,
          changedAt: new Date(v.changedAt).toISOString(),
        })),
      };
    },
  });
  router.add({
    method: 'PUT',
    path: '/api/v1/validation/rules/:name',
    needs: 'rule:modify',
    tag,
    summary: 'Make a rule set, or change it; changed rules are a new version, and what they look at is validated anew',
    description:
      'Refused with the reason: a combination of condition and action that the matrix leaves empty, a rule that would change measured values without telling anybody, a formula that cannot be read.',
    params: nameParams,
    body: putRuleSet,
    bodyLimit: 1024 * 1024,
    answer: ruleSetShape,
    handler: async ({ caller, params, body, about }) => {
      if (params.name === 'given') throw new HttpError(422, 'given: that name is taken by the rules of the program');
      const before = await rules.get(params.name);
      const kept = before?.definition as { rules?: object; estimation?: object } | undefined;
      const definition =
        body.rules === undefined && body.estimation === undefined
          ? undefined
          : definitionSchema.parse({
              rules: { ...(body.rules ?? kept?.rules), name: params.name },
              estimation: body.estimation ?? kept?.estimation ?? {},
            });
      if (definition) checkDefinition(definition);
      const set = await rules.put(
        params.name,
        { description: body.description, isDefault: body.isDefault, definition, reason: body.reason },
        { who: caller.name, at: context.now() },
      );
      about(`rule set ${set.name}`, { version: set.version });
      return ruleSetOf(set);
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/validation/rules/:name',
    needs: 'rule:delete',
    tag,
    summary: 'Take a rule set away; its versions stay, for what was found by them',
    params: nameParams,
    answer: z.object({}),
    handler: async ({ params, about }) => {
      if (!(await rules.remove(params.name))) throw new HttpError(404, `there is no rule set ${params.name}`);
      about(`rule set ${params.name}`);
      return {};
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/validation/rules/check',
    needs: 'rule:view',
    tag,
    summary: 'Whether a rule set could be kept: nothing is',
    audit: 'none',
    body: z.strictObject({ rules: z.record(z.string(), z.unknown()), estimation: estimationSchema.optional() }),
    answer: z.object({ ok: z.literal(true), rules: z.number().int() }),
    handler: ({ body }) => {
      const definition = definitionSchema.parse({ ...body, rules: { name: 'check', ...body.rules } });
      checkDefinition(definition);
      return { ok: true as const, rules: definition.rules.profile.length + definition.rules.periodic.length };
    },
  });

  // ---------------------------------------------------------------- runs
  router.add({
    method: 'POST',
    path: '/api/v1/validation/run',
    needs: 'execute:validate',
    tag,
    summary: 'Validate and estimate now; follow the run under /api/v1/runs',
    body: validationParameters,
    answer: runShape,
    scoped: true,
    handler: async ({ caller, body, about, reply }) => {
      const { target, from, to } = body;
      if (from !== undefined && to !== undefined && to <= from) throw new HttpError(422, 'to: it must come after from');
      mayGroup(caller, body);
      await checkTarget(store, target as never, caller.scope, context.now());
      const at = context.now();
      const run = await store.work.runs.create({
        what: 'task',
        kind: 'validation',
        name: 'validation',
        definition: { kind: 'validation', parameters: body, target: {} },
        priority: 5,
        due: at,
        expires: at + LIFETIME,
        created: at,
        creator: caller.name,
        creatorId: caller.user ?? null,
        scope: caller.scope === 'all' ? null : caller.scope,
        transaction: '',
      });
      if (!run) throw new HttpError(500, 'the run was not made');
      about(`run ${run.id}`, { kind: 'validation' });
      context.scheduler.wake();
      reply.code(202);
      return runOf(run);
    },
  });

  // ---------------------------------------------------------------- exceptions
  router.add({
    method: 'GET',
    path: '/api/v1/exceptions',
    needs: 'exception:view',
    tag,
    summary: 'What validation found, newest first, each with a sentence that says why',
    query: exceptionQuery,
    answer: exceptionList,
    scoped: true,
    handler: async ({ caller, query: { limit, after, state, meter, ...filter } }) => {
      const found = await exceptions.list({
        ...filter,
        states: state,
        meters: meter === undefined ? undefined : [meter],
        scope: caller.scope,
        limit,
        after,
      });
      return { exceptions: found.exceptions.map(exceptionOf), next: found.next ?? null };
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/exceptions/summary',
    needs: 'exception:view',
    tag,
    summary: 'Counts by rule, day and state',
    query: summaryQuery,
    answer: summaryShape,
    scoped: true,
    handler: async ({ caller, query: { state, meter, ...filter } }) => {
      const counts = await exceptions.summary({
        ...filter,
        states: state,
        meters: meter === undefined ? undefined : [meter],
        scope: caller.scope,
      });
      const byRule = new Map<string, z.input<typeof summaryShape>['byRule'][number]>();
      const byDay = new Map<string, { day: string; count: number; open: number }>();
      let open = 0;
      for (const { rule, check, severity, day, state: of, count } of counts) {
        const own = of === 'open' ? count : 0;
        open += own;
        const r = byRule.get(`${rule} ${severity}`) ?? { rule, check, severity, count: 0, open: 0 };
        byRule.set(`${rule} ${severity}`, { ...r, count: r.count + count, open: r.open + own });
        const d = byDay.get(day) ?? { day, count: 0, open: 0 };
        byDay.set(day, { day, count: d.count + count, open: d.open + own });
      }
      return {
        open,
        byRule: [...byRule.values()].sort((a, b) => b.count - a.count),
        byDay: [...byDay.values()],
        counts: counts.map((one) => ({ ...one })),
      };
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/exceptions/:id',
    needs: 'exception:view',
    tag,
    summary: 'One finding, with the estimates that stand in its place and the rule that found it',
    params: z.object({ id: exceptionId }),
    answer: exceptionShape.extend({
      estimates: z.array(estimateShape),
      definition: z.record(z.string(), z.unknown()).nullable().describe('the rule, as it was then'),
    }),
    scoped: true,
    handler: async ({ caller, params }) => {
      const found = await exceptions.one(params.id, caller.scope);
      if (!found) throw new HttpError(404, `there is no exception ${params.id}`);
      const estimates = await exceptions.estimates(found.meter, {
        quantity: found.quantity,
        from: found.from,
        to: Math.max(found.to, found.from + 1),
        limit: 1000,
        scope: caller.scope,
      });
      return {
        ...exceptionOf(found),
        estimates: estimates.filter((e) => e.period === found.period).map(estimateOf),
        definition: await ruleOf(found.ruleSet, found.rulesVersion, found.rule),
      };
    },
  });
  router.add({
    method: 'PATCH',
    path: '/api/v1/exceptions/:id',
    needs: 'exception:modify',
    tag,
    summary: 'Accept, dismiss, assign or comment one finding',
    description:
      'Accepted or dismissed, its values hold as they were measured: its days are validated again by the next run.',
    params: z.object({ id: exceptionId }),
    body: changeBody,
    answer: exceptionShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      if (!(await exceptions.one(params.id, caller.scope)))
        throw new HttpError(404, `there is no exception ${params.id}`);
      await exceptions.change({ ids: [params.id] }, body, caller.scope, { who: caller.name, at: context.now() });
      about(`exception ${params.id}`, { ...body });
      const found = await exceptions.one(params.id, caller.scope);
      if (!found) throw new HttpError(404, `there is no exception ${params.id}`);
      return exceptionOf(found);
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/exceptions/change',
    needs: 'exception:modify',
    tag,
    summary: 'The same for many: by their ids, or all that a filter meets',
    body: bulkBody,
    bodyLimit: 1024 * 1024,
    answer: changedShape,
    scoped: true,
    handler: async ({ caller, body: { ids, filter, change }, about }) => {
      const by = { who: caller.name, at: context.now() };
      const which: { ids: readonly string[] } | ExceptionFilter =
        ids !== undefined
          ? { ids }
          : {
              ...filter,
              states: filter?.state,
              from: filter?.from === undefined ? undefined : Date.parse(filter.from),
              to: filter?.to === undefined ? undefined : Date.parse(filter.to),
              scope: caller.scope,
            };
      const changed = await exceptions.change(which, change, caller.scope, by);
      about(`${changed.length} exceptions`, { ...change });
      return { changed: changed.length, ids: [...changed] };
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/estimates',
    needs: 'reading:view',
    tag,
    summary: 'How values of a meter were estimated: method and inputs',
    params: meterParams,
    query: z.object({
      quantity: word.optional(),
      from: when.optional().describe('35 days back unless said'),
      to: when.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({ estimates: z.array(estimateShape) }),
    scoped: true,
    handler: async ({ caller, params, query }) => {
      if (!(await store.meter(params.id, caller.scope))) throw new HttpError(404, `there is no meter ${params.id}`);
      const to = query.to ?? context.now();
      const found = await exceptions.estimates(params.id, {
        quantity: query.quantity,
        from: query.from ?? to - 35 * DAY,
        to,
        limit: query.limit,
        scope: caller.scope,
      });
      return { estimates: found.map(estimateOf) };
    },
  });

  async function ruleOf(set: string | null, version: number, rule: string): Promise<Record<string, unknown> | null> {
    const stored = set === null ? undefined : (await rules.versions(set)).find((v) => v.version === version);
    const { profile = [], periodic = [] } = ((stored?.definition as typeof GIVEN | undefined)?.rules ??
      (set === null ? GIVEN.rules : {})) as Partial<typeof GIVEN.rules>;
    const found = [...profile, ...periodic].find((one) => one.name === rule);
    return found ? { ...found } : null;
  }
}
