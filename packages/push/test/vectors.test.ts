/** Frames of real meters to canonical messages; the independent values beside them keep us honest. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageToJson } from '@amiable/model';
import { describe, expect, it } from 'vitest';
import { createPushDecoder, explainNotification } from '../src/index.ts';
import { apduOf, type Capture } from './frames.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Names of the independent values and the short codes that they stand for. */
const CODES: Record<string, string> = {
  active_power_import: '1.7.0',
  active_power_export: '2.7.0',
  reactive_power_import: '3.7.0',
  reactive_power_export: '4.7.0',
  current_l1: '31.7.0',
  current_l2: '51.7.0',
  current_l3: '71.7.0',
  voltage_l1: '32.7.0',
  voltage_l2: '52.7.0',
  voltage_l3: '72.7.0',
  active_power_import_total: '1.8.0',
  active_power_export_total: '2.8.0',
  reactive_power_import_total: '3.8.0',
  reactive_power_export_total: '4.8.0',
  active_power_import_l1: '21.7.0',
  active_power_import_l2: '41.7.0',
  active_power_import_l3: '61.7.0',
};

interface Reading {
  readonly obis?: string;
  readonly value: number | string;
}
interface Told {
  readonly meterId?: string;
  readonly meterType?: string;
  readonly readings: readonly Reading[];
}

function checkValues(message: Told, values: Record<string, number | string>): void {
  if (values.meter_id !== undefined) expect(message.meterId).toBe(values.meter_id);
  if (values.meter_type !== undefined) expect(message.meterType).toBe(values.meter_type);
  for (const [name, value] of Object.entries(values)) {
    const code = CODES[name];
    if (code)
      expect(message.readings.find((r) => r.obis?.endsWith(`:${code}`))?.value, name).toBeCloseTo(value as number, 6);
  }
}

function checkCodes(message: Told, codes: Record<string, number>): void {
  for (const [dotted, value] of Object.entries(codes)) {
    const [a, b, c, d, e] = dotted.split('.');
    const reading = message.readings.find((r) => r.obis === `${a}-${b}:${c}.${d}.${e}`);
    if (a !== '0' || c !== '0') expect(reading?.value, dotted).toBeCloseTo(value, 6);
  }
}

const decode = (apdu: Uint8Array, lenient: boolean) => createPushDecoder().decode(apdu, 0, apdu, lenient);

describe('vectors', () => {
  const folder = `${root}vectors/han/`;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const expected = JSON.parse(readFileSync(folder + file, 'utf8'));
    if (expected.kind === 'stream') continue;
    it(file.slice(0, -5), () => {
      const apdu = apduOf(readFileSync(folder + file.replace(/json$/, 'hex'), 'utf8'), expected as Capture);
      const message = decode(apdu, expected.kind === 'quirk');
      const told = JSON.parse(messageToJson(message));
      expect(told).toMatchObject(expected.message);
      expect(told.readings).toEqual(expected.message.readings);
      checkValues(told, expected.independent?.values ?? {});
      checkCodes(told, expected.independent?.obis ?? {});
    });
    it(`${file.slice(0, -5)}: every byte and every reading explained`, () => {
      const apdu = apduOf(readFileSync(folder + file.replace(/json$/, 'hex'), 'utf8'), expected as Capture);
      const fields = explainNotification(apdu);
      let at = 0;
      for (const field of fields) {
        expect(field.offset, field.path).toBe(at);
        at += field.length;
      }
      expect(at).toBe(apdu.length);
      const told = fields.flatMap((f) => (f.reading === undefined ? [] : [f.reading]));
      // An empty string has no bytes to light up.
      const readings = expected.message.readings.flatMap((r: Reading, i: number) => (r.value === '' ? [] : [i]));
      expect(told).toEqual(readings);
    });
  }
});

/** More frames, of licences that keep them out of this repository, are tried where they lie beside the checkout. */
const beside = `${root}../shared/data/han/`;
describe.skipIf(!existsSync(beside))('frames beside the checkout', () => {
  const files = existsSync(beside) ? readdirSync(beside).filter((name) => name.endsWith('.expected.json')) : [];
  for (const file of files) {
    const expected = JSON.parse(readFileSync(beside + file, 'utf8'));
    if (expected.kind === 'stream' || expected.kind === 'error') continue;
    it(file, () => {
      const capture = { layer: expected.layer, key: expected.key, authKey: expected.auth_key };
      const apdu = apduOf(readFileSync(beside + file.replace('expected.json', 'hex'), 'utf8'), capture);
      const told = JSON.parse(messageToJson(decode(apdu, expected.kind === 'quirk')));
      checkValues(told, expected.values ?? {});
    });
  }
});
