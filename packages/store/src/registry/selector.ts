/**
 * Selects and counts meters. Many fit: the next few thousand meters hold a page of them. Few fit: an index finds them. Which
 * of the two it is shows by trying the first, which is bounded; so no page waits for a walk over a million meters that the
 * planner had hoped to be short.
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { registrySql } from '../sql/registry.ts';
import { pastSql, selectionSql } from '../sql/selection.ts';
import type { MeterId } from '../types.ts';
import { type Compiled, compile, type Definition, isId, type Lookups, list } from './selection.ts';
import type { Condition, MeterSelection, MeterSelector, NodeKind } from './types.ts';

/** How many meters a probe looks at: fifty for each that is wanted, within bounds. */
const SMALLEST = 5_000;
const LARGEST = 20_000;
const MOST = 10_000;
const FEW_VALUES = 1000;
const MARKED = 100_000;
/** Meters under a node of the past: their numbers go from one statement to the next. */
const PAST = 200_000;

/** Finds meters that another part of the system knows of: by the name of an attribute, `failed`, `gaps`. */
export type Mark = (condition: Condition) => Promise<readonly MeterId[]>;

export interface Selector extends MeterSelector {
  /** Makes `where: [{attribute: name, …}]` mean what `mark` finds. */
  provide(name: string, mark: Mark): void;
  /** What the mark of a condition finds; undefined where nobody provides it. */
  marked(condition: Condition): Promise<readonly MeterId[] | undefined>;
}

export function createSelector(db: Database): Selector {
  const marks = new Map<string, Mark>();
  const prepare = (client: Client, selection: MeterSelection, scope: Scope): Promise<Compiled> =>
    compile(selection, scope, lookups(client, marks));

  return {
    provide(name, mark) {
      marks.set(name, mark);
    },
    async marked(condition) {
      return marks.get(condition.attribute)?.(condition);
    },
    select(selection, scope, page) {
      const limit = Math.min(Math.max(Math.trunc(page.limit), 1), 10_000);
      const after = isId(page.after) ? page.after : '0';
      return db.read(async (client) => {
        const compiled = await prepare(client, selection, scope);
        const run = async (made: typeof selectionSql.sparse, cheap: boolean): Promise<MeterId[]> => {
          const texts = compiled.conditions.map((c) => (cheap ? c.cheap : c.full));
          const p = compiled.parameters.values;
          const text = made(texts, `$${p.length + 1}::bigint`, `$${p.length + 2}::integer`, compiled.seen);
          const { rows } = await client.query({ text, values: [...p, after, limit], rowMode: 'array' });
          return (rows as unknown as [MeterId][]).map(([id]) => id);
        };
        if (compiled.conditions.length === 0) return run(selectionSql.ordered, true);
        if (!compiled.few) {
          const { along } = compiled;
          const window = Math.min(Math.max(limit * 50, SMALLEST), LARGEST);
          const near = await run((c, a, l, seen) => selectionSql.probe(c, a, window, l, seen, along), true);
          if (near.length === limit || !(await wasFull(client, compiled, after, window))) return near;
        }
        return run(selectionSql.sparse, false);
      });
    },
    count(selection, scope, most = MOST) {
      return db.read(async (client) => {
        const compiled = await prepare(client, selection, scope);
        const p = compiled.parameters.values;
        const text = selectionSql.count(
          compiled.conditions.map((c) => c.full),
          `$${p.length + 1}::bigint`,
          compiled.seen,
        );
        const { rows } = await client.query(text, [...p, most + 1]);
        return (rows[0] as { n: number }).n;
      });
    },
  };
}

/** Whether there was more to look at than the probe's window. */
async function wasFull(
  client: Client,
  { along, parameters }: Compiled,
  after: MeterId,
  window: number,
): Promise<boolean> {
  if (along === undefined)
    return (await client.query(selectionSql.wasFull('$1::bigint', window), [after])).rows.length > 0;
  // Its one parameter, under a number of this statement.
  const [, k = '', type = ''] = /^\$(\d+)(::.*)$/.exec(along.value) ?? [];
  const text = selectionSql.wasFull('$1::bigint', window, { column: along.column, value: `$2${type}` });
  return (await client.query(text, [after, parameters.values[Number(k) - 1]])).rows.length > 0;
}

type Rows<T> = T[];

