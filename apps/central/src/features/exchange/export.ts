/**
 * The registry written out: the same files that an import reads, in pages of the database and pieces of text, so that a million
 * meters need no more memory than a thousand. Order is stable: by kind, then by the order in which objects came to be.
 */
import { type Caller, isoTime, may, type Privilege } from '@amiable/model';
import type { AttributeDefinition, ExportPart, ExportRow, Store } from '@amiable/store';
import { HttpError } from '../../http/error.ts';
import { COLUMNS, type Column, type FileKind, hasAttributes, isNodeFileKind } from './columns.ts';
import { ROOT, USER } from './read/xml.ts';
import type { Format } from './read-file.ts';
import { defused } from './values.ts';

const PAGE = 1000;

export interface ExportOptions {
  readonly format: Format;
  /** One for CSV; any number for XML. */
  readonly kinds: readonly FileKind[];
  readonly caller: Caller;
  /** Meters in pages; left out: all in the caller's segments. Parts about meters are of these. */
  readonly meters?: () => AsyncIterable<readonly string[]>;
}

const PARTS: Readonly<Partial<Record<FileKind, ExportPart>>> = {
  'meter-type': { of: 'type' },
  stay: { of: 'stay' },
  ratio: { of: 'ratio' },
  meter: { of: 'meter' },
  installation: { of: 'installed' },
  slave: { of: 'behind' },
  serving: { of: 'served' },
  connection: { of: 'connection' },
};

/** Columns as the statements call them, where that differs. */
const FROM_ROW: Readonly<Partial<Record<FileKind, Readonly<Record<string, string>>>>> = {
  ratio: { 'metering-point': 'code', primary: 'primary_value', secondary: 'secondary_value' },
  installation: { meter: 'serial', 'metering-point': 'parent' },
  slave: { meter: 'serial', master: 'parent' },
  serving: { meter: 'serial', concentrator: 'parent' },
  connection: { meter: 'serial' },
};
/** What a meter stands at is told by kinds of its own, with its history. */
const LEFT_OUT: ReadonlySet<string> = new Set(['meter.metering-point', 'meter.concentrator', 'meter.from']);

/** A file shows nothing that its reader may not look at otherwise. Premises without their personal data are codes alone. */
const VIEW: Readonly<Record<FileKind, Privilege | undefined>> = {
  'meter-type': 'meter-type:view',
  region: 'network:view',
  substation: 'network:view',
  transformer: 'network:view',
  feeder: 'network:view',
  premises: undefined,
  'metering-point': 'metering-point:view',
  concentrator: 'network:view',
  stay: 'network:view',
  ratio: 'metering-point:view',
  meter: 'meter:view',
  installation: 'meter:view',
  slave: 'meter:view',
  serving: 'meter:view',
  connection: 'connection:view',
};

/** What of the kinds goes into a caller's file. @throws HttpError 403 where nothing of it does */
export function exportedTo(caller: Caller, kinds: readonly FileKind[]): readonly FileKind[] {
  const lacking = (kind: FileKind): Privilege | undefined => {
    const needed = VIEW[kind];
    return needed === undefined || may(caller, needed) ? undefined : needed;
  };
  const shown = kinds.filter((kind) => !lacking(kind));
  const [first] = kinds;
  if (first !== undefined && shown.length === 0)
    throw new HttpError(403, `a file of kind ${first} needs ${lacking(first)}, which ${caller.name} does not have`);
  return shown;
}

/** Pieces of the file, UTF-8. */
export async function* exportRegistry(store: Store, options: ExportOptions): AsyncGenerator<Buffer> {
  const { caller, format } = options;
  const definitions = await store.exchange.attributes();
  const segments = new Map([...(await store.exchange.segments())].map(([name, id]) => [id, name]));
  const personal = may(caller, 'premises:view');
  if (format === 'xml') yield Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<${ROOT} version="1">\n`);
  for (const kind of options.kinds) {
    const columns = COLUMNS[kind].filter((c) => (!c.personal || personal) && !LEFT_OUT.has(`${kind}.${c.name}`));
    const users = hasAttributes(kind) ? definitions.filter((d) => d.object === kind) : [];
    if (format === 'csv')
      yield Buffer.from(
        `${[...columns.map((c) => c.name), ...users.map((d) => csvCell(USER + d.name))].join(',')}\r\n`,
      );
    const part = PARTS[kind] ?? { of: 'node' as const, kind };
    for await (const rows of store.exchange.pages(part, caller.scope, PAGE, options.meters?.())) {
      let text = '';
      for (const row of rows) {
        const value = (column: Column): string | undefined => cellOf(row, kind, column, segments);
        text += format === 'csv' ? csvRow(row, columns, users, value) : xmlRow(row, kind, columns, users, value);
      }
      if (text !== '') yield Buffer.from(text);
    }
  }
  if (format === 'xml') yield Buffer.from(`</${ROOT}>\n`);
}

/** @returns undefined where there is nothing, which a parent and its companions must not be given as */
function cellOf(
  row: ExportRow,
  kind: FileKind,
  column: Column,
  segments: ReadonlyMap<number, string>,
): string | undefined {
  const name =
    FROM_ROW[kind]?.[column.name] ??
    (column.name === 'from' || column.name === 'to' ? `${column.name}_time` : column.name.replaceAll('-', '_'));
  if (isNodeFileKind(kind) && column.name === 'from' && row.parent === null) return undefined;
  const value = row[name];
  if (value === null || value === undefined) return undefined;
  if (column.type.of === 'segment') return segments.get(value as number);
  if (value instanceof Date) return isoTime(value.getTime());
  return String(value);
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
function csvCell(text: string): string {
  const safe = defused(text);
  return /[",\r\n]/.test(safe) || safe.trim() !== safe ? quoted(safe) : safe;
}

function csvRow(
  row: ExportRow,
  columns: readonly Column[],
  users: readonly AttributeDefinition[],
  value: (column: Column) => string | undefined,
): string {
  let line = '';
  for (const column of columns) {
    const text = value(column) ?? '';
    line += `${line === '' ? '' : ','}${column.type.of === 'text' || column.type.of === 'segment' ? csvCell(text) : text}`;
  }
  for (const { name } of users) {
    const own = (row.attributes as Readonly<Record<string, unknown>>)[name];
    line += `,${own === undefined ? '' : typeof own === 'string' ? csvCell(own) : String(own)}`;
  }
  return `${line}\r\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};
const xmlText = (text: string): string => text.replace(/[&<>"\t\n\r]/g, (c) => ENTITIES[c] as string);

function xmlRow(
  row: ExportRow,
  kind: FileKind,
  columns: readonly Column[],
  users: readonly AttributeDefinition[],
  value: (column: Column) => string | undefined,
): string {
  let tag = `  <${kind}`;
  for (const column of columns) {
    const text = value(column);
    if (text !== undefined) tag += ` ${column.name}="${xmlText(column.type.of === 'text' ? defused(text) : text)}"`;
  }
  let inside = '';
  for (const { name } of users) {
    const own = (row.attributes as Readonly<Record<string, unknown>>)[name];
    if (own !== undefined) inside += `<attribute name="${xmlText(name)}">${xmlText(defused(String(own)))}</attribute>`;
  }
  return inside === '' ? `${tag}/>\n` : `${tag}>${inside}</${kind}>\n`;
}
