/** A household's own history into one meter: CSV of the usual shapes, errors by line; what was billed is not changed in passing. */
import { MisuseError } from '@amiable/bytes';
import { readHistory } from '@amiable/compute';
import { intervalRegister, quantityOf } from '@amiable/model';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams, wholeBody } from '../../http/forms.ts';
import type { Router } from '../../http/router.ts';
import { zone } from '../prices/shapes.ts';

const flag = z.enum(['true', 'false']).transform((word) => word === 'true');
const column = z.string().min(1).max(200).optional().describe('heading, or number from 1');
const iso = (at: number): string => new Date(at).toISOString();

export function historyRoutes(router: Router, { store, now, timeZone }: Context): void {
  router.add({
    method: 'POST',
    path: '/api/v1/meters/:id/history',
    needs: 'execute:import',
    tag: 'values',
    summary: 'Intervals of one meter out of a CSV file of a portal, an application or a spreadsheet',
    description:
      'What people edited stays; estimates give way to readings. A time that was billed is refused unless overBilled is true; the next billing run makes a difference of it then.',
    params: meterParams,
    query: z.strictObject({
      quantity: z.string().max(40).default('energyImport'),
      timeZone: zone.optional().describe('of times without an offset; UTC for files in UTC'),
      separator: z.enum([';', ',', '\t', '|']).optional(),
      decimal: z.enum(['.', ',']).optional(),
      time: column,
      clock: column,
      value: column,
      unit: z.string().max(10).optional(),
      dayFirst: flag.optional(),
      stamp: z.enum(['start', 'end']).default('start'),
      cumulative: flag.default(false),
      dry: flag.default(false),
      takeGood: flag
        .default(false)
        .describe('true: leave out lines that are wrong; else one wrong line refuses the file'),
      overBilled: flag.default(false),
    }),
    answer: z.object({
      read: z.number().int(),
      written: z.boolean(),
      changed: z.number().int().describe('values that were there and are others now'),
      kept: z.number().int().describe('values that did not count, because what was there is better'),
      from: z.iso.datetime().nullable(),
      to: z.iso.datetime().nullable(),
      minutes: z.number().nullable(),
      notes: z.array(z.string()),
      faults: z.array(z.object({ line: z.number().int(), message: z.string() })),
    }),
    raw: true,
    scoped: true,
    takes: ['text/csv'],
    bodyLimit: 64 * 1024 * 1024,
    handler: async ({ caller, params, query, request, about }) => {
      const entry = await store.registry.entry(params.id, caller.scope);
      if (!entry) throw new HttpError(404, `there is no meter ${params.id}`);
      const quantity = quantityOf(query.quantity);
      if (!quantity) throw new MisuseError(`quantity: there is no ${query.quantity}`);
      const { quantity: _, timeZone: named, dry, takeGood, overBilled, ...form } = query;
      const given = Object.fromEntries(Object.entries(form).filter(([, v]) => v !== undefined));
      const text = new TextDecoder().decode(await wholeBody(request.body));
      const found = readHistory(text, { zone: named ?? timeZone, ...given });
      const { intervals, unit, count, notes, faults } = found;
      about(`meter ${params.id}`, { quantity: quantity.name, values: count, dry });
      const answer = {
        read: count,
        written: false,
        changed: 0,
        kept: 0,
        from: intervals ? iso(intervals.start) : null,
        to: intervals ? iso(intervals.start + intervals.values.length * intervals.step) : null,
        minutes: intervals ? intervals.step / 60_000 : null,
        notes: [...notes],
        faults: [...faults],
      };
      if (!intervals || count === 0) return answer;
      if (unit !== quantity.unit)
        throw new MisuseError(`the file is in ${unit}, and ${quantity.name} in ${quantity.unit}`);
      const to = intervals.start + intervals.values.length * intervals.step;
      const points = entry.places.filter((place) => place.kind === 'metering-point').map((place) => place.id);
      const billed = points.length === 0 ? [] : await store.billing.bills.spans(points, intervals.start, to);
      if (billed.length > 0 && !overBilled)
        throw new MisuseError(
          `a part of this time was billed (bills: ${billed.length}); with overBilled (--over-billed) it is taken all the same, and a run of differences bills what is other`,
        );
      if (dry || (faults.length > 0 && !takeGood)) return answer;
      const written = await store.intervals.write(
        [
          {
            meter: params.id,
            register: intervalRegister(quantity, intervals.step / 1000),
            scaler: intervals.scaler,
            start: intervals.start,
            step: intervals.step,
            values: intervals.values,
            // Where the file says nothing, nothing is taken away.
            quality: intervals.quality.map((q) => (q === 4 ? 0 : q)) as never,
          },
        ],
        { source: 'import', user: caller.name, at: now() },
      );
      return { ...answer, written: true, changed: written.replaced, kept: written.kept };
    },
  });
}
