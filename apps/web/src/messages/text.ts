/** Words for what messages carry: quantities, flags, reasons. */
import type { StoredMessage } from '@amiable/model';
import type { Format } from '../format.ts';
import { en } from '../i18n/en.ts';
import type { Key, Translate } from '../i18n/index.tsx';
import { shortObis } from '../power.ts';

export type Reading = StoredMessage['readings'][number];

/** `activePowerImport` -> `Active power import` */
export function plainName(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/g, (_all, a: string, b: string) => `${a} ${b.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Words that the page has for what is no quantity. */
const WORDS: Readonly<Record<string, Key>> = {
  list: 'listName',
  listVersion: 'listName',
  meterId: 'serial',
  meterType: 'meterType',
  clock: 'q_1_0_0',
};

/** The name in the reader's language where there is one, else the canonical name in plain words. */
export function readingName(t: Translate, reading: Reading): string {
  const key = reading.obis ? `q_${shortObis(reading.obis).replaceAll('.', '_')}` : '';
  const word = WORDS[reading.name];
  const name = key in en ? t(key as Key) : word ? t(word) : plainName(reading.name);
  return reading.between ? `${name} (${reading.between})` : name;
}

export function readingValue(format: Format, reading: Reading): string {
  if (typeof reading.value === 'string') return reading.value;
  return format.number(reading.value, 6);
}

export function flagText(t: Translate, flag: string): string {
  const key = `flag${flag.charAt(0).toUpperCase()}${flag.slice(1)}`;
  return key in en ? t(key as Key) : flag;
}

/** Flags that tell how a list is made rather than that something is wrong. */
export function isUsual(flag: string): boolean {
  return flag === 'meterIdInherited' || flag === 'crcMissing';
}

export function errorText(t: Translate, error: NonNullable<StoredMessage['error']>): string {
  if (error.reason === 'noKey') return t('reasonNoKey');
  if (error.reason === 'wrongKey') return t('reasonWrongKey');
  return t('reasonOther', { reason: error.reason });
}

/** The power that a message tells, import minus export. */
export function powerOf(message: StoredMessage): number | undefined {
  let power: number | undefined;
  for (const reading of message.readings) {
    if (typeof reading.value !== 'number' || !reading.obis) continue;
    const code = shortObis(reading.obis);
    if (code === '1.7.0') power = (power ?? 0) + reading.value;
    else if (code === '2.7.0') power = (power ?? 0) - reading.value;
  }
  return power;
}
