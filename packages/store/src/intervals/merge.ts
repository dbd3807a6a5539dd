/**
 * Which of two values of one time stands (mdm.md §3; features M1), over one UTC day of a metering.
 *
 * Decides: measured and calculated ones over estimates and each other; an estimate over estimates and calculated ones alone; an edit over all,
 * and nothing over an edit but another; what a person took away does not come back. What changes is told as a change, what comes to a
 * place where nothing was as an arrival; what came and did not count is told too, estimates excepted, which say nothing new.
 */
import type { DayValues } from '../codec/block.ts';
import { CALCULATED, EDITED, ESTIMATED, MEASURED, MISSING } from '../codec/quality.ts';
import type { Change } from '../write/overlay.ts';

export interface MergeRules {
  /** A person does it. */
  readonly edit?: boolean;
  /** What comes is judged anew as a whole: it stands over measured ones too. */
  readonly replace?: boolean;
  /** With `replace`: whether quality `edited` alone says that a person did it. False for calculated profiles, which take it over from what they are made of. */
  readonly trustEdited?: boolean;
  /** Whether an edit of this time stands, and whether it takes the value away. */
  readonly standing?: (time: number) => 'value' | 'gone' | undefined;
}

export interface Merged {
  readonly day: DayValues;
  readonly changes: readonly Change[];
  /** Times (ms of the day) that came to an empty place, rising. */
  readonly arrived: readonly number[];
  readonly kept: number;
  readonly replaced: number;
}

/** Mantissas stay exact in a double, and in the packed form. */
const LIMIT = 2 ** 51;

/** @param gone times (ms of the day, rising) that are taken away */
export function mergeDay(
  there: DayValues | undefined,
  came: DayValues | undefined,
  gone: readonly number[],
  rules: MergeRules,
): Merged {
  const scaler = scalerOf(there, came);
  const a = there ? valuesAt(there, scaler) : EMPTY;
  const b = came ? valuesAt(came, scaler) : EMPTY;
  const aTimes = there?.times ?? EMPTY;
  const bTimes = came?.times ?? EMPTY;
  const n = aTimes.length + bTimes.length;
  const times = new Float64Array(n);
  const values = new Float64Array(n);
  const quality = new Uint8Array(n);
  const changes: Change[] = [];
  const arrived: number[] = [];
  let count = 0;
  let kept = 0;
  let replaced = 0;
  let i = 0;
  let j = 0;
  let g = 0;
  while (i < aTimes.length || j < bTimes.length) {
    const time = Math.min(aTimes[i] ?? Number.POSITIVE_INFINITY, bTimes[j] ?? Number.POSITIVE_INFINITY);
    while (g < gone.length && (gone[g] as number) < time) g++;
    const has = aTimes[i] === time;
    const comes = bTimes[j] === time;
    const goes = !comes && gone[g] === time;
    const was = has ? (a[i] as number) : null;
    const wasQuality = has ? (there?.quality?.[i] ?? MEASURED) : MISSING;
    const is = comes ? (b[j] as number) : null;
    const isQuality = comes ? (came?.quality?.[j] ?? MEASURED) : MISSING;
    if (has) i++;
    if (comes) j++;
    let stays = !comes && !goes;
    if (!stays && !(was === is && wasQuality === isQuality)) {
      stays = !wins(time, has, wasQuality, isQuality, rules);
      const change = { time, was, wasScaler: scaler, wasQuality, is, isScaler: scaler, isQuality, kept: stays };
      if (stays) {
        if (isQuality !== MISSING) kept++;
        if (isQuality <= EDITED && (!has || wasQuality === EDITED)) changes.push(change);
      } else if (has || rules.edit) {
        if (has) replaced++;
        changes.push(change);
      } else arrived.push(time);
    }
    const value = stays ? was : is;
    if (value === null) continue;
    times[count] = time;
    values[count] = value;
    quality[count++] = stays ? wasQuality : isQuality;
  }
  return {
    day: {
      times: times.subarray(0, count),
      values: values.subarray(0, count),
      quality: quality.subarray(0, count),
      scaler,
    },
    changes,
    arrived,
    kept,
    replaced,
  };
}

const EMPTY = new Float64Array(0);

/** Whether what comes stands in place of what is there. */
function wins(time: number, has: boolean, was: number, is: number, rules: MergeRules): boolean {
  if (rules.edit) return true;
  const standing = rules.standing?.(time);
  if (!has) return standing !== 'gone';
  if (was === EDITED && (standing !== undefined || !rules.replace || rules.trustEdited !== false)) return false;
  if (rules.replace) return true;
  if (is === ESTIMATED) return was === ESTIMATED || was === CALCULATED;
  return true;
}

/** The finer of the two, as long as all mantissas stay exact. */
function scalerOf(a: DayValues | undefined, b: DayValues | undefined): number {
  if (!a || a.values.length === 0) return b?.scaler ?? a?.scaler ?? 0;
  if (!b || b.values.length === 0) return a.scaler;
  let scaler = Math.min(a.scaler, b.scaler);
  const coarse = a.scaler > b.scaler ? a : b;
  const most = coarse.values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  while (scaler < coarse.scaler && most * 10 ** (coarse.scaler - scaler) >= LIMIT) scaler++;
  return scaler;
}

export function valuesAt(day: Pick<DayValues, 'values' | 'scaler'>, scaler: number): Float64Array {
  const digits = day.scaler - scaler;
  if (digits === 0) return day.values;
  const factor = 10 ** Math.abs(digits);
  return day.values.map((value) => (digits > 0 ? value * factor : Math.round(value / factor) + 0));
}
