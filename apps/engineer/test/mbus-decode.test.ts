import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromHex, toHex } from '@amiable/bytes';
import { encodeRecords, encodeTelegram, encodeWirelessFrame } from '@amiable/mbus';
import { afterAll, describe, expect, it } from 'vitest';
import { runDecode } from '../src/mbus/decode.ts';

const folder = mkdtempSync(join(tmpdir(), 'mbus-decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = '000102030405060708090A0B0C0D0E0F';
const OTHER = 'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF';
const meter = { identification: '12345678', manufacturer: 'AMI', version: 1, medium: 7 };
const records = encodeRecords([{ vif: [0x13], data: { type: 'integer', octets: 4, value: 1234 } }]);
const plain = encodeTelegram({ meter, accessNumber: 1, records });
const sealed = encodeTelegram({ meter, accessNumber: 2, records, security: { mode: 5, key: fromHex(KEY) } });
/** A water meter on a wire: the same volume. */
const WIRED = '68 15 15 68 08 05 72 78 56 34 12 A9 05 01 07 01 00 00 00 04 13 D2 04 00 00 69 16';

function wiredWithSum(): string {
  const bytes = fromHex(WIRED);
  let sum = 0;
  for (let i = 4; i < bytes.length - 2; i++) sum += bytes[i] as number;
  bytes[bytes.length - 2] = sum & 0xff;
  return toHex(bytes, ' ').toUpperCase();
}

async function run(text: string, given: Record<string, unknown> = { json: true }) {
  const file = join(folder, 'frames.hex');
  writeFileSync(file, text);
  let out = '';
  let err = '';
  const code = await runDecode([file], given, {
    stdout: { write: (t) => (out += t) },
    stderr: { write: (t) => (err += t) },
    stdin: (async function* () {})(),
  });
  return {
    code,
    out,
    err,
    messages: given.json
      ? out
          .split('\n')
          .filter(Boolean)
          .map((l) => JSON.parse(l))
      : [],
  };
}

describe('amiable mbus decode', () => {
  it('wired and wireless frames of one file, with and without link CRCs, over several lines', async () => {
    const wired = wiredWithSum();
    const formA = toHex(encodeWirelessFrame(plain, 'A'));
    const text = [toHex(plain), formA, wired, wired.slice(0, 30), wired.slice(30), `${toHex(plain)}|`].join('\n');
    const { code, messages } = await run(text);
    expect(code).toBe(0);
    expect(messages.map((m) => m.protocol)).toEqual(['wmbus', 'wmbus', 'mbus', 'mbus', 'wmbus']);
    for (const m of messages) expect(m.readings[0]).toMatchObject({ name: 'volume', value: 1.234, unit: 'm3' });
  });

  it('keys: for all, for one meter, none, the wrong one; the exit code says whether anything was good', async () => {
    const text = toHex(sealed);
    for (const key of [KEY, `12345678=${KEY}`]) expect((await run(text, { json: true, key: [key] })).code).toBe(0);
    for (const [key, words] of [
      [[], /no key was given/],
      [[OTHER], /wrong key/],
      [[`87654321=${KEY}`], /no key was given/],
    ] as const) {
      const { code, messages, err } = await run(text, { json: true, key });
      expect([code, messages.length]).toEqual([3, 0]);
      expect(err).toMatch(words);
    }
    const { code, messages } = await run(`${text}\n${toHex(plain)}`, { json: true, bad: true });
    expect(code).toBe(0);
    expect(messages[0]).toMatchObject({ error: { reason: 'noKey' }, raw: toHex(sealed), meterId: '12345678' });
  });

  it('wrong usage is 2, and no error shows a key', async () => {
    for (const given of [{ key: ['12'] }, { key: ['=00'] }, { key: [`${KEY}x`] }, { tz: 'Mars/Base' }]) {
      const { code, err } = await run(toHex(plain), given);
      expect(code).toBe(2);
      expect(err).not.toContain(KEY);
    }
    expect(
      await runDecode(
        [join(folder, 'none.hex')],
        {},
        { stdout: { write() {} }, stderr: { write() {} }, stdin: (async function* () {})() },
      ),
    ).toBe(2);
  });

  it('a damaged frame is told, with --bad it is shown, and what is no frame is told with its line', async () => {
    const damaged = encodeWirelessFrame(plain, 'A');
    damaged[20] = (damaged[20] as number) ^ 1;
    const quiet = await run(`${toHex(damaged)}\nwhat is this`);
    expect([quiet.code, quiet.messages.length]).toEqual([3, 0]);
    expect(quiet.err).toMatch(/CRC does not fit/);
    expect(quiet.err).toMatch(/line 2: no frame/);
    const { code, messages } = await run(toHex(damaged), { json: true, bad: true });
    expect([code, messages[0]?.error.reason]).toEqual([3, 'crc']);
  });

  it('prints a table for people, and every octet with --trace', async () => {
    const { out, err } = await run(`${toHex(plain)}\n${wiredWithSum()}`, { trace: true });
    expect(out).toMatch(/^AMI 12345678 Water\n {2}volume +1\.234 m3\n\nAMI 12345678 Water\n/);
    expect(err).toMatch(/transport\/ci: 7A: records/);
    expect(err).toMatch(/M-Bus frame/);
  });
});
