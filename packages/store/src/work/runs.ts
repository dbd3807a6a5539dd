/**
 * Runs and their jobs: made, expanded to meters in pages, paused, cancelled, expired, forgotten. Nothing here knows what a task is for.
 *
 * Decides: what stays true when a process dies between two steps: the state of a run is changed first and binds workers at once; its jobs
 * follow in pages, and doing that again changes nothing.
 */
import type { Client, Database } from '../pg/database.ts';
import { workSql } from '../sql/work.ts';
import type { MeterId } from '../types.ts';
import { addJobs, createTallies, iso, lease, placesOf, settleMeters } from './queue.ts';
import type { JobRow, NewRun, Run, RunId, Runs } from './types.ts';

/** Meters of an order that get their jobs with it. */
const AT_ONCE = 1000;

export function createRuns({ db }: { readonly db: Database }): Runs {
  const one = async (text: string, values: unknown[]): Promise<Run | undefined> => {
    const { rows } = await db.write((client) => client.query(text, values));
    return rows[0] ? toRun(rows[0] as RunRow) : undefined;
  };

  async function createWithin(client: Client, run: NewRun): Promise<Run | undefined> {
    const owner = run.what === 'task' ? run.task : run.flow;
    const { occurrence } = run;
    if (occurrence) {
      const { rows } = await client.query(workSql.addOccurrence, [
        run.what,
        owner,
        occurrence.nominal,
        iso(occurrence.at),
      ]);
      if (rows.length === 0) return undefined;
    }
    if (run.parent !== undefined) {
      // One run for each step, whoever comes first.
      await lease(client, 'lockRuns', [[run.parent]]);
      const { rows } = await client.query(workSql.childOf, [run.parent, run.step]);
      if (rows.length > 0) return toRun(rows[0] as RunRow);
    }
    const definition = JSON.stringify(run.definition);
    const values = [run.what, run.task, run.flow, run.parent, run.step, run.version, run.kind, run.name, definition];
    const times = [iso(run.due), iso(run.expires), iso(run.created)];
    const { rows } = await client.query(workSql.addRun, [
      ...values,
      run.meters ?? null,
      run.priority,
      ...times,
      run.creator,
      run.scope,
      run.transaction,
      run.creatorId ?? null,
    ]);
    if (rows.length === 0) {
      const known = await client.query(workSql.runOfTransaction, [run.transaction]);
      return toRun(known.rows[0] as RunRow);
    }
    const made = toRun(rows[0] as RunRow);
    if (occurrence) await client.query(workSql.setOccurrence, [run.what, owner, occurrence.nominal, made.id]);
    if (run.what === 'task' && run.meters && run.meters.length <= AT_ONCE) {
      await expandWithin(client, made, { meters: run.meters, last: true }, run.created);
      const { rows: again } = await client.query(workSql.run, [made.id]);
      return toRun(again[0] as RunRow);
    }
    return made;
  }

  async function expandWithin(
    client: Client,
    run: Run,
    page: { readonly meters: readonly MeterId[]; readonly last: boolean; readonly note?: string | undefined },
    now: number,
  ): Promise<boolean> {
    const meters = [...new Set(page.meters)].sort(byNumber);
    const ready = Math.max(run.due, now);
    const places = await placesOf(client, meters);
    const count = await addJobs(client, run.id, meters, { priority: run.priority, ready, now }, places);
    const last = meters.at(-1) ?? null;
    const values = [run.id, iso(now), count, last, page.last, run.expandedTo, page.note ?? null];
    const { rows } = await client.query(workSql.expanded, values);
    return rows.length > 0;
  }

  /** All open jobs of a run, in pages of meters that are locked meanwhile. */
  async function sweep(run: RunId, work: (client: Client, meters: readonly MeterId[]) => Promise<void>): Promise<void> {
    let after: MeterId = '-1';
    for (;;) {
      const from = after;
      const meters = await db.write(async (client) => {
        const { rows } = await client.query(workSql.openMeters, [run, from]);
        const page = (rows as { meter: MeterId }[]).map((row) => row.meter);
        if (page.length > 0) {
          await lease(client, 'lockMeters', [page]);
          await work(client, page);
        }
        return page;
      });
      const last = meters.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  function endJobs(run: RunId, state: 'cancelled' | 'expired', now: number): Promise<void> {
    return sweep(run, async (client, meters) => {
      const { rows } = await client.query(workSql.endJobs, [run, meters, state, iso(now)]);
      await settleMeters(client, meters, now);
      const tallies = createTallies();
      if (rows.length > 0) tallies.of(run)[state] += rows.length;
      await tallies.write(client);
    });
  }

  return {
    create: (run) => db.write((client) => createWithin(client, run)),
    async pass(what, owner, { nominal, at }) {
      await db.write((client) => client.query(workSql.addOccurrence, [what, owner, nominal, iso(at)]));
    },
    get: (id) => one(workSql.run, [id]),
    async list(query) {
      const { rows } = await db.read((client) =>
        client.query(workSql.runs, [
          query.task ?? null,
          query.flow ?? null,
          query.parent ?? null,
          query.state ?? null,
          query.before ?? null,
          query.scope === 'all' ? null : query.scope,
          query.limit,
        ]),
      );
      return (rows as RunRow[]).map(toRun);
    },
    async open() {
      const { rows } = await db.read((client) => client.query(workSql.openRuns));
      return (rows as RunRow[]).map(toRun);
    },
    async openCount(creator) {
      const { rows } = await db.read((client) => client.query(workSql.openCount, [creator]));
      return (rows[0] as { n: number }).n;
    },
    async expand(run, page, now) {
      // What was added is taken back when somebody else came first.
      try {
        return await db.write(async (client) => {
          if (await expandWithin(client, run, page, now)) return true;
          throw new Overtaken();
        });
      } catch (error) {
        if (error instanceof Overtaken) return false;
        throw error;
      }
    },
    async setTransaction(id, transaction) {
      const { rows } = await db.write((client) => client.query(workSql.setTransaction, [id, transaction]));
      return rows.length > 0;
    },
    async metersOf(run, which, page) {
      const { rows } = await db.read((client) =>
        client.query(workSql.runMeters, [run, page.after ?? '-1', which, page.limit]),
      );
      return (rows as { meter: MeterId }[]).map((row) => row.meter);
    },
    reachable: (meters) =>
      db.read(async (client) => {
        const places = await placesOf(client, meters);
        return meters.filter((meter) => places.has(meter));
      }),
    async mend(now) {
      const { rows } = await db.read((client) => client.query(workSql.leftOver));
      for (const { id } of rows as { id: RunId }[]) await endJobs(id, 'cancelled', now);
    },
    async jobs(run, query) {
      const { rows } = await db.read((client) =>
        client.query(workSql.jobs, [
          run,
          query.state ?? null,
          query.after ?? null,
          query.scope === 'all' ? null : query.scope,
          query.limit,
        ]),
      );
      return rows as JobRow[];
    },
    async hold(id, by, now, until) {
      const { rows } = await db.write((client) => client.query(workSql.holdRun, [id, by, iso(now), iso(until)]));
      return rows.length > 0;
    },
    async unhold(id, by) {
      await db.write((client) => client.query(workSql.unholdRun, [id, by]));
    },
    async change(id, from, to, now, more = {}) {
      const progress = more.progress === undefined ? null : JSON.stringify(more.progress);
      const changed = await one(workSql.changeRun, [id, from, to, iso(now), more.note ?? null, progress]);
      if (!changed || changed.what === 'flow') return changed;
      if (to === 'cancelled') await endJobs(id, 'cancelled', now);
      else if (to === 'paused' || (to === 'running' && from.includes('paused')))
        await sweep(id, async (client, meters) => {
          await lease(client, 'recompute', [meters, iso(now)]);
        });
      return to === 'cancelled' ? ((await one(workSql.run, [id])) ?? changed) : changed;
    },
    async progress(id, progress) {
      await db.write((client) => client.query(workSql.progress, [id, JSON.stringify(progress)]));
    },
    async expire(now) {
      const { rows } = await db.read((client) => client.query(workSql.expiredRuns, [iso(now)]));
      for (const { id } of rows as { id: RunId }[]) await endJobs(id, 'expired', now);
      return rows.length;
    },
    async prune(before) {
      let count = 0;
      for (;;) {
        const pruned = await db.write(async (client) => {
          const { rows } = await client.query(workSql.oldRuns, [iso(before)]);
          const runs = (rows as { id: RunId }[]).map((row) => row.id);
          if (runs.length === 0) {
            await client.query(workSql.deleteOccurrences, [iso(before)]);
            return 0;
          }
          await client.query(workSql.deleteJobs, [runs]);
          await client.query(workSql.deleteRuns, [runs]);
          return runs.length;
        });
        if (pruned === 0) return count;
        count += pruned;
      }
    },
  };
}

class Overtaken extends Error {}

/** Ids are decimal text: shorter ones are smaller. */
const byNumber = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

interface RunRow {
  readonly id: string;
  readonly expanded_to: string | null;
  readonly [column: string]: unknown;
}

function toRun(row: RunRow): Run {
  const { expanded_to, total, done, failed, given_up, expired, cancelled, tries, stored, creator_id, ...rest } = row;
  const counts = { total, done, failed, givenUp: given_up, expired, cancelled, tries, stored };
  return { ...rest, creatorId: creator_id, expandedTo: expanded_to, counts } as unknown as Run;
}
