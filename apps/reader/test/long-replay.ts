/**
 * Replays a large capture through the command and watches its memory:
 *
 *   node --import tsx apps/reader/test/long-replay.ts [GIGABYTES] [OPTION OF READ ...]
 *
 * Writes the capture (frames of figure 2, every hundredth damaged) to the folder of temporary files, reads it as `amiable
 * read -f` in a process of its own, samples its resident memory, and fails when that grows by more than 50 MB between the
 * first fifth and the end, or when a frame is missing. Not a part of `npm test`: it takes minutes.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure2, joined } from './kaifa.ts';

const gigabytes = Number(process.argv[2] ?? 1);
const more = process.argv.slice(3);
const folder = mkdtempSync(join(tmpdir(), 'amiable-long-'));
const path = join(folder, 'capture.dat');

const damaged = figure2[2]!.slice();
damaged[80] = damaged[80]! ^ 0x10;
const block = joined(...Array.from({ length: 3000 }, (_, i) => (i % 100 === 99 ? damaged : figure2[i % 3]!)));
const blocks = Math.ceil((gigabytes * 2 ** 30) / block.length);
const file = openSync(path, 'w');
for (let i = 0; i < blocks; i++) writeSync(file, block);
closeSync(file);
const frames = { good: blocks * 2970, fcs: blocks * 30 };

const bin = fileURLToPath(new URL('../../amiable/bin/amiable.js', import.meta.url));
const began = Date.now();
const options = more.length > 0 ? more : ['--json'];
const child = spawn(process.execPath, [bin, 'read', '-f', path, '--counters', 'json', ...options], {
  stdio: ['ignore', 'pipe', 'pipe'],
});
let printed = 0;
let said = '';
child.stdout.on('data', (bytes: Buffer) => {
  printed += bytes.length;
});
child.stderr.on('data', (bytes: Buffer) => {
  said += bytes.toString();
});
const samples: number[] = [];
const timer = setInterval(() => {
  try {
    const pages = Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]);
    samples.push((pages * 4096) / 2 ** 20);
  } catch {
    // It has just ended.
  }
}, 500);
child.on('exit', (code) => {
  clearInterval(timer);
  rmSync(folder, { recursive: true });
  const seconds = (Date.now() - began) / 1000;
  const early = Math.max(...samples.slice(0, Math.max(2, Math.floor(samples.length / 5))));
  const late = Math.max(...samples.slice(-Math.max(2, Math.floor(samples.length / 5))));
  const counters = JSON.parse(said.trim().split('\n').pop() ?? '{}') as {
    good: number;
    dropped: Record<string, number>;
  };
  console.log(
    `${((blocks * block.length) / 2 ** 30).toFixed(2)} GB, ${counters.good} messages in ${seconds.toFixed(1)} s (${Math.round(counters.good / seconds)}/s), ${(printed / 2 ** 20).toFixed(0)} MB printed, memory ${early.toFixed(0)} MB early, ${late.toFixed(0)} MB at the end, ${Math.max(...samples).toFixed(0)} MB at most`,
  );
  const fine = code === 0 && counters.good === frames.good && counters.dropped.fcs === frames.fcs && late < early + 50;
  if (!fine) {
    console.error('FAILED', { code, counters, frames, early, late });
    process.exitCode = 1;
  }
});
