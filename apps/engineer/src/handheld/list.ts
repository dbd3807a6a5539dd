/**
 * The list of meters to visit: CSV with a head line, or JSON.
 *
 * Decides: columns `meter` (our name of it), `serial` (what the meter must say it is), `place`, `device`, `protocol`,
 * `credentials` (a name, never a secret), `read`, `write`, `codes`, `tz`, and all that `amiable dlms` or `amiable optical` takes as
 * an option of the line. Everything is checked before the first meter is visited, and told with its line.
 */

import { readFile } from 'node:fs/promises';
import { isValidZone } from '@amiable/calendar';
import { portError } from '@amiable/io';
import { systemZone } from '../dlms/settings.ts';
import { parseSpan } from '../dlms/times.ts';
import { UsageError } from '../dlms/usage.ts';
import { GROUPS, type Group } from './is15959.ts';
import { isGroup } from './select.ts';

export type Given = Readonly<Record<string, unknown>>;

/** One word of `read`: `load`, `load:7d`, `load:new`. */
export interface WantedGroup {
  readonly group: Group;
  /** ms before now; `new`: since the last visit; absent: everything. */
  readonly since?: number | 'new';
}

export interface Parameter {
  /** `1-0:0.8.0`, `clock:time`, `0.9.1`: as `amiable dlms set`, `amiable optical program write`. */
  readonly object: string;
  readonly value: string;
}

export interface Planned {
  readonly meter: string;
  readonly serial?: string;
  readonly place?: string;
  readonly device: string;
  readonly protocol: 'dlms' | 'iec62056-21';
  /** Name under which the credentials are kept elsewhere. */
  readonly credentials?: string;
  readonly read: readonly WantedGroup[];
  readonly write: readonly Parameter[];
  /** IEC 62056-21: codes read one by one in programming mode. */
  readonly codes: readonly string[];
  readonly zone: string;
  /** Of the line, as the commands `dlms` and `optical` name them. */
  readonly options: Given;
}

const FIELDS = ['meter', 'serial', 'place', 'device', 'protocol', 'credentials', 'read', 'write', 'codes', 'tz'];
const LINE_OPTIONS: Readonly<Record<string, 'text' | 'flag'>> = {
  client: 'text',
  server: 'text',
  physical: 'text',
  addressSize: 'text',
  baud: 'text',
  parity: 'text',
  timeout: 'text',
  maxPdu: 'text',
  window: 'text',
  maxInfo: 'text',
  counter: 'text',
  modeE: 'flag',
  hdlc: 'flag',
  wrapper: 'flag',
  sn: 'flag',
  mode: 'text',
  address: 'text',
  baudMax: 'text',
  wakeUp: 'flag',
  ca: 'text',
  tlsName: 'text',
};
const SECRETS = /^(password|secret|key|authkey|masterkey|signingkey|agreementkey)$/i;

/** @throws UsageError that names the line or the entry */
export async function readList(path: string): Promise<Planned[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(portError(path, error).message);
  }
  return parseList(text.replace(/^\ufeff/, ''), path);
}

