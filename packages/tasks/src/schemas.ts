/**
 * What people and programs write to define tasks and flows, checked: bounds on everything, sentences for what is wrong.
 *
 * Decides: the written form (times as 00:30 or minutes, windows as text or numbers, spans as 90s, 5m, 2h, 3d or ms) and what is left out of it.
 * Leaves out: whether groups, types and meters exist (the registry knows).
 */
import { isValidZone, recurring, type Schedule } from '@amiable/calendar';
import { z } from 'zod';
import { DEFAULTS, type TaskDefinition } from './definition.ts';
import { type FlowDefinition, type FlowStep, flowFaults, MOST_STEPS } from './flow.ts';
import { OWN_KINDS, READ_KINDS, type TaskKind } from './kinds.ts';
import { DEFAULT_RETRY } from './retry.ts';
import { parseWindow } from './window.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: MINUTE, h: 60 * MINUTE, d: DAY };

/** A span of time in ms: a number, or 90s, 5m, 2h, 3d. */
export const spanMs = (most: number) =>
  z
    .union(
      [
        z.number().int(),
        z.string().transform((text, context) => {
          const found = /^(\d{1,9})\s*(ms|s|m|h|d)$/.exec(text.trim());
          if (found) return Number(found[1]) * (UNITS[found[2] as string] as number);
          context.addIssue({
            code: 'custom',
            message: `${JSON.stringify(text.slice(0, 30))} is no span; write 90s, 5m, 2h or 3d`,
          });
          return z.NEVER;
        }),
      ],
      { error: 'no span of time; write 90s, 5m, 2h or 3d' },
    )
    .pipe(z.number().int().min(0).max(most));

const minuteOfDay = z
  .union(
    [
      z.number().int(),
      z.string().transform((text, context) => {
        const found = /^(\d{1,2}):(\d\d)$/.exec(text.trim());
        if (found && Number(found[2]) < 60) return Number(found[1]) * 60 + Number(found[2]);
        context.addIssue({
          code: 'custom',
          message: `${JSON.stringify(text.slice(0, 30))} is no time of the day; write 00:30`,
        });
        return z.NEVER;
      }),
    ],
    { error: 'no time of the day; write 00:30' },
  )
  .pipe(z.number().int().min(0).max(1439));

const at = z.array(minuteOfDay).min(1).max(96).describe('Times of the local day: 00:30, or minutes');
const monthDay = z.union([
  z.strictObject({ day: z.number().int().min(-31).max(31) }).describe('1 to 31; -1 is the last day'),
  z.strictObject({ nth: z.number().int().min(-1).max(5), weekday: z.number().int().min(1).max(7) }),
  z.strictObject({ workday: z.number().int().min(-23).max(23) }).describe('1 is the first working day, -1 the last'),
]);

export const recurrenceSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('daily'), at }),
  z.strictObject({ type: z.literal('weekly'), days: z.array(z.number().int().min(1).max(7)).min(1).max(7), at }),
  z.strictObject({
    type: z.literal('monthly'),
    on: z.array(monthDay).min(1).max(31),
    months: z.array(z.number().int().min(1).max(12)).min(1).max(12).optional(),
    at,
  }),
  z.strictObject({ type: z.literal('cron'), expression: z.string().max(200) }),
  z.strictObject({ type: z.literal('once'), at: z.string().max(20).describe('Local: 2026-11-20T14:30') }),
  z.strictObject({ type: z.literal('order') }).describe('When another system or a person orders it'),
  z.strictObject({ type: z.literal('spontaneous') }).describe('When somebody starts it'),
]);

const date = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'write a date as 2026-12-31');
export const scheduleSchema = z.strictObject({
  recurrence: recurrenceSchema,
  shift: z
    .enum(['none', 'next', 'previous', 'nearest', 'skip'])
    .optional()
    .describe('What falls on a day that is no working day'),
  specialDays: z
    .array(z.string().max(10))
    .max(1000)
    .optional()
    .describe('No working days: 2026-12-25, or 12-25 of each year'),
  repeated: z.enum(['first', 'each']).optional().describe('In the hour that is repeated in autumn'),
  from: date.optional(),
  until: date.optional(),
});

const window = z.union(
  [
    z.strictObject({
      days: z.array(z.number().int().min(1).max(7)).min(1).max(7).optional(),
      from: z.number().int().min(0).max(1439),
      to: z.number().int().min(0).max(1440),
    }),
    z
      .string()
      .max(60)
      .transform((text, context) => {
        try {
          return parseWindow(text);
        } catch (error) {
          context.addIssue({ code: 'custom', message: (error as Error).message });
          return z.NEVER;
        }
      }),
  ],
  { error: 'no time window; write 22:00-06:00 or mon-fri 08:00-16:00' },
);
export const windowsSchema = z.array(window).max(20).describe('When meters may be called: mon-fri 22:00-06:00');

