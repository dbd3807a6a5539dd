/** Reads kept messages anew from the command line, beside a running central system or without one. */
import { openMeterKeys, openVault, portMeters, redecoder } from '@amiable/central';
import { keyEntries } from '@amiable/reader';
import { openStore } from '@amiable/store';
import { openFolder } from '../start/folder.ts';
import { databaseOf } from './open.ts';

export interface ReprocessOptions {
  readonly data: string;
  readonly databaseUrl?: string;
  readonly key: readonly string[];
  readonly authKey: readonly string[];
}

export async function reprocess(
  options: ReprocessOptions,
): Promise<{ readonly reprocessed: number; readonly left: number }> {
  const entries = keyEntries(options.key, options.authKey);
  const database = await databaseOf(options);
  try {
    const store = await openStore({ url: database.url });
    try {
      const keys = await openMeterKeys(store, openVault(openFolder(options.data).masterKeyFile), (line) =>
        process.stderr.write(`${line}\n`),
      );
      for (const { id, ...pair } of entries) {
        if (id === undefined) keys.putForAny(pair);
        else await keys.put((await store.ensureMeters([{ serial: id }])).get(id) as string, id, pair);
      }
      return await store.reprocess(redecoder(keys, await portMeters(store)));
    } finally {
      await store.close();
    }
  } finally {
    await database.close();
  }
}