/** @throws UsageError */
export function parseList(text: string, path: string): Planned[] {
  const rows = /^\s*[[{]/.test(text) ? jsonRows(text, path) : csvRows(text, path);
  if (rows.length === 0) throw new UsageError(`${path} names no meter.`);
  const planned = rows.map(({ row, where }) => plannedOf(row, where));
  const seen = new Map<string, string>();
  planned.forEach(({ meter }, i) => {
    const where = rows[i]?.where ?? '';
    const before = seen.get(meter);
    if (before !== undefined) throw new UsageError(`${where}: meter ${meter} stands in ${before} already.`);
    seen.set(meter, where);
  });
  return planned;
}

interface RowIn {
  readonly row: Given;
  readonly where: string;
}

function jsonRows(text: string, path: string): RowIn[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} begins as JSON but is none: ${(error as Error).message}`);
  }
  const list = Array.isArray(found) ? found : (found as { visits?: unknown }).visits;
  if (!Array.isArray(list)) throw new UsageError(`${path}: an array of visits is needed, or {"visits": […]}.`);
  return list.map((row: unknown, i) => {
    const where = `${path}, visit ${i + 1}`;
    if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new UsageError(`${where} is no object.`);
    const { options, ...rest } = row as Record<string, unknown>;
    return { row: { ...(typeof options === 'object' && options), ...rest }, where };
  });
}

function csvRows(text: string, path: string): RowIn[] {
  const lines = csvLines(text);
  const head = lines.find(({ cells }) => !isEmpty(cells));
  if (!head) return [];
  const names = head.cells.map((name) => camel(name.trim()));
  return lines
    .filter((line) => line !== head && !isEmpty(line.cells))
    .map(({ cells, line }) => {
      const where = `${path}, line ${line}`;
      if (cells.length > names.length && cells.slice(names.length).some((cell) => cell.trim() !== ''))
        throw new UsageError(`${where} has ${cells.length} fields; the head line has ${names.length}.`);
      const row: Record<string, unknown> = {};
      names.forEach((name, i) => {
        const cell = (cells[i] ?? '').trim();
        if (cell !== '') row[name] = cell;
      });
      return { row, where };
    });
}

const isEmpty = (cells: readonly string[]): boolean =>
  cells.every((cell) => cell.trim() === '') || (cells[0] ?? '').trimStart().startsWith('#');
const camel = (name: string): string =>
  name.toLowerCase().replace(/[-_ ]+([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Fields in quotes may hold the separator, line ends, and quotes doubled. The separator is what stands in the first line. */
function csvLines(text: string): { cells: string[]; line: number }[] {
  const first = text.slice(0, text.search(/[\r\n]|$/));
  const separator = first.includes(';') ? ';' : first.includes('\t') ? '\t' : ',';
  const lines: { cells: string[]; line: number }[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let number = 1;
  let begun = 1;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (quoted && c !== undefined) {
      if (c === '"' && text[i + 1] === '"') cell += text[++i];
      else if (c === '"') quoted = false;
      else cell += c;
      if (c === '\n') number++;
      continue;
    }
    if (c === '"' && cell.trim() === '') {
      quoted = true;
      cell = '';
    } else if (c === separator) {
      cells.push(cell);
      cell = '';
    } else if (c === '\n' || c === undefined) {
      cells.push(cell.replace(/\r$/, ''));
      lines.push({ cells, line: begun });
      cells = [];
      cell = '';
      number++;
      begun = number;
    } else cell += c;
  }
  return lines;
}

function plannedOf(row: Given, where: string): Planned {
  const text = (name: string): string | undefined => {
    const value = row[name];
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string' && typeof value !== 'number') throw new UsageError(`${where}: ${name} is no text.`);
    return String(value);
  };
  for (const name of Object.keys(row)) {
    if (SECRETS.test(name))
      throw new UsageError(
        `${where}: ${name} does not belong into the list, which is passed around. Write a name under credentials, and the secret into the file of --credentials.`,
      );
    if (!FIELDS.includes(name) && LINE_OPTIONS[name] === undefined)
      throw new UsageError(
        `${where}: ${name} is no field. There are ${[...FIELDS, ...Object.keys(LINE_OPTIONS)].join(', ')}.`,
      );
  }
  const meter = text('meter');
  const device = text('device');
  if (meter === undefined) throw new UsageError(`${where}: meter is missing.`);
  if (!/^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$/.test(meter))
    throw new UsageError(`${where}: meter ${JSON.stringify(meter)} may have digits, letters and ._- only, 64 at most.`);
  if (device === undefined)
    throw new UsageError(`${where}: device is missing, e.g. /dev/ttyUSB0 or tcp://192.0.2.7:4059.`);
  const protocol = protocolOf(text('protocol'), where);
  const zone = text('tz') ?? systemZone();
  if (!isValidZone(zone)) throw new UsageError(`${where}: tz ${zone} is no time zone; write one as Asia/Kolkata.`);
  const options: Record<string, unknown> = { tz: zone };
  for (const [name, kind] of Object.entries(LINE_OPTIONS)) {
    const value = row[name];
    if (value === undefined || value === '') continue;
    if (kind === 'text') options[name] = text(name);
    else if (/^(true|yes|1|x)$/i.test(String(value))) options[name] = true;
    else if (!/^(false|no|0)$/i.test(String(value))) throw new UsageError(`${where}: ${name} is yes or no.`);
  }
  const serial = text('serial');
  const place = text('place');
  const credentials = text('credentials');
  const codes = words(row.codes, where, 'codes');
  if (codes.length > 0 && protocol === 'dlms')
    throw new UsageError(`${where}: codes are for iec62056-21; with dlms say what to read with read.`);
  return {
    meter,
    device,
    protocol,
    zone,
    options,
    codes,
    read: parseRead(words(row.read, where, 'read'), where),
    write: parametersOf(row.write, where),
    ...(serial !== undefined && { serial }),
    ...(place !== undefined && { place }),
    ...(credentials !== undefined && { credentials }),
  };
}

function protocolOf(word: string | undefined, where: string): Planned['protocol'] {
  const plain = (word ?? 'dlms').toLowerCase();
  if (plain === 'dlms') return 'dlms';
  if (/^(iec)?[ -]?62056-21$|^optical$|^iec1107$/.test(plain)) return 'iec62056-21';
  throw new UsageError(`${where}: protocol ${word} is none of dlms, iec62056-21.`);
}

function words(value: unknown, where: string, name: string): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'string') throw new UsageError(`${where}: ${name} is a list of words.`);
  return value.split(/[\s,+]+/).filter(Boolean);
}

