/** From a target to meters: the registry's selection, and what of it is provably empty. */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Condition, MeterId, MeterSelection, Run, Store } from '@amiable/store';
import type { Target } from '@amiable/tasks';

const LIST_PAGE = 1000;
export const PAGE = 5000;

export function selectionOf(target: Target, at: number): MeterSelection {
  const where: Condition[] = [
    ...((target.where ?? []) as readonly Condition[]),
    ...(target.types ? [{ attribute: 'meterType', is: 'in', value: target.types } as const] : []),
  ];
  return {
    at,
    ...(target.q === undefined ? {} : { q: target.q }),
    ...(where.length === 0 ? {} : { where }),
    ...(target.under === undefined ? {} : { under: target.under }),
    ...(target.group === undefined ? {} : { group: target.group }),
    ...(target.meters === undefined ? {} : { meters: target.meters }),
  };
}

/** What names groups, types and conditions that are not there. @throws MisuseError with a sentence */
export async function checkTarget(store: Store, target: Target, scope: Scope, now: number): Promise<void> {
  if (target.types) {
    const known = new Set((await store.registry.meterTypes()).map((type) => type.name));
    const unknown = target.types.find((type) => !known.has(type));
    if (unknown !== undefined) throw new MisuseError(`there is no meter type ${JSON.stringify(unknown)}`);
  }
  const { meters, ...rest } = target;
  // A long list is looked through in pages; its first page shows what is wrong with it.
  const selection = selectionOf(meters ? { ...rest, meters: meters.slice(0, LIST_PAGE) } : target, now);
  const found = await store.registry.select(selection, scope, { limit: 1 });
  if (found.length === 0 && meters && meters.length <= LIST_PAGE)
    throw new MisuseError('none of these meters is there');
}

/** What a step of a flow may say besides. */
interface From {
  readonly run: string;
  readonly which: 'done' | 'failed' | 'all';
}

const byNumber = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

export interface MeterPage {
  readonly meters: readonly MeterId[];
  readonly last: boolean;
  /** Meters that fit but have no connection. */
  readonly left: number;
}

/** The next meters of a run, after those that have a job. Those that cannot be reached are left out, unless they were named. */
export async function nextPage(store: Store, run: Run, scope: Scope, now: number): Promise<MeterPage> {
  const { target = {}, from } = run.definition as { target?: Target; from?: From };
  const after = run.expandedTo ?? '0';
  const named = run.meters ?? (from ? undefined : target.meters);
  if (named) {
    const rest = [...new Set(named)].filter((id) => byNumber(id, after) > 0).sort(byNumber);
    const { meters: _, ...others } = run.meters ? {} : target;
    for (let i = 0; i < rest.length; i += LIST_PAGE) {
      const selection = selectionOf({ ...others, meters: rest.slice(i, i + LIST_PAGE) }, now);
      const meters = await store.registry.select(selection, scope, { limit: LIST_PAGE });
      if (meters.length > 0) return { meters, last: i + LIST_PAGE >= rest.length, left: 0 };
    }
    return { meters: [], last: true, left: 0 };
  }
  let left = 0;
  for (let at = after; ; ) {
    const found = from
      ? await store.work.runs.metersOf(from.run, from.which, { after: at, limit: LIST_PAGE })
      : await store.registry.select(selectionOf(target, now), scope, { after: at, limit: PAGE });
    const last = found.length < (from ? LIST_PAGE : PAGE);
    const seen =
      from && found.length > 0 ? await store.registry.select({ meters: found }, scope, { limit: LIST_PAGE }) : found;
    const meters = await store.work.runs.reachable(seen);
    left += seen.length - meters.length;
    if (meters.length > 0 || last) return { meters, last, left };
    at = found.at(-1) as MeterId;
  }
}
