/**
 * Scaling to registers (mdm §3): between two readings of the register the estimated intervals are brought to what is left of its difference,
 * v′ = v · (ΔR − Σ actual) / Σ estimated, in whole units that add up exactly; equally where Σ estimated is nothing.
 *
 * Decides: only estimates are scaled, none that a rule or a person set; consumption never goes below zero: what does not fit is
 * reported with its numbers. What nothing could estimate gets its share here, for the register knows how much it was.
 * Leaves out: windows with intervals that are not there at all (outside of the series, or given up).
 */
import { exact, localTime } from './say.ts';
import { shareOut } from './share.ts';
import { type Filled, fill, flag, type Register, readingAt, timeAt, type Work } from './work.ts';

export function scaleToRegisters(work: Work): void {
  if (work.filled.length === 0 && !anyOpen(work)) return;
  const register = work.register();
  const { at, runs } = register;
  if (at.length < 2) return;
  // Who filled what, to be told afterwards: place in `filled` plus one.
  const by = new Int32Array(work.values.length);
  enter(work, by, 0);
  const done = new Uint8Array(at.length);
  // Only windows in which something was estimated, or is still open.
  for (let i = work.lo; i < work.hi; i++) {
    if (by[i] === 0 && work.open[i] === 0) continue;
    const w = readingAt(register, i);
    if (w < 0) continue;
    if (w + 1 >= at.length) return;
    if (done[w] === 0 && runs[w] === runs[w + 1]) {
      done[w] = 1;
      const known = work.filled.length;
      if (shareWhatIsOpen(work, at[w] as number, at[w + 1] as number)) enter(work, by, known);
      scaleWindow(work, register, w, by);
    }
    i = (at[w + 1] as number) - 1;
  }
}

function enter(work: Work, by: Int32Array, first: number): void {
  for (let f = first; f < work.filled.length; f++) {
    const filled = work.filled[f] as Filled;
    by.fill(f + 1, filled.from, filled.to);
  }
}

function anyOpen(work: Work): boolean {
  for (let i = work.lo; i < work.hi; i++) if (work.open[i] === 1) return true;
  return false;
}

/** Gives open intervals of a window a value in the middle of the rest, for the scaling to work on. */
function shareWhatIsOpen(work: Work, a: number, b: number): boolean {
  let sum = 0;
  let count = 0;
  let open = 0;
  for (let i = a; i < b; i++) {
    if (work.open[i] === 1) open++;
    else if (Number.isNaN(work.values[i] as number)) return false;
    else if (work.outage[i] === 0) {
      sum += work.values[i] as number;
      count++;
    }
  }
  if (open === 0) return false;
  const middle = count > 0 ? Math.max(0, Math.round(sum / count)) : 0;
  for (let i = a; i < b; ) {
    if (work.open[i] === 0) {
      i++;
      continue;
    }
    let end = i;
    for (; end < b && work.open[end] === 1; end++) work.values[end] = middle;
    fill(work, i, end, 'distribute-cumulative-value', 'shared out of the difference of the register', {});
    i = end;
  }
  return true;
}

function scaleWindow(work: Work, register: Register, w: number, by: Int32Array): void {
  const { values } = work;
  const a = register.at[w] as number;
  const b = register.at[w + 1] as number;
  const places: number[] = [];
  let actual = 0;
  let estimated = 0;
  for (let i = a; i < b; i++) {
    const value = values[i] as number;
    if (Number.isNaN(value)) return;
    const filled = work.filled[(by[i] as number) - 1];
    if (!filled || filled.fixed) {
      actual += value;
      continue;
    }
    places.push(i);
    estimated += value;
  }
  if (places.length === 0) return;
  const difference = Math.round((register.shown[w + 1] as number) - (register.shown[w] as number));
  const need = difference - actual;
  const say = (value: number): string => exact(value, work.series.scaler);
  if (need < 0 && work.consumption) {
    for (const i of places) values[i] = 0;
    flag(
      work,
      'negative-estimate',
      'error',
      a,
      b,
      `the register ran ${say(difference)} from ${localTime(timeAt(work, a), work.zone)} to ${localTime(timeAt(work, b), work.zone)}, but what was measured adds up to ${say(actual)}; estimates would be below zero and were set to zero`,
      { difference, actual, excess: -need },
    );
  } else if (estimated > 0 || need >= 0) {
    // Where all estimates are zero, those without supply stay so as long as there are others.
    const powered = estimated > 0 ? places : places.filter((i) => work.outage[i] === 0);
    shareOut(values, powered.length > 0 ? powered : places, need);
  } else {
    // A balance below zero: the difference falls on all alike.
    const before = places.map((i) => values[i] as number);
    for (const i of places) values[i] = 0;
    shareOut(values, places, need - estimated);
    places.forEach((i, k) => {
      values[i] = (values[i] as number) + (before[k] as number);
    });
  }
  let last = 0;
  for (const i of places) {
    const f = by[i] as number;
    if (f === last) continue;
    last = f;
    (work.filled[f - 1] as Filled).scaledTo.push(difference);
  }
}
