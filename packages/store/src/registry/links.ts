/**
 * Links over time: who was where when. Writes stays by the arithmetic of stays.ts under a lock on both ends, and keeps what
 * follows from the open ones: the parent and path of nodes, the path and status of life of meters.
 *
 * Decides (AMI system description §3.4, §7.4.3): a master has four channels with one slave each; a master is no slave itself.
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { registrySql } from '../sql/registry.ts';
import { checkText } from './attributes.ts';
import { getNode, pathUnder } from './nodes.ts';
import { type By, checkPast, iso, linkOf, type NodeRow, type Row, segments } from './parts.ts';
import { isId } from './selection.ts';
import { type Change, come, correct, inWords, type KeptStay, leave, overlap, type Stay } from './stays.ts';
import type { LinkKind, NodeKind, RegistryLink } from './types.ts';

export const CHANNELS = 4;

export interface NewLink {
  readonly kind: LinkKind;
  readonly child: string;
  readonly parent: string;
  readonly channel?: number | null | undefined;
  readonly from: number;
  readonly to?: number | null | undefined;
}
export interface Correction {
  readonly from?: number | undefined;
  readonly to?: number | null | undefined;
  readonly parent?: string | undefined;
  readonly channel?: number | null | undefined;
  /** True: it never was. */
  readonly never?: boolean | undefined;
  readonly reason: string;
}
export interface LinkPage {
  /** Also what was corrected. */
  readonly replaced?: boolean | undefined;
  readonly limit: number;
}

export interface Links {
  /** It came: an open stay elsewhere ends then. */
  link(link: NewLink, scope: Scope, by: By): Promise<RegistryLink>;
  /** It left. */
  endLink(kind: LinkKind, child: string, to: number, scope: Scope, by: By): Promise<RegistryLink>;
  /** It was otherwise. @returns what holds in its place; undefined when it never was */
  correctLink(id: string, correction: Correction, scope: Scope, by: By): Promise<RegistryLink | undefined>;
  /** Stays of a node or a meter, newest first. */
  linksOfNode(id: string, scope: Scope, page: LinkPage): Promise<readonly RegistryLink[] | undefined>;
  linksOfMeter(id: string, scope: Scope, page: LinkPage): Promise<readonly RegistryLink[] | undefined>;
  /** Who was here: stays with a node (or behind a master) as parent, newest first. */
  staysAtNode(
    id: string,
    scope: Scope,
    page: { readonly before?: RegistryLink | undefined; readonly limit: number },
  ): Promise<readonly RegistryLink[] | undefined>;
}

interface What {
  readonly parent: string;
  readonly channel: number | null;
}
interface MeterRow {
  readonly id: string;
  readonly serial: string;
  readonly segment: number;
}

const PARENT_KINDS: Readonly<Record<'installed' | 'served', NodeKind>> = {
  installed: 'metering-point',
  served: 'concentrator',
};
const isMeterLink = (kind: LinkKind): boolean => kind !== 'under';

async function meters(client: Client, ids: readonly string[], scope: Scope): Promise<Map<string, MeterRow>> {
  const { rows } = await client.query(registrySql.lockMeters, [ids.filter(isId)]);
  const seen = (rows as MeterRow[]).filter((m) => scope === 'all' || scope.includes(m.segment));
  return new Map(seen.map((m) => [m.id, m]));
}

const keptOf = (row: Row): KeptStay<What> => {
  const { id, from, to, parent, channel } = linkOf(row);
  return { id, from, to, what: { parent, channel } };
};
async function stays(client: Client, kind: LinkKind, child: string): Promise<KeptStay<What>[]> {
  return ((await client.query(registrySql.staysOf, [child, kind])).rows as Row[]).map(keptOf);
}

/** Locks both ends and says whether the child may be there at all. */
async function checkEnds(
  client: Client,
  kind: LinkKind,
  child: string,
  what: What,
  stay: Stay,
  scope: Scope,
): Promise<void> {
  if (!isId(child) || !isId(what.parent)) throw new MisuseError('a link joins two objects by their numbers');
  if (kind === 'behind') return checkBehind(client, child, what, stay, scope);
  if (what.channel !== null) throw new MisuseError('only a slave behind a master has a channel');
  if (kind === 'under') {
    await client.query(registrySql.lockTree);
    await client.query(registrySql.lockNodes, [[child, what.parent]]);
    const node = await getNode(client, child, scope);
    if (!node) throw new MisuseError(`there is no node ${child}`);
    await pathUnder(client, node, what.parent, scope);
    return;
  }
  if (!(await meters(client, [child], scope)).has(child)) throw new MisuseError(`there is no meter ${child}`);
  await client.query(registrySql.lockNodes, [[what.parent]]);
  const node = await getNode(client, what.parent, scope);
  if (!node) throw new MisuseError(`there is no node ${what.parent}`);
  if (node.kind !== PARENT_KINDS[kind])
    throw new MisuseError(
      `a meter is ${kind} ${kind === 'installed' ? 'at' : 'by'} a ${PARENT_KINDS[kind]}; ${node.code} is a ${node.kind}`,
    );
}

