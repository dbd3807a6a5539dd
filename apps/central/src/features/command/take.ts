/**
 * A command is taken: who may, whether it can be at all, and once for each reference of each source.
 *
 * Decides: whose reference it is (the account, whichever of its tokens is used); the same reference with another order is refused; what nothing here
 * can carry out is kept as refused, so that the other system finds its reference with the reason.
 */
import { createHash } from 'node:crypto';
import { MisuseError } from '@amiable/bytes';
import { type Caller, may, type Privilege } from '@amiable/model';
import type { StoredCommand } from '@amiable/store';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { destinationBody } from '../delivery/shapes.ts';
import type { Command } from './shapes.ts';

const DAY = 86_400_000;

export const sourceOf = (caller: Caller): string =>
  caller.kind === 'system' ? caller.name : (caller.user ?? caller.id ?? caller.name);

/** What a kind needs besides execute:command. */
export function neededFor(command: Command): readonly Privilege[] {
  switch (command.kind) {
    case 'contract':
      return command.action === 'end' ? ['contract:modify'] : ['contract:create'];
    case 'tariff':
      return ['contract:create'];
    case 'read':
      return ['execute:read-now', 'reading:view'];
    default:
      return ['execute:run-task', 'execute:set-clock'];
  }
}

/** Why nothing here can do it; undefined when something can. */
export function cannot(command: Command): string | undefined {
  if (command.kind !== 'parameter') return undefined;
  if (command.parameter !== 'clock')
    return `Nothing here writes ${JSON.stringify(command.parameter.slice(0, 60))} to meters yet: acquisition reads, and sets clocks. Set it with \`amiable dlms set\` at the meter; the parameter that can be ordered is clock.`;
  if (command.value !== undefined && command.value !== 'now')
    return 'A clock is set to the time that it is, never to another: the value is now.';
  return undefined;
}

/** Order of keys plays no part. */
function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  return `{${Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)
    .join(',')}}`;
}

function checkForm(command: Command): void {
  if (command.kind === 'contract') {
    if (command.action === 'begin' && (command.tariff === undefined || command.from === undefined))
      throw new MisuseError('a contract begins with tariff and from');
    if (command.action === 'end' && command.to === undefined) throw new MisuseError('a contract ends with to');
  }
  if (command.kind === 'read' || command.kind === 'parameter') {
    if ((command.meter === undefined) === (command.point === undefined))
      throw new MisuseError('say meter or point, one of them');
  }
  if (command.kind === 'read' && command.what === 'profile' && (command.from === undefined || command.to === undefined))
    throw new MisuseError('a profile is read from and to a time');
}

export async function takeCommand(
  { store, now }: Pick<Context, 'store' | 'now'>,
  command: Command,
  caller: Caller,
): Promise<{ readonly command: StoredCommand; readonly fresh: boolean }> {
  const { reference, kind, due, expires, callback, ...rest } = command;
  const source = sourceOf(caller);
  const digest = createHash('sha256').update(canonical(command)).digest('hex');
  const { commands, destinations } = store.delivery;
  const known = await commands.byReference(source, reference);
  if (known) {
    if (known.digest !== digest)
      throw new HttpError(
        409,
        `the reference ${reference} was used for another command (${known.id}); a new order needs a new one`,
      );
    return { command: known, fresh: false };
  }
  checkForm(command);
  const lacking = neededFor(command).find((privilege) => !may(caller, privilege));
  if (lacking) throw new HttpError(403, `a command ${kind} needs ${lacking}, which ${caller.name} does not have`);
  if (callback !== undefined) {
    const found = await destinations.get(callback, caller.scope);
    if (!found) throw new HttpError(422, `callback: there is no destination ${callback}`);
    if (destinationBody.safeParse(found.definition).data?.where.kind !== 'http')
      throw new HttpError(422, `callback: ${callback} is not reached by HTTP`);
  }
  const point = 'point' in rest ? (rest.point ?? null) : null;
  if (point !== null && !(await store.registry.nodeByCode('metering-point', point, caller.scope)))
    throw new HttpError(422, `point: there is no metering point ${JSON.stringify(point)}`);
  let meter: string | null = null;
  if ('meter' in rest && rest.meter !== undefined) {
    meter = (await store.registry.meterBySerial(rest.meter, caller.scope)) ?? null;
    if (meter === null) throw new HttpError(422, `meter: there is no meter ${JSON.stringify(rest.meter)}`);
  }
  const at = now();
  const begins = Math.max(due ?? at, at);
  const refused = cannot(command);
  const taken = await commands.add({
    source,
    reference,
    kind,
    meter,
    point,
    parameters: rest as Readonly<Record<string, unknown>>,
    digest,
    callback: callback ?? null,
    due: begins,
    expires: expires ?? begins + DAY,
    segments: caller.scope === 'all' ? null : caller.scope,
    account: caller.kind === 'user' ? (caller.id ?? null) : (caller.user ?? null),
    who: caller.name,
    created: at,
    ...(refused === undefined ? {} : { refused }),
  });
  if (!taken.fresh && taken.command.digest !== digest)
    throw new HttpError(
      409,
      `the reference ${reference} was used for another command (${taken.command.id}); a new order needs a new one`,
    );
  return taken;
}
