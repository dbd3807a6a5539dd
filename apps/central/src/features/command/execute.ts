/**
 * Commands are carried out, from any process: each is held while it is under way, with the rights of who ordered it as they are now. Their ends
 * are told to those who asked for it.
 *
 * Decides: contracts and tariffs at once; a reading is ordered and looked at until it ends. What fails says why. Leaves out: whether a
 * command may be taken (take.ts).
 */
import { localToUtc } from '@amiable/calendar';
import { type Caller, isoTime, PRIVILEGES } from '@amiable/model';
import type { DestinationSecret, StoredCommand } from '@amiable/store';
import type { Context } from '../../context.ts';
import { covers } from '../../scheduler/rights.ts';
import { secretOwner } from '../delivery/courier.ts';
import { destinationBody } from '../delivery/shapes.ts';
import { ask, authorization, judged } from '../delivery/ways/http.ts';
import { isOver, type Reads } from '../ondemand/reads.ts';
import { resultOf } from '../ondemand/result.ts';
import type { ReadBody } from '../ondemand/schema.ts';
import { type Command, commandBody, commandJson } from './shapes.ts';
import { neededFor } from './take.ts';

const HOLD = 120_000;
/** Between two looks at what is under way elsewhere. */
const LOOK = 2000;
/** A callback is tried so often, with growing pauses. */
const TELL_TRIES = 12;
/** For one callback, ms: less than it is held. */
const TELLING = 45_000;
const HOUR = 3_600_000;

type End = {
  readonly state: 'done' | 'failed' | 'running';
  readonly sentence: string;
  readonly result?: Record<string, unknown>;
  readonly work?: Record<string, unknown>;
};

export interface Executor {
  /** Carries out what is due. @returns how many were looked at */
  turn(signal?: AbortSignal): Promise<number>;
  /** Tells the ends of commands. */
  tell(signal?: AbortSignal): Promise<void>;
}

