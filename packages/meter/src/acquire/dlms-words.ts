/**
 * What a reading over DLMS says of itself: results of items, who answered, single values as plain ones, fingerprints.
 *
 * Decides: what is worth asking again (not what the meter has not, or refuses); a meter that does not say who it is is a stranger.
 */
import { DecodeError, LinkError, toHex } from '@amiable/bytes';
import { plainValue } from '@amiable/cosem';
import { type DataResult, DlmsPeerError } from '@amiable/dlms';
import type { Fetched } from './dlms-profile.ts';
import { isNotThere } from './dlms-shape.ts';
import type { AcquireResult, ItemResult, ReadItem } from './types.ts';

const WORDS = 400;

export function words(error: Error): string {
  return error.message.length > WORDS ? `${error.message.slice(0, WORDS)}…` : error.message;
}

/** Errors that no meter and no line can cause. */
export function isOurs(error: unknown): boolean {
  if (error instanceof LinkError || error instanceof DecodeError) return false;
  return !(error instanceof Error) || error.name !== 'PeerError';
}

const codeOf = (error: Error): number | undefined =>
  error instanceof DlmsPeerError && error.kind === 'data-access' ? error.code : undefined;

/** What need not be there is not; undefined where it is a failure. */
export function absence(item: ReadItem, error: Error): ItemResult | undefined {
  if (item.kind !== 'profile' || item.optional !== true || !isNotThere(codeOf(error))) return undefined;
  return { id: item.id, state: 'none', count: 0, again: false, absent: true };
}

export function failure(id: string, error: Error): ItemResult {
  const code = codeOf(error);
  // 3 is read-write-denied: nothing of the line.
  const again = !(isNotThere(code) || code === 3);
  return { id, state: 'failed', count: 0, reason: words(error), again };
}

export function rowsResult(id: string, fetched: Fetched, count: number, undated: number): ItemResult {
  const lost = undated > 0 ? `${undated} rows have no time and were left out` : '';
  if (fetched.complete) {
    if (lost !== '') return { id, state: count > 0 ? 'partial' : 'failed', count, reason: lost, again: false };
    return { id, state: count > 0 ? 'done' : 'none', count, again: false };
  }
  const reason = [fetched.error ? words(fetched.error) : 'it broke off', lost].filter(Boolean).join('; ');
  return { id, state: count > 0 ? 'partial' : 'failed', count, reason, again: !fetched.misfit };
}

export function outcomeOf(items: readonly ItemResult[]): AcquireResult['outcome'] {
  const good = items.filter(({ state }) => state === 'done' || state === 'none').length;
  if (good === items.length) return 'done';
  return good > 0 || items.some(({ state }) => state === 'partial') ? 'partial' : 'failed';
}

/** Says who answered instead; undefined when it is the right one. */
export function strangerOf(
  expected: readonly string[],
  from: readonly string[],
  said: Readonly<Record<string, string>>,
): string | undefined {
  if (expected.length === 0) return undefined;
  const wanted = new Set(expected.map((text) => text.trim().toLowerCase()));
  const answers = from.map((obis) => said[obis]).filter((text) => text !== undefined);
  if (answers.some((text) => wanted.has(text.toLowerCase()))) return undefined;
  if (answers.length === 0) return `the meter does not say who it is (${from.join(', ')}); ${expected[0]} was expected`;
  return `another meter answers: ${answers.join(' / ')} instead of ${expected[0]}`;
}

/** Text, octets that are text, or a number, without blanks around it. */
export function textOf(result: DataResult | undefined): string | undefined {
  if (!result || !('data' in result)) return undefined;
  const value = scalarOf(result);
  return value === undefined ? undefined : String(value).trim();
}

/** A number or text; octets that are no text as hex. */
export function scalarOf(result: DataResult | undefined): number | bigint | string | undefined {
  if (!result || !('data' in result)) return undefined;
  const { data } = result;
  if ((data[0] === 0x09 || data[0] === 0x0a || data[0] === 0x0c) && data.length === 2 + (data[1] as number)) {
    const octets = data.subarray(2);
    let text = '';
    for (const octet of octets) {
      if (octet < 0x20 || octet > 0x7e) return toHex(octets);
      text += String.fromCharCode(octet);
    }
    return text;
  }
  const value = plainValue(data);
  if (typeof value === 'number' && !Number.isInteger(value)) return String(value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string') return value;
  return typeof value === 'boolean' ? Number(value) : undefined;
}

// ---------------------------------------------------------------- fingerprints: configuration|profile=hash,…

export function verifiedOf(known: string | undefined, configuration: string): Map<string, string> {
  const bar = known?.lastIndexOf('|') ?? -1;
  if (known === undefined || bar < 0 || known.slice(0, bar) !== configuration) return new Map();
  const pairs = known
    .slice(bar + 1)
    .split(',')
    .filter(Boolean);
  return new Map(pairs.map((pair) => pair.split('=') as [string, string]));
}

export const fingerprintOf = (configuration: string, verified: ReadonlyMap<string, string>): string =>
  `${configuration}|${[...verified].map(([obis, hash]) => `${obis}=${hash}`).join(',')}`;
