/**
 * The page's side of the worker: explains what stands in the field a moment after the last change, and hands out parts.
 *
 * Decides: a change while the worker is busy ends it and starts another, so that an old paste never delays a new one;
 * whatever takes longer than `PATIENCE` is ended as well.
 */
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ExplainRequest, Explanation, PartDetail } from './engine.ts';
import type { FromWorker, ToWorker } from './worker.ts';

const PAUSE = 180;
const PATIENCE = 8000;

export type ExplanationState =
  | { readonly kind: 'empty' }
  | { readonly kind: 'done'; readonly explanation: Explanation; readonly version: number }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Explaining {
  readonly state: ExplanationState;
  /** What is shown is about an earlier input. */
  readonly busy: boolean;
  part(index: number): Promise<PartDetail | undefined>;
}

interface Waiting {
  take(answer: FromWorker): void;
}

function createClient() {
  let worker: Worker | undefined;
  let serial = 0;
  const waiting = new Map<number, Waiting>();
  const end = () => {
    worker?.terminate();
    worker = undefined;
    waiting.clear();
  };
  const start = (): Worker => {
    if (worker) return worker;
    worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      const found = waiting.get(data.id);
      waiting.delete(data.id);
      found?.take(data);
    };
    worker.onerror = ({ message }) => {
      const all = [...waiting];
      end();
      for (const [id, one] of all) one.take({ id, failed: message || 'worker' });
    };
    return worker;
  };
  return {
    start,
    end,
    ask(what: { explain: ExplainRequest } | { part: number }, take: (answer: FromWorker) => void): void {
      const id = ++serial;
      waiting.set(id, { take });
      start().postMessage({ id, ...what } satisfies ToWorker);
    },
  };
}

/** @param request a new object for each change */
export function useExplanation(request: ExplainRequest): Explaining {
  const client = useRef<ReturnType<typeof createClient>>(undefined);
  client.current ??= createClient();
  const [state, setState] = useState<ExplanationState>({ kind: 'empty' });
  const [done, setDone] = useState<ExplainRequest>();
  const version = useRef(0);

  useEffect(() => {
    const own = client.current;
    own?.start();
    return () => own?.end();
  }, []);

  useEffect(() => {
    const own = client.current;
    if (!own) return;
    const settle = (next: ExplanationState) => {
      setState(next);
      setDone(request);
    };
    if (!request.file && request.text.trim() === '') {
      settle({ kind: 'empty' });
      return;
    }
    let patience: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const pause = setTimeout(() => {
      own.ask({ explain: request }, (answer) => {
        clearTimeout(patience);
        over = true;
        if ('explanation' in answer)
          settle({ kind: 'done', explanation: answer.explanation, version: ++version.current });
        else if ('failed' in answer) settle({ kind: 'failed', reason: answer.failed });
      });
      patience = setTimeout(() => {
        own.end();
        over = true;
        settle({ kind: 'stopped' });
      }, PATIENCE);
    }, PAUSE);
    return () => {
      clearTimeout(pause);
      clearTimeout(patience);
      if (patience !== undefined && !over) own.end();
    };
  }, [request]);

  const part = useCallback(
    (index: number) =>
      new Promise<PartDetail | undefined>((done) => {
        client.current?.ask({ part: index }, (answer) => done('detail' in answer ? answer.detail : undefined));
      }),
    [],
  );
  return { state, busy: done !== request, part };
}
