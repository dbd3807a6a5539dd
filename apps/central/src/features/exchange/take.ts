/**
 * Records of a file become rows of the staging tables: names are matched to columns, values are checked one by one. What can only be
 * known beside all other rows (twice, unknown, overlapping) is found later, in the database.
 *
 * Decides: a column that the file does not have leaves what is stored as it is; an empty value takes it away.
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import { type AttributeDefinition, type BulkAttributes, GIVEN, type StagedRows } from '@amiable/store';
import { ADDRESS, ADDRESS_WORDS } from '../connections/address.ts';
import {
  COLUMNS,
  type Column,
  DEFAULT_PARENT,
  type FileKind,
  hasAttributes,
  isFileKind,
  isNodeFileKind,
  type NodeFileKind,
} from './columns.ts';
import type { Fault, Place, RawRecord } from './read/record.ts';
import { USER } from './read/xml.ts';
import {
  booleanOf,
  checkNumber,
  choiceOf,
  integerOf,
  type NumberForm,
  numberOf,
  timeOf,
  undefused,
  ValueError,
  zoneOf,
} from './values.ts';

export interface TakeOptions {
  /** Of rows of a table; elements name their own. */
  readonly kind: FileKind | undefined;
  /** The file's names of columns to ours; null: not read. */
  readonly mapping: Readonly<Record<string, string | null>>;
  /** `meter.utility-serial` and the like: by which rule that number is checked. */
  readonly forms: Readonly<Record<string, NumberForm>>;
  readonly definitions: readonly AttributeDefinition[];
  readonly segments: ReadonlyMap<string, number>;
  readonly scope: Scope;
  readonly timeZone: string;
  readonly now: number;
  /** What each kind may stand under. */
  readonly mayStandUnder: Readonly<Record<string, readonly string[]>>;
  /** Whether the kind, or its personal data, may be written by who asks; a message when not. */
  readonly mayWrite: (kind: FileKind, personal: boolean) => string | undefined;
}

type Plan = readonly (number | AttributeDefinition | null)[];

export interface Taker {
  /** Names of a table's columns. @returns what is wrong with them */
  header(names: readonly string[], placeOf: (i: number) => Place): Fault | undefined;
  /** @returns false when the record was refused */
  take(record: RawRecord, rows: StagedRows): boolean;
}

/** @throws ValueError for what the API would not take either */
function checkAddress(text: string, scope: Scope): void {
  if (!ADDRESS.test(text)) throw new ValueError(`${ADDRESS_WORDS} is wanted, not ${JSON.stringify(text.slice(0, 60))}`);
  // The meter in front may be another segment's; the API looks.
  if (scope !== 'all' && text.startsWith('via:'))
    throw new ValueError('an address behind another meter is set meter by meter, by who does not see all segments');
}

