/**
 * What a formula gives: an amount or a truth for every interval of a grid, each with the worst quality of what it was made of.
 *
 * Decides: what is missing stays missing (NaN) through arithmetic, and a comparison with it is neither true nor false; `and` and `or` are
 * three-valued (false and missing is false). Division by zero is missing. `coalesce` makes at best an estimate.
 */
import { MisuseError } from '@amiable/bytes';
import { localToUtc, startsIn, toLocal } from '@amiable/calendar';
import { QUALITY } from '../series.ts';
import { type Aligned, align, type Grid, type SeriesInput } from './align.ts';
import type { BinaryOperator, CalendarWord, Expression, Node, Resampling } from './types.ts';
import { unitText } from './units.ts';
import { byParts, over, trailing, worst } from './windows.ts';

export type SeriesOf = (name: string) => SeriesInput | undefined;

export interface Evaluated {
  /** In base units (`unit`); truths are 1, 0, and NaN for what cannot be said. */
  readonly values: Float64Array;
  readonly quality: Uint8Array;
  /** Wh, EUR/Wh, empty for bare numbers; undefined for truths. */
  readonly unit: string | undefined;
}

/** Largest grid: ten years of quarters. */
const MAX_INTERVALS = 351_000;

/** Of a node: one number for all intervals, or an array of them. */
export type Value = { readonly one: number; readonly quality: number } | Aligned;

export interface Running {
  readonly grid: Grid;
  readonly series: SeriesOf;
  readonly aligned: Map<string, Aligned>;
  /** What nodes gave, for explanations. */
  readonly trace?: Map<Node, Value>;
}

/** @throws MisuseError for a series that is not there or does not fit on the grid */
export function evaluate(expression: Expression, grid: Grid, series: SeriesOf): Evaluated {
  const { v, q } = spread(run(expression.root, start(grid, series)), grid.n);
  // Leaves may be handed out as they are aligned; what is given out is the taker's own.
  const values = v.slice();
  const quality = q.slice();
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i] as number)) continue;
    values[i] = Number.NaN;
    quality[i] = QUALITY.missing;
  }
  return {
    values,
    quality,
    unit: expression.dimension && unitText(expression.dimension),
  };
}

export function start(grid: Grid, series: SeriesOf, trace?: Map<Node, Value>): Running {
  if (!(Number.isInteger(grid.n) && grid.n >= 0 && grid.n <= MAX_INTERVALS && grid.step > 0))
    throw new MisuseError(`a formula is calculated for ${MAX_INTERVALS} intervals at most, not for ${grid.n}`);
  return { grid, series, aligned: new Map(), ...(trace && { trace }) };
}

/** A value as an array over the grid. */
export function spread(value: Value, n: number): Aligned {
  if ('v' in value) return value;
  return { v: new Float64Array(n).fill(value.one), q: new Uint8Array(n).fill(value.quality) };
}

export function run(node: Node, at: Running): Value {
  const value = calculate(node, at);
  at.trace?.set(node, value);
  return value;
}

const constant = (one: number): Value => ({ one, quality: QUALITY.measured });

function calculate(node: Node, at: Running): Value {
  const { grid } = at;
  switch (node.kind) {
    case 'number':
      return constant(node.value);
    case 'truth':
      return constant(node.value ? 1 : 0);
    case 'name':
      return named(node.name, undefined, at);
    case 'resample':
      return named(node.name, node.how, at);
    case 'clock':
      return node.what === 'interval' ? constant(grid.step / 3_600_000) : localClock(node.what, grid);
    case 'unary':
      return map(run(node.of, at), node.operator === '-' ? negated : opposite);
    case 'binary':
      return zip(run(node.left, at), run(node.right, at), node.operator, grid.n);
    case 'if':
      return choose(run(node.condition, at), run(node.yes, at), run(node.no, at), grid.n);
    case 'power':
      return map(run(node.of, at), (x) => (x * 3_600_000) / grid.step);
    case 'energy':
      return map(run(node.of, at), (x) => (x * grid.step) / 3_600_000);
    case 'call':
      return call(node, at);
    case 'window':
      return windowed(node, at);
    case 'previous':
      return before(node, at);
  }
}

function named(name: string, how: Resampling | undefined, at: Running): Aligned {
  const key = `${how ?? ''} ${name}`;
  let found = at.aligned.get(key);
  if (!found) {
    const input = at.series(name);
    if (!input) throw new MisuseError(`there is no series "${name}" here`);
    found = align(name, input, at.grid, how);
    at.aligned.set(key, found);
  }
  return found;
}

const negated = (x: number): number => -x;
const opposite = (x: number): number => 1 - x;

