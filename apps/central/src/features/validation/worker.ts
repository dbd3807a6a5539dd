/** A worker thread of validation: batches come, outcomes go; nothing else is known here. */
import { parentPort } from 'node:worker_threads';
import { type Batch, buffersOf, judgeAll } from './judge.ts';

parentPort?.on('message', ({ id, batch }: { readonly id: number; readonly batch: Batch }) => {
  try {
    const judged = judgeAll(batch);
    parentPort?.postMessage({ id, judged }, buffersOf(judged.outcomes));
  } catch (error) {
    parentPort?.postMessage({ id, error: (error as Error).message });
  }
});
