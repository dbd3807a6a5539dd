/**
 * Every real frame that is at hand decodes to what it should: those of vectors/han to their canonical messages, and a larger
 * collection beside the checkout, where there is one, to the values that their sources expect.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromHex } from '@amiable/bytes';
import { describe, expect, test } from 'vitest';
import { type Json, type Keys, read } from './read.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const own = join(root, 'vectors/han');
const beside = join(root, '../shared/data/han');

const bytesOf = (folder: string, name: string) => fromHex(readFileSync(join(folder, `${name}.hex`), 'utf8'));
const casesIn = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((f) => f.endsWith('.hex'))
        .map((f) => f.slice(0, -4))
    : [];

function sameHoweverCut(bytes: Uint8Array, keys: Keys): void {
  for (const bad of [false, true]) {
    const whole = read(bytes, keys, { bad });
    for (const chunk of [1, 7, 64]) {
      const cut = read(bytes, keys, { bad }, chunk);
      expect(cut.texts).toEqual(whole.texts);
      expect(cut.drops).toEqual(whole.drops);
      expect(cut.reader.counters).toEqual(whole.reader.counters);
    }
  }
}

describe('vectors/han', () => {
  interface Vector extends Keys {
    readonly kind: string;
    readonly frames?: readonly string[];
    readonly checkSumsGood?: boolean;
    readonly message?: Record<string, unknown>;
  }
  const vector = (name: string) => JSON.parse(readFileSync(join(own, `${name}.json`), 'utf8')) as Vector;
  const READERS_FLAGS = ['notAuthenticated', 'checksumBad', 'meterIdInherited'];
  /** Without what only the reader knows: itself, the message before, the maker in a system title. */
  function canonical(line: string, wanted: Record<string, unknown> = {}): Record<string, unknown> {
    const m = JSON.parse(line) as Record<string, unknown>;
    const flags = m.flags as string[];
    for (const key of ['v', 'id', 'reader', 'port', 'receivedAt', 'raw', 'error']) delete m[key];
    if (flags.includes('meterIdInherited')) delete m.meterId;
    if (wanted.maker === undefined) delete m.maker;
    return { ...m, flags: flags.filter((f) => !READERS_FLAGS.includes(f)) };
  }

  test.each(casesIn(own))('%s', (name) => {
    const want = vector(name);
    const bytes = bytesOf(own, name);
    sameHoweverCut(bytes, want);
    const { texts, json } = read(bytes, want, { bad: want.checkSumsGood === false });
    const wanted = want.frames?.map((frame) => vector(frame).message) ?? [want.message];
    const got = texts.map((t, i) => canonical(t, wanted[i]));
    expect(got).toEqual(wanted);
    expect(json.every((m) => m.flags.includes('checksumBad'))).toBe(want.checkSumsGood === false);
    if (want.checkSumsGood === false) expect(read(bytes, want).messages).toEqual([]);
  });
});

interface Expected {
  readonly kind: string;
  readonly checks_ok?: boolean | null;
  readonly key?: string;
  readonly auth_key?: string;
  readonly frames?: number | string[];
  readonly rejected?: number | string;
  readonly values?: Record<string, number | string>;
  readonly objects?: { obis: string; type: string; value: number | string; scaler?: number }[];
  readonly obis?: Record<string, number | string>;
  readonly list?: (number | string)[];
  readonly apdu_datetime?: string;
}

