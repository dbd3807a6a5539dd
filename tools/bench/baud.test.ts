/** From 600 baud on nothing is lost and nothing is wrong; at 300 the overload is told. */
import { expect, test } from 'vitest';
import { virtualRun } from './baud.ts';

/** Octets of a list-3 frame up to its last check octet, 11 bits each. */
const list3 = (baud: number): number => (156 * 11_000) / baud;

for (const baud of [600, 2400, 115_200])
  test(`${baud} baud`, async () => {
    const run = await virtualRun(baud, 60_000);
    expect(run.counters.sent).toEqual({ 1: 72, 2: 17, 3: 1 });
    expect(run.counters.overloaded).toBe(0);
    expect(run.whole).toBe(90);
    expect(run.dropped).toBe(0);
    // The line hands over about 10 ms at a time, so the last octets may ride with their piece.
    expect(run.latency).toBeGreaterThanOrEqual(list3(baud) - 1);
    expect(run.latency).toBeLessThanOrEqual(list3(baud) + 11_000 / baud + 1);
  });

test('300 baud', async () => {
  const { counters, whole, dropped, latency } = await virtualRun(300, 300_000);
  const sent = counters.sent[1] + counters.sent[2] + counters.sent[3];
  expect(counters.overloaded).toBeGreaterThan(0);
  expect(sent + counters.overloaded).toBe(210);
  // What is sent is whole, and what waits stays bounded.
  expect(whole).toBe(sent);
  expect(dropped).toBe(0);
  expect(latency).toBeLessThan(list3(300) + 8000 + 100);
});
