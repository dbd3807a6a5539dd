/**
 * Contracts over time. Decides that contracts of one metering point and product never overlap, that those of several products may, and
 * that nothing is overwritten: the arithmetic of stays is the registry's.
 */
import { MisuseError } from '@amiable/bytes';
import type { Scope } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { checkText } from '../registry/attributes.ts';
import { getNode } from '../registry/nodes.ts';
import { type By, iso, log, type Row, segments } from '../registry/parts.ts';
import { isId } from '../registry/selection.ts';
import { type Change, come, correct, type KeptStay, leave } from '../registry/stays.ts';
import { billingSql } from '../sql/billing.ts';
import { registrySql } from '../sql/registry.ts';
import { contractOf, timeOf } from './rows.ts';
import { type Contract, type ContractQuery, type ContractStore, CYCLES, type NewContract } from './types.ts';

/** What a stay is of. */
interface What {
  readonly tariff: number;
  readonly reference: string | null;
  readonly cycle: string;
  readonly cycleDay: number;
  readonly parameters: unknown;
}
const MOST = 20_000;
const EARLIEST = Date.UTC(1900, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

const timeText = (at: number | undefined): string | null => (at === undefined ? null : iso(at));
const wanted = (q: ContractQuery): unknown[] => [
  q.meteringPoint ?? null,
  q.product ?? null,
  q.tariff ?? null,
  timeText(q.from),
  timeText(q.to),
  q.meters ?? null,
  q.cycle ?? null,
  q.replaced ?? false,
  segments(q.scope),
];

export function createContracts(db: Database): ContractStore {
  const one = async (client: Client, id: string, scope: Scope): Promise<Contract | undefined> => {
    if (!isId(id)) return undefined;
    const row = (await client.query(billingSql.contract, [id, segments(scope)])).rows[0] as Row | undefined;
    return row && contractOf(row);
  };
  const kept = async (client: Client, point: string, product: string): Promise<KeptStay<What>[]> =>
    ((await client.query(billingSql.contractStays, [point, product])).rows as Row[]).map((row) => ({
      id: row.id as string,
      from: timeOf(row.from_time),
      to: row.to_time === null ? null : timeOf(row.to_time),
      what: {
        tariff: row.tariff as number,
        reference: row.reference as string | null,
        cycle: row.cycle as string,
        cycleDay: row.cycle_day as number,
        parameters: row.parameters,
      },
    }));

  async function lock(client: Client, point: string, scope: Scope): Promise<void> {
    if (isId(point)) await client.query(registrySql.lockNodes, [[point]]);
    const node = isId(point) ? await getNode(client, point, scope) : undefined;
    if (!node) throw new MisuseError(`there is no node ${point}`);
    if (node.kind !== 'metering-point')
      throw new MisuseError(`contracts are of metering points; ${node.code} is a ${node.kind}`);
  }

  async function whatOf(client: Client, given: Omit<NewContract, 'meteringPoint' | 'product'>): Promise<What> {
    const found = (await client.query(billingSql.tariffOf, [given.tariff])).rows[0] as { id: number } | undefined;
    if (!found) throw new MisuseError(`there is no tariff ${JSON.stringify(given.tariff)}`);
    if (given.reference) checkText('reference', given.reference, 100, 0);
    const cycle = given.cycle ?? 'month';
    if (!CYCLES.includes(cycle)) throw new MisuseError(`a contract is billed by ${CYCLES.join(', ')}`);
    const cycleDay = given.cycleDay ?? 1;
    if (!Number.isInteger(cycleDay) || cycleDay < 1 || cycleDay > 28)
      throw new MisuseError('billing periods begin on a day from 1 to 28');
    return {
      tariff: found.id,
      reference: given.reference ?? null,
      cycle,
      cycleDay,
      parameters: given.parameters ?? {},
    };
  }
  const stayOf = ({ from, to }: { from: number; to?: number | null | undefined }) => {
    for (const at of [from, to ?? from])
      if (!(at >= EARLIEST && at <= LATEST)) throw new MisuseError('a contract has times from 1900 to 2199');
    return { from, to: to ?? null };
  };

  async function write(
    client: Client,
    point: string,
    product: string,
    change: Change<What>,
    by: By,
    reason: string,
  ): Promise<string | undefined> {
    for (const id of change.replace) await client.query(billingSql.replaceContract, [id, iso(by.at), by.who, reason]);
    let last: string | undefined;
    for (const { from, to, what } of change.add) {
      const values = [point, product, what.tariff, what.reference, what.cycle, what.cycleDay];
      const times = [JSON.stringify(what.parameters), iso(from), to === null ? null : iso(to), iso(by.at), by.who];
      last = ((await client.query(billingSql.insertContract, [...values, ...times])).rows[0] as { id: string }).id;
    }
    await log(client, 'node', point, `contract ${product} ${reason}`, by);
    return last;
  }

  return {
    list: (query) =>
      db.read(async (client) =>
        (
          (await client.query(billingSql.contracts, [...wanted(query), query.after ?? null, query.limit])).rows as Row[]
        ).map(contractOf),
      ),
    due: (query) =>
      db.read(async (client) => {
        const values = [...wanted(query), query.afterPoint, query.limit];
        const rows = ((await client.query(billingSql.dueContracts, values)).rows as Row[]).map(contractOf);
        if (rows.length < query.limit) return rows;
        // The last point may have more of them: it comes whole with the next page.
        const last = rows.at(-1)?.meteringPoint;
        const whole = rows.filter((row) => row.meteringPoint !== last);
        if (whole.length > 0) return whole;
        const all = [last ?? null, ...wanted(query).slice(1), '0', MOST];
        return ((await client.query(billingSql.dueContracts, all)).rows as Row[]).map(contractOf);
      }),
    get: (id, scope) => db.read((client) => one(client, id, scope)),
    byIds: (ids, scope) =>
      db.read(async (client) =>
        ((await client.query(billingSql.contractsById, [ids, segments(scope)])).rows as Row[]).map(contractOf),
      ),
    put: (contract, scope, by) =>
      db.write(async (client) => {
        checkText('product', contract.product, 40, 1);
        const stay = stayOf(contract);
        await lock(client, contract.meteringPoint, scope);
        const what = await whatOf(client, contract);
        const change = come(await kept(client, contract.meteringPoint, contract.product), stay, what);
        const id = await write(client, contract.meteringPoint, contract.product, change, by, 'set');
        return (await one(client, id as string, 'all')) as Contract;
      }),
    end: (id, to, scope, by) =>
      db.write(async (client) => {
        const found = await one(client, id, scope);
        if (!found || found.replacedAt !== null) throw new MisuseError(`there is no contract ${id} that holds`);
        const { meteringPoint, product } = found;
        await lock(client, meteringPoint, scope);
        stayOf({ from: to });
        const stays = (await kept(client, meteringPoint, product)).filter((stay) => stay.id === id);
        const change = leave(stays, to);
        const now = await write(client, meteringPoint, product, change, by, 'ended');
        return (await one(client, now as string, 'all')) as Contract;
      }),
    correct: (id, right, reason, scope, by) =>
      db.write(async (client) => {
        checkText('reason', reason, 500, 1);
        const found = await one(client, id, scope);
        if (!found) throw new MisuseError(`there is no contract ${id}`);
        const { meteringPoint, product } = found;
        await lock(client, meteringPoint, scope);
        const stay = right && { ...stayOf(right), what: await whatOf(client, right) };
        const change = correct(await kept(client, meteringPoint, product), id, stay);
        const now = await write(client, meteringPoint, product, change, by, reason);
        return now === undefined ? undefined : one(client, now, 'all');
      }),
  };
}
