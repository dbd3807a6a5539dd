/** Commands of other systems as they are kept: one row for each reference of each source, whatever is sent twice. */
import type { Database } from '../pg/database.ts';
import { deliverySql } from '../sql/delivery.ts';
import { isNumber, iso, isoOrNull, renamed, segmentsOf } from './parts.ts';
import type { Commands, StoredCommand } from './types.ts';

const rowOf = (rows: readonly Record<string, unknown>[]): StoredCommand | undefined =>
  rows[0] && renamed<StoredCommand>(rows[0]);
const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));

export function createCommands(db: Database): Commands {
  const byReference = async (source: string, reference: string): Promise<StoredCommand | undefined> =>
    rowOf((await db.read((client) => client.query(deliverySql.commandByReference, [source, reference]))).rows);
  return {
    byReference,
    async add(c) {
      const row = [
        c.source,
        c.reference,
        c.kind,
        c.meter,
        c.point,
        JSON.stringify(c.parameters),
        c.digest,
        c.callback,
        c.refused === undefined ? 'waiting' : 'refused',
        iso(c.due),
        iso(c.expires),
        c.refused ?? null,
        c.segments,
        c.account,
        c.who,
        iso(c.created),
      ];
      const added = rowOf((await db.write((client) => client.query(deliverySql.addCommand, row))).rows);
      if (added) return { command: added, fresh: true };
      return { command: (await byReference(c.source, c.reference)) as StoredCommand, fresh: false };
    },
    async get(id, scope) {
      if (!isNumber(id)) return undefined;
      return rowOf((await db.read((client) => client.query(deliverySql.command, [id, segmentsOf(scope)]))).rows);
    },
    async list({ source, state, kind, before, limit, scope }) {
      const row = [source ?? null, state ?? null, kind ?? null, before ?? null, segmentsOf(scope), limit];
      const { rows } = await db.read((client) => client.query(deliverySql.commands, row));
      return rows.map((one) => renamed<StoredCommand>(one));
    },
    take: async (worker, at, until) =>
      rowOf((await db.write((client) => client.query(deliverySql.takeCommand, [worker, iso(at), iso(until)]))).rows),
    async settle(id, worker, { state, at, again, work, result, sentence }) {
      const row = [id, worker, state, iso(at), isoOrNull(again), json(work), json(result), sentence ?? null];
      return (await db.write((client) => client.query(deliverySql.settleCommand, row))).rows.length > 0;
    },
    async cancel(id, by, at) {
      if (!isNumber(id)) return undefined;
      return rowOf((await db.write((client) => client.query(deliverySql.cancelCommand, [id, by, iso(at)]))).rows);
    },
    untold: async (at, again) =>
      rowOf((await db.write((client) => client.query(deliverySql.untold, [iso(at), iso(again)]))).rows),
    async prune(before) {
      const { rows } = await db.write((client) => client.query(deliverySql.pruneCommands, [iso(before)]));
      return (rows[0] as { n: number }).n;
    },
    async told(id, state, again) {
      await db.write((client) => client.query(deliverySql.told, [id, state, iso(again)]));
    },
  };
}
