/** The keys that opening ciphered APDUs takes, as they are typed. */
import { fromHex } from '@amiable/bytes';
import type { ExplainKeys } from '@amiable/meter';

export const KEY_FIELDS = [
  'unicast',
  'authentication',
  'dedicated',
  'master',
  'clientSystemTitle',
  'serverSystemTitle',
] as const;
export type KeyField = (typeof KEY_FIELDS)[number];
export type KeyTexts = Readonly<Partial<Record<KeyField, string>>>;

/** Hex digits of keys of 128 and 256 bits, and of system titles. */
const DIGITS: Record<'key' | 'title', readonly number[]> = { key: [32, 64], title: [16] };

export function digitsOf(field: KeyField): readonly number[] {
  return DIGITS[field.endsWith('Title') ? 'title' : 'key'];
}

export type KeyFault = { readonly kind: 'digits' } | { readonly kind: 'length'; readonly n: number };

const bare = (text: string): string => text.replace(/0x|[\s:,-]/gi, '');

/** @returns undefined when it is right, or empty */
export function faultOf(field: KeyField, text: string): KeyFault | undefined {
  const digits = bare(text);
  if (digits === '') return undefined;
  if (!/^[0-9a-f]*$/i.test(digits)) return { kind: 'digits' };
  return digitsOf(field).includes(digits.length) ? undefined : { kind: 'length', n: digits.length };
}

/** What is right among them; undefined without an encryption key, for the others open nothing alone. */
export function keysOf(texts: KeyTexts): ExplainKeys | undefined {
  const found: Partial<Record<KeyField, Uint8Array>> = {};
  for (const field of KEY_FIELDS) {
    const text = texts[field] ?? '';
    if (bare(text) !== '' && faultOf(field, text) === undefined) found[field] = fromHex(bare(text));
  }
  const { unicast, ...others } = found;
  return unicast && { unicast, ...others };
}
