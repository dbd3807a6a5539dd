/**
 * `npm run fuzz -- [--count 10000000] [--seed 1] [hdlc|mbus|dlms|apdu|wrapper|push|han …]`: random and changed real frames through the
 * decoders; a finding is any exception but DecodeError, a hang, or memory that grows. `--replay-gb 1` instead replays a
 * capture of that size with damage in it and watches the memory. Exit 1 on a finding.
 *
 * The inputs run in a worker; this thread notices when one of them never comes back.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { toHex } from '@amiable/bytes';
import { dice, loadCorpus } from './inputs.ts';
import { replay } from './replay.ts';
import { type FuzzResult, fuzz } from './run.ts';
import { TARGETS, type TargetName, target } from './targets.ts';

interface Job {
  readonly name: TargetName;
  readonly count: number;
  readonly seed: number;
  /** First the number of inputs begun, then the length of the one under way, then its bytes. */
  readonly shared: SharedArrayBuffer;
}

/** A worker does not inherit the TypeScript loader. */
const START = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(import.meta.url)}); })`;
const HANG_MS = 20_000;
const ROOM = 8192;

if (isMainThread) await main();
else {
  const { name, count, seed, shared } = workerData as Job;
  const head = new Int32Array(shared, 0, 2);
  const body = new Uint8Array(shared, 8);
  const work = target(name, loadCorpus(), dice(seed));
  const result = fuzz(work, {
    count,
    progress: (done) => parentPort?.postMessage({ done }),
    before(input) {
      head[1] = input.length;
      body.set(input.subarray(0, ROOM));
      Atomics.add(head, 0, 1);
    },
  });
  parentPort?.postMessage({ result, tally: work.tally });
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { count: { type: 'string' }, seed: { type: 'string' }, 'replay-gb': { type: 'string' } },
  });
  const seed = Number(values.seed ?? 1);
  if (values['replay-gb'] !== undefined) {
    process.exit(replay(Number(values['replay-gb']), seed) ? 0 : 1);
  }
  const count = Number(values.count ?? 1_000_000);
  const names = positionals.length ? positionals : [...TARGETS];
  const unknown = names.filter((n) => !TARGETS.includes(n as TargetName));
  if (unknown.length || !(count >= 1)) {
    process.stderr.write(`fuzz: targets are ${TARGETS.join(', ')}; --count takes a number\n`);
    process.exit(2);
  }
  let failed = false;
  for (const name of names) failed = !(await run(name as TargetName, count, seed)) || failed;
  process.exit(failed ? 1 : 0);
}

function run(name: TargetName, count: number, seed: number): Promise<boolean> {
  const shared = new SharedArrayBuffer(8 + ROOM);
  const head = new Int32Array(shared, 0, 2);
  const job: Job = { name, count, seed, shared };
  return new Promise((resolve) => {
    const worker = new Worker(START, { eval: true, workerData: job });
    let begun = 0;
    const watch = setInterval(() => {
      const now = Atomics.load(head, 0);
      if (now === begun && now > 0 && now < count) {
        process.stdout.write(
          `${name}: HANG in input ${now}: ${toHex(new Uint8Array(shared, 8, Math.min(head[1] ?? 0, ROOM)))}\n`,
        );
        void worker.terminate();
        finish(false);
      }
      begun = now;
    }, HANG_MS);
    const finish = (good: boolean) => {
      clearInterval(watch);
      resolve(good);
    };
    worker.on('message', (told: { done: number } | { result: FuzzResult; tally: Record<string, number> }) => {
      if ('done' in told) {
        process.stderr.write(`${name}: ${told.done.toLocaleString('en')} inputs\n`);
        return;
      }
      const { result, tally } = told;
      for (const finding of result.findings) process.stdout.write(`${name}: FINDING ${finding}\n`);
      process.stdout.write(
        `${name}: ${result.inputs.toLocaleString('en')} inputs, ${(result.bytes / 1e6).toFixed(1)} MB in ${result.seconds.toFixed(1)} s, ` +
          `slowest ${result.slowest.toFixed(1)} ms, heap ${result.growth >= 0 ? '+' : ''}${(result.growth / 1024).toFixed(0)} KiB, ` +
          `${result.findings.length} findings; ${JSON.stringify(tally)}\n`,
      );
      finish(result.findings.length === 0);
    });
    worker.on('error', (e) => {
      process.stdout.write(`${name}: FINDING ${e instanceof Error ? (e.stack ?? e.message) : String(e)}\n`);
      finish(false);
    });
  });
}
