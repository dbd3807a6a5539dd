/**
 * `amiable dlms profile`: rows of a profile as a table, as CSV or as JSON.
 *
 * Decides: which rows are asked for, and in what words of the standard; a meter that refuses a selection by time is read
 * whole and the rows are chosen here; what came before a failure is printed, and the failure told. Scalers of the columns
 * are read from their registers and applied exactly.
 */
import { localToUtc } from '@amiable/calendar';
import {
  type ColumnValues,
  columnName,
  columnOfCapture,
  interfaceClass,
  type JsonValue,
  jsonValue,
  obisToBytes,
  type Profile,
  printPlain,
  readPlain,
  readProfile,
  type ScalerUnit,
  attributeOf as tableAttribute,
} from '@amiable/cosem';
import { DlmsPeerError, dateTimeBytes, octetString } from '@amiable/dlms';
import { harmless, type Terminal, table } from '@amiable/io/terminal';
import type { CaptureObjectDefinition, ProfileRows, ProfileSelection } from '@amiable/meter';
import { decimal } from '@amiable/model';
import { bareObject, type CatalogObject, nameOf } from './catalog.ts';
import { type Meter, toldFailure, withMeter } from './connect.ts';
import { type Given, numberOption, type Settings, settingsOf } from './settings.ts';
import { Lookup, parseReference } from './target.ts';
import { meterTime, parseMoment, parseSpan, wallText } from './times.ts';
import { Failed, UsageError } from './usage.ts';
import { decoded, exactNumber, readAttributes, scalerOf, unitText } from './values.ts';

