/**
 * Formulas: read into a checked tree, never run as a program (docs/expressions.md).
 *
 *     expression = and { "or" and }          and = not { "and" not }          not = [ "not" ] comparison
 *     comparison = sum [ ("<" | "<=" | ">" | ">=" | "=" | "!=") sum ]         sum = product { ("+" | "-") product }
 *     product = factor { ("*" | "/") factor }                                 factor = [ "-" ] ( number [unit] | name | call | "(" … ")" )
 *
 * Decides: what a formula can name and call, at most 500 nodes and 40 levels of them, and that units fit before anything is calculated.
 */
import { alike, amountOf, apparent, binary, needsSeries, perTime, root, truthOf } from './check.ts';
import { ExpressionError, lex, type Token } from './lex.ts';
import { DAYS_OF, LENGTH, lookBackOf } from './tree.ts';
import {
  type BinaryOperator,
  CALENDAR_WORDS,
  type CalendarWord,
  type Expression,
  type Names,
  type Node,
  type Resampling,
  WINDOW_FUNCTIONS,
  type Window,
  type WindowFunction,
} from './types.ts';
import { BARE, isUnit, parseUnit } from './units.ts';

const MAX_NODES = 500;
const MAX_DEPTH = 40;
/** Longest window and longest look back: two years. */
const MAX_SPAN_MS = 2 * 366 * 86_400_000;

const ALIASES: Readonly<Record<string, string>> = {
  average: 'mean',
  avg: 'mean',
  standard_deviation: 'stddev',
  count_missing: 'missing',
  prev: 'previous',
};
const COMPARISONS: Readonly<Record<string, BinaryOperator>> = {
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  '=': '=',
  '==': '=',
  '!=': '!=',
  '<>': '!=',
};
const ROUNDING = ['abs', 'round', 'floor', 'ceil'] as const;
const RESAMPLING: readonly string[] = ['spread', 'hold', 'resample_sum', 'resample_mean'];
const CLOCK: ReadonlyMap<string, 'interval' | 'hour' | 'weekday' | 'day' | 'month'> = new Map([
  ['interval', 'interval'],
  ['hour', 'hour'],
  ['weekday', 'weekday'],
  ['day_of_month', 'day'],
  ['month', 'month'],
]);
const RESERVED: ReadonlySet<string> = new Set(['and', 'or', 'not', 'true', 'false', 'if', ...CLOCK.keys()]);
export const FUNCTIONS: readonly string[] = [
  'if',
  ...WINDOW_FUNCTIONS,
  'previous',
  ...ROUNDING,
  'sqrt',
  'apparent',
  'power',
  'energy',
  'coalesce',
  'is_missing',
  ...RESAMPLING,
];

const isCalendar = (word: string): word is CalendarWord => (CALENDAR_WORDS as readonly string[]).includes(word);
const isWindowFunction = (word: string): word is WindowFunction =>
  (WINDOW_FUNCTIONS as readonly string[]).includes(word);

/** Reads and checks a formula. @param names the series it may name, each with its unit @throws ExpressionError with the place */
export function parseExpression(source: string, names: Names): Expression {
  const parser = new Parser(source, names);
  const tree = parser.whole();
  return {
    source,
    root: tree,
    dimension: tree.dimension,
    series: tree.series,
    names: [...parser.used].sort(),
    lookBack: lookBackOf(tree),
    wholePeriods: [...parser.periods].sort(),
  };
}

class Parser {
  readonly #names: Names;
  readonly #tokens: readonly Token[];
  readonly used = new Set<string>();
  readonly periods = new Set<CalendarWord>();
  #next = 0;
  #nodes = 0;
  #depth = 0;

  constructor(source: string, names: Names) {
    this.#names = names;
    this.#tokens = lex(source);
  }

