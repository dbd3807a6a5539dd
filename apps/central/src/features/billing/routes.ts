/** Billing over HTTP: runs, bills with their derivation, previews, what if, and the gate (feature M6). */
import { Readable } from 'node:stream';
import { add, startOf } from '@amiable/calendar';
import { isoTime } from '@amiable/model';
import type { BillingRun } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import { id63, when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { keptOf } from './bill.ts';
import { contractRoutes } from './contracts.ts';
import { billsCsv } from './csv.ts';
import { previewPoint, previewShape } from './preview.ts';
import {
  billingRunShape,
  billJson,
  billList,
  billParams,
  billQuery,
  billShape,
  byId,
  determinantJson,
  determinantList,
  money,
  releaseBody,
  releaseJson,
  releaseList,
  releaseQuery,
  releaseShape,
  runJson,
  runList,
  runParameters,
  runQuery,
  wholeBill,
} from './shapes.ts';
import { tariffRoutes } from './tariffs.ts';
import { beginRun, billingTask } from './task.ts';
import { whatIf, whatIfBody, whatIfShape } from './what-if.ts';

const DAY = 86_400_000;
const PRIORITY = 5;
const HOUSE_DAYS = 400;
/** What the gate of a preview says, where no run has said otherwise. */
const PERCENT = 10;

export function billingRoutes(router: Router, context: Context): void {
  const { store, now, timeZone } = context;
  const { bills, runs, releases } = store.billing;
  const tag = 'billing';
  context.ownKinds.set('billing', billingTask(context));
  tariffRoutes(router, context);
  contractRoutes(router, context);

  const runOf = async (id: string, scope: Parameters<typeof runs.get>[1]): Promise<BillingRun> => {
    const run = await runs.get(id, scope);
    if (!run) throw new HttpError(404, `there is no billing run ${id}`);
    return run;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/billing/runs',
    needs: 'bill:view',
    tag,
    summary: 'Runs of billing, newest first',
    query: runQuery,
    answer: runList,
    scoped: true,
    handler: async ({ caller, query }) => {
      const { limit, after } = query;
      const list = await runs.list({ limit, scope: caller.scope, ...(after === undefined ? {} : { after }) });
      return { runs: list.map(runJson), next: list.length === limit ? (list.at(-1)?.id ?? null) : null };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/billing/runs',
    needs: 'execute:bill',
    tag,
    summary: 'Bill a period: what nobody billed yet, or what has changed since it was billed',
    description:
      'Done by the scheduler; GET /api/v1/runs/:id of taskRun has its progress. The same order twice bills nothing twice.',
    body: runParameters,
    answer: billingRunShape,
    scoped: true,
    handler: async ({ caller, body, about, reply }) => {
      const at = now();
      const order = await store.work.runs.create({
        what: 'task',
        kind: 'billing',
        name: `billing ${body.from ?? body.of}`,
        definition: { kind: 'billing', parameters: body, timeZone },
        priority: PRIORITY,
        due: at,
        expires: at + DAY,
        created: at,
        creator: caller.name,
        scope: caller.scope === 'all' ? null : caller.scope,
        transaction: '',
      });
      if (!order) throw new HttpError(500, 'the run was not made');
      let run: BillingRun;
      try {
        run = await beginRun(store, body, {
          scope: caller.scope,
          taskRun: order.id,
          who: caller.name,
          zone: timeZone,
          now: at,
        });
      } catch (error) {
        await store.work.runs.change(order.id, ['waiting', 'running'], 'cancelled', at);
        throw error;
      }
      about(`billing run ${run.id}`, { kind: run.kind, period: run.name });
      context.scheduler.wake();
      reply.code(202);
      return runJson(run);
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/billing/runs/:id',
    needs: 'bill:view',
    tag,
    summary: 'One run, with what it came to so far',
    params: byId,
    answer: billingRunShape,
    scoped: true,
    handler: async ({ caller, params }) => {
      const run = await runOf(params.id, caller.scope);
      const sums = (await bills.sums(run.id)).map(({ n, amount, scaler, ...s }) => ({
        ...s,
        bills: n,
        amount: money(amount, scaler) ?? '0',
      }));
      return { ...runJson(run), sums };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/billing/runs/:id/bills.csv',
    needs: 'bill:view',
    tag,
    summary: 'Bills of a run as CSV: a row for each bill, or for each line',
    params: byId,
    query: z.object({ rows: z.enum(['bills', 'lines']).default('bills') }),
    answer: 'text/csv',
    scoped: true,
    audit: 'reveal',
    handler: async ({ caller, params, query, about, reply }) => {
      const run = await runOf(params.id, caller.scope);
      about(`billing run ${run.id}`, { rows: query.rows });
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="bills-${run.id}.csv"`)
        .send(Readable.from(billsCsv(store, run.id, query.rows, caller.scope)));
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/billing/runs/:id/determinants',
    needs: 'bill:view',
    tag,
    summary: 'Energy by rate and the highest interval of each contract of a run of kind determinants',
    params: byId,
    query: z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100), after: id63.optional() }),
    answer: determinantList,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const run = await runOf(params.id, caller.scope);
      const { limit, after } = query;
      const rows = await store.billing.determinants.list({
        run: run.id,
        limit,
        scope: caller.scope,
        ...(after === undefined ? {} : { after }),
      });
      return {
        determinants: rows.map(determinantJson),
        next: rows.length >= limit ? (rows.at(-1)?.meteringPoint ?? null) : null,
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/bills',
    needs: 'bill:view',
    tag,
    summary: 'Bills, those that were blocked or could not be billed among them',
    query: billQuery,
    answer: billList,
    scoped: true,
    handler: async ({ caller, query }) => {
      const { limit, ...rest } = query;
      const asked = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      const list = await bills.list({ ...asked, limit, scope: caller.scope });
      return { bills: list.map(billJson), next: list.length === limit ? (list.at(-1)?.id ?? null) : null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/bills/:id',
    needs: 'bill:view',
    tag,
    summary:
      'One bill with its derivation: each line with quantity, unit, price, amount and why; of a difference what changed',
    params: billParams,
    answer: wholeBill,
    scoped: true,
    handler: async ({ caller, params }) => {
      const bill = await bills.get(params.id, caller.scope);
      if (!bill) throw new HttpError(404, `there is no bill ${params.id}`);
      return { ...billJson(bill), detail: keptOf(bill) ?? null };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/billing/what-if',
    needs: 'bill:view',
    tag,
    summary:
      'Past consumption of a customer or a group by another tariff: comparison and distribution, nothing is stored',
    body: whatIfBody,
    answer: whatIfShape,
    scoped: true,
    audit: 'none',
    handler: async ({ caller, body, request }) => {
      // A request is closed once its body is read; the caller is gone when the connection is.
      const abort = new AbortController();
      const gone = (): void => abort.abort();
      const { socket } = request.raw;
      socket.once('close', gone);
      try {
        return await whatIf(store, body, { scope: caller.scope, zone: timeZone, now: now(), signal: abort.signal });
      } finally {
        socket.off('close', gone);
      }
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/billing/releases',
    needs: 'bill:view',
    tag,
    summary: 'What people let through the gate, newest first',
    query: releaseQuery,
    answer: releaseList,
    scoped: true,
    handler: async ({ caller, query }) => {
      const { limit, after, meteringPoint } = query;
      const list = await releases.list({
        limit,
        scope: caller.scope,
        ...(after === undefined ? {} : { after }),
        ...(meteringPoint === undefined ? {} : { meteringPoint }),
      });
      return { releases: list.map(releaseJson), next: list.length === limit ? (list.at(-1)?.id ?? null) : null };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/billing/releases',
    needs: 'bill:modify',
    tag,
    summary: 'Let a metering point through the gate for a time, with a reason; the next run bills it',
    body: releaseBody,
    answer: releaseShape,
    scoped: true,
    handler: async ({ caller, body, about }) => {
      const release = await releases.put(body, caller.scope, { who: caller.name, at: now() });
      about(`metering point ${release.code}`, { from: isoTime(body.from), to: isoTime(body.to), reason: body.reason });
      return releaseJson(release);
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/metering-points/:id/bills',
    needs: 'bill:view',
    tag,
    summary: 'Bills of a metering point',
    params: byId,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      after: billParams.shape.id.optional(),
    }),
    answer: billList,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const { limit, after } = query;
      const node = await store.registry.node(params.id, caller.scope);
      if (node?.kind !== 'metering-point') throw new HttpError(404, `there is no metering point ${params.id}`);
      const list = await bills.list({
        meteringPoint: params.id,
        limit,
        scope: caller.scope,
        ...(after === undefined ? {} : { after }),
      });
      return { bills: list.map(billJson), next: list.length === limit ? (list.at(-1)?.id ?? null) : null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/bill',
    needs: 'bill:view',
    tag,
    summary: 'What the house of a meter was billed in a time, and what it comes to so far',
    description:
      'The running month unless said. Previews end at the last midnight that has been, and say what of it is estimated.',
    params: meterParams,
    query: z.object({ from: when.optional(), to: when.optional() }),
    answer: z.object({
      meter: z.string(),
      meteringPoint: z.object({ id: id63, code: z.string() }).nullable().describe('null where it stands nowhere'),
      from: z.string(),
      to: z.string(),
      bills: z.array(billShape),
      preview: z.array(previewShape),
    }),
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const meter = await store.meter(params.id, caller.scope);
      if (!meter) throw new HttpError(404, `there is no meter ${params.id}`);
      const zone = (await store.billing.zones([params.id])).get(params.id) ?? timeZone;
      const from = query.from ?? startOf('month', zone, now());
      const to = query.to ?? add('month', zone, now(), 1);
      if (from >= to) throw new HttpError(422, 'to must come after from');
      if (to - from > HOUSE_DAYS * DAY) throw new HttpError(422, `at most ${HOUSE_DAYS} days at once`);
      const point = (await store.billing.pointsOf([params.id], { from, to, limit: 1000, scope: caller.scope })).at(-1);
      const span = { from, to };
      return {
        meter: params.id,
        meteringPoint: point ?? null,
        from: isoTime(from),
        to: isoTime(to),
        bills: point
          ? (await bills.list({ meteringPoint: point.id, ...span, limit: 1000, scope: caller.scope })).map(billJson)
          : [],
        preview: point ? await previewPoint(store, point.id, span, now(), caller.scope, PERCENT) : [],
      };
    },
  });
}
