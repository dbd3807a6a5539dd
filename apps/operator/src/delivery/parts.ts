/** Small things that the commands of exchange with other systems share. */
import { readFileSync } from 'node:fs';
import { harmless } from '@amiable/io/terminal';
import { UsageError } from '../action.ts';

export const encoded = (word: string | undefined): string => encodeURIComponent(word ?? '');

export function jsonFile(file: string | undefined): Record<string, unknown> {
  if (file === undefined) throw new UsageError('which file? give a JSON file');
  try {
    const value: unknown = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('an object is wanted');
    return value as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly field?: string;
  readonly message: string;
}

export function tellFaults(
  terminal: { err(text: string): void; readonly columns?: number | undefined },
  file: string,
  faults: readonly Fault[],
): void {
  for (const { line, column, field, message } of terminal.columns === undefined ? faults : faults.slice(0, 20))
    terminal.err(`${harmless(`${file}:${line}:${column}: ${field === undefined ? '' : `${field}: `}${message}`)}\n`);
}
