/** Formulas as they are kept: every version, how far their results stand, what was calculated when. */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { formulaSql as sql } from '../sql/formulas.ts';
import type { FormulaRun, FormulaState, FormulaStore, FormulaVersion, StoredFormula } from './types.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
const MOST = 10_000;

export function createFormulaStore(db: Database): FormulaStore {
  const rows = async <T>(text: string, values: readonly unknown[]): Promise<T[]> =>
    (await db.read((client) => client.query(text, [...values]))).rows as T[];
  const one = async (client: Client, name: string): Promise<StoredFormula> =>
    (await client.query(sql.byName, [name, null])).rows[0] as StoredFormula;

  return {
    list: ({ after = '', limit, scope }) => rows<StoredFormula>(sql.list, [segments(scope), after, limit]),
    get: async (name, scope) => (await rows<StoredFormula>(sql.byName, [name, segments(scope)]))[0],
    put: ({ name, definition, segment }, by, at, scope, check) =>
      db.write(async (client) => {
        await client.query(sql.lock);
        const others = (await client.query(sql.list, [null, '', MOST])).rows as StoredFormula[];
        if (others.length >= MOST) throw new MisuseError(`there are ${MOST} formulas; no more are taken`);
        const before = others.find((f) => f.name === name);
        if (before && scope !== 'all' && !scope.includes(before.segment)) throw new MisuseError('this name is taken');
        check(others.filter((f) => f.name !== name));
        const text = JSON.stringify(definition);
        const reads = segments(scope);
        if (
          before &&
          JSON.stringify(before.definition) === text &&
          JSON.stringify(before.reads) === JSON.stringify(reads)
        )
          return before;
        let id = before?.id;
        let version = 1;
        if (before)
          version = (
            (await client.query(sql.update, [before.id, text, by, iso(at), reads])).rows[0] as { version: number }
          ).version;
        else
          id = ((await client.query(sql.insert, [name, text, segment, by, iso(at), reads])).rows[0] as { id: string })
            .id;
        await client.query(sql.addVersion, [id, version, text, by, iso(at)]);
        return one(client, name);
      }),
    remove: (name, scope) =>
      db.write(async (client) => {
        const found = (await client.query(sql.byName, [name, segments(scope)])).rows[0] as StoredFormula | undefined;
        if (!found) return false;
        await client.query(sql.removeState, [found.id]);
        return (await client.query(sql.remove, [found.id])).rows.length > 0;
      }),
    versions: (id) => rows<FormulaVersion>(sql.versions, [id]),
    state: async (id) => (await rows<FormulaState>(sql.state, [id]))[0],
    async putState(id, { version, seenAt, from, to, incomplete }) {
      await db.write((client) =>
        client.query(sql.putState, [id, version, iso(seenAt), iso(from), iso(to), incomplete]),
      );
    },
    async addRun(formula, run) {
      const values = [
        formula,
        run.version,
        iso(run.from),
        iso(run.to),
        run.by,
        iso(run.at),
        run.meters,
        run.days,
        run.written,
        JSON.stringify(run.report),
      ];
      return ((await db.write((client) => client.query(sql.addRun, values))).rows[0] as { id: string }).id;
    },
    runs: (id, limit) => rows<FormulaRun>(sql.runs, [id, Math.min(limit, 1000)]),
    async movedSince(since) {
      return (await rows<{ at: number | null }>(sql.moved, [iso(since)]))[0]?.at ?? undefined;
    },
    async repricedSince(series, since) {
      if (series.length === 0) return undefined;
      const found = (await rows<{ from: number | null; to: number | null }>(sql.repriced, [series, iso(since)]))[0];
      return found?.from == null || found.to === null ? undefined : { from: found.from, to: found.to };
    },
  };
}
