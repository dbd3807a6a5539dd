/** Sources of prices: what they are asked, what came of it, and the own kind `prices` that asks them by a schedule. */
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MisuseError } from '@amiable/bytes';
import type { PriceSource } from '@amiable/store';
import type { Context } from '../../context.ts';
import type { OwnTask } from '../../scheduler/own.ts';
import { folderBelow } from '../exchange/folders.ts';
import { type Fetch, fetchPrices, spansOf } from './fetch.ts';
import { type reading, type SourceShape, sourceShape, taskShape } from './shapes.ts';
import { type Taken, takePrices } from './take.ts';

/** A file that changed less than this long ago may not be whole. */
const QUIET = 5000;
const MOST_FILES = 1000;
const MOST_BYTES = 64 * 1024 * 1024;

export const ownerOf = (name: string): string => `price source ${name}`;

export async function keyOf(
  { store, vault }: Pick<Context, 'store' | 'vault'>,
  name: string,
): Promise<string | undefined> {
  const sealed = await store.prices.sources.secret(name);
  return sealed && Buffer.from(vault.open(sealed, ownerOf(name))).toString('utf8');
}

export function wordsOf({ read, fresh, changed, notes, faults, days }: Taken): string {
  const counts = `${read} prices, ${fresh} new, ${changed} changed`;
  const first = faults[0];
  const wrong = first ? [`${faults.length} wrong lines, the first: line ${first.line}: ${first.message}`] : [];
  return [counts, ...wrong, ...days.slice(0, 3), ...notes.slice(0, 3)].join('; ').slice(0, 900);
}

/** Asks a source now. What comes of it is written down with the source. */
export async function fetchSource(
  context: Pick<Context, 'store' | 'vault' | 'now' | 'timeZone'>,
  { name, definition }: Pick<PriceSource, 'name' | 'definition'>,
  signal: AbortSignal,
  fetch?: Fetch,
): Promise<{ readonly taken: readonly Taken[]; readonly words: string }> {
  const { store, now, timeZone } = context;
  try {
    const source: SourceShape = sourceShape.parse(definition);
    const key = await keyOf(context, name);
    const zone = source.reading.timeZone ?? timeZone;
    const taken: Taken[] = [];
    for (const span of spansOf(source, zone, now())) {
      const text = await fetchPrices({ source, span, zone, key, signal, ...(fetch ? { fetch } : {}) });
      const at = now();
      taken.push(
        await takePrices({
          store,
          series: source.series,
          text,
          reading: source.reading,
          zone,
          source: name,
          at,
          takeGood: true,
        }),
      );
    }
    const words = taken.map(wordsOf).join(' | ').slice(0, 1000) || 'nothing was asked for';
    await store.prices.sources.tried(name, now(), words, true);
    return { taken, words };
  } catch (error) {
    if (!signal.aborted) await store.prices.sources.tried(name, now(), (error as Error).message, false);
    throw error;
  }
}

export function pricesTask(context: Context): OwnTask {
  const { store } = context;
  const inbox = (): string => {
    if (context.inbox === undefined)
      throw new MisuseError('this server has no inbox: start it with --inbox FOLDER (see docs/prices.md)');
    return context.inbox;
  };
  const run: OwnTask = async ({ parameters, signal, progress }) => {
    const { sources: wanted, folder } = taskShape.parse(parameters);
    if (folder) return { note: await takeFolder(context, inbox(), folder, signal) };
    const all = (await store.prices.sources.list()).filter(
      (source) => wanted === undefined || wanted.includes(source.name),
    );
    const lost = wanted?.find((name) => !all.some((source) => source.name === name));
    if (lost !== undefined) throw new MisuseError(`there is no source of prices ${JSON.stringify(lost)}`);
    const words: string[] = [];
    let failed = 0;
    for (const [done, source] of all.entries()) {
      if (signal.aborted) break;
      progress({ done, total: all.length, source: source.name });
      try {
        words.push(`${source.name}: ${(await fetchSource(context, source, signal)).words}`);
      } catch (error) {
        if (context.isUnavailable(error)) throw error;
        failed++;
        words.unshift(`${source.name}: ${(error as Error).message}`);
      }
    }
    const note = words.join('\n').slice(0, 4000);
    if (failed > 0) throw new MisuseError(note);
    return { note: all.length === 0 ? 'there are no sources of prices' : note };
  };
  return Object.assign(run, {
    check: async (parameters: unknown) => {
      const { folder } = taskShape.parse(parameters);
      if (!folder) return;
      await folderBelow(inbox(), folder.folder, 'inbox');
      if (!(await store.prices.get(folder.series)))
        throw new MisuseError(`there is no series of prices ${folder.series}`);
    },
  });
}

/** Files move to `done/` when their prices are in the store, to `failed/` when they are refused. */
async function takeFolder(
  { store, now, timeZone }: Context,
  root: string,
  { folder, series, reading: how }: { folder: string; series: string; reading: ReturnType<typeof reading.parse> },
  signal: AbortSignal,
): Promise<string> {
  const place = await folderBelow(root, folder, 'inbox');
  const files: { readonly name: string; readonly at: number; readonly bytes: number }[] = [];
  for (const entry of await readdir(place, { withFileTypes: true })) {
    if (!entry.isFile() || !/\.(csv|txt|xml|json)$/i.test(entry.name)) continue;
    const { mtimeMs, size } = await stat(join(place, entry.name));
    // Files are dated by the machine, whatever the street's time.
    if (Date.now() - mtimeMs >= QUIET) files.push({ name: entry.name, at: mtimeMs, bytes: size });
  }
  files.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  const words: string[] = [];
  let failed = 0;
  for (const { name, bytes } of files.slice(0, MOST_FILES)) {
    if (signal.aborted) break;
    let good = false;
    try {
      if (bytes > MOST_BYTES) throw new MisuseError('it has more than 64 MB');
      const text = await readFile(join(place, name), 'utf8');
      const taken = await takePrices({ store, series, text, reading: how, zone: timeZone, source: name, at: now() });
      good = taken.faults.length === 0;
      words.push(`${name}: ${wordsOf(taken)}`);
    } catch (error) {
      if (!(error instanceof MisuseError) && (error as Error).name !== 'DecodeError') throw error;
      words.push(`${name}: ${(error as Error).message}`);
    }
    if (!good) failed++;
    const target = join(place, good ? 'done' : 'failed');
    await mkdir(target, { recursive: true });
    await rename(
      join(place, name),
      join(target, `${new Date(Date.now()).toISOString().replace(/[:.]/g, '-')}-${name}`),
    );
  }
  const note = words.join('\n').slice(0, 4000) || 'no files';
  if (failed > 0) throw new MisuseError(note);
  return note;
}
