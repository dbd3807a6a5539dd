/**
 * Keeps partitions ahead of the data: messages by UTC day, blocks by month. A row for which none exists goes to the
 * default partition, so that neither a busy table nor a meter with an odd clock can stop the intake: what creates a
 * partition may fail, and what is received decides nothing but days near its receipt.
 */
import type { Database } from './pg/database.ts';
import {
  blockPartition,
  eventPartition,
  messagePartition,
  monthOf,
  partitionSql,
  transactionPartition,
} from './sql/partitions.ts';

export interface Partitions {
  /** Days since 1970 that messages will be written for. */
  messages(days: Iterable<number>): Promise<void>;
  blocks(days: Iterable<number>): Promise<void>;
  events(days: Iterable<number>): Promise<void>;
  /** By day of the id. */
  transactions(days: Iterable<number>): Promise<void>;
  /** The months (since 1970) of which there are partitions of transactions. */
  transactionMonths(): Promise<number[]>;
  /** The message partitions that exist, by day. */
  messageDays(): Promise<number[]>;
  forget(name: string): void;
}

/** Blocks before 1990 and after 2100 are nobody's plan; they go to the default partition. */
const FIRST_MONTH = 20 * 12;
const LAST_MONTH = 130 * 12;

export function createPartitions(db: Database): Partitions {
  let known: Promise<Set<string>> | undefined;
  const load = (): Promise<Set<string>> => {
    known ??= db.read(async (client) => {
      const { rows } = await client.query(partitionSql.list);
      return new Set((rows as { name: string }[]).map((row) => row.name));
    });
    known.catch(() => {
      known = undefined;
    });
    return known;
  };

  async function create(name: string, statements: readonly string[]): Promise<void> {
    const names = await load();
    if (names.has(name)) return;
    names.add(name);
    try {
      await db.define(async (client) => {
        await client.query('begin');
        await client.query(partitionSql.lockTimeout);
        for (const statement of statements) await client.query(statement);
        await client.query('commit');
      });
    } catch {
      // Busy, or the default partition holds rows of that span: they stay there, and so will the next.
    }
  }

  return {
    async messages(days) {
      for (const day of days) await create(messagePartition(day), [partitionSql.createMessage(day)]);
    },
    async blocks(days) {
      const months = new Set<number>();
      for (const day of days) months.add(monthOf(day));
      for (const month of months)
        if (month >= FIRST_MONTH && month < LAST_MONTH)
          await create(blockPartition(month), [partitionSql.createBlock(month), partitionSql.externalBlock(month)]);
    },
    async events(days) {
      for (const month of new Set(Array.from(days, monthOf)))
        if (month >= FIRST_MONTH && month < LAST_MONTH)
          await create(eventPartition(month), [partitionSql.createEvent(month)]);
    },
    async transactions(days) {
      for (const month of new Set(Array.from(days, monthOf)))
        await create(transactionPartition(month), [partitionSql.createTransaction(month)]);
    },
    async transactionMonths() {
      known = undefined;
      const months: number[] = [];
      for (const name of await load()) {
        const found = /^transaction_(\d{4})_(\d\d)$/.exec(name);
        if (found) months.push((Number(found[1]) - 1970) * 12 + Number(found[2]) - 1);
      }
      return months.sort((a, b) => a - b);
    },
    async messageDays() {
      known = undefined;
      const days: number[] = [];
      for (const name of await load()) {
        const found = /^message_(\d{4})_(\d\d)_(\d\d)$/.exec(name);
        if (found) days.push(Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3])) / 86_400_000);
      }
      return days.sort((a, b) => a - b);
    },
    forget(name) {
      known?.then((names) => names.delete(name)).catch(() => {});
    },
  };
}
