/** What queries of several features take, as schemas. */
import { z } from 'zod';

/** Ids of the database: 63 bits. */
export const id63 = z.string().regex(/^\d{1,18}$/, 'an id has up to 18 digits');

const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/** A moment: ISO 8601 with zone, or epoch milliseconds; epoch ms within. */
export const when = z
  .union(
    [
      z.iso.datetime({ offset: true }),
      z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/),
      z.string().regex(/^\d{1,15}$/),
    ],
    'ISO 8601 with zone, or epoch milliseconds',
  )
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)))
  // What is no day of the calendar is no number, and refused here too.
  .refine((at) => at >= EARLIEST && at < LATEST, 'a time from 1900 to 2199');

/** A local day: `2026-11-20`. */
export const day = z.iso
  .date('a day such as 2026-11-20')
  .refine((text) => text >= '1990-01-01' && text < '2100-01-01', 'a day from 1990 to 2099');
