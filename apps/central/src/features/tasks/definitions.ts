/**
 * Tasks and flows over HTTP: made, changed, paused, run now.
 *
 * Decides: that who makes or runs one has the rights that it needs itself, and that a target which is provably empty is refused when it is
 * saved. Leaves out: when they run (scheduler/).
 */
import { MisuseError } from '@amiable/bytes';
import { recurring } from '@amiable/calendar';
import { type Caller, may } from '@amiable/model';
import type { Definition, Definitions, MeterSelection, OwnKind } from '@amiable/store';
import { type FlowDefinition, hasMeters, scheduleOf, type TaskDefinition, type TaskKind } from '@amiable/tasks';
import { completeFlow, completeTask } from '@amiable/tasks/schemas';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Call, Router } from '../../http/router.ts';
import { neededFor } from '../../scheduler/rights.ts';
import { newRun } from '../../scheduler/scheduler-runs.ts';
import { checkTarget } from '../../scheduler/targets.ts';
import { checkSelection } from '../registry/meters.ts';
import {
  both,
  flowChange,
  flowList,
  ids,
  newFlow,
  newTask,
  occurrences,
  order,
  page,
  runOf,
  runShape,
  scopeFor,
  taskChange,
  taskList,
  taskOf,
  taskShape,
  versionList,
} from './shapes.ts';

/** Sentences of the calendar and of schedules are the caller's fault. */
export function inWords<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new HttpError(422, error.message);
    throw error;
  }
}

export function mayRun(caller: Caller, kind: TaskKind, parameters: Readonly<Record<string, unknown>>): void {
  const lacking = neededFor(kind, parameters).find((privilege) => !may(caller, privilege));
  if (lacking) throw new HttpError(403, `a task of kind ${kind} needs the privilege ${lacking}`);
}

/**
 * Who answers for runs. A key of readers and a guest have no account whose rights a run could be held to later. @throws HttpError 403
 */
function ownerOf(caller: Caller): string {
  if (caller.user === undefined)
    throw new HttpError(403, 'tasks, flows and runs are made by a user, or a token of one');
  return caller.user;
}

export function taskRoutes(router: Router, context: Context): void {
  const { store } = context;

  async function check(definition: TaskDefinition, caller: Caller): Promise<void> {
    mayRun(caller, definition.kind, definition.parameters);
    if (!hasMeters(definition.kind)) {
      if (Object.keys(definition.target).length > 0)
        throw new HttpError(422, `a task of kind ${definition.kind} has no meters: leave its target out`);
      const task = context.ownKinds.get(definition.kind as OwnKind);
      if (!task) throw new HttpError(422, `this program cannot do ${definition.kind} by itself`);
      try {
        await task.check?.(definition.parameters, caller);
      } catch (error) {
        if (!(error instanceof z.ZodError)) throw error;
        const [issue] = error.issues;
        throw new HttpError(422, `${['parameters', ...(issue?.path ?? [])].join('.')}: ${issue?.message}`);
      }
      return;
    }
    checkSelection(definition.target as MeterSelection, caller);
    await checkTarget(store, definition.target, caller.scope, context.now());
  }

  routesOf(router, context, {
    what: 'task',
    many: 'tasks',
    all: store.work.tasks,
    create: newTask,
    change: taskChange,
    list: taskList,
    shape: taskShape,
    read: async (given, caller) => {
      const definition = inWords(() => completeTask(given as never, context.timeZone));
      await check(definition, caller);
      return definition;
    },
    mayRun: (one, caller) => mayRun(caller, one.definition.kind, one.definition.parameters),
  });

  routesOf(router, context, {
    what: 'flow',
    many: 'flows',
    all: store.work.flows,
    create: newFlow,
    change: flowChange,
    list: flowList,
    shape: taskShape.omit({ kind: true }),
    read: async (given, caller) => {
      const definition = inWords(() => completeFlow(given as never, context.timeZone));
      for (const step of definition.steps) {
        const task = await store.work.tasks.get(step.task, caller.scope);
        if (!task) throw new MisuseError(`${step.name}: there is no task ${step.task}`);
        mayRun(caller, task.definition.kind, task.definition.parameters);
      }
      return definition;
    },
    mayRun: (_, caller) => {
      if (!may(caller, 'execute:run-task')) throw new HttpError(403, 'a flow needs the privilege execute:run-task');
    },
  });
}

