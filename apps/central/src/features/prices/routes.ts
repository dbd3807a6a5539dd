/** Prices by HTTP: series, what they were when, files in, and the services that they are fetched from. */
import { DecodeError, PeerError } from '@amiable/bytes';
import { amountOf, priceDays } from '@amiable/compute';
import { decimal } from '@amiable/model';
import type { PriceSource } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { wholeBody } from '../../http/forms.ts';
import { when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { checkAddress } from './fetch.ts';
import { currency, reading, seriesName, sourceShape, unit, zone } from './shapes.ts';
import { fetchSource, ownerOf, pricesTask } from './sources.ts';
import { type Taken, takePrices } from './take.ts';

const MOST_POINTS = 10_000;
const DAY = 86_400_000;
const iso = (at: number): string => new Date(at).toISOString();

const series = z.object({
  name: z.string(),
  currency: z.string(),
  unit: z.string(),
  description: z.string().nullable(),
});
const byName = z.object({ name: seriesName });
const span = { from: when, to: when };
const price = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  price: z.string().nullable().describe('exact decimal; null where there is none'),
});
const taken = z.object({
  form: z.string(),
  read: z.number().int(),
  fresh: z.number().int(),
  changed: z.number().int(),
  from: z.iso.datetime().nullable(),
  to: z.iso.datetime().nullable(),
  notes: z.array(z.string()),
  faults: z.array(z.object({ line: z.number().int(), message: z.string() })),
  days: z.array(z.string()).describe('days that lack prices or are not 24 hours'),
});
const shownTaken = (t: Taken) => ({
  ...t,
  from: t.from === null ? null : iso(t.from),
  to: t.to === null ? null : iso(t.to),
  notes: [...t.notes],
  faults: [...t.faults],
  days: [...t.days],
});
const source = z.object({
  name: z.string(),
  definition: z.record(z.string(), z.unknown()),
  hasKey: z.boolean(),
  triedAt: z.iso.datetime().nullable(),
  outcome: z.string().nullable(),
  good: z.boolean().nullable(),
});
const shownSource = ({ name, definition, hasSecret, triedAt, outcome, good }: PriceSource) => ({
  name,
  definition: { ...definition },
  hasKey: hasSecret,
  triedAt: triedAt === null ? null : iso(triedAt),
  outcome,
  good,
});
const flag = z.enum(['true', 'false']).transform((word) => word === 'true');

