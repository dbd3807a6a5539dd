/** The meters of an M-Bus that are asked: all of them, whatever one of them does. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { meterWords, openBusMemory, slaveAddressOf, slaveAddressText } from '../../src/polled/index.ts';
import { begin, createLine, type Line, mbus, slave, T0 } from './bench.ts';

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const volumes = (messages: readonly { meterId?: string; values: readonly unknown[] }[]) =>
  messages.map((m) => `${m.meterId}: ${m.values.join(' ')}`.trim());
/** Three meters whose volumes grow; the last gives three telegrams. */
const three = (line: Line) => {
  const grown = (by: number) => () => [by + Math.round((line.clock.now() - T0) / QUARTER)];
  return [
    slave(1, '10000001', grown(1000)),
    slave(5, '10000005', grown(5000)),
    slave(250, '10000250', () => [7, 8, 9]),
  ] as const;
};

describe('meters of an M-Bus', () => {
  it('are asked by address and by number, all telegrams of each, once a round', async () => {
    const line = createLine();
    const bus = three(line);
    mbus(line, bus);
    const port = begin(line, 'mbus', { interval: QUARTER, meters: meterWords('1, 10000005 250') });
    await line.clock.advance(MINUTE);
    expect(volumes(port.messages)).toEqual([
      '10000001: 1000',
      '10000005: 5000',
      '10000250: 7',
      '10000250: 8',
      '10000250: 9',
    ]);
    expect(port.messages[0]).toMatchObject({ reader: 'attic', port: 'p0', protocol: 'mbus', maker: 'KAM', flags: [] });
    expect(port.messages[0]!.raw![0]).toBe(0x68);
    expect(port.messages[0]!.receivedAt).toBeGreaterThan(T0);
    await line.clock.advance(QUARTER);
    expect(volumes(port.messages.slice(5, 7))).toEqual(['10000001: 1001', '10000005: 5001']);
    expect(port.reader.counters).toMatchObject({ frames: 10, good: 10, dropped: {}, noise: 0 });
    expect(new Set(port.messages.map((m) => m.id)).size).toBe(10);
    expect(port.told).toEqual([
      'reading /dev/test at 2400 8E1, every 900 s',
      'meters answer with 2400 baud, parity even',
    ]);
    await port.stop();
    expect(line.clock.pending).toBe(0);
  });
  it('a converter that echoes changes nothing', async () => {
    const line = createLine();
    mbus(line, three(line), { echo: true });
    const port = begin(line, 'mbus', { interval: QUARTER, meters: ['1', '10000005', '250'] });
    await line.clock.advance(MINUTE);
    expect(port.reader.counters).toMatchObject({ frames: 5, good: 5, dropped: {}, noise: 0 });
    await port.stop();
  });
  it('are searched by address once, read as they are found, and remembered over a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'amiable-polled-'));
    const memory = () => openBusMemory(folder).of('p0', '/dev/test', []);
    const line = createLine();
    mbus(line, three(line));
    const port = begin(line, 'mbus', { interval: QUARTER, memory: memory() });
    await line.clock.advance(10_000);
    // The search has not come far, and two meters are read already.
    expect(volumes(port.messages)).toEqual(['10000001: 1000', '10000005: 5000']);
    expect(memory().load()).toBeUndefined();
    await line.clock.advance(QUARTER);
    expect(port.told.filter((text) => /found|search/.test(text))).toEqual([
      'searching the bus for meters, addresses 0 to 250; it takes some minutes',
      'found meter 1: KAM 10000001',
      'found meter 5: KAM 10000005',
      'found meter 250: KAM 10000250',
    ]);
    expect(memory().load()).toEqual(['1', '5', '250']);
    expect(port.reader.counters.dropped).toEqual({});
    await port.stop();
    line.written.length = 0;
    const again = begin(line, 'mbus', { interval: QUARTER, memory: memory() });
    await line.clock.advance(MINUTE);
    expect(again.messages).toHaveLength(5);
    // 10 40 AA: the link of each address was reset, of nobody else.
    expect(
      line.written.filter((hex) => hex.startsWith('1040')).map((hex) => Number.parseInt(hex.slice(4, 6), 16)),
    ).toEqual([1, 5, 250]);
    // Other meters asked for, or another device: searched anew.
    expect(openBusMemory(folder).of('p0', '/dev/other', []).load()).toBeUndefined();
    expect(openBusMemory(folder).of('p0', '/dev/test', ['secondary']).load()).toBeUndefined();
    await again.stop();
  });
  it('are searched by number where several have one address', async () => {
    const line = createLine();
    mbus(line, [slave(0, '10000001', () => [1]), slave(0, '27654321', () => [77])]);
    const port = begin(line, 'mbus', { interval: QUARTER, meters: ['secondary'] });
    await line.clock.advance(5 * MINUTE);
    expect(volumes(port.messages).sort()).toEqual(['10000001: 1', '27654321: 77']);
    expect(port.reader.counters.dropped).toEqual({});
    await line.clock.advance(QUARTER);
    expect(port.messages).toHaveLength(4);
    await port.stop();
    const other = createLine();
    mbus(other, [slave(0, '10000001', () => [1]), slave(0, '27654321', () => [77])]);
    const primary = begin(other, 'mbus', { interval: QUARTER });
    await other.clock.advance(5 * MINUTE);
    expect(primary.told.some((text) => /several meters answer at 0/.test(text))).toBe(true);
    await primary.stop();
  });
  it('one that does not answer is told once and asked on, the others are read, and it is told when it is back', async () => {
    const line = createLine();
    const bus = three(line);
    mbus(line, bus);
    const port = begin(line, 'mbus', { interval: MINUTE, meters: ['1', '5', '250'] });
    await line.clock.advance(MINUTE / 2);
    bus[1].powered = false;
    await line.clock.advance(3 * MINUTE);
    expect(port.messages.filter((m) => m.meterId === '10000005')).toHaveLength(1);
    expect(port.messages.filter((m) => m.meterId === '10000001')).toHaveLength(4);
    expect(port.reader.counters.dropped).toEqual({ noAnswer: 3 });
    expect(port.told.filter((text) => /meter 5/.test(text))).toEqual([
      expect.stringMatching(
        /^meter 5: the meter did not answer \(SND_NKE to 5: expected E5, nothing came\)\. It is asked again each round/,
      ),
    ]);
    bus[1].powered = true;
    await line.clock.advance(MINUTE);
    expect(port.told.at(-1)).toBe('meter 5 answers again');
    expect(port.messages.filter((m) => m.meterId === '10000005')).toHaveLength(2);
    await port.stop();
  });
  it('a damaged telegram is asked for again and counted by its cause; what came before it is kept', async () => {
    const line = createLine();
    mbus(line, three(line));
    let n = 0;
    line.spoil = (bytes) => (bytes.length > 10 && ++n === 2 ? bytes.map((b, i) => (i === 20 ? b ^ 4 : b)) : bytes);
    const port = begin(line, 'mbus', { interval: QUARTER, meters: ['250'] });
    await line.clock.advance(MINUTE);
    expect(volumes(port.messages)).toEqual(['10000250: 7', '10000250: 8', '10000250: 9']);
    expect(port.reader.counters).toMatchObject({ good: 3, dropped: { checksum: 1 } });
    // The second telegram never comes whole, nor does any after: the first is a message all the same.
    line.spoil = (bytes) => (bytes.length > 10 && n++ > 4 ? bytes.subarray(0, 15) : bytes);
    n = 4;
    await line.clock.advance(QUARTER);
    expect(volumes(port.messages.slice(3))).toEqual(['10000250: 7']);
    expect(port.reader.counters.dropped).toMatchObject({ checksum: 1, truncated: 3, noAnswer: 1 });
    await port.stop();
  });
  it('an error that a meter reports is a message, an empty answer is counted', async () => {
    const line = createLine();
    mbus(line, [
      slave(1, '10000001', () => [], { respond: () => [Uint8Array.of(0x70, 8)] }),
      slave(2, '10000002', () => [], { respond: () => [] }),
    ]);
    const port = begin(line, 'mbus', { interval: QUARTER, meters: ['1', '2'] });
    await line.clock.advance(MINUTE);
    expect(port.messages.map((m) => m.error?.reason)).toEqual([expect.stringMatching(/^application error/)]);
    expect(port.reader.counters.dropped).toEqual({ noData: 1 });
    await port.stop();
  });
  it('that hear at another speed or with another parity are found', async () => {
    const line = createLine();
    mbus(line, [slave(3, '10000003', () => [3], { baud: 300 })]);
    const port = begin(line, 'mbus', { interval: QUARTER });
    await line.clock.advance(QUARTER);
    expect(volumes(port.messages)).toEqual(['10000003: 3']);
    expect(line.openings).toEqual(['2400 E', '9600 E', '300 E']);
    expect(port.told).toContain('meters answer with 300 baud, parity even');
    expect(port.told.filter((text) => /reading/.test(text))).toHaveLength(1);
    await port.stop();
    const odd = createLine();
    mbus(odd, [slave(3, '10000003', () => [3], { baud: 9600 })], { parity: 'N' });
    const named = begin(
      odd,
      'mbus',
      { interval: QUARTER, meters: ['3'] },
      { device: { type: 'serial', path: '/dev/test', patience: 1, baud: 9600 } },
    );
    await odd.clock.advance(MINUTE);
    expect(volumes(named.messages)).toEqual(['10000003: 3']);
    await named.stop();
  });
  it('an empty bus is told, and searched again each round', async () => {
    const line = createLine();
    mbus(line, []);
    const port = begin(line, 'mbus', { interval: QUARTER });
    await line.clock.advance(QUARTER - 1);
    expect(port.told.filter((text) => /no meter was found/.test(text))).toHaveLength(1);
    expect(line.openings).toEqual(['2400 E', '9600 E', '300 E', '2400 E']);
    mbus(line, three(line));
    await line.clock.advance(QUARTER);
    expect(port.messages.length).toBeGreaterThan(2);
    await port.stop();
  });
  it('a cable pulled in the middle of the search: it goes on where it was, with nobody lost', async () => {
    const line = createLine();
    const bus = three(line);
    mbus(line, bus);
    const port = begin(line, 'mbus', { interval: QUARTER });
    await line.clock.advance(10_000);
    line.pull();
    await line.clock.advance(MINUTE);
    expect(port.states.filter((state) => state === 'up')).toHaveLength(1);
    line.plug();
    line.written.length = 0;
    await line.clock.advance(2 * QUARTER);
    expect(port.told).toContain('/dev/test at 2400 8E1: back');
    expect(new Set(port.messages.map((m) => m.meterId))).toEqual(new Set(['10000001', '10000005', '10000250']));
    expect(line.written.filter((hex) => hex.startsWith('104002'))).toHaveLength(0);
    await port.stop();
  });
  it('is tried again ever more slowly, at most every 30 s', async () => {
    const line = createLine();
    line.pull();
    const port = begin(line, 'mbus', { meters: ['1'] });
    await line.clock.advance(10 * MINUTE);
    expect(port.told).toEqual([expect.stringMatching(/there is no such device.*Trying again/)]);
    expect(port.states.length).toBeGreaterThan(20);
    expect(port.states.length).toBeLessThan(50);
    await port.stop();
  });
});

describe('addresses', () => {
  it.each([
    ['5', '5'],
    ['250', '250'],
    ['12345678', '12345678'],
    ['1234ffff', '1234FFFF'],
    ['12345678-kam-1-7', '12345678-KAM-1-7'],
    ['12345678.KAM.*.7', '12345678-KAM-*-7'],
  ])('%s is %s', (text, canonical) => {
    const address = slaveAddressOf(text);
    expect(address !== undefined && slaveAddressText(address)).toBe(canonical);
    expect(slaveAddressOf(canonical)).toEqual(address);
  });
  it.each(['251', '1234567', '1234567A', '12345678-KAMS', '12345678-KAM-256', 'x', '-1'])('%s is none', (text) => {
    expect(slaveAddressOf(text)).toBeUndefined();
    expect(meterWords(`1 ${text}`)).toBeUndefined();
  });
  it('are listed with blanks, commas or semicolons, each once', () => {
    expect(meterWords(' 1,5; 12345678 Secondary 5 ')).toEqual(['1', '5', '12345678', 'secondary']);
    expect(meterWords('')).toEqual([]);
  });
});
