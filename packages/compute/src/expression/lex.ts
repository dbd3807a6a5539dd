/** Words of a formula, each with its place. Bounded: a formula has 4,000 characters at most. */
import { MisuseError } from '@amiable/bytes';

export const MAX_SOURCE = 4000;

/** A formula that cannot be read or checked. `position` counts characters from 1. */
export class ExpressionError extends MisuseError {
  readonly position: number;
  constructor(message: string, at: number) {
    super(`${message} (at character ${at + 1})`);
    this.position = at + 1;
  }
}

export interface Token {
  readonly kind: 'number' | 'word' | 'quoted' | 'sign' | 'end';
  readonly text: string;
  readonly at: number;
  readonly end: number;
}

const NUMBER = /(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,2})?/y;
// Dots join what belongs together: a metering of a point (`school.energyImport`).
const WORD = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_0-9]+)*/y;
const SIGN = /<=|>=|==|!=|<>|[-+*/(),<>=%]/y;
const SPACE = /\s+/y;

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

/** @throws ExpressionError for a character that no formula has */
export function lex(source: string): Token[] {
  if (source.length > MAX_SOURCE)
    throw new ExpressionError(`a formula has ${MAX_SOURCE} characters at most, this one ${source.length}`, MAX_SOURCE);
  const tokens: Token[] = [];
  for (let at = 0; at < source.length; ) {
    const space = match(SPACE, source, at);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    if (source[at] === '"') {
      const end = source.indexOf('"', at + 1);
      if (end < 0) throw new ExpressionError('a name in quotes does not end; close it with "', at);
      if (end === at + 1) throw new ExpressionError('a name in quotes is empty', at);
      tokens.push({ kind: 'quoted', text: source.slice(at + 1, end), at, end: end + 1 });
      at = end + 1;
      continue;
    }
    const number = match(NUMBER, source, at);
    const word = number === undefined ? match(WORD, source, at) : undefined;
    const text = number ?? word ?? match(SIGN, source, at);
    if (text === undefined)
      throw new ExpressionError(
        `${JSON.stringify(String.fromCodePoint(source.codePointAt(at) as number))} has no meaning in a formula`,
        at,
      );
    const kind = number !== undefined ? 'number' : word !== undefined ? 'word' : 'sign';
    tokens.push({ kind, text, at, end: at + text.length });
    at += text.length;
  }
  tokens.push({ kind: 'end', text: '', at: source.length, end: source.length });
  return tokens;
}
