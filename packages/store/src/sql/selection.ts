/**
 * The statements of a selection of meters, made of pieces: each condition is a text with parameters. Nothing that a caller
 * wrote becomes part of a text; names of user-defined attributes are parameters, or quoted where an index asks for it.
 *
 * Two forms of the same page. `probe` looks at the next so many meters and takes those that fit: quick when many do.
 * `sparse` lets the planner find what fits by an index and sorts it: quick when few do.
 */

/** Collects parameters while a text is made. */
export interface Parameters {
  readonly values: unknown[];
  add(value: unknown, type: string): string;
}

export function parameters(): Parameters {
  const values: unknown[] = [];
  return {
    values,
    add(value, type) {
      values.push(value);
      return `$${values.length}::${type}`;
    },
  };
}

/** A literal: for names in expressions that must be those of an index, letter by letter. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const holds = (link: string, at: string): string =>
  `${link}.replaced_at is null and ${link}.from_time <= ${at} and (${link}.to_time is null or ${link}.to_time > ${at})`;

/** An expression with an index that has the id behind it, and the value that it shall have. */
export interface Along {
  readonly column: string;
  readonly value: string;
}
/** Said as a span in the index's order: as an equality the planner would take any walk by id for as good. */
const walk = (along: Along | undefined): string =>
  along === undefined
    ? ' order by m.id'
    : ` and ${along.column} >= ${along.value} and ${along.column} <= ${along.value} order by ${along.column}, m.id`;

const where = (conditions: readonly string[]): string => (conditions.length === 0 ? 'true' : conditions.join(' and '));

export const selectionSql = {
  /** Of the next `window` meters those that fit; where an index leads along one value, of the next with that value. */
  probe: (
    conditions: readonly string[],
    after: string,
    window: number,
    limit: string,
    seen: boolean,
    along?: Along,
  ): string =>
    `select m.id from (select m.* from amiable.meter m where m.id > ${after}${walk(along)} limit ${window}) m${seen ? SEEN : ''}
      where ${where(conditions)} order by m.id limit ${limit}`,
  /** Whether the window of a probe was full: else it has looked at all there is. */
  wasFull: (after: string, window: number, along?: Along): string =>
    `select m.id from amiable.meter m where m.id > ${after}${walk(along)} offset ${window - 1} limit 1`,
  /** In order of id, as an index that has it second gives them. */
  ordered: (conditions: readonly string[], after: string, limit: string, seen: boolean): string =>
    `select m.id from amiable.meter m${seen ? SEEN : ''} where m.id > ${after} and ${where(conditions)} order by m.id limit ${limit}`,
  /** `+ 0`: the planner shall not hope to meet them soon on a walk by id; the probe has tried that. */
  sparse: (conditions: readonly string[], after: string, limit: string, seen: boolean): string =>
    `select m.id from amiable.meter m${seen ? SEEN : ''} where m.id > ${after} and ${where(conditions)} order by m.id + 0 limit ${limit}`,
  count: (conditions: readonly string[], limit: string, seen: boolean): string =>
    `select count(*)::integer as n from (select 1 from amiable.meter m${seen ? SEEN : ''} where ${where(conditions)} limit ${limit}) x`,
  /** The different values of a column that has few, by steps through its index; `limit` bounds them. */
  distinct: (column: string, limit: number): string =>
    `with recursive v(x, n) as (
      (select ${column}, 1 from amiable.meter where ${column} is not null order by ${column} limit 1)
      union all
      select (select m.${column} from amiable.meter m where m.${column} > v.x order by m.${column} limit 1), v.n + 1
      from v where v.x is not null and v.n <= ${limit}
    ) select x from v where x is not null`,
} as const;

/** A meter was heard when a message of its own came, or when somebody read it. */
export const SEEN = ` left join (amiable.meter_state heard full join amiable.readout_state asked on asked.meter = heard.meter)
      on coalesce(heard.meter, asked.meter) = m.id`;
/** null for who was never heard: no comparison holds. */
export const LAST_SEEN = 'greatest(heard.last_seen, asked.read_at)';

