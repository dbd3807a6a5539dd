/**
 * The backup file: one gzip stream of records, each a kind (1 byte), a length (4 bytes, big endian) and that many bytes.
 *
 *   H  header, JSON: what this is, from which schema, when; the partitions that the data needs
 *   T  a table begins, JSON: name and columns (a table may come in several parts, as from a cluster, day by day)
 *   D  bytes of PostgreSQL's binary COPY format
 *   E  the part ends, JSON: rows, bytes, SHA-256 of the bytes
 *   M  the manifest, JSON, last: sequences and the sum of all; a file without it is incomplete
 *
 * The file is a hostile input like any other: names are looked up in the catalogue before they are used, and what
 * cannot be looked up is matched against the one form that it may have.
 */
import { z } from 'zod';

export const formatName = 'amiable-backup';
export const formatVersion = 1;

/** A sentence about a backup that cannot be made or restored. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

const name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/);
const count = z.int().min(0);

export const Header = z.object({
  format: z.literal(formatName),
  version: z.literal(formatVersion),
  schema: z.int().min(1),
  server: z.string(),
  takenAt: z.string(),
  partitions: z.array(z.object({ table: name, parent: name, bound: z.string().max(200) })),
});
export type Header = z.infer<typeof Header>;

export const TableBegin = z.object({ table: name, columns: z.array(name).min(1) });
export type TableBegin = z.infer<typeof TableBegin>;

export const TableEnd = z.object({ rows: count, bytes: count, sha256: z.string() });
export type TableEnd = z.infer<typeof TableEnd>;

export const Manifest = z.object({
  tables: z.array(z.object({ table: name, rows: count, bytes: count })),
  sequences: z.array(z.object({ name, value: z.string().regex(/^-?\d{1,19}$/) })),
});
export type Manifest = z.infer<typeof Manifest>;

export type Kind = 'H' | 'T' | 'D' | 'E' | 'M';

/** The one form of a range that the schema's partitions have. */
export const boundForm = /^FOR VALUES FROM \((?:'[0-9 :+.-]{1,40}'|MINVALUE)\) TO \((?:'[0-9 :+.-]{1,40}'|MAXVALUE)\)$/;

export function record(kind: Kind, content: Uint8Array | object): Buffer[] {
  const body = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
  const head = Buffer.alloc(5);
  head.write(kind, 0, 'latin1');
  head.writeUInt32BE(body.length, 1);
  return [head, body instanceof Buffer ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)];
}

const largest = 16 * 2 ** 20;

export interface Read {
  readonly kind: Kind;
  readonly body: Buffer;
}

/** The records of an unpacked stream. @throws BackupError when it is no backup or is cut short. */
export async function* readRecords(stream: AsyncIterable<Buffer>): AsyncGenerator<Read, void> {
  let held: Buffer[] = [];
  let size = 0;
  const take = (n: number): Buffer => {
    const all = held.length === 1 ? held[0]! : Buffer.concat(held);
    held = n < all.length ? [all.subarray(n)] : [];
    size = all.length - n;
    return all.subarray(0, n);
  };
  let wanted: { kind: Kind; length: number } | undefined;
  for await (const chunk of stream) {
    held.push(chunk);
    size += chunk.length;
    for (;;) {
      if (!wanted) {
        if (size < 5) break;
        const head = take(5);
        const kind = head.toString('latin1', 0, 1);
        const length = head.readUInt32BE(1);
        if (!'HTDEM'.includes(kind) || length > largest) throw new BackupError('This file is not a backup of Amiable.');
        wanted = { kind: kind as Kind, length };
      }
      if (size < wanted.length) break;
      const { kind, length } = wanted;
      wanted = undefined;
      yield { kind, body: length === 0 ? Buffer.alloc(0) : take(length) };
    }
  }
  if (wanted || size > 0) throw new BackupError('The backup is incomplete: it ends in the middle. Use another copy.');
}

/** @throws BackupError when the record does not have the form. */
export function parseRecord<T>(form: z.ZodType<T>, { kind, body }: Read): T {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new BackupError(`The backup is damaged: record ${kind} cannot be read. Use another copy.`);
  }
  const result = form.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new BackupError(
    `The backup has an unknown form (record ${kind}, ${issue?.path.join('.')}: ${issue?.message}).`,
  );
}