  whole(): Node {
    if (this.#peek().kind === 'end') throw new ExpressionError('the formula is empty', 0);
    const tree = this.#expression();
    const rest = this.#peek();
    if (rest.kind !== 'end')
      throw new ExpressionError(`"${rest.text}" is not expected here${hint(rest.text)}`, rest.at);
    return tree;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #is(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead);
    return token.text === text && (token.kind === 'sign' || token.kind === 'word');
  }

  #expect(text: string, after: string): Token {
    const token = this.#take();
    if (token.text !== text || token.kind !== 'sign')
      throw new ExpressionError(
        `"${text}" is missing ${after}${token.kind === 'end' ? '' : `, "${token.text}" stands there`}`,
        token.at,
      );
    return token;
  }

  #made(node: Node): Node {
    if (++this.#nodes > MAX_NODES) throw new ExpressionError(`a formula has ${MAX_NODES} parts at most`, node.at);
    return node;
  }

  #expression(): Node {
    if (++this.#depth > MAX_DEPTH)
      throw new ExpressionError(`a formula has ${MAX_DEPTH} levels of brackets at most`, this.#peek().at);
    const node = this.#chain(['or'], () => this.#chain(['and'], () => this.#not()));
    this.#depth--;
    return node;
  }

  #chain(operators: readonly string[], part: () => Node): Node {
    let left = part();
    while (operators.some((operator) => this.#is(operator))) {
      const sign = this.#take();
      left = this.#made(binary(sign.text as BinaryOperator, left, part(), sign.at));
    }
    return left;
  }

  #not(): Node {
    if (!this.#is('not')) return this.#comparison();
    const { at } = this.#take();
    if (++this.#depth > MAX_DEPTH) throw new ExpressionError('too many "not" after each other', at);
    const of = this.#not();
    this.#depth--;
    truthOf(of, '"not"');
    return this.#made({ kind: 'unary', operator: 'not', of, at, end: of.end, series: of.series, dimension: undefined });
  }

  #comparison(): Node {
    const left = this.#sum();
    const operator = this.#peek().kind === 'sign' ? COMPARISONS[this.#peek().text] : undefined;
    if (!operator) return left;
    const sign = this.#take();
    const node = this.#made(binary(operator, left, this.#sum(), sign.at));
    const more = this.#peek();
    if (more.kind === 'sign' && COMPARISONS[more.text])
      throw new ExpressionError('comparisons cannot follow each other; write "a < b and b < c"', more.at);
    return node;
  }

  #sum(): Node {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/'], () => this.#factor()));
  }

  #factor(): Node {
    if (this.#is('-')) {
      const { at } = this.#take();
      if (++this.#depth > MAX_DEPTH) throw new ExpressionError('too many "-" after each other', at);
      const of = this.#factor();
      this.#depth--;
      const dimension = amountOf(of, '"-"');
      if (of.kind === 'number') return { ...of, value: -of.value, at };
      return this.#made({ kind: 'unary', operator: '-', of, at, end: of.end, series: of.series, dimension });
    }
    const token = this.#take();
    switch (token.kind) {
      case 'number':
        return this.#number(token);
      case 'quoted':
        return this.#name(token);
      case 'word':
        return this.#is('(') ? this.#call(token) : this.#word(token);
      case 'end':
        throw new ExpressionError('the formula ends where an amount is expected', token.at);
      default: {
        if (token.text !== '(')
          throw new ExpressionError(`"${token.text}" stands where an amount is expected`, token.at);
        const inner = this.#expression();
        const close = this.#expect(')', 'to close the bracket');
        return { ...inner, at: token.at, end: close.end };
      }
    }
  }

  #number(token: Token): Node {
    let text = '';
    let end = token.end;
    if (this.#is('%')) {
      text = '%';
      end = this.#take().end;
    } else if (this.#peek().kind === 'word' && isUnit(this.#peek().text) && !this.#is('(', 1)) {
      ({ text, end } = this.#take());
      // `kWh/m3` without blanks is one unit; with blanks it is a division.
      while (this.#is('/') && this.#peek().at === end && this.#peek(1).at === end + 1 && isUnit(this.#peek(1).text)) {
        this.#take();
        const below = this.#take();
        text += `/${below.text}`;
        end = below.end;
      }
    }
    const { factor, dimension } = parseUnit(text);
    const value = Number(token.text) * factor;
    return this.#made({ kind: 'number', value, at: token.at, end, series: false, dimension });
  }

