/** What would help, in the reader's language where the hint is a known one; the others stay as the decoders say them. */
import type { Key, Translate } from '../i18n/index.tsx';

const HINTS: readonly (readonly [beginning: string, key: Key, keysHelp: boolean])[] = [
  ['Ciphered. Give', 'hintNoKey', true],
  ['Ciphered without naming', 'hintNoTitle', true],
  ['Authenticated only', 'hintTagOnly', true],
  ['Deciphered without', 'hintUnchecked', true],
  ['Not opened with this key', 'hintWrongKey', true],
  // Its reason is a sentence of its own, in the standard's words.
  ['Not opened:', 'hintNotOpened', true],
];

export interface Hint {
  readonly text: string;
  /** Undefined when it is in the reader's language. */
  readonly language: 'en' | undefined;
  readonly keysHelp: boolean;
}

export function hintOf(t: Translate, hint: string): Hint {
  const known = HINTS.find(([beginning]) => hint.startsWith(beginning));
  if (!known) return { text: hint, language: 'en', keysHelp: false };
  const [beginning, key, keysHelp] = known;
  const reason = key === 'hintNotOpened' ? hint.slice(beginning.length).trim() : '';
  return { text: t(key, { reason }), language: undefined, keysHelp };
}
