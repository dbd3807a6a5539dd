/**
 * User-defined attributes (AMI system description §5.7.2): definitions, and the check of values by them. Decides what a name
 * is, what values a type takes and its bounds; values are JSON. Leaves out what an attribute means.
 */
import { MisuseError } from '@amiable/bytes';
import type { NodeKind } from './types.ts';

export type AttributeType = 'text' | 'number' | 'boolean' | 'date' | 'choice';
export type AttributeObject = 'meter' | NodeKind;
export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface AttributeDefinition {
  readonly object: AttributeObject;
  readonly name: string;
  readonly type: AttributeType;
  readonly description: string | null;
  readonly required: boolean;
  /** Of a number, or of the length of a text. */
  readonly lowest: number | null;
  readonly highest: number | null;
  readonly choices: readonly string[];
  /** Has an index of its own (meters): greater, less and parts are found as soon as equal. */
  readonly searchable: boolean;
}

const NAME = /^\p{L}[\p{L}\p{N}_-]{0,59}$/u;
const MAX_TEXT = 1000;
const MAX_ATTRIBUTES = 100;
export const MAX_SEARCHABLE = 20;

/** @throws MisuseError with the first thing that is wrong */
export function checkDefinition(d: AttributeDefinition): void {
  if (!NAME.test(d.name))
    throw new MisuseError(
      `${JSON.stringify(d.name.slice(0, 80))}: a name of an attribute begins with a letter and has at most 60 letters, digits, - and _`,
    );
  if (d.type === 'choice') {
    if (d.choices.length === 0) throw new MisuseError(`${d.name}: a choice needs something to choose from`);
    if (d.choices.length > 500) throw new MisuseError(`${d.name}: at most 500 choices`);
    if (new Set(d.choices).size !== d.choices.length) throw new MisuseError(`${d.name}: a choice stands twice`);
    for (const c of d.choices) checkText(`choice of ${d.name}`, c, 100);
  } else if (d.choices.length > 0) throw new MisuseError(`${d.name}: only an attribute of type choice has choices`);
  if ((d.lowest !== null || d.highest !== null) && d.type !== 'number' && d.type !== 'text')
    throw new MisuseError(`${d.name}: bounds are for numbers and texts`);
  for (const bound of [d.lowest, d.highest])
    if (bound !== null && !Number.isFinite(bound)) throw new MisuseError(`${d.name}: a bound is a number`);
  if (d.lowest !== null && d.highest !== null && d.lowest > d.highest)
    throw new MisuseError(`${d.name}: the lowest is above the highest`);
  if (d.description !== null) checkText(`description of ${d.name}`, d.description, MAX_TEXT);
}

/** Texts that can be stored and found again as they are. */
export function checkText(what: string, text: string, most: number, least = 0): void {
  if (text.length < least) throw new MisuseError(`${what}: must not be empty`);
  if (text.length > most) throw new MisuseError(`${what}: at most ${most} characters`);
  if (text.includes('\0') || /\p{Surrogate}/u.test(text))
    throw new MisuseError(`${what}: has a character that cannot be stored (NUL or half of a surrogate pair)`);
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(text);
}

/** @throws MisuseError when the value is not one of the definition */
export function checkValue(d: AttributeDefinition, value: unknown): AttributeValue {
  const wrong = (words: string): never => {
    throw new MisuseError(`attribute ${d.name}: ${words}, not ${JSON.stringify(value)?.slice(0, 80)}`);
  };
  switch (d.type) {
    case 'boolean':
      return typeof value === 'boolean' ? value : wrong('true or false');
    case 'number': {
      if (typeof value !== 'number' || !Number.isFinite(value)) return wrong('a number');
      if (d.lowest !== null && value < d.lowest) return wrong(`at least ${d.lowest}`);
      if (d.highest !== null && value > d.highest) return wrong(`at most ${d.highest}`);
      return value;
    }
    case 'date':
      return typeof value === 'string' && isDay(value) ? value : wrong('a day such as 2026-11-20');
    case 'choice':
      return typeof value === 'string' && d.choices.includes(value)
        ? value
        : wrong(`one of ${d.choices.slice(0, 20).join(', ')}`);
    case 'text': {
      if (typeof value !== 'string') return wrong('a text');
      checkText(`attribute ${d.name}`, value, Math.min(d.highest ?? MAX_TEXT, MAX_TEXT));
      if (d.lowest !== null && value.length < d.lowest) return wrong(`at least ${d.lowest} characters`);
      return value;
    }
  }
}

/**
 * The attributes of an object after a patch: null takes one away.
 * @throws MisuseError for names that are not defined, wrong values, and required ones that lack
 */
export function applyAttributes(
  definitions: readonly AttributeDefinition[],
  before: Attributes,
  patch: Readonly<Record<string, AttributeValue | null>>,
): Attributes {
  const byName = new Map(definitions.map((d) => [d.name, d]));
  const next = new Map<string, AttributeValue>(Object.entries(before));
  for (const [name, value] of Object.entries(patch)) {
    const d = byName.get(name);
    if (value === null) next.delete(name);
    else if (!d)
      throw new MisuseError(
        `there is no attribute ${JSON.stringify(name.slice(0, 80))} here; define it first (amiable registry attributes)`,
      );
    else next.set(name, checkValue(d, value));
  }
  for (const d of definitions)
    if (d.required && !next.has(d.name)) throw new MisuseError(`attribute ${d.name} is required`);
  if (next.size > MAX_ATTRIBUTES) throw new MisuseError(`at most ${MAX_ATTRIBUTES} attributes`);
  // As own data: a name such as __proto__ is a name like another.
  return Object.fromEntries(next);
}