interface Column {
  readonly definition: CaptureObjectDefinition;
  readonly object: CatalogObject;
  readonly name: string;
  /** Of the quantity. */
  readonly title: string;
  readonly unit: string;
  readonly scalerUnit?: ScalerUnit;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

type Choice =
  | { readonly range: Range }
  | { readonly entries: readonly [from: number, to: number] }
  | { readonly lastEntries: number }
  | undefined;

const PROFILE = 7;
const CLOCK = 8;
/** Of Data-Access-Result. */
const UNDEFINED = 4;
const OTHER_CLASS = 9;

/** @throws UsageError */
export function choiceOf(given: Given, zone: string, now: number): Choice {
  const ways = [
    given.last !== undefined,
    given.entries !== undefined,
    given.from !== undefined || given.to !== undefined,
  ].filter(Boolean);
  if (ways.length > 1) throw new UsageError('--from and --to, --last, or --entries: one of them.');
  if (given.last !== undefined) {
    const text = String(given.last);
    if (/^\d+$/.test(text)) return { lastEntries: numberOption('--last', text, 1, 1_000_000) as number };
    return { range: { from: now - parseSpan(text), to: now } };
  }
  if (given.entries !== undefined) {
    const found = /^(\d{1,9})(?:(?:\.\.|-)(\d{1,9})?)?$/.exec(String(given.entries));
    const from = Number(found?.[1]);
    const to = String(given.entries) === found?.[1] ? from : found?.[2] === undefined ? 0 : Number(found[2]);
    if (!found || from < 1 || (to !== 0 && to < from))
      throw new UsageError(`--entries ${given.entries}: write 1..10, 5 or 100.. (entries count from 1).`);
    return { entries: [from, to] };
  }
  if (given.from === undefined && given.to === undefined) return undefined;
  const from = given.from === undefined ? 0 : parseMoment(String(given.from), zone, now);
  const to = given.to === undefined ? now : parseMoment(String(given.to), zone, now);
  if (to < from) throw new UsageError(`--to lies before --from.`);
  return { range: { from, to } };
}

export async function runProfile(terminal: Terminal, address: string, target: string, given: Given): Promise<void> {
  const reference = parseReference(target);
  if (given.csv && given.json) throw new UsageError('--csv or --json, not both.');
  const settings = await settingsOf(address, given);
  const choice = choiceOf(given, settings.zone, terminal.clock.now());
  await withMeter(terminal, settings, async (meter) => {
    const object =
      reference.obis && reference.classWord === undefined
        ? bareObject(PROFILE, obisToBytes(reference.obis))
        : await new Lookup(meter.session, meter.note, settings).object(reference);
    if (object.classId !== PROFILE)
      throw new UsageError(
        `${object.obis} (${object.table?.name ?? `class ${object.classId}`}) is no profile; "amiable dlms ls … profile" shows those there are.`,
      );
    meter.progress.show('reading the columns');
    const definitions = await meter.session.captureObjects(object.instanceId).catch((error: Error) => {
      if (!(error instanceof DlmsPeerError) || error.kind !== 'data-access') throw error;
      if (error.code === OTHER_CLASS)
        throw new Error(`${object.obis} is no profile; "amiable dlms ls … profile" shows those there are.`);
      return unseen(meter, object, error);
    });
    const columns = await readColumns(meter, definitions);
    const selected = chosenColumns(columns, given.columns);
    const facts = await readFacts(meter, object);
    const { rows, range } = await readRows(meter, object, columns, selected, choice);
    meter.progress.clear();
    const shape = rows.narrowed ? selected : columns;
    const profile = readProfile(
      rows.read.buffer,
      shape.map(({ definition }) => columnOfCapture(definition)),
      {
        ...facts,
        utcOf: (wall, dst) => localToUtc(settings.zone, wall, dst === undefined ? {} : { dst }),
      },
    );
    const view: View = {
      profile,
      columns: shape,
      shown: shape.map((_, i) => i).filter((i) => selected.includes(shape[i] as Column)),
      settings,
      range,
    };
    terminal.out(given.json ? ndjson(view) : given.csv ? csv(view) : tableOf(view));
    const { error } = rows.read;
    if (rows.read.complete && !profile.stopped) return;
    meter.note(`the profile broke off: the ${profile.rows} rows above are whole, the rest is missing.`);
    if (error) throw toldFailure(terminal, settings, error);
    if (profile.stopped) meter.note(`row ${profile.stopped.row + 1} cannot be read: ${profile.stopped.error.message}`);
    throw new Failed(1);
  });
}

/** @throws Error naming those who may see the profile, where this client does not */
async function unseen(meter: Meter, { obis }: CatalogObject, error: DlmsPeerError): Promise<never> {
  if (error.code !== UNDEFINED) throw error;
  const who = await new Lookup(meter.session, meter.note, meter.settings).elsewhere();
  throw new Error(`There is no profile ${obis} for this client (object-undefined). ${who}`);
}

/** Names, units and scalers; a column whose register cannot be read goes without. */
async function readColumns(meter: Meter, definitions: readonly CaptureObjectDefinition[]): Promise<Column[]> {
  const registers = definitions.map((definition) => ({
    object: bareObject(definition.classId, definition.instanceId),
    attribute: definition.attributeId,
  }));
  const scaled = registers.filter((wanted) => scalerOf(wanted) !== undefined);
  const scalers = scaled.map((wanted) => ({ object: wanted.object, attribute: scalerOf(wanted) as number }));
  const values = scalers.length === 0 ? [] : await readAttributes(meter.session, scalers);
  return definitions.map((definition, i) => {
    const wanted = registers[i] as (typeof registers)[number];
    const found = values[scaled.indexOf(wanted)];
    const data = found && 'data' in found.result ? decoded(found.result.data) : undefined;
    const [scaler, unit] = data?.type === 'structure' ? data.value : [];
    const scalerUnit =
      scaler?.type === 'integer' && unit?.type === 'enum' ? { scaler: scaler.value, unit: unit.value } : undefined;
    const name = columnName(columnOfCapture(definition));
    return {
      definition,
      object: wanted.object,
      name,
      title: titleOf(wanted),
      unit: scalerUnit ? unitText(scalerUnit.unit) : '',
      ...(scalerUnit && { scalerUnit }),
    };
  });
}

function titleOf({ object, attribute }: { object: CatalogObject; attribute: number }): string {
  const name = object.table && tableAttribute(object.table, attribute)?.name;
  return attribute === 2 ? nameOf(object) : `${nameOf(object)} ${name ?? attribute}`;
}

function chosenColumns(columns: readonly Column[], wanted: unknown): readonly Column[] {
  if (wanted === undefined) return columns;
  const words = String(wanted)
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  const found = words.map((word) => {
    const number = /^\d+$/.test(word) ? columns[Number(word) - 1] : undefined;
    const match =
      number ??
      columns.find(
        (c) =>
          c.object.obis === word ||
          c.object.obis.endsWith(`:${word}`) ||
          c.name.toLowerCase() === word.toLowerCase() ||
          c.title.toLowerCase() === word.toLowerCase(),
      );
    if (!match)
      throw new UsageError(
        `--columns ${word} is none of this profile: ${columns.map((c, i) => `${i + 1} ${c.object.obis} ${c.name}`).join(', ')}.`,
      );
    return match;
  });
  return columns.filter((c) => found.includes(c));
}

/** capture_period and sort_method, where they can be read: they tell the time of rows whose clock is left out. */
async function readFacts(
  { session }: Meter,
  object: CatalogObject,
): Promise<{ capturePeriod?: number; newestFirst?: boolean }> {
  const [period, sort] = await readAttributes(
    session,
    [4, 5].map((attribute) => ({ object, attribute })),
  );
  const number = (value: typeof period): number | undefined => {
    const data = value && 'data' in value.result ? decoded(value.result.data) : undefined;
    return data && 'value' in data && typeof data.value === 'number' ? data.value : undefined;
  };
  const capturePeriod = number(period);
  return { ...(capturePeriod !== undefined && { capturePeriod }), newestFirst: number(sort) === 2 };
}

interface RowsRead {
  readonly read: ProfileRows;
  /** The rows have the chosen columns alone. */
  readonly narrowed: boolean;
}

/** Codes by which meters say that they cannot select so: not "you may not". */
const NO_SELECTION = new Set([2, 4, 9, 11, 12, 13, 250]);

async function readRows(
  meter: Meter,
  object: CatalogObject,
  columns: readonly Column[],
  selected: readonly Column[],
  choice: Choice,
): Promise<{ rows: RowsRead; range: Range | undefined }> {
  const { session, settings, progress, note } = meter;
  progress.show('reading rows');
  const whole = async (selection?: ProfileSelection): Promise<RowsRead> => ({
    read: await session.getProfile(object.instanceId, selection),
    narrowed: false,
  });
  if (!choice) return { rows: await whole(), range: undefined };
  if ('entries' in choice)
    return { rows: await whole({ kind: 'entry', from: choice.entries[0], to: choice.entries[1] }), range: undefined };
  if ('lastEntries' in choice)
    return { rows: await whole(await lastEntries(meter, object, choice.lastEntries)), range: undefined };
  const { range } = choice;
  const clock = columns.find((c) => c.definition.classId === CLOCK && c.definition.attributeId === 2);
  if (!clock) throw new UsageError(`${object.obis} captures no clock: choose with --entries.`);
  const moment = (utc: number) => octetString(dateTimeBytes(meterTime(utc, settings.zone)));
  const narrow = selected.length < columns.length;
  const selection: ProfileSelection = {
    kind: 'range',
    from: moment(range.from),
    to: moment(range.to),
    by: clock.definition,
    ...(narrow && { columns: selected.map((c) => c.definition) }),
  };
  try {
    return { rows: { read: await session.getProfile(object.instanceId, selection), narrowed: narrow }, range };
  } catch (error) {
    const unable =
      error instanceof DlmsPeerError
        ? error.kind === 'data-access' && NO_SELECTION.has(error.code ?? -1)
        : (error as Error).name === 'MisuseError';
    if (!unable) throw error;
    note(`the meter does not select by time (${(error as Error).message.slice(0, 80)}); reading all rows.`);
    return { rows: await whole(), range };
  }
}

/** The newest n: at the end of most profiles, at the beginning of those that are sorted newest first. */
async function lastEntries({ session }: Meter, object: CatalogObject, n: number): Promise<ProfileSelection> {
  const [sort, used] = await readAttributes(
    session,
    [5, 7].map((attribute) => ({ object, attribute })),
  );
  const number = (value: typeof sort): number => {
    const data = value && 'data' in value.result ? decoded(value.result.data) : undefined;
    return data && 'value' in data && typeof data.value === 'number' ? data.value : 0;
  };
  if (number(sort) === 2) return { kind: 'entry', from: 1, to: n };
  const all = number(used);
  return { kind: 'entry', from: Math.max(1, all - n + 1), to: 0 };
}

// ---------------------------------------------------------------- printing

interface View {
  readonly profile: Profile;
  readonly columns: readonly Column[];
  /** Indexes of the columns that are wanted. */
  readonly shown: readonly number[];
  readonly settings: Settings;
  /** Rows outside of it are left out: where the meter gave all, or more than was asked. */
  readonly range: Range | undefined;
}

function* rowsOf({ profile, range }: View): Generator<number> {
  const clock = profile.columns[profile.clock];
  for (let row = 0; row < profile.rows; row++) {
    const utc = clock?.kind === 'moment' ? (clock.utc[row] as number) : Number.NaN;
    if (range && (utc < range.from || utc > range.to)) continue;
    yield row;
  }
}

/** The moment of a row as text; undefined where there is none. */
function momentAt(
  values: Extract<ColumnValues, { kind: 'moment' }>,
  row: number,
  settings: Settings,
  separator: ' ' | 'T',
): string | undefined {
  const utc = values.utc[row] as number;
  const wall = values.wall[row] as number;
  if (Number.isNaN(wall)) return undefined;
  if (Number.isNaN(utc)) return wallText(wall, undefined, separator);
  if (!settings.zoneGiven) return wallText(wall, (wall - utc) / 60_000, separator);
  const { deviation = 0 } = meterTime(utc, settings.zone);
  return wallText(utc - deviation * 60_000, -deviation, separator);
}

/** What a cell holds: a mantissa, text, or nothing. */
function cellAt(
  values: ColumnValues | undefined,
  row: number,
): number | bigint | string | undefined | { readonly plain: JsonValue; readonly text: string } {
  if (!values || values.kind === 'moment') return undefined;
  const value = values.values[row];
  if (value === undefined || (typeof value === 'number' && Number.isNaN(value))) return undefined;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return value;
  return { plain: jsonValue(value), text: printPlain(value) };
}

/** Enumerations of captured attributes by name, as far as the class table has them. */
function named(column: Column, value: number): string | undefined {
  const { classId, attributeId, dataIndex } = column.definition;
  const type = dataIndex === 0 ? interfaceClass(classId)?.attributes[attributeId - 1]?.type : undefined;
  if (type?.kind !== 'enum' && type?.kind !== 'boolean') return undefined;
  const plain = readPlain(
    type,
    type.kind === 'enum' ? { type: 'enum', value } : { type: 'boolean', value: value !== 0 },
  );
  return typeof plain === 'number' ? undefined : String(plain);
}

function cellText(view: View, index: number, row: number, separator: ' ' | 'T' = ' '): string {
  const values = view.profile.columns[index];
  const column = view.columns[index] as Column;
  if (values?.kind === 'moment') return momentAt(values, row, view.settings, separator) ?? '';
  const cell = cellAt(values, row);
  if (cell === undefined) return '';
  if (typeof cell === 'object') return harmless(cell.text);
  if (typeof cell === 'string') return harmless(cell);
  if (typeof cell === 'number' && !Number.isInteger(cell)) return String(cell);
  if (column.scalerUnit) return decimal(cell, column.scalerUnit.scaler);
  return (typeof cell === 'number' ? named(column, cell) : undefined) ?? String(cell);
}

function tableOf(view: View): string {
  const head = view.shown.map((i) => (view.columns[i] as Column).title);
  const under = view.shown.map((i) => {
    const { object, unit } = view.columns[i] as Column;
    return unit ? `${object.obis} ${unit}` : object.obis;
  });
  const rows = [...rowsOf(view)].map((row) => view.shown.map((i) => cellText(view, i, row)));
  if (rows.length === 0) return `${table([head, under])}(no rows)\n`;
  const right = view.shown.map((i, at) => (/^(number|bigint)$/.test(view.profile.columns[i]?.kind ?? '') ? at : -1));
  return table([head, under, ...rows], { right });
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);

function csv(view: View): string {
  const head = view.shown.map((i) => {
    const { name, unit } = view.columns[i] as Column;
    return quoted(unit ? `${name} (${unit})` : name);
  });
  const lines = [head.join(',')];
  for (const row of rowsOf(view)) lines.push(view.shown.map((i) => quoted(cellText(view, i, row, 'T'))).join(','));
  return `${lines.join('\n')}\n`;
}

function ndjson(view: View): string {
  let out = '';
  // Two columns may have one name: the second then goes by its logical name.
  const keys = view.columns.map(({ name, object, definition }, i) =>
    view.columns.findIndex((c) => c.name === name) === i ? name : `${name} ${object.obis}:${definition.attributeId}`,
  );
  for (const row of rowsOf(view)) {
    const line: Record<string, JsonValue> = {};
    for (const i of view.shown) {
      const values = view.profile.columns[i];
      const column = view.columns[i] as Column;
      const key = keys[i] as string;
      if (values?.kind === 'moment') line[key] = momentAt(values, row, view.settings, 'T') ?? null;
      else {
        const cell = cellAt(values, row);
        if (cell === undefined) line[key] = null;
        else if (typeof cell === 'object') line[key] = cell.plain;
        else if (typeof cell === 'string') line[key] = cell;
        else
          line[key] = column.scalerUnit
            ? exactNumber(cell, column.scalerUnit.scaler)
            : ((typeof cell === 'number' ? named(column, cell) : undefined) ?? exactNumber(cell, 0));
      }
    }
    out += `${JSON.stringify(line)}\n`;
  }
  return out;
}
