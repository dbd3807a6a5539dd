/** `amiable mbus wave`: hex to picture and samples, recordings to hex, and what it says of faults. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runWave } from '../../src/mbus/wave.ts';

const folder = mkdtempSync(join(tmpdir(), 'wave-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function wave(words: string[], given: Record<string, unknown> = {}) {
  let out = '';
  const said: string[] = [];
  const code = await runWave(words, given, { out: (text) => (out += text), say: (line) => void said.push(line) });
  return { code, out, said: said.join('\n') };
}

describe('amiable mbus wave', () => {
  it('draws hex, with the meaning of its octets', async () => {
    const { code, out, said } = await wave(['10 5B 01', '5C 16']);
    expect([code, out.startsWith('<svg'), out.trimEnd().endsWith('</svg>')]).toEqual([0, true, true]);
    for (const text of [
      'start of a short frame',
      'control 5B: REQ_UD2, data',
      'address 1',
      'master to slave (voltage)',
    ])
      expect(out.includes(text), text).toBe(true);
    expect(said).toContain('5 characters at 2400 baud 8E1');
  });

  it('knows a slave by its first octet', async () => {
    expect((await wave(['E5'], { baud: '300' })).out).toContain('slave to master (current)');
    expect((await wave(['E5'], { from: 'master' })).out).toContain('master to slave (voltage)');
  });

  it('writes samples, and reads them back, a burst a line', async () => {
    const path = join(folder, 'a.csv');
    const { code, out } = await wave(['105B015C16'], { output: path, noise: '0.3', wrongParity: '2' });
    expect([code, out]).toEqual([0, '']);
    const back = await wave([path]);
    expect([back.code, back.out]).toEqual([0, '105B015C16\n']);
    expect(back.said).toMatch(/sample \d+: parity: character 01/);
    const picture = join(folder, 'a.svg');
    await wave([path], { output: picture });
    expect(readFileSync(picture, 'utf8')).toContain('parity bit is 0');
  });

  it.each([
    [['nothing-there.csv'], {}, 2, /there is no such file.*no hex either/],
    [['E5'], { baud: 'fast' }, 2, /--baud fast/],
    [['E5'], { baudError: '99' }, 2, /--baud-error 99/],
    [['E5'], { output: 'x.png' }, 2, /\.svg or \.csv/],
    [['E5'], { parity: 'mark' }, 2, /even, odd or none/],
    [['E5'], { from: 'both' }, 2, /master or slave/],
  ])('%j %j is refused', async (words, given, code, message) => {
    const answer = await wave(words, given);
    expect([answer.code, answer.said]).toEqual([code, expect.stringMatching(message)]);
  });

  it('a recording without signal is told plainly', async () => {
    const path = join(folder, 'flat.csv');
    writeFileSync(path, `Time (s),A (V)\n${Array.from({ length: 50 }, (_, i) => `${i / 1000},36`).join('\n')}`);
    const { code, said } = await wave([path]);
    expect([code, said]).toEqual([3, expect.stringContaining('no signal')]);
  });
});
