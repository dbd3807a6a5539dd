/**
 * The two matrices of validation: which action is allowed for which condition (AMI system description §5.3).
 *
 * Decides: the conditions and actions there are, by the names that rule sets write, and the sentence with which an empty cell is
 * refused. Everything of the second matrix marks and reports, and changes nothing: a register's value is what a bill stands on.
 */

/** In order of weight. */
export const SEVERITIES = ['info', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Columns of both matrices. */
export const ACTIONS_ON_VALUES = [
  'unchanged',
  'zero',
  'previous-day',
  'previous-week',
  'user-defined',
  'user-defined-distributed',
  'distribute-cumulative-value',
] as const;
export type ValueAction = (typeof ACTIONS_ON_VALUES)[number];

/** Rows of the matrix of profile meterings. */
export const PROFILE_CONDITIONS = [
  'missing',
  'zero',
  'anything',
  'not-missing',
  'negative',
  'positive',
  'higher-than',
  'lower-than',
  'higher-than-average',
  'lower-than-average',
  'higher-than-median',
  'lower-than-median',
  'user',
] as const;
export type ProfileCondition = (typeof PROFILE_CONDITIONS)[number];

/** Rows of the matrix of periodic meterings (registers), and of those of one customer type. */
export const PERIODIC_CONDITIONS = [
  'missing',
  'zero',
  'anything',
  'not-missing',
  'higher-than',
  'lower-than',
  'higher-than-previous',
  'lower-than-previous',
  'higher-than-previous-month',
  'lower-than-previous-month',
  'higher-than-previous-year',
  'lower-than-previous-year',
  'higher-than-reference',
  'lower-than-reference',
  'higher-than-previous-month-source',
  'lower-than-previous-month-source',
  'higher-than-previous-year-source',
  'lower-than-previous-year-source',
  'user',
] as const;
export type PeriodicCondition = (typeof PERIODIC_CONDITIONS)[number];

const COMPARED: readonly ValueAction[] = ['unchanged', 'previous-day', 'previous-week', 'user-defined'];

/** First matrix. What is not listed is an empty cell. */
export const PROFILE_MATRIX: Readonly<Record<ProfileCondition, readonly ValueAction[]>> = {
  missing: ACTIONS_ON_VALUES,
  zero: ['unchanged', 'previous-day', 'previous-week', 'user-defined', 'distribute-cumulative-value'],
  anything: ['unchanged', 'previous-day', 'previous-week', 'user-defined-distributed'],
  'not-missing': ['unchanged'],
  negative: COMPARED,
  positive: ['unchanged'],
  'higher-than': COMPARED,
  'lower-than': COMPARED,
  'higher-than-average': COMPARED,
  'lower-than-average': COMPARED,
  'higher-than-median': COMPARED,
  'lower-than-median': COMPARED,
  user: COMPARED,
};

const isProfileCondition = (check: string): check is ProfileCondition =>
  (PROFILE_CONDITIONS as readonly string[]).includes(check);

const WHY: Readonly<Partial<Record<ValueAction, string>>> = {
  zero: 'only a missing value may become zero; a value that is there would be lost',
  'user-defined-distributed': 'an amount is distributed over values that are missing, or over all of them',
  'distribute-cumulative-value':
    'the difference of a register is distributed where nothing or nothing but zero was measured',
  'user-defined': 'a value of one’s own would stand for every value, the good ones too',
};

/** Why `action` may not be taken on `check`; undefined where it may. @param kind which matrix */
export function refusalOf(kind: 'profile' | 'periodic', check: string, action: ValueAction): string | undefined {
  if (action === 'unchanged') return undefined;
  if (kind === 'periodic')
    return `a periodic metering is marked and reported, never changed: the action for "${check}" is "unchanged", not "${action}"`;
  if (!isProfileCondition(check))
    return `"${check}" finds what cannot be used; such intervals are estimated by the methods of estimation. Its action is "unchanged", not "${action}"`;
  const allowed = PROFILE_MATRIX[check];
  if (allowed.includes(action)) return undefined;
  const why =
    check === 'not-missing' || check === 'positive'
      ? 'such a value was measured and nothing is wrong with it'
      : (WHY[action] ?? 'the matrix has no such cell');
  return `"${action}" is not allowed for "${check}": ${why}. Allowed: ${allowed.join(', ')}`;
}