  #word(token: Token): Node {
    const { text, at, end } = token;
    const place = { at, end };
    if (text === 'true' || text === 'false')
      return this.#made({ kind: 'truth', value: text === 'true', ...place, series: false, dimension: undefined });
    const what = CLOCK.get(text);
    if (what === 'interval')
      return this.#made({ kind: 'clock', what, ...place, series: false, dimension: parseUnit('h').dimension });
    if (what) return this.#made({ kind: 'clock', what, ...place, series: true, dimension: BARE });
    if (RESERVED.has(text)) throw new ExpressionError(`"${text}" stands where an amount is expected`, at);
    return this.#name(token);
  }

  #unitOf(token: Token): string {
    const unit = Object.hasOwn(this.#names, token.text) ? this.#names[token.text] : undefined;
    if (unit === undefined) {
      const known = Object.keys(this.#names);
      const near = known.filter((name) => name.toLowerCase() === token.text.toLowerCase());
      const told = near.length
        ? `; did you mean ${near[0]}?`
        : isUnit(token.text)
          ? '; a unit stands behind a number'
          : known.length
            ? `; known are ${known.slice(0, 12).join(', ')}${known.length > 12 ? ' …' : ''}`
            : '';
      throw new ExpressionError(`there is no series "${token.text}"${told}`, token.at);
    }
    this.used.add(token.text);
    return unit;
  }

  #name(token: Token): Node {
    const { dimension } = parseUnit(this.#unitOf(token));
    return this.#made({ kind: 'name', name: token.text, at: token.at, end: token.end, series: true, dimension });
  }

  #call(word: Token): Node {
    const name = Object.hasOwn(ALIASES, word.text) ? (ALIASES[word.text] as string) : word.text;
    const { at } = word;
    if (!FUNCTIONS.includes(name))
      throw new ExpressionError(`there is no function "${word.text}"; there are ${FUNCTIONS.join(', ')}`, at);
    this.#take();
    if (name === 'previous') return this.#previous(at);
    if (RESAMPLING.includes(name)) return this.#resample(name, at);
    if (isWindowFunction(name)) return this.#window(name, at);
    const args = [this.#expression()];
    while (this.#is(',')) {
      this.#take();
      args.push(this.#expression());
    }
    const end = this.#close(name);
    const need = name === 'if' ? 3 : name === 'apparent' || name === 'coalesce' ? 2 : 1;
    if (args.length !== need)
      throw new ExpressionError(`${name} takes ${need} argument${need > 1 ? 's' : ''}, here are ${args.length}`, at);
    const [a, b, c] = args as [Node, Node, Node];
    const series = args.some((arg) => arg.series);
    switch (name) {
      case 'if':
        truthOf(a, 'the condition of if');
        if (b.dimension === undefined && c.dimension === undefined)
          return this.#made({ kind: 'if', condition: a, yes: b, no: c, at, end, series, dimension: undefined });
        return this.#made({
          kind: 'if',
          condition: a,
          yes: b,
          no: c,
          at,
          end,
          series,
          dimension: alike([b, c], 'if'),
        });
      case 'power':
      case 'energy':
        return this.#made(perTime(name, a, at, end));
      case 'sqrt':
        return this.#made(root(a, at, end));
      case 'apparent':
        return this.#made(apparent(a, b, at, end));
      case 'is_missing':
        amountOf(a, name);
        needsSeries(a, name);
        return this.#made({ kind: 'call', name, args, at, end, series, dimension: undefined });
      case 'coalesce':
        return this.#made({ kind: 'call', name, args, at, end, series, dimension: alike(args, name) });
      default:
        return this.#made({
          kind: 'call',
          name: name as (typeof ROUNDING)[number],
          args,
          at,
          end,
          series,
          dimension: amountOf(a, name),
        });
    }
  }

  #close(name: string): number {
    return this.#expect(')', `behind the arguments of ${name}`).end;
  }

  #resample(name: string, at: number): Node {
    const token = this.#take();
    if (token.kind !== 'word' && token.kind !== 'quoted')
      throw new ExpressionError(`${name} takes the name of a series`, token.at);
    const { dimension } = parseUnit(this.#unitOf(token));
    const end = this.#close(name);
    const how = name.replace('resample_', '') as Resampling;
    return this.#made({ kind: 'resample', how, name: token.text, at, end, series: true, dimension });
  }

  /** `, day)` or `, 24 h)`: what is taken is all up to the closing bracket. */
  #windowArgument(): { readonly word: CalendarWord; readonly count?: number } | { readonly ms: number } | undefined {
    const token = this.#peek(1);
    if (token.kind === 'word' && isCalendar(token.text) && this.#is(')', 2)) {
      this.#next += 2;
      return { word: token.text };
    }
    const unit = this.#peek(2);
    if (token.kind !== 'number' || unit.kind !== 'word' || !this.#is(')', 3)) return undefined;
    const word = unit.text.replace(/s$/, '');
    const count = Number(token.text);
    if (isCalendar(word) && Number.isInteger(count) && count > 0) {
      this.#next += 3;
      return this.#bounded({ word, count }, count * DAYS_OF[word] * 86_400_000, token);
    }
    if (!isUnit(unit.text)) return undefined;
    const { factor, dimension } = parseUnit(unit.text);
    if (dimension.some((power, i) => power !== (parseUnit('h').dimension[i] as number))) return undefined;
    const ms = Math.round(count * factor * 3_600_000);
    if (ms <= 0) throw new ExpressionError('a window is longer than nothing', token.at);
    this.#next += 3;
    return this.#bounded({ ms }, ms, token);
  }

  #bounded<T>(window: T, ms: number, token: Token): T {
    if (ms > MAX_SPAN_MS) throw new ExpressionError('a formula looks back two years at most', token.at);
    return window;
  }

  #window(name: WindowFunction, at: number): Node {
    const of = this.#expression();
    const dimension = amountOf(of, name);
    let window: Window = { kind: 'all' };
    if (this.#is(',')) {
      const found = of.series ? this.#windowArgument() : undefined;
      if (found && 'ms' in found) window = { kind: 'trailing', ms: found.ms };
      else if (found?.count !== undefined)
        // Two local days are 46 to 50 hours; a window that ends with an interval is of fixed length.
        window = { kind: 'trailing', ms: found.count * LENGTH[found.word] };
      else if (found) {
        window = { kind: 'calendar', unit: found.word };
        this.periods.add(found.word);
      } else if (name === 'min' || name === 'max') return this.#extreme(name, of, at);
      else
        throw new ExpressionError(
          `a window is a length such as "24 h" or one of ${CALENDAR_WORDS.join(', ')}`,
          this.#peek(1).at,
        );
    }
    const end = this.#close(name);
    needsSeries(of, name);
    const counts = name === 'count' || name === 'missing';
    return this.#made({
      kind: 'window',
      name,
      of,
      window,
      at,
      end,
      series: window.kind !== 'all',
      dimension: counts ? BARE : dimension,
    });
  }

  /** `min(a, b, …)`: the lowest of them at each interval. */
  #extreme(name: 'min' | 'max', first: Node, at: number): Node {
    const args = [first];
    while (this.#is(',')) {
      this.#take();
      args.push(this.#expression());
    }
    const end = this.#close(name);
    return this.#made({
      kind: 'call',
      name,
      args,
      at,
      end,
      series: args.some((arg) => arg.series),
      dimension: alike(args, name),
    });
  }

  #previous(at: number): Node {
    const of = this.#expression();
    const dimension = amountOf(of, 'previous');
    needsSeries(of, 'previous');
    let by: (Node & { kind: 'previous' })['by'] = 'interval';
    if (this.#is(',')) {
      const place = this.#peek(1).at;
      const found = this.#windowArgument();
      if (!found) throw new ExpressionError('previous takes a length such as "2 h", or day, week, month, year', place);
      by = 'ms' in found ? { ms: found.ms } : { unit: found.word, count: found.count ?? 1 };
    }
    const end = this.#close('previous');
    return this.#made({ kind: 'previous', of, by, at, end, series: true, dimension });
  }
}

const hint = (text: string): string =>
  text === ')' ? '; a bracket too many' : text === ',' ? '; a comma separates arguments of a function' : '';
