/**
 * Files that other programs put into a folder of the inbox, taken one by one, the oldest first: what is done moves to `done/`, what is
 * refused to `failed/`, with a file of results beside it.
 *
 * Decides: folders lie below the root that the administrator of the machine names; links are passed over; a file that is still being
 * written waits. Leaves out: what stands in the files.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defused } from '@amiable/formats';
import { folderBelow } from '../exchange/folders.ts';

/** A file that changed less than this long ago may not be whole. */
const QUIET = 5000;
/** Files of one turn. */
const MOST = 1000;

export interface Taken {
  readonly good: boolean;
  /** Tells files of the same name apart. */
  readonly id: string;
  /** For people and programs, beside the file: ending and content. */
  readonly beside?: { readonly ending: string; readonly text: string };
}

export interface FolderTurn {
  readonly root: string;
  readonly folder: string;
  readonly endings: RegExp;
  /** Epoch ms of the machine, by which files are dated. */
  readonly now: number;
  readonly signal: AbortSignal;
  take(name: string, bytes: AsyncIterable<Uint8Array>): Promise<Taken>;
}

/** @returns what was taken, by name */
export async function takeFolder(
  turn: FolderTurn,
): Promise<readonly { readonly name: string; readonly good: boolean }[]> {
  const place = await folderBelow(turn.root, turn.folder, 'inbox');
  const found: { readonly name: string; readonly at: number }[] = [];
  for (const entry of await readdir(place, { withFileTypes: true })) {
    if (!entry.isFile() || !turn.endings.test(entry.name)) continue;
    const { mtimeMs } = await stat(join(place, entry.name));
    if (turn.now - mtimeMs >= QUIET) found.push({ name: entry.name, at: mtimeMs });
  }
  found.sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  const out: { name: string; good: boolean }[] = [];
  for (const { name } of found.slice(0, MOST)) {
    if (turn.signal.aborted) break;
    // Between the look and the opening it may have become a link.
    const handle = await open(join(place, name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    let taken: Taken;
    try {
      taken = await turn.take(name, handle.createReadStream({ autoClose: false }));
    } finally {
      await handle.close();
    }
    const target = join(place, taken.good ? 'done' : 'failed');
    await mkdir(target, { recursive: true });
    const stamp = new Date(turn.now).toISOString().replace(/[:.]/g, '-');
    const kept = join(target, `${stamp}-${taken.id}-${name}`);
    await rename(join(place, name), kept);
    if (taken.beside) await writeFile(kept + taken.beside.ending, taken.beside.text, { flag: 'wx' });
    out.push({ name, good: taken.good });
  }
  return out;
}

/** A line of a table for people and programs; nothing in it is calculated by a spreadsheet. */
export const csvLine = (cells: readonly (string | number | null | undefined)[]): string =>
  `${cells.map((cell) => (typeof cell === 'number' ? String(cell) : `"${defused(cell ?? '').replaceAll('"', '""')}"`)).join(',')}\r\n`;
