/**
 * What a value may be: each kind turns the text of a setting into its value or says in words what is wanted. Nothing here
 * looks at other settings or opens anything.
 */
import { isIP } from 'node:net';
import { isValidZone } from '@amiable/calendar';
import { isMulticast, parseHostPort } from '@amiable/io';
import { meterWords } from '../polled/addresses.ts';
import { SettingError } from './faults.ts';

export type Kind =
  | { readonly is: 'text'; readonly most: number; readonly refused?: RegExp }
  | { readonly is: 'name' }
  | { readonly is: 'topic' }
  | { readonly is: 'number'; readonly least: number; readonly most: number }
  | { readonly is: 'choice'; readonly values: readonly string[] }
  | { readonly is: 'yesNo' }
  /** ms; `live` is 0 where `live` is allowed. */
  | { readonly is: 'span'; readonly least: number; readonly most: number; readonly live?: boolean }
  | { readonly is: 'size'; readonly least: number; readonly most: number }
  | { readonly is: 'host' }
  | { readonly is: 'hosts' }
  | { readonly is: 'address' }
  | { readonly is: 'group' }
  | { readonly is: 'url' }
  | { readonly is: 'zone' }
  | { readonly is: 'device' }
  | { readonly is: 'folder' }
  | { readonly is: 'keys' }
  /** Addresses on an M-Bus. */
  | { readonly is: 'meters' }
  | { readonly is: 'pem' }
  | { readonly is: 'header' }
  | { readonly is: 'password'; readonly least: number };

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZES: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** The largest unit that gives a whole number: `90s`, `5m`, `1h`. */
export function spanText(ms: number): string {
  if (ms === 0) return 'live';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = UNITS[unit] as number;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** ms of `90s`, `1.5h` or `23h30m`, the largest unit first and each once; NaN where it is none. A bare number means seconds, as options of the command line do. */
function spanOf(text: string): number {
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
  let ms = 0;
  let last = Number.POSITIVE_INFINITY;
  let rest = text.slice(0, 100);
  while (rest !== '') {
    const [all, digits, unit] = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|min|m|h|d)\s*/i.exec(rest) ?? [''];
    const size = UNITS[unit?.toLowerCase() ?? ''] ?? Number.NaN;
    if (!(size < last)) return Number.NaN;
    ms += Number(digits) * size;
    last = size;
    rest = rest.slice(all.length);
  }
  return last === Number.POSITIVE_INFINITY ? Number.NaN : Math.round(ms);
}

export function sizeText(bytes: number): string {
  for (const unit of ['TB', 'GB', 'MB', 'KB'] as const) {
    const size = SIZES[unit] as number;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

function number(text: string, least: number, most: number): number {
  const value = /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new SettingError('notNumber', { least, most });
  if (!Number.isInteger(value)) throw new SettingError('notWhole', { least, most });
  if (value < least || value > most) throw new SettingError('notNumber', { least, most });
  return value;
}

export function yesNo(text: string): boolean {
  if (/^(yes|on|true|1|ja)$/i.test(text)) return true;
  if (/^(no|off|false|0|nei|nein|nee)$/i.test(text)) return false;
  throw new SettingError('notYesNo');
}

const isHost = (text: string): boolean =>
  isIP(text.replace(/^\[|\]$/g, '')) !== 0 ||
  (/^(?=.{1,253}$)[\p{L}\p{N}_]([\p{L}\p{N}_-]{0,62})(\.[\p{L}\p{N}_]([\p{L}\p{N}_-]{0,62}))*\.?$/u.test(text) &&
    !/^[\d.]+$/.test(text));

export interface GivenKey {
  readonly id?: string;
  /** 32 hex digits, capitals. */
  readonly key: string;
}

/** `[METER=]HEX`, several with blanks, commas or semicolons between them. */
function keys(text: string): GivenKey[] {
  return text
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const cut = part.lastIndexOf('=');
      const key = part.slice(cut + 1).toUpperCase();
      if (!/^[0-9A-F]{32}$/.test(key) || cut === 0) throw new SettingError('notKey');
      return cut < 0 ? { key } : { id: part.slice(0, cut), key };
    });
}

