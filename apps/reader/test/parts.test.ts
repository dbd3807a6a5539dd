import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@amiable/fsm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countersJson, countersText, newCounts } from '../src/counters.ts';
import { localMinute, logName, openLog } from '../src/log-file.ts';
import { SEARCH, type SearchEffect, type SearchInput, type SearchState, settingsToTry } from '../src/settings.ts';
import { sniff } from '../src/sniff.ts';
import { createQueue } from '../src/uplinks/queue.ts';
import { andThen } from '../src/words.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('log files', () => {
  const begin = (now: { ms: number }, more: object = {}) => {
    const folder = mkdtempSync(join(tmpdir(), 'amiable-log-'));
    const told: string[] = [];
    const log = openLog({
      folder,
      zone: 'Europe/Oslo',
      now: () => now.ms,
      processId: process.pid,
      tell: (l) => told.push(l),
      ...more,
    });
    return { folder, told, log };
  };
  it('are named as in the guide', () => {
    expect(logName('MA304T3', undefined, '2017-01-23_13:03', '2017-01-23_15:57')).toBe(
      'han-data-MA304T3-2017-01-23_13:03-15:57.dat',
    );
    expect(logName('MA105H2E', 'AB12', '2017-01-25_08:00', '2017-01-25_12:00')).toBe(
      'han-data-MA105H2E-CAB12-2017-01-25_08:00-12:00.dat',
    );
    expect(logName('a/../b c', undefined, '2017-01-25_23:50', '2017-01-26_00:10')).toBe(
      'han-data-a..bc-2017-01-25_23:50-2017-01-26_00:10.dat',
    );
    expect(logName(undefined, undefined, '2017-01-25_08:00', '2017-01-25_12:00')).toBe(
      'han-data-unknown-2017-01-25_08:00-12:00.dat',
    );
    expect(localMinute(Date.UTC(2017, 6, 1, 22, 30), 'Europe/Oslo')).toBe('2017-07-02_00:30');
  });
  it('grow under a temporary name and get their own at the end', () => {
    const now = { ms: Date.UTC(2017, 0, 23, 12, 3) };
    const { folder, log, told } = begin(now, { mark: 'AB12CD34' });
    log.write(Uint8Array.of(0x7e, 1, 2));
    expect(readdirSync(folder)).toEqual([`han-data-2017-01-23_13:03.${process.pid}.part`]);
    log.meterType('MA304T3');
    now.ms += (2 * 60 + 54) * 60_000;
    log.write(Uint8Array.of(3));
    log.close();
    expect(readdirSync(folder)).toEqual(['han-data-MA304T3-CAB12CD34-2017-01-23_13:03-15:57.dat']);
    expect([...readFileSync(join(folder, 'han-data-MA304T3-CAB12CD34-2017-01-23_13:03-15:57.dat'))]).toEqual([
      0x7e, 1, 2, 3,
    ]);
    expect(told[0]).toContain('logged 4 bytes');
  });
  it('change at local midnight, and number what would fall on an older file', () => {
    const now = { ms: Date.UTC(2017, 0, 23, 22, 59) };
    const { folder, log } = begin(now, { largest: 2 });
    log.meterType('T');
    log.write(Uint8Array.of(1));
    now.ms += 10;
    log.write(Uint8Array.of(2));
    now.ms += 100;
    log.write(Uint8Array.of(3, 4));
    now.ms += 60_000;
    log.write(Uint8Array.of(5));
    log.close();
    expect(readdirSync(folder).sort()).toEqual([
      'han-data-T-2017-01-23_23:59-2017-01-24_00:00.dat',
      'han-data-T-2017-01-23_23:59-23:59.dat',
      'han-data-T-2017-01-24_00:00-00:00.dat',
    ]);
    const again = openLog({ folder, zone: 'Europe/Oslo', now: () => now.ms, processId: process.pid, tell: () => {} });
    again.meterType('T');
    again.write(Uint8Array.of(6));
    again.close();
    expect(readdirSync(folder)).toContain('han-data-T-2017-01-24_00:00-00:00-2.dat');
  });
  it('leave nothing behind when nothing came, and take up what a killed run left', () => {
    const folder = mkdtempSync(join(tmpdir(), 'amiable-log-'));
    // No process has this number.
    writeFileSync(join(folder, 'han-data-2017-01-23_13:03.4194305.part'), 'x');
    writeFileSync(join(folder, `han-data-2017-01-23_13:04.${process.pid}.part`), 'y');
    const told: string[] = [];
    openLog({ folder, zone: 'Europe/Oslo', now: () => 0, processId: process.pid, tell: (l) => told.push(l) }).close();
    const left = readdirSync(folder).sort();
    expect(left).toHaveLength(2);
    expect(left[1]).toMatch(/^han-data-unknown-2017-01-23_13:03-.*\.dat$/);
    expect(told).toHaveLength(1);
  });
  it('say when the folder cannot be had', () => {
    const folder = mkdtempSync(join(tmpdir(), 'amiable-log-'));
    writeFileSync(join(folder, 'file'), '');
    expect(() => begin({ ms: 0 }, { folder: join(folder, 'file') })).toThrow(/file/);
  });
});

