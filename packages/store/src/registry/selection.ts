/**
 * What a selection of meters means (AMI system description §5.2.3, search criteria): from conditions to pieces of a
 * statement. Decides which attributes there are, what can be compared how, and the bounds. What has to be looked up first
 * (codes of nodes, names of types, groups, definitions) is asked in queries of its own, so that the statement over a million
 * meters has numbers only.
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import { type Along, LAST_SEEN, type Parameters, parameters, piece } from '../sql/selection.ts';
import type { Condition, MeterSelection, NodeKind } from './types.ts';

export const BOUNDS = { conditions: 50, list: 1000, meters: 100_000, words: 10, text: 200 } as const;

type ColumnType = 'text' | 'number' | 'boolean' | 'date';
interface Column {
  readonly sql: string;
  readonly type: ColumnType;
  /** Stands in `meter.search`: parts of it are found by the index over that. */
  readonly searched?: true;
  /** Has few different values: comparisons other than equality are made with those. */
  readonly few?: string;
  readonly words?: readonly string[];
  /** Its index is by bytes. */
  readonly byte?: true;
  /** Has an index with the id behind it: equal ones come in order of id. */
  readonly along?: true;
}

/** Fixed attributes of meters that are columns. */
export const COLUMNS: Readonly<Record<string, Column>> = {
  id: { sql: 'm.id', type: 'number' },
  serial: { sql: 'm.serial', type: 'text', searched: true },
  utilitySerial: { sql: 'm.utility_serial', type: 'text', searched: true, byte: true },
  name: { sql: 'm.name', type: 'text', searched: true },
  place: { sql: 'm.place', type: 'text', searched: true },
  maker: { sql: 'm.maker', type: 'text', few: 'maker', along: true },
  type: { sql: 'm.type', type: 'text', few: 'type', along: true },
  list: { sql: 'm.list', type: 'text', few: 'list', along: true },
  paramId: { sql: 'm.param_id', type: 'text', few: 'param_id', along: true },
  configId: { sql: 'm.config_id', type: 'text', few: 'config_id', along: true },
  reader: { sql: 'm.reader', type: 'text', few: 'reader', along: true },
  port: { sql: 'm.port', type: 'text' },
  timeZone: { sql: 'm.time_zone', type: 'text', few: 'time_zone' },
  phases: { sql: 'm.phases', type: 'number' },
  lineVoltage: { sql: 'm.line_voltage', type: 'boolean' },
  segment: { sql: 'm.segment', type: 'number', along: true },
  state: { sql: 'm.state', type: 'text', words: ['new', 'named'], along: true },
  life: { sql: 'm.life', type: 'text', words: ['planned', 'new', 'installed', 'removed'], along: true },
  firstSeen: { sql: 'm.first_seen', type: 'date' },
  lastSeen: { sql: LAST_SEEN, type: 'date' },
};
/** Nodes that a meter stands under, by code. */
export const PLACES: Readonly<Record<string, NodeKind>> = {
  region: 'region',
  substation: 'substation',
  transformer: 'transformer',
  feeder: 'feeder',
  premises: 'premises',
  meteringPoint: 'metering-point',
  'metering-point': 'metering-point',
  concentrator: 'concentrator',
};
/** Personal data of the premises: who asks for them must be allowed to see them. */
export const PERSONAL = ['customer', 'account', 'address'] as const;
export const isPersonal = (condition: Condition): boolean =>
  (PERSONAL as readonly string[]).includes(condition.attribute);

export interface Definition {
  readonly name: string;
  readonly type: 'text' | 'number' | 'boolean' | 'date' | 'choice';
  readonly searchable: boolean;
}

