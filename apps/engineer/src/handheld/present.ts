/**
 * Visited meters as COSEM objects (IS 15959: "the HHU shall provide a DLMS/COSEM server interface to the BCS"): each meter is a
 * logical device with what was read of it.
 *
 * Decides: of several visits the newest value of each attribute, and the rows of all (each once) under the newest layout; what came
 * over IEC 62056-21 stands as Data and Register objects of the same codes, its load survey as a profile. SAPs count up
 * from 17 in the order of first visits, so that they stay. All is read only. Leaves out: what was not read.
 */
import { fromHex, Reader } from '@amiable/bytes';
import { localToUtc } from '@amiable/calendar';
import {
  BUFFER_SELECTORS,
  type CosemObject,
  captureObjectsOf,
  codeOfUnit,
  encodedData,
  isClock,
  keyOf,
  type ProfileColumn,
  profileColumns,
  type Rows,
  readProfile,
  readRows,
} from '@amiable/cosem';
import { dateTimeBytes, decodeLength, octetString, skipData, TAGS } from '@amiable/dlms';
import { parseDecimal, type Unit } from '@amiable/model';
import { meterTime } from '../dlms/times.ts';
import { readingsIn } from './messages.ts';
import type { VisitFile, VisitRecord } from './store.ts';

export const FIRST_SAP = 17;

export interface Presented {
  readonly sap: number;
  readonly meter: string;
  /** COSEM logical device name, 16 characters at most. */
  readonly name: string;
  readonly objects: readonly CosemObject[];
  readonly visited: number;
}

type Profile = Extract<VisitRecord, { t: 'profile' }>;

/** Meters in the order of their first visits. */
export function present(visits: readonly VisitFile[]): Presented[] {
  const meters = new Map<string, VisitFile[]>();
  for (const visit of visits) meters.set(visit.head.meter, [...(meters.get(visit.head.meter) ?? []), visit]);
  return [...meters].map(([meter, own], i) => ({
    sap: FIRST_SAP + i,
    meter,
    name: nameOf(meter, own),
    objects: objectsOf(own),
    visited: own.at(-1)?.head.at ?? 0,
  }));
}

function nameOf(meter: string, visits: readonly VisitFile[]): string {
  for (const { records } of visits.toReversed())
    for (const record of records)
      if (record.t === 'object' && record.obis === '0-0:42.0.0') {
        const text = new TextDecoder().decode(fromHex(record.attributes['2'] ?? '').subarray(2));
        if (/^[\x20-\x7e]{1,16}$/.test(text)) return text;
      }
  return meter.slice(-16);
}

function objectsOf(visits: readonly VisitFile[]): CosemObject[] {
  const objects = new Map<string, CosemObject>();
  const profiles = new Map<string, Profile>();
  for (const { records } of visits)
    for (const record of records) {
      if (record.t === 'object') {
        const attributes: Record<number, Uint8Array> = {};
        for (const [n, hex] of Object.entries(record.attributes)) attributes[Number(n)] = fromHex(hex);
        objects.set(`${record.class} ${record.obis}`, {
          classId: record.class,
          version: record.version,
          logicalName: record.obis,
          attributes,
          rights: readable(attributes),
        });
      } else if (record.t === 'profile') profiles.set(record.obis, record);
    }
  for (const [obis, profile] of profiles) {
    objects.set(`7 ${obis}`, profileObject(obis, profile, visits));
    // Clients ask the registers of its columns for their scalers.
    profileColumns(fromHex(profile.captureObjects)).forEach(({ classId, logicalName }, i) => {
      const unit = profile.units[i];
      const key = `${classId} ${logicalName}`;
      if (!unit || objects.has(key)) return;
      const attributes = {
        [classId === 5 ? 4 : 3]: Uint8Array.of(2, 2, TAGS.integer, unit[0] & 255, TAGS.enum, unit[1]),
      };
      objects.set(key, { classId, logicalName, attributes, rights: readable(attributes) });
    });
  }
  for (const object of fromMessages(visits)) {
    const key = `${object.classId} ${object.logicalName}`;
    if (!objects.has(key)) objects.set(key, object);
  }
  // The device has its own.
  objects.delete('1 0-0:42.0.0');
  for (const key of [...objects.keys()]) if (/^(12|15|17) /.test(key)) objects.delete(key);
  return [...objects.values()];
}

/** Attributes that were not read are not there. */
function readable(attributes: Readonly<Record<number, unknown>>): NonNullable<CosemObject['rights']> {
  return {
    other: { attributes: { other: 0, 1: 1, ...Object.fromEntries(Object.keys(attributes).map((n) => [n, 1])) } },
  };
}

