/** Commands by API: ordered once for each reference, watched, called off. */
import { type Caller, may } from '@amiable/model';
import { COMMAND_STATES, type StoredCommand } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { id63 } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { startLooking } from '../delivery/routes.ts';
import { createReads } from '../ondemand/reads.ts';
import { readingsTask } from '../readings/task.ts';
import { createExecutor } from './execute.ts';
import { commandFiles } from './files.ts';
import { COMMAND_KINDS, commandBody, commandJson, commandShape } from './shapes.ts';
import { sourceOf, takeCommand } from './take.ts';

const tag = 'commands';

/** What a reading brought is for who may see readings. */
const shown = (caller: Caller, command: StoredCommand) =>
  commandJson(
    command.result?.values === undefined || may(caller, 'reading:view')
      ? command
      : { ...command, result: { ...command.result, values: null } },
  );

const EVERY = 3000;
let executors = 0;

export function commandRoutes(router: Router, context: Context): void {
  const { store, now } = context;
  const { commands } = store.delivery;
  const reads = createReads({ store, now });
  router.app.addHook('preClose', async () => reads.close());
  const executor = createExecutor(context, reads, `${process.pid}/${++executors}`);
  const ended = new AbortController();
  context.ownKinds.set('readings', readingsTask(context, commandFiles(context, executor)));
  startLooking(
    router,
    context,
    ended,
    async () => {
      await executor.turn(ended.signal);
      await executor.tell(ended.signal);
    },
    EVERY,
  );

  router.add({
    method: 'POST',
    path: '/api/v1/commands',
    needs: 'execute:command',
    tag,
    summary: 'Orders a contract or tariff change, a spontaneous reading, a change of a parameter',
    description:
      'Carried out once for each reference of an account: the same order again answers as it stands (200), another order with the same reference is refused (409). Watch it with GET, or name a callback. Each kind needs a privilege of its own too: contract:create or contract:modify, execute:read-now with reading:view, execute:set-clock.',
    body: commandBody,
    answer: commandShape,
    scoped: true,
    handler: async ({ caller, body, reply, about }) => {
      const { command, fresh } = await takeCommand(context, body, caller);
      about(`command ${command.id}`, { kind: command.kind, reference: command.reference, fresh });
      reply.code(fresh ? 202 : 200).header('location', `/api/v1/commands/${command.id}`);
      if (fresh && command.due <= now()) await executor.turn(ended.signal);
      return shown(caller, (await commands.get(command.id, 'all')) ?? command);
    },
  });
  router.add({
    method: 'GET',
    path: '/api/v1/commands',
    needs: 'execute:command',
    tag,
    summary: 'Commands, the newest first',
    query: z.object({
      reference: z.string().max(100).optional().describe('of your own'),
      state: z.enum(COMMAND_STATES).optional(),
      kind: z.enum(COMMAND_KINDS).optional(),
      after: id63.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    answer: z.object({ commands: z.array(commandShape), next: z.string().nullable() }),
    scoped: true,
    handler: async ({ caller, query: { reference, state, kind, after, limit } }) => {
      if (reference !== undefined) {
        const found = await commands.byReference(sourceOf(caller), reference);
        return { commands: found ? [shown(caller, found)] : [], next: null };
      }
      const found = await commands.list({
        limit,
        scope: caller.scope,
        ...(state === undefined ? {} : { state }),
        ...(kind === undefined ? {} : { kind }),
        ...(after === undefined ? {} : { before: after }),
      });
      return {
        commands: found.map((one) => shown(caller, one)),
        next: found.length === limit ? (found.at(-1)?.id ?? null) : null,
      };
    },
  });
  const known = async (id: string, scope: Parameters<typeof commands.get>[1]) => {
    const found = await commands.get(id, scope);
    if (!found) throw new HttpError(404, `there is no command ${id}`);
    return found;
  };
  router.add({
    method: 'GET',
    path: '/api/v1/commands/:id',
    needs: 'execute:command',
    tag,
    summary: 'A command: how it stands, and what came of it',
    params: z.object({ id: id63 }),
    answer: commandShape,
    scoped: true,
    handler: async ({ caller, params }) => shown(caller, await known(params.id, caller.scope)),
  });
  router.add({
    method: 'DELETE',
    path: '/api/v1/commands/:id',
    needs: 'execute:command',
    tag,
    summary: 'Calls a command off that was not begun',
    params: z.object({ id: id63 }),
    answer: commandShape,
    scoped: true,
    handler: async ({ caller, params, about }) => {
      const found = await known(params.id, caller.scope);
      const cancelled = await commands.cancel(found.id, caller.name, now());
      if (!cancelled) throw new HttpError(409, `command ${found.id} is ${found.state}; only what waits is called off`);
      about(`command ${found.id}`);
      return shown(caller, cancelled);
    },
  });
}