export function createTaker(options: TakeOptions, fault: (fault: Fault) => void): Taker {
  const { kind: kindOfTable, definitions, segments, scope, now, timeZone } = options;
  for (const key of Object.keys(options.forms)) {
    const [kind, column] = key.split('.');
    if (!isFileKind(kind ?? '') || !COLUMNS[kind as FileKind].some((c) => c.name === column && c.type.of === 'text'))
      throw new MisuseError(
        `${JSON.stringify(key)} names no column with a number; write for example meter.utility-serial`,
      );
  }
  const indexes = new Map<FileKind, ReadonlyMap<string, number>>();
  const indexOf = (kind: FileKind): ReadonlyMap<string, number> => {
    let index = indexes.get(kind);
    if (!index) {
      index = new Map(COLUMNS[kind].map((column, i) => [column.name, i]));
      indexes.set(kind, index);
    }
    return index;
  };
  const attributes = new Map(definitions.map((d) => [`${d.object} ${d.name}`, d]));
  const forms = new Map(Object.entries(options.forms));
  let tableNames: readonly string[] | undefined;
  let tablePlan: Plan = [];

  // Values of the record under way, by column: undefined where it does not say.
  let kind: FileKind = 'meter';
  let columns: readonly Column[] = [];
  let record: RawRecord;
  let bad = false;
  let users: Record<string, string | number | boolean | null> | null = null;
  const values: (string | number | boolean | null | undefined)[] = [];
  const at: number[] = [];

  const tell = (i: number, field: string | undefined, message: string): void => {
    bad = true;
    const place = i >= 0 ? record.placeOf(i) : { line: record.line, column: 1 };
    fault({ ...place, ...(field === undefined ? {} : { field }), message });
  };

  /** Where each of the file's names goes; a message for one that goes nowhere. */
  function match(of: FileKind, name: string): number | AttributeDefinition | null | string {
    const mapped = Object.hasOwn(options.mapping, name) ? options.mapping[name] : name;
    if (mapped === null || mapped === undefined) return null;
    const plain = mapped.trim();
    const index = indexOf(of).get(plain) ?? indexOf(of).get(plain.toLowerCase().replace(/[ _]/g, '-'));
    if (index !== undefined) return index;
    if (plain.startsWith(USER) && hasAttributes(of))
      return (
        attributes.get(`${of} ${plain.slice(USER.length)}`) ??
        `there is no user-defined attribute ${JSON.stringify(plain.slice(USER.length, 80))} of ${of}; define it first`
      );
    return `there is no column ${JSON.stringify(plain.slice(0, 60))} of ${of}; there are ${COLUMNS[of].map((c) => c.name).join(', ')}${hasAttributes(of) ? ' and x.NAME for user-defined attributes' : ''}; a mapping to null leaves it out`;
  }

  function cellOf(column: Column, text: string): string | number | boolean | null {
    const { type } = column;
    if (text === '') {
      if (column.required) throw new ValueError('a value is missing');
      return null;
    }
    switch (type.of) {
      case 'text': {
        const value = column.required || column.filled ? text.trim() : text;
        if (value === '') throw new ValueError('a value is missing');
        if (value.length > type.most)
          throw new ValueError(`at most ${type.most} characters are kept, and it has ${value.length}`);
        const form = forms.size > 0 ? forms.get(`${kind}.${column.name}`) : undefined;
        if (form) checkNumber(value, form);
        if (kind === 'connection' && column.name === 'address') checkAddress(value, scope);
        return value;
      }
      case 'integer':
        return integerOf(text.trim(), type.least, type.most);
      case 'number':
        return numberOf(text.trim(), type.least, type.most);
      case 'boolean':
        return booleanOf(text.trim());
      case 'time':
        return timeOf(text.trim(), timeZone, now);
      case 'zone':
        return zoneOf(text.trim());
      case 'choice':
        return choiceOf(text.trim(), type.choices);
      case 'segment': {
        const id = segments.get(text.trim());
        if (id === undefined || (scope !== 'all' && !scope.includes(id)))
          throw new ValueError(`there is no segment ${JSON.stringify(text.slice(0, 60))} that you may use`);
        return id;
      }
    }
  }

  function userValue(d: AttributeDefinition, text: string): string | number | boolean | null {
    if (text === '') return null;
    switch (d.type) {
      case 'number':
        return numberOf(text.trim(), d.lowest ?? -Number.MAX_VALUE, d.highest ?? Number.MAX_VALUE);
      case 'boolean':
        return booleanOf(text.trim());
      case 'choice':
        return choiceOf(text, d.choices);
      case 'date': {
        const day = text.trim();
        if (
          !/^\d{4}-\d{2}-\d{2}$/.test(day) ||
          !Number.isFinite(Date.parse(day)) ||
          new Date(day).toISOString().slice(0, 10) !== day
        )
          throw new ValueError(`a day such as 2026-11-20 is wanted, not ${JSON.stringify(day.slice(0, 60))}`);
        return day;
      }
      case 'text': {
        const most = Math.min(d.highest ?? 1000, 1000);
        if (text.length > most) throw new ValueError(`at most ${most} characters are kept, and it has ${text.length}`);
        if (d.lowest !== null && text.length < d.lowest)
          throw new ValueError(`at least ${d.lowest} characters are wanted`);
        return text;
      }
    }
  }

  function read(plan: Plan): void {
    for (let i = 0; i < columns.length; i++) {
      values[i] = undefined;
      at[i] = -1;
    }
    users = null;
    const texts = record.values;
    for (let i = 0; i < plan.length; i++) {
      const target = plan[i];
      if (target === null || target === undefined) continue;
      const raw = texts[i] as string;
      const text = raw.charCodeAt(0) === 39 ? undefused(raw) : raw;
      const column = typeof target === 'number' ? (columns[target] as Column) : undefined;
      // A table has no other way to say nothing.
      if (text === '' && column?.filled) continue;
      try {
        if (column) {
          values[target as number] = cellOf(column, text);
          at[target as number] = i;
        } else {
          users ??= {};
          Object.defineProperty(users, (target as AttributeDefinition).name, {
            value: userValue(target as AttributeDefinition, text),
            enumerable: true,
          });
        }
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        tell(i, column?.name ?? USER + (target as AttributeDefinition).name, error.message);
      }
    }
    if (bad) return;
    for (let i = 0; i < columns.length; i++)
      if ((columns[i] as Column).required && values[i] === undefined)
        tell(-1, (columns[i] as Column).name, `${(columns[i] as Column).name} is missing`);
  }

  const value = <T>(name: string): T | null => {
    const found = values[indexOf(kind).get(name) as number];
    return (found === undefined ? null : found) as T | null;
  };
  const isGiven = (name: string): boolean => values[indexOf(kind).get(name) as number] !== undefined;
  const placeIn = (name: string): number => at[indexOf(kind).get(name) as number] ?? -1;
  const givens = new Map<string, readonly (readonly [number, number])[]>();
  /** The bits of what is given, in the order of the staging table. */
  const givenOf = (table: keyof typeof GIVEN): number => {
    let pairs = givens.get(`${kind} ${table}`);
    if (!pairs) {
      pairs = (GIVEN[table] as readonly string[]).map(
        (name, b) => [indexOf(kind).get(name.replaceAll('_', '-')) ?? -1, 1 << b] as const,
      );
      givens.set(`${kind} ${table}`, pairs);
    }
    let bits = 0;
    for (const [i, bit] of pairs) if (i >= 0 && values[i] !== undefined) bits |= bit;
    return bits;
  };

  function parentAllowed(of: string, parentKind: string, i: number): boolean {
    const allowed = options.mayStandUnder[of] ?? [];
    if (allowed.includes(parentKind)) return true;
    tell(i, 'parent-kind', `a ${of} stands under ${allowed.join(', ')}, not under a ${parentKind}`);
    return false;
  }

  function ordered(): boolean {
    const from = value<number>('from') as number;
    const to = value<number>('to');
    if (to === null || to > from) return true;
    tell(placeIn('to'), 'to', 'it ends before it begins');
    return false;
  }

  function put(rows: StagedRows): void {
    // The number takes the place of the line in the database; faults get their lines back from it.
    const line = record.number;
    if (isNodeFileKind(kind)) {
      const parent = value<string>('parent');
      if (parent !== null) {
        const parentKind = value<NodeFileKind>('parent-kind') ?? DEFAULT_PARENT[kind];
        if (!parentAllowed(kind, parentKind, placeIn('parent-kind'))) return;
        const from = value<number>('from');
        rows.link({
          line,
          kind: 'under',
          childKind: kind,
          child: value<string>('code') as string,
          parentKind,
          parent,
          channel: null,
          from: from ?? now,
          to: null,
          loose: from === null,
        });
      } else if (isGiven('parent-kind') || isGiven('from')) {
        tell(-1, 'parent', 'parent is missing: parent-kind and from say more about it');
        return;
      }
      rows.node({
        line,
        kind,
        code: value<string>('code') as string,
        given: givenOf('node'),
        name: value('name'),
        segment: value('segment'),
        latitude: value('latitude'),
        longitude: value('longitude'),
        customer: kind === 'premises' ? value('customer') : null,
        account: kind === 'premises' ? value('account') : null,
        address: kind === 'premises' ? value('address') : null,
        contact: kind === 'premises' ? value('contact') : null,
        attributes: users as BulkAttributes | null,
      });
      return;
    }
    switch (kind) {
      case 'meter-type':
        rows.type({
          line,
          name: value<string>('name') as string,
          given: givenOf('type'),
          maker: value('maker'),
          description: value('description'),
          medium: value('medium'),
          readout: value('readout'),
        });
        return;
      case 'meter': {
        const meter = value<string>('serial') as string;
        rows.meter({
          line,
          serial: meter,
          given: givenOf('meter'),
          utilitySerial: value('utility-serial'),
          name: value('name'),
          place: value('place'),
          timeZone: value('time-zone'),
          maker: value('maker'),
          type: value('type'),
          phases: value('phases'),
          lineVoltage: value('line-voltage'),
          meterType: value('meter-type'),
          paramId: value('param-id'),
          configId: value('config-id'),
          segment: value('segment'),
          attributes: users as BulkAttributes | null,
        });
        const from = value<number>('from');
        const point = value<string>('metering-point');
        const concentrator = value<string>('concentrator');
        const stay = {
          line,
          childKind: null,
          child: meter,
          channel: null,
          from: from ?? now,
          to: null,
          loose: from === null,
        };
        if (point !== null) rows.link({ ...stay, kind: 'installed', parentKind: 'metering-point', parent: point });
        if (concentrator !== null)
          rows.link({ ...stay, kind: 'served', parentKind: 'concentrator', parent: concentrator });
        return;
      }
      case 'ratio':
        if (!ordered()) return;
        rows.ratio({
          line,
          meteringPoint: value<string>('metering-point') as string,
          kind: value<'current' | 'voltage'>('kind') as 'current',
          primary: value<number>('primary') as number,
          secondary: value<number>('secondary') as number,
          from: value<number>('from') as number,
          to: value('to'),
        });
        return;
      case 'connection':
        rows.connection({
          line,
          serial: value<string>('meter') as string,
          given: givenOf('connection'),
          protocol: value('protocol'),
          address: value('address'),
          transport: value('transport'),
          readout: value('readout'),
          referencing: value('referencing'),
          client: value('client'),
          server: value('server'),
          physical: value('physical'),
          authentication: value('authentication'),
          suite: value('suite'),
          ciphered: value('ciphered'),
          deviceAddress: value('device-address'),
          channel: value('channel'),
          identity: value('identity'),
        });
        return;
      case 'stay': {
        if (!ordered()) return;
        const of = value<string>('kind') as string;
        const parentKind = value<string>('parent-kind') as string;
        if (!parentAllowed(of, parentKind, placeIn('parent-kind'))) return;
        rows.link({
          line,
          kind: 'under',
          childKind: of,
          child: value<string>('code') as string,
          parentKind,
          parent: value<string>('parent') as string,
          channel: null,
          from: value<number>('from') as number,
          to: value('to'),
          loose: false,
        });
        return;
      }
      default: {
        if (!ordered()) return;
        const child = value<string>('meter') as string;
        const stay = {
          line,
          childKind: null,
          child,
          from: value<number>('from') as number,
          to: value<number>('to'),
          loose: false,
        };
        if (kind === 'slave') {
          const master = value<string>('master') as string;
          if (master === child) tell(placeIn('master'), 'master', 'a meter cannot stand behind itself');
          else rows.link({ ...stay, kind: 'behind', parentKind: null, parent: master, channel: value('channel') });
        } else if (kind === 'installation')
          rows.link({
            ...stay,
            kind: 'installed',
            parentKind: 'metering-point',
            parent: value<string>('metering-point') as string,
            channel: null,
          });
        else
          rows.link({
            ...stay,
            kind: 'served',
            parentKind: 'concentrator',
            parent: value<string>('concentrator') as string,
            channel: null,
          });
      }
    }
  }

  return {
    header(names, placeOf) {
      tableNames = names;
      const of = kindOfTable;
      if (of === undefined)
        return {
          line: 1,
          column: 1,
          message: 'what the rows are was not said; give the kind, for example --kind meter',
        };
      const plan: (number | AttributeDefinition | null)[] = [];
      const seen = new Map<number | AttributeDefinition, number>();
      for (const [i, name] of names.entries()) {
        const target = match(of, name);
        if (typeof target === 'string') return { ...placeOf(i), field: name, message: target };
        if (target !== null && seen.has(target))
          return {
            ...placeOf(i),
            field: name,
            message: `this column and column ${(seen.get(target) as number) + 1} are the same`,
          };
        if (target !== null) seen.set(target, i);
        plan.push(target);
        const personal = typeof target === 'number' && COLUMNS[of][target]?.personal === true;
        const refused = options.mayWrite(of, personal);
        if (refused !== undefined) return { ...placeOf(i), field: name, message: refused };
      }
      const missing = COLUMNS[of].find((column, i) => column.required && !seen.has(i));
      if (missing)
        return {
          line: 1,
          column: 1,
          field: missing.name,
          message: `the column ${missing.name} is missing (${missing.note})`,
        };
      tablePlan = plan;
      return undefined;
    },
    take(given, rows) {
      record = given;
      bad = false;
      if (given.kind === undefined) {
        kind = kindOfTable as FileKind;
        columns = COLUMNS[kind];
        if (given.names !== tableNames) throw new MisuseError('a row of another table');
        read(tablePlan);
      } else {
        if (!isFileKind(given.kind)) {
          tell(
            -1,
            undefined,
            `<${given.kind.slice(0, 60)}> is not known; there are <meter>, <metering-point>, <transformer> and others, see docs/import.md`,
          );
          return false;
        }
        kind = given.kind;
        columns = COLUMNS[kind];
        const plan: (number | AttributeDefinition | null)[] = [];
        for (const [i, name] of given.names.entries()) {
          const target = match(kind, name);
          if (typeof target === 'string') {
            tell(i, name, target);
            plan.push(null);
            continue;
          }
          const refused = options.mayWrite(kind, typeof target === 'number' && columns[target]?.personal === true);
          if (refused !== undefined) tell(i, name, refused);
          plan.push(target);
        }
        read(plan);
      }
      if (!bad) put(rows);
      return !bad;
    },
  };
}
