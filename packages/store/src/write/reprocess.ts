/** Reads unplaced messages again: what their bytes yield now is stored, and the row deleted, in one transaction. */
import type { Message } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import type { Database } from '../pg/database.ts';
import { ingestSql } from '../sql/ingest.ts';
import type { Decode, Unplaced } from '../types.ts';
import type { Intake } from './ingest.ts';

interface Row {
  readonly id: string;
  readonly reason: string;
  readonly reader: string;
  readonly port: string;
  readonly protocol: Message['protocol'];
  readonly received_at: Date;
  readonly raw: Buffer;
  readonly message: string;
}

export async function reprocess(
  db: Database,
  intake: Intake,
  decode: Decode,
): Promise<{ reprocessed: number; left: number }> {
  let reprocessed = 0;
  let left = 0;
  let after: readonly [string, string] = ['1970-01-01T00:00:00Z', '00000000-0000-0000-0000-000000000000'];
  for (;;) {
    const { rows } = await db.read((client) => client.query(ingestSql.nextUnplaced, [...after]));
    const page = rows as Row[];
    const waiting: Promise<void>[] = [];
    for (const row of page) {
      const messages = decode(unplaced(row));
      if (!messages || messages.length === 0 || messages.some((m) => m.meterId === undefined)) {
        left++;
        continue;
      }
      waiting.push(
        intake.ingest(messages, [row.id]).then(() => {
          reprocessed++;
        }),
      );
    }
    await Promise.all(waiting);
    const last = page.at(-1);
    if (!last) return { reprocessed, left };
    after = [last.received_at.toISOString(), last.id];
  }
}

function unplaced(row: Row): Unplaced {
  let message: Message | undefined;
  try {
    message = messageFromJson(JSON.parse(row.message));
  } catch {
    // Written by a program that knew more; its bytes are there all the same.
  }
  return {
    id: row.id.replaceAll('-', ''),
    reason: row.reason,
    reader: row.reader,
    port: row.port,
    protocol: row.protocol,
    receivedAt: row.received_at.getTime(),
    raw: new Uint8Array(row.raw),
    ...(message ? { message } : {}),
  };
}
