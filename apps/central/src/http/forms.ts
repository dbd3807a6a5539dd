/** Parts of addresses that several features take, checked in one place. */
import { Readable } from 'node:stream';
import { z } from 'zod';

const LAST_ID = 2n ** 63n - 1n;

export const meterParams = z.object({
  id: z
    .string()
    .regex(/^\d{1,19}$/, 'a meter id has digits only')
    .refine((id) => !/^\d{1,19}$/.test(id) || BigInt(id) <= LAST_ID, 'a meter id has 63 bits'),
});

/** A body of any media type, whole. @throws what the stream fails with (413 where the route's limit is passed) */
export async function wholeBody(body: unknown): Promise<Buffer> {
  if (!(body instanceof Readable)) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

const instant = z.union(
  [z.iso.datetime({ offset: true }), z.string().regex(/^\d{1,15}$/)],
  'ISO 8601 with zone, or epoch milliseconds',
);
const ms = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Date.parse(text));
const sensible = (at: number): boolean => at >= EARLIEST && at < LATEST;

/** `from` and `to`, epoch ms. */
export const span = z
  .object({
    from: instant.transform(ms).refine(sensible, 'a time from 1900 to 2199'),
    to: instant.transform(ms).refine(sensible, 'a time from 1900 to 2199'),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], message: 'to must come after from' })
  .refine(({ from, to }) => to - from <= 20 * 366 * 86_400_000, {
    path: ['to'],
    message: 'at most twenty years at once',
  });
