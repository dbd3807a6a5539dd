/** The database that a command means: a server, the embedded one of a running Amiable, or the embedded one started for it. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runningUrl, startEmbedded } from '@amiable/store';

export interface OpenDatabase {
  readonly url: string;
  close(): Promise<void>;
}

/** @param use beside a running Amiable, or `alone`: its folder must be free then, and may be new */
export async function databaseOf(
  where: { readonly data: string; readonly databaseUrl?: string },
  use: 'beside' | 'alone' = 'beside',
): Promise<OpenDatabase> {
  if (where.databaseUrl) return { url: where.databaseUrl, close: async () => {} };
  const dataDir = resolve(where.data);
  if (use === 'beside') {
    if (!existsSync(join(dataDir, 'postgres')))
      throw new Error(
        `there is no database in ${dataDir}; name its data folder with --data, or a server with --database-url`,
      );
    // While Amiable runs on the folder its server is ours too.
    const running = await runningUrl(dataDir);
    if (running !== undefined) return { url: running, close: async () => {} };
  }
  const embedded = await startEmbedded({ dataDir });
  return { url: embedded.url, close: () => embedded.stop() };
}
