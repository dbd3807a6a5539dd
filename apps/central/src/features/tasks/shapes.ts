/** What tasks, flows, runs and channels look like in the API. Times are epoch milliseconds. */
import type { Caller, Scope } from '@amiable/model';
import type { Definition, Run } from '@amiable/store';
import type { FlowDefinition, TaskDefinition } from '@amiable/tasks';
import { flowSchema, nameSchema, taskSchema } from '@amiable/tasks/schemas';
import { z } from 'zod';

export const id = z.string().regex(/^\d{1,18}$/, 'a number is meant');
export const ids = z.object({ id });
const ms = z.number().describe('epoch ms');
const limit = z.coerce.number().int().min(1).max(1000).default(100);
export const page = z.object({ after: id.optional(), limit });

const definition = z.record(z.string(), z.unknown());
export const taskShape = z.object({
  id,
  name: z.string(),
  kind: z.string().optional(),
  state: z.enum(['active', 'paused']),
  version: z.number(),
  definition,
  creator: z.string(),
  created: ms,
  changed: ms,
  nextDue: ms.nullable(),
});
export const taskList = z.object({ tasks: z.array(taskShape), next: id.nullable() });
export const flowList = z.object({ flows: z.array(taskShape.omit({ kind: true })), next: id.nullable() });

export const newTask = z.strictObject({ name: nameSchema, definition: taskSchema });
export const newFlow = z.strictObject({ name: nameSchema, definition: flowSchema });
const version = z.number().int().min(1).describe('the version that was read; another change in the meantime is 409');
export const taskChange = z.strictObject({ version, name: nameSchema.optional(), definition: taskSchema.optional() });
export const flowChange = z.strictObject({ version, name: nameSchema.optional(), definition: flowSchema.optional() });
export const versionList = z.object({
  versions: z.array(z.object({ version: z.number(), definition, changedBy: z.string(), changedAt: ms })),
});
export const occurrences = z.object({
  occurrences: z.array(
    z.object({ nominal: z.string().describe('local time by name'), at: ms, skipped: z.literal(true).optional() }),
  ),
});

export const order = z
  .strictObject({
    meters: z.array(id).min(1).max(10_000).optional().describe('instead of the target of the task'),
    priority: z.number().int().min(0).max(9).optional(),
  })
  .default({});

export const runShape = z.object({
  id,
  what: z.enum(['task', 'flow']),
  task: id.nullable(),
  flow: id.nullable(),
  parent: id.nullable().describe('the run of the flow that it is a step of'),
  step: z.string().nullable(),
  kind: z.string().nullable(),
  name: z.string(),
  state: z.enum(['waiting', 'running', 'paused', 'done', 'failed', 'cancelled']),
  priority: z.number(),
  due: ms,
  expires: ms,
  created: ms,
  started: ms.nullable(),
  ended: ms.nullable(),
  creator: z.string(),
  transaction: z.string().describe('its entry in the transaction log'),
  expanded: z.boolean().describe('whether all its meters are known'),
  counts: z.object({
    total: z.number(),
    done: z.number(),
    failed: z.number(),
    givenUp: z.number(),
    expired: z.number(),
    cancelled: z.number(),
    tries: z.number(),
    stored: z.number(),
  }),
  progress: z.record(z.string(), z.unknown()).nullable(),
  note: z.string().nullable().describe('a warning, or why it failed'),
});
export type RunShape = z.infer<typeof runShape>;
export const runList = z.object({ runs: z.array(runShape), next: id.nullable() });
export const runQuery = z.object({
  task: id.optional(),
  flow: id.optional(),
  parent: id.optional(),
  state: runShape.shape.state.optional(),
  before: id.optional(),
  limit,
});
export const jobState = z.enum(['waiting', 'leased', 'done', 'failed', 'given-up', 'cancelled', 'expired']);
export const jobQuery = z.object({ state: jobState.optional(), after: id.optional(), limit });
export const jobList = z.object({
  jobs: z.array(
    z.object({
      meter: id,
      serial: z.string(),
      state: jobState,
      priority: z.number(),
      attempts: z.number(),
      ready: ms.nullable(),
      worker: z.string().nullable(),
      ended: ms.nullable(),
      stored: z.number(),
      reason: z.string().nullable(),
    }),
  ),
  next: id.nullable(),
});

export function runOf(run: Run): RunShape {
  const { definition: _, meters: __, scope: ___, creatorId: ____, expandedTo: _____, version: ______, ...rest } = run;
  return rest as unknown as RunShape;
}

export function taskOf(one: Definition<TaskDefinition> | Definition<FlowDefinition>): z.infer<typeof taskShape> {
  const { scope: _, creatorId: __, plannedTo: ___, ...rest } = one;
  return rest as unknown as z.infer<typeof taskShape>;
}

export const scopeFor = (caller: Caller): readonly number[] | null => (caller.scope === 'all' ? null : caller.scope);

/** What both allow. */
export function both(own: readonly number[] | null, scope: Scope): readonly number[] | null {
  if (scope === 'all') return own;
  return own === null ? scope : own.filter((segment) => scope.includes(segment));
}
