/**
 * The offline store: a folder, and in it one file for each visit.
 *
 * Decides: a file is a line of JSON for each record, appended and synced one by one, with a check sum at the end of the line. What
 * a power cut leaves of the last line is cut off when the visit goes on; nothing that was there before is ever written again.
 * A second visit is a second file. One program at a time writes into a folder. Secrets never come here.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { UsageError } from '../dlms/usage.ts';
import type { WantedGroup } from './list.ts';

/** Times are epoch ms, bytes hex. */
export type VisitRecord =
  | {
      readonly t: 'visit';
      readonly v: 1;
      readonly id: string;
      readonly meter: string;
      readonly place?: string;
      readonly device: string;
      readonly protocol: 'dlms' | 'iec62056-21';
      readonly zone: string;
      readonly read: readonly WantedGroup[];
      readonly at: number;
    }
  | { readonly t: 'attempt'; readonly n: number; readonly at: number }
  /** What went over the line, passwords made unreadable. */
  | { readonly t: 'exchange'; readonly at: number; readonly d: 'in' | 'out'; readonly bytes: string }
  /** How the meter calls itself. */
  | { readonly t: 'identity'; readonly serial: string; readonly matches?: boolean }
  | {
      readonly t: 'object';
      readonly class: number;
      readonly version: number;
      readonly obis: string;
      /** Encoded values by attribute. */
      readonly attributes: Readonly<Record<string, string>>;
    }
  | {
      readonly t: 'profile';
      readonly obis: string;
      readonly captureObjects: string;
      readonly period: number;
      readonly newestFirst: boolean;
      /** Scaler and unit code of each column, where known. */
      readonly units: readonly (readonly [scaler: number, unit: number] | null)[];
    }
  /** Rows of a profile as they came: an encoded array. `until`: the end of the newest, epoch ms. */
  | { readonly t: 'rows'; readonly obis: string; readonly n: number; readonly buffer: string; readonly until?: number }
  /** A canonical message; `json` is its exact text. */
  | { readonly t: 'message'; readonly step: string; readonly until?: number; readonly json: string }
  | {
      readonly t: 'step';
      readonly step: string;
      readonly state: 'done' | 'refused';
      readonly n: number;
      readonly words?: string;
    }
  | {
      readonly t: 'write';
      readonly object: string;
      readonly wanted: string;
      readonly state: 'begun' | 'done' | 'differs' | 'refused' | 'declined';
      readonly before?: string;
      readonly after?: string;
      readonly words?: string;
      readonly at: number;
    }
  | { readonly t: 'trouble'; readonly words: string; readonly at: number }
  | { readonly t: 'end'; readonly state: 'complete' | 'partial'; readonly at: number }
  /** The central system has these messages, or will never take them. */
  | { readonly t: 'taken'; readonly server: string; readonly ids: readonly string[]; readonly at: number }
  | {
      readonly t: 'rejected';
      readonly server: string;
      readonly id: string;
      readonly words: string;
      readonly at: number;
    };

export type Head = Extract<VisitRecord, { t: 'visit' }>;

const CHECK = ',"crc":"';
const SUFFIX = '.visit';

const sum = (text: string): string => (crc32(text) >>> 0).toString(16).padStart(8, '0');

/** One line. The message stands in it as JSON, so that other programs read the file line by line. */
export function encodeRecord(record: VisitRecord): string {
  let body: string;
  if (record.t === 'message') {
    const { json, ...rest } = record;
    body = `${JSON.stringify(rest).slice(0, -1)},"message":${json}`;
  } else body = JSON.stringify(record).slice(0, -1);
  return `${body}${CHECK}${sum(body)}"}\n`;
}

/** Undefined where the line is damaged. */
export function decodeRecord(line: string): VisitRecord | undefined {
  const at = line.lastIndexOf(CHECK);
  if (at < 0 || line.length !== at + CHECK.length + 10 || !line.endsWith('"}')) return undefined;
  const body = line.slice(0, at);
  if (line.slice(at + CHECK.length, -2) !== sum(body)) return undefined;
  try {
    const { message, ...record } = JSON.parse(`${body}}`) as { t: string; message?: unknown };
    if (record.t !== 'message') return record as VisitRecord;
    if (message === undefined) return undefined;
    // The text itself: decimals are exact only there. What stands before it are names and numbers of ours.
    return { ...record, json: body.slice(body.indexOf(',"message":{') + ',"message":'.length) } as VisitRecord;
  } catch {
    return undefined;
  }
}

export interface VisitFile {
  readonly path: string;
  readonly name: string;
  readonly head: Head;
  readonly records: readonly VisitRecord[];
  /** Octets that are whole; what stands behind was cut off by a power failure. */
  readonly whole: number;
  /** Lines in the middle that are damaged: a fault of the medium. */
  readonly damaged: number;
}

