/**
 * Data sets as canonical readings: one reading for each value.
 *
 * Decides: what is a number, a text, a moment; a moment in brackets beside a value is that reading's time; values in parts
 * (`088*C&082*C`) are readings each; whose message it is and what its clock said. A number without unit stays without: what
 * `(013925.5*)` is measured in nobody has said.
 */

import { toHex } from '@amiable/bytes';
import { localToUtc } from '@amiable/calendar';
import type { Item, Unit, Value } from '@amiable/model';
import { bytesOf } from './characters.ts';
import type { BracketValue, DataSet } from './data-set.ts';
import type { Identification } from './identification.ts';
import { countsWithoutUnit, isHeatCode, itemOf } from './items.ts';
import { makerName } from './makers.ts';
import { type LoadProfile, loadProfiles } from './profile.ts';
import { unitOfText } from './units.ts';
import { type Moment, parseDate, parseMoment, parseNumber, parseTime } from './values.ts';

/** The columns of a message, and what the data sets say of the meter. */
export interface Readings {
  readonly items: readonly Item[];
  readonly values: readonly Value[];
  readonly times?: readonly (number | undefined)[];
  readonly raws?: readonly (string | undefined)[];
  readonly meterId?: string;
  /** Local ISO 8601 as the meter's clock showed it. */
  readonly meterTime?: string;
  /** UTC, epoch ms. */
  readonly time?: number;
  /** Readings beyond what one message takes were left out; they are in its raw bytes. */
  readonly cut?: true;
}

/** Codes that name the meter, the best first: fabrication number, then what utilities gave. */
const IDS = [
  /^0-0:96\.1\.(0|255)$/,
  /^1-\d+:96\.1\.(0|255)$/,
  /^1-\d+:0\.0\.0$/,
  /^0-0:(96\.1\.1|42\.0\.0)$/,
  /^1-\d+:(96\.1\.1|0\.0\.[1-9]|96\.1\.9)$/,
] as const;

function rankOf(item: Item, heat: boolean): number {
  if (heat)
    return item.name === 'meterId' ? 0 : item.name === 'customerId' ? 1 : item.name === 'deviceAddress' ? 2 : -1;
  return item.obis === undefined ? -1 : IDS.findIndex((form) => form.test(item.obis as string));
}

const isoWall = (wall: number): string => new Date(wall).toISOString().slice(0, 19);

/** UTC of a moment, by its own mark or in `zone`; undefined when neither tells. */
export function utcOf(moment: Moment, zone: string | undefined): number | undefined {
  if (moment.utc) return moment.wall;
  if (zone === undefined) return undefined;
  return localToUtc(zone, moment.wall, moment.dst === undefined ? {} : { dst: moment.dst });
}

/** What a canonical message takes: readings, letters of a text, letters of a name. */
const MAX_READINGS = 2000;
const MAX_TEXT = 4096;
const MAX_NAME = 64;

class Columns {
  readonly items: Item[] = [];
  readonly values: Value[] = [];
  readonly times: (number | undefined)[] = [];
  readonly raws: (string | undefined)[] = [];
  timed = false;
  odd = false;

  /** There were more than a message takes. */
  cut = false;

  add(item: Item, value: Value, time?: number, raw?: string): void {
    if (this.items.length >= MAX_READINGS) {
      this.cut = true;
      return;
    }
    this.items.push(item);
    this.values.push(typeof value === 'string' ? value.slice(0, MAX_TEXT) : value);
    this.times.push(time);
    this.raws.push(raw);
    if (time !== undefined) this.timed = true;
    if (raw !== undefined) this.odd = true;
  }
}

/** Whether text in brackets is a quantity under this address: it has a unit, or the code says so. */
function isQuantity(address: string, value: BracketValue, heat: boolean): boolean {
  if (value.unit !== undefined) return parseNumber(value.value) !== undefined;
  return countsWithoutUnit(address, heat) && parseNumber(value.value) !== undefined;
}

function addNumber(
  columns: Columns,
  address: string,
  text: string,
  unitText: string | undefined,
  heat: boolean,
  part: number,
  time?: number,
): void {
  const number = parseNumber(text);
  if (!number) {
    columns.add(
      itemOf(address, undefined, 0, heat, part, ''),
      unitText === undefined ? text : `${text}*${unitText}`,
      time,
    );
    return;
  }
  const meant = unitText === undefined || unitText.trim() === '' ? undefined : unitOfText(unitText);
  const strange = !meant && unitText !== undefined && unitText.trim() !== '';
  let { mantissa } = number;
  let scaler = number.scaler + (meant?.power ?? 0);
  // JSON prints the scaler as decimals: above zero there are none to print.
  if (scaler > 0) {
    mantissa = scaled(mantissa, scaler);
    scaler = 0;
  }
  const unit: Unit | undefined = meant?.unit;
  // A unit that nobody knows is not lost: the bytes say it.
  const raw = strange ? toHex(bytesOf(`${text}*${unitText}`)) : undefined;
  columns.add(itemOf(address, unit, scaler, heat, part, ''), mantissa, time, raw);
}

function scaled(mantissa: number | bigint, power: number): number | bigint {
  const big = BigInt(mantissa) * 10n ** BigInt(power);
  const small = Number(big);
  return Number.isSafeInteger(small) ? small : big;
}

