/**
 * Files that were made for a destination, with their bytes, and what became of them.
 *
 * Decides: bytes are kept in pieces, so that neither making nor sending a large file needs it in memory at once; a delivery that is sent
 * again has the bytes of the first one; who sends holds it for a time. Leaves out: what stands in a file, and lines.
 */
import type { Database } from '../pg/database.ts';
import { deliverySql } from '../sql/delivery.ts';
import { isNumber, iso, isoOrNull, renamed, segmentsOf } from './parts.ts';
import type { Deliveries, Delivery } from './types.ts';

const MAX_WORDS = 2000;
const INTERRUPTED = 'the program ended while the file was made; nothing was sent, make it again';
const cut = (text: string | undefined | null): string | null =>
  text === undefined || text === null ? null : text.replaceAll('\0', '').slice(0, MAX_WORDS);
const rowOf = (rows: readonly Record<string, unknown>[]): Delivery | undefined => rows[0] && renamed<Delivery>(rows[0]);

export function createDeliveries(db: Database): Deliveries {
  return {
    async begin(d) {
      const row = [
        d.destination,
        d.run,
        d.format,
        d.formatVersion,
        d.file,
        d.mediaType,
        iso(d.from),
        iso(d.to),
        iso(d.asOf),
        d.segments,
        iso(d.created),
        d.by,
        iso(d.held),
      ];
      const { rows } = await db.write((client) => client.query(deliverySql.begin, row));
      return (rows[0] as { id: string }).id;
    },
    async addPart(id, part, content) {
      await db.write((client) => client.query(deliverySql.addPart, [id, part, Buffer.from(content)]));
    },
    async finish(id, made, at) {
      const row = [id, made.meters, made.rows, made.corrected, made.bytes, made.digest, iso(at), made.file];
      const delivery = rowOf((await db.write((client) => client.query(deliverySql.finish, row))).rows);
      if (!delivery) throw new Error(`delivery ${id} is not being made`);
      return delivery;
    },
    async hold(id, until) {
      await db.write((client) => client.query(deliverySql.hold, [id, iso(until)]));
    },
    interrupt: (at) =>
      db.write(async (client) => {
        const { rows } = await client.query(deliverySql.interrupt, [iso(at), INTERRUPTED]);
        for (const { id } of rows as { id: string }[]) await client.query(deliverySql.abandonParts, [id]);
        return rows.length;
      }),
    ofRun: async (run) => rowOf((await db.read((client) => client.query(deliverySql.ofRun, [run]))).rows),
    async abandon(id) {
      await db.write(async (client) => {
        await client.query(deliverySql.abandonParts, [id]);
        await client.query(deliverySql.abandon, [id]);
      });
    },
    async resend(id, by, at) {
      if (!isNumber(id)) return undefined;
      return rowOf((await db.write((client) => client.query(deliverySql.resend, [id, iso(at), by]))).rows);
    },
    async get(id, scope) {
      if (!isNumber(id)) return undefined;
      return rowOf((await db.read((client) => client.query(deliverySql.get, [id, segmentsOf(scope)]))).rows);
    },
    async list({ destination, state, before, limit, scope }) {
      const row = [destination ?? null, state ?? null, before ?? null, segmentsOf(scope), limit];
      const { rows } = await db.read((client) => client.query(deliverySql.list, row));
      return rows.map((one) => renamed<Delivery>(one));
    },
    async *parts(id) {
      const { rows } = await db.read((client) => client.query(deliverySql.parts, [id]));
      for (const { part } of rows as { part: number }[]) {
        const found = await db.read((client) => client.query(deliverySql.part, [id, part]));
        yield (found.rows[0] as { content: Buffer }).content;
      }
    },
    async take(worker, at, until, id) {
      const row = [worker, iso(at), iso(until), id ?? null];
      return rowOf((await db.write((client) => client.query(deliverySql.take, row))).rows);
    },
    async settle(id, worker, { state, nextTry, reason, answer, sent, acknowledged }) {
      const row = [
        id,
        worker,
        state,
        isoOrNull(nextTry),
        cut(reason),
        cut(answer),
        isoOrNull(sent),
        isoOrNull(acknowledged?.at),
        acknowledged?.by ?? null,
      ];
      return (await db.write((client) => client.query(deliverySql.settle, row))).rows.length > 0;
    },
    async change(id, from, state, { at, by, reason }) {
      if (!isNumber(id)) return undefined;
      const row = [id, from, state, iso(at), by, cut(reason)];
      return rowOf((await db.write((client) => client.query(deliverySql.change, row))).rows);
    },
    async unacknowledged(destination, limit) {
      const { rows } = await db.read((client) => client.query(deliverySql.unacknowledged, [destination, limit]));
      return rows.map((one) => renamed<Delivery>(one));
    },
    last: async (destination) => rowOf((await db.read((client) => client.query(deliverySql.last, [destination]))).rows),
    async prune(before, destination) {
      const { rows } = await db.write((client) => client.query(deliverySql.prune, [iso(before), destination]));
      return (rows[0] as { n: number }).n;
    },
  };
}
