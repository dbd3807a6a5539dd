/**
 * Which values of a profile are there: many meters at once, out of the headers of their blocks. Values are unpacked only
 * where a block's times stand with them.
 */
import { unpackDay } from '../codec/block.ts';
import { ESTIMATED, MISSING, unpackQuality } from '../codec/quality.ts';
import { copyOut } from '../pg/copy.ts';
import type { Client } from '../pg/database.ts';
import { missingSql } from '../sql/missing.ts';
import type { MeterId } from '../types.ts';
import type { Slots } from './slots.ts';

const DAY = 86_400_000;

/** One meter: how many of the registers have a value in each slot, and how many of those are estimated. */
export type Visit = (meter: MeterId, have: Uint16Array, estimated: Uint16Array) => void;

/** Calls `visit` for every meter, those without any value among them; the arrays are used again for the next. */
export async function scanMeters(
  client: Client,
  meters: readonly MeterId[],
  registers: readonly number[],
  slots: Slots,
  visit: Visit,
): Promise<void> {
  const count = slots.times.length;
  const have = new Uint16Array(count);
  const estimated = new Uint16Array(count);
  const left = new Set(meters);
  let current: MeterId | undefined;
  const done = (): void => {
    if (current === undefined) return;
    left.delete(current);
    visit(current, have, estimated);
    have.fill(0);
    estimated.fill(0);
  };
  if (count > 0 && registers.length > 0 && meters.length > 0) {
    const first = Math.floor((slots.times[0] as number) / DAY);
    const last = Math.floor((slots.times[count - 1] as number) / DAY);
    await copyOut(client, missingSql.copyHeaders(meters, registers, first, last), (row) => {
      const meter = String(row.bigLong());
      if (meter !== current) {
        done();
        current = meter;
      }
      row.int();
      const base = row.date() * DAY;
      const start = row.int();
      const step = row.int();
      const n = row.int();
      const v = Buffer.from(row.blob());
      const s = Buffer.from(row.blob());
      if (step === 0 && n > 1) {
        // Missing places are left out of these.
        const { times, quality } = unpackDay({ start, step, n, scaler: 0, v, s });
        for (let i = 0; i < times.length; i++) mark(base + (times[i] as number), quality?.[i]);
        return;
      }
      const quality = unpackQuality(s, n);
      for (let i = 0; i < n; i++) mark(base + start + i * step, quality?.[i]);
    });
    done();
  }
  current = undefined;
  for (const meter of left) visit(meter, have, estimated);

  function mark(time: number, quality: number | undefined): void {
    if (quality === MISSING) return;
    const slot = slots.find(time);
    if (slot < 0) return;
    have[slot] = (have[slot] as number) + 1;
    if (quality === ESTIMATED) estimated[slot] = (estimated[slot] as number) + 1;
  }
}
