/** The engine behind a worker's door: a request for each message, an answer with the same number for each request. */
import { createEngine, type ExplainRequest, type Explanation, type PartDetail } from './engine.ts';

export type ToWorker =
  | { readonly id: number; readonly explain: ExplainRequest }
  | { readonly id: number; readonly part: number };

export type FromWorker =
  | { readonly id: number; readonly explanation: Explanation }
  | { readonly id: number; readonly detail: PartDetail | undefined }
  | { readonly id: number; readonly failed: string };

const engine = createEngine(() => performance.now());

function answer(asked: ToWorker): FromWorker {
  const { id } = asked;
  try {
    if ('explain' in asked) return { id, explanation: engine.explain(asked.explain) };
    return { id, detail: engine.part(asked.part) };
  } catch (fault) {
    return { id, failed: fault instanceof Error ? fault.message : String(fault) };
  }
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => self.postMessage(answer(data));
