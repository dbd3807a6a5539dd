/**
 * What a run may: its creator's rights as they are now, not as they were. Who has lost a segment does not read it by a task of last year.
 *
 * Decides: the scope of a run and whether it may run at all. Leaves out: who may order what (the routes).
 */
import { MisuseError } from '@amiable/bytes';
import { type Caller, PRIVILEGES, type Privilege, type Scope } from '@amiable/model';
import type { OwnKind, Run, Store, TaskKind } from '@amiable/store';

/** What one must have to let a task of this kind run. */
export function neededFor(kind: TaskKind, parameters: Readonly<Record<string, unknown>>): readonly Privilege[] {
  if (kind === 'clock')
    return parameters.set === true ? ['execute:run-task', 'execute:set-clock'] : ['execute:run-task'];
  if (kind === 'import') return ['execute:run-task', 'execute:import'];
  if (kind === 'export') return ['execute:run-task', 'execute:export'];
  if (kind === 'backup') return ['execute:run-task', 'execute:backup'];
  if (kind === 'validation') return ['execute:run-task', 'execute:validate'];
  if (kind === 'calculation') return ['execute:run-task', 'execute:calculate'];
  if (kind === 'billing') return ['execute:run-task', 'execute:bill'];
  if (kind === 'balance') return ['execute:run-task', 'execute:calculate'];
  if (kind === 'prices') return ['execute:run-task', 'price:create'];
  if (kind === 'report') return ['execute:run-task', 'execute:run-report'];
  if (kind === 'delivery') return ['execute:run-task', 'execute:deliver'];
  if (kind === 'readings') return ['execute:run-task', 'execute:import'];
  if (kind === 'retention') return ['execute:run-task', 'system:modify'];
  return ['execute:run-task'];
}

/** Whether somebody sees all that a stored definition reads; null: of all segments. */
export const covers = (scope: Scope, segments: readonly number[] | null): boolean =>
  scope === 'all' || (segments?.every((segment) => scope.includes(segment)) ?? false);

/** What both may see: who wrote a stored definition (null: all), and who has it run. */
export function both(segments: readonly number[] | null, scope: Scope): Scope {
  if (segments === null) return scope;
  return scope === 'all' ? segments : segments.filter((one) => scope.includes(one));
}

export interface Creator {
  readonly creator: string;
  readonly creatorId: string | null;
  readonly scope: readonly number[] | null;
}

/** The segments that a run may touch. @returns a sentence when it may not run */
export async function scopeOf(
  store: Pick<Store, 'access'>,
  creator: Creator,
  needed: readonly Privilege[],
): Promise<{ readonly scope: Scope } | { readonly refused: string }> {
  const own: Scope = creator.scope ?? 'all';
  if (creator.creatorId === null) return { scope: own };
  const rights = await store.access.rights(creator.creatorId);
  if (!rights) return { refused: `the account ${creator.creator}, which it runs for, is disabled or gone` };
  const lacking = needed.find((privilege) => !rights.privileges.has(privilege));
  if (lacking) return { refused: `${creator.creator}, for whom it runs, has no longer the privilege ${lacking}` };
  if (rights.scope === 'all') return { scope: own };
  const { scope } = rights;
  return { scope: own === 'all' ? scope : own.filter((segment) => scope.includes(segment)) };
}

/** Whom a run acts for: who made its task, with the rights they have now. @throws MisuseError when it may not run any more */
export async function callerOf(store: Store, run: Run): Promise<Caller> {
  const found = await scopeOf(store, run, neededFor(run.kind as OwnKind, {}));
  if ('refused' in found) throw new MisuseError(found.refused);
  const rights = run.creatorId === null ? undefined : await store.access.rights(run.creatorId);
  return {
    kind: 'system',
    ...(run.creatorId === null ? {} : { user: run.creatorId }),
    name: run.creator,
    privileges: rights?.privileges ?? new Set(PRIVILEGES),
    scope: found.scope,
  };
}
