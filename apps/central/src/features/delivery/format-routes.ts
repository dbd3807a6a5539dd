/** Designed formats by API: written, tried with invented values, read back, taken away. */
import {
  createFlatReader,
  createFlatWriter,
  type DeliveredSeries,
  type ReadingFault,
  type ReadingRow,
} from '@amiable/formats';
import { decimal, isoTime, QUANTITIES } from '@amiable/model';
import { flatFormat } from '@amiable/model/schemas';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { destinationBody, named, nameShape } from './shapes.ts';

const tag = 'delivery';
const QUARTER = 900_000;
const formatAnswer = z.object({
  name: z.string(),
  version: z.number(),
  definition: flatFormat,
  changed: z.string(),
  by: z.string(),
});
const SHOWN = 1000;

/** Values that nobody measured, with one of each quality. */
function invented(zone: string, quantity: string): DeliveredSeries[] {
  const found = QUANTITIES.find((one) => one.name === quantity) ?? (QUANTITIES[0] as (typeof QUANTITIES)[number]);
  const start = Date.UTC(2026, 0, 15, 11);
  return [1, 2].map((n) => ({
    meter: {
      id: String(n),
      serial: `697063100000000${n}`,
      utilitySerial: `U-${n}`,
      point: `70705750000000000${n}`,
      zone,
    },
    quantity: { name: found.name, obis: found.obis, unit: found.unit },
    start,
    step: QUARTER,
    values: Float64Array.of(250 * n, 275 * n, Number.NaN, 300 * n),
    quality: Uint8Array.of(0, 3, 4, 2),
    scaler: 0,
  }));
}

export function formatRoutes(router: Router, { store, timeZone, access }: Context): void {
  const { formats, destinations } = store.delivery;
  const known = async (name: string) => {
    const found = await formats.get(name);
    if (!found) throw new HttpError(404, `there is no format ${name}`);
    return {
      name,
      version: found.version,
      definition: flatFormat.parse(found.definition),
      changed: isoTime(found.changed),
      by: found.by,
    };
  };

  router.add({
    method: 'GET',
    path: '/api/v1/formats',
    needs: 'format:view',
    tag,
    summary: 'Designed formats of flat files',
    answer: z.object({ formats: z.array(formatAnswer.omit({ definition: true })) }),
    handler: async () => ({
      formats: (await formats.list()).map(({ name, version, changed, by }) => ({
        name,
        version,
        changed: isoTime(changed),
        by,
      })),
    }),
  });
  router.add({
    method: 'GET',
    path: '/api/v1/formats/:name',
    needs: 'format:view',
    tag,
    summary: 'A designed format',
    params: named,
    answer: formatAnswer,
    handler: ({ params }) => known(params.name),
  });
  router.add({
    method: 'PUT',
    path: '/api/v1/formats/:name',
    needs: 'format:modify',
    tag,
    summary: 'Writes a format; earlier versions stay',
    params: named,
    body: flatFormat,
    answer: formatAnswer,
    handler: async ({ params, body, caller, about }) => {
      const version = await formats.put(params.name, body, caller.name, access.clock());
      about(`format ${params.name}`, { version });
      return known(params.name);
    },
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/formats/:name',
    needs: 'format:delete',
    tag,
    summary: 'Takes a format away that no destination uses',
    params: named,
    answer: z.object({}),
    handler: async ({ params, about }) => {
      for (const { name, definition } of await destinations.list('all')) {
        const format = destinationBody.safeParse(definition).data?.format;
        if (format?.kind === 'flat' && format.name === params.name)
          throw new HttpError(409, `the destination ${name} uses the format ${params.name}; change it first`);
      }
      if (!(await formats.remove(params.name))) throw new HttpError(404, `there is no format ${params.name}`);
      about(`format ${params.name}`);
      return {};
    },
  });
  router.add({
    method: 'POST',
    path: '/api/v1/formats/try',
    needs: 'format:view',
    audit: 'none',
    tag,
    summary: 'A file of invented values in a format, or what a file says when it is read with it; nothing is kept',
    body: z.strictObject({
      name: nameShape.optional().describe('a format that there is'),
      definition: flatFormat.optional(),
      quantity: z.string().max(60).default('energyImport'),
      text: z.string().max(500_000).optional().describe('the beginning of a file to read'),
      period: z.number().int().min(0).max(86_400).default(900).describe('seconds, where no column says it'),
    }),
    answer: z.object({
      text: z.string().optional(),
      rows: z
        .array(
          z.object({
            line: z.number(),
            meter: z.string().nullable(),
            what: z.string().nullable(),
            time: z.string(),
            period: z.number(),
            value: z.string().nullable(),
            unit: z.string().nullable(),
            quality: z.string(),
          }),
        )
        .optional(),
      faults: z
        .array(z.object({ line: z.number(), column: z.number(), field: z.string().optional(), message: z.string() }))
        .optional(),
    }),
    handler: async ({ body }) => {
      const definition = body.definition ?? (body.name === undefined ? undefined : (await known(body.name)).definition);
      if (!definition) throw new HttpError(422, 'say a name or give a definition');
      if (body.text === undefined) {
        const series = invented(timeZone, body.quantity);
        const from = series[0]?.start as number;
        const facts = {
          created: from + 3_600_000,
          from,
          to: from + 4 * QUARTER,
          reference: '1',
          sender: 'amiable',
          receiver: 'you',
          zone: timeZone,
        };
        const writer = createFlatWriter(definition, facts);
        const bytes = Buffer.concat([writer.head(), ...series.map((one) => writer.series(one)), writer.tail()]);
        return { text: bytes.toString(definition.encoding === 'latin1' ? 'latin1' : 'utf8') };
      }
      const rows: ReadingRow[] = [];
      const faults: ReadingFault[] = [];
      const sink = {
        row: (row: ReadingRow) => void (rows.length < SHOWN && rows.push(row)),
        fault: (fault: ReadingFault) => void (faults.length < SHOWN && faults.push(fault)),
      };
      const reader = createFlatReader(definition, sink, { zone: timeZone, period: body.period * 1000 });
      if (reader.push(Buffer.from(body.text, definition.encoding === 'latin1' ? 'latin1' : 'utf8'))) reader.end();
      return {
        rows: rows.map(({ line, meter, what, time, period, mantissa, scaler, unit, quality }) => ({
          line,
          meter: meter ?? null,
          what: what ?? null,
          time: isoTime(time),
          period: period / 1000,
          value: mantissa === null ? null : decimal(mantissa, scaler),
          unit: unit ?? null,
          quality,
        })),
        faults,
      };
    },
  });
}
