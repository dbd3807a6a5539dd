/**
 * Backups of the whole database in a folder: made on a schedule or at once, their restore tried, the old ones let go.
 *
 * Decides: names (the time, so that they sort), what is known of each (a JSON file beside it: it must not lie in the database
 * that may be lost), how many are kept; one at a time; that a disk too full for another is told before it is full; that the
 * last one whose restore was tried is never let go for one whose was not. Leaves out: the format (package store).
 */
import { mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BackupResult, backup, verifyBackup } from '@amiable/store';

export interface BackupRecord {
  /** File name in the folder. */
  readonly name: string;
  /** Epoch ms. */
  readonly takenAt: number;
  readonly bytes: number;
  readonly rows: number;
  readonly seconds: number;
  /** The restore into a scratch database: when, how long, and what was wrong; null: not tried. */
  readonly restored: { readonly at: number; readonly seconds: number; readonly fault: string | null } | null;
}

export interface BackupOptions {
  readonly url: string;
  readonly folder: string;
  /** Kept at least; older ones go. */
  readonly keep: number;
  readonly now: () => number;
  /** Real ms, for how long things took. */
  readonly clock?: () => number;
}

export interface Backups {
  readonly folder: string;
  /** What is being done now, with the bytes copied so far. */
  readonly progress: { readonly what: 'backup' | 'restore check'; readonly bytes: number } | undefined;
  /** Newest first. */
  list(): Promise<BackupRecord[]>;
  /** Makes one and, with `check`, tries its restore. @throws an Error with a sentence */
  make(options: { readonly check: boolean }): Promise<BackupRecord>;
  /** Tries the restore of one that is there. */
  check(name: string): Promise<BackupRecord>;
  /** @returns whether it was there */
  remove(name: string): Promise<boolean>;
  /** When the last one was made, and the last whose restore was good; epoch ms, of this program's time and what it found. */
  readonly newest: { readonly last?: number; readonly checked?: number };
  /** Why the last one failed; undefined when it did not. */
  readonly fault: string | undefined;
}

const NAME = /^amiable-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.backup$/;
const MAX_LISTED = 1000;

export const isBackupName = (name: string): boolean => NAME.test(name);

export function createBackups(options: BackupOptions): Backups {
  const { url, folder, keep, now } = options;
  const clock = options.clock ?? Date.now;
  let busy = false;
  let progress: { what: 'backup' | 'restore check'; bytes: number } | undefined;
  let fault: string | undefined;
  let newest: { last?: number; checked?: number } = {};

  const describing = (name: string): string => join(folder, `${name}.json`);

  async function list(): Promise<BackupRecord[]> {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    const found: BackupRecord[] = [];
    for (const name of names
      .filter((n) => NAME.test(n))
      .sort()
      .reverse()
      .slice(0, MAX_LISTED))
      found.push(await known(name));
    const [last] = found;
    const checked = found.find((record) => record.restored?.fault === null);
    newest = { ...(last ? { last: last.takenAt } : {}), ...(checked ? { checked: checked.takenAt } : {}) };
    return found;
  }

  /** What stands beside the file; a file that somebody put there by hand is known by its size and name alone. */
  async function known(name: string): Promise<BackupRecord> {
    const { size } = await stat(join(folder, name));
    const text = await readFile(describing(name), 'utf8').catch(() => '{}');
    let told: Partial<BackupRecord> = {};
    try {
      told = JSON.parse(text) as Partial<BackupRecord>;
    } catch {
      told = {};
    }
    return {
      name,
      takenAt: typeof told.takenAt === 'number' ? told.takenAt : timeOf(name),
      bytes: size,
      rows: typeof told.rows === 'number' ? told.rows : 0,
      seconds: typeof told.seconds === 'number' ? told.seconds : 0,
      restored: told.restored ?? null,
    };
  }

  async function describe(record: BackupRecord): Promise<BackupRecord> {
    const draft = `${describing(record.name)}.part`;
    await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, describing(record.name));
    return record;
  }

  async function alone<T>(what: 'backup' | 'restore check', work: () => Promise<T>): Promise<T> {
    if (busy) throw new Error('a backup or the check of one is under way; try again when it has ended');
    busy = true;
    progress = { what, bytes: 0 };
    try {
      const result = await work();
      fault = undefined;
      return result;
    } catch (error) {
      fault = (error as Error).message;
      throw error;
    } finally {
      busy = false;
      progress = undefined;
    }
  }

  async function tried(record: BackupRecord): Promise<BackupRecord> {
    const begun = clock();
    let wrong: string | null = null;
    try {
      await verifyBackup({ file: join(folder, record.name), url, now: Date.now() });
    } catch (error) {
      wrong = (error as Error).message;
    }
    return describe({ ...record, restored: { at: now(), seconds: (clock() - begun) / 1000, fault: wrong } });
  }

  async function refuseFullDisk(): Promise<void> {
    const [last] = await list();
    if (!last) return;
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < last.bytes * 1.2)
      throw new Error(
        `${folder} has ${megabytes(bavail * bsize)} left and the last backup took ${megabytes(last.bytes)}; make room or name another folder`,
      );
  }

  async function letGo(): Promise<void> {
    const all = await list();
    const good = all.find((record) => record.restored?.fault === null);
    for (const record of all.slice(keep)) if (record !== good) await drop(record.name);
  }

  async function drop(name: string): Promise<void> {
    await rm(join(folder, name), { force: true });
    await rm(describing(name), { force: true });
  }

  // What an earlier run left is known before anybody asks.
  list().catch(() => {});

  return {
    folder,
    get progress() {
      return progress;
    },
    get newest() {
      return newest;
    },
    get fault() {
      return fault;
    },
    list,
    make: ({ check }) =>
      alone('backup', async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await refuseFullDisk();
        const takenAt = now();
        const name = `amiable-${new Date(takenAt).toISOString().slice(0, 19).replaceAll(':', '-')}.backup`;
        const begun = clock();
        const result: BackupResult = await backup({
          url,
          file: join(folder, name),
          now: new Date(takenAt),
          progress: ({ bytes }) => {
            progress = { what: 'backup', bytes };
          },
        });
        const record = await describe({
          name,
          takenAt,
          bytes: result.bytes,
          rows: result.tables.reduce((sum, table) => sum + table.rows, 0),
          seconds: (clock() - begun) / 1000,
          restored: null,
        });
        if (!check) {
          await letGo();
          await list();
          return record;
        }
        progress = { what: 'restore check', bytes: 0 };
        const checked = await tried(record);
        if (checked.restored?.fault)
          throw new Error(`the backup ${name} was made, but its restore failed: ${checked.restored.fault}`);
        await letGo();
        await list();
        return checked;
      }),
    async remove(name) {
      if (busy || !(await list()).some((record) => record.name === name)) return false;
      await drop(name);
      return true;
    },
    check: (name) =>
      alone('restore check', async () => {
        if (!NAME.test(name) || !(await list()).some((record) => record.name === name))
          throw new Error(`there is no backup ${name.slice(0, 80)} in ${folder}`);
        return tried(await known(name));
      }),
  };
}

const timeOf = (name: string): number => {
  const [date = '', time = ''] = name.slice('amiable-'.length, -'.backup'.length).split('T');
  return Date.parse(`${date}T${time.replaceAll('-', ':')}Z`);
};

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
