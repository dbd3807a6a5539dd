/**
 * Which meters of an M-Bus are read, as people write them: `5` (primary address), `12345678` or `12345678-KAM-1-7` (secondary: number, maker,
 * version, medium; `F` for any digit), `primary` and `secondary` for a search of the whole bus.
 */
import type { SecondaryAddress, SlaveAddress } from '@amiable/mbus';

export interface BusMeters {
  /** To be read whatever a search finds. */
  readonly named: readonly SlaveAddress[];
  /** Search addresses 0 to 250. */
  readonly primary: boolean;
  /** Search by number. */
  readonly secondary: boolean;
}

const SECONDARY = /^([0-9A-F]{8})(?:[-.:]([A-Z@]{3}|\*)(?:[-.:](\d{1,3}|\*)(?:[-.:](\d{1,3}|\*))?)?)?$/;
/** The one slave that there is, whatever its address: 254. */
const ONLY = 254;
const LAST = 250;

/** One address; undefined when it is none. */
export function slaveAddressOf(text: string): SlaveAddress | undefined {
  if (/^\d{1,3}$/.test(text)) {
    const primary = Number(text);
    return primary <= LAST || primary === ONLY ? primary : undefined;
  }
  const [, identification, maker, version, medium] = SECONDARY.exec(text.toUpperCase()) ?? [];
  if (identification === undefined || /[A-E]/.test(identification.replace(/F/g, ''))) return undefined;
  const part = (value: string | undefined) => (value === undefined || value === '*' ? undefined : Number(value));
  const address = {
    identification,
    ...(maker !== undefined && maker !== '*' && { manufacturer: maker }),
    version: part(version),
    medium: part(medium),
  };
  return (address.version ?? 0) > 255 || (address.medium ?? 0) > 255 ? undefined : address;
}

/** The canonical form: `slaveAddressOf` reads it back. */
export function slaveAddressText(address: SlaveAddress): string {
  if (typeof address === 'number') return String(address);
  const { identification, manufacturer, version, medium }: SecondaryAddress = address;
  const parts = [identification, manufacturer ?? '*', version ?? '*', medium ?? '*'];
  while (parts.at(-1) === '*') parts.pop();
  return parts.join('-');
}

const isSearch = (word: string): boolean => word === 'primary' || word === 'secondary';

/** Words with blanks, commas or semicolons between them, in canonical form; undefined at the first that is none. */
export function meterWords(text: string): string[] | undefined {
  const words: string[] = [];
  for (const part of text.split(/[\s,;]+/)) {
    if (part === '') continue;
    const address = slaveAddressOf(part);
    if (address === undefined && !isSearch(part.toLowerCase())) return undefined;
    const word = address === undefined ? part.toLowerCase() : slaveAddressText(address);
    if (!words.includes(word)) words.push(word);
  }
  return words;
}

/** `words` as `meterWords` gives them; none: the primary addresses are searched. */
export function busMeters(words: readonly string[]): BusMeters {
  const named = words.map(slaveAddressOf).filter((address) => address !== undefined);
  return { named, primary: words.length === 0 || words.includes('primary'), secondary: words.includes('secondary') };
}