/** What is looked up before. */
export interface Lookups {
  /** Node ids by kind and code, in scope; what is not there is left out. */
  nodes(kind: NodeKind | undefined, codes: readonly string[], scope: Scope): Promise<readonly string[]>;
  nodeById(id: string, scope: Scope): Promise<NodeKind | undefined>;
  /** Premises whose personal data begin with all these words. */
  premises(attribute: string, condition: Condition, scope: Scope): Promise<readonly string[]>;
  metersBySerial(serials: readonly string[]): Promise<readonly string[]>;
  meterTypes(condition: Condition): Promise<readonly number[]>;
  group(name: string): Promise<{ readonly id: number; readonly selection: MeterSelection | null } | undefined>;
  definitions(names: readonly string[]): Promise<ReadonlyMap<string, Definition>>;
  /** The different values of a column, or undefined when there are many. */
  values(column: string): Promise<readonly string[] | undefined>;
  /** Meters that were under one of the nodes at a time. */
  underAt(nodes: readonly string[], at: number): Promise<readonly string[]>;
  /** Meters that another part of the system knows of: `failed`, `gaps`. */
  marked(condition: Condition): Promise<readonly string[] | undefined>;
}

/** A condition; `cheap` is the same without what only an index makes quick. */
export interface Piece {
  readonly full: string;
  readonly cheap: string;
}

export interface Compiled {
  readonly conditions: Piece[];
  readonly parameters: Parameters;
  /** Whether `meter_state` is joined. */
  seen: boolean;
  /** A condition that an index answers in order of id, if there is one; the rarest where several are. */
  along: Along | undefined;
  /** Few meters can fit: no walk by id helps. */
  few: boolean;
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
const fail = (condition: Condition, words: string): never => {
  throw new MisuseError(`condition on ${JSON.stringify(String(condition.attribute).slice(0, 80))}: ${words}`);
};
/** What PostgreSQL's text cannot hold is in no row. */
const unstorable = (text: string): boolean => text.includes('\0') || /\p{Surrogate}/u.test(text);

const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2300, 0, 1);
function instant(condition: Condition, value: unknown): string {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (!(ms >= EARLIEST && ms < LATEST))
    return fail(condition, `${shown(value)} is no time such as 2026-11-20T12:00:00Z`);
  return new Date(ms).toISOString();
}

function scalar(condition: Condition, type: ColumnType, value: unknown): string | number | boolean {
  if (type === 'date') return instant(condition, value);
  if (type === 'boolean') {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    return fail(condition, `${shown(value)} is neither true nor false`);
  }
  if (type === 'number') {
    const n = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    if (typeof n !== 'number' || !Number.isFinite(n)) return fail(condition, `${shown(value)} is no number`);
    return n;
  }
  if (typeof value !== 'string' && typeof value !== 'number') return fail(condition, `${shown(value)} is no text`);
  const text = String(value);
  if (text.length > BOUNDS.text) return fail(condition, `a text of more than ${BOUNDS.text} characters`);
  return text;
}

export function list(condition: Condition): readonly (string | number)[] {
  const { value } = condition;
  if (!Array.isArray(value)) return fail(condition, '`in` takes a list');
  if (value.length > BOUNDS.list)
    return fail(condition, `at most ${BOUNDS.list} values in a list; make a group of meters for more`);
  return value as (string | number)[];
}

/** The text of `contains` and `begins`. */
const part = (condition: Condition): string => {
  const text = String(scalar(condition, 'text', condition.value));
  if (text === '') return fail(condition, 'an empty text is part of everything');
  return text;
};
const both = (text: string): Piece => ({ full: text, cheap: text });
const FEW: ReadonlySet<string> = new Set(['transformer', 'feeder', 'premises', 'metering-point', 'concentrator']);
const SIGNS = ['<', '<=', '>', '>='] as const;
type Sign = (typeof SIGNS)[number];
const isSign = (text: string): text is Sign => (SIGNS as readonly string[]).includes(text);

const SQL_TYPE: Readonly<Record<ColumnType, string>> = {
  text: 'text',
  number: 'float8',
  boolean: 'boolean',
  date: 'timestamptz',
};