function url(text: string): string {
  let found: URL | undefined;
  try {
    found = new URL(text);
  } catch {
    // Told below, without what may be a secret in it.
  }
  if (!found || !['http:', 'https:'].includes(found.protocol) || !found.hostname)
    throw new SettingError('notUrl', { example: 'https://central.example/api/v1/messages' });
  if (found.username || found.password) throw new SettingError('urlSecret');
  return found.href;
}

/** @throws SettingError */
export function parseValue(kind: Kind, text: string): unknown {
  switch (kind.is) {
    case 'text':
    case 'folder': {
      const most = kind.is === 'text' ? kind.most : 4000;
      if (text.length > most) throw new SettingError('tooLong', { most });
      if (/\p{Cc}/u.test(text)) throw new SettingError('controlCharacter');
      const refused = kind.is === 'text' ? kind.refused?.exec(text)?.[0] : undefined;
      if (refused !== undefined) throw new SettingError('refusedLetters', { refused });
      return text;
    }
    case 'name':
      return parseValue({ is: 'text', most: 100, refused: /[+#/\\]/ }, text);
    case 'topic':
      if (text === '' || /[+#\p{Cc}]/u.test(text) || Buffer.byteLength(text) > 1000) throw new SettingError('notTopic');
      return text;
    case 'number':
      return number(text, kind.least, kind.most);
    case 'choice': {
      const found = kind.values.find((value) => value.toLowerCase() === text.toLowerCase());
      if (found === undefined) throw new SettingError('notChoice', { values: kind.values.join(', ') });
      return found;
    }
    case 'yesNo':
      return yesNo(text);
    case 'span': {
      if (kind.live && /^(live|0)$/i.test(text)) return 0;
      const ms = spanOf(text);
      if (!(ms >= kind.least && ms <= kind.most))
        throw new SettingError('notSpan', {
          least: kind.live ? 'live' : spanText(kind.least),
          most: spanText(kind.most),
        });
      return ms;
    }
    case 'size': {
      const match = /^(\d{1,15}(?:\.\d{1,3})?)\s*([KMGT]?B)?$/i.exec(text);
      const bytes = match
        ? Math.round(Number(match[1]) * (SIZES[(match[2] ?? 'B').toUpperCase()] as number))
        : Number.NaN;
      if (!(bytes >= kind.least && bytes <= kind.most))
        throw new SettingError('notSize', { least: sizeText(kind.least), most: sizeText(kind.most) });
      return bytes;
    }
    case 'host':
      if (!isHost(text)) throw new SettingError('notHost');
      return text.replace(/^\[|\]$/g, '');
    case 'hosts': {
      const hosts = text.split(/[\s,;]+/).filter((part) => part !== '');
      if (!hosts.every(isHost)) throw new SettingError('notHost');
      return hosts.map((host) => host.toLowerCase());
    }
    case 'address': {
      const bare = text.replace(/^\[|\]$/g, '');
      if (bare.toLowerCase() === 'localhost') return '127.0.0.1';
      if (isIP(bare) === 0) throw new SettingError('notAddress');
      return bare;
    }
    case 'group': {
      const at = parseHostPort(text);
      if (!at || !isMulticast(at.host)) throw new SettingError('notGroup');
      return at;
    }
    case 'url':
      return url(text);
    case 'zone':
      if (!isValidZone(text)) throw new SettingError('notZone');
      return text;
    case 'device':
      if (/\p{Cc}/u.test(text) || text.length > 1000) throw new SettingError('notDevice');
      if (parseHostPort(text) === undefined && (/^[\w.-]*:\d*$|^tcp:/.test(text) || text === ''))
        throw new SettingError('notDevice');
      return text;
    case 'keys':
      return keys(text);
    case 'meters': {
      const words = meterWords(text);
      if (words === undefined) throw new SettingError('notMeters', { example: '1 5 12345678' });
      return words;
    }
    case 'pem':
      if (!/-----BEGIN [^-]+-----/.test(text) || text.length > 100_000) throw new SettingError('notPem');
      return text.endsWith('\n') ? text : `${text}\n`;
    case 'header':
      if (!/^[\x21-\x7e]{1,4000}$/.test(text)) throw new SettingError('notHeader');
      return text;
    case 'password':
      if (text.length < kind.least) throw new SettingError('passwordShort', { least: kind.least });
      if (text.length > 1000) throw new SettingError('tooLong', { most: 1000 });
      return text;
  }
}