async function checkBehind(
  client: Client,
  slave: string,
  { parent: master, channel }: What,
  stay: Stay,
  scope: Scope,
): Promise<void> {
  if (slave === master) throw new MisuseError('a meter cannot be behind itself');
  if (channel === null || !Number.isInteger(channel) || channel < 1 || channel > CHANNELS)
    throw new MisuseError(`a master has channels 1 to ${CHANNELS}`);
  const both = await meters(client, [slave, master], scope);
  for (const id of [slave, master]) if (!both.has(id)) throw new MisuseError(`there is no meter ${id}`);
  const said = (id: string): string => `meter ${both.get(id)?.serial ?? id}`;
  const asSlave = (await stays(client, 'behind', master)).find((s) => overlap(s, stay));
  if (asSlave) throw new MisuseError(`${said(master)} is a slave itself ${inWords(asSlave)}: it cannot be a master`);
  const at = async (id: string): Promise<(KeptStay<What> & { readonly child: string })[]> =>
    ((await client.query(registrySql.staysAt, [id, 'behind'])).rows as Row[]).map((row) => ({
      ...keptOf(row),
      child: row.child as string,
    }));
  const asMaster = (await at(slave)).find((s) => overlap(s, stay));
  if (asMaster) throw new MisuseError(`${said(slave)} is a master itself ${inWords(asMaster)}: it cannot be a slave`);
  const taken = (await at(master)).find((s) => s.child !== slave && s.what.channel === channel && overlap(s, stay));
  if (taken)
    throw new MisuseError(
      `channel ${channel} of ${said(master)} has another slave ${inWords(taken)} (meter ${taken.child})`,
    );
}

async function write(
  client: Client,
  kind: LinkKind,
  child: string,
  change: Change<What>,
  by: By,
  reason: string,
): Promise<string | undefined> {
  for (const id of change.replace) await client.query(registrySql.replaceLink, [id, iso(by.at), by.who, reason]);
  let last: string | undefined;
  for (const { from, to, what } of change.add) {
    const values = [
      kind,
      child,
      what.parent,
      what.channel,
      iso(from),
      to === null ? null : iso(to),
      iso(by.at),
      by.who,
    ];
    last = ((await client.query(registrySql.insertLink, values)).rows[0] as { id: string }).id;
  }
  await follow(client, kind, child, change);
  return last;
}

/** What follows from the stays that are open now. */
async function follow(client: Client, kind: LinkKind, child: string, change: Change<What>): Promise<void> {
  if (kind !== 'under') {
    const masters = change.add.map((a) => a.what.parent);
    await client.query(registrySql.relive, [[child], 'removed']);
    await repath(client, [child, ...(kind === 'behind' ? masters : [])]);
    return;
  }
  const open = (await stays(client, 'under', child)).find((s) => s.to === null);
  const parent = open?.what.parent ?? null;
  const above = parent === null ? undefined : await getNode(client, parent, 'all');
  const path = [...(above?.path ?? []), child];
  await client.query(registrySql.setNodePath, [child, parent, path]);
  await client.query(registrySql.repathNodes, [child, path]);
  for (let after = '0'; ; ) {
    const { rows } = await client.query(registrySql.metersUnder, [child, after, 5000]);
    const ids = (rows as { id: string }[]).map((row) => row.id);
    await repath(client, ids);
    if (ids.length < 5000) break;
    after = ids.at(-1) as string;
  }
}

/** Paths of meters anew; those of slaves after those of their masters. */
export async function repath(client: Client, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await client.query(registrySql.repathMeters, [ids]);
  await client.query(registrySql.repathSlaves, [ids]);
}

