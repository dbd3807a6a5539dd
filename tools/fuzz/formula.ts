/**
 * Formulas for the fuzzer: words of the language in any order, real formulas changed, and bytes. One is read or refused with a place in
 * it; what is read is calculated over a series with holes, explained, and stays the same when it is read again.
 */
import { ExpressionError, evaluate, explainAt, FUNCTIONS, type Grid, outline, parseExpression } from '@amiable/compute';
import { type Dice, mutate } from './inputs.ts';

const NAMES = { value: 'Wh', export: 'Wh', reactive: 'varh', price: 'EUR/MWh', 'a b': 'm3' };
const WORDS = [
  ...FUNCTIONS,
  ...Object.keys(NAMES),
  '"a b"',
  ...['(', ')', '(', ')', ',', '+', '-', '*', '/', '<', '<=', '>', '>=', '=', '!=', '%', '.', '"'],
  ...['and', 'or', 'not', 'true', 'false', 'day', 'week', 'month', 'year', 'hour', 'weekday', 'interval'],
  ...['0', '1', '2.5', '1e9', '24 h', '15 min', '2 days', '3 kWh', '1 kWh/m3', '5 EUR', '__proto__', 'constructor'],
];
const REAL = [
  'value > 3 * mean(value, 7 days) and export = 0',
  'if(hour >= 22 or hour < 6, value, 0) * price',
  'apparent(value, reactive) - previous(apparent(value, reactive), week)',
  'max(value, day) > 2 kWh or missing(value, day) > 4',
  'stddev(value, 6 h) / median(value, 24 h) < 0.1',
  'coalesce(value - export, 0) + sum(min(value, export, 5 Wh), month)',
];
const text = new TextEncoder();
const read = new TextDecoder();
const N = 200;

export function formulaTarget(roll: Dice, count: (what: string) => void) {
  const grid: Grid = { start: Date.UTC(2026, 2, 28, 20), step: 900_000, n: N, zone: 'Europe/Oslo', from: 20, to: 180 };
  const values = Float64Array.from({ length: N }, (_, i) => (i % 17 === 3 ? Number.NaN : (i * 37) % 101));
  const quality = Uint8Array.from(values, (v, i) => (Number.isNaN(v) ? 4 : i % 4));
  const series = (name: string) => ({
    unit: NAMES[name as keyof typeof NAMES],
    intervals: { start: grid.start, step: grid.step, scaler: 0, values, quality },
  });
  const real = REAL.map((formula) => text.encode(formula));

  const pick = (these: readonly string[]) => these[roll(these.length)] as string;
  /** Energy, so that units fit; a level less each time. */
  function energy(levels: number): string {
    if (levels === 0) return pick(['value', 'export', '3 kWh', '0', 'energy(2 kW)']);
    const a = energy(levels - 1);
    const b = energy(levels - 1);
    switch (roll(8)) {
      case 0:
        return `(${a} ${pick(['+', '-'])} ${b})`;
      case 1:
        return `${a} * ${pick(['2', '0.5', '80 %', 'hour', 'weekday'])}`;
      case 2:
        return `${a} / (${pick(['2', 'month', 'count(value, day)', 'value / export'])})`;
      case 3:
        return `if(${truth(levels - 1)}, ${a}, ${b})`;
      case 4:
        return `${pick(['min', 'max', 'coalesce'])}(${a}, ${b})`;
      case 5:
        return `${pick(['sum', 'mean', 'median', 'stddev', 'min', 'max', 'first', 'last'])}(value + ${a}${pick(['', ', day', ', 6 h', ', week', ', 2 days', ', hour'])})`;
      case 6:
        return `previous(value - ${a}${pick(['', ', day', ', 30 min', ', month', ', 7 min'])})`;
      default:
        return `${pick(['abs', 'round', '-'])}(${a})`;
    }
  }
  function truth(levels: number): string {
    const compared = `${energy(levels)} ${pick(['<', '<=', '>', '>=', '=', '!='])} ${energy(levels)}`;
    return roll(3) && levels ? `(${compared} ${pick(['and', 'or'])} not (${truth(levels - 1)}))` : `(${compared})`;
  }

  function next(): Uint8Array {
    const kind = roll(4);
    if (kind === 0) return text.encode(roll(2) ? energy(roll(5)) : truth(roll(4)));
    if (kind === 1) return mutate(text.encode(energy(roll(4))), roll, real);
    if (roll(3) === 0) return mutate(real[roll(real.length)] as Uint8Array, roll, real);
    let formula = roll(2) ? (REAL[roll(REAL.length)] as string) : '';
    for (let n = 1 + roll(12); n > 0; n--) {
      const word = WORDS[roll(WORDS.length)] as string;
      const at = roll(formula.length + 1);
      formula = roll(3) ? `${formula} ${word}` : `${formula.slice(0, at)} ${word} ${formula.slice(at)}`;
    }
    return text.encode(formula);
  }

  function run(input: Uint8Array): void {
    const source = read.decode(input);
    let expression: ReturnType<typeof parseExpression>;
    try {
      expression = parseExpression(source, NAMES);
    } catch (e) {
      if (!(e instanceof ExpressionError)) throw e;
      if (!(e.position >= 1 && e.position <= source.length + 1))
        throw new Error(`place ${e.position} of ${source.length}`);
      count('refused');
      return;
    }
    count('read');
    try {
      const { values: out, quality: of } = evaluate(expression, grid, series);
      for (let i = 0; i < N; i++)
        if (Number.isNaN(out[i] as number) !== (of[i] === 4) || Math.abs(out[i] as number) === Number.POSITIVE_INFINITY)
          throw new Error(`interval ${i} has ${out[i]} of quality ${of[i]}`);
      explainAt(expression, grid, series, roll(N));
      count('calculated');
    } catch (e) {
      // A length that is no multiple of the interval, hints for intervals of another length.
      if (!(e instanceof Error && e.name === 'MisuseError')) throw e;
      count('not for this grid');
    }
    outline(expression);
  }
  return { next, run };
}
