/** Which meters are meant, and for how long each belongs; shared by formulas and balances. */
import { MisuseError } from '@amiable/bytes';
import type { Meters, Scope } from '@amiable/model';
import type { Belonging, MeterId, Store } from '@amiable/store';

const PAGE = 10_000;
/** Meters of one input or side. */
const MOST = 200_000;

/** @throws MisuseError for a group that is not there, or too many */
export async function membersOf(
  store: Store,
  of: Meters,
  {
    from,
    to,
    scope,
    ratios = true,
  }: { readonly from: number; readonly to: number; readonly scope: Scope; readonly ratios?: boolean },
): Promise<readonly Belonging[]> {
  const where = of.types ? [{ attribute: 'meterType', is: 'in' as const, value: of.types }] : undefined;
  let listed: Set<MeterId> | undefined = of.meters && new Set(of.meters);
  const select = async (selection: Parameters<Store['registry']['select']>[0]): Promise<MeterId[]> => {
    const found: MeterId[] = [];
    for (let after: MeterId | undefined; ; ) {
      const page = await store.registry.select({ ...selection, ...(where ? { where } : {}) }, scope, {
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      });
      found.push(...page);
      after = page.at(-1);
      if (page.length < PAGE || after === undefined) return found;
      if (found.length > MOST) throw new MisuseError(`more than ${MOST} meters are meant; narrow them down`);
    }
  };
  if (of.group !== undefined) {
    const inGroup = await select({ group: of.group });
    listed = new Set(listed ? inGroup.filter((id) => listed?.has(id)) : inGroup);
  } else if (listed && where) listed = new Set(await select({ meters: [...listed] }));
  const span = { from, to, scope, ratios };
  if (of.under === undefined) return store.balance.belonging({ meters: [...(listed ?? [])] }, span);
  let under = await store.balance.belonging({ node: of.under }, span);
  if (listed) under = under.filter((m) => listed?.has(m.meter));
  if (where && of.group === undefined && of.meters === undefined && under.length > 0) {
    const fitting = new Set(await select({ meters: under.map((m) => m.meter) }));
    under = under.filter((m) => fitting.has(m.meter));
  }
  if (under.length > MOST) throw new MisuseError(`more than ${MOST} meters are meant; choose a node further down`);
  return under;
}
