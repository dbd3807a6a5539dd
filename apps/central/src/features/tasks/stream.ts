/**
 * Progress of runs as server-sent events. The database is asked twice a second for runs that somebody watches, however many they are.
 *
 * Decides: what is sent when. A listener that does not read is skipped: it gets the newest state, not all of them.
 */
import type { Run, RunId, Store } from '@amiable/store';
import { hasEnded } from '@amiable/tasks';
import type { FastifyReply } from 'fastify';
import { HttpError } from '../../http/error.ts';
import type { Call, Router } from '../../http/router.ts';
import { runOf } from './shapes.ts';

const PAUSE = 500;
const MOST = 200;
const MAX_BUFFERED = 64 * 1024;
const ALIVE = 15_000;

interface Listener {
  readonly run: RunId;
  readonly stream: FastifyReply['raw'];
  sent: string;
  at: number;
}

export function runEvents(router: Router, store: Store) {
  const listeners = new Set<Listener>();
  let timer: NodeJS.Timeout | undefined;

  function end(listener: Listener): void {
    listeners.delete(listener);
    listener.stream.end();
  }

  function tell(listener: Listener, run: Run | undefined): void {
    if (!run) {
      listener.stream.write('event: end\ndata: {}\n\n');
      end(listener);
      return;
    }
    const over = hasEnded(run.state);
    const data = JSON.stringify(runOf(run));
    const { stream } = listener;
    if (data !== listener.sent && (over || stream.writableLength < MAX_BUFFERED)) {
      listener.sent = data;
      listener.at = Date.now();
      stream.write(`event: run\ndata: ${data}\n\n`);
    } else if (Date.now() - listener.at > ALIVE) {
      listener.at = Date.now();
      stream.write(': alive\n\n');
    }
    if (!over) return;
    stream.write('event: end\ndata: {}\n\n');
    end(listener);
  }

  async function look(): Promise<void> {
    const byRun = new Map<RunId, Listener[]>();
    for (const listener of listeners) {
      const list = byRun.get(listener.run);
      if (list) list.push(listener);
      else byRun.set(listener.run, [listener]);
    }
    for (const [id, list] of byRun) {
      const run = await store.work.runs.get(id);
      for (const listener of list) tell(listener, run);
    }
  }

  function plan(): void {
    if (timer !== undefined || listeners.size === 0) return;
    timer = setTimeout(() => {
      // While the database is away nothing is said; the next turn says it.
      look()
        .catch(() => {})
        .finally(() => {
          timer = undefined;
          plan();
        });
    }, PAUSE);
    timer.unref();
  }

  router.app.addHook('preClose', async () => {
    clearTimeout(timer);
    for (const listener of listeners) end(listener);
  });

  return {
    follow(run: Run, reply: FastifyReply, watch: Call<unknown, unknown, unknown>['watch']): void {
      if (listeners.size >= MOST) throw new HttpError(503, `${MOST} programs follow runs already`);
      reply.hijack();
      const stream = reply.raw;
      stream.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      stream.write('retry: 2000\n\n');
      const listener: Listener = { run: run.id, stream, sent: '', at: Date.now() };
      listeners.add(listener);
      const unwatch = watch(() => end(listener));
      stream.on('error', () => {});
      stream.on('close', () => {
        listeners.delete(listener);
        unwatch();
      });
      tell(listener, run);
      plan();
    },
  };
}