describe.skipIf(!existsSync(beside))('the collection beside the checkout', () => {
  const load = (name: string) => JSON.parse(readFileSync(join(beside, `${name}.expected.json`), 'utf8')) as Expected;

  test.each(casesIn(beside))('%s', (name) => {
    const expected = load(name);
    const bytes = bytesOf(beside, name);
    const keys = { key: expected.key, authKey: expected.auth_key };
    sameHoweverCut(bytes, keys);
    const { json, drops } = read(bytes, keys);
    if (Array.isArray(expected.frames)) {
      expect(json.length).toBe(expected.frames.length);
      for (const [i, frame] of expected.frames.entries()) check(load(frame), [json[i] as Json]);
      if (typeof expected.rejected === 'number') expect(drops.length).toBe(expected.rejected);
    } else if (expected.checks_ok === false) {
      expect(json).toEqual([]);
      expect(drops.length).toBeGreaterThan(0);
      const bad = read(bytes, keys, { bad: true });
      expect(bad.json.map((m) => m.flags.includes('checksumBad'))).toEqual([true]);
      check(expected, bad.json);
    } else {
      expect(drops).toEqual([]);
      check(expected, json);
    }
  });
});

/** Name in the expected files to group C.D.E. */
const NAMES: Record<string, string> = {
  active_power_import: '1.7.0',
  active_power_export: '2.7.0',
  reactive_power_import: '3.7.0',
  reactive_power_export: '4.7.0',
  active_power_import_total: '1.8.0',
  active_power_export_total: '2.8.0',
  reactive_power_import_total: '3.8.0',
  reactive_power_export_total: '4.8.0',
};
for (const [i, phase] of ['l1', 'l2', 'l3'].entries()) {
  NAMES[`current_${phase}`] = `${31 + 20 * i}.7.0`;
  NAMES[`voltage_${phase}`] = `${32 + 20 * i}.7.0`;
  for (const [k, what] of [
    'active_power_import',
    'active_power_export',
    'reactive_power_import',
    'reactive_power_export',
  ].entries())
    NAMES[`${what}_${phase}`] = `${21 + k + 20 * i}.7.0`;
}

const cde = (obis: string) =>
  /^\d+\.\d+\.\d+\.\d+/.test(obis) ? obis.split('.').slice(2, 5).join('.') : obis.split(':').pop();
const near = (a: unknown, b: number) => typeof a === 'number' && Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
/** Some sources give the bare number: any power of ten of it. */
const likes = (got: unknown, raw: number) => [-4, -3, -2, -1, 0, 1, 2, 3, 4].some((n) => near(got, raw * 10 ** n));

function check(expected: Expected, messages: readonly Json[]): void {
  expect(messages.length).toBe(1);
  const [message] = messages as [Json];
  const byCode = new Map<string, number | string>();
  for (const r of message.readings)
    for (const code of r.obis ? [r.obis, cde(r.obis) as string] : []) if (!byCode.has(code)) byCode.set(code, r.value);
  const at = (dotted: string) => {
    const [a, b, ...rest] = dotted.split('.');
    return byCode.get(`${a}-${b}:${rest.slice(0, 3).join('.')}`) ?? byCode.get(cde(dotted) as string);
  };
  const misses: string[] = [];
  for (const [name, value] of Object.entries(expected.values ?? {})) {
    const code = NAMES[name];
    if (name === 'meter_id') expect(message.meterId).toBe(value);
    else if (code && !near(byCode.get(code), Number(value))) misses.push(`${name}: ${byCode.get(code)}, not ${value}`);
  }
  const every = message.readings.map((r) => r.value);
  for (const o of expected.objects ?? []) {
    const got = at(o.obis);
    if (typeof o.value !== 'number') continue;
    const same = o.scaler === undefined ? likes(got, o.value) : near(got, o.value);
    if (!same) misses.push(`${o.obis}: ${got}, not ${o.value}`);
  }
  for (const [code, value] of Object.entries(expected.obis ?? {}))
    if (typeof value === 'number' && !likes(at(code), value)) misses.push(`${code}: ${at(code)}, not ${value}`);
  for (const value of expected.list ?? [])
    if (typeof value === 'number' && value !== 0 && !every.some((v) => likes(v, value)))
      misses.push(`${value} is nowhere`);
  expect(misses).toEqual([]);
  if (expected.apdu_datetime) expect(message.meterTime?.slice(0, 19)).toBe(expected.apdu_datetime.slice(0, 19));
}
