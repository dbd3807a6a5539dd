/**
 * What a schema refuses, as a sentence for whoever sent it: where, and what is wanted there.
 *
 * Decides: the words for what zod tells in its own; of alternatives the one that came furthest is told. Messages that a schema brings along
 * stay. What was sent is never repeated: it may be a password.
 */
import type { z } from 'zod';

type Issue = z.ZodError['issues'][number];

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a time',
  bigint: 'a whole number',
  null: 'null',
};
const OWN = /^(Invalid|Too (big|small)|Unrecognized)/;
const UNITS: Readonly<Record<string, string>> = {
  string: ' characters',
  array: ' entries',
  set: ' entries',
  map: ' entries',
};

/** The issue that says most: of a union the branch that went deepest. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union' || !OWN.test(issue.message)) return issue;
  let best: Issue | undefined;
  for (const branch of issue.errors) {
    const [first] = branch;
    if (!first) continue;
    const inner = deepest({ ...first, path: [...issue.path, ...first.path] } as Issue);
    if (!best || inner.path.length > best.path.length) best = inner;
  }
  return best ?? issue;
}

function wanted(issue: Issue): string {
  if (!OWN.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? 'is missing'
        : `${KINDS[issue.expected] ?? issue.expected} is wanted`;
    case 'invalid_value':
      return issue.values.length === 1
        ? `only ${String(issue.values[0])} is possible`
        : `one of ${issue.values.map(String).join(', ')} is wanted`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'unrecognized_keys':
      return `there is no ${issue.keys.map((key) => JSON.stringify(key.slice(0, 60))).join(', ')} here`;
    case 'invalid_format':
      if (/^\/\^(\[0-9\]|\\d)/.test(issue.pattern ?? '')) return 'a number is wanted';
      return issue.format === 'regex' ? 'it has not the form that is wanted' : `${issue.format} is wanted`;
    default:
      return 'it is not what is wanted here';
  }
}

/** `limit: at most 1000`. */
export function refusalOf(error: z.ZodError): string {
  const [first] = error.issues;
  if (!first) return 'request: it is not what is wanted here';
  const issue = deepest(first);
  return `${issue.path.join('.') || 'request'}: ${wanted(issue)}`;
}