// ---------------------------------------------------------------- profiles

interface Row {
  readonly utc: number;
  readonly cells: readonly Uint8Array[];
}

const u32 = (n: number): Uint8Array =>
  Uint8Array.of(TAGS['double-long-unsigned'], n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
const FIFO = Uint8Array.of(TAGS.enum, 1);

function profileObject(obis: string, profile: Profile, visits: readonly VisitFile[]): CosemObject {
  const columns = profileColumns(fromHex(profile.captureObjects));
  const rows: Row[] = [];
  const seen = new Set<string>();
  for (const { records, head } of visits) {
    let layout: Profile | undefined;
    for (const record of records) {
      if (record.t === 'profile' && record.obis === obis) layout = record;
      // Rows of another layout cannot stand beside these.
      if (record.t !== 'rows' || record.obis !== obis || layout?.captureObjects !== profile.captureObjects) continue;
      for (const row of rowsOf(fromHex(record.buffer), columns, layout, head.zone)) {
        const key = row.cells.map((cell) => Buffer.from(cell).toString('latin1')).join('|');
        if (seen.has(key)) continue;
        seen.add(key);
        rows.push(row);
      }
    }
  }
  const clock = columns.findIndex(isClock);
  if (clock >= 0) rows.sort((a, b) => a.utc - b.utc);
  return tableObject(obis, columns, rows, profile.period, fromHex(profile.captureObjects));
}

/** One profile object over rows in memory. */
function tableObject(
  obis: string,
  columns: readonly ProfileColumn[],
  rows: readonly Row[],
  period: number,
  captured: Uint8Array,
): CosemObject {
  const clock = columns.findIndex(isClock);
  const served: Rows = {
    columns: columns.map(({ classId, logicalName, attribute, dataIndex }) => ({
      classId,
      logicalName,
      attributeIndex: attribute,
      dataIndex,
    })),
    count: rows.length,
    write: (writer, row, column) => void writer.bytes(rows[row]?.cells[column] ?? Uint8Array.of(0)),
    ...(clock >= 0 && rows.every(({ utc }) => !Number.isNaN(utc))
      ? {
          key: (row: number, column: number) =>
            column === clock
              ? (rows[row]?.utc ?? 0)
              : (keyOf(rows[row]?.cells[column] ?? Uint8Array.of(0), 'from') ?? 0),
          keyOf: (value: Uint8Array, _column: number, end: 'from' | 'to') => keyOf(value, end),
          ascendingBy: clock,
        }
      : {}),
  };
  const sortObject = clock >= 0 ? captureObjectsOf([columns[clock] as ProfileColumn]) : undefined;
  const encodedSort =
    sortObject?.type === 'array' && sortObject.value[0] ? encodedData(sortObject.value[0]) : undefined;
  const attributes = {
    2: {
      get: (_: unknown, access?: Parameters<typeof readRows>[1]) => readRows(served, access),
      selectors: BUFFER_SELECTORS,
    },
    3: captured,
    4: u32(period),
    5: FIFO,
    ...(encodedSort && { 6: encodedSort }),
    7: u32(rows.length),
    8: u32(rows.length),
  };
  return { classId: 7, version: 1, logicalName: obis, attributes, rights: readable(attributes) };
}

/** Rows with every cell in full: what the meter left out as null-data is what stands above. */
function rowsOf(buffer: Uint8Array, columns: readonly ProfileColumn[], layout: Profile, zone: string): Row[] {
  const read = readProfile(buffer, columns, {
    capturePeriod: layout.period,
    newestFirst: layout.newestFirst,
    utcOf: (wall, dst) => localToUtc(zone, wall, dst === undefined ? {} : { dst }),
  });
  const moments = read.columns[read.clock];
  const utcs = moments?.kind === 'moment' ? moments.utc : undefined;
  const reader = new Reader(buffer);
  const rows: Row[] = [];
  // The array and its length; a compact array has no cells of its own and is left to the messages.
  if (reader.u8() !== TAGS.array) return [];
  const count = decodeLength(reader);
  let above: readonly Uint8Array[] = [];
  for (let row = 0; row < Math.min(count, read.rows); row++) {
    if (reader.u8() !== TAGS.structure) break;
    const width = decodeLength(reader);
    const cells: Uint8Array[] = [];
    const utc = utcs?.[row] ?? Number.NaN;
    for (let column = 0; column < width; column++) {
      const start = reader.pos;
      skipData(reader);
      const cell = buffer.subarray(start, reader.pos);
      if (cell[0] !== TAGS['null-data']) cells.push(cell);
      else if (column === read.clock && !Number.isNaN(utc))
        cells.push(octetString(dateTimeBytes(meterTime(utc, zone))));
      else cells.push(above[column] ?? cell);
    }
    above = cells;
    rows.push({ utc, cells });
  }
  return rows;
}

// ---------------------------------------------------------------- out of messages (IEC 62056-21)

function fromMessages(visits: readonly VisitFile[]): CosemObject[] {
  const found = new Map<string, CosemObject>();
  const survey = new Map<string, Map<string, string>>();
  let zone = 'UTC';
  for (const { records, head } of visits) {
    if (head.protocol === 'dlms') continue;
    zone = head.zone;
    for (const record of records) {
      if (record.t !== 'message') continue;
      for (const { obis, value, isNumber, unit, time } of readingsIn(record.json)) {
        if (obis === undefined) continue;
        if (record.step.startsWith('load') && isNumber && time !== undefined) {
          const row = survey.get(time) ?? new Map<string, string>();
          survey.set(time, row.set(`${obis} ${unit ?? '1'}`, value));
          continue;
        }
        if (record.step.startsWith('events')) continue;
        const object = isNumber ? registerObject(obis, value, unit, time, zone) : dataObject(obis, value);
        if (object) found.set(obis, object);
      }
    }
  }
  const objects = [...found.values()];
  const load = surveyObject(survey, zone);
  return load ? [...objects, load] : objects;
}

function dataObject(obis: string, text: string): CosemObject {
  const bytes = new TextEncoder().encode(text.slice(0, 120));
  const attributes = { 2: octetString(bytes) };
  return { classId: 1, logicalName: obis, attributes, rights: readable(attributes) };
}

/** Signed 32 bits where that is enough, else 64. */
function integer(mantissa: number | bigint): Uint8Array {
  const small = mantissa >= -0x8000_0000 && mantissa <= 0x7fff_ffff;
  return small
    ? encodedData({ type: 'double-long', value: Number(mantissa) })
    : encodedData({ type: 'long64', value: BigInt(mantissa) });
}

function registerObject(
  obis: string,
  text: string,
  unit: Unit | undefined,
  time: string | undefined,
  zone: string,
): CosemObject | undefined {
  const number = parseDecimal(text);
  if (!number) return undefined;
  const scaler = Uint8Array.of(2, 2, TAGS.integer, number.scaler & 255, TAGS.enum, codeOfUnit(unit ?? '1') ?? 255);
  const value = integer(number.mantissa);
  // A maximum has the moment at which it was.
  const captured = time === undefined ? undefined : octetString(dateTimeBytes(meterTime(Date.parse(time), zone)));
  const attributes = captured ? { 2: value, 3: scaler, 4: Uint8Array.of(0), 5: captured } : { 2: value, 3: scaler };
  return { classId: captured ? 4 : 3, logicalName: obis, attributes, rights: readable(attributes) };
}

const LOAD_PROFILE = '1-0:99.1.0';

/** P.01 as a profile: clock, and a register for each channel, all in the finest decimals that came. */
function surveyObject(survey: ReadonlyMap<string, ReadonlyMap<string, string>>, zone: string): CosemObject | undefined {
  if (survey.size === 0) return undefined;
  const channels = [...new Set([...survey.values()].flatMap((row) => [...row.keys()]))].sort();
  const columns: ProfileColumn[] = [
    { classId: 8, logicalName: '0-0:1.0.0', attribute: 2, dataIndex: 0 },
    ...channels.map((channel) => ({
      classId: 3,
      logicalName: channel.split(' ')[0] as string,
      attribute: 2,
      dataIndex: 0,
    })),
  ];
  const rows = [...survey]
    .map(([time, values]) => {
      const utc = Date.parse(time);
      const cells = [
        octetString(dateTimeBytes(meterTime(utc, zone))),
        ...channels.map((channel) => {
          const number = parseDecimal(values.get(channel) ?? '');
          // Channels without a register of their own are told in the unit of the message: whole base units, or a float.
          return number ? floatOrInteger(number.mantissa, number.scaler) : Uint8Array.of(0);
        }),
      ];
      return { utc, cells };
    })
    .sort((a, b) => a.utc - b.utc);
  const period = rows.length > 1 ? Math.round(((rows[1] as Row).utc - (rows[0] as Row).utc) / 1000) : 0;
  return tableObject(LOAD_PROFILE, columns, rows, period, encodedData(captureObjectsOf(columns)));
}

function floatOrInteger(mantissa: number | bigint, scaler: number): Uint8Array {
  if (scaler === 0) return integer(mantissa);
  return encodedData({ type: 'float64', value: Number(`${mantissa}e${scaler}`) });
}
