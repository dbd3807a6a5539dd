/**
 * Registry files written by a schedule (task kind `export`) into a folder from which other programs take them.
 *
 * Decides: names by the local time at which the task was due; a file is seen under its name when it is whole; one of the same name is
 * replaced. Leaves out: taking files away again, which is for who reads them.
 */
import { createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { toLocal } from '@amiable/calendar';
import type { Caller } from '@amiable/model';
import type { MeterSelection, Store } from '@amiable/store';
import { z } from 'zod';
import { checkSelection } from '../registry/meters.ts';
import { selection, selectionOf } from '../registry/shapes.ts';
import { FILE_KINDS } from './columns.ts';
import { exportedTo, exportRegistry } from './export.ts';
import { makeFolderBelow } from './folders.ts';
import { FORMATS } from './read-file.ts';

const PLACEHOLDERS = /\{(kind|date|time|run)\}/g;

export const outboxParameters = z
  .strictObject({
    folder: z.string().max(500).default('.').describe('below the outbox of the server; made when it is not there'),
    kind: z.enum([...FILE_KINDS, 'all']).describe('what is written; all: everything, in one XML file'),
    format: z.enum(FORMATS).optional().describe('csv, and xml for all, unless said'),
    name: z
      .string()
      .max(100)
      .refine((name) => /^[\p{L}\p{N}][\p{L}\p{N} _.-]*$/u.test(name.replace(PLACEHOLDERS, 'x')), {
        error: 'letters, digits, blanks, points, dashes and {kind}, {date}, {time}, {run} are wanted',
      })
      .default('{kind}-{date}-{time}')
      .describe('of the file, without its ending'),
    selection: selection.strict().optional().describe('which meters; for kinds about meters'),
  })
  .refine(({ kind, format }) => kind !== 'all' || format !== 'csv', {
    path: ['format'],
    error: 'a CSV file holds one kind; take xml for all',
  });

export interface OutboxOptions {
  readonly store: Store;
  readonly root: string;
  readonly parameters: unknown;
  readonly caller: Caller;
  readonly run: string;
  /** Epoch ms; names the file. */
  readonly due: number;
  readonly timeZone: string;
  readonly signal?: AbortSignal;
}

const two = (value: number): string => String(value).padStart(2, '0');

function nameOf(pattern: string, kind: string, run: string, local: Date): string {
  const parts: Readonly<Record<string, string>> = {
    kind,
    run,
    date: local.toISOString().slice(0, 10),
    time: `${two(local.getUTCHours())}${two(local.getUTCMinutes())}${two(local.getUTCSeconds())}`,
  };
  return pattern.replace(PLACEHOLDERS, (_, part: string) => parts[part] as string);
}

/** Ids of the meters of a selection, page by page. */
export async function* selectedMeters(store: Store, selection: MeterSelection, caller: Caller) {
  for (let after: string | undefined; ; ) {
    const page = await store.registry.select(selection, caller.scope, {
      limit: 1000,
      ...(after === undefined ? {} : { after }),
    });
    if (page.length === 0) return;
    yield page;
    after = page.at(-1) as string;
  }
}

/** @throws MisuseError for a folder that is not below the root, or a selection that cannot be */
export async function exportToFolder(
  options: OutboxOptions,
): Promise<{ readonly file: string; readonly bytes: number }> {
  const { store, caller, signal } = options;
  const given = outboxParameters.parse(options.parameters);
  const { kind } = given;
  const format = given.format ?? (kind === 'all' ? 'xml' : 'csv');
  const selected = given.selection && selectionOf(given.selection);
  if (selected) checkSelection(selected, caller);
  const place = await makeFolderBelow(options.root, given.folder, 'outbox');
  const file = `${nameOf(given.name, kind, options.run, new Date(toLocal(options.timeZone, options.due)))}.${format}`;
  // Nobody takes what ends so, and two runs never write to one.
  const part = join(place, `.${file}.${options.run}.part`);
  const pieces = exportRegistry(store, {
    format,
    kinds: exportedTo(caller, kind === 'all' ? FILE_KINDS : [kind]),
    caller,
    ...(selected ? { meters: () => selectedMeters(store, selected, caller) } : {}),
  });
  try {
    await pipeline(
      Readable.from(pieces, { objectMode: false }),
      createWriteStream(part, { mode: 0o640 }),
      signal ? { signal } : {},
    );
    const { size } = await stat(part);
    const handle = await open(part, 'r');
    await handle.sync().finally(() => handle.close());
    await rename(part, join(place, file));
    return { file, bytes: size };
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
