/**
 * Imports as runs: the body goes to a file first, so that a slow sender holds nothing, then one run at a time reads it, checks it and
 * applies it in one transaction. A run can be watched and called off; what came of it is kept in the database, all its faults in a
 * file as long as this program runs.
 */
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MisuseError } from '@amiable/bytes';
import { type Caller, FIRST_SEGMENT, may, type Scope } from '@amiable/model';
import {
  type BulkFault,
  type BulkPhase,
  Cancelled,
  type ImportRun,
  type ImportState,
  MAY_STAND_UNDER,
  type Store,
} from '@amiable/store';
import { HttpError } from '../../http/error.ts';
import type { FileKind } from './columns.ts';
import type { Fault } from './read/record.ts';
import { createReader, type FileForm, type FoundFault, locate } from './read-file.ts';
import { createTaker, type TakeOptions } from './take.ts';
import { defused, type NumberForm } from './values.ts';

/** Faults in a report; all of them (up to MAX_FAULTS) stand in a file. */
export const MAX_REPORTED = 1000;
export const MAX_FAULTS = 100_000;
/** Runs that wait for their turn. */
const MAX_WAITING = 20;
/** Bytes of all files that wait here: what is received goes to the disk of the machine, which others need too. */
export const MAX_HELD = 8 * 1024 ** 3;
/** Runs whose faults are kept in files. */
const KEPT = 50;

export interface ImportOptions extends FileForm {
  readonly name: string | null;
  readonly kind?: FileKind;
  readonly dry: boolean;
  readonly takeGood: boolean;
  readonly mapping: Readonly<Record<string, string | null>>;
  readonly forms: Readonly<Record<string, NumberForm>>;
}

export interface KindCount {
  readonly kind: string;
  readonly rows: number;
  readonly inserted: number;
  readonly changed: number;
  readonly same: number;
}

export interface ImportReport {
  readonly inserted: number;
  readonly changed: number;
  readonly same: number;
  readonly refused: number;
  readonly kinds: readonly KindCount[];
  /** How many there are in all; `faults` are the first of them. */
  readonly faultCount: number;
  readonly faults: readonly Fault[];
  /** What went wrong with the run itself. */
  readonly error?: string;
}

export interface ImportProgress {
  readonly phase: BulkPhase | 'waiting' | 'receiving';
  readonly bytes: number;
  readonly ofBytes: number | null;
  readonly rows: number;
  readonly faults: number;
}

export interface ImportStatus extends Omit<ImportRun, 'report'> {
  readonly progress: ImportProgress | null;
  readonly report: ImportReport | null;
}

export interface ImportsParts {
  readonly store: Store;
  readonly now: () => number;
  readonly timeZone: string;
  readonly log: (line: string) => void;
  /** Bytes of files that wait, together; `MAX_HELD` unless said. */
  readonly held?: number;
}

export interface Imports {
  /** Receives a file and queues its run. @returns when the file is whole on disk */
  receive(body: Readable, options: ImportOptions, caller: Caller): Promise<ImportStatus>;
  /** A run of a file that lies here, to its end. */
  file(path: string, options: ImportOptions, caller: Caller, signal?: AbortSignal): Promise<ImportStatus>;
  status(id: string, caller: Caller): Promise<ImportStatus | undefined>;
  /** Newest first; `next` is what the following page begins before. */
  list(
    page: { readonly before?: string; readonly limit: number },
    caller: Caller,
  ): Promise<{ readonly runs: readonly ImportStatus[]; readonly next: string | null }>;
  /** @returns false when there is no such run, or it has ended */
  cancel(id: string): boolean;
  /** Path of the file with all faults of a run; undefined when there is none (any more). */
  faultsFile(id: string): string | undefined;
  close(): Promise<void>;
}

interface Work {
  readonly id: string;
  readonly who: string;
  readonly options: ImportOptions;
  readonly stop: AbortController;
  progress: { -readonly [K in keyof ImportProgress]: ImportProgress[K] };
}