function map(value: Value, f: (x: number) => number): Value {
  if (!('v' in value)) return { one: f(value.one), quality: value.quality };
  const v = new Float64Array(value.v.length);
  for (let i = 0; i < v.length; i++) v[i] = f(value.v[i] as number);
  return { v, q: value.q };
}

function compared(operator: BinaryOperator, x: number, y: number): number {
  if (operator === 'and') return x === 0 || y === 0 ? 0 : x * y;
  if (operator === 'or') return x === 1 || y === 1 ? 1 : x + y;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  switch (operator) {
    case '<':
      return x < y ? 1 : 0;
    case '<=':
      return x <= y ? 1 : 0;
    case '>':
      return x > y ? 1 : 0;
    case '>=':
      return x >= y ? 1 : 0;
    case '=':
      return x === y ? 1 : 0;
    default:
      return x !== y ? 1 : 0;
  }
}

function applied(operator: BinaryOperator, x: number, y: number): number {
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return y === 0 ? Number.NaN : x / y;
    default:
      return compared(operator, x, y);
  }
}

function zip(a: Value, b: Value, operator: BinaryOperator, n: number): Value {
  if (!('v' in a) && !('v' in b))
    return { one: applied(operator, a.one, b.one), quality: Math.max(a.quality, b.quality) };
  const x = spread(a, n);
  const y = spread(b, n);
  const v = new Float64Array(n);
  switch (operator) {
    case '+':
      for (let i = 0; i < n; i++) v[i] = (x.v[i] as number) + (y.v[i] as number);
      break;
    case '-':
      for (let i = 0; i < n; i++) v[i] = (x.v[i] as number) - (y.v[i] as number);
      break;
    case '*':
      for (let i = 0; i < n; i++) v[i] = (x.v[i] as number) * (y.v[i] as number);
      break;
    case 'and':
    case 'or':
      for (let i = 0; i < n; i++) v[i] = compared(operator, x.v[i] as number, y.v[i] as number);
      return { v, q: decided(x, y) };
    default:
      for (let i = 0; i < n; i++) v[i] = applied(operator, x.v[i] as number, y.v[i] as number);
  }
  return { v, q: worse(x.q, y.q) };
}

/** Of two truths one of which may be unknown: the other alone decided then, or nobody did. */
function decided(x: Aligned, y: Aligned): Uint8Array {
  const q = worse(x.q, y.q).slice();
  for (let i = 0; i < q.length; i++) {
    if (Number.isNaN(x.v[i] as number)) q[i] = y.q[i] as number;
    else if (Number.isNaN(y.v[i] as number)) q[i] = x.q[i] as number;
  }
  return q;
}

function worse(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a === b) return a;
  const q = new Uint8Array(a.length);
  for (let i = 0; i < q.length; i++) q[i] = Math.max(a[i] as number, b[i] as number);
  return q;
}

function choose(condition: Value, yes: Value, no: Value, n: number): Value {
  if (!('v' in condition) && !Number.isNaN(condition.one)) return condition.one ? yes : no;
  const c = spread(condition, n);
  const a = spread(yes, n);
  const b = spread(no, n);
  const v = new Float64Array(n).fill(Number.NaN);
  const q = new Uint8Array(n).fill(QUALITY.missing);
  for (let i = 0; i < n; i++) {
    const is = c.v[i] as number;
    if (Number.isNaN(is)) continue;
    const taken = is ? a : b;
    v[i] = taken.v[i] as number;
    q[i] = Math.max(c.q[i] as number, taken.q[i] as number);
  }
  return { v, q };
}

function call(node: Node & { kind: 'call' }, at: Running): Value {
  const n = at.grid.n;
  const [first, ...rest] = node.args.map((arg) => run(arg, at)) as [Value, ...Value[]];
  switch (node.name) {
    case 'abs':
      return map(first, Math.abs);
    case 'round':
      return map(first, roundHalfUp);
    case 'floor':
      return map(first, Math.floor);
    case 'ceil':
      return map(first, Math.ceil);
    case 'sqrt':
      return map(first, (x) => (x < 0 ? Number.NaN : Math.sqrt(x)));
    case 'is_missing': {
      const { v } = spread(first, n);
      const out = new Float64Array(n);
      for (let i = 0; i < n; i++) out[i] = Number.isNaN(v[i] as number) ? 1 : 0;
      return { v: out, q: new Uint8Array(n) };
    }
    case 'coalesce':
      return instead(first, rest[0] as Value, n);
    case 'apparent':
      return both(first, rest[0] as Value, n, Math.hypot);
    default: {
      const join = node.name === 'min' ? Math.min : Math.max;
      return rest.reduce((a, b) => both(a, b, n, join), first);
    }
  }
}

