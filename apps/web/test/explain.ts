/**
 * Explains a HAN frame byte by byte, well enough for the stand-in server: HDLC frame, LLC, notification header and the
 * nested data of the three Norwegian makers, deciphered when it is enciphered. The server's own explanation comes from
 * the codecs; this one exists so that the page can be built and tested alone.
 */
import { createDecipheriv } from 'node:crypto';
import { fromHex, toHex } from '@amiable/bytes';
import type { ExplainedMessage, StoredMessage } from '@amiable/model';
import { FRAME_AUTH_KEY, FRAME_KEY } from './frames.ts';

type Layer = ExplainedMessage['layers'][number];
type FieldOut = Layer['fields'][number];
type Reading = StoredMessage['readings'][number];

const KAIFA = [
  ['list', ''],
  ['meterId', ''],
  ['meterType', ''],
  ['activePowerImport', 'W', '1-0:1.7.0', 0],
  ['activePowerExport', 'W', '1-0:2.7.0', 0],
  ['reactivePowerImport', 'var', '1-0:3.7.0', 0],
  ['reactivePowerExport', 'var', '1-0:4.7.0', 0],
  ['currentL1', 'A', '1-0:31.7.0', -3],
  ['currentL2', 'A', '1-0:51.7.0', -3],
  ['currentL3', 'A', '1-0:71.7.0', -3],
  ['voltageL1', 'V', '1-0:32.7.0', -1],
  ['voltageL2', 'V', '1-0:52.7.0', -1],
  ['voltageL3', 'V', '1-0:72.7.0', -1],
] as const;
const NAMES: Record<string, string> = {
  '1.7.0': 'activePowerImport',
  '2.7.0': 'activePowerExport',
  '3.7.0': 'reactivePowerImport',
  '4.7.0': 'reactivePowerExport',
  '31.7.0': 'currentL1',
  '51.7.0': 'currentL2',
  '71.7.0': 'currentL3',
  '32.7.0': 'voltageL1',
  '52.7.0': 'voltageL2',
  '72.7.0': 'voltageL3',
  '1.8.0': 'activeEnergyImport',
  '2.8.0': 'activeEnergyExport',
  '1.0.0': 'clock',
  '96.1.0': 'meterId',
  '96.1.1': 'meterType',
  '96.1.7': 'meterType',
  '0.2.129': 'list',
};
const UNITS: Record<number, string> = { 27: 'W', 29: 'var', 30: 'Wh', 32: 'varh', 33: 'A', 35: 'V' };

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.filter((b) => b >= 32 && b < 127));
}

function dateTime(b: Uint8Array): string {
  const two = (n: number | undefined) => String(n).padStart(2, '0');
  const year = ((b[0] as number) << 8) | (b[1] as number);
  return `${year}-${two(b[2])}-${two(b[3])}T${two(b[5])}:${two(b[6])}:${two(b[7])}`;
}

interface Walk {
  readonly bytes: Uint8Array;
  readonly fields: FieldOut[];
  readonly readings: Reading[];
  pos: number;
}

type Node = { start: number; end: number; value: number | string | Uint8Array | Node[] };

function element(w: Walk, path: string): Node {
  const start = w.pos;
  const tag = w.bytes[w.pos++] as number;
  const put = (what: string) => w.fields.push({ path, offset: start, length: w.pos - start, text: what });
  if (tag === 1 || tag === 2) {
    const n = w.bytes[w.pos++] as number;
    w.fields.push({
      path: `${path}/header`,
      offset: start,
      length: 2,
      text: `${tag === 1 ? 'array' : 'structure'} of ${n}`,
    });
    const items: Node[] = [];
    for (let i = 0; i < n; i++) items.push(element(w, `${path}/${i}`));
    put(`${tag === 1 ? 'array' : 'structure'} of ${n}`);
    return { start, end: w.pos, value: items };
  }
  if (tag === 9 || tag === 10) {
    const n = w.bytes[w.pos++] as number;
    const value = w.bytes.subarray(w.pos, w.pos + n);
    w.pos += n;
    const obis = n === 6 && tag === 9;
    const shown = obis
      ? `OBIS ${value[0]}-${value[1]}:${value[2]}.${value[3]}.${value[4]}`
      : n === 12 && tag === 9
        ? `date-time ${dateTime(value)}`
        : `${tag === 9 ? 'octet-string' : 'visible-string'} “${text(value)}”`;
    put(shown);
    return { start, end: w.pos, value: tag === 10 || (n !== 6 && n !== 12) ? text(value) : value };
  }
  const sizes: Record<number, number> = { 0: 0, 6: 4, 5: 4, 16: 2, 18: 2, 15: 1, 17: 1, 22: 1 };
  const size = sizes[tag] ?? 0;
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (w.bytes[w.pos++] as number);
  if (tag === 16 && value > 32_767) value -= 65_536;
  if (tag === 15 && value > 127) value -= 256;
  const kinds: Record<number, string> = {
    0: 'null',
    6: 'double-long-unsigned',
    16: 'long',
    18: 'long-unsigned',
    15: 'integer',
    22: 'enum',
  };
  put(tag === 0 ? 'null' : `${kinds[tag] ?? `type ${tag}`} ${value}`);
  return { start, end: w.pos, value };
}

