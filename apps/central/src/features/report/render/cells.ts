/** How cells look to people, whatever the form: numbers with a point and thin groups, local times, shares in percent. */
import { toLocal } from '@amiable/calendar';
import type { CellType, ReportCell, ReportColumn, ReportTable } from '../table.ts';

const NUMBERS: ReadonlySet<CellType> = new Set(['integer', 'number', 'percent', 'money', 'minutes']);
export const isNumeric = (column: ReportColumn): boolean => NUMBERS.has(column.type);

export const heading = (column: ReportColumn): string =>
  column.unit === undefined ? column.label : `${column.label} (${column.unit})`;

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');

/** 2026-11-20 22:41, in the zone. */
export const localTime = (at: number, zone: string): string =>
  new Date(toLocal(zone, at)).toISOString().slice(0, 16).replace('T', ' ');

/** For reading: HTML and text. */
export function shown(cell: ReportCell, column: ReportColumn, zone: string): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  switch (column.type) {
    case 'percent':
      return `${(cell * 100).toFixed(column.decimals ?? 1)} %`;
    case 'integer':
      return grouped(String(Math.round(cell)));
    case 'number':
    case 'money':
    case 'minutes': {
      const [whole = '', part] = cell.toFixed(column.decimals ?? 1).split('.');
      return part === undefined ? grouped(whole) : `${grouped(whole)}.${part}`;
    }
    case 'time':
      return localTime(cell, zone);
    default:
      return String(cell);
  }
}

/** For programs: plain numbers, ISO times. */
export function plain(cell: ReportCell, column: ReportColumn): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return cell;
  if (column.type === 'time') return new Date(cell).toISOString();
  return String(cell);
}

/** What stands above the table of every form. */
export const headLines = (table: ReportTable): readonly (readonly [string, string])[] => [
  ...table.asked,
  ['Made', `${localTime(table.made, table.timeZone)} (${table.timeZone})`],
];