/** Undefined for a file that holds no visit (yet). */
export function readVisit(folder: string, name: string): VisitFile | undefined {
  const path = join(folder, name);
  const bytes = readFileSync(path);
  const records: VisitRecord[] = [];
  let whole = 0;
  let damaged = 0;
  let pending = 0;
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start);
    if (end < 0) break;
    const record = decodeRecord(bytes.toString('utf8', start, end));
    if (record) {
      records.push(record);
      whole = end + 1;
      damaged += pending;
      pending = 0;
    } else pending++;
    start = end + 1;
  }
  const [head] = records;
  return head?.t === 'visit' && head.v === 1 ? { path, name, head, records, whole, damaged } : undefined;
}

/** All visits of a folder, the oldest first. */
export function readVisits(folder: string): VisitFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .flatMap((name) => readVisit(folder, name) ?? [])
    .sort((a, b) => a.head.at - b.head.at || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
}

export interface VisitWriter {
  readonly name: string;
  readonly head: Head;
  readonly records: VisitRecord[];
  /** On the medium when it returns, but for the exchange, which goes there with what comes next. @throws Error in words */
  append(record: VisitRecord): void;
  close(): void;
}

/** A new file; never one that is there. */
export function createVisit(folder: string, head: Head): VisitWriter {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stamp = new Date(head.at).toISOString().replace(/[-:]|\.\d+/g, '');
  for (let n = 1; ; n++) {
    const name = `${head.meter}_${stamp}${n === 1 ? '' : `-${n}`}${SUFFIX}`;
    try {
      const writer = writerOf(openSync(join(folder, name), 'wx', 0o600), name, head, [], 0);
      writer.append(head);
      syncFolder(folder);
      return writer;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Goes on at the end of a visit; a torn last line is cut off. */
export function continueVisit(folder: string, name: string): VisitWriter {
  const visit = readVisit(folder, name);
  if (!visit) throw new Error(`${join(folder, name)} is no visit.`);
  const fd = openSync(visit.path, 'r+');
  ftruncateSync(fd, visit.whole);
  fsyncSync(fd);
  return writerOf(fd, name, visit.head, [...visit.records], visit.whole);
}

function writerOf(fd: number, name: string, head: Head, records: VisitRecord[], from: number): VisitWriter {
  let length = from;
  let closed = false;
  return {
    name,
    head,
    records,
    append(record) {
      const bytes = Buffer.from(encodeRecord(record));
      try {
        for (let done = 0; done < bytes.length; )
          done += writeSync(fd, bytes, done, bytes.length - done, length + done);
        if (record.t !== 'exchange') fdatasyncSync(fd);
      } catch (error) {
        try {
          ftruncateSync(fd, length);
        } catch {
          // The torn line is cut off when the file is opened again.
        }
        const { code, message } = error as NodeJS.ErrnoException;
        throw new Error(
          code === 'ENOSPC'
            ? `${name}: the disk is full; what was read before is kept. Make room and visit again.`
            : `${name} cannot be written: ${message}`,
        );
      }
      length += bytes.length;
      records.push(record);
    },
    close() {
      if (closed) return;
      closed = true;
      fdatasyncSync(fd);
      closeSync(fd);
    },
  };
}

function syncFolder(folder: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(folder, 'r');
    fsyncSync(fd);
  } catch {
    // Windows opens no folders, and not every file system syncs them.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** One writer at a time. @returns a function that lets go. @throws UsageError when another program has it */
export function lockStore(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'writing.lock');
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      return () => {
        try {
          unlinkSync(path);
        } catch {
          // It is gone already.
        }
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = Number(readFileSync(path, 'utf8'));
      if (tries > 0 || isAlive(holder))
        throw new UsageError(
          `${folder} is being written by another amiable (process ${holder}); wait for it, or remove ${path}.`,
        );
      unlinkSync(path);
    }
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// ---------------------------------------------------------------- what a visit holds

/** Steps that are behind us. */
export function doneSteps(records: readonly VisitRecord[]): Set<string> {
  const done = new Set<string>();
  for (const record of records) if (record.t === 'step') done.add(record.step);
  return done;
}

/** The newest row of a profile (or message of a step) that is stored, epoch ms. */
export function storedUntil(records: readonly VisitRecord[], step: string): number | undefined {
  let until: number | undefined;
  for (const record of records)
    if ((record.t === 'rows' && `profile ${record.obis}` === step) || (record.t === 'message' && record.step === step))
      if (record.until !== undefined) until = Math.max(until ?? record.until, record.until);
  return until;
}

export interface Counts {
  readonly messages: number;
  readonly taken: number;
  readonly rejected: number;
  readonly refused: number;
  readonly state: 'complete' | 'partial' | 'interrupted';
}

export function countsOf(records: readonly VisitRecord[]): Counts {
  let messages = 0;
  let refused = 0;
  let state: Counts['state'] = 'interrupted';
  const taken = new Set<string>();
  let rejected = 0;
  for (const record of records) {
    if (record.t === 'message') messages++;
    else if (record.t === 'taken') for (const id of record.ids) taken.add(id);
    else if (record.t === 'rejected') rejected++;
    else if (record.t === 'step' && record.state === 'refused') refused++;
    else if (record.t === 'end') state = record.state;
    else if (record.t === 'attempt') state = 'interrupted';
  }
  return { messages, taken: taken.size, rejected, refused, state };
}
