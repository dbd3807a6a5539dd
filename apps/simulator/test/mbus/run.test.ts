/** `simulate mbus`: words of the command line, what is written, and that a decoder gets out what was put in. */
import { fromHex } from '@amiable/bytes';
import { virtualClock } from '@amiable/io';
import { createWmbusDecoder, decodeLongFrame, decodeRecords } from '@amiable/mbus';
import { describe, expect, it } from 'vitest';
import { mbusOptions } from '../../src/mbus/options.ts';
import { keyOf, runMbus } from '../../src/mbus/run.ts';
import type { Output } from '../../src/run.ts';

/** Soon after the slaves were hung up, so that little has to be worked out. */
const FROM = '2021-03-01T00:00:00Z';

async function run(given: Record<string, unknown>) {
  const said: string[] = [];
  const truths: { meterId: string; readings: { name: string; value: unknown }[] }[] = [];
  let text = '';
  const output: Output = {
    async write(bytes) {
      text += new TextDecoder().decode(bytes);
    },
    async truth(line) {
      truths.push(JSON.parse(line));
    },
    say: (line) => void said.push(line),
    async close() {},
    clock: virtualClock(0),
    readWith: '-',
  };
  const options = mbusOptions({ to: 'stdout', fast: true, from: FROM, duration: '1h', truth: 'x', ...given });
  await runMbus(options, new AbortController(), output.say, output.clock, output);
  return { said, truths, frames: text.trim().split('\n').map(fromHex) };
}

describe('to stdout', () => {
  it('a master of its own writes what it gets, all telegrams of all slaves', async () => {
    const { frames, truths, said } = await run({ slaves: 'gas,gas-module,heat' });
    expect(frames).toHaveLength(4 * 3);
    expect(truths).toHaveLength(4 * 3);
    frames.forEach((bytes, i) => {
      const { data, address } = decodeLongFrame(bytes);
      expect(address).toBe((i % 3) + 1);
      const { records } = decodeRecords(data, 12, data.length, {});
      expect(truths[i]?.readings.map(({ name }) => name)).toEqual(records.map(({ name }) => name));
    });
    expect(said.at(-1)).toBe('12 frames');
    // As it is written for the master.
    expect(said.join('\n')).toMatch(/^ +1 {2}\d{8}-AMI-1-3 +gas meter$/m);
  });

  it('is the same for the same seed', async () => {
    const wish = { slaves: 'rf,water-hot', seed: '7' };
    expect((await run(wish)).frames).toEqual((await run(wish)).frames);
  });

  it('leaves out silent slaves, and writes what a faulty one sends', async () => {
    const { frames } = await run({ slaves: 'gas,gas,gas', fault: '1=silent,2=checksum', duration: '15m' });
    expect(frames).toHaveLength(2);
    expect(() => decodeLongFrame(frames[0] as Uint8Array)).toThrow(/check sum/);
    expect(decodeLongFrame(frames[1] as Uint8Array).address).toBe(3);
  });
});

describe('over the air', () => {
  it('enciphers with a key of each device', async () => {
    const { frames, truths, said } = await run({ wireless: true, encrypt: true, slaves: 'rf' });
    expect(frames).toHaveLength(8);
    const got: (string | undefined)[] = [];
    const decoder = createWmbusDecoder(
      {
        reader: 'r',
        port: 'p',
        now: () => 0,
        keys: { candidates: (identification: string) => [keyOf(1, identification)] },
      } as unknown as Parameters<typeof createWmbusDecoder>[0],
      { message: (m) => got.push(m.meterId), drop: (drop) => expect(drop).toBeUndefined() } as Parameters<
        typeof createWmbusDecoder
      >[1],
    );
    for (const frame of frames) decoder.frame(frame);
    expect(got).toEqual(truths.map(({ meterId }) => meterId));
    expect(said.join()).toMatch(/-k \d{8}=[0-9a-f]{32}/);
  });
});

describe('the words of the command line', () => {
  it.each([
    [{ slaves: 'gas,steam' }, /--slaves steam: gas, /],
    [{ baud: '1000' }, /--baud 1000/],
    [{ fault: '2=broken' }, /--fault 2=broken: .*2=busy/],
    [{ collide: 'all' }, /identification, full, primary/],
    [{ encrypt: true }, /--encrypt needs --wireless/],
    [{ wireless: true, key: 'abc' }, /32 hexadecimal digits/],
    [{ to: 'pty', fast: true }, /--fast/],
    [{ from: '1999-01-01' }, /live from 2021/],
    [{ tz: 'Oslo' }, /Europe\/Oslo/],
  ])('%j is refused', (given, message) => {
    expect(() => mbusOptions(given)).toThrow(message);
  });
});