describe('queue', () => {
  it('keeps order and its bounds, whatever is put and dropped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ maxLength: 10 }), fc.integer({ min: 0, max: 5 })), { maxLength: 200 }),
        (steps) => {
          const queue = createQueue({ items: 10, bytes: 40 });
          const model: string[] = [];
          for (const one of steps) {
            if (typeof one === 'string') {
              const full = model.length >= 10 || model.join('').length >= 40;
              expect(queue.full).toBe(full);
              expect(queue.put(one)).toBe(!full);
              if (!full) model.push(one);
            } else {
              const n = Math.min(one, model.length);
              expect(queue.look(0, n, 1e9).slice(0, n)).toEqual(model.slice(0, n));
              queue.drop(n);
              model.splice(0, n);
            }
            expect(queue.length).toBe(model.length);
          }
          expect(queue.look(0, 100, 1e9)).toEqual(model);
        },
      ),
    );
  });
  it('gives at least one line and no more bytes than asked', () => {
    const queue = createQueue();
    for (const line of ['aaaa', 'bb', 'cc', 'dd']) queue.put(line);
    expect(queue.look(0, 10, 1)).toEqual(['aaaa']);
    expect(queue.look(1, 10, 4)).toEqual(['bb', 'cc']);
    expect(queue.look(1, 1, 100)).toEqual(['bb']);
  });
  it('wakes who waits for room, and who waits when it closes', async () => {
    const queue = createQueue({ items: 1, bytes: 100 });
    queue.put('a');
    let woken = 0;
    const first = queue.room().then(() => woken++);
    await Promise.resolve();
    expect(woken).toBe(0);
    queue.drop(1);
    await first;
    queue.put('b');
    const second = queue.room().then(() => woken++);
    queue.close();
    await second;
    expect(woken).toBe(2);
    expect(queue.put('c')).toBe(false);
  });
});

describe('settings', () => {
  const search = (of: number) => {
    const effects: SearchEffect[] = [];
    const machine = run<SearchState, SearchInput, SearchEffect>(
      SEARCH,
      { type: 'trying', index: 0, of, rounds: 0 },
      (e) => effects.push(e),
    );
    return { effects, machine };
  };
  it('are those the user left open', () => {
    expect(settingsToTry({})[0]).toEqual({ baud: 2400, parity: 'E' });
    expect(settingsToTry({ parity: 'N' })).toEqual([{ baud: 2400, parity: 'N' }]);
    expect(settingsToTry({ baud: 9600 }).map((s) => s.parity)).toEqual(['E', 'N', 'O']);
    expect(settingsToTry({ baud: 9600, parity: 'O' })).toEqual([{ baud: 9600, parity: 'O' }]);
  });
  it('go round until one works, which then has patience', () => {
    const { effects, machine } = search(3);
    machine.send({ type: 'patience' });
    machine.send({ type: 'good' });
    expect(effects).toEqual([
      { do: 'use', index: 1, firstRound: true },
      { do: 'found', index: 1 },
    ]);
    for (let i = 0; i < 9; i++) machine.send({ type: 'patience' });
    machine.send({ type: 'good' });
    for (let i = 0; i < 9; i++) machine.send({ type: 'patience' });
    expect(effects).toHaveLength(2);
    machine.send({ type: 'patience' });
    expect(effects.at(-1)).toEqual({ do: 'use', index: 2, firstRound: true });
    machine.send({ type: 'patience' });
    expect(effects.slice(-2)).toEqual([{ do: 'use', index: 0, firstRound: false }, { do: 'silent' }]);
  });
  it('with one only never turn, and say so once', () => {
    const { effects, machine } = search(1);
    for (let i = 0; i < 5; i++) machine.send({ type: 'patience' });
    expect(effects).toEqual([{ do: 'silent' }]);
  });
});