export function priceRoutes(router: Router, context: Context): void {
  const { store, now, timeZone, vault } = context;
  const { prices } = store;
  context.ownKinds.set('prices', pricesTask(context));
  const seriesOf = async (name: string) => {
    const found = await prices.get(name);
    if (!found) throw new HttpError(404, `there is no series of prices ${name}`);
    return found;
  };
  const sourceOf = async (name: string): Promise<PriceSource> => {
    const found = await prices.sources.get(name);
    if (!found) throw new HttpError(404, `there is no source of prices ${name}`);
    return found;
  };
  const checkSpan = ({ from, to }: { from: number; to: number }): void => {
    if (to <= from) throw new HttpError(422, 'to must come after from');
  };

  router.add({
    method: 'GET',
    path: '/api/v1/prices',
    needs: 'price:view',
    tag: 'prices',
    summary: 'Series of prices',
    answer: z.object({ series: z.array(series) }),
    handler: async () => ({ series: [...(await prices.list())] }),
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/prices/:name',
    needs: 'price:create',
    tag: 'prices',
    summary: 'Makes a series of prices, or describes it anew',
    params: byName,
    body: z.strictObject({ currency, unit, description: z.string().max(500).nullable().default(null) }),
    answer: series,
    handler: async ({ params, body, about }) => {
      about(`prices ${params.name}`, body);
      await prices.put({ name: params.name, ...body });
      return seriesOf(params.name);
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/prices/:name',
    needs: 'price:view',
    tag: 'prices',
    summary: 'Prices on a grid, now or as they were known at a time',
    params: byName,
    query: z.strictObject({
      ...span,
      step: z.coerce
        .number()
        .int()
        .min(60)
        .max(31 * 86_400)
        .default(3600)
        .describe('seconds; an hour’s price holds for its quarters'),
      asOf: when.optional().describe('as they were known then'),
    }),
    answer: series.omit({ description: true }).extend({ prices: z.array(price) }),
    handler: async ({ params, query }) => {
      checkSpan(query);
      const step = query.step * 1000;
      if ((query.to - query.from) / step > MOST_POINTS)
        throw new HttpError(422, `at most ${MOST_POINTS} prices at once`);
      const found = await prices.read(params.name, {
        from: query.from,
        to: query.to,
        step,
        ...(query.asOf === undefined ? {} : { asOf: query.asOf }),
      });
      if (!found) throw new HttpError(404, `there is no series of prices ${params.name}`);
      return {
        name: params.name,
        currency: found.currency,
        unit: found.unit,
        prices: Array.from(found.values, (value, i) => ({
          from: iso(found.start + i * step),
          to: iso(found.start + (i + 1) * step),
          price: Number.isNaN(value) ? null : decimal(value, found.scaler),
        })),
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/prices/:name/history',
    needs: 'price:view',
    tag: 'prices',
    summary: 'Every price that was known for a time, with where it came from and when',
    params: byName,
    query: z.strictObject({ ...span, limit: z.coerce.number().int().min(1).max(1000).default(100) }),
    answer: z.object({
      prices: z.array(price.extend({ source: z.string(), recordedAt: z.iso.datetime() })),
    }),
    handler: async ({ params, query }) => {
      checkSpan(query);
      await seriesOf(params.name);
      const found = await prices.history(params.name, query);
      return {
        prices: found.map((p) => ({
          from: iso(p.from),
          to: iso(p.to),
          price: decimal(p.mantissa, p.scaler),
          source: p.source,
          recordedAt: iso(p.recordedAt),
        })),
      };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/prices/:name/days',
    needs: 'price:view',
    tag: 'prices',
    summary: 'Local days with how many prices they have of how many, and where they lack',
    params: byName,
    query: z.strictObject({
      ...span,
      step: z.coerce.number().int().min(60).max(86_400).default(3600),
      timeZone: zone.optional(),
    }),
    answer: z.object({
      days: z.array(
        z.object({
          day: z.iso.date(),
          expected: z.number().int(),
          present: z.number().int(),
          gaps: z.array(z.object({ from: z.iso.datetime(), to: z.iso.datetime() })),
          sentence: z.string().nullable(),
        }),
      ),
    }),
    handler: async ({ params, query }) => {
      checkSpan(query);
      if (query.to - query.from > 400 * DAY) throw new HttpError(422, 'at most 400 days at once');
      const own = query.timeZone ?? timeZone;
      const step = query.step * 1000;
      // A day around, so that the first and the last day are whole.
      const from = Math.floor((query.from - 2 * DAY) / step) * step;
      const found = await prices.read(params.name, { from, to: query.to + 2 * DAY, step });
      if (!found) throw new HttpError(404, `there is no series of prices ${params.name}`);
      return {
        days: priceDays(found, own, query.from, query.to).map(({ day, expected, present, gaps, sentence }) => ({
          day,
          expected,
          present,
          gaps: gaps.map((gap) => ({ from: iso(gap.from), to: iso(gap.to) })),
          sentence: sentence ?? null,
        })),
      };
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/prices/:name',
    needs: 'price:modify',
    tag: 'prices',
    summary: 'Prices by hand: of any length, such as months; what was there before stays as history',
    params: byName,
    body: z.strictObject({
      prices: z
        .array(z.strictObject({ from: when, to: when, price: z.union([z.string().max(40), z.number()]) }))
        .min(1)
        .max(10_000),
    }),
    answer: z.object({ fresh: z.number().int(), changed: z.number().int() }),
    handler: async ({ caller, params, body, about }) => {
      await seriesOf(params.name);
      about(`prices ${params.name}`, { prices: body.prices.length });
      const spans = body.prices.map(({ from, to, price: written }) => {
        const amount = amountOf(String(written));
        if (!amount) throw new HttpError(422, `${JSON.stringify(written)} is no price`);
        return { from, to, ...amount };
      });
      return prices.writeSpans(params.name, spans, { source: caller.name, at: now() });
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/prices/:name/import',
    needs: 'price:modify',
    tag: 'prices',
    summary: 'Takes a file of prices: ENTSO-E XML, JSON of the usual services, CSV of any columns',
    params: byName,
    query: z.strictObject({
      how: z
        .string()
        .max(5000)
        .default('{}')
        .describe('JSON: form, area, currency, unit, timeZone, sequence, csv (columns); see docs/prices.md'),
      name: z.string().max(200).default('upload').describe('the file’s name, for people'),
      dry: flag.default(false).describe('true: only look'),
      takeGood: flag
        .default(false)
        .describe('true: leave out lines that are wrong; else one wrong line refuses the file'),
    }),
    answer: taken,
    raw: true,
    takes: ['text/csv', 'application/json', 'application/xml'],
    bodyLimit: 64 * 1024 * 1024,
    handler: async ({ params, query, request, about }) => {
      await seriesOf(params.name);
      let given: unknown;
      try {
        given = JSON.parse(query.how);
      } catch {
        throw new HttpError(422, 'how: is no JSON');
      }
      const how = reading.parse(given);
      const text = new TextDecoder().decode(await wholeBody(request.body));
      if (text.trim() === '') throw new DecodeError('empty', 'the file is empty', 0);
      const found = await takePrices({
        store,
        series: params.name,
        text,
        reading: how,
        zone: timeZone,
        source: query.name || 'upload',
        at: now(),
        dry: query.dry,
        takeGood: query.takeGood,
      });
      about(`prices ${params.name}`, { file: query.name, fresh: found.fresh, changed: found.changed, dry: query.dry });
      return shownTaken(found);
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/price-sources',
    needs: 'price:view',
    tag: 'prices',
    summary: 'Services that prices are fetched from, and how it went last',
    answer: z.object({ sources: z.array(source) }),
    handler: async () => ({ sources: (await prices.sources.list()).map(shownSource) }),
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/price-sources/:name',
    needs: 'price:create',
    tag: 'prices',
    summary: 'Makes a source of prices, or says anew how it is asked; a task of kind prices asks it by a schedule',
    params: byName,
    body: sourceShape,
    answer: source,
    handler: async ({ params, body, about }) => {
      about(`price source ${params.name}`, { series: body.series });
      const { host } = checkAddress(
        body.url,
        body.url.includes('{key}') || Object.values(body.headers).some((h) => h.includes('{key}')),
      );
      await seriesOf(body.series);
      const before = await prices.sources.get(params.name);
      // The key was given to another server: whoever may only change addresses must not get it sent to theirs.
      if (before?.hasSecret && checkAddress(String(before.definition.url), false).host !== host)
        await prices.sources.putSecret(params.name, null);
      await prices.sources.put({ name: params.name, series: body.series, definition: body });
      return shownSource(await sourceOf(params.name));
    },
  });

  router.add({
    method: 'PUT',
    path: '/api/v1/price-sources/:name/key',
    needs: 'price:create',
    tag: 'prices',
    summary: 'The key of a service; kept sealed and never shown. null takes it away',
    params: byName,
    body: z.strictObject({
      key: z
        .string()
        .min(1)
        .max(1000)
        .regex(/^[\x21-\x7e]+$/, 'plain characters without blanks')
        .nullable(),
    }),
    answer: source,
    handler: async ({ params, body, about }) => {
      await sourceOf(params.name);
      about(`price source ${params.name}`);
      await prices.sources.putSecret(
        params.name,
        body.key === null ? null : vault.seal(Buffer.from(body.key), ownerOf(params.name)),
      );
      return shownSource(await sourceOf(params.name));
    },
  });

  router.add({
    method: 'POST',
    path: '/api/v1/price-sources/:name/fetch',
    needs: 'price:modify',
    tag: 'prices',
    summary: 'Asks a service now',
    params: byName,
    answer: z.object({ taken: z.array(taken) }),
    handler: async ({ params, about, request }) => {
      const found = await sourceOf(params.name);
      about(`price source ${params.name}`);
      const gone = new AbortController();
      request.raw.once('close', () => {
        if (request.raw.destroyed && !request.raw.complete) gone.abort();
      });
      try {
        return { taken: (await fetchSource(context, found, gone.signal)).taken.map(shownTaken) };
      } catch (error) {
        if (error instanceof PeerError) throw new HttpError(502, error.message);
        throw error;
      }
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/price-sources/:name',
    needs: 'price:delete',
    tag: 'prices',
    summary: 'Takes a source away with its key; its prices stay',
    params: byName,
    answer: z.object({ removed: z.boolean() }),
    handler: async ({ params, about }) => {
      await sourceOf(params.name);
      about(`price source ${params.name}`);
      return { removed: await prices.sources.remove(params.name) };
    },
  });
}