function lookups(client: Client, marks: ReadonlyMap<string, Mark>): Lookups {
  const ids = async (text: string, values: unknown[]): Promise<string[]> =>
    ((await client.query(text, values)).rows as Rows<{ id: string }>).map((row) => row.id);
  const segments = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
  return {
    nodes: (kind, codes, scope) => ids(registrySql.nodesByCode, [kind ?? null, codes, segments(scope)]),
    async nodeById(id, scope) {
      const { rows } = await client.query(registrySql.nodeKind, [id, segments(scope)]);
      return (rows[0] as { kind: NodeKind } | undefined)?.kind;
    },
    async premises(attribute, condition, scope) {
      const text = condition.value;
      if (
        (condition.is !== '=' && condition.is !== 'contains' && condition.is !== 'begins') ||
        typeof text !== 'string'
      )
        throw new MisuseError(`condition on "${attribute}": compare a text with =, begins or contains`);
      const query = wordsQuery(text, condition.is !== '=');
      if (query === undefined) return [];
      const found = await client.query(registrySql.premisesFound, [query, segments(scope), MARKED]);
      const small = text.trim().toLowerCase();
      return (found.rows as Rows<Record<string, string | null>>)
        .filter((row) => {
          const value = row[attribute]?.toLowerCase();
          return value !== undefined && (condition.is === '=' ? value === small : hasWords(value, small));
        })
        .map((row) => row.id as string);
    },
    metersBySerial: (serials) => ids(registrySql.metersBySerials, [serials]),
    async meterTypes(condition) {
      const { rows } = await client.query(registrySql.meterTypeNames);
      const { is, value } = condition;
      const wanted = is === 'in' ? list(condition).map(String) : [String(value)];
      const small = String(value).toLowerCase();
      if (!['=', '!=', 'in', 'contains', 'begins'].includes(is))
        throw new MisuseError('condition on "meterType": compare names with =, !=, in, begins or contains');
      return (rows as Rows<{ id: number; name: string }>)
        .filter(({ name }) =>
          is === 'contains'
            ? name.toLowerCase().includes(small)
            : is === 'begins'
              ? name.toLowerCase().startsWith(small)
              : wanted.includes(name),
        )
        .map((row) => row.id);
    },
    async group(name) {
      const { rows } = await client.query(registrySql.groupByName, [name]);
      return rows[0] as { id: number; selection: MeterSelection | null } | undefined;
    },
    async definitions(names) {
      const { rows } = await client.query(registrySql.definitionsNamed, ['meter', names]);
      return new Map((rows as Rows<Definition>).map((d) => [d.name, d]));
    },
    async values(column) {
      const { rows } = await client.query(selectionSql.distinct(column, FEW_VALUES));
      return rows.length > FEW_VALUES ? undefined : (rows as Rows<{ x: string }>).map((row) => row.x);
    },
    async underAt(nodes, at) {
      const time = new Date(at).toISOString();
      const below = await ids(pastSql.below, [nodes, time]);
      const there = await ids(pastSql.there, [below, time, PAST + 1]);
      if (there.length > PAST)
        throw new MisuseError(
          `more than ${PAST} meters were there then: choose a node further down, or leave \`at\` out`,
        );
      return [...there, ...(await ids(pastSql.behind, [there, time]))];
    },
    async marked(condition) {
      const mark = marks.get(condition.attribute);
      if (!mark) return undefined;
      const found = await mark(condition);
      if (found.length > MARKED)
        throw new MisuseError(`more than ${MARKED} meters are ${condition.attribute}; narrow it down by time`);
      return found;
    },
  };
}

/** Every word of a text as a query over `amiable.words`; undefined when it has none, or none that can be there. */
export function wordsQuery(text: string, begins: boolean): string | undefined {
  if (text.includes('\0') || /\p{Surrogate}/u.test(text) || text.length > 200) return undefined;
  const words = text
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter((w) => w !== '');
  if (words.length === 0 || words.length > 10) return undefined;
  return words.map((w) => `'${w.replace(/['\\]/g, (c) => c + c)}'${begins ? ':*' : ''}`).join(' & ');
}

export const hasWords = (value: string, text: string): boolean => {
  const own = value.split(/[\s,;]+/);
  return text.split(/[\s,;]+/).every((w) => w === '' || own.some((o) => o.startsWith(w)));
};
