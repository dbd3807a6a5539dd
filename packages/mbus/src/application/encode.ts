/**
 * Data records as octets (EN 13757-3 clause 6), for the slave's side and for what a master writes.
 *
 * Decides the DIF and the DIFEs from function, storage number, tariff and subunit; the VIF is the caller's.
 */
import { MisuseError, Writer } from '@amiable/bytes';
import { manufacturerCode } from './header.ts';
import type { MbusFunction, RecordData, RecordToSend } from './types.ts';

const FUNCTIONS: readonly MbusFunction[] = ['instantaneous', 'maximum', 'minimum', 'error'];
const INTEGER_FIELD: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 8: 7 };
const BCD_FIELD: Readonly<Record<number, number>> = { 2: 9, 4: 10, 6: 11, 8: 12, 12: 14 };

/** @throws MisuseError when a value does not fit its form */
export function encodeRecords(records: readonly RecordToSend[]): Uint8Array {
  const out = new Writer();
  for (const record of records) encodeRecord(out, record);
  return out.finish();
}

function encodeRecord(out: Writer, record: RecordToSend): void {
  const { storage = 0, tariff = 0, subunit = 0, vif, plainText, data } = record;
  const difes = difesOf(storage, tariff, subunit);
  const dif = fieldOf(data) | (FUNCTIONS.indexOf(record.function ?? 'instantaneous') << 4) | ((storage & 1) << 6);
  out.u8(difes.length > 0 ? dif | 0x80 : dif).bytes(difes);
  if (vif.length === 0 || vif.length > 11) throw new MisuseError('a record has one VIF and at most ten VIFEs');
  vif.forEach((octet, i) => {
    if (((octet & 0x80) !== 0) !== i < vif.length - 1)
      throw new MisuseError(`octet ${i} of the VIF: bit 7 says whether another follows`);
    out.u8(octet);
    if (i === 0 && (octet & 0x7f) === 0x7c) out.u8(plainText?.length ?? 0).bytes(latin(plainText ?? '').reverse());
  });
  encodeData(out, data);
}

function difesOf(storage: number, tariff: number, subunit: number): number[] {
  let s = Math.floor(storage / 2);
  let t = tariff;
  let u = subunit;
  if (![storage, tariff, subunit].every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new MisuseError('storage number, tariff and subunit are whole numbers from 0 on');
  const out: number[] = [];
  while (s > 0 || t > 0 || u > 0) {
    out.push((s % 16) | ((t % 4) << 4) | ((u % 2) << 6));
    s = Math.floor(s / 16);
    t = Math.floor(t / 4);
    u = Math.floor(u / 2);
  }
  if (out.length > 10) throw new MisuseError('storage number, tariff or subunit needs more than ten DIFEs');
  return out.map((octet, i) => (i < out.length - 1 ? octet | 0x80 : octet));
}

function fieldOf(data: RecordData): number {
  const wrong = (what: string): never => {
    throw new MisuseError(what);
  };
  switch (data.type) {
    case 'none':
      return 0;
    case 'integer':
      return INTEGER_FIELD[data.octets] ?? wrong(`an integer has 1, 2, 3, 4, 6 or 8 octets, not ${data.octets}`);
    case 'bcd':
      return BCD_FIELD[data.digits] ?? wrong(`BCD has 2, 4, 6, 8 or 12 digits, not ${data.digits}`);
    case 'real':
      return 5;
    case 'text':
      return 13;
    case 'date':
      return 2;
    case 'dateTime':
      return data.value.length > 16 ? 6 : 4;
  }
}

function encodeData(out: Writer, data: RecordData): void {
  switch (data.type) {
    case 'none':
      return;
    case 'integer': {
      let value = BigInt(data.value);
      const bits = 8 * data.octets;
      if (BigInt.asIntN(bits, value) !== value && BigInt.asUintN(bits, value) !== value)
        throw new MisuseError(`${data.value} does not fit ${data.octets} octets`);
      for (let i = 0; i < data.octets; i++, value >>= 8n) out.u8(Number(value & 0xffn));
      return;
    }
    case 'bcd': {
      const negative = data.value < 0;
      const digits = String(negative ? -data.value : data.value).padStart(data.digits, '0');
      if (digits.length > data.digits || (negative && digits[0] !== '0'))
        throw new MisuseError(`${data.value} does not fit ${data.digits} digits`);
      const text = negative ? `f${digits.slice(1)}` : digits;
      for (let i = data.digits - 2; i >= 0; i -= 2) out.u8(Number.parseInt(text.slice(i, i + 2), 16));
      return;
    }
    case 'real': {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setFloat32(0, data.value, true);
      out.bytes(bytes);
      return;
    }
    case 'text': {
      const bytes = latin(data.value);
      if (bytes.length > 0xbf) throw new MisuseError(`a text has at most 191 characters, not ${bytes.length}`);
      out.u8(bytes.length).bytes(bytes.reverse());
      return;
    }
    case 'date':
      out.bytes(encodeDate(data.value));
      return;
    case 'dateTime':
      out.bytes(encodeDateTime(data));
      return;
  }
}

function latin(text: string): number[] {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) as number;
    if (code > 0xff) throw new MisuseError(`${character} is no character of ISO 8859-1`);
    return code;
  });
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;

/** Type G. @throws MisuseError */
export function encodeDate(text: string): Uint8Array {
  const found = DATE.exec(text);
  if (!found) throw new MisuseError(`a date is YYYY-MM-DD, not ${text}`);
  const year = Number(found[1]) % 100;
  return Uint8Array.of(Number(found[3]) | ((year & 7) << 5), Number(found[2]) | ((year & 0x78) << 1));
}

function encodeDateTime({ value, summer, invalid }: Extract<RecordData, { type: 'dateTime' }>): Uint8Array {
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)(?::(\d\d))?$/.exec(value);
  if (!found) throw new MisuseError(`a time is YYYY-MM-DDTHH:MM or with :SS, not ${value}`);
  const date = encodeDate(found[1] as string);
  const year = Number(value.slice(0, 4));
  const minute = Number(found[3]) | (invalid ? 0x80 : 0);
  const hour = Number(found[2]) | (summer ? 0x80 : 0);
  if (found[4] !== undefined) return Uint8Array.of(Number(found[4]), minute, hour, date[0]!, date[1]!, 0);
  return Uint8Array.of(minute, hour | (Math.floor((year - 1900) / 100) << 5), date[0]!, date[1]!);
}

/** Identification, manufacturer, version and medium as a slave is selected by: 8 octets; `F` and 255 match all. */
export function encodeSecondary(address: {
  readonly identification: string;
  readonly manufacturer?: string | undefined;
  readonly version?: number | undefined;
  readonly medium?: number | undefined;
}): Uint8Array {
  const { identification, manufacturer, version = 0xff, medium = 0xff } = address;
  if (!/^[0-9A-Fa-f]{8}$/.test(identification))
    throw new MisuseError(`an identification has 8 digits, F for any, not ${identification}`);
  const maker = manufacturer === undefined ? 0xffff : manufacturerCode(manufacturer);
  const out = Uint8Array.of(0, 0, 0, 0, maker & 0xff, maker >> 8, version, medium);
  for (let i = 0; i < 4; i++) out[3 - i] = Number.parseInt(identification.slice(2 * i, 2 * i + 2), 16);
  return out;
}