describe('what a file is', () => {
  it.each<[string, Uint8Array, RegExp, string | undefined]>([
    ['nothing', new Uint8Array(0), /empty/, undefined],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8), /gunzip/, undefined],
    ['zip', bytes('PK\x03\x04'), /zip/, undefined],
    ['PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47), /picture/, undefined],
    ['P1', bytes('/KFM5KAIFA-METER\r\n\r\n1-3:0.2.8(42)\r\n1-0:1.8.1(00001.1*kWh)\r\n'), /P1/, 'P1'],
    ['IEC', bytes('/EMH4\\@01LZQJL0013F\r\nC.1.0(1)\r\n'), /IEC 62056-21/, 'IEC 62056-21'],
    ['IEC without its head', bytes('\x021.8.0(000051.916*kWh)\r\n!\r\n'), /IEC 62056-21/, 'IEC 62056-21'],
    ['M-Bus', Uint8Array.of(0x68, 0x1f, 0x1f, 0x68, 0x08, 0x02, 0x72), /wired M-Bus/, 'M-Bus'],
    ['JSON', bytes('{"v":1}'), /JSON/, undefined],
    ['HTML', bytes('<html>'), /web page/, undefined],
    ['a list of paths', bytes('root:x:0:0:root:/root:/bin/bash\n/usr/bin\n'), /text, but no hex/, undefined],
    ['prose', bytes('Hello, this is my diary.'), /text, but no hex/, undefined],
  ])('%s', (_, head, words, protocol) => {
    const found = sniff(head);
    expect(found?.words).toMatch(words);
    expect(found?.protocol).toBe(protocol);
  });
  it('has no words for plain bytes', () => {
    expect(sniff(Uint8Array.of(0x7e, 0xa0, 0xff, 0))).toBeUndefined();
    expect(sniff(bytes('deadbeef'), Uint8Array.of(0xde, 0xad, 0xbe, 0xef))?.words).toMatch(/hex text \(8 digits/);
  });
});

describe('counters', () => {
  it('are a sentence', () => {
    const counts = {
      ...newCounts(),
      good: 1234,
      bytes: 99,
      files: 2,
      noise: 7,
      dropped: { fcs: 2, truncated: 1 },
      closed: { wrongKey: 1 },
    };
    expect(
      countersText(counts, [
        {
          state: 'down',
          name: 'broker b:1',
          delivered: 5,
          refused: 0,
          lost: 0,
          gaveUp: false,
          waiting: 2,
          fault: 'no',
        },
      ]),
    ).toBe(
      '1234 good messages from 99 bytes of 2 files; 3 frames refused (2 check sum wrong, 1 cut short); 1 frame not opened (1 wrong key); 7 bytes of noise.\nbroker b:1: 5 delivered, 2 NOT delivered (no).',
    );
    expect(countersText({ ...newCounts(), good: 1, bytes: 1 }, [])).toBe('1 good message from 1 byte.');
    expect(JSON.parse(countersJson(counts, []))).toMatchObject({ good: 1234, dropped: { fcs: 2 }, uplinks: [] });
  });
});

describe('what goes wrong', () => {
  it('is a sentence, also when it ends in a question', () => {
    expect(andThen('the device is gone; was it unplugged?', 'Trying again')).toBe(
      'the device is gone; was it unplugged? Trying again',
    );
    expect(andThen('nobody listens there', 'Trying again')).toBe('nobody listens there. Trying again');
  });
});
