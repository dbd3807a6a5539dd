/** Where messages come in, by number: reader and port. */
import type { Message } from '@amiable/model';
import type { Client, Database } from '../pg/database.ts';
import { clean } from '../registers.ts';
import { catalogueSql } from '../sql/catalogue.ts';

export interface Sources {
  id(message: Pick<Message, 'reader' | 'port'>): number;
  ensure(messages: readonly Pick<Message, 'reader' | 'port'>[]): Promise<void>;
}

const MAX_SOURCES = 1_000_000;

export function createSources(db: Database): Sources {
  const known = new Map<string, number>();
  let last = 0;
  const key = (m: Pick<Message, 'reader' | 'port'>): string => `${clean(m.reader)}\0${clean(m.port)}`;

  async function refresh(client: Client): Promise<void> {
    const { rows } = await client.query(catalogueSql.sources);
    for (const row of rows as { id: number; reader: string; port: string }[]) {
      known.set(key(row), row.id);
      last = Math.max(last, row.id);
    }
  }

  return {
    id: (message) => known.get(key(message)) as number,
    async ensure(messages) {
      if (messages.every((m) => known.has(key(m)))) return;
      await db.write(async (client) => {
        await client.query(catalogueSql.lockCatalogue);
        await refresh(client);
        const missing = new Map<string, Pick<Message, 'reader' | 'port'>>();
        for (const m of messages) if (!known.has(key(m))) missing.set(key(m), m);
        if (last + missing.size > MAX_SOURCES) throw new RangeError('more than a million readers and ports');
        for (const m of missing.values())
          await client.query(catalogueSql.insertSource, [++last, clean(m.reader), clean(m.port)]);
      });
      await db.read(refresh);
    },
  };
}
