/** Billing runs, and what a person let through the gate: the coordinator's own tables. */
import { MisuseError } from '@amiable/bytes';
import type { Client, Database } from '../pg/database.ts';
import { checkText } from '../registry/attributes.ts';
import { getNode } from '../registry/nodes.ts';
import { iso, type Row, segments } from '../registry/parts.ts';
import { isId } from '../registry/selection.ts';
import { billingSql } from '../sql/billing.ts';
import { releaseOf, runOf } from './rows.ts';
import type { Release, ReleaseStore, RunStore } from './types.ts';

export function createRuns(db: Database): RunStore {
  return {
    begin: ({ kind, name, from, to, definition, scope, taskRun, by }) =>
      db.write(async (client) => {
        checkText('name', name, 200, 1);
        const values = [kind, name, iso(from), iso(to), JSON.stringify(definition), segments(scope)];
        const { rows } = await client.query(billingSql.beginRun, [...values, taskRun ?? null, iso(by.at), by.who]);
        return runOf(rows[0] as Row);
      }),
    async end(id, state, report, error, at) {
      await db.write((client) => client.query(billingSql.endRun, [id, state, JSON.stringify(report), error, iso(at)]));
    },
    get: (id, scope) =>
      db.read(async (client) => {
        if (!isId(id)) return undefined;
        const row = (await client.query(billingSql.run, [id, segments(scope)])).rows[0] as Row | undefined;
        return row && runOf(row);
      }),
    list: ({ after, limit, scope }) =>
      db.read(async (client) =>
        ((await client.query(billingSql.runs, [after ?? null, segments(scope), limit])).rows as Row[]).map(runOf),
      ),
  };
}

export function createReleases(db: Database): ReleaseStore {
  const list = async (client: Client, values: readonly unknown[]): Promise<Release[]> =>
    ((await client.query(billingSql.releases, [...values])).rows as Row[]).map(releaseOf);
  return {
    put: ({ meteringPoint, from, to, reason }, scope, by) =>
      db.write(async (client) => {
        checkText('reason', reason, 500, 1);
        const node = isId(meteringPoint) ? await getNode(client, meteringPoint, scope) : undefined;
        if (node?.kind !== 'metering-point') throw new MisuseError(`there is no metering point ${meteringPoint}`);
        if (!(to > from)) throw new MisuseError('a release ends after it begins');
        await client.query(billingSql.insertRelease, [meteringPoint, iso(from), iso(to), reason, iso(by.at), by.who]);
        return (await list(client, [meteringPoint, null, null, 1]))[0] as Release;
      }),
    list: ({ meteringPoint, after, limit, scope }) =>
      db.read((client) => list(client, [meteringPoint ?? null, after ?? null, segments(scope), limit])),
    of: (points, from, to) =>
      db.read(async (client) =>
        ((await client.query(billingSql.releasesOf, [points, iso(from), iso(to)])).rows as Row[]).map(releaseOf),
      ),
  };
}