/** One condition on a column. */
async function onColumn(c: Condition, column: Column, p: Parameters, look: Lookups): Promise<string | Piece> {
  const { sql, type } = column;
  const integer = ['m.id', 'm.phases', 'm.segment'].includes(sql);
  const typed = integer ? 'bigint' : SQL_TYPE[type];
  const value = (x: unknown): unknown => {
    const v = scalar(c, type, x);
    if (column.words && !column.words.includes(v as string))
      return fail(c, `${shown(v)} is none of ${column.words.join(', ')}`);
    return v;
  };
  /** Whole numbers only are in a column of whole numbers. */
  const cannot = (v: unknown): boolean =>
    (typeof v === 'string' && unstorable(v)) || (integer && !Number.isSafeInteger(v));
  switch (c.is) {
    case 'exists':
      return piece.exists(sql);
    case 'missing':
      return piece.missing(sql);
    case '=': {
      const v = value(c.value);
      if (cannot(v)) return piece.never;
      return column.byte ? piece.equal(`${sql} collate "C"`, p.add(v, typed)) : piece.equal(sql, p.add(v, typed));
    }
    case '!=': {
      const v = value(c.value);
      return cannot(v) ? 'true' : piece.differs(sql, p.add(v, typed));
    }
    case 'in': {
      const all = list(c).map(value);
      return piece.any(
        sql,
        p.add(
          all.filter((v) => !cannot(v)),
          `${typed}[]`,
        ),
      );
    }
  }
  if (isSign(c.is)) {
    if (type === 'boolean') return fail(c, `true and false are compared with = and !=`);
    const v = scalar(c, type, c.value);
    if (typeof v === 'string' && unstorable(v)) return fail(c, 'the text has characters that no attribute can have');
    if (type !== 'text') return piece.compare(sql, c.is, p.add(v, integer ? 'numeric' : typed));
    return piece.compare(`${sql} collate "C"`, c.is, `${p.add(v, 'text')} collate "C"`);
  }
  if (c.is !== 'contains' && c.is !== 'begins') return fail(c, `there is no comparison ${shown(c.is)}`);
  if (type !== 'text') return fail(c, `${c.is} is for text`);
  const text = part(c);
  if (unstorable(text)) return piece.never;
  const known = column.few ? await look.values(column.few) : undefined;
  if (known === undefined) return found(c.is, sql, text, p, column.searched ? 'm.search' : undefined);
  const small = text.toLowerCase();
  const fit = known.filter((k) =>
    c.is === 'begins' ? k.toLowerCase().startsWith(small) : k.toLowerCase().includes(small),
  );
  return fit.length === 1 ? piece.equal(sql, p.add(fit[0], 'text')) : piece.any(sql, p.add(fit, 'text[]'));
}

