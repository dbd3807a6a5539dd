/** The transaction log as a part of the store: the writer with its number, the queries, and what is let go of. */
import { hostname } from 'node:os';
import type { Partitions } from '../partitions.ts';
import type { Database } from '../pg/database.ts';
import { journalSql } from '../sql/journal.ts';
import { monthOf, partitionSql, transactionPartition } from '../sql/partitions.ts';
import { firstId } from './ids.ts';
import { createWriter } from './journal.ts';
import { changedTransactions, getTransaction, listTransactions, progressOf } from './query.ts';
import type { JournalRetention, JournalStore } from './types.ts';

const DAY = 86_400_000;
/** A program that has not said for so long that it lives has ended. */
const SILENT = 10 * 60_000;

export const JOURNAL_POLICY: JournalRetention = { apduDays: 7, meterDays: 92, taskDays: 400 };

export interface JournalStoreParts {
  readonly db: Database;
  readonly partitions: Partitions;
  /** Real time, epoch ms. */
  readonly clock: () => number;
  readonly room?: number;
  readonly pause?: number;
}

export async function createJournal(parts: JournalStoreParts): Promise<JournalStore> {
  const { db, partitions, clock } = parts;
  const name = `${hostname()}/${process.pid}`;
  const at = new Date(clock()).toISOString();
  await db.write((client) => client.query(journalSql.dropWriters, [new Date(clock() - DAY).toISOString()]));
  let number: number | undefined;
  for (let tries = 0; number === undefined; tries++) {
    // A number that is taken, or whose answer was lost: another.
    const some = Math.floor(Math.random() * 4096);
    const { rows } = await db.write((client) => client.query(journalSql.writer, [some, name, at]));
    if (rows.length > 0) number = some;
    else if (tries > 10_000) throw new Error('4,096 programs write the transaction log already');
  }
  const own = number;
  const writer = createWriter({ ...parts, writer: own, name });

  async function retain(policy?: Partial<JournalRetention>): Promise<number> {
    const days = { ...JOURNAL_POLICY, ...policy };
    const now = clock();
    await db.write((client) =>
      client.query(journalSql.orphans, [
        new Date(now - SILENT).toISOString(),
        new Date(now).toISOString(),
        String(writer.nextStamp()),
        ' (its program ended)',
        String(firstId(now - SILENT)),
      ]),
    );
    let gone = 0;
    for (const [kinds, kept] of [
      [['apdu'], days.apduDays],
      [['meter', 'association'], days.meterDays],
      [['flow', 'task', 'command'], days.taskDays],
    ] as const) {
      const values = [kinds, String(firstId(now - kept * DAY))];
      gone += (await db.write((client) => client.query({ text: journalSql.dropKind, values, rowMode: 'array' }))).rows
        .length;
    }
    const longest = Math.max(days.apduDays, days.meterDays, days.taskDays);
    for (const month of await partitions.transactionMonths()) {
      if (month >= monthOf(Math.floor(now / DAY - longest))) continue;
      try {
        await db.define(async (client) => {
          await client.query('begin');
          await client.query(partitionSql.lockTimeout);
          await client.query(partitionSql.dropTransaction(month));
          await client.query('commit');
        });
        partitions.forget(transactionPartition(month));
      } catch {
        // Busy: the next turn tries again.
      }
    }
    return gone;
  }

  return {
    begin: writer.begin,
    end: writer.end,
    add: writer.add,
    flush: writer.flush,
    onWritten: writer.onWritten,
    list: (query) => listTransactions(db, query),
    get: (id, scope) => getTransaction(db, id, scope),
    changed: (after, parents, limit) => changedTransactions(db, after, parents, limit),
    progress: (parents, scope) => progressOf(db, parents, scope),
    async running() {
      const { rows } = await db.read((client) => client.query(journalSql.running));
      return (rows as { id: string }[]).map((row) => row.id);
    },
    stamp: (time) => String(firstId(time)),
    retain,
    get waiting() {
      return writer.waiting;
    },
    get lost() {
      return writer.lost;
    },
    async close() {
      await writer.close();
      await db.define((client) => client.query(journalSql.leave, [own])).catch(() => {});
    },
  };
}
