import type { VeeInput, VeeResult } from './vee-types.ts';

/** Validates and estimates one series, in the order of steps of mdm §2. Pure: the input stays as it is. */
export function vee(input: VeeInput): VeeResult {
  const { intervals, from, to } = input;
  return {
    intervals: { ...intervals, values: intervals.values.slice(), quality: intervals.quality.slice() },
    from,
    to,
    findings: [],
    estimates: [],
    flags: [],
    registers: [],
  };
}
