import { describe, expect, it } from 'vitest';
import { characterBits, createPacer, lineTime, paced, sleep, virtualClock } from '../src/index.ts';

describe('pacing', () => {
  it('counts 11 bits in 8E1 and 10 in 8N1', () => {
    expect(characterBits('E')).toBe(11);
    expect(characterBits('N')).toBe(10);
    // The thesis's list 3 of 156 bytes at 2400 baud.
    expect(lineTime(156, 2400, 'E')).toBeCloseTo(715);
    expect(lineTime(156, 2400, 'N')).toBeCloseTo(650);
  });
  it.each([300, 2400, 9600, 115_200])('delivers at %d baud in the time the line takes', async (baud) => {
    const clock = virtualClock(1000);
    const arrived: number[] = [];
    let got = 0;
    const reading = (async () => {
      for await (const piece of paced([new Uint8Array(1000)], { baud, clock })) {
        got += piece.length;
        arrived.push(clock.now());
      }
    })();
    const whole = lineTime(1000, baud, 'E');
    await clock.advance(whole / 2);
    expect(got).toBeGreaterThan(0.4 * 1000);
    expect(got).toBeLessThan(0.6 * 1000);
    await clock.advance(whole);
    await reading;
    expect(got).toBe(1000);
    expect(Math.abs(arrived.at(-1)! - 1000 - whole)).toBeLessThan(2);
  });
  it('shows an overloaded line as a growing backlog', async () => {
    const clock = virtualClock();
    const pacer = createPacer({ baud: 300, clock });
    // 120 bytes every 2 s need 4.4 s each.
    const all = [];
    for (let i = 0; i < 5; i++) {
      all.push(pacer.take(120));
      await clock.advance(2000);
    }
    expect(pacer.backlog).toBeCloseTo(5 * 4400 - 10_000);
    await clock.advance(20_000);
    await Promise.all(all);
    expect(pacer.backlog).toBe(0);
  });
  it('ends at once when called off', async () => {
    const clock = virtualClock();
    const end = new AbortController();
    const waiting = sleep(clock, 1e9, end.signal);
    end.abort();
    await waiting;
    expect(clock.pending).toBe(0);
    await sleep(clock, 1e9, end.signal);
  });
});
