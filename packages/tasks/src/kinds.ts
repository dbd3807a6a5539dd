/**
 * The kinds of tasks there are (AMI system description §5.2.2, §5.6): what is read of meters or done to them, and what the central
 * system does by itself.
 */
export const READ_KINDS = [
  'monthly',
  'daily',
  'profile',
  'events',
  'status',
  'quality',
  'outage',
  'registers',
  'clock',
] as const;
/** What is read of a meter or done to it; one association does all that is due for it. */
export type ReadKind = (typeof READ_KINDS)[number];

export const OWN_KINDS = [
  'completeness',
  'import',
  'export',
  'backup',
  'retention',
  'validation',
  'calculation',
  'billing',
  'balance',
  'prices',
  'report',
  'delivery',
  'readings',
] as const;
/** What the central system does by itself. */
export type OwnKind = (typeof OWN_KINDS)[number];

export const TASK_KINDS = [...READ_KINDS, ...OWN_KINDS] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

const read: ReadonlySet<string> = new Set(READ_KINDS);
export const isReadKind = (kind: string): kind is ReadKind => read.has(kind);