function scaled(value: number, scaler: number): number {
  return scaler < 0 ? Number((value / 10 ** -scaler).toFixed(-scaler)) : value * 10 ** scaler;
}

/** Ties a range of bytes to a reading: every field inside it points there. */
function own(w: Walk, node: Node, reading: Reading): void {
  const index = w.readings.push(reading) - 1;
  for (const f of w.fields) if (f.offset >= node.start && f.offset + f.length <= node.end) f.reading = index;
}

function interpret(w: Walk, root: Node): void {
  const items = Array.isArray(root.value) ? root.value : [root];
  if (items.every((n) => Array.isArray(n.value))) {
    for (const n of items) {
      const [code, value, unit] = n.value as Node[];
      const c = code?.value as Uint8Array;
      const short = `${c[2]}.${c[3]}.${c[4]}`;
      const [scaler, enumerated] = unit ? (unit.value as Node[]).map((u) => u.value as number) : [0, undefined];
      const v = value?.value;
      const known = enumerated === undefined ? undefined : UNITS[enumerated];
      own(w, value as Node, {
        obis: `${c[0]}-${c[1]}:${short}`,
        name: NAMES[short] ?? `value ${short}`,
        value: typeof v === 'number' ? scaled(v, scaler ?? 0) : v instanceof Uint8Array ? dateTime(v) : String(v),
        ...(known ? { unit: known } : {}),
      });
    }
    return;
  }
  if (items.length <= 13) {
    const table = items.length === 1 ? [KAIFA[3]] : KAIFA;
    items.forEach((n, i) => {
      const [name, unit, obis, scaler] = table[i] as (typeof KAIFA)[number];
      own(w, n, {
        ...(obis ? { obis } : {}),
        name,
        value: typeof n.value === 'number' ? scaled(n.value, scaler ?? 0) : String(n.value),
        ...(unit ? { unit } : {}),
      });
    });
    return;
  }
  for (let i = 0; i < items.length; i++) {
    const n = items[i] as Node;
    if (!(n.value instanceof Uint8Array) || n.value.length !== 6) {
      if (typeof n.value === 'string') own(w, n, { name: 'list', value: n.value });
      continue;
    }
    const c = n.value;
    const short = `${c[2]}.${c[3]}.${c[4]}`;
    const value = items[++i] as Node;
    const kind = c[2] as number;
    const amps = kind === 31 || kind === 51 || kind === 71;
    const unit = amps
      ? 'A'
      : c[3] === 8
        ? 'Wh'
        : kind % 20 === 12
          ? 'V'
          : kind > 2 && kind < 5
            ? 'var'
            : kind < 3
              ? 'W'
              : '';
    const v = value.value;
    own(w, value, {
      obis: `${c[0]}-${c[1]}:${short}`,
      name: NAMES[short] ?? `value ${short}`,
      value: typeof v === 'number' ? scaled(v, amps ? -2 : 0) : v instanceof Uint8Array ? dateTime(v) : String(v),
      ...(unit && typeof v === 'number' ? { unit } : {}),
    });
  }
}

