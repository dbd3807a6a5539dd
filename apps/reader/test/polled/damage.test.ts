/** A bad line for hours: nothing that is read is wrong, everything that is lost is counted, and the port goes on. */
import { createDamage } from '@amiable/io';
import { describe, expect, it } from 'vitest';
import { begin, createLine, mbus, opticalMeter, READOUT, slave } from './bench.ts';

const MINUTE = 60_000;
const total = (dropped: Readonly<Record<string, number>>) => Object.values(dropped).reduce((a, b) => a + b, 0);

describe('a bad line', () => {
  it.each([1, 2])('to an optical meter, damage %i', async (seed) => {
    const line = createLine();
    opticalMeter(line, { mode: 'C', baud: 9600 });
    const damage = createDamage(seed, { flip: 0.05, drop: 0.03 });
    line.spoil = (bytes) => Uint8Array.from(damage.apply(bytes).flatMap((part) => [...part]));
    const port = begin(line, 'iec62056-21');
    await line.clock.advance(60 * MINUTE);
    const { counters } = port.reader;
    expect(port.messages.length).toBeGreaterThan(30);
    expect(port.messages.length).toBe(counters.good);
    expect(counters.good + (counters.dropped.noAnswer ?? 0)).toBeGreaterThanOrEqual(59);
    for (const m of port.messages) expect(m.values.map(String)).toContain('285400');
    for (const m of port.messages)
      expect([m.meterId, m.items.length, m.flags]).toEqual(['12345678', READOUT.length, []]);
    expect(total(counters.dropped)).toBeGreaterThan(0);
    expect(port.drops.length).toBe(total(counters.dropped));
    await port.stop();
  });
  it.each([1, 2])('to an M-Bus, damage %i', async (seed) => {
    const line = createLine();
    mbus(line, [slave(1, '10000001', () => [11]), slave(2, '10000002', () => [21, 22, 23])]);
    const damage = createDamage(seed, { flip: 0.08, drop: 0.03 });
    line.spoil = (bytes) => Uint8Array.from(damage.apply(bytes).flatMap((part) => [...part]));
    const port = begin(line, 'mbus', { meters: ['1', '2'] });
    await line.clock.advance(60 * MINUTE);
    const { counters } = port.reader;
    expect(port.messages.length).toBe(counters.good);
    expect(counters.good).toBeGreaterThan(200);
    expect(counters.dropped.checksum).toBeGreaterThan(0);
    expect(new Set(port.messages.map((m) => `${m.meterId} ${m.values[0]}`))).toEqual(
      new Set(['10000001 11', '10000002 21', '10000002 22', '10000002 23']),
    );
    expect(port.states).toEqual(['up']);
    await port.stop();
  });
});
