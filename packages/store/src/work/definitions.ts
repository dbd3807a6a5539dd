/** Tasks and flows as they are kept: every version of them, and when they are due next. */
import type { Scope } from '@amiable/model';
import type { Database } from '../pg/database.ts';
import type { flowSql, taskSql } from '../sql/work.ts';
import { iso } from './queue.ts';
import type { Definition, Definitions } from './types.ts';

const UNIQUE = '23505';

interface Row {
  readonly next_due: number | null;
  readonly planned_to: string | null;
  readonly [column: string]: unknown;
}

function toDefinition<D>(row: Row): Definition<D> {
  const { next_due, planned_to, creator_id, ...rest } = row;
  return { ...rest, creatorId: creator_id, nextDue: next_due, plannedTo: planned_to } as unknown as Definition<D>;
}

const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
const time = (ms: number | null): string | null => (ms === null ? null : iso(ms));

export function createDefinitions<D extends object>(
  db: Database,
  what: 'task' | 'flow',
  sql: typeof taskSql | typeof flowSql,
): Definitions<D> {
  const read = async (text: string, values: readonly unknown[]): Promise<Definition<D>[]> => {
    const { rows } = await db.read((client) => client.query(text, [...values]));
    return (rows as Row[]).map((row) => toDefinition<D>(row));
  };
  return {
    create: (made, now) =>
      db.write(async (client) => {
        const text = JSON.stringify(made.definition);
        const values = [
          made.name,
          text,
          made.creator,
          made.scope,
          iso(now),
          time(made.nextDue),
          made.creatorId ?? null,
        ];
        const { rows } = await client.query(sql.add, what === 'task' ? [...values, made.kind] : values);
        if (rows.length === 0) return undefined;
        const definition = toDefinition<D>(rows[0] as Row);
        await client.query(sql.addVersion, [definition.id, 1, text, made.creator, iso(now)]);
        return definition;
      }),
    get: async (id, scope) => (await read(sql.get, [id, segments(scope)]))[0],
    byName: async (name, scope) => (await read(sql.byName, [name, segments(scope)]))[0],
    list: ({ after, limit, scope }) => read(sql.list, [after ?? null, segments(scope), limit]),
    async versions(id) {
      const { rows } = await db.read((client) => client.query(sql.versions, [id]));
      return (rows as { version: number; definition: D; changed_by: string; changed_at: number }[]).map((row) => ({
        version: row.version,
        definition: row.definition,
        changedBy: row.changed_by,
        changedAt: row.changed_at,
      }));
    },
    async change(id, version, change, now) {
      const text = change.definition === undefined ? null : JSON.stringify(change.definition);
      try {
        return await db.write(async (client) => {
          const { rows } = await client.query(sql.change, [
            id,
            version,
            change.name ?? null,
            text,
            change.state ?? null,
            iso(now),
            time(change.nextDue),
            text === null ? null : change.by,
            change.scope,
            change.byId ?? null,
          ]);
          if (rows.length === 0) return 'stale';
          const changed = toDefinition<D>(rows[0] as Row);
          if (text !== null) await client.query(sql.addVersion, [id, changed.version, text, change.by, iso(now)]);
          return changed;
        });
      } catch (error) {
        if ((error as { code?: string }).code === UNIQUE) return 'taken';
        throw error;
      }
    },
    due: (now) => read(sql.due, [iso(now)]),
    active: (after) => read(sql.active, [after]),
    async planned(definition, to, nextDue) {
      const { rows } = await db.write((client) =>
        client.query(sql.planned, [definition.id, to ?? null, time(nextDue), definition.version]),
      );
      return rows.length > 0;
    },
  };
}
