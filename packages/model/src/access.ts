/**
 * Who may do what: the words for it, shared by server, page and command line (AMI system description §5.7.1).
 *
 * Decides: the object types and functions there are, and how a privilege is written: `meter:view`, `execute:read-now`. An
 * object type has the four actions; a function has execution alone. Leaves out: who has which (the store), and who asks (the server).
 */

/** What rights are given on. Personal data (names, addresses, accounts of people) are `premises`, apart from the meter itself. */
export const OBJECT_TYPES = [
  'meter',
  'reading',
  'message',
  'event',
  'key',
  'network',
  'premises',
  'metering-point',
  'meter-type',
  'attribute',
  'segment',
  'user',
  'group',
  'token',
  'audit',
  'task',
  'flow',
  'run',
  'transaction',
  'connection',
  'system',
  'backup',
  'rule',
  'exception',
  'formula',
  'tariff',
  'contract',
  'bill',
  'price',
  'balance',
  'report',
  'format',
  'delivery',
] as const;
export type ObjectType = (typeof OBJECT_TYPES)[number];

export const ACTIONS = ['view', 'create', 'modify', 'delete'] as const;
export type Action = (typeof ACTIONS)[number];

/** What is executed rather than kept. */
export const FUNCTIONS = [
  'ingest',
  'display',
  'metrics',
  'read-now',
  'run-task',
  'set-clock',
  'import',
  'export',
  'backup',
  'restore',
  'reprocess',
  'erase-person',
  'edit-values',
  'approve-values',
  'validate',
  'calculate',
  'bill',
  'deliver',
  'run-report',
  'command',
] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

export type Privilege = `${ObjectType}:${Action}` | `execute:${FunctionName}`;

export const PRIVILEGES: readonly Privilege[] = [
  ...OBJECT_TYPES.flatMap((type) => ACTIONS.map((action): Privilege => `${type}:${action}`)),
  ...FUNCTIONS.map((name): Privilege => `execute:${name}`),
];

const known: ReadonlySet<string> = new Set(PRIVILEGES);
export const isPrivilege = (text: string): text is Privilege => known.has(text);

/** Data segments that a caller may see: ids, or all there are. Every query that gives data of objects takes one and filters in the query. */
export type Scope = 'all' | readonly number[];

/** Objects that nobody assigned to another segment are in this one. */
export const FIRST_SEGMENT = 1;

/** Who asks. */
export interface Caller {
  /** `guest` is not logged in; `system` is a program of our own (a schedule, a worker). */
  readonly kind: 'user' | 'token' | 'guest' | 'system';
  /** Database id of the user or the token; undefined for guests and the system. */
  readonly id?: string;
  /** The user of a session, or whom a token belongs to. */
  readonly user?: string;
  /** As it stands in logs and audit: `anna`, `anna/meter-export`, `guest`, `system/worker-1`. */
  readonly name: string;
  readonly privileges: ReadonlySet<Privilege>;
  readonly scope: Scope;
  /** BCP 47 tag. */
  readonly language?: string;
}

export const may = (caller: Caller, privilege: Privilege): boolean => caller.privileges.has(privilege);
export const isInScope = (scope: Scope, segment: number): boolean => scope === 'all' || scope.includes(segment);
