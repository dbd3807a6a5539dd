/**
 * One formula over its inputs: checked once, calculated for any stretch of time.
 *
 * Decides: units are checked before anything is calculated, the result's own too; the result is at best `calculated` and at worst what its
 * worst input was; it is rounded once, to the decimals that were asked for, halves away from zero. Leaves out: where inputs come from.
 */
import { MisuseError } from '@amiable/bytes';
import type { Formula } from '@amiable/model';
import { evaluate, type SeriesOf } from '../expression/evaluate.ts';
import { parseExpression } from '../expression/parse.ts';
import type { Expression, Names } from '../expression/types.ts';
import { parseUnit, unitText } from '../expression/units.ts';
import { type Intervals, QUALITY } from '../series.ts';

export interface CheckedFormula {
  readonly formula: Formula;
  readonly expression: Expression;
  /** Of the result, as it is kept: Wh, m3, W. */
  readonly unit: string;
  /** Unit of each input. */
  readonly units: Names;
}

/** @param unitOf of a metering by its name, where the input does not say it @throws MisuseError (ExpressionError with the place) */
export function checkFormula(
  formula: Formula,
  unitOf: (quantity: string) => string | undefined,
  priceUnit: (series: string) => string | undefined,
): CheckedFormula {
  const units: Record<string, string> = {};
  for (const [name, input] of Object.entries(formula.inputs)) {
    if (input.kind === 'factor') units[name] = input.unit;
    else if (input.kind === 'price') {
      const unit = priceUnit(input.series);
      if (unit === undefined) throw new MisuseError(`input ${name}: there is no series of prices ${input.series}`);
      units[name] = unit;
    } else if (input.kind === 'meters' && input.combine === 'count') units[name] = '';
    else {
      const known = unitOf(input.quantity);
      if (known !== undefined && input.unit !== undefined && known !== input.unit)
        throw new MisuseError(`input ${name}: ${input.quantity} is in ${known}, not in ${input.unit}`);
      const unit = known ?? input.unit;
      if (unit === undefined)
        throw new MisuseError(
          `input ${name}: nothing is known of ${input.quantity}; say its unit, or make the formula that calculates it first`,
        );
      units[name] = unit;
    }
  }
  const expression = parseExpression(formula.expression, units);
  const unused = Object.keys(units).find((name) => !expression.names.includes(name));
  if (unused !== undefined) throw new MisuseError(`input ${unused} is not in the expression`);
  if (expression.dimension === undefined)
    throw new MisuseError('the expression says whether something is true; a profile needs an amount: use if(…, 1, 0)');
  const wanted = parseUnit(formula.unit).dimension;
  if (!wanted.every((power, i) => power === (expression.dimension as readonly number[])[i]))
    throw new MisuseError(
      `the expression gives ${unitText(expression.dimension) || 'a bare number'}, and the result is said to be in ${formula.unit || 'no unit'}`,
    );
  return { formula, expression, unit: unitText(wanted), units };
}

export interface Calculated {
  readonly intervals: Intervals;
  /** Values by quality: measured, calculated, edited, estimated, missing. */
  readonly shares: readonly number[];
}

/** @throws MisuseError for inputs that do not fit and results too large */
export function calculate(
  { formula, expression }: CheckedFormula,
  grid: { readonly start: number; readonly n: number; readonly zone: string },
  series: SeriesOf,
): Calculated {
  const step = formula.period * 1000;
  const found = evaluate(expression, { ...grid, step }, series);
  const scale = 10 ** formula.decimals;
  const values = new Float64Array(grid.n).fill(Number.NaN);
  const quality = new Uint8Array(grid.n).fill(QUALITY.missing);
  const shares = [0, 0, 0, 0, 0];
  for (let i = 0; i < grid.n; i++) {
    const real = found.values[i] as number;
    const q = Number.isNaN(real) ? QUALITY.missing : Math.max(found.quality[i] as number, QUALITY.calculated);
    quality[i] = q;
    shares[q] = (shares[q] as number) + 1;
    if (Number.isNaN(real)) continue;
    const value = Math.sign(real) * Math.round(Math.abs(real) * scale);
    if (!Number.isSafeInteger(value))
      throw new MisuseError(`the result ${real} is too large for ${formula.decimals} decimals`);
    values[i] = value === 0 ? 0 : value;
  }
  return {
    intervals: { start: grid.start, step, scaler: formula.decimals === 0 ? 0 : -formula.decimals, values, quality },
    shares,
  };
}

/** A factor that holds from times on, as a series on a grid; before the first nothing is known. An interval over a change has its mean by time. */
export function factorSeries(
  values: readonly { readonly from: number; readonly value: number }[],
  { start, step, n }: { readonly start: number; readonly step: number; readonly n: number },
): Intervals {
  const SCALE = 1e9;
  const sorted = [...values].sort((a, b) => a.from - b.from);
  const out = new Float64Array(n).fill(Number.NaN);
  const quality = new Uint8Array(n).fill(QUALITY.missing);
  let k = -1;
  for (let i = 0; i < n; i++) {
    const from = start + i * step;
    while (k + 1 < sorted.length && (sorted[k + 1] as { from: number }).from <= from) k++;
    let sum = 0;
    let at = from;
    let j = k;
    let known = k >= 0;
    while (at < from + step && known) {
      const end = Math.min(sorted[j + 1]?.from ?? Number.POSITIVE_INFINITY, from + step);
      const value = sorted[j]?.value;
      if (value === undefined) known = false;
      else sum += value * (end - at);
      at = end;
      j++;
    }
    if (!known) continue;
    const whole = j === k + 1;
    out[i] = Math.round((whole ? (sorted[k] as { value: number }).value : sum / step) * SCALE);
    quality[i] = whole ? QUALITY.measured : QUALITY.estimated;
  }
  return { start, step, scaler: -9, values: out, quality };
}
