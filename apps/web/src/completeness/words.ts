/** A cell in words: for the line above the map, for screen readers, for the table. */
import type { Format } from '../format.ts';
import type { DeskTranslate } from '../i18n/desk.ts';
import type { Cell } from './api.ts';
import { percent } from './model.ts';

export function shareText(format: Format, cell: Cell): string {
  return `${format.number(percent(cell, 1), 1)} %`;
}

export function cellText(t: DeskTranslate, format: Format, cell: Cell | null): string {
  if (!cell) return t('cellUnknown');
  if (cell.expected === 0) return t('cellNone');
  const parts = [shareText(format, cell)];
  if (cell.present < cell.expected) parts.push(t('cellValues', { present: cell.present, expected: cell.expected }));
  if (cell.meters > 1 && cell.complete < cell.meters)
    parts.push(t('cellMeters', { n: cell.meters - cell.complete, all: cell.meters }));
  if (cell.estimated > 0) parts.push(t('cellEstimated', { n: cell.estimated }));
  if (cell.givenUp > 0) parts.push(t('cellGivenUp', { n: cell.givenUp }));
  return parts.join(', ');
}