function notification(w: Walk, path: string): void {
  const b = w.bytes;
  const put = (name: string, length: number, what: string) => {
    w.fields.push({ path: `${path}/${name}`, offset: w.pos, length, text: what });
    w.pos += length;
  };
  const from = w.pos;
  put('tag', 1, 'data-notification (0F)');
  put('invoke-id', 4, `long-invoke-id-and-priority ${toHex(b.subarray(w.pos, w.pos + 4))}`);
  // The length may stand after an octet-string tag (Kaifa) or alone.
  const tagged = b[w.pos] === 9 ? 1 : 0;
  const length = b[w.pos + tagged] as number;
  const at = w.pos + tagged + 1;
  put('date-time', tagged + 1 + length, length ? `date-time ${dateTime(b.subarray(at, at + length))}` : 'no date-time');
  interpret(w, element(w, `${path}/body`));
  w.fields.push({ path, offset: from, length: w.pos - from, text: 'data-notification' });
}

export function explain(hex: string, withKey: boolean): { layers: Layer[]; readings: Reading[] } {
  const bytes = fromHex(hex);
  const w: Walk = { bytes, fields: [], readings: [], pos: 0 };
  const put = (path: string, length: number, what: string) => {
    w.fields.push({ path, offset: w.pos, length, text: what });
    w.pos += length;
  };
  const address = (): number => {
    let n = 1;
    while (((bytes[w.pos + n - 1] as number) & 1) === 0) n++;
    return n;
  };
  const total = (((bytes[1] as number) & 7) << 8) | (bytes[2] as number);
  put('hdlc/flag', 1, 'opening flag 7E');
  put('hdlc/format', 2, `frame format 3, ${((bytes[1] as number) & 8) !== 0 ? 'segmented' : 'whole'}, length ${total}`);
  put('hdlc/destination', address(), `destination address ${toHex(bytes.subarray(w.pos, w.pos + address()))}`);
  put('hdlc/source', address(), `source address ${toHex(bytes.subarray(w.pos, w.pos + address()))}`);
  put('hdlc/control', 1, `control ${toHex(bytes.subarray(w.pos, w.pos + 1))}, unnumbered information`);
  put('hdlc/hcs', 2, 'header check sequence, right');
  put('hdlc/llc', 3, 'LLC E6 E7 00, from the meter');
  const end = total + 1 - 2;
  const layers: Layer[] = [{ name: 'on the wire', bytes: hex, fields: w.fields }];
  if (bytes[w.pos] === 0x0f) notification(w, 'notification');
  else {
    const start = w.pos;
    put('ciphering/tag', 1, 'general-glo-ciphering (DB)');
    put('ciphering/system-title', 9, `system title ${toHex(bytes.subarray(w.pos + 1, w.pos + 9))}`);
    put('ciphering/length', bytes[w.pos] === 0x82 ? 3 : 1, `length ${end - w.pos - 3}`);
    put(
      'ciphering/security',
      1,
      `security control ${toHex(bytes.subarray(w.pos, w.pos + 1))}: authenticated and encrypted, suite 0`,
    );
    const counter = bytes.subarray(w.pos, w.pos + 4);
    put('ciphering/counter', 4, `frame counter ${new DataView(bytes.buffer, bytes.byteOffset + w.pos).getUint32(0)}`);
    const cipherText = bytes.subarray(w.pos, end - 12);
    put('ciphering/text', end - 12 - w.pos, `${cipherText.length} bytes of cipher text`);
    const tag = bytes.subarray(w.pos, end);
    put(
      'ciphering/authentication',
      12,
      withKey ? 'authentication tag, right' : 'authentication tag, not checked: no key',
    );
    w.fields.push({ path: 'ciphering', offset: start, length: w.pos - start, text: 'general-glo-ciphering' });
    if (withKey) {
      const iv = Buffer.concat([bytes.subarray(start + 2, start + 10), counter]);
      const gcm = createDecipheriv('aes-128-gcm', fromHex(FRAME_KEY), iv, { authTagLength: 12 });
      gcm.setAAD(Buffer.concat([Buffer.from([0x30]), fromHex(FRAME_AUTH_KEY)]));
      gcm.setAuthTag(tag);
      const plain = new Uint8Array(Buffer.concat([gcm.update(cipherText), gcm.final()]));
      const inner: Walk = { bytes: plain, fields: [], readings: w.readings, pos: 0 };
      notification(inner, 'notification');
      layers.push({ name: 'deciphered', bytes: toHex(plain), fields: inner.fields });
    }
  }
  w.pos = end;
  put('hdlc/fcs', 2, 'frame check sequence, right');
  put('hdlc/flag-end', 1, 'closing flag 7E');
  w.fields.push({ path: 'hdlc', offset: 0, length: bytes.length, text: `HDLC frame of ${bytes.length} bytes` });
  return { layers, readings: w.readings };
}