const id = z.string().regex(/^\d{1,18}$/, 'a number is meant');
const scalar = z.union([z.string().max(200), z.number(), z.boolean()]);
export const targetSchema = z.strictObject({
  group: z.string().min(1).max(200).optional().describe('Name of a group of meters'),
  types: z.array(z.string().min(1).max(200)).min(1).max(100).optional().describe('Names of meter types'),
  q: z.string().min(1).max(200).optional(),
  where: z
    .array(
      z.strictObject({
        attribute: z.string().min(1).max(100),
        is: z.enum(['=', '!=', '<', '<=', '>', '>=', 'contains', 'begins', 'in', 'exists', 'missing']),
        value: z.union([scalar, z.array(z.union([z.string().max(200), z.number()])).max(1000)]).optional(),
      }),
    )
    .max(20)
    .optional(),
  under: id.optional().describe('Those that stand under this region, transformer or other node'),
  meters: z.array(id).min(1).max(10_000).optional(),
});

const retryShape = {
  tries: z.number().int().min(1).max(1000).describe('Tries in all'),
  pause: spanMs(7 * DAY).describe('Pause before the second try'),
  factor: z.number().min(1).max(10).describe('Each further pause is so much longer'),
  longest: spanMs(30 * DAY),
  jitter: z.number().min(0).max(1).describe('Share of the pause by which it is spread'),
  decay: z.number().int().min(0).max(9).describe('What the priority loses with each failed try'),
  giveUpAfter: spanMs(366 * DAY)
    .optional()
    .describe('Given up so long after it was due'),
};
/** Of a whole rule one may write a part. */
export const retrySchema = z
  .strictObject({
    ...retryShape,
    tries: retryShape.tries.default(DEFAULT_RETRY.tries),
    pause: retryShape.pause.default(DEFAULT_RETRY.pause),
    factor: retryShape.factor.default(DEFAULT_RETRY.factor),
    longest: retryShape.longest.default(DEFAULT_RETRY.longest),
    jitter: retryShape.jitter.default(DEFAULT_RETRY.jitter),
    decay: retryShape.decay.default(DEFAULT_RETRY.decay),
  })
  .default(DEFAULT_RETRY);

// ---------------------------------------------------------------- parameters by kind

const instant = z.union([
  z.number().int().min(0).max(8.64e15),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);
const codes = z.array(z.string().min(1).max(40)).min(1).max(500).describe('OBIS codes; all when left out');
const history = {
  profile: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe('Name of the profile in the read-out set, such as load or slave-1'),
  from: instant.optional().describe('Begin of what is read, epoch ms; with days or without: what lacks'),
  to: instant.optional(),
  days: z.number().int().min(1).max(1100).optional().describe('So many local days back from when it was due'),
  registers: codes.optional(),
  again: z.boolean().optional().describe('Read it again although it is there'),
};
const logs = {
  log: z.string().min(1).max(40).optional().describe('Name of the log in the read-out set; all when left out'),
  from: instant.optional(),
  to: instant.optional(),
  days: history.days,
};
const now = {
  registers: codes.optional(),
  set: z.string().min(1).max(40).optional().describe('Name of a set of registers'),
};
const apdus = { apdus: z.boolean().optional().describe('Keep every APDU in the transaction log') };
const seconds = z.number().int().min(0).max(86_400);
const name = z.string().min(1).max(200);

/** What the own kinds need is checked by those who do them. */
const free = z
  .record(z.string().min(1).max(60), z.unknown())
  .refine((value) => isShort(value), 'parameters are at most 16 kB');

/** What is nested without end has no text, and so is too long. */
function isShort(value: unknown): boolean {
  try {
    return JSON.stringify(value).length <= 16_384;
  } catch {
    return false;
  }
}

export const parameterSchemas = {
  monthly: z.strictObject({ ...history, ...apdus }),
  daily: z.strictObject({ ...history, ...apdus }),
  profile: z.strictObject({ ...history, ...apdus }),
  events: z.strictObject({ ...logs, ...apdus }),
  status: z.strictObject({ ...now, ...apdus }),
  quality: z.strictObject({ ...now, ...logs, ...apdus }),
  outage: z.strictObject({ ...now, ...logs, ...apdus }),
  registers: z.strictObject({ ...now, ...apdus }),
  clock: z.strictObject({
    set: z.boolean().optional().describe('Mended where it is wrong; else compared only'),
    ignore: seconds.optional().describe('Seconds up to which it is right'),
    adjust: seconds.optional().describe('Seconds up to which it is mended'),
    above: z.enum(['report', 'set']).optional().describe('What is done with larger deviations'),
    ...apdus,
  }),
  completeness: free,
  import: free,
  export: free,
  backup: free,
  retention: free,
  validation: free,
  calculation: free,
  billing: free,
  balance: free,
  prices: free,
  report: free,
  delivery: free,
  readings: free,
} as const satisfies Record<TaskKind, z.ZodType>;

// ---------------------------------------------------------------- tasks

const zone = z.string().max(60).refine(isValidZone, 'give an IANA time zone such as Europe/Oslo');
export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}/]+$/u, 'names have no slashes and no control characters');

