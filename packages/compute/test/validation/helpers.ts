import { type ProfileRule, ruleSet } from '@amiable/model/schemas';
import {
  compileRules,
  type Finding,
  type PeriodicInput,
  QUALITY,
  type Showings,
  type ValidationInput,
  validateIntervals,
  validateRegisters,
} from '../../src/index.ts';

export const ZONE = 'Europe/Oslo';
/** Local midnight. */
export const T0 = Date.UTC(2026, 0, 4, 23);
export const QUARTER = 900_000;
export const HOUR = 3_600_000;
export const DAY = 96;

export const set = (profile: object[], periodic: object[] = []) => ruleSet.parse({ name: 'test', profile, periodic });

export interface Options extends Partial<Omit<ValidationInput, 'intervals'>> {
  readonly start?: number;
  readonly step?: number;
  readonly scaler?: number;
  readonly quality?: Uint8Array;
}

export function inputOf(values: readonly number[], options: Options = {}): ValidationInput {
  const { start = T0, step = QUARTER, scaler = 0, quality, ...rest } = options;
  return {
    from: 0,
    to: values.length,
    unit: 'Wh',
    zone: ZONE,
    ...rest,
    intervals: {
      start,
      step,
      scaler,
      values: Float64Array.from(values),
      quality: quality ?? Uint8Array.from(values, (v) => (Number.isNaN(v) ? QUALITY.missing : QUALITY.measured)),
    },
  };
}

/** Hits of one rule. */
export function found(rule: object, values: readonly number[], options: Options = {}): Finding[] {
  const input = inputOf(values, options);
  return validateIntervals(input, compileRules(set([{ name: 'r', ...rule } as unknown as ProfileRule]), input.unit));
}

/** Where the hits are. */
export const places = (findings: readonly Finding[]): [number, number][] => findings.map((f) => [f.from, f.to]);

export const showings = (times: readonly number[], values: readonly number[], scaler = 0): Showings => ({
  times: Float64Array.from(times),
  values: Float64Array.from(values),
  scaler,
});

export function foundInRegister(
  rule: object,
  shown: Showings,
  options: Partial<Omit<PeriodicInput, 'showings'>> = {},
): Finding[] {
  const n = shown.values.length;
  return validateRegisters(
    { showings: shown, from: 0, to: n, unit: 'Wh', zone: ZONE, kind: 'register', ...options },
    compileRules(set([], [{ name: 'r', ...rule }]), options.unit ?? 'Wh'),
  );
}

/** Something like a house: a base, a peak at 19:00, no chance. */
export const house = (days: number): number[] =>
  Array.from(
    { length: days * DAY },
    (_, i) => 100 + Math.round(400 * Math.exp(-(((i % DAY) / 4 - 19) ** 2) / 8)) + (i % 7),
  );