export const scopeOf = (run: Pick<ImportRun, 'segments'>): Scope => run.segments ?? 'all';
/** A run is seen by who sees all that it could touch. */
const sees = (caller: Caller, run: Pick<ImportRun, 'segments' | 'who'>): boolean =>
  caller.scope === 'all' ||
  run.who === caller.name ||
  (run.segments?.every((s) => (caller.scope as readonly number[]).includes(s)) ?? false);

export function createImports(parts: ImportsParts): Imports {
  const { store, now, log } = parts;
  let folder: string | undefined;
  const at = (name: string): string => {
    folder ??= mkdtempSync(join(tmpdir(), 'amiable-import-'));
    return join(folder, name);
  };
  const works = new Map<string, Work>();
  const most = parts.held ?? MAX_HELD;
  let held = 0;
  const faultFiles = new Map<string, string>();
  let turn: Promise<unknown> = Promise.resolve();
  // Runs of a program that ended before are over; asked for when the first run begins, for then the store is there.
  let cleaned: Promise<void> | undefined;

  async function begin(options: ImportOptions, caller: Caller): Promise<Work> {
    if (works.size >= MAX_WAITING)
      throw new MisuseError(`${MAX_WAITING} imports are under way; wait until one has ended`);
    cleaned ??= store.exchange.interrupt(now());
    await cleaned;
    const id = await store.exchange.beginRun({
      dry: options.dry,
      name: options.name,
      detail: {
        format: options.format,
        kind: options.kind ?? null,
        takeGood: options.takeGood,
        mapping: options.mapping,
        checks: options.forms,
      },
      segments: caller.scope === 'all' ? null : caller.scope,
      who: caller.name,
      startedAt: now(),
    });
    const work: Work = {
      id,
      who: caller.name,
      options,
      stop: new AbortController(),
      progress: { phase: 'receiving', bytes: 0, ofBytes: null, rows: 0, faults: 0 },
    };
    works.set(id, work);
    return work;
  }

  async function finish(work: Work, state: ImportState, report: ImportReport, all: readonly Fault[]): Promise<void> {
    if (all.length > 0) {
      const path = at(`faults-${work.id}.csv`);
      const cell = (text: string): string => `"${defused(text).replaceAll('"', '""')}"`;
      const lines = all.map((f) => `${f.line},${f.column},${cell(f.field ?? '')},${cell(f.message)}\r\n`);
      await writeFile(path, `line,column,field,message\r\n${lines.join('')}`, { mode: 0o600 });
      faultFiles.set(work.id, path);
      for (const [id, old] of faultFiles) {
        if (faultFiles.size <= KEPT) break;
        faultFiles.delete(id);
        await rm(old, { force: true });
      }
    }
    await store.exchange.setRun(work.id, state, now(), report);
    works.delete(work.id);
  }

  async function execute(work: Work, path: string, caller: Caller): Promise<void> {
    const { options, progress, stop } = work;
    const { exchange } = store;
    await exchange.setRun(work.id, 'running', null, undefined);
    const size = (await stat(path)).size;
    const takeOptions: TakeOptions = {
      kind: options.kind,
      mapping: options.mapping,
      forms: options.forms,
      definitions: await exchange.attributes(),
      segments: await exchange.segments(),
      scope: caller.scope,
      timeZone: parts.timeZone,
      now: now(),
      mayStandUnder: MAY_STAND_UNDER,
      mayWrite(kind, personal) {
        if (personal && !may(caller, 'premises:modify'))
          return `${caller.name} lacks the privilege premises:modify, which personal data need`;
        // An address tells where the secrets that are there already are sent.
        for (const needed of ['connection:modify', 'key:modify'] as const)
          if (kind === 'connection' && !may(caller, needed)) return `${caller.name} lacks the privilege ${needed}`;
        return undefined;
      },
    };
    let faults: Fault[] = [];
    let count = 0;
    let refused = 0;
    let fatal: Fault | undefined;
    const result = await exchange.load(
      async (load) => {
        faults = [];
        count = 0;
        refused = 0;
        fatal = undefined;
        Object.assign(progress, { bytes: 0, ofBytes: size, rows: 0, faults: 0 });
        const fault = (one: Fault): void => {
          if (faults.length < MAX_FAULTS) faults.push(one);
          count++;
        };
        const taker = createTaker(takeOptions, fault);
        const reader = createReader(options, {
          header: taker.header,
          record(record) {
            progress.rows++;
            if (!taker.take(record, load.rows)) refused++;
          },
          fault(one) {
            progress.rows++;
            refused++;
            fault(one);
          },
        });
        for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
          const on = reader.push(chunk as Buffer);
          progress.bytes += (chunk as Buffer).length;
          progress.faults = count;
          await load.flush();
          if (!on) break;
        }
        if (!reader.fatal) reader.end();
        fatal = reader.fatal;
        if (fatal) fault(fatal);
        progress.faults = count;
        return fatal === undefined && (count === 0 || options.takeGood);
      },
      {
        dry: options.dry,
        takeGood: options.takeGood,
        scope: caller.scope,
        segment:
          caller.scope === 'all' || caller.scope.includes(FIRST_SEGMENT)
            ? FIRST_SEGMENT
            : (caller.scope[0] ?? FIRST_SEGMENT),
        timeZone: parts.timeZone,
        who: caller.name,
        at: takeOptions.now,
        signal: stop.signal,
        onPhase(phase) {
          progress.phase = phase;
        },
      },
    );
    const fromDatabase = result.faults.map(
      (f): FoundFault => ({
        number: f.line,
        field: f.field,
        detail: f.detail,
        other: NAMES_A_RECORD.has(f.code) ? Number(f.detail) : undefined,
        say: (line) => inWords(f, line),
      }),
    );
    if (fromDatabase.length > 0) {
      const ours = (name: string): string => options.mapping[name] ?? name.trim().toLowerCase().replace(/[ _]/g, '-');
      const placed = await locate(createReadStream(path), options, fromDatabase, ours);
      count += placed.length;
      faults = [...faults, ...placed].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_FAULTS);
      refused += new Set(fromDatabase.map((f) => f.number)).size;
    }
    const kinds = result.counts
      .filter((c) => c.rows > 0)
      .map(({ kind, rows, inserted, changed }) => ({
        kind: NAMES_OF_LINKS[kind] ?? kind,
        rows,
        inserted,
        changed,
        same: rows - inserted - changed,
      }));
    const sum = (what: 'inserted' | 'changed' | 'same'): number => kinds.reduce((n, k) => n + k[what], 0);
    const done = result.applied || (options.dry && fatal === undefined && (count === 0 || options.takeGood));
    const report: ImportReport = {
      inserted: sum('inserted'),
      changed: sum('changed'),
      same: sum('same'),
      refused,
      kinds,
      faultCount: count,
      faults: faults.slice(0, MAX_REPORTED),
    };
    await finish(work, done ? 'done' : 'refused', report, faults);
  }

  async function settle(work: Work, error: unknown): Promise<void> {
    const cancelled = error instanceof Cancelled || work.stop.signal.aborted;
    const message = cancelled
      ? 'the import was called off; nothing was changed'
      : `the import failed; nothing was changed: ${error instanceof Error ? error.message : String(error)}`;
    if (!cancelled) log(`import ${work.id}: ${message}`);
    const report: ImportReport = {
      inserted: 0,
      changed: 0,
      same: 0,
      refused: 0,
      kinds: [],
      faultCount: 0,
      faults: [],
      error: message,
    };
    await finish(work, cancelled ? 'cancelled' : 'failed', report, []).catch((failed: Error) =>
      log(`import ${work.id}: ${failed.message}`),
    );
    works.delete(work.id);
  }

  function queue(work: Work, path: string, caller: Caller): Promise<void> {
    work.progress.phase = 'waiting';
    const mine = turn.then(async () => {
      try {
        if (work.stop.signal.aborted) throw new Cancelled('called off');
        await execute(work, path, caller);
      } catch (error) {
        await settle(work, error);
      }
    });
    turn = mine;
    return mine;
  }

  const statusOf = (run: ImportRun): ImportStatus => ({
    ...run,
    progress: works.get(run.id)?.progress ?? null,
    report: run.report as ImportReport | null,
  });

  async function known(id: string): Promise<ImportStatus> {
    const run = await store.exchange.run(id);
    if (!run) throw new MisuseError(`import ${id} is gone`);
    return statusOf(run);
  }

  return {
    async receive(body, options, caller) {
      const work = await begin(options, caller);
      const path = at(`body-${work.id}`);
      let size = 0;
      const drop = async (): Promise<void> => {
        await rm(path, { force: true });
        held -= size;
      };
      async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const chunk of chunks) {
          size += chunk.length;
          held += chunk.length;
          if (held > most)
            throw new HttpError(
              503,
              'files of other imports fill the room that there is; try again when they have ended',
            );
          yield chunk;
        }
      }
      try {
        await pipeline(body, counted, createWriteStream(path, { mode: 0o600 }), { signal: work.stop.signal });
      } catch (error) {
        await drop();
        await settle(work, error);
        throw error;
      }
      // Whoever asked need not wait for it; what comes of it is kept with the run.
      void queue(work, path, caller).finally(drop);
      return known(work.id);
    },
    async file(path, options, caller, signal) {
      const work = await begin(options, caller);
      const stop = (): void => work.stop.abort();
      signal?.addEventListener('abort', stop, { once: true });
      if (signal?.aborted) stop();
      await queue(work, path, caller);
      signal?.removeEventListener('abort', stop);
      return known(work.id);
    },
    async status(id, caller) {
      const run = await store.exchange.run(id);
      return run && sees(caller, run) ? statusOf(run) : undefined;
    },
    async list(page, caller) {
      const found = await store.exchange.runs(page);
      return {
        runs: found.filter((run) => sees(caller, run)).map(statusOf),
        next: found.length < page.limit ? null : (found.at(-1)?.id ?? null),
      };
    },
    cancel(id) {
      const work = works.get(id);
      work?.stop.abort();
      return work !== undefined;
    },
    faultsFile: (id) => faultFiles.get(id),
    async close() {
      for (const work of works.values()) work.stop.abort();
      await turn;
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

/** Kinds of links as files call them. */
const NAMES_OF_LINKS: Readonly<Record<string, string>> = {
  under: 'stay',
  installed: 'installation',
  behind: 'slave',
  served: 'serving',
};

/** Their detail is the number of another record of the file. */
const NAMES_A_RECORD: ReadonlySet<string> = new Set(['twice', 'overlap', 'channel-twice']);

/** @param other line of the record that it is about */
function inWords({ code, detail, field }: BulkFault, other: number): string {
  const named = JSON.stringify(detail);
  switch (code) {
    case 'twice':
      return `the same ${field} stands in line ${other} already; leave one of them out`;
    case 'foreign':
      return 'it belongs to a segment that you may not change';
    case 'unknown':
      return `${named} is neither in this file (or its own line was refused) nor in the registry; correct it, or import it first`;
    case 'overlap':
      return `this stay begins before that of line ${other} ends; say when that one ends`;
    case 'collides':
      return `it meets a stay that the registry has from ${detail}; end or correct that one first`;
    case 'incomplete':
      return 'this meter has no connection yet: protocol, address, transport and readout are needed';
    case 'lacking':
      return `the user-defined attribute ${named} is required`;
    case 'channel-twice':
      return `line ${other} has another slave on this channel of the master at the same time`;
    case 'channel-taken':
      return `the registry has meter ${named} on this channel of the master at that time`;
    case 'chain':
      return `${named} would be a slave and a master at the same time`;
    case 'ring':
      return `${detail ?? 'a node'} would stand under itself, or deeper than 32 levels; correct the parents`;
  }
}
