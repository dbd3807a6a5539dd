/** Work: leases, runs, definitions, channels, and what workers say of the queue. */
import type { FlowDefinition, TaskDefinition, TimeWindow } from '@amiable/tasks';
import type { Database } from '../pg/database.ts';
import { channelSql, flowSql, taskSql } from '../sql/work.ts';
import { createDefinitions } from './definitions.ts';
import { createLeases, type LeaseParts, type WorkerCounts } from './leases.ts';
import { iso } from './queue.ts';
import { createRuns } from './runs.ts';
import type { Channel, Channels, ChannelUse, WorkerUse, WorkStore } from './types.ts';

export function createWorkStore(db: Database, parts: Omit<LeaseParts, 'db'> = {}): WorkStore {
  const leases = createLeases({ db, ...parts });
  return {
    lease: leases.lease,
    renew: leases.renew,
    finish: leases.finish,
    release: leases.release,
    runs: createRuns({ db }),
    tasks: createDefinitions<TaskDefinition>(db, 'task', taskSql),
    flows: createDefinitions<FlowDefinition>(db, 'flow', flowSql),
    channels: createChannels(db),
    flush: leases.flush,
    async workers() {
      const { rows } = await db.read((client) => client.query(channelSql.workers));
      const known = new Map((rows as WorkerUse[]).map((row) => [row.worker, row]));
      for (const [worker, counts] of leases.pending) known.set(worker, sum(worker, known.get(worker), counts));
      return [...known.values()];
    },
  };
}

function sum(worker: string, stored: WorkerUse | undefined, counts: WorkerCounts): WorkerUse {
  const out: Record<string, unknown> = { worker, seen: stored?.seen ?? 0 };
  for (const [name, value] of Object.entries(counts))
    out[name] = value + ((stored as unknown as Record<string, number> | undefined)?.[name] ?? 0);
  return out as unknown as WorkerUse;
}

function createChannels(db: Database): Channels {
  return {
    async list() {
      const { rows } = await db.read((client) => client.query(channelSql.list));
      return (rows as (Omit<Channel, 'timeZone'> & { time_zone: string; windows: TimeWindow[] })[]).map(
        ({ time_zone, ...row }) => ({ ...row, timeZone: time_zone }),
      );
    },
    async put(channel) {
      await db.write((client) =>
        client.query(channelSql.put, [
          channel.kind,
          channel.name,
          channel.most,
          JSON.stringify(channel.windows),
          channel.timeZone,
          channel.address,
          channel.device ? JSON.stringify(channel.device) : null,
        ]),
      );
    },
    async remove(kind, name) {
      const { rows } = await db.write((client) => client.query(channelSql.remove, [kind, name]));
      return rows.length > 0;
    },
    async use(now) {
      const { rows } = await db.read((client) => client.query(channelSql.use, [iso(now)]));
      return rows as ChannelUse[];
    },
  };
}
