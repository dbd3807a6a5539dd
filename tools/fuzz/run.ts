/**
 * Runs one target over many inputs and watches what a finding is: an exception, an input that takes too long, a heap that
 * grows.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { toHex } from '@amiable/bytes';
import type { Target } from './target.ts';

export interface FuzzResult {
  readonly inputs: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Longest single input, milliseconds. */
  readonly slowest: number;
  /** Growth of what is reachable between half way and the end, bytes. */
  readonly growth: number;
  readonly findings: readonly string[];
}

export interface FuzzOptions {
  readonly count: number;
  /** Milliseconds that one input may take. */
  readonly limit?: number;
  /** Bytes that the heap may grow: the remembered layouts of one reader come and go. */
  readonly maxGrowth?: number;
  readonly progress?: (done: number, bytes: number) => void;
  /** Collects garbage only where the heap, garbage and all, has grown by more: a collection of a test run's heap costs more than its inputs. */
  readonly quick?: boolean;
  /** Told before every input, so that another thread can say which one never came back. */
  readonly before?: (input: Uint8Array) => void;
}

const MAX_FINDINGS = 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What is reachable now, bytes. */
export function reachable(): number {
  collect();
  collect();
  return held();
}

export function fuzz(
  target: Target,
  { count, limit = 1000, maxGrowth = 32 << 20, progress, quick = false, before }: FuzzOptions,
): FuzzResult {
  const findings: string[] = [];
  const began = performance.now();
  let bytes = 0;
  let slowest = 0;
  let baseline = 0;
  const warm = Math.ceil(count / 2);
  const step = Math.max(1, Math.floor(count / 20));
  for (let i = 0; i < count && findings.length < MAX_FINDINGS; i++) {
    if (i === warm) {
      if (quick) collect();
      baseline = quick ? held() : reachable();
    }
    const input = target.next();
    before?.(input);
    bytes += input.length;
    const start = performance.now();
    const cpu = process.cpuUsage();
    try {
      target.run(input);
    } catch (e) {
      findings.push(`${e instanceof Error ? (e.stack ?? e.message) : String(e)}\n  input ${i}: ${toHex(input)}`);
    }
    const took = performance.now() - start;
    if (took > slowest) slowest = took;
    // On a busy machine the clock runs while others work: only what was computed for so long counts.
    if (took > limit && process.cpuUsage(cpu).user > 1000 * limit)
      findings.push(`took ${took.toFixed(0)} ms\n  input ${i}: ${toHex(input)}`);
    if (progress && i % step === step - 1) progress(i + 1, bytes);
  }
  let growth = held() - baseline;
  if (!quick || growth > maxGrowth) growth = reachable() - baseline;
  if (growth > maxGrowth) findings.push(`the heap grew by ${(growth / 2 ** 20).toFixed(1)} MiB`);
  return { inputs: count, bytes, seconds: (performance.now() - began) / 1000, slowest, growth, findings };
}