/** One condition on a user-defined attribute. */
function onAttribute(c: Condition, d: Definition, p: Parameters): string | Piece {
  const type: ColumnType = d.type === 'choice' || d.type === 'date' ? 'text' : d.type;
  if (d.type === 'date' && c.is !== 'contains' && c.is !== 'begins' && c.is !== 'exists' && c.is !== 'missing')
    for (const x of c.is === 'in' ? list(c) : [c.value])
      if (typeof x !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(x))
        return fail(c, `${shown(x)} is no day such as 2026-11-20`);
  const json = (v: unknown): string => p.add(JSON.stringify(v), 'jsonb');
  const equal = (x: unknown): string => {
    const v = scalar(c, type, x);
    if (typeof v === 'string' && unstorable(v)) return piece.never;
    return d.searchable
      ? piece.equal(piece.attribute('m', d.name), json(v))
      : piece.contains('m', p.add(JSON.stringify({ [d.name]: v }), 'jsonb'));
  };
  switch (c.is) {
    case 'exists':
      return piece.exists(piece.attribute('m', d.name));
    case 'missing':
      return piece.missing(piece.attribute('m', d.name));
    case '=':
      return equal(c.value);
    case '!=': {
      const v = scalar(c, type, c.value);
      return typeof v === 'string' && unstorable(v) ? 'true' : piece.differs(piece.attribute('m', d.name), json(v));
    }
    case 'in': {
      const all = list(c).map((x) => scalar(c, type, x));
      const held = all.filter((v) => !(typeof v === 'string' && unstorable(v)));
      if (d.searchable || held.length > 50 || held.length === 0)
        return piece.any(
          piece.attribute('m', d.name),
          p.add(
            held.map((v) => JSON.stringify(v)),
            'jsonb[]',
          ),
        );
      return `(${held.map(equal).join(' or ')})`;
    }
  }
  if (isSign(c.is)) {
    if (type === 'boolean') return fail(c, `true and false are compared with = and !=`);
    const v = scalar(c, type, c.value);
    if (typeof v === 'string' && unstorable(v)) return fail(c, 'the text has characters that no attribute can have');
    if (type === 'text' && d.type !== 'date')
      return piece.compare(`${piece.attributeText('m', d.name)} collate "C"`, c.is, `${p.add(v, 'text')} collate "C"`);
    return piece.compare(piece.attribute('m', d.name), c.is, json(v));
  }
  if (c.is !== 'contains' && c.is !== 'begins') return fail(c, `there is no comparison ${shown(c.is)}`);
  if (type !== 'text') return fail(c, `${c.is} is for text`);
  const text = part(c);
  if (unstorable(text)) return piece.never;
  const value = piece.attributeText('m', d.name);
  return found(c.is, value, text, p, d.searchable ? value : undefined);
}

/** A part or the beginning of a text, with the help of the index over the runs of `indexed`. */
function found(is: 'contains' | 'begins', sql: string, text: string, p: Parameters, indexed?: string): Piece {
  const word = p.add(text, 'text');
  const cheap = is === 'begins' ? piece.begins(sql, word) : piece.part(sql, word);
  return { full: indexed && [...text].length >= 3 ? `${piece.runsOf(indexed, word)} and ${cheap}` : cheap, cheap };
}

/** A condition on what the meter stands under. */
async function onPlace(
  c: Condition,
  kind: NodeKind,
  out: Compiled,
  look: Lookups,
  scope: Scope,
  at?: number,
): Promise<string> {
  const p = out.parameters;
  if (c.is !== '=' && c.is !== '!=' && c.is !== 'in') return fail(c, 'compare codes with =, != or in');
  const codes = (c.is === 'in' ? list(c) : [c.value])
    .map((x) => String(scalar(c, 'text', x)))
    .filter((x) => !unstorable(x));
  const ids = await look.nodes(kind, codes, scope);
  if (at !== undefined) {
    if (c.is !== '!=') out.few = true;
    return underAt(ids, at, p, look, c.is === '!=');
  }
  if (c.is !== '!=' && ids.length === 0) return piece.never;
  const nodes = p.add(ids, 'bigint[]');
  if (c.is !== '!=' && FEW.has(kind)) out.few = true;
  return c.is === '!=' ? piece.notUnder(nodes) : piece.under(nodes);
}

async function underAt(ids: readonly string[], at: number, p: Parameters, look: Lookups, not = false): Promise<string> {
  const meters = p.add(await look.underAt(ids, at), 'bigint[]');
  return not ? `not ${piece.ids(meters)}` : piece.ids(meters);
}

/** Which index leads to few, most likely; the first named wins. */
const LEADS = ['paramId', 'x', 'configId', 'meterType', 'list', 'type', 'reader', 'maker', 'segment', 'life', 'state'];
const leads = new WeakMap<Compiled, number>();
function goAlong(out: Compiled, name: string, made: string | Piece): void {
  // `column = $n::type`, as made by piece.equal.
  const [column, value, more] = typeof made === 'string' ? made.split(' = ') : [];
  if (column === undefined || value === undefined || more !== undefined) return;
  const rank = LEADS.indexOf(name);
  if (rank >= (leads.get(out) ?? LEADS.length)) return;
  leads.set(out, rank);
  out.along = { column, value };
}

