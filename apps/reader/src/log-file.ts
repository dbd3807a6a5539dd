/**
 * The log of a port as the port guide names it: `han-data-<type>[-C<key mark>]-<start>-<end>.dat`, raw bytes as they came.
 * Type and end are known only later, so the file grows under a temporary name and gets its own at the end, at local
 * midnight and when it is large. What a killed program left under a temporary name is given its name at the next start. A
 * full disk stops the log, not the reading.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { zoneOffset } from '@amiable/calendar';
import { portError } from '@amiable/io';

export interface LogOptions {
  readonly folder: string;
  /** Mark of the key, when there is one. */
  readonly mark?: string;
  /** Zone of the times in names; that of the machine when not given. */
  readonly zone?: string;
  readonly now: () => number;
  readonly processId: number;
  readonly tell: (line: string) => void;
  /** Bytes after which a new file begins. */
  readonly largest?: number;
}

export interface LogFile {
  write(bytes: Uint8Array): void;
  /** The meter type shows in the first message that names it. */
  meterType(type: string): void;
  close(): void;
}

/** Milliseconds; within a message bytes follow each other without a pause. */
const SILENCE = 100;
const TEMPORARY = /^han-data-(\d{4}-\d\d-\d\d_\d\d:\d\d)\.(\d+)\.part$/;

/** `2017-01-23_13:03`, local. */
export function localMinute(ms: number, zone: string | undefined): string {
  const offset = zone === undefined ? -new Date(ms).getTimezoneOffset() * 60_000 : zoneOffset(zone, ms);
  return new Date(ms + offset).toISOString().slice(0, 16).replace('T', '_');
}

/** The end is its clock alone when it lies on the day of the start. */
export function logName(type: string | undefined, mark: string | undefined, start: string, end: string): string {
  const safe = (type ?? '').replace(/[^\w.]+/g, '') || 'unknown';
  const until = end.slice(0, 10) === start.slice(0, 10) ? end.slice(11) : end;
  return `han-data-${safe}${mark === undefined ? '' : `-C${mark}`}-${start}-${until}.dat`;
}

/** Never over an older file: the second of a minute gets a number. */
function settle(folder: string, temporary: string, name: string): string {
  let free = name;
  for (let n = 2; existsSync(join(folder, free)); n++) free = name.replace(/\.dat$/, `-${n}.dat`);
  renameSync(join(folder, temporary), join(folder, free));
  return free;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** @throws PortError when the folder cannot be written */
export function openLog({ folder, mark, zone, now, processId, tell, largest = 64 << 20 }: LogOptions): LogFile {
  let file: number | undefined;
  let temporary = '';
  let start = '';
  let size = 0;
  let type: string | undefined;
  /** A file changes between messages, lest one be cut in two: when the line has been silent. */
  let lastWrite = 0;
  /** Set when the disk refused; the next day tries again. */
  let stopped = '';

  try {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      const [, began, pid] = TEMPORARY.exec(name) ?? [];
      if (began === undefined || alive(Number(pid))) continue;
      const { mtimeMs, size: bytes } = statSync(join(folder, name));
      if (bytes === 0) unlinkSync(join(folder, name));
      else
        tell(
          `found the log of a run that was cut off; it is now ${settle(folder, name, logName(undefined, undefined, began, localMinute(mtimeMs, zone)))}`,
        );
    }
  } catch (error) {
    throw portError(folder, error);
  }

  const finish = () => {
    if (file === undefined) return;
    const done = file;
    file = undefined;
    try {
      closeSync(done);
      if (size === 0) unlinkSync(join(folder, temporary));
      else
        tell(
          `logged ${size} bytes to ${join(folder, settle(folder, temporary, logName(type, mark, start, localMinute(now(), zone))))}`,
        );
    } catch (error) {
      tell(`the log: ${portError(join(folder, temporary), error).message}`);
    }
  };
  const begin = (minute: string) => {
    start = minute;
    temporary = `han-data-${minute}.${processId}.part`;
    // A second file within a minute must not add to one that is being renamed.
    file = openSync(join(folder, temporary), 'a');
    size = 0;
  };
  // At once, so that a folder without rights is told before an hour has passed.
  try {
    begin(localMinute(now(), zone));
  } catch (error) {
    throw portError(folder, error);
  }
  return {
    write(bytes) {
      if (bytes.length === 0) return;
      const minute = localMinute(now(), zone);
      const day = minute.slice(0, 10);
      if (stopped === day) return;
      try {
        const due = day !== start.slice(0, 10) || size >= largest;
        if (file !== undefined && size > 0 && due && (now() - lastWrite >= SILENCE || size >= 2 * largest)) finish();
        lastWrite = now();
        if (file === undefined) begin(minute);
        for (let at = 0; at < bytes.length; ) at += writeSync(file!, bytes, at);
        size += bytes.length;
        stopped = '';
      } catch (error) {
        stopped = day;
        tell(`the log stops for today, reading goes on: ${portError(join(folder, temporary), error).message}`);
        finish();
      }
    },
    meterType(given) {
      type ??= given;
    },
    close: finish,
  };
}