/** Nothing, or `all`, is everything. @throws UsageError */
export function parseRead(given: readonly string[], where: string): WantedGroup[] {
  if (given.length === 0) return GROUPS.map((group) => ({ group }));
  const found = new Map<Group, WantedGroup>();
  for (const word of given) {
    const [name = '', since] = word.toLowerCase().split(':');
    if (name === 'nothing') continue;
    const groups =
      name === 'all'
        ? GROUPS
        : name === 'history'
          ? (['billing'] as const)
          : name === 'survey'
            ? (['load'] as const)
            : [name];
    for (const group of groups) {
      if (!isGroup(group)) throw new UsageError(`${where}: ${word} is none of ${GROUPS.join(', ')}, all, nothing.`);
      found.set(group, { group, ...(since !== undefined && { since: sinceOf(since, where) }) });
    }
  }
  return GROUPS.flatMap((group) => found.get(group) ?? []);
}

function sinceOf(text: string, where: string): number | 'new' {
  if (text === 'new') return 'new';
  try {
    return parseSpan(text);
  } catch {
    throw new UsageError(`${where}: behind the colon of a group stands a span such as 7d or 12h, or new.`);
  }
}

/** CSV: `1-0:0.8.0=1800 | clock:time=now`; JSON: `[{"object": …, "value": …}]` as well. */
function parametersOf(value: unknown, where: string): Parameter[] {
  if (value === undefined || value === null || value === '') return [];
  const parts = Array.isArray(value) ? value : typeof value === 'string' ? value.split('|') : [value];
  return parts.map((part: unknown) => {
    if (typeof part === 'string') {
      const at = part.indexOf('=');
      if (at > 0) return { object: part.slice(0, at).trim(), value: part.slice(at + 1).trim() };
    } else if (typeof part === 'object' && part !== null) {
      const { object, value: wanted } = part as { object?: unknown; value?: unknown };
      if (typeof object === 'string' && wanted !== undefined)
        return { object, value: typeof wanted === 'object' ? JSON.stringify(wanted) : String(wanted) };
    }
    throw new UsageError(`${where}: write is a list of OBJECT=VALUE, with | between them.`);
  });
}
