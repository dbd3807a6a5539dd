import { MisuseError } from '@amiable/bytes';
import type { Expression, Names } from './types.ts';

/** Reads and checks a formula. @throws ExpressionError with the place and what to do */
export function parseExpression(source: string, names: Names): Expression {
  throw new MisuseError(`${source} ${Object.keys(names).length}`);
}