async function onOne(
  c: Condition,
  s: MeterSelection,
  out: Compiled,
  look: Lookups,
  scope: Scope,
  defined: ReadonlyMap<string, Definition>,
): Promise<string | Piece> {
  const p = out.parameters;
  const name = c.attribute;
  if (typeof name !== 'string') return fail(c, 'an attribute has a name');
  if (name.startsWith('x.')) {
    const d = defined.get(name.slice(2));
    return d
      ? onAttribute(c, d, p)
      : fail(c, 'meters have no such user-defined attribute; `amiable registry attributes` lists them');
  }
  const column = Object.hasOwn(COLUMNS, name) ? COLUMNS[name] : undefined;
  if (column) {
    if (name === 'lastSeen') {
      if (s.at !== undefined) return fail(c, 'lastSeen is of today; leave `at` out');
      out.seen = true;
    }
    if (column.along && (c.is === '=' || c.is === 'contains' || c.is === 'begins')) {
      const made = await onColumn(c, column, p, look);
      goAlong(out, name, made);
      return made;
    }
    if (c.is === '=' && (name === 'serial' || name === 'utilitySerial' || name === 'id')) out.few = true;
    return onColumn(c, column, p, look);
  }
  const kind = Object.hasOwn(PLACES, name) ? PLACES[name] : undefined;
  if (kind) return onPlace(c, kind, out, look, scope, s.at);
  if (isPersonal(c)) {
    const ids = await look.premises(name, c, scope);
    out.few = true;
    return ids.length === 0 ? piece.never : piece.under(p.add(ids, 'bigint[]'));
  }
  if (name === 'meterType') {
    if (c.is === 'exists') return piece.exists('m.meter_type');
    if (c.is === 'missing') return piece.missing('m.meter_type');
    const types = await look.meterTypes(c);
    if (types.length === 1 && c.is !== '!=') {
      const made = piece.equal('m.meter_type', p.add(types[0], 'integer'));
      goAlong(out, name, made);
      return made;
    }
    const ids = p.add(types, 'integer[]');
    return c.is === '!='
      ? `(m.meter_type is null or not ${piece.any('m.meter_type', ids)})`
      : piece.any('m.meter_type', ids);
  }
  if (name === 'master') {
    if (c.is === 'exists') return piece.isSlave;
    if (c.is === 'missing') return piece.isNoSlave;
    if (c.is !== '=' && c.is !== 'in') return fail(c, 'compare serial numbers with = or in');
    const serials = (c.is === 'in' ? list(c) : [c.value])
      .map((x) => String(scalar(c, 'text', x)))
      .filter((x) => !unstorable(x));
    return piece.slavesOf(p.add(await look.metersBySerial(serials), 'bigint[]'));
  }
  const marked = await look.marked(c);
  if (marked) return piece.ids(p.add(marked, 'bigint[]'));
  return fail(
    c,
    `there is no such attribute; there are ${[...Object.keys(COLUMNS), ...new Set(Object.keys(PLACES)), 'meterType', 'master', ...PERSONAL].join(', ')}, and x.NAME for your own`,
  );
}

/**
 * @throws MisuseError in words: an attribute that is not there, a comparison that makes no sense, more than the bounds
 */
