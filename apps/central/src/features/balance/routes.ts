/** Balances of areas of the grid by HTTP: what is supplied, consumed, produced and lost; who lacked values; what stays lost. */
import { MisuseError } from '@amiable/bytes';
import { add, isValidZone, startOf } from '@amiable/calendar';
import { trendOf } from '@amiable/compute';
import { type Caller, decimal } from '@amiable/model';
import { balanceShape } from '@amiable/model/schemas';
import { ALARM_STATES, type BalanceAlarm, type BalanceDay, type StoredArea } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { day, id63, when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { callerOf, covers } from '../../scheduler/rights.ts';
import { computeArea, dayAt, limitsOf, lossDays, zoneOfArea } from './compute.ts';

const MOST = 10_000;
const DAY = 86_400_000;
const iso = (at: number): string => new Date(at).toISOString();
const name = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u, 'a name of letters, digits, blanks and . _ -');
const byName = z.object({ name });

const shown = z.object({
  name: z.string(),
  node: z.string().nullable(),
  version: z.number().int(),
  segment: z.number().int(),
  changedBy: z.string(),
  changedAt: z.iso.datetime(),
  definition: z.record(z.string(), z.unknown()),
});
const jsonOf = ({ name, node, version, segment, changedBy, changedAt, definition }: StoredArea) => ({
  name,
  node,
  version,
  segment,
  changedBy,
  changedAt: iso(changedAt),
  definition: { ...definition },
});
const energy = z.string().describe('Wh, exact');
const sums = {
  supplied: energy,
  consumed: energy,
  produced: energy,
  loss: energy,
  share: z.number().nullable().describe('of what came in: supplied and produced'),
  intervals: z.number().int(),
  complete: z.number().int().describe('intervals for which all meters had a value; the sums are over them'),
};
const shareOf = (d: { supplied: number; produced: number; loss: number }): number | null => {
  const inflow = Math.max(d.supplied, 0) + d.produced;
  return inflow > 0 ? d.loss / inflow : null;
};
const dayShape = z.object({
  day: z.iso.date(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  ...sums,
  meters: z.number().int(),
  missingMeters: z.number().int(),
  missing: z
    .array(
      z.object({
        meter: z.string(),
        serial: z.string(),
        role: z.string(),
        count: z.number().int(),
        spans: z.array(z.object({ from: z.iso.datetime(), to: z.iso.datetime() })),
      }),
    )
    .describe('the worst first, up to 200'),
  shares: z.record(z.string(), z.number().int()).describe('values that went in, by quality'),
  computedAt: z.iso.datetime(),
});
const WORDS = ['measured', 'calculated', 'edited', 'estimated', 'missing'];
const dayJson = (d: BalanceDay) => ({
  day: d.day,
  from: iso(d.from),
  to: iso(d.to),
  supplied: decimal(d.supplied, d.scaler),
  consumed: decimal(d.consumed, d.scaler),
  produced: decimal(d.produced, d.scaler),
  loss: decimal(d.loss, d.scaler),
  share: shareOf(d),
  intervals: d.intervals,
  complete: d.complete,
  meters: d.meters,
  missingMeters: d.detail.missingMeters,
  missing: d.detail.missing.map((m) => ({
    ...m,
    spans: m.spans.map(([from, to]) => ({ from: iso(from), to: iso(to) })),
  })),
  shares: Object.fromEntries(d.detail.shares.map((n, q) => [WORDS[q] as string, n])),
  computedAt: iso(d.computedAt),
});
const alarmShape = z.object({
  id: z.string(),
  area: z.string(),
  kind: z.enum(['persistent-loss', 'negative-loss', 'step', 'incomplete']),
  severity: z.enum(['info', 'warning', 'error']),
  state: z.enum(ALARM_STATES),
  firstDay: z.iso.date(),
  lastDay: z.iso.date(),
  sentence: z.string(),
  numbers: z.record(z.string(), z.number()),
  owner: z.string().nullable(),
  note: z.string().nullable(),
  openedAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
  changedBy: z.string().nullable(),
});
const alarmJson = ({ areaName, openedAt, changedAt, ...rest }: BalanceAlarm) => ({
  ...rest,
  area: areaName,
  numbers: { ...rest.numbers },
  openedAt: iso(openedAt),
  changedAt: iso(changedAt),
});
const computed = z.object({
  area: z.string(),
  days: z.number().int(),
  intervals: z.number().int(),
  complete: z.number().int(),
  opened: z.number().int().describe('alarms'),
  closed: z.number().int(),
});

const taskShape = z.strictObject({
  areas: z.array(name).min(1).max(1000).optional().describe('all unless said'),
  days: z
    .number()
    .int()
    .min(1)
    .max(92)
    .default(14)
    .describe('days that are computed where they are not yet, or lacked something'),
});

export function balanceTask(context: Context): OwnTask {
  const { store, now, timeZone } = context;
  const run: OwnTask = async ({ run, parameters, signal, progress }) => {
    const { areas, days } = taskShape.parse(parameters);
    const caller = await callerOf(store, run);
    const all = (await store.balance.list({ limit: MOST, scope: caller.scope })).filter((a) =>
      areas === undefined ? covers(caller.scope, a.reads) : areas.includes(a.name),
    );
    const lost = areas?.find((a) => !all.some((one) => one.name === a));
    if (lost !== undefined) throw new MisuseError(`there is no balance area ${lost}`);
    let [computedDays, opened, closed] = [0, 0, 0];
    const wrong: string[] = [];
    for (const [done, area] of all.entries()) {
      if (signal.aborted) break;
      progress({ done, total: all.length, area: area.name });
      try {
        const found = await computeArea({ store, now, timeZone, scope: caller.scope, days, signal }, area);
        computedDays += found.days;
        opened += found.opened;
        closed += found.closed;
      } catch (error) {
        if (!(error instanceof MisuseError)) throw error;
        wrong.push(`${area.name}: ${error.message}`);
      }
    }
    const note = `${all.length} areas, ${computedDays} days computed; ${opened} alarms opened, ${closed} closed`;
    if (wrong.length > 0) throw new MisuseError([...wrong, note].join('\n').slice(0, 4000));
    return { note };
  };
  return Object.assign(run, {
    check: async (parameters: unknown, caller: Caller) => {
      for (const area of taskShape.parse(parameters).areas ?? [])
        if (!(await store.balance.get(area, caller.scope))) throw new MisuseError(`there is no balance area ${area}`);
    },
  });
}

export function balanceRoutes(router: Router, context: Context): void {
  const { store, now, timeZone } = context;
  context.ownKinds.set('balance', balanceTask(context));
  const find = async (key: string, caller: Caller): Promise<StoredArea> => {
    const found = await store.balance.get(key, caller.scope);
    if (!found) throw new HttpError(404, 'there is no balance area of this name');
    return found;
  };
  const text = (at: number): string => iso(at).slice(0, 10);
  const spanOf = ({ from, to }: { from?: string | undefined; to?: string | undefined }, most = 400) => {
    const end = to ?? text(now() + DAY);
    const begin = from ?? text(Date.parse(end) - 31 * DAY);
    const days = (Date.parse(end) - Date.parse(begin)) / DAY;
    if (days < 1) throw new HttpError(422, 'to: the day after the last must come after from');
    if (days > most) throw new HttpError(422, `from: at most ${most} days at once`);
    return { from: begin, to: end };
  };
  const span = {
    from: day.optional().describe('first local day; a month back unless said'),
    to: day.optional().describe('the day after the last'),
  };

  router.add({
    method: 'GET',
    path: '/api/v1/balances',
    needs: 'balance:view',
    tag: 'balance',
    summary: 'Areas of the grid with their sums over days',
    query: z.strictObject({
      ...span,
      after: z.string().max(100).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({
      areas: z.array(z.object({ name: z.string(), node: z.string().nullable(), days: z.number().int(), ...sums })),
      next: z.string().nullable(),
    }),
    scoped: true,
    handler: async ({ caller, query }) => {
      const found = await store.balance.summary({
        ...spanOf(query),
        limit: query.limit,
        scope: caller.scope,
        ...(query.after === undefined ? {} : { after: query.after }),
      });
      return {
        areas: found.map((a) => ({
          name: a.name,
          node: a.node,
          days: a.days,
          supplied: String(a.supplied),
          consumed: String(a.consumed),
          produced: String(a.produced),
          loss: String(a.loss),
          share: shareOf(a),
          intervals: a.intervals,
          complete: a.complete,
        })),
        next: found.length < query.limit ? null : (found.at(-1)?.name ?? null),
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/balances/:name',
    needs: 'balance:view',
    tag: 'balance',
    summary: 'An area: what belongs to it, the trend of its loss, its alarms',
    params: byName,
    answer: shown.extend({
      limits: z.record(z.string(), z.number()),
      trend: z
        .object({
          days: z.number().int(),
          median: z.number().describe('share of what came in'),
          scatter: z.number(),
          perMonth: z.number().describe('change of the share in thirty days'),
          constant: z.number().describe('Wh a day that do not grow with the load'),
          proportional: z.number().describe('lost of each further Wh'),
        })
        .nullable(),
      alarms: z.array(alarmShape),
    }),
    scoped: true,
    handler: async ({ caller, params }) => {
      const area = await find(params.name, caller);
      const zone = zoneOfArea(area, timeZone);
      const today = startOf('day', zone, now());
      const days = await store.balance.days(area.id, text(add('day', zone, today, -92)), text(today + DAY));
      const limits = limitsOf(area);
      return {
        ...jsonOf(area),
        limits: { ...limits },
        trend: trendOf(lossDays(days), limits.completeness) ?? null,
        alarms: (await store.balance.alarms({ area: area.id, limit: 100, scope: caller.scope })).map(alarmJson),
      };
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/balances/:name',
    needs: 'balance:create',
    tag: 'balance',
    summary: 'Makes an area, or a new version of it; its days are computed anew by the next run',
    params: byName,
    query: z.strictObject({
      segment: z.coerce.number().int().min(1).default(1).describe('data segment of a new area'),
    }),
    body: balanceShape,
    answer: shown,
    scoped: true,
    handler: async ({ caller, params, query, body, about }) => {
      about(`balance ${params.name}`, { node: body.node ?? null });
      const there = await store.balance.get(params.name, 'all');
      if (there && caller.scope !== 'all' && !caller.scope.includes(there.segment))
        throw new HttpError(404, 'there is no balance area of this name');
      if (caller.scope !== 'all' && !caller.scope.includes(query.segment))
        throw new HttpError(422, `segment: there is no segment ${query.segment}`);
      if (body.timeZone !== undefined && !isValidZone(body.timeZone))
        throw new HttpError(422, `timeZone: there is no zone ${body.timeZone}`);
      if (body.node !== undefined && !(await store.registry.node(body.node, caller.scope)))
        throw new HttpError(422, `node: there is no node ${body.node}`);
      for (const meter of body.supply)
        if (!(await store.meter(meter, caller.scope))) throw new HttpError(422, `supply: there is no meter ${meter}`);
      const before = await store.balance.get(params.name, caller.scope);
      return jsonOf(
        await store.balance.put(
          { name: params.name, definition: body, segment: before?.segment ?? query.segment },
          caller.name,
          now(),
          caller.scope,
        ),
      );
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/balances/:name',
    needs: 'balance:delete',
    tag: 'balance',
    summary: 'Takes an area away, with its days and alarms',
    params: byName,
    answer: z.object({ removed: z.boolean() }),
    scoped: true,
    handler: async ({ caller, params, about }) => {
      await find(params.name, caller);
      about(`balance ${params.name}`);
      return { removed: await store.balance.remove(params.name, caller.scope) };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/balances/:name/days',
    needs: 'balance:view',
    tag: 'balance',
    summary: 'Local days of an area, with the meters that lacked values named',
    params: byName,
    query: z.strictObject(span),
    answer: z.object({ days: z.array(dayShape) }),
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const area = await find(params.name, caller);
      const { from, to } = spanOf(query);
      return { days: (await store.balance.days(area.id, from, to)).map(dayJson) };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/balances/:name/intervals',
    needs: 'balance:view',
    tag: 'balance',
    summary: 'The loss of each interval of some days; null where a meter lacked its value',
    params: byName,
    query: z.strictObject(span),
    answer: z.object({
      intervals: z.array(z.object({ from: z.iso.datetime(), to: z.iso.datetime(), loss: energy.nullable() })),
    }),
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const area = await find(params.name, caller);
      const { from, to } = spanOf(query, 31);
      return {
        intervals: (await store.balance.days(area.id, from, to)).flatMap((d) =>
          d.detail.loss.map((loss, i) => ({
            from: iso(d.from + i * d.step * 1000),
            to: iso(d.from + (i + 1) * d.step * 1000),
            loss: loss === null ? null : decimal(loss, d.scaler),
          })),
        ),
      };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/balances/:name/compute',
    needs: 'execute:calculate',
    tag: 'balance',
    summary: 'Computes an area now: local days of a time, or what is not yet, lacked or changed',
    params: byName,
    body: z.strictObject({ from: z.union([day, when]).optional(), to: z.union([day, when]).optional() }),
    answer: computed,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const area = await find(params.name, caller);
      about(`balance ${params.name}`);
      const zone = zoneOfArea(area, timeZone);
      const at = (given: string | number | undefined): number | undefined =>
        given === undefined ? undefined : typeof given === 'number' ? given : dayAt(zone, given);
      const [from, to] = [at(body.from), at(body.to)];
      return computeArea(
        {
          store,
          now,
          timeZone,
          scope: caller.scope,
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
        },
        area,
      );
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/balance-alarms',
    needs: 'balance:view',
    tag: 'balance',
    summary: 'Losses that stay, wrong measurement, steps; the newest first',
    query: z.strictObject({
      state: z.enum(ALARM_STATES).optional().describe('all but closed unless said'),
      after: id63.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({ alarms: z.array(alarmShape), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query }) => {
      const found = await store.balance.alarms({
        states: query.state === undefined ? ['open', 'accepted'] : [query.state],
        limit: query.limit,
        scope: caller.scope,
        ...(query.after === undefined ? {} : { after: query.after }),
      });
      return { alarms: found.map(alarmJson), next: found.length < query.limit ? null : (found.at(-1)?.id ?? null) };
    },
  });

  router.add({
    method: 'PATCH',
    path: '/api/v1/balance-alarms/:id',
    needs: 'balance:modify',
    tag: 'balance',
    summary: 'Takes an alarm on, gives it to somebody, or closes it',
    params: z.object({ id: id63 }),
    body: z.strictObject({
      state: z.enum(ALARM_STATES).optional(),
      owner: z.string().max(200).optional(),
      note: z.string().max(2000).optional(),
    }),
    answer: alarmShape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const change = Object.fromEntries(Object.entries(body).filter(([, v]) => v !== undefined));
      const found = await store.balance.decide(params.id, change, caller.name, now(), caller.scope);
      if (!found) throw new HttpError(404, `there is no alarm ${params.id}`);
      about(`balance alarm ${params.id}`, change);
      return alarmJson(found);
    },
  });
}