interface Kept<D extends TaskDefinition | FlowDefinition> {
  readonly what: 'task' | 'flow';
  readonly many: 'tasks' | 'flows';
  readonly all: Definitions<D>;
  readonly create: z.ZodType<{ name: string; definition: unknown }>;
  readonly change: z.ZodType<{ version: number; name?: string | undefined; definition?: unknown }>;
  readonly list: z.ZodType;
  readonly shape: z.ZodType;
  /** @throws HttpError or MisuseError with a sentence */
  read(given: unknown, caller: Caller): Promise<D>;
  mayRun(one: Definition<D>, caller: Caller): void;
}

function routesOf<D extends TaskDefinition | FlowDefinition>(router: Router, context: Context, kept: Kept<D>): void {
  const { what, many, all } = kept;
  const base = `/api/v1/${many}`;
  const tag = 'tasks';
  const next = (definition: D): number | null =>
    inWords(() => recurring(scheduleOf(definition)).next(context.now())?.at ?? null);
  const find = async (id: string, caller: Caller): Promise<Definition<D>> => {
    const found = await all.get(id, caller.scope);
    if (!found) throw new HttpError(404, `there is no ${what} ${id}`);
    return found;
  };
  const shown = (one: Definition<D>) => taskOf(one as never);

  router.add({
    method: 'GET',
    path: base,
    needs: `${what}:view`,
    tag,
    summary: `The ${many}, in order of their numbers`,
    query: page,
    answer: kept.list,
    scoped: true,
    handler: async ({ caller, query }) => {
      const found = await all.list({ ...query, scope: caller.scope });
      return { [many]: found.map(shown), next: found.length === query.limit ? (found.at(-1)?.id ?? null) : null };
    },
  });

  router.add({
    method: 'POST',
    path: base,
    needs: `${what}:create`,
    tag,
    summary: `Make a ${what}`,
    description: 'Its runs have the rights of who made it, as they are when it runs.',
    body: kept.create,
    answer: kept.shape,
    scoped: true,
    handler: async ({ caller, body, about, reply }) => {
      const creatorId = ownerOf(caller);
      const definition = await kept.read(body.definition, caller);
      const made = await all.create(
        {
          name: body.name,
          ...('kind' in definition ? { kind: definition.kind } : {}),
          definition,
          creator: caller.name,
          creatorId,
          scope: scopeFor(caller),
          nextDue: next(definition),
        },
        context.now(),
      );
      if (!made) throw new HttpError(409, `there is a ${what} called ${body.name} already`);
      about(`${what} ${made.id}`, { name: made.name });
      context.scheduler.wake();
      reply.code(201);
      return shown(made);
    },
  });

  router.add({
    method: 'GET',
    path: `${base}/:id`,
    needs: `${what}:view`,
    tag,
    summary: `One ${what}`,
    params: ids,
    answer: kept.shape,
    scoped: true,
    handler: async ({ caller, params }) => shown(await find(params.id, caller)),
  });

  router.add({
    method: 'GET',
    path: `${base}/:id/versions`,
    needs: `${what}:view`,
    tag,
    summary: `What the ${what} said before, newest first`,
    params: ids,
    answer: versionList,
    scoped: true,
    handler: async ({ caller, params }) => ({ versions: await all.versions((await find(params.id, caller)).id) }),
  });

  router.add({
    method: 'GET',
    path: `${base}/:id/occurrences`,
    needs: `${what}:view`,
    tag,
    summary: `When the ${what} is due next`,
    params: ids,
    query: z.object({ count: z.coerce.number().int().min(1).max(100).default(10) }),
    answer: occurrences,
    scoped: true,
    handler: async ({ caller, params, query }) => {
      const { definition } = await find(params.id, caller);
      const ready = inWords(() => recurring(scheduleOf(definition)));
      const out = [];
      for (let one = ready.next(context.now()); one && out.length < query.count; one = ready.next(one.at))
        out.push(one);
      return { occurrences: out };
    },
  });

  router.add({
    method: 'PATCH',
    path: `${base}/:id`,
    needs: `${what}:modify`,
    tag,
    summary: `Change a ${what}`,
    description:
      'Runs that have begun go on as they began. Who changes what it says is from then on the one whose rights its runs have.',
    params: ids,
    body: kept.change,
    answer: kept.shape,
    scoped: true,
    handler: async ({ caller, params, body, about }) => {
      const before = await find(params.id, caller);
      const definition = body.definition === undefined ? undefined : await kept.read(body.definition, caller);
      return change(before, caller, about, { version: body.version, name: body.name, definition });
    },
  });

  for (const [word, state] of [
    ['pause', 'paused'],
    ['resume', 'active'],
  ] as const)
    router.add({
      method: 'POST',
      path: `${base}/:id/${word}`,
      needs: `${what}:modify`,
      tag,
      summary: word === 'pause' ? `Make no runs of the ${what} until it is resumed` : `Make runs of the ${what} again`,
      params: ids,
      answer: kept.shape,
      scoped: true,
      handler: async ({ caller, params, about }) => change(await find(params.id, caller), caller, about, { state }),
    });

  async function change(
    before: Definition<D>,
    caller: Caller,
    about: Call<unknown, unknown, unknown>['about'],
    to: {
      readonly version?: number | undefined;
      readonly name?: string | undefined;
      readonly definition?: D | undefined;
      readonly state?: 'active' | 'paused' | 'deleted';
    },
  ) {
    const state = to.state ?? before.state;
    const changed = await all.change(
      before.id,
      to.version ?? before.version,
      {
        name: to.name,
        definition: to.definition,
        state,
        // What was missed while it was paused is passed over.
        nextDue: state === 'active' ? next(to.definition ?? before.definition) : null,
        by: caller.name,
        byId: to.definition === undefined ? null : ownerOf(caller),
        scope: scopeFor(caller),
      },
      context.now(),
    );
    if (changed === 'stale') throw new HttpError(409, `the ${what} was changed in the meantime; read it again`);
    if (changed === 'taken') throw new HttpError(409, `there is a ${what} called ${to.name} already`);
    about(`${what} ${before.id}`, { name: changed.name, version: changed.version, state: changed.state });
    context.scheduler.wake();
    return shown(changed);
  }

  router.add({
    method: 'DELETE',
    path: `${base}/:id`,
    needs: `${what}:delete`,
    tag,
    summary: `Take a ${what} away; its runs stay, and what is running goes on`,
    params: ids,
    answer: z.object({}),
    scoped: true,
    handler: async ({ caller, params, about }) => {
      const before = await find(params.id, caller);
      if (what === 'task') await unused(context, before.id, caller);
      await change(before, caller, about, { state: 'deleted' });
      return {};
    },
  });

  router.add({
    method: 'POST',
    path: `${base}/:id/run`,
    needs: 'execute:run-task',
    tag,
    summary: `Run the ${what} now`,
    description: 'The run has the rights of who ordered it, within those of the one who made it.',
    params: ids,
    body: order,
    answer: runShape,
    scoped: true,
    handler: async ({ caller, params, body, about, reply }) => {
      const one = await find(params.id, caller);
      kept.mayRun(one, caller);
      if (body.meters && what === 'flow')
        throw new HttpError(422, 'a flow takes no list of meters; its tasks have theirs');
      if (body.meters) await checkTarget(context.store, { meters: body.meters }, caller.scope, context.now());
      const now = context.now();
      const run = await context.store.work.runs.create({
        ...newRun(what, one as never, now, now),
        // The scheduler looks whether they are in the segments; so its jobs are made there.
        definition: body.meters ? { ...one.definition, target: { meters: body.meters } } : one.definition,
        ...(body.priority === undefined ? {} : { priority: body.priority }),
        creator: caller.name,
        creatorId: ownerOf(caller),
        scope: both(one.scope, caller.scope),
      });
      if (!run) throw new HttpError(500, 'the run was not made');
      about(`run ${run.id}`, { [what]: one.id });
      context.scheduler.wake();
      reply.code(202);
      return runOf(run);
    },
  });
}

/** A task that flows are made of is not taken away from under them. */
async function unused(context: Context, task: string, caller: Caller): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const flows = await context.store.work.flows.list({ after, limit: 1000, scope: 'all' });
    for (const flow of flows)
      if (flow.definition.steps.some((step) => step.task === task)) {
        const seen = await context.store.work.flows.get(flow.id, caller.scope);
        throw new HttpError(409, `the flow ${seen ? seen.name : 'of somebody else'} has it as a step`);
      }
    after = flows.at(-1)?.id;
    if (flows.length < 1000) return;
  }
}
