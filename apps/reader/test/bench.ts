/** Runs the command in this process: argv in; stdout, stderr and exit code out; clock and machine in the test's hands. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@amiable/io';
import { Command } from 'commander';
import { readCommand } from '../src/command.ts';
import type { ReadIo } from '../src/machine.ts';
import { runOptions } from '../src/run.ts';

export interface Bench {
  readonly out: () => string;
  readonly err: () => string;
  readonly lines: () => Record<string, unknown>[];
  readonly end: () => void;
  readonly code: Promise<number>;
  /** Resolves when stderr or stdout holds what is asked for. */
  until(what: RegExp): Promise<void>;
}

export interface BenchOptions {
  readonly clock?: Clock;
  readonly stdin?: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** stdout is closed by its reader after so many bytes. */
  readonly closesAfter?: number;
}

export function start(
  argv: readonly string[],
  { clock = systemClock, stdin = [], closesAfter = Number.POSITIVE_INFINITY }: BenchOptions = {},
): Bench {
  let out = '';
  let err = '';
  let looks: (() => void)[] = [];
  const changed = () => {
    const all = looks;
    looks = [];
    for (const look of all) look();
  };
  const ending = new AbortController();
  const io: ReadIo = {
    async out(text) {
      if (out.length >= closesAfter) return false;
      out += text;
      changed();
      return true;
    },
    err(text) {
      err += text;
      changed();
    },
    stdin: (async function* () {
      yield* stdin;
    })(),
    clock,
    random: () => 0,
    hostName: 'attic',
    mac: '5C:CF:7F:53:BA:8A',
    signal: ending.signal,
    processId: process.pid,
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  let code: Promise<number> = Promise.resolve(2);
  readCommand(program)
    .exitOverride()
    .action((files: string[], given: Record<string, unknown>) => {
      code = runOptions(given, files, io);
    });
  program.parse(['node', 'amiable', 'read', ...argv]);
  return {
    out: () => out,
    err: () => err,
    lines: () =>
      out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    end: () => ending.abort(),
    code,
    async until(what) {
      while (!what.test(err) && !what.test(out)) await new Promise<void>((resolve) => looks.push(resolve));
    },
  };
}

export async function read(
  argv: readonly string[],
  options?: BenchOptions,
): Promise<{ code: number; out: string; err: string; lines: Bench['lines'] }> {
  const bench = start(argv, options);
  const code = await bench.code;
  return { code, out: bench.out(), err: bench.err(), lines: bench.lines };
}

export const folder = mkdtempSync(join(tmpdir(), 'amiable-read-'));
let files = 0;
export function file(content: Uint8Array | string, name = `capture-${++files}.dat`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