/** `088*C&082*C`: parts with a unit each. */
function partsOf({ value, unit }: BracketValue): { value: string; unit: string }[] | undefined {
  if (unit === undefined || !value.includes('&')) return undefined;
  const parts: { value: string; unit: string }[] = [];
  for (const text of `${value}*${unit}`.split('&')) {
    const star = text.indexOf('*');
    if (star < 0 || parseNumber(text.slice(0, star)) === undefined) return undefined;
    parts.push({ value: text.slice(0, star), unit: text.slice(star + 1) });
  }
  return parts;
}

function addSet(columns: Columns, set: DataSet, heat: boolean, zone: string | undefined): void {
  const { address, values } = set;
  // A moment before the value, or behind it: `(1502041015)(00.123*kW)` and `(18014*kW)(10-02-01 00:15)`.
  const moments = values.map((v) => (v.unit === undefined ? parseMoment(v.value) : undefined));
  const anyQuantity = values.some((v, i) => !moments[i] && isQuantity(address, v, heat));
  let pending: number | undefined;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as BracketValue;
    const moment = anyQuantity && values.length > 1 ? moments[i] : undefined;
    if (moment) {
      const time = utcOf(moment, zone);
      const before = columns.items.length - 1;
      if (i > 0 && time !== undefined && columns.times[before] === undefined) {
        columns.times[before] = time;
        columns.timed = true;
      } else if (i === 0 && time !== undefined) pending = time;
      // Without a zone nobody can say when that was: it stays as the meter said it.
      else columns.add(itemOf(address, undefined, 0, heat, 0, 'Time'), value.value);
      continue;
    }
    const parts = partsOf(value);
    if (parts) {
      parts.forEach((part, n) => {
        addNumber(columns, address, part.value, part.unit, heat, n, pending);
      });
    } else if (value.unit !== undefined) addNumber(columns, address, value.value, value.unit, heat, 0, pending);
    else if (isQuantity(address, value, heat)) addNumber(columns, address, value.value, undefined, heat, 0, pending);
    // Empty brackets hold nothing: there is no reading.
    else if (value.value !== '') columns.add(itemOf(address, undefined, 0, heat, 0, ''), value.value.trim(), pending);
  }
}

/** Each value of a load profile at the end of its period; nothing where nobody can say when that was. */
function addProfile(columns: Columns, { columns: heads, rows }: LoadProfile, zone: string | undefined): void {
  for (const { moment, values } of rows) {
    const time = utcOf(moment, zone);
    if (time === undefined) continue;
    values.forEach((value, i) => {
      const { code, unit } = heads[i] as { code: string; unit: string };
      // Dashes or nothing stand for a period without a value.
      if (parseNumber(value)) addNumber(columns, code, value, unit === '' ? undefined : unit, false, 0, time);
    });
  }
}

/** The meter's clock out of its data sets: `0.9.1` and `0.9.2`, `1.0.0`, or `9.36` of heat meters. */
function clockOf(sets: readonly DataSet[], heat: boolean): Moment | undefined {
  let time: Moment | undefined;
  let date: Moment | undefined;
  let whole: Moment | undefined;
  for (const { address, values } of sets) {
    const text = values[0]?.value ?? '';
    if (/^(?:1-\d+:)?0\.9\.1(?:\*255)?$/.test(address)) time ??= parseTime(text);
    else if (/^(?:1-\d+:)?0\.9\.2(?:\*255)?$/.test(address)) date ??= parseDate(text);
    else if (/^(?:0-\d+:1\.0\.0|(?:1-\d+:)?0\.9\.4)(?:\*255)?$/.test(address) || (heat && address === '9.36'))
      whole ??= parseMoment(text);
  }
  if (whole) return whole;
  if (!time || !date) return undefined;
  const dst = time.dst ?? date.dst;
  return {
    wall: date.wall + time.wall,
    ...(dst !== undefined && { dst }),
    ...((time.utc || date.utc) && { utc: true as const }),
  };
}

/** @param zone IANA zone of the meter's clock */
export function readingsOf(sets: readonly DataSet[], zone?: string): Readings {
  const heat = sets.some(({ address }) => isHeatCode(address));
  const columns = new Columns();
  const profiles = loadProfiles(sets);
  for (const set of sets)
    if (profiles.length === 0 || !profiles.some(({ address }) => address === set.address))
      addSet(columns, set, heat, zone);
  for (const profile of profiles) addProfile(columns, profile, zone);
  let meterId: string | undefined;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < columns.items.length; i++) {
    const rank = rankOf(columns.items[i] as Item, heat);
    const value = columns.values[i];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL pads identifiers
    const text = typeof value === 'string' ? value.replace(/\x00/g, '').trim() : '';
    if (rank < 0 || rank >= best || text === '') continue;
    best = rank;
    meterId = text;
  }
  const clock = clockOf(sets, heat);
  const time = clock && utcOf(clock, zone);
  return {
    items: columns.items,
    values: columns.values,
    ...(columns.timed && { times: columns.times }),
    ...(columns.odd && { raws: columns.raws }),
    ...(columns.cut && { cut: true as const }),
    ...(meterId !== undefined && { meterId: meterId.slice(0, MAX_NAME) }),
    ...(clock && { meterTime: isoWall(clock.wall) + (clock.utc ? 'Z' : '') }),
    ...(time !== undefined && { time }),
  };
}

/** Maker and type out of an identification, as the message names them. */
export function headOf(identification: Identification | undefined): {
  readonly maker?: string;
  readonly meterType?: string;
} {
  if (!identification) return {};
  const type = identification.identification.trim().slice(0, MAX_NAME);
  return { maker: makerName(identification.maker), ...(type !== '' && { meterType: type }) };
}
