/**
 * Worker threads that judge batches. Where no thread can be started, or with none wanted, the same is done in the main thread.
 *
 * Decides: a batch goes to the thread that has the fewest; arrays move and are not copied; a thread that dies fails its batches (a run
 * does them again) and is not used any more.
 */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type Batch, buffersIn, type Judged, judgeAll } from './judge.ts';

export interface Pool {
  judge(batch: Batch): Promise<Judged>;
  /** Threads that work; 0: the main thread does it. */
  readonly threads: number;
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, { done(judged: Judged): void; fail(error: Error): void }>;
}

/** In the sources a worker loads TypeScript itself, for it does not inherit the loader; in the package it stands beside this. */
function startWorker(): Worker {
  const source = new URL('./worker.ts', import.meta.url);
  if (!existsSync(source)) return new Worker(new URL('./validation-worker.js', import.meta.url));
  // The loader is looked up from here: where the program was started says nothing.
  const here = JSON.stringify(source.href);
  return new Worker(`require('node:module').register('tsx/esm', ${here}, { data: true }); import(${here});`, {
    eval: true,
  });
}

export function createPool(count: number, log: (line: string) => void = () => {}): Pool {
  const threads: Thread[] = [];
  let next = 0;
  let closed = false;
  for (let i = 0; i < count; i++)
    try {
      threads.push(begin());
    } catch (error) {
      log(`validation: no thread could be started, the main one does it: ${(error as Error).message}`);
      break;
    }

  function begin(): Thread {
    const worker = startWorker();
    const thread: Thread = { worker, waiting: new Map() };
    const gone = (why: string): void => {
      const at = threads.indexOf(thread);
      if (at >= 0) threads.splice(at, 1);
      for (const { fail } of thread.waiting.values()) fail(new Error(`a thread of validation ended: ${why}`));
      thread.waiting.clear();
    };
    worker.on('message', (told: { id: number; judged?: Judged; error?: string }) => {
      const asked = thread.waiting.get(told.id);
      thread.waiting.delete(told.id);
      if (told.judged) asked?.done(told.judged);
      else asked?.fail(new Error(told.error));
      if (thread.waiting.size === 0) worker.unref();
    });
    worker.on('error', (error) => {
      log(`validation: ${(error as Error).message}`);
      gone((error as Error).message);
    });
    worker.on('exit', (code) => gone(closed ? 'the program ends' : `exit ${code}`));
    // What waits for work does not keep a program alive.
    worker.unref();
    return thread;
  }

  function ask(thread: Thread, batch: Batch): Promise<Judged> {
    const id = ++next;
    return new Promise((done, fail) => {
      thread.waiting.set(id, { done, fail });
      thread.worker.ref();
      thread.worker.postMessage({ id, batch }, buffersIn(batch));
    });
  }

  // Each is asked for nothing first: what cannot work is left before anything is given to it.
  const ready = Promise.allSettled(threads.map((thread) => ask(thread, { tasks: [], rules: {} })));

  return {
    get threads() {
      return threads.length;
    },
    async judge(batch) {
      await ready;
      const [thread] = [...threads].sort((a, b) => a.waiting.size - b.waiting.size);
      if (thread) return ask(thread, batch);
      // Others get their turn between batches.
      await new Promise((resolve) => setImmediate(resolve));
      return judgeAll(batch);
    },
    async close() {
      closed = true;
      await Promise.all(threads.splice(0).map(({ worker }) => worker.terminate()));
    },
  };
}