/** Pieces of conditions; m is the meter. */
export const piece = {
  segment: (ids: string): string => `m.segment = any(${ids})`,
  ids: (ids: string): string => `m.id = any(${ids})`,
  under: (nodes: string): string => `m.path && ${nodes}`,
  notUnder: (nodes: string): string => `not (m.path && ${nodes})`,
  inList: (group: string): string =>
    `m.id in (select g.meter from amiable.meter_group_member g where g.meter_group = ${group})`,
  slavesOf: (masters: string): string => `m.id in (select l.child from amiable.link l where l.parent = any(${masters})
    and l.kind = 'behind' and l.to_time is null and l.replaced_at is null)`,
  isSlave: `m.id in (select l.child from amiable.link l where l.kind = 'behind' and l.to_time is null and l.replaced_at is null)`,
  isNoSlave: `m.id not in (select l.child from amiable.link l where l.kind = 'behind' and l.to_time is null and l.replaced_at is null)`,
  /** A word that stands in what people search by. */
  word: (word: string): string => `strpos(m.search, lower(${word})) > 0`,
  /** A superset of that by its runs of three, which have an index (and cost much without it). */
  runs: (word: string): string => `amiable.runs(m.search) @> amiable.trigrams(lower(${word}))`,
  runsOf: (text: string, word: string): string => `amiable.runs(${text}) @> amiable.trigrams(lower(${word}))`,
  equal: (column: string, value: string): string => `${column} = ${value}`,
  differs: (column: string, value: string): string => `${column} is distinct from ${value}`,
  compare: (column: string, sign: '<' | '<=' | '>' | '>=', value: string): string => `${column} ${sign} ${value}`,
  any: (column: string, values: string): string => `${column} = any(${values})`,
  part: (column: string, text: string): string => `strpos(lower(${column}), lower(${text})) > 0`,
  begins: (column: string, text: string): string => `starts_with(lower(${column}), lower(${text}))`,
  exists: (column: string): string => `${column} is not null`,
  missing: (column: string): string => `${column} is null`,
  contains: (table: string, json: string): string => `${table}.attributes @> ${json}`,
  attribute: (table: string, name: string): string => `(${table}.attributes -> ${literal(name)})`,
  attributeText: (table: string, name: string): string => `(${table}.attributes ->> ${literal(name)})`,
  either: (a: string, b: string): string => `((${a}) or (${b}))`,
  never: 'false',
} as const;

/** Where meters were at a time, in steps: what stood below, who was there, who was behind them. */
export const pastSql = {
  below: `with recursive down(id) as (
      select unnest($1::bigint[])
      union
      select l.child from amiable.link l join down d on l.parent = d.id
      where l.kind = 'under' and ${holds('l', '$2::timestamptz')}
    ) select id from down`,
  there: `select l.child as id from amiable.link l where l.parent = any($1::bigint[]) and l.kind in ('installed', 'served')
    and ${holds('l', '$2::timestamptz')} limit $3`,
  behind: `select l.child as id from amiable.link l where l.parent = any($1::bigint[]) and l.kind = 'behind' and ${holds('l', '$2::timestamptz')}
    and not exists (select 1 from amiable.link o where o.child = l.child and o.kind = 'installed' and ${holds('o', '$2::timestamptz')})`,
} as const;

/** Examples for the guard of statements, with every piece. */
export const selectionExamples: Readonly<Record<string, string>> = (() => {
  const conditions = [
    piece.segment('$2::integer[]'),
    piece.ids('$3::bigint[]'),
    piece.under('$3::bigint[]'),
    piece.compare('m.first_seen', '<', '$4::timestamptz'),
    piece.inList('$5::integer'),
    piece.slavesOf('$3::bigint[]'),
    piece.isNoSlave,
    piece.either(piece.word('$6::text'), piece.notUnder('$3::bigint[]')),
    piece.runs('$6::text'),
    piece.begins('m.serial', '$6::text'),
    piece.compare('m.serial collate "C"', '<', '$6::text collate "C"'),
    piece.contains('m', '$7::jsonb'),
    piece.compare(piece.attribute('m', "it's"), '>', '$7::jsonb'),
  ];
  return {
    'selection.probe': selectionSql.probe(conditions, '$1::bigint', 100, '$8::integer', false),
    'selection.along': selectionSql.probe(conditions, '$1::bigint', 100, '$8::integer', false, {
      column: 'm.maker',
      value: '$9::text',
    }),
    'selection.wasFull': selectionSql.wasFull('$1::bigint', 100, { column: 'm.maker', value: '$2::text' }),
    ...Object.fromEntries(Object.entries(pastSql).map(([name, text]) => [`selection.${name}`, text])),
    'selection.ordered': selectionSql.ordered(conditions, '$1::bigint', '$8::integer', false),
    'selection.sparse': selectionSql.sparse(conditions, '$1::bigint', '$8::integer', false),
    'selection.count': selectionSql.count(conditions, '$8::integer', false),
    'selection.seen': selectionSql.sparse(conditions, '$1::bigint', '$8::integer', true),
    'selection.distinct': selectionSql.distinct('maker', 1000),
  };
})();