export function createLinks(db: Database): Links {
  const read = async (client: Client, id: string): Promise<RegistryLink> =>
    linkOf((await client.query(registrySql.link, [id])).rows[0] as Row);
  const seesNode = async (client: Client, id: string, scope: Scope): Promise<NodeRow | undefined> =>
    getNode(client, id, scope);
  const seesMeter = async (client: Client, id: string, scope: Scope): Promise<boolean> =>
    (await client.query(registrySql.entry, [id, segments(scope)])).rows.length > 0;

  return {
    link: (link, scope, by) =>
      db.write(async (client) => {
        const stay = { from: link.from, to: link.to ?? null };
        checkPast('the start of a stay', stay.from, by);
        if (stay.to !== null) checkPast('the end of a stay', stay.to, by);
        const what = { parent: link.parent, channel: link.channel ?? null };
        await checkEnds(client, link.kind, link.child, what, stay, scope);
        const before = await stays(client, link.kind, link.child);
        const open = before.find((s) => s.to === null);
        if (open && open.what.parent === what.parent && open.what.channel === what.channel && open.from <= stay.from)
          throw new MisuseError(`it is there already, ${inWords(open)}`);
        const id = await write(client, link.kind, link.child, come(before, stay, what), by, 'moved');
        return read(client, id as string);
      }),
    endLink: (kind, child, to, scope, by) =>
      db.write(async (client) => {
        checkPast('the end of a stay', to, by);
        await lockChild(client, kind, child, scope);
        const id = await write(client, kind, child, leave(await stays(client, kind, child), to), by, 'ended');
        return read(client, id as string);
      }),
    correctLink: (id, correction, scope, by) =>
      db.write(async (client) => {
        checkText('reason', correction.reason, 500, 1);
        const row = isId(id) ? ((await client.query(registrySql.link, [id])).rows[0] as Row | undefined) : undefined;
        if (!row) throw new MisuseError(`there is no stay ${id}`);
        const wrong = linkOf(row);
        await lockChild(client, wrong.kind, wrong.child, scope);
        const right = {
          from: correction.from ?? wrong.from,
          to: correction.to === undefined ? wrong.to : correction.to,
          what: {
            parent: correction.parent ?? wrong.parent,
            channel: correction.channel === undefined ? wrong.channel : correction.channel,
          },
        };
        const never = correction.never === true;
        if (!never) {
          checkPast('the start of a stay', right.from, by);
          if (right.to !== null) checkPast('the end of a stay', right.to, by);
        }
        const change = correct(await stays(client, wrong.kind, wrong.child), id, never ? undefined : right);
        if (!never) {
          // The stay that is corrected must not stand in its own way.
          await client.query(registrySql.replaceLink, [id, iso(by.at), by.who, correction.reason]);
          await checkEnds(client, wrong.kind, wrong.child, right.what, right, scope);
        }
        const now = await write(client, wrong.kind, wrong.child, change, by, correction.reason);
        if (wrong.kind === 'behind') await repath(client, [wrong.child, wrong.parent]);
        return now === undefined ? undefined : read(client, now);
      }),
    linksOfNode: (id, scope, page) =>
      db.read(async (client) => {
        if (!(await seesNode(client, id, scope))) return undefined;
        const { rows } = await client.query(registrySql.linksOfChild, [
          id,
          ['under'],
          page.replaced ?? false,
          page.limit,
        ]);
        return (rows as Row[]).map(linkOf);
      }),
    linksOfMeter: (id, scope, page) =>
      db.read(async (client) => {
        if (!(await seesMeter(client, id, scope))) return undefined;
        const { rows } = await client.query(registrySql.linksOfChild, [
          id,
          ['installed', 'behind', 'served'],
          page.replaced ?? false,
          page.limit,
        ]);
        return (rows as Row[]).map(linkOf);
      }),
    staysAtNode: (id, scope, page) =>
      db.read(async (client) => {
        if (!(await seesNode(client, id, scope))) return undefined;
        const before = page.before ? [iso(page.before.from), page.before.id] : ['infinity', '9223372036854775807'];
        const { rows } = await client.query(registrySql.linksOfParent, [
          id,
          ['under', 'installed', 'served'],
          ...before,
          page.limit,
        ]);
        return (rows as Row[]).map(linkOf);
      }),
  };
}

async function lockChild(client: Client, kind: LinkKind, child: string, scope: Scope): Promise<void> {
  if (isMeterLink(kind)) {
    if (!(await meters(client, [child], scope)).has(child)) throw new MisuseError(`there is no meter ${child}`);
    return;
  }
  await client.query(registrySql.lockTree);
  await client.query(registrySql.lockNodes, [[child]]);
  if (!(await getNode(client, child, scope))) throw new MisuseError(`there is no node ${child}`);
}
