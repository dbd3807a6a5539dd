/**
 * Says of every octet behind a CI what it is (EN 13757-3): header, each record's DIF, DIFEs, VIF, VIFEs and data with its meaning, maker's
 * octets. The fields lie side by side and cover everything; nothing here throws.
 */
import { DecodeError, type Field } from '@amiable/bytes';
import { decimal, type Item, type Value } from '@amiable/model';
import { APPLICATION_ERRORS } from '../slave/errors.ts';
import { decodeFixed, FIXED_LENGTH } from './fixed.ts';
import { identificationAt, MEDIA, manufacturerOf, statusTexts } from './header.ts';
import { type Layout, layOutPartly, type Slot } from './layout.ts';
import { type Columns, readAlong, readingOf } from './read.ts';
import { formOf, headerLength, modeOf } from './telegram.ts';

type Add = (path: string, offset: number, length: number, text: string) => void;

const hex2 = (v: number): string => v.toString(16).toUpperCase().padStart(2, '0');
const FILLER = 0x2f;

/** What a CI announces, for a person. */
export function ciText(ci: number): string {
  const form = formOf(ci);
  if (form === undefined) return '';
  const header = form.header === 'none' ? '' : `, ${form.header} header`;
  const what = {
    records: 'variable data',
    fixed: 'fixed data structure',
    error: 'application error',
    alarm: 'alarm',
  }[form.content];
  return `${what}${header}${form.msbFirst ? ', most significant octet first' : ''}`;
}

/** Fields of bytes[start, end), which follow `ci`; empty when the CI is none that a slave answers with. */
export function explainData(bytes: Uint8Array, ci: number, start: number, end: number): Field[] {
  const fields: Field[] = [];
  const form = formOf(ci);
  if (form === undefined) return fields;
  const add: Add = (path, offset, length, text) => {
    if (length > 0) fields.push({ path: `mbus/${path}`, offset, length, text });
  };
  const at = start + headerLength(form);
  if (at > end) {
    add('error', start, end - start, `cut: a header of ${headerLength(form)} octets should stand here`);
    return fields;
  }
  if (form.header === 'long') longHeader(add, bytes, start, form.msbFirst);
  else if (form.header === 'short') state(add, bytes, start);
  if (form.content === 'records') {
    const configuration = form.header === 'none' ? 0 : (bytes[at - 2] as number) | ((bytes[at - 1] as number) << 8);
    const enciphered =
      !form.msbFirst && modeOf(configuration) === 5 && bytes[at] !== FILLER ? 16 * ((configuration >> 4) & 15) : 0;
    const plainAt = Math.min(end, at + enciphered);
    add('enciphered', at, plainAt - at, `enciphered, ${plainAt - at} octets (mode 5)`);
    records(add, bytes, plainAt, end, form.msbFirst);
  } else if (form.content === 'fixed') fixed(add, bytes, at, end, form.msbFirst);
  else if (form.content === 'error') {
    const code = bytes[at] as number;
    add('applicationError', at, Math.min(1, end - at), `error ${code}: ${APPLICATION_ERRORS[code] ?? 'not known'}`);
    add('data', at + 1, end - at - 1, `${end - at - 1} octets`);
  } else {
    add('alarm', at, Math.min(1, end - at), `alarm status ${hex2(bytes[at] as number)}`);
    add('data', at + 1, end - at - 1, `${end - at - 1} octets`);
  }
  return fields;
}

function longHeader(add: Add, bytes: Uint8Array, at: number, msbFirst: boolean): void {
  const b = bytes.slice(at, at + 8);
  if (msbFirst) {
    b.subarray(0, 4).reverse();
    b.subarray(4, 6).reverse();
  }
  add('header/identification', at, 4, `identification ${identificationAt(b, 0)}`);
  add('header/manufacturer', at + 4, 2, `manufacturer ${manufacturerOf((b[4] as number) | ((b[5] as number) << 8))}`);
  add('header/version', at + 6, 1, `version ${b[6]}`);
  add('header/medium', at + 7, 1, `medium ${b[7]}: ${MEDIA[b[7] as number]}`);
  state(add, bytes, at + 8);
}

function state(add: Add, bytes: Uint8Array, at: number): void {
  const status = bytes[at + 1] as number;
  const configuration = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  const mode = modeOf(configuration);
  add('header/accessNumber', at, 1, `access number ${bytes[at]}`);
  add(
    'header/status',
    at + 1,
    1,
    `status ${hex2(status)}${status ? `: ${statusTexts(status).join(', ')}` : ', all well'}`,
  );
  add(
    'header/configuration',
    at + 2,
    2,
    `configuration ${hex2(configuration >> 8)}${hex2(configuration & 0xff)}${mode ? `, security mode ${mode}` : ''}`,
  );
}

