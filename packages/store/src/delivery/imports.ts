/** Imports of readings as they are kept: by whom, of what, and what came of it. */
import type { Database } from '../pg/database.ts';
import { deliverySql } from '../sql/delivery.ts';
import { isNumber, iso, segmentsOf } from './parts.ts';
import type { ReadingsImport, ReadingsImports } from './types.ts';

export function createReadingsImports(db: Database): ReadingsImports {
  return {
    async begin({ dry, name, format, detail, segments, who, started, held }) {
      const row = [dry, name, format, JSON.stringify(detail), segments, who, iso(started), iso(held)];
      const { rows } = await db.write((client) => client.query(deliverySql.beginImport, row));
      return (rows[0] as { id: string }).id;
    },
    async hold(id, until) {
      await db.write((client) => client.query(deliverySql.holdImport, [id, iso(until)]));
    },
    async interrupt(at, clock) {
      return (await db.write((client) => client.query(deliverySql.interruptImports, [iso(at), iso(clock)]))).rows
        .length;
    },
    async prune(before) {
      const { rows } = await db.write((client) => client.query(deliverySql.pruneImports, [iso(before)]));
      return (rows[0] as { n: number }).n;
    },
    async end(id, state, { at, digest, report }) {
      const row = [id, state, iso(at), digest ?? null, JSON.stringify(report)];
      await db.write((client) => client.query(deliverySql.endImport, row));
    },
    async get(id, scope) {
      if (!isNumber(id)) return undefined;
      const { rows } = await db.read((client) => client.query(deliverySql.import, [id, segmentsOf(scope)]));
      return rows[0] as ReadingsImport | undefined;
    },
    async list({ before, limit, scope }) {
      const row = [before ?? null, segmentsOf(scope), limit];
      return (await db.read((client) => client.query(deliverySql.imports, row))).rows as ReadingsImport[];
    },
    async sameBytes(digest) {
      const { rows } = await db.read((client) => client.query(deliverySql.sameBytes, [digest]));
      return rows[0] as ReadingsImport | undefined;
    },
  };
}
