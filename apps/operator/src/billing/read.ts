/** Files that people give to billing commands. */
import { readFile } from 'node:fs/promises';
import { UsageError } from '../action.ts';

/** @throws UsageError for what is no JSON object */
export async function objectOf(file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${(error as Error).message}`);
  }
  throw new UsageError(`${file}: an object is wanted; docs/tariffs.md has examples`);
}

const HOUR = 3_600_000;
/**
 * The local day that begins with a bound of a bill: these are midnights of the tariff's zone, which bills do not name in lists. Right from
 * UTC−10 to UTC+13, where all but some islands lie.
 */
export const dayOf = (time: string): string => new Date(Date.parse(time) + 13 * HOUR).toISOString().slice(0, 10);
/** Follows `next` of pages up to a number of rows. */
export const MOST_ROWS = 10_000;