export function createExecutor(
  context: Pick<Context, 'store' | 'now' | 'vault' | 'timeZone' | 'scheduler' | 'log'>,
  reads: Reads,
  worker: string,
): Executor {
  const { store, now } = context;
  const { commands } = store.delivery;

  async function callerOf(command: StoredCommand): Promise<Caller | string> {
    const own = command.segments ?? ('all' as const);
    if (command.account === null)
      return { kind: 'system', name: command.who, privileges: new Set(PRIVILEGES), scope: own };
    const rights = await store.access.rights(command.account);
    if (!rights) return `the account of ${command.who}, who ordered it, is disabled or gone`;
    const scope =
      rights.scope === 'all'
        ? own
        : own === 'all'
          ? rights.scope
          : own.filter((one) => (rights.scope as readonly number[]).includes(one));
    return { kind: 'system', name: command.who, privileges: rights.privileges, scope };
  }

  const midnight = async (tariff: string, day: string): Promise<number> => {
    const newest = (await store.billing.tariffs.versions(tariff)).at(-1);
    const zone = (newest?.definition.zone as string | undefined) ?? context.timeZone;
    return localToUtc(zone, Date.parse(`${day}T00:00:00Z`));
  };

  async function contract(command: Extract<Command, { kind: 'contract' | 'tariff' }>, caller: Caller): Promise<End> {
    const node = await store.registry.nodeByCode('metering-point', command.point, caller.scope);
    if (!node) return { state: 'failed', sentence: `There is no metering point ${command.point} any more.` };
    const by = { who: caller.name, at: now() };
    const { contracts } = store.billing;
    const of = { meteringPoint: node.id, product: command.product, limit: 100, scope: caller.scope };
    if (command.kind === 'contract' && command.action === 'end') {
      const open = (await contracts.list(of)).find((one) => one.to === null);
      if (!open) return { state: 'failed', sentence: `No contract of ${command.product} is open at ${command.point}.` };
      const ended = await contracts.end(open.id, await midnight(open.tariff, command.to as string), caller.scope, by);
      return {
        state: 'done',
        sentence: `Contract ${ended.id} ends on ${command.to}.`,
        result: { contract: ended.id, tariff: ended.tariff },
      };
    }
    const tariff = command.tariff as string;
    const from = await midnight(tariff, command.from as string);
    // A tariff changes within a contract: its number and its periods stay.
    const before =
      command.kind === 'tariff'
        ? (await contracts.list({ ...of, from, to: from + 1 })).find((one) => one.from <= from)
        : undefined;
    if (command.kind === 'tariff' && !before)
      return {
        state: 'failed',
        sentence: `No contract of ${command.product} holds at ${command.point} on ${command.from}; begin one with a command contract.`,
      };
    const to = command.kind === 'contract' && command.to !== undefined ? await midnight(tariff, command.to) : null;
    const made = await contracts.put(
      {
        meteringPoint: node.id,
        product: command.product,
        tariff,
        from,
        to,
        ...(before
          ? {
              reference: before.reference,
              cycle: before.cycle,
              cycleDay: before.cycleDay,
              parameters: before.parameters,
            }
          : {
              reference: (command as { contract?: string }).contract ?? null,
              cycle: (command as { cycle?: 'month' }).cycle,
            }),
      },
      caller.scope,
      by,
    );
    return {
      state: 'done',
      sentence: `${tariff} holds at ${command.point} for ${command.product} from ${command.from} on.`,
      result: { contract: made.id, ...(before ? { before: before.tariff } : {}), from: isoTime(made.from) },
    };
  }

  async function meterOf(stored: StoredCommand, caller: Caller): Promise<{ id: string; serial: string } | undefined> {
    let id = stored.meter;
    if (id === null && stored.point !== null) {
      const node = await store.registry.nodeByCode('metering-point', stored.point, caller.scope);
      const at = now();
      id = node ? ((await store.billing.parts([node.id], at - 1, at + 1)).get(node.id)?.at(-1)?.meter ?? null) : null;
    }
    const entry = id === null ? undefined : await store.registry.entry(id, caller.scope);
    return entry && { id: entry.id, serial: entry.serial };
  }

  async function read(
    command: Extract<Command, { kind: 'read' }>,
    stored: StoredCommand,
    caller: Caller,
  ): Promise<End> {
    const work = stored.work as { read?: string } | null;
    if (work?.read === undefined) {
      const meter = await meterOf(stored, caller);
      if (!meter) return { state: 'failed', sentence: `No meter stands at ${stored.point ?? stored.meter} now.` };
      if (!(await store.readout.connection(meter.id, caller.scope)))
        return {
          state: 'failed',
          sentence: `Meter ${meter.serial} has no connection: nobody knows how it is reached.`,
        };
      const body: ReadBody =
        command.what === 'profile'
          ? {
              what: 'profile',
              profile: command.profile ?? 'load',
              from: command.from as number,
              to: command.to as number,
            }
          : command.what === 'events'
            ? { what: 'events', from: command.from }
            : { what: 'registers', set: command.set };
      const ordered = await reads.order(meter, body, caller);
      return { state: 'running', sentence: ordered.sentence, work: { read: ordered.id } };
    }
    const seen = await reads.get(work.read, 'all');
    const found = await reads.body(work.read);
    if (!seen || !found) return { state: 'failed', sentence: 'The reading is not in the list of work any more.' };
    if (!isOver(seen)) return { state: 'running', sentence: seen.sentence };
    const connection = await store.readout.connection(seen.meter, 'all');
    const ended = seen.ended === null ? now() : Date.parse(seen.ended);
    const values =
      connection && seen.stored > 0
        ? await resultOf(store, connection, { body: found.body, asked: found.run.created, ended }, 'all')
        : null;
    return {
      state: seen.state === 'done' ? 'done' : 'failed',
      sentence: seen.sentence,
      result: { meter: seen.serial, read: seen.id, stored: seen.stored, values },
    };
  }

  /** The clock, as the task kind sets it. */
  async function clock(stored: StoredCommand, caller: Caller): Promise<End> {
    const work = stored.work as { run?: string } | null;
    if (work?.run === undefined) {
      const meter = await meterOf(stored, caller);
      if (!meter) return { state: 'failed', sentence: `No meter stands at ${stored.point ?? stored.meter} now.` };
      const at = now();
      const run = await store.work.runs.create({
        what: 'task',
        kind: 'clock',
        name: `command ${stored.id}: clock`,
        definition: { kind: 'clock', parameters: { set: true, above: 'set' } },
        meters: [meter.id],
        priority: 9,
        due: at,
        expires: stored.expires,
        created: at,
        creator: caller.name,
        scope: caller.scope === 'all' ? null : caller.scope,
        transaction: store.journal.begin({
          kind: 'command',
          meter: meter.id,
          started: at,
          text: `clock (${caller.name})`,
        }),
      });
      if (!run) return { state: 'failed', sentence: 'The setting of the clock could not be ordered.' };
      context.scheduler.wake();
      return { state: 'running', sentence: 'The meter is being called.', work: { run: run.id } };
    }
    const [job] = await store.work.runs.jobs(work.run, { limit: 1, scope: 'all' });
    const run = await store.work.runs.get(work.run);
    if (!run || !job)
      return { state: 'failed', sentence: 'The setting of the clock is not in the list of work any more.' };
    if (['waiting', 'leased'].includes(job.state)) return { state: 'running', sentence: 'The meter is being called.' };
    store.journal.end(run.transaction, { ended: now(), state: job.state === 'done' ? 'done' : 'failed' });
    return job.state === 'done'
      ? {
          state: 'done',
          sentence: `The clock of meter ${job.serial} is right.`,
          result: { meter: job.serial, run: run.id },
        }
      : {
          state: 'failed',
          sentence: `The clock was not set${job.reason ? `: ${job.reason}` : ''}.`,
          result: { meter: job.serial, run: run.id },
        };
  }

  async function carry(stored: StoredCommand): Promise<End> {
    if (stored.work === null && now() > stored.expires)
      return { state: 'failed', sentence: 'Its time was over before it began.' };
    const caller = await callerOf(stored);
    if (typeof caller === 'string') return { state: 'failed', sentence: `It was not done: ${caller}.` };
    const command = commandBody.parse(unparsed(stored));
    const lacking = (['execute:command', ...neededFor(command)] as const).find(
      (privilege) => !caller.privileges.has(privilege),
    );
    if (lacking)
      return { state: 'failed', sentence: `It was not done: ${stored.who} has no longer the privilege ${lacking}.` };
    if (command.kind === 'read') return read(command, stored, caller);
    if (command.kind === 'parameter') return clock(stored, caller);
    return contract(command, caller);
  }

  return {
    async turn(signal) {
      let n = 0;
      for (; !signal?.aborted && n < 1000; n++) {
        const stored = await commands.take(worker, now(), now() + HOLD);
        if (!stored) break;
        let end: End;
        try {
          end = await carry(stored);
        } catch (error) {
          const name = (error as Error).name;
          // What is for now (the database away, too many reads) is tried again until it expires.
          const later = name === 'StoreUnavailable' || (error as { status?: number }).status === 429;
          if (!later && name !== 'MisuseError' && name !== 'HttpError' && name !== 'NotThere')
            context.log(`command ${stored.id}: ${(error as Error).message}`);
          end =
            later && now() < stored.expires
              ? { state: 'running', sentence: (error as Error).message }
              : { state: 'failed', sentence: `It was not done: ${(error as Error).message}` };
        }
        const { state, sentence, result, work } = end;
        await commands.settle(stored.id, worker, {
          state,
          at: now(),
          sentence,
          ...(state === 'running' ? { again: now() + LOOK } : {}),
          ...(result === undefined ? {} : { result }),
          ...(work === undefined ? {} : { work }),
        });
      }
      return n;
    },
    async tell(signal) {
      while (!signal?.aborted) {
        const at = now();
        // Held for a minute while it is told; a process that dies leaves it to the next.
        const command = await commands.untold(at, at + 60_000);
        if (!command) return;
        const pause = Math.min(HOUR, 30_000 * 2 ** Math.min(command.toldTries, 10));
        try {
          await tellOne(command, signal ?? AbortSignal.timeout(60_000));
          await commands.told(command.id, 'told', at);
        } catch (error) {
          const over = (error as Error).name !== 'LinkError' || command.toldTries >= TELL_TRIES;
          if (over) context.log(`command ${command.id}: ${command.callback} is not told: ${(error as Error).message}`);
          await commands.told(command.id, over ? 'failed' : 'waiting', now() + pause);
        }
      }
    },
  };

  async function tellOne(command: StoredCommand, signal: AbortSignal): Promise<void> {
    const found = await store.delivery.destinations.get(command.callback as string, 'all');
    const where = found && destinationBody.parse(found.definition).where;
    if (!found?.enabled || where?.kind !== 'http')
      throw new Error('the destination is gone, switched off, or not reached by HTTP');
    if (!covers(found.segments ?? 'all', command.segments))
      throw new Error('the destination was written anew by somebody who does not see the segments of the command');
    const secrets = new Map<DestinationSecret, Uint8Array>();
    for (const [secret, sealed] of await store.delivery.destinations.secrets(found.name))
      secrets.set(secret, context.vault.open(sealed, secretOwner(found.name, secret)));
    const body = Buffer.from(JSON.stringify(commandJson({ ...command, told: null })));
    const answer = await ask(
      {
        url: where.url,
        method: where.method,
        headers: {
          ...where.headers,
          ...authorization(where, secrets),
          'content-type': 'application/json',
          'idempotency-key': `amiable-command-${command.id}`,
        },
        length: body.length,
        pieces: async function* () {
          yield body;
        },
        within: TELLING,
      },
      signal,
    );
    judged(answer, new URL(where.url).host);
  }
}

/** Times were read when it was taken; the schema reads them as text. */
function unparsed(stored: StoredCommand): unknown {
  const parameters: Record<string, unknown> = { ...stored.parameters };
  if (stored.kind === 'read')
    for (const key of ['from', 'to'])
      if (typeof parameters[key] === 'number') parameters[key] = new Date(parameters[key]).toISOString();
  return { kind: stored.kind, reference: stored.reference, ...parameters };
}
