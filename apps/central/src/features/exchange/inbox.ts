/**
 * A folder whose files are imported by a schedule (task kind `import`): what other programs put there, the oldest first. A file that is
 * done moves to `done/`, one that is refused or fails to `failed/` with a list of its faults beside it.
 *
 * Decides: folders lie below one root that the administrator of the machine names; a file that is still being written waits.
 */
import { copyFile, mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller } from '@amiable/model';
import { z } from 'zod';
import { FILE_KINDS } from './columns.ts';
import { folderBelow } from './folders.ts';
import type { ImportReport, Imports } from './run.ts';
import { NUMBER_FORMS } from './values.ts';

/** A file that changed less than this long ago may not be whole. */
const QUIET = 5000;
/** Files of one turn. */
const MOST = 1000;

export const inboxParameters = z.strictObject({
  folder: z.string().max(500).default('.').describe('below the inbox of the server'),
  kind: z
    .enum(FILE_KINDS)
    .optional()
    .describe('what rows of CSV files are; else the name says it: meter-….csv, metering-point.csv'),
  takeGood: z.boolean().default(false),
  mapping: z.record(z.string().max(200), z.string().max(200).nullable()).default({}),
  checks: z.record(z.string().max(200), z.enum(NUMBER_FORMS)).default({}),
});

export interface FolderResult {
  readonly files: readonly (Pick<ImportReport, 'inserted' | 'changed' | 'same' | 'refused'> & {
    readonly name: string;
    readonly state: string;
  })[];
}

export interface FolderOptions {
  readonly imports: Imports;
  readonly root: string;
  readonly parameters: unknown;
  readonly caller: Caller;
  /** Epoch ms of the machine, by which files are dated. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

/** The longest kind that the name begins with. */
function kindOf(name: string): (typeof FILE_KINDS)[number] | undefined {
  return [...FILE_KINDS].sort((a, b) => b.length - a.length).find((kind) => name.toLowerCase().startsWith(kind));
}

/** @throws MisuseError for a folder that is not below the root */
export async function importFolder(options: FolderOptions): Promise<FolderResult> {
  const { imports, caller, signal } = options;
  const { folder, kind, takeGood, mapping, checks } = inboxParameters.parse(options.parameters);
  const place = await folderBelow(options.root, folder, 'inbox');
  const found: { readonly name: string; readonly at: number }[] = [];
  for (const entry of await readdir(place, { withFileTypes: true })) {
    // Links may lead anywhere.
    if (!entry.isFile() || !/\.(csv|xml)$/i.test(entry.name)) continue;
    const { mtimeMs } = await stat(join(place, entry.name));
    if (options.now - mtimeMs >= QUIET) found.push({ name: entry.name, at: mtimeMs });
  }
  found.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  const files: FolderResult['files'][number][] = [];
  for (const { name } of found.slice(0, MOST)) {
    if (signal?.aborted) break;
    const path = join(place, name);
    const format = /\.xml$/i.test(name) ? ('xml' as const) : ('csv' as const);
    const of = kind ?? kindOf(name);
    const run = await imports.file(
      path,
      {
        format,
        name,
        dry: false,
        takeGood,
        mapping,
        forms: checks,
        ...(format === 'csv' && of !== undefined ? { kind: of } : {}),
      },
      caller,
      signal,
    );
    if (run.state === 'cancelled') break;
    const good = run.state === 'done';
    const target = join(place, good ? 'done' : 'failed');
    await mkdir(target, { recursive: true });
    const stamp = new Date(options.now).toISOString().replace(/[:.]/g, '-');
    const kept = join(target, `${stamp}-${run.id}-${name}`);
    await rename(path, kept);
    const all = imports.faultsFile(run.id);
    if (all !== undefined) await copyFile(all, `${kept}.faults.csv`);
    else if (run.report?.error !== undefined)
      await writeFile(
        `${kept}.faults.csv`,
        `line,column,field,message\r\n1,1,"","${run.report.error.replaceAll('"', '""')}"\r\n`,
      );
    const { inserted = 0, changed = 0, same = 0, refused = 0 } = run.report ?? {};
    files.push({ name, state: run.state, inserted, changed, same, refused });
  }
  return { files };
}
