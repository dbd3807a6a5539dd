/** An optical meter that is asked: each read-out a message, whatever happens on the line. */

import { fromHex } from '@amiable/bytes';
import { bytesOf, evenParity, textOf, withoutParity } from '@amiable/iec62056-21';
import { messageToJson } from '@amiable/model';
import { describe, expect, it } from 'vitest';
import { begin, createLine, opticalMeter, READOUT, T0 } from './bench.ts';

const MINUTE = 60_000;
const energy = (m: { readonly items: readonly { obis?: string }[]; readonly values: readonly unknown[] } | undefined) =>
  m?.values[m.items.findIndex((item) => item.obis?.startsWith('1-0:1.8.0') || item.obis?.includes('1.8.0'))];

describe('an optical meter', () => {
  it.each([
    ['A', 300],
    ['B', 4800],
    ['C', 9600],
  ] as const)('in mode %s is read out at once and then at the interval', async (mode, baud) => {
    const line = createLine();
    opticalMeter(line, { mode, baud });
    const port = begin(line, 'iec62056-21');
    await line.clock.advance(3 * MINUTE - 1);
    expect(port.told).toEqual(['reading /dev/test at 300 8N1, every 60 s']);
    expect(port.messages).toHaveLength(3);
    const [first] = port.messages;
    expect(first).toMatchObject({
      reader: 'attic',
      port: 'p0',
      protocol: 'iec62056-21',
      meterId: '12345678',
      meterType: 'TEST',
      meterTime: '2026-11-20T13:00:00',
      flags: [],
    });
    expect(String(energy(first))).toBe('285400');
    expect(textOf(first!.raw!)).toContain(READOUT[4]);
    expect(textOf(first!.raw!)).toMatch(/^\/AMI.TEST\r\n/);
    // A minute from beginning to beginning.
    expect(port.messages[1]!.receivedAt - first!.receivedAt).toBe(MINUTE);
    expect(first!.receivedAt).toBeGreaterThan(T0);
    // A read-out that says the same clock and the same values is the same message.
    expect(new Set(port.messages.map((m) => m.id)).size).toBe(1);
    expect(port.reader.counters).toMatchObject({ frames: 3, good: 3, dropped: {}, noise: 0 });
    expect(port.reader.counters.bytes).toBeGreaterThan(250);
    expect(line.openings).toEqual(['300 N']);
    await port.stop();
    expect(line.open).toBe(false);
    expect(line.clock.pending).toBe(0);
  });
  it('whose clock is wrong is marked', async () => {
    const line = createLine();
    opticalMeter(line, {}, { readout: () => READOUT.map((set) => set.replace('261120', '250101')) });
    const port = begin(line, 'iec62056-21');
    await line.clock.advance(MINUTE / 2);
    expect(port.messages[0]?.flags).toEqual(['clockWrong']);
    expect(() => messageToJson(port.messages[0]!)).not.toThrow();
    await port.stop();
  });
  it('whose block is damaged is asked for it again; what was refused is counted', async () => {
    const line = createLine();
    opticalMeter(line, { mode: 'C', baud: 9600 });
    let spoilt = 0;
    line.spoil = (bytes) => {
      const at = textOf(bytes).indexOf('kWh');
      if (at < 0 || spoilt++ > 0) return bytes;
      // Two bits of one character: its parity is right, the check character is not.
      return bytes.map((octet, i) => (i === at ? octet ^ 3 : octet));
    };
    const port = begin(line, 'iec62056-21');
    await line.clock.advance(MINUTE - 1);
    expect(port.messages.map((m) => String(energy(m)))).toEqual(['285400']);
    expect(port.messages[0]).toMatchObject({ meterType: 'TEST', flags: [] });
    expect(port.reader.counters).toMatchObject({ good: 1, dropped: { bcc: 1 } });
    expect(port.drops).toEqual(['bcc']);
    await port.stop();
  });
  it('that gives no check character is believed only while no parity bit is broken', async () => {
    const line = createLine();
    let spoil = false;
    const bare = ['/AMI TEST', ...READOUT, '!'].map((text) => `${text}\r\n`).join('');
    const octets = evenParity(bytesOf(bare));
    const at = bare.indexOf('285.4');
    line.far = {
      hear() {
        line.clock.after(500, () => line.say(octets.map((octet, i) => (spoil && i === at ? octet ^ 1 : octet))));
      },
    };
    const port = begin(line, 'iec62056-21', { mode: 'A' });
    await line.clock.advance(MINUTE / 2);
    expect(port.messages.map((m) => [String(energy(m)), m.flags])).toEqual([['285400', ['crcMissing']]]);
    spoil = true;
    await line.clock.advance(MINUTE);
    expect(port.messages).toHaveLength(1);
    expect(port.reader.counters).toMatchObject({ good: 1, dropped: { noAnswer: 1 } });
    await port.stop();
  });
  it('that says nothing is told once, asked on, and told when it answers again', async () => {
    const line = createLine();
    opticalMeter(line);
    const { far } = line;
    const port = begin(line, 'iec62056-21');
    await line.clock.advance(MINUTE / 2);
    line.far = undefined;
    await line.clock.advance(3 * MINUTE);
    expect(port.messages).toHaveLength(1);
    expect(port.reader.counters.dropped).toEqual({ noAnswer: 3 });
    expect(port.told.slice(1)).toEqual([
      expect.stringMatching(/^signing on: .* nothing came in 3 attempts\. Trying again/),
    ]);
    line.far = far;
    await line.clock.advance(MINUTE);
    expect(port.messages).toHaveLength(2);
    expect(port.told.slice(2)).toEqual(['the meter answers again']);
    expect(port.states).toEqual(['up']);
    await port.stop();
  });
  it('is read again when a pulled cable is back, also when it was pulled in the middle of a read-out', async () => {
    const line = createLine();
    opticalMeter(line, { mode: 'C', baud: 300 });
    const port = begin(line, 'iec62056-21');
    await line.clock.advance(2000);
    expect(port.messages).toHaveLength(0);
    line.pull();
    await line.clock.advance(20_000);
    expect(port.states.filter((state) => state === 'up')).toHaveLength(1);
    expect(port.told).toEqual([
      'reading /dev/test at 300 8N1, every 60 s',
      '/dev/test: the device is gone; was it unplugged? Trying again',
      expect.stringMatching(/there is no such device.*Trying again/),
    ]);
    line.plug();
    opticalMeter(line, { mode: 'C', baud: 300 });
    await line.clock.advance(2 * MINUTE);
    expect(port.told.at(-1)).toBe('/dev/test at 300 8N1: back');
    expect(port.messages.length).toBeGreaterThan(0);
    expect(line.openings.length).toBe(2);
    await port.stop();
  });
  it('a read-out that takes longer than the interval is not overtaken', async () => {
    const line = createLine();
    opticalMeter(line, { mode: 'C', baud: 300 });
    const port = begin(line, 'iec62056-21', { interval: 2000 });
    await line.clock.advance(MINUTE);
    const at = port.messages.map((m) => m.receivedAt);
    const apart = new Set(at.slice(1).map((t, i) => t - (at[i] as number)));
    expect(apart).toEqual(new Set([4000]));
    expect(port.reader.counters.dropped).toEqual({});
    await port.stop();
  });
  it('on a line of several is asked by its address; a sleeper is woken', async () => {
    const line = createLine();
    opticalMeter(line, { address: '77', wakeUp: true });
    const port = begin(line, 'iec62056-21', { address: '77', wakeUp: true });
    await line.clock.advance(MINUTE / 2);
    expect(port.messages).toHaveLength(1);
    await port.stop();
    const other = begin(line, 'iec62056-21', { address: '78', wakeUp: true });
    await line.clock.advance(MINUTE - 1);
    expect(other.messages).toHaveLength(0);
    expect(other.told.at(-1)).toMatch(/an answer of meter 78/);
    await other.stop();
  });
  it('ends in the middle of a read-out when told to, and leaves nothing waiting', async () => {
    const line = createLine();
    opticalMeter(line, { mode: 'C', baud: 300 });
    const port = begin(line, 'iec62056-21');
    await line.clock.advance(1500);
    await port.stop();
    expect(line.open).toBe(false);
    expect(port.told).toEqual(['reading /dev/test at 300 8N1, every 60 s']);
  });
  it('behind a serial server, which keeps its rate, is read at 300 baud unless another is said', async () => {
    for (const [baud, agreed] of [
      [undefined, '\x06000\r\n'],
      [9600, '\x06050\r\n'],
    ] as const) {
      const line = createLine();
      opticalMeter(line, { mode: 'C', baud: 9600 });
      const device = { type: 'tcp', at: { host: 'server', port: 3001 } } as const;
      const port = begin(line, 'iec62056-21', { baud }, { device });
      await line.clock.advance(MINUTE / 2);
      expect(port.messages).toHaveLength(1);
      expect(line.written.map((hex) => textOf(withoutParity(fromHex(hex))))).toContain(agreed);
      await port.stop();
    }
  });
  it('a device that is not there ends a run that must open, in its words', async () => {
    const line = createLine();
    line.pull();
    const port = begin(line, 'iec62056-21', {}, { mustOpen: true });
    await expect(port.ended).rejects.toThrow(/there is no such device/);
  });
});
