/** Small things that all of this area use. */
import type { Scope } from '@amiable/model';

export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | undefined | null): string | null =>
  ms === undefined || ms === null ? null : iso(ms);
export const segmentsOf = (scope: Scope): readonly number[] | null => (scope === 'all' ? null : scope);
/** What is no number cannot be one that is there. */
export const isNumber = (text: string): boolean => /^\d{1,18}$/.test(text);

/** Columns as the statements name them to the properties of the types. */
export function renamed<T>(row: Record<string, unknown>): T {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row))
    out[name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase())] = value;
  return out as T;
}
