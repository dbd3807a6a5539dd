/**
 * One Amiable per data folder. The lock is a file that names its holder: process id, the moment that process started
 * (ids are reused), and the name space of ids. It survives kill -9 as a stale file, which the next start recognises and
 * replaces. A holder in another container cannot be looked up, so every holder touches its file every two seconds, and a
 * file that stays untouched for a while is stale. Starts that race for a stale file look again after a moment whether
 * the file is theirs; the lock that the supervisor holds in the server stands behind this one.
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { birthMark, isAlive, pidSpace } from './processes.ts';
import { EmbeddedError } from './trouble.ts';

const beatMs = 2_000;
const staleMs = 5_000;
const settleMs = 60;

interface Holder {
  readonly pid: number;
  readonly born?: string | undefined;
  readonly space: string;
  readonly host: string;
  readonly since: string;
  /** Tells the supervisors of one process apart. */
  readonly mark: string;
}

export interface InstanceLock {
  release(): Promise<void>;
}

/** @throws EmbeddedError when a living Amiable holds the folder. */
export async function takeInstanceLock(dataDir: string, since: string): Promise<InstanceLock> {
  const file = join(dataDir, 'amiable.lock');
  const mark = `${process.pid}.${randomBytes(6).toString('hex')}`;
  const me: Holder = {
    pid: process.pid,
    born: await birthMark(process.pid),
    space: await pidSpace(),
    host: hostname(),
    since,
    mark,
  };
  const draft = `${file}.${mark}`;
  const text = JSON.stringify(me);
  await writeFile(draft, text, { mode: 0o600 });
  try {
    let contested = false;
    for (let attempt = 0; ; attempt++) {
      try {
        await link(draft, file);
        if (!contested) break;
        // Somebody who saw the same stale file may be about to move ours away, thinking it is that one.
        await new Promise((resolve) => setTimeout(resolve, settleMs));
        if ((await readFile(file, 'utf8').catch(() => undefined)) === text) break;
        continue;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code !== 'EEXIST' || attempt > 20) throw error;
      }
      const found = await readFile(file, 'utf8').catch(() => undefined);
      if (found === undefined) continue;
      const holder = parse(found);
      if (holder && (await lives(holder, me, file))) throw inUse(dataDir, holder);
      contested = true;
      await removeStale(file, found, mark);
    }
  } finally {
    await rm(draft, { force: true });
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, beatMs);
  beat.unref();
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      clearInterval(beat);
      if ((await readFile(file, 'utf8').catch(() => undefined)) === text) await rm(file, { force: true });
    },
  };
}

/** The sentence for the second one; also used when the server itself tells that somebody else works with it. */
export function inUse(dataDir: string, holder?: { pid: number; host?: string; since?: string }): EmbeddedError {
  const who = holder ? `process ${holder.pid}` : 'another process';
  const where = holder?.host !== undefined && holder.host !== hostname() ? ` on ${holder.host}` : '';
  const since = holder?.since === undefined ? '' : `, running since ${holder.since}`;
  const howToEnd = holder && where === '' ? ` (kill ${holder.pid})` : '';
  return new EmbeddedError(
    `Another Amiable already uses ${dataDir}: ${who}${where}${since}. Stop it first${howToEnd}, or choose another data folder.`,
  );
}

function parse(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Holder;
    return Number.isInteger(value.pid) && value.pid > 0 ? value : undefined;
  } catch {
    return undefined;
  }
}

async function lives(holder: Holder, me: Holder, file: string): Promise<boolean> {
  if (holder.space === me.space && holder.host === me.host) {
    if (!isAlive(holder.pid)) return false;
    const born = await birthMark(holder.pid);
    return holder.born === undefined || born === holder.born;
  }
  const before = (await stat(file).catch(() => undefined))?.mtimeMs;
  if (before === undefined) return false;
  for (let waited = 0; waited < staleMs; waited += 250) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const after = (await stat(file).catch(() => undefined))?.mtimeMs;
    if (after !== before) return after !== undefined;
  }
  return false;
}

/** Takes the stale file away, unless somebody put a new one in its place meanwhile. */
async function removeStale(file: string, expected: string, mark: string): Promise<void> {
  const aside = `${file}.stale.${mark}`;
  try {
    if ((await readFile(file, 'utf8')) !== expected) return;
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8').catch(() => undefined)) !== expected) {
    await link(aside, file).catch(() => {});
  }
  await rm(aside, { force: true });
}
