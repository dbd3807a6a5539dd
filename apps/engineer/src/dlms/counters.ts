/**
 * Where our invocation counters outlive the program (IEC 62056-5-3 clause 5.3.4.3.7): no number is used twice with a key.
 *
 * Decides: one file holds, for each key and system title (by a hash of both, so that the file betrays neither), the lowest
 * number that was never used. It is written and synced before numbers are used, a batch ahead; a session that ends well
 * gives back what it did not use. A lock beside the file keeps out a second process. What the file says is never
 * undercut, whatever the user or the meter say.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { InvocationCounter } from '@amiable/dlms';
import { type Clock, sleep } from '@amiable/io';

const BATCH = 200;
/** How long a second process waits for the first one. */
const PATIENCE = 5000;
const END = 0x1_0000_0000;
/** A meter that demands to skip more than this is not obeyed unasked: a forged refusal could use up the key. */
const MOST_SKIPPED = 50_000_000;

export interface StoredCounter extends InvocationCounter {
  /** The lowest number that was never used; undefined when this key and title were never used from here. */
  readonly known: number | undefined;
  /** The number that comes next. */
  readonly following: number;
  /** Goes on from here; never back. */
  startAt(counter: number): void;
  raise(to: number): void;
  /** A meter demanded more than is obeyed unasked. */
  readonly refused: number | undefined;
  /** Gives back what was not used, and the lock. */
  release(): void;
}

/** `~/.local/state/amiable/dlms/<hash>.json`, under $XDG_STATE_HOME where that is set. */
export function defaultStateFile(fingerprint: string, env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_STATE_HOME?.startsWith('/') ? env.XDG_STATE_HOME : join(homedir(), '.local', 'state');
  return join(base, 'amiable', 'dlms', `${fingerprint}.json`);
}

export function fingerprintOf(title: Uint8Array, key: Uint8Array): string {
  return createHash('sha256').update('amiable dlms counter').update(title).update(key).digest('hex').slice(0, 24);
}

interface State {
  readonly counters: Record<string, number>;
}

function readState(path: string): State {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { counters: {} };
    throw new Error(
      `${path} cannot be read: ${(error as Error).message}. It keeps the invocation counters; name another with --state.`,
    );
  }
  try {
    const { counters } = JSON.parse(text) as State;
    if (Object.values(counters).every((n) => Number.isInteger(n) && n >= 0 && n <= END)) return { counters };
  } catch {
    // Told below.
  }
  throw new Error(
    `${path} is damaged. It keeps the invocation counters, none of which may be used twice: find out the last one (the meter's object 0-0:43.1.0) and give --counter with a new --state file.`,
  );
}

function writeState(path: string, state: State): void {
  const beside = `${path}.new`;
  const file = openSync(beside, 'w', 0o600);
  try {
    writeSync(file, `${JSON.stringify(state, undefined, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function alive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isOld(lock: string): boolean {
  try {
    return Date.now() - statSync(lock).mtimeMs > 10_000;
  } catch {
    return false;
  }
}

/** @returns the process that has it; undefined when it is ours now */
function tryLock(lock: string): number | undefined {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = openSync(lock, 'wx', 0o600);
      writeSync(file, `${process.pid}\n`);
      closeSync(file);
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    let holder = 0;
    try {
      holder = Number(readFileSync(lock, 'utf8'));
    } catch {
      continue;
    }
    // Being written this moment, unless it is old: then its process ended before it had written its number.
    if (!(holder > 0) && !isOld(lock)) return -1;
    if (holder === process.pid || alive(holder)) return holder;
    // By rename, so that of two processes which find it one takes it away, and never the new lock of the other.
    const mine = `${lock}.${process.pid}`;
    try {
      renameSync(lock, mine);
      if (Number(readFileSync(mine, 'utf8')) === holder) unlinkSync(mine);
      else renameSync(mine, lock);
    } catch {
      // Somebody else was quicker.
    }
  }
  return -1;
}

/** Opens and locks. @throws Error with a sentence when another process has it, or it cannot be written */
export async function openCounter(path: string, fingerprint: string, clock: Clock): Promise<StoredCounter> {
  const lock = `${path}.lock`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const until = clock.now() + PATIENCE;
  for (;;) {
    const holder = tryLock(lock);
    if (holder === undefined) break;
    if (clock.now() >= until)
      throw new Error(
        `${holder > 0 ? `Process ${holder}` : 'Another process'} is using the invocation counters of this key and system title (${lock}). Wait for it, or give this one a --title of its own.`,
      );
    await sleep(clock, 100);
  }
  try {
    return new FileCounter(path, lock, fingerprint);
  } catch (error) {
    unlinkSync(lock);
    throw error;
  }
}

class FileCounter implements StoredCounter {
  readonly known: number | undefined;
  following: number;
  refused: number | undefined;
  readonly #path: string;
  readonly #lock: string;
  readonly #fingerprint: string;
  /** What the file says. */
  #bound: number;
  #open = true;

  constructor(path: string, lock: string, fingerprint: string) {
    this.#path = path;
    this.#lock = lock;
    this.#fingerprint = fingerprint;
    this.known = readState(path).counters[fingerprint];
    this.following = this.#bound = this.known ?? 0;
  }

  #persist(bound: number): void {
    const { counters } = readState(this.#path);
    // Whoever got past the lock would use our numbers: better none than one twice.
    if ((counters[this.#fingerprint] ?? 0) !== this.#bound)
      throw new Error(
        `${this.#path} was changed by another program meanwhile; no more invocation counters are used from here. Try again.`,
      );
    writeState(this.#path, { counters: { ...counters, [this.#fingerprint]: bound } });
    this.#bound = bound;
  }

  next(): number {
    if (!this.#open) throw new Error('the store of invocation counters is closed');
    if (this.following >= END)
      throw new Error('all invocation counters of this key are used; the meter needs a new key');
    if (this.following >= this.#bound) this.#persist(Math.min(this.following + BATCH, END));
    return this.following++;
  }

  startAt(counter: number): void {
    if (counter > this.following) this.following = counter;
  }

  raise(to: number): void {
    // What the meter waits for is by some the last it saw, by others the next: one higher suits both.
    const wanted = to + 1;
    if (wanted > this.following + MOST_SKIPPED && this.known !== undefined) this.refused = to;
    else if (wanted < END) this.startAt(wanted);
  }

  release(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      if (this.following !== this.#bound && this.following > (this.known ?? -1)) this.#persist(this.following);
    } catch {
      // What is not given back is lost, which does no harm.
    } finally {
      unlinkSync(this.#lock);
    }
  }
}
