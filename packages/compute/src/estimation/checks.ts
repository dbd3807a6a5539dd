/**
 * Rules of validation as the steps of `vee`: what makes an interval worthless is asked first, the values after it, on what is left.
 *
 * Decides: which checks of the catalogue belong to which step (mdm §2); findings name instants here, not places. Leaves out: what the
 * checks do.
 */
import { validateRegisters } from '../validation/registers.ts';
import type { CompiledRule, PeriodicInput, ValidationInput } from '../validation/types.ts';
import { validateIntervals } from '../validation/validate.ts';
import type { VeeChecks } from './vee-types.ts';

const STRUCTURE: ReadonlySet<string> = new Set([
  'duplicate',
  'interval-length',
  'unit',
  'multiplier',
  'clock',
  'event',
  'use-while-not-installed',
]);

/** What is known beside the series itself; see `ValidationInput` and `PeriodicInput`. */
export interface Known
  extends Omit<ValidationInput, 'intervals' | 'from' | 'to'>,
    Pick<PeriodicInput, 'period' | 'rollover' | 'reference' | 'sourceMultiplier'> {
  /** The meter's own readings, where they differ from `showings`, which may have rollovers taken out. */
  readonly readings?: PeriodicInput['showings'];
}

export function checksOf(rules: readonly CompiledRule[], known: Known): VeeChecks {
  const structure = rules.filter((rule) => rule.kind === 'profile' && STRUCTURE.has(rule.rule.check));
  const values = rules.filter((rule) => rule.kind === 'profile' && !STRUCTURE.has(rule.rule.check));
  const periodic = rules.filter((rule) => rule.kind === 'periodic');
  const { readings, period, rollover, reference, sourceMultiplier, ...rest } = known;
  const ask =
    (asked: readonly CompiledRule[]): NonNullable<VeeChecks['intervals']> =>
    (intervals, from, to) => {
      const { start, step } = intervals;
      const found = validateIntervals(
        { ...rest, intervals, from: (from - start) / step, to: (to - start) / step },
        asked,
      );
      // Kernels speak of places, everything beyond of instants.
      return found.map((one) => ({ ...one, from: start + one.from * step, to: start + one.to * step }));
    };
  return {
    ...(periodic.length > 0 && {
      registers: (showings, from, to) => {
        const shown = readings ?? showings;
        const { times } = shown;
        const found = validateRegisters(
          {
            showings: shown,
            from: placeOf(times, from),
            to: placeOf(times, to + 1),
            unit: rest.unit,
            zone: rest.zone,
            kind: 'register',
            ...(rest.quantity !== undefined && { quantity: rest.quantity }),
            ...(rest.multiplier !== undefined && { multiplier: rest.multiplier }),
            ...(rest.rates && { rates: rest.rates }),
            ...(rest.meter && { meter: rest.meter }),
            ...(period && { period }),
            ...(rollover !== undefined && { rollover }),
            ...(reference !== undefined && { reference }),
            ...(sourceMultiplier !== undefined && { sourceMultiplier }),
          },
          periodic,
        );
        // A reading is an instant; a millisecond makes it a span that can be looked for.
        return found.map((one) => ({
          ...one,
          from: times[one.from] as number,
          to: (times[Math.max(one.from, one.to - 1)] as number) + 1,
        }));
      },
    }),
    ...(structure.length > 0 && { structure: ask(structure) }),
    ...(values.length > 0 && { intervals: ask(values) }),
  };
}

/** The first reading at `time` or later. */
function placeOf(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