const common = {
  target: targetSchema.default({}),
  schedule: scheduleSchema,
  timeZone: zone.optional(),
  priority: z.number().int().min(0).max(9).default(DEFAULTS.priority),
  windows: windowsSchema.default([]),
  retry: retrySchema,
  lifetime: spanMs(366 * DAY)
    .refine((ms) => ms >= MINUTE, 'a run lives for a minute at least')
    .default(DEFAULTS.lifetime),
  missed: z.enum(['last', 'all', 'none']).default(DEFAULTS.missed).describe('What becomes of times that were missed'),
  enough: z.number().min(0).max(1).default(DEFAULTS.enough).describe('Share of meters with which a run counts as done'),
};

/** One shape for each kind, told apart by `kind`. */
export const taskSchema = z
  .discriminatedUnion('kind', [
    ...READ_KINDS.map((kind) =>
      z.strictObject({
        kind: z.literal(kind),
        parameters: (parameterSchemas[kind] as z.ZodType).default({}),
        ...common,
      }),
    ),
    ...OWN_KINDS.map((kind) =>
      z.strictObject({
        kind: z.literal(kind),
        parameters: (parameterSchemas[kind] as z.ZodType).default({}),
        ...common,
      }),
    ),
  ] as unknown as readonly [z.ZodObject<{ kind: z.ZodLiteral<TaskKind> }>])
  .describe('A task: what is done, with which meters, when');

/** What the schema cannot see. @throws RangeError for a schedule that cannot be */
export function completeTask(parsed: z.output<typeof taskSchema>, timeZone: string): TaskDefinition {
  const given = parsed as unknown as TaskDefinition & { timeZone?: string };
  const definition = { ...given, timeZone: given.timeZone ?? timeZone };
  checkSchedule(definition);
  const { from, to } = definition.parameters as { from?: number; to?: number };
  if (from !== undefined && to !== undefined && to <= from)
    throw new RangeError('parameters: `to` is not after `from`');
  return definition;
}

/** The written form to the definition. @throws z.ZodError, or RangeError for a schedule that cannot be */
export const parseTask = (input: unknown, timeZone: string): TaskDefinition =>
  completeTask(taskSchema.parse(input), timeZone);

function checkSchedule(definition: { readonly schedule: Omit<Schedule, 'zone'>; readonly timeZone: string }): void {
  recurring({ ...definition.schedule, zone: definition.timeZone });
}

// ---------------------------------------------------------------- flows

const comparison = z.enum(['=', '!=', '<', '<=', '>', '>=']);
const condition = z.union([
  z.strictObject({ is: z.enum(['done', 'failed', 'ended']) }),
  z.strictObject({ share: z.enum(['done', 'failed']), is: comparison, value: z.number().min(0).max(1) }),
  z.strictObject({
    count: z.enum(['done', 'failed', 'total']),
    is: comparison,
    value: z.number().int().min(0).max(1e9),
  }),
  z.strictObject({ group: name, is: comparison, value: z.number().int().min(0).max(1e9) }),
]);
const stepName = z
  .string()
  .min(1)
  .max(60)
  .regex(/^[\p{L}\p{N}][\p{L}\p{N}_. -]*$/u, 'letters, digits, blanks, points, dashes');

export const flowSchema = z.strictObject({
  steps: z
    .array(
      z.strictObject({
        name: stepName,
        task: id.describe('Number of the task'),
        after: z
          .array(z.strictObject({ step: stepName, when: condition.default({ is: 'done' }) }))
          .max(MOST_STEPS)
          .default([]),
        join: z.enum(['all', 'any']).default('all'),
        meters: z
          .union([
            z.strictObject({ group: name }),
            z.strictObject({ step: stepName, which: z.enum(['done', 'failed', 'all']).default('failed') }),
          ])
          .optional()
          .describe('Instead of the meters of the task: those of a group, or of a step before'),
      }),
    )
    .min(1)
    .max(MOST_STEPS),
  schedule: scheduleSchema,
  timeZone: zone.optional(),
  missed: common.missed,
  lifetime: common.lifetime,
});

/** What the schema cannot see. @throws RangeError for a graph that cannot run or a schedule that cannot be */
export function completeFlow(parsed: z.output<typeof flowSchema>, timeZone: string): FlowDefinition {
  const definition = { ...parsed, timeZone: parsed.timeZone ?? timeZone };
  checkSchedule(definition);
  const faults = flowFaults(definition.steps as readonly FlowStep[]);
  if (faults.length > 0) throw new RangeError(faults.slice(0, 5).join('; '));
  return definition as FlowDefinition;
}

/** @throws z.ZodError, or RangeError */
export const parseFlow = (input: unknown, timeZone: string): FlowDefinition =>
  completeFlow(flowSchema.parse(input), timeZone);
