/** `amiable read -f`: what comes out, on which stream, with which exit code. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '@amiable/bytes';
import { lineTime, virtualClock } from '@amiable/io';
import { describe, expect, it } from 'vitest';
import { file, folder, read, start } from './bench.ts';
import { AUTH_KEY_HEX, figure2, frame, joined, KEY_HEX, list1, list2, sealedFrame } from './kaifa.ts';

const all = joined(...figure2);
const WRONG = 'FF'.repeat(16);
const sealed = joined(...[0, 2, 4].map((s) => sealedFrame(list1([2017, 1, 20, 16, 8, s]))));

describe('text', () => {
  it("is the guide's figure 2 from the guide's frames", async () => {
    const { code, out, err } = await read(['-f', file(all)]);
    expect(out).toBe(readFileSync(new URL('figure-2.txt', import.meta.url), 'utf8'));
    expect(err).toBe(`3 good messages from ${all.length} bytes.\n`);
    expect(code).toBe(0);
  });
  it('is the same from hex text, from standard input and in any cut', async () => {
    const expected = (await read(['-f', file(all)])).out;
    for (const text of [toHex(all), toHex(all, ' ').toUpperCase(), toHex(all).replace(/.{7}/g, '$&\r\n')])
      expect((await read(['-f', file(text)])).out).toBe(expected);
    const bytes = Array.from(all, (b) => Uint8Array.of(b));
    expect((await read(['-f', '-'], { stdin: bytes })).out).toBe(expected);
  });
  it('traces every byte when asked', async () => {
    const { out } = await read(['-f', file(figure2[0]!), '--trace']);
    expect(out).toMatch(/^ {4}0 {2}7e /m);
    expect(out).toContain('Act Pow + (Q1+Q4): 220');
    const json = await read(['-f', file(figure2[0]!), '--trace', '--json']);
    expect(json.lines()).toHaveLength(1);
    expect(json.err).toMatch(/^ {4}0 {2}7e /m);
  });
});

describe('JSON', () => {
  it('is one canonical object a line', async () => {
    const { lines, code } = await read(['-f', file(all), '--json', '--reader', 'attic', '--tz', 'Europe/Oslo']);
    expect(code).toBe(0);
    const [one, two, three] = lines();
    expect(one).toMatchObject({
      v: 1,
      reader: 'attic',
      port: 'han0',
      protocol: 'han',
      maker: 'Kaifa',
      meterTime: '2017-01-20T16:08:38',
      flags: [],
    });
    expect(one).not.toHaveProperty('meterId');
    expect(one).not.toHaveProperty('raw');
    expect(two).toMatchObject({
      list: 'KFM_001',
      meterId: '6970631400000066',
      meterType: 'MA304H3E',
      time: '2017-01-20T15:08:40Z',
    });
    const registers = (three!.readings as { obis: string; value: number; time?: string }[]).filter((r) =>
      /:[1-4]\.8\.0$/.test(r.obis),
    );
    expect(registers.map((r) => [r.value, r.time])).toEqual(
      [676_189, 716, 111_698, 4597].map((v) => [v, '2017-01-23T13:00:00Z']),
    );
  });
  it('has the bytes when asked, and the same ids every time', async () => {
    const path = file(all);
    const first = await read(['-f', path, '--json', '--raw']);
    expect(first.lines().map((m) => m.raw)).toEqual(figure2.map((f) => toHex(f)));
    const ids = (await read(['-f', path, '--json'])).lines().map((m) => m.id);
    expect(ids).toEqual(first.lines().map((m) => m.id));
    expect(new Set(ids).size).toBe(3);
  });
  it('inherits the meter id within one port', async () => {
    const path = file(joined(figure2[1]!, figure2[0]!));
    expect((await read(['-f', path, '--json'])).lines()[1]).toMatchObject({
      meterId: '6970631400000066',
      flags: ['meterIdInherited'],
    });
  });
  it('of the thesis is valid and right', async () => {
    const { lines } = await read(['-f', file(all), '--json', 'thesis']);
    expect(lines()[1]).toMatchObject({
      Logger_MAC: '5C:CF:7F:53:BA:8A',
      Timestamp: '2017-01-20-16-08-40',
      data: {
        MeterID: '6970631400000066',
        ActiveImportPower: '0.220',
        ActiveExportPower: '0.000',
        ReactiveExportPower: '0.005',
        CurrentL1: '905',
        VoltageL1: '2404',
      },
    });
  });
});

describe('keys', () => {
  it('open an encrypted capture', async () => {
    const { out, err, code } = await read(['-f', file(sealed), '-k', KEY_HEX, '--auth-key', AUTH_KEY_HEX]);
    expect([...out.matchAll(/Act Pow \+ \(Q1\+Q4\): 220/g)]).toHaveLength(3);
    expect(code).toBe(0);
    expect(err).not.toContain(KEY_HEX);
  });
  it('without the authentication key open it with a flag', async () => {
    const { lines } = await read(['-f', file(sealed), '-k', KEY_HEX, '--json']);
    expect(lines().map((m) => m.flags)).toEqual([['notAuthenticated'], ['notAuthenticated'], ['notAuthenticated']]);
  });
  it('by system title or meter id', async () => {
    for (const id of ['4B464D1020000001', '4b464d1020000001', '6970631400000066'])
      expect((await read(['-f', file(sealed), '-k', `${id}=${KEY_HEX}`])).code).toBe(0);
  });
  it('that are missing or wrong are told, with how many frames were kept', async () => {
    const none = await read(['-f', file(sealed)]);
    expect(none.code).toBe(3);
    expect(none.err).toMatch(/encrypted: 3 frames need a key; give it with -k/);
    expect(none.out).toBe('');
    const wrong = await read(['-f', file(sealed), '-k', WRONG]);
    expect(wrong.code).toBe(3);
    expect(wrong.err).toMatch(/wrong key: 3 frames could not be opened/);
    const wrongAuth = await read(['-f', file(sealed), '-k', KEY_HEX, '--auth-key', WRONG]);
    expect(wrongAuth.code).toBe(3);
    expect(wrongAuth.err).toMatch(/the authentication key may be the wrong one/);
    for (const { err } of [wrong, wrongAuth]) expect(err).not.toMatch(/ff{8}/i);
  });
  it('that are missing show with --bad, and do not change the exit code', async () => {
    const { lines, code } = await read(['-f', file(sealed), '--bad', '--json']);
    expect(code).toBe(3);
    expect(lines()).toHaveLength(3);
    expect(lines()[0]).toMatchObject({ readings: [], error: { reason: 'noKey' }, raw: expect.stringMatching(/^7e/) });
  });
});

describe('damage', () => {
  const broken = figure2[1]!.slice();
  // The last voltage.
  broken[broken.length - 4] = broken[broken.length - 4]! ^ 1;
  it('is counted and told', async () => {
    const { code, out, err } = await read(['-f', file(joined(figure2[0]!, broken, figure2[2]!))]);
    expect(code).toBe(0);
    expect([...out.matchAll(/Act Pow \+/g)]).toHaveLength(2);
    expect(err).toMatch(/2 good messages from \d+ bytes; 1 frame refused \(1 check sum wrong\)/);
  });
  it('shows with --bad only', async () => {
    const { lines, code } = await read(['-f', file(broken), '--bad', '--json']);
    expect(code).toBe(3);
    expect(lines()[0]).toMatchObject({ flags: ['checksumBad'], error: { reason: 'fcs' } });
    const quiet = await read(['-f', file(broken)]);
    expect(quiet.out).toBe('');
    expect(quiet.err).toMatch(/no good message in it: the only frame was refused; --bad shows/);
  });
  it('is counted for programs, too', async () => {
    const { err } = await read(['-f', file(joined(figure2[0]!, broken)), '--counters', 'json', '-q']);
    expect(JSON.parse(err)).toMatchObject({ good: 1, dropped: { fcs: 1 }, files: 1, uplinks: [] });
  });
});

describe('files', () => {
  it('may be several', async () => {
    const { out, err, code } = await read(['-f', file(figure2[0]!), '-f', file(figure2[1]!), file('', 'empty.dat')]);
    expect(code).toBe(0);
    expect([...out.matchAll(/Act Pow \+/g)]).toHaveLength(2);
    expect(err).toMatch(/empty\.dat: no capture of a meter: it is empty/);
    expect(err).toMatch(/of 3 files/);
  });
  it.each<[string, Uint8Array | string, RegExp]>([
    ['empty', '', /it is empty/],
    ['text', 'Dear diary, today the meter blinked.', /it is text, but no hex text/],
    ['gzip', Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), /gunzip/],
    ['hex of nothing', 'deadbeef'.repeat(20), /it is hex text .* no frame of a meter/],
    [
      'a P1 telegram whose check sum is wrong',
      '/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(42)\r\n1-0:1.8.1(00001.1*kWh)\r\n!1234\r\n',
      /no good message in it: the only frame was refused/,
    ],
    [
      'noise',
      Uint8Array.from({ length: 3000 }, (_, i) => (i * 97 + (i >> 3)) & 0x7f),
      /no capture of a meter|no good message/,
    ],
  ])('that are none: %s', async (_, content, words) => {
    const { code, out, err } = await read(['-f', file(content)]);
    expect(err).toMatch(words);
    expect(out).toBe('');
    expect(code).toBe(3);
  });
  it.each<[string, Uint8Array | string, string]>([
    ['P1', '/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(42)\r\n1-0:1.8.1(00001.1*kWh)\r\n!2EF8\r\n', 'p1'],
    ['IEC 62056-21', '/EMH4\\@01LZQJL0013F\r\nF.F(00000000)\r\n1-0:1.8.0*255(000051.916)\r\n!\r\n', 'iec62056-21'],
    [
      'M-Bus',
      '68 1F 1F 68 08 02 72 78 56 34 12 24 40 01 07 55 00 00 00 03 13 15 31 00 DA 02 3B 13 01 8B 60 04 37 18 02 18 16',
      'mbus',
    ],
    ['wireless M-Bus', '14 44 2D 2C 78 56 34 12 1B 16 7A 01 00 00 00 04 13 D2 04 00 00', 'wmbus'],
  ])('of any protocol: %s', async (_, content, protocol) => {
    const { code, out, err } = await read(['-f', file(content), '--json']);
    expect(err).toMatch(/1 good message/);
    expect(JSON.parse(out).protocol).toBe(protocol);
    expect(code).toBe(0);
  });
  it.each<[string, RegExp]>([
    [join(folder, 'none.dat'), /none\.dat: there is no such file/],
    [folder, /it is a folder/],
    ['/dev/null', /it is a device, not a file; read it with -d \/dev\/null/],
  ])('that cannot be read are wrong usage: %s', async (path, words) => {
    const { code, err, out } = await read(['-f', file(figure2[0]!), '-f', path]);
    expect(err).toMatch(words);
    expect(err).not.toMatch(/\n\s+at /);
    expect([code, out]).toEqual([2, '']);
  });
  it('are logged when asked, under the name of the guide', async () => {
    const logs = join(folder, 'logs');
    const { err } = await read(['-f', file(sealed), '-k', KEY_HEX, '--log', '--log-dir', logs, '-q']);
    const [name] = readdirSync(logs);
    expect(name).toMatch(/^han-data-unknown-C[0-9A-F]{8}-\d{4}-\d\d-\d\d_\d\d:\d\d-.*\.dat$/);
    expect(name).not.toContain(KEY_HEX);
    expect(toHex(readFileSync(join(logs, name!)))).toBe(toHex(sealed));
    expect(err).toContain('logged');
  });
});

describe('time', () => {
  it('is real at the baud rate asked for', async () => {
    const clock = virtualClock(1_000_000);
    const bench = start(['-f', '-', '--speed', '2400'], { clock, stdin: [all] });
    const whole = lineTime(all.length, 2400, 'E');
    for (let i = 0; i < 400 && bench.out() === ''; i++) await clock.advance(5);
    expect(clock.now() - 1_000_000).toBeGreaterThan(lineTime(figure2[0]!.length, 2400, 'E') * 0.8);
    expect(clock.now() - 1_000_000).toBeLessThan(whole);
    for (let i = 0; i < 4000 && !/good/.test(bench.err()); i++) await clock.advance(5);
    expect(await bench.code).toBe(0);
    expect(clock.now() - 1_000_000).toBeGreaterThan(whole * 0.95);
  });
  it("follows the meter's clock, or waits after each message", async () => {
    const frames = joined(
      frame(list2([2017, 1, 20, 16, 8, 0])),
      frame(list1([2017, 1, 20, 16, 9, 0])),
      frame(list1([2017, 1, 20, 16, 10, 0])),
    );
    for (const [argv, ms] of [
      [['--speed', '60x'], 2000],
      [['--pause', '0.5'], 1500],
    ] as const) {
      const clock = virtualClock(0);
      const bench = start(['-f', '-', ...argv], { clock, stdin: [frames] });
      await bench.until(/MA304H3E/);
      for (let i = 0; i < 1000 && !/good/.test(bench.err()); i++) await clock.advance(10);
      expect(await bench.code).toBe(0);
      expect(Math.abs(clock.now() - ms)).toBeLessThan(150);
    }
  });
});

describe('ending', () => {
  it('is clean when the user asks, with counters', async () => {
    const forever = (async function* () {
      for (;;) {
        yield figure2[0]!;
        await new Promise((r) => setImmediate(r));
      }
    })();
    const bench = start(['-f', '-', '--json'], { stdin: forever });
    await bench.until(/"v":1/);
    bench.end();
    expect(await bench.code).toBe(0);
    expect(bench.err()).toMatch(/good messages? from/);
  });
  it('is quiet when nobody reads any more', async () => {
    const many = joined(...Array.from({ length: 3000 }, () => figure2[0]!));
    const { code, err, out } = await read(['-f', file(many), '--json'], { closesAfter: 1 });
    expect([code, err]).toEqual([0, '']);
    expect(out.length).toBeLessThan(300_000);
  });
});