export async function compile(
  selection: MeterSelection,
  scope: Scope,
  look: Lookups,
  nested = false,
): Promise<Compiled> {
  const conditions = selection.where ?? [];
  if (!Array.isArray(conditions)) throw new MisuseError('`where` is a list of conditions');
  if (conditions.length > BOUNDS.conditions)
    throw new MisuseError(`at most ${BOUNDS.conditions} conditions at once; ${conditions.length} came`);
  if (selection.at !== undefined && !(selection.at >= EARLIEST && selection.at < LATEST))
    throw new MisuseError('`at` is a time from 1900 to 2299, epoch milliseconds');
  const out: { -readonly [K in keyof Compiled]: Compiled[K] } = {
    conditions: [],
    parameters: parameters(),
    seen: false,
    along: undefined,
    few: selection.meters !== undefined,
  };
  const p = out.parameters;
  if (scope !== 'all') out.conditions.push(both(piece.segment(p.add(scope, 'integer[]'))));
  await add(selection, scope, look, out);
  if (selection.group !== undefined) {
    if (nested) throw new MisuseError('a group of meters cannot be selected by another group');
    const group = unstorable(selection.group) ? undefined : await look.group(selection.group);
    if (!group) throw new MisuseError(`there is no group of meters ${shown(selection.group)}`);
    if (group.selection === null) out.conditions.push(both(piece.inList(p.add(group.id, 'integer'))));
    else if (group.selection.group !== undefined)
      throw new MisuseError('a group of meters cannot be selected by another group');
    else await add(group.selection, scope, look, out);
  }
  return out;
}

async function add(s: MeterSelection, scope: Scope, look: Lookups, out: Compiled): Promise<void> {
  const p = out.parameters;
  if (s.meters !== undefined) {
    if (s.meters.length > BOUNDS.meters) throw new MisuseError(`at most ${BOUNDS.meters} meters by number at once`);
    out.conditions.push(both(piece.ids(p.add(s.meters.filter(isId), 'bigint[]'))));
    out.few = true;
  }
  if (s.under !== undefined) {
    const kind = isId(s.under) ? await look.nodeById(s.under, scope) : undefined;
    if (kind === undefined) throw new MisuseError(`there is no node ${shown(s.under)}`);
    if (FEW.has(kind) || s.at !== undefined) out.few = true;
    out.conditions.push(
      both(s.at === undefined ? piece.under(p.add([s.under], 'bigint[]')) : await underAt([s.under], s.at, p, look)),
    );
  }
  const q = (s.q ?? '').trim();
  if (q !== '') {
    if (q.length > BOUNDS.text) throw new MisuseError(`words of more than ${BOUNDS.text} characters`);
    const words = q.split(/\s+/);
    if (words.length > BOUNDS.words) throw new MisuseError(`at most ${BOUNDS.words} words at once`);
    if (unstorable(q)) out.conditions.push(both(piece.never));
    else {
      const given = words.map((w) => ({ long: [...w].length >= 3, word: p.add(w, 'text') }));
      const cheap = given.map(({ word }) => piece.word(word)).join(' and ');
      const full = [...given.filter((g) => g.long).map((g) => piece.runs(g.word)), cheap].join(' and ');
      // The code of a metering point or another node finds what stands there.
      const nodes = await look.nodes(undefined, [q], scope);
      const there = nodes.length === 0 ? undefined : piece.under(p.add(nodes, 'bigint[]'));
      out.conditions.push(
        there ? { full: piece.either(full, there), cheap: piece.either(cheap, there) } : { full, cheap },
      );
    }
  }
  const names = (s.where ?? []).flatMap((c) =>
    typeof c?.attribute === 'string' && c.attribute.startsWith('x.') ? [c.attribute.slice(2)] : [],
  );
  const defined =
    names.length === 0 ? new Map<string, Definition>() : await look.definitions(names.filter((n) => !unstorable(n)));
  for (const c of s.where ?? []) {
    if (c === null || typeof c !== 'object') throw new MisuseError('a condition has attribute, is and value');
    const made = await onOne(c, s, out, look, scope, defined);
    out.conditions.push(typeof made === 'string' ? both(made) : made);
  }
}

const LAST = 2n ** 63n;
export const isId = (id: unknown): id is string => typeof id === 'string' && /^\d{1,19}$/.test(id) && BigInt(id) < LAST;