// Math.round takes −2.5 to −2; a bill and its reverse should cancel.
const roundHalfUp = (x: number): number => Math.sign(x) * Math.round(Math.abs(x));

function both(a: Value, b: Value, n: number, f: (x: number, y: number) => number): Value {
  if (!('v' in a) && !('v' in b)) return { one: f(a.one, b.one), quality: Math.max(a.quality, b.quality) };
  const x = spread(a, n);
  const y = spread(b, n);
  const v = new Float64Array(n);
  for (let i = 0; i < n; i++) v[i] = f(x.v[i] as number, y.v[i] as number);
  return { v, q: worse(x.q, y.q) };
}

function instead(a: Value, b: Value, n: number): Value {
  const x = spread(a, n);
  const y = spread(b, n);
  const v = x.v.slice();
  const q = x.q.slice();
  for (let i = 0; i < n; i++)
    if (Number.isNaN(v[i] as number)) {
      v[i] = y.v[i] as number;
      q[i] = Math.max(y.q[i] as number, QUALITY.estimated);
    }
  return { v, q };
}

function windowed(node: Node & { kind: 'window' }, at: Running): Value {
  const { grid } = at;
  const { v, q } = spread(run(node.of, at), grid.n);
  const { window } = node;
  if (window.kind === 'all') {
    const a = grid.from ?? 0;
    const b = grid.to ?? grid.n;
    let quality = 0;
    for (let i = a; i < b; i++)
      if (!Number.isNaN(v[i] as number) && (q[i] as number) > quality) quality = q[i] as number;
    return { one: over(node.name, v, a, b), quality };
  }
  if (window.kind === 'trailing') {
    const k = Math.max(1, Math.round(window.ms / grid.step));
    return { v: trailing(node.name, v, k), q: worst(q, v, { k }) };
  }
  const bounds = boundsOf(window.unit, grid);
  return { v: byParts(node.name, v, bounds), q: worst(q, v, { bounds }) };
}

/** Local days, weeks … as indices; the first and the last may be cut by the ends of the grid. */
function boundsOf(unit: CalendarWord, { start, step, n, zone }: Grid): Int32Array {
  const bounds = [0];
  for (const at of startsIn(unit, zone, start, start + n * step)) {
    const i = Math.ceil((at - start) / step);
    if (i > (bounds.at(-1) as number) && i < n) bounds.push(i);
  }
  return Int32Array.from([...bounds, n]);
}

function before(node: Node & { kind: 'previous' }, at: Running): Value {
  const { grid } = at;
  const { v, q } = spread(run(node.of, at), grid.n);
  const out = new Float64Array(grid.n).fill(Number.NaN);
  const quality = new Uint8Array(grid.n).fill(QUALITY.missing);
  const { by } = node;
  const shift = by === 'interval' ? 1 : 'ms' in by ? by.ms / grid.step : 0;
  if (!Number.isInteger(shift))
    throw new MisuseError('previous() goes back by whole intervals; the length is no multiple of them');
  for (let i = 0; i < grid.n; i++) {
    const from = shift ? i - shift : Math.round((sameTime(by as Back, grid, i) - grid.start) / grid.step);
    if (from < 0 || from >= grid.n) continue;
    out[i] = v[from] as number;
    quality[i] = q[from] as number;
  }
  return { v: out, q: quality };
}

interface Back {
  readonly unit: CalendarWord;
  readonly count: number;
}
const DAY = 86_400_000;

/** When the wall clock showed the same so many days, months … before; of a month that is shorter, its last day. */
function sameTime({ unit, count }: Back, { start, step, zone }: Grid, i: number): number {
  const time = start + i * step;
  if (unit === 'hour') return time - count * 3_600_000;
  const wall = toLocal(zone, time);
  if (unit === 'day' || unit === 'week') return localToUtc(zone, wall - count * (unit === 'week' ? 7 : 1) * DAY);
  const midnight = Math.floor(wall / DAY) * DAY;
  const date = new Date(midnight);
  const months = unit === 'year' ? 12 * count : count;
  const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months, 1);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months + 1, 0)).getUTCDate();
  return localToUtc(zone, month + (Math.min(date.getUTCDate(), last) - 1) * DAY + (wall - midnight));
}

function localClock(what: 'hour' | 'weekday' | 'day' | 'month', { start, step, n, zone }: Grid): Aligned {
  const v = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const date = new Date(toLocal(zone, start + i * step));
    v[i] =
      what === 'hour'
        ? date.getUTCHours()
        : what === 'weekday'
          ? ((date.getUTCDay() + 6) % 7) + 1
          : what === 'day'
            ? date.getUTCDate()
            : date.getUTCMonth() + 1;
  }
  return { v, q: new Uint8Array(n) };
}
