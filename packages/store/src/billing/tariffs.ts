/** Tariffs in versions: a draft may change, a published version never does, and none is published into time that was billed. */
import { MisuseError } from '@amiable/bytes';
import { localToUtc } from '@amiable/calendar';
import type { Client, Database } from '../pg/database.ts';
import { checkText } from '../registry/attributes.ts';
import { iso, type Row } from '../registry/parts.ts';
import { billingSql } from '../sql/billing.ts';
import { tariffOf, timeOf, versionOf } from './rows.ts';
import type { TariffRow, TariffStore, TariffVersion } from './types.ts';

const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** Start of a local day, epoch ms. */
export const startOfDay = (zone: string, day: string): number => localToUtc(zone, Date.parse(`${day}T00:00:00Z`));

export function createTariffs(db: Database): TariffStore {
  const get = async (client: Client, name: string): Promise<TariffRow | undefined> => {
    const row = (await client.query(billingSql.tariff, [name])).rows[0] as Row | undefined;
    return row && tariffOf(row);
  };
  const version = async (client: Client, name: string, number: number): Promise<TariffVersion | undefined> => {
    const row = (await client.query(billingSql.version, [name, number])).rows[0] as Row | undefined;
    return row && versionOf(row);
  };
  const locked = async (client: Client, name: string): Promise<number | undefined> =>
    ((await client.query(billingSql.lockTariff, [name])).rows[0] as { id: number } | undefined)?.id;

  return {
    list: ({ q, after, limit }) =>
      db.read(async (client) =>
        ((await client.query(billingSql.tariffs, [after ?? null, q ?? null, limit])).rows as Row[]).map(tariffOf),
      ),
    get: (name) => db.read((client) => get(client, name)),
    versions: (name) =>
      db.read(async (client) => ((await client.query(billingSql.versions, [name])).rows as Row[]).map(versionOf)),
    version: (name, number) => db.read((client) => version(client, name, number)),
    published: (ids) =>
      db.read(async (client) => {
        const found = new Map<number, TariffVersion[]>();
        for (const row of (await client.query(billingSql.published, [ids])).rows as Row[]) {
          const id = row.tariff_id as number;
          const list = found.get(id) ?? [];
          const one = versionOf(row);
          // A correction from the same day on takes the place of what it corrects.
          if (list.at(-1)?.validFrom === one.validFrom) list.pop();
          list.push(one);
          found.set(id, list);
        }
        return found;
      }),
    put: (name, { description, validFrom, definition }, by) =>
      db.write(async (client) => {
        checkText('name', name, 100, 1);
        if (description) checkText('description', description, 500, 0);
        if (!DAY.test(validFrom) || Number.isNaN(Date.parse(validFrom)))
          throw new MisuseError(`${validFrom.slice(0, 20)} is no day; write 2026-01-01`);
        await client.query(billingSql.insertTariff, [name, description ?? null, iso(by.at), by.who]);
        const id = await locked(client, name);
        if (description !== undefined) await client.query(billingSql.describeTariff, [id, description]);
        const last = (await client.query(billingSql.lastVersion, [id])).rows[0] as {
          version: number | null;
          draft: number | null;
        };
        const number = last.draft ?? (last.version ?? 0) + 1;
        const values = [id, number, validFrom, JSON.stringify(definition), iso(by.at), by.who];
        await client.query(last.draft === null ? billingSql.insertVersion : billingSql.changeDraft, values);
        return (await version(client, name, number)) as TariffVersion;
      }),
    publish: (name, number, zone, by) =>
      db.write(async (client) => {
        const id = await locked(client, name);
        const draft = id === undefined ? undefined : await version(client, name, number);
        if (!draft) throw new MisuseError(`there is no version ${number} of the tariff ${JSON.stringify(name)}`);
        if (draft.state === 'published')
          throw new MisuseError(`version ${number} of ${JSON.stringify(name)} is published already; it never changes`);
        const until = ((await client.query(billingSql.billedUntil, [id])).rows[0] as { until: Date | null }).until;
        if (until !== null && startOfDay(zone, draft.validFrom) < timeOf(until))
          throw new MisuseError(
            `version ${number} would hold from ${draft.validFrom}, but ${JSON.stringify(name)} was billed up to ${iso(timeOf(until))}: prices that were billed stay; let it begin later`,
          );
        await client.query(billingSql.publish, [id, number, iso(by.at), by.who]);
        return (await version(client, name, number)) as TariffVersion;
      }),
    removeDraft: (name) =>
      db.write(async (client) => {
        const id = await locked(client, name);
        if (id === undefined) return false;
        const gone = (await client.query(billingSql.removeDraft, [id])).rows.length > 0;
        if (gone) await client.query(billingSql.removeTariff, [id]);
        return gone;
      }),
  };
}
