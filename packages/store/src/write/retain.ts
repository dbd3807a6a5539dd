/**
 * Retention, the stated policy: raw messages and values as the meter sent them (2 s, 10 s) are kept 7 days, means of a
 * minute 90 days; means of a quarter of an hour, hourly registers, events, changes and text readings for ever. Nothing is
 * let go of that is not compacted, and no fine value of which no means are there.
 */
import type { Partitions } from '../partitions.ts';
import type { Database } from '../pg/database.ts';
import { compactSql } from '../sql/compact.ts';
import { dayText, messagePartition, partitionSql } from '../sql/partitions.ts';
import type { RetainResult, Retention } from '../types.ts';

const DAY = 86_400_000;

export const POLICY: Retention = { rawDays: 7, sourceDays: 7, minuteDays: 90, unplacedDays: 90 };

export interface RetainParts {
  readonly db: Database;
  readonly partitions: Partitions;
  /** Days since 1970 up to which blocks have been thinned; kept between calls. */
  readonly thinned: { source: number; minutes: number };
}

export async function retain(
  { db, partitions, thinned }: RetainParts,
  now: number,
  policy: Retention,
): Promise<RetainResult> {
  const today = Math.floor(now / DAY);
  const result = { partitions: 0, messages: 0, blocks: 0, unplaced: 0 };
  for (const day of await partitions.messageDays()) {
    if (day > today - policy.rawDays - 1) continue;
    const gone = await dropDay(db, day);
    if (gone === undefined) continue;
    partitions.forget(messagePartition(day));
    result.partitions++;
    result.messages += gone;
  }
  const rows = async (text: string, values: unknown[]): Promise<number> =>
    (await db.write((client) => client.query({ text, values, rowMode: 'array' }))).rows.length;
  result.messages += await rows(compactSql.dropOldDefault, [new Date(now - policy.rawDays * DAY).toISOString()]);
  result.unplaced = await rows(compactSql.dropUnplaced, [new Date(now - policy.unplacedDays * DAY).toISOString()]);

  const { rows: found } = await db.read((client) => client.query(compactSql.oldestBlock));
  const oldest = (found[0] as { day: number | null }).day;
  if (oldest !== null)
    for (const [text, days, which] of [
      [compactSql.thinSource, policy.sourceDays, 'source'],
      [compactSql.thinMinutes, policy.minuteDays, 'minutes'],
    ] as const) {
      const to = today - days;
      // Late days are written up to a month after; what is older was thinned before.
      const from = Math.max(oldest, thinned[which] - 31);
      for (let day = from; day < to; day += 31)
        result.blocks += await rows(text, [dayText(day), dayText(Math.min(day + 31, to))]);
      thinned[which] = Math.max(thinned[which], to);
    }
  return result;
}

/** @returns how many messages went; undefined when some are not compacted, or the table is busy */
async function dropDay(db: Database, day: number): Promise<number | undefined> {
  const from = `${dayText(day)}T00:00:00Z`;
  const to = `${dayText(day + 1)}T00:00:00Z`;
  try {
    return await db.define(async (client) => {
      await client.query('begin');
      await client.query(partitionSql.lockTimeout);
      // From here on no message can come in between the check and the drop.
      await client.query(partitionSql.lockMessage(day));
      const hot = await client.query(compactSql.hotLeft, [from, to]);
      const dirty = await client.query(compactSql.dirtyLeft, [dayText(day)]);
      if (hot.rows.length > 0 || dirty.rows.length > 0) {
        await client.query('rollback');
        return undefined;
      }
      const { rows } = await client.query(compactSql.countMessages, [from, to]);
      await client.query(partitionSql.dropMessage(day));
      await client.query('commit');
      return (rows[0] as { n: number }).n;
    });
  } catch {
    return undefined; // the next turn tries again
  }
}
