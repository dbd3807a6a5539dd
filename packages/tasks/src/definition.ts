/**
 * What a task says: what is done, with which meters, when, how urgently, and what happens when it does not work.
 *
 * Decides: the shape (times are ms, local times by zone) and the presets. Leaves out: checking of what people write (schemas.ts).
 */
import type { Schedule } from '@amiable/calendar';
import { isReadKind, type ReadKind, type TaskKind } from './kinds.ts';
import { DEFAULT_RETRY, type RetryRule } from './retry.ts';
import type { TimeWindow } from './window.ts';

/** Comparison of one attribute of meters; as in the registry's queries. */
export interface TargetCondition {
  readonly attribute: string;
  readonly is: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'begins' | 'in' | 'exists' | 'missing';
  readonly value?: string | number | boolean | readonly (string | number)[] | undefined;
}

/** Which meters, looked up anew for each run. All that is said must hold; nothing said is all meters of the creator's segments. */
export interface Target {
  /** Name of a stored group of meters. */
  readonly group?: string | undefined;
  /** Names of meter types. */
  readonly types?: readonly string[] | undefined;
  /** Words, as in the registry's search. */
  readonly q?: string | undefined;
  readonly where?: readonly TargetCondition[] | undefined;
  /** Number of a region, transformer or other node: those that stand under it. */
  readonly under?: string | undefined;
  /** Numbers of meters. */
  readonly meters?: readonly string[] | undefined;
}

/** What becomes of occurrences that came while nobody could see to them: the last of them is made up for, all of them, or none. */
export type Missed = 'last' | 'all' | 'none';

export interface TaskDefinition {
  readonly kind: TaskKind;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly target: Target;
  readonly schedule: Omit<Schedule, 'zone'>;
  /** In which schedule and windows are meant. */
  readonly timeZone: string;
  /** 0 to 9; 9 goes first. */
  readonly priority: number;
  /** When meters may be called; none is always. */
  readonly windows: readonly TimeWindow[];
  readonly retry: RetryRule;
  /** After so long (ms) a run is not worth going on with. */
  readonly lifetime: number;
  readonly missed: Missed;
  /** Share of meters, 0 to 1, with which a run counts as done. */
  readonly enough: number;
}

export const scheduleOf = (definition: Pick<TaskDefinition, 'schedule' | 'timeZone'>): Schedule => ({
  ...definition.schedule,
  zone: definition.timeZone,
});

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What is not said. */
export const DEFAULTS = {
  priority: 5,
  windows: [],
  retry: DEFAULT_RETRY,
  lifetime: DAY,
  missed: 'last',
  enough: 1,
} as const satisfies Partial<TaskDefinition>;

export interface Preset {
  readonly kind: ReadKind;
  /** One line for people. */
  readonly summary: string;
  readonly definition: Omit<TaskDefinition, 'target' | 'timeZone'>;
}

type Recurrence = Schedule['recurrence'];

function preset(
  kind: ReadKind,
  summary: string,
  recurrence: Recurrence,
  more: Partial<Omit<TaskDefinition, 'kind' | 'schedule'>> = {},
): Preset {
  return {
    kind,
    summary,
    definition: { kind, parameters: {}, schedule: { recurrence }, ...DEFAULTS, enough: 0.95, ...more },
  };
}

const daily = (...at: number[]): Recurrence => ({ type: 'daily', at });
const everyMinutes = (minute: string, hour = '*'): Recurrence => ({
  type: 'cron',
  expression: `${minute} ${hour} * * *`,
});

/** One for each kind of reading, as a utility would begin (AMI system description §3.5, §5.2.2). */
export const PRESETS: Readonly<Record<ReadKind, Preset>> = {
  daily: preset('daily', 'daily billing values, every night', daily(30), { priority: 6 }),
  monthly: preset(
    'monthly',
    'monthly billing values, on the first of each month',
    { type: 'monthly', on: [{ day: 1 }], at: [60] },
    { priority: 6, lifetime: 10 * DAY, retry: { ...DEFAULT_RETRY, tries: 20, longest: 6 * HOUR } },
  ),
  profile: preset('profile', 'load profile, every night', daily(45)),
  events: preset('events', 'event logs, every six hours', everyMinutes('10', '*/6'), {
    priority: 4,
    lifetime: 6 * HOUR,
  }),
  status: preset('status', 'status words and registers of the network, every day', daily(6 * 60), { priority: 3 }),
  quality: preset('quality', 'delivery quality: voltages and their violations, every day', daily(2 * 60), {
    priority: 3,
  }),
  outage: preset('outage', 'outages: power-down counters and logs, every hour', everyMinutes('20'), {
    priority: 7,
    lifetime: HOUR,
  }),
  registers: preset('registers', 'registers of now, every day', daily(5 * 60)),
  clock: preset('clock', 'clocks are compared and set, every day', daily(3 * 60 + 30), {
    parameters: { set: true },
    priority: 4,
  }),
};

/** Own kinds have no meters. */
export const hasMeters = (kind: TaskKind): kind is ReadKind => isReadKind(kind);