function records(add: Add, bytes: Uint8Array, start: number, end: number, msbFirst: boolean): void {
  const { layout, fault } = layOutPartly(bytes, start, end, msbFirst);
  const columns = readAlong(readingOf(layout), bytes, start);
  let at = start;
  const fillers = (to: number): void => {
    add('filler', at, to - at, `${to - at} idle ${to - at === 1 ? 'filler' : 'fillers'}`);
  };
  layout.slots.forEach((slot, i) => {
    fillers(start + slot.start);
    at = start + slot.at + slot.length;
    if (slot.head === undefined) {
      add('manufacturerData', start + slot.start, 1, makersText(layout));
      add('manufacturerData', start + slot.at, slot.length, `${slot.length} octets of the maker`);
    } else record(add, bytes, start, slot, i, columns);
  });
  // Fillers behind the last record, then what could not be read.
  let rest = at;
  while (rest < end && bytes[rest] === FILLER) rest++;
  fillers(rest);
  if (fault) add('error', rest, end - rest, `not to be read: ${fault.message}`);
}

const makersText = (layout: Layout): string =>
  layout.moreFollows ? 'DIF 1F: maker’s data, more telegrams follow' : 'DIF 0F: maker’s data';

function record(add: Add, bytes: Uint8Array, start: number, slot: Slot, i: number, columns: Columns): void {
  const head = slot.head!;
  const path = `record${i + 1}`;
  let at = start + slot.start;
  const where = [
    head.function === 'instantaneous' ? '' : head.function,
    head.storage ? `storage ${head.storage}` : '',
    head.tariff ? `tariff ${head.tariff}` : '',
    head.subunit ? `subunit ${head.subunit}` : '',
  ].filter((part) => part !== '');
  const octets = 1 + head.difes.length;
  add(`${path}/dif`, at, octets, `DIF ${hexOf(bytes, at, octets)}: ${[formText(head.dif), ...where].join(', ')}`);
  at += octets;
  // VIF, its text, and VIFEs stand together.
  const vib = head.end - at;
  const fault = head.fault === undefined ? '' : `; the slave says: ${head.fault}`;
  add(`${path}/vif`, at, vib, `VIF ${hexOf(bytes, at, vib)}: ${head.quantity}${scaleText(slot)}${fault}`);
  at = head.end;
  add(`${path}/length`, at, start + slot.at - at, `length octet ${hex2(bytes[at] as number)}`);
  add(`${path}/data`, start + slot.at, slot.length, `${head.name} = ${valueText(columns, i)}`);
}

const FIELDS = [
  'no data',
  'integer of 8 bits',
  'integer of 16 bits',
  'integer of 24 bits',
  'integer of 32 bits',
  'real of 32 bits',
  'integer of 48 bits',
  'integer of 64 bits',
  'selection for readout',
  'BCD of 2 digits',
  'BCD of 4 digits',
  'BCD of 6 digits',
  'BCD of 8 digits',
  'variable length',
  'BCD of 12 digits',
  'special',
] as const;
const formText = (dif: number): string => FIELDS[dif & 0x0f] as string;

function scaleText({ head, item }: Slot): string {
  if (head === undefined || item.unit === undefined) return '';
  const factor = head.factor === 1 ? '' : `${head.factor} × `;
  return `, in ${factor}${head.scaler === 0 ? '' : `10^${head.scaler} `}${item.unit === '1' ? 'units' : item.unit}`;
}

function valueText({ items, values, qualities }: Columns, i: number): string {
  const item = items[i] as Item;
  const value = values[i] as Value;
  const text = typeof value === 'string' ? value : decimal(value, item.scaler);
  const unit = item.unit === undefined || item.unit === '1' ? '' : ` ${item.unit}`;
  return `${text}${unit}${qualities?.[i] === 'missing' ? ' (no valid value)' : ''}`;
}

const hexOf = (bytes: Uint8Array, at: number, length: number): string =>
  Array.from(bytes.subarray(at, at + length), hex2).join(' ');

function fixed(add: Add, bytes: Uint8Array, at: number, end: number, msbFirst: boolean): void {
  try {
    const data = decodeFixed(bytes, at, end, msbFirst);
    const columns = { items: data.items, values: data.values, qualities: data.qualities } as Columns;
    add('header/identification', at, 4, `identification ${data.identification}`);
    add('header/accessNumber', at + 4, 1, `access number ${data.accessNumber}`);
    add(
      'header/status',
      at + 5,
      1,
      `status ${hex2(data.status)}: counters are ${data.status & 1 ? 'binary' : 'BCD'}, ${data.status & 2 ? 'stored' : 'of now'}`,
    );
    add('header/medium', at + 6, 2, `${data.medium}, and units of the counters`);
    for (let i = 0; i < 2; i++)
      add(`counter${i + 1}`, at + 8 + 4 * i, 4, `${data.items[i]?.name} = ${valueText(columns, i)}`);
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    add('error', at, end - at, `the fixed structure has ${FIXED_LENGTH} octets, ${end - at} are here`);
  }
}
