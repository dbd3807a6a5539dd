/** What bills keep of days: a change is found on its day, and on no other when the metering became finer by it. */
import { describe, expect, test } from 'vitest';
import { changedDays, digestDays, digestLength } from '../src/features/billing/days.ts';

const PLACES = Int32Array.from([0, 3, 6, 9]);
const quality = new Uint8Array(9);
const digest = (values: readonly number[], qualities = quality): Uint8Array => {
  const out = new Uint8Array(digestLength(PLACES));
  digestDays(
    { values: Float64Array.from(values), quality: qualities },
    PLACES,
    0,
    new Float64Array(5),
    new DataView(out.buffer),
    0,
  );
  return out;
};
const places = (was: Uint8Array, is: Uint8Array, finer?: number): number[] =>
  changedDays(was, is, 0, 3, finer).map((c) => c.day);

describe('days that a bill saw', () => {
  const whole = [120, 7, 60, 0, 0, 0, 500, 200, 100];
  test('are others by a value, its place or its quality', () => {
    expect(places(digest(whole), digest(whole))).toEqual([]);
    expect(places(digest(whole), digest([120, 7, 61, 0, 0, 0, 200, 500, 100]))).toEqual([0, 2]);
    expect(places(digest(whole), digest(whole, Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0, 0)))).toEqual([1]);
  });
  test('are the same in a finer scaler, the edited one excepted', () => {
    const finer = whole.map((value) => value * 10);
    expect(places(digest(whole), digest(finer), 1)).toEqual([]);
    expect(places(digest(finer), digest(whole), -1)).toEqual([]);
    finer[1] = 65;
    expect(places(digest(whole), digest(finer), 1)).toEqual([0]);
    // The same sum at other times.
    expect(places(digest(whole), digest([120, 7, 60, 0, 0, 0, 501, 199, 100].map((v) => v * 10)), 1)).toEqual([2]);
    // Ten times as much is no finer scaler.
    expect(places(digest(whole), digest(whole.map((value) => value * 10)))).toEqual([0, 2]);
  });
});
