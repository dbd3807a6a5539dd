/** Reads on demand as they stand among the runs: how many somebody waits for, and which a meter had. */
import type { Database } from '../pg/database.ts';
import { readsSql } from '../sql/reads.ts';
import type { MeterId } from '../types.ts';
import type { RunId } from './types.ts';

export interface ReadsStore {
  /** Reads that somebody ordered and that have not ended. */
  pending(creator: string): Promise<number>;
  /** Newest first. */
  ofMeter(meter: MeterId, limit: number): Promise<readonly RunId[]>;
}

export function createReads(db: Database): ReadsStore {
  return {
    async pending(creator) {
      const { rows } = await db.read((client) => client.query(readsSql.pending, [creator]));
      return (rows[0] as { n: number }).n;
    },
    async ofMeter(meter, limit) {
      const { rows } = await db.read((client) => client.query(readsSql.ofMeter, [meter, limit]));
      return (rows as { id: RunId }[]).map(({ id }) => id);
    },
  };
}
