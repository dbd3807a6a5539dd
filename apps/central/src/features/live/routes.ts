/** GET /api/v1/live: server-sent events with the latest values of the meters that changed. */
import type { Scope, Total } from '@amiable/model';
import { total } from '@amiable/model/schemas';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import type { Router } from '../../http/router.ts';
import { createTotals, type Totals } from '../../live/total.ts';

const MAX_LISTENERS = 500;
/** A listener with this many bytes unsent waits; it will get the newest state, not all states. */
const MAX_BUFFERED = 256 * 1024;

/** Sums of some segments are kept up while somebody asks for them, ms. */
const UNASKED = 10 * 60_000;
const MOST_PARTS = 50;

const query = z.object({
  meters: z
    .string()
    .regex(/^\d{1,19}(,\d{1,19}){0,999}$/, 'up to 1,000 meter ids, joined by commas')
    .optional(),
});

export function liveRoutes(router: Router, { access, live }: Context): void {
  const timer = setInterval(() => live.flush(), 500);
  timer.unref();
  const everything = createTotals(live);
  /** Sums for who does not see all segments, by segments; begun when somebody asks. */
  const parts = new Map<string, { totals: Totals; asked: number }>();
  const sampler = setInterval(() => {
    everything.sample();
    for (const [key, { totals, asked }] of parts)
      if (Date.now() - asked > UNASKED) parts.delete(key);
      else totals.sample();
  }, 5000);
  sampler.unref();
  const open = new Set<NodeJS.WritableStream & { end(): void }>();
  async function totalsOf(scope: Scope): Promise<Totals> {
    if (scope === 'all') return everything;
    await access.scopes.of(scope);
    const key = [...scope].sort((a, b) => a - b).join();
    let part = parts.get(key);
    if (!part) {
      if (parts.size >= MOST_PARTS) parts.delete(parts.keys().next().value as string);
      part = { totals: createTotals(live, () => access.scopes.now(scope)), asked: 0 };
      parts.set(key, part);
    }
    part.asked = Date.now();
    return part.totals;
  }

  router.app.addHook('preClose', async () => {
    clearInterval(timer);
    clearInterval(sampler);
    for (const stream of open) stream.end();
  });

  router.add({
    method: 'GET',
    path: '/api/v1/total',
    needs: 'reading:view',
    tag: 'readings',
    summary: 'What all meters draw and feed now, and the last ten minutes of it',
    answer: total,
    scoped: true,
    handler: async ({ caller }): Promise<Total> => {
      const totals = await totalsOf(caller.scope);
      if (!totals.get()) totals.sample();
      const found = totals.get();
      if (!found) throw new HttpError(404, 'no meter has told its power yet');
      return found;
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/live',
    needs: 'reading:view',
    tag: 'readings',
    summary: 'Server-sent events with the latest values of the meters that changed',
    query,
    answer: 'text/event-stream',
    scoped: true,
    handler: async ({ caller: { scope }, query: { meters }, reply, watch }) => {
      await access.scopes.of(scope);
      if (live.listeners >= MAX_LISTENERS) throw new HttpError(503, `${MAX_LISTENERS} pages are listening already`);
      reply.hijack();
      const stream = reply.raw;
      stream.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      stream.write('retry: 2000\n\n');
      open.add(stream);
      let alive = Date.now();
      const end = live.listen(
        meters === undefined ? undefined : new Set(meters.split(',')),
        (changed) => {
          if (stream.writableLength > MAX_BUFFERED) return false;
          stream.write(`data: ${JSON.stringify(changed)}\n\n`);
          alive = Date.now();
          return true;
        },
        () => access.scopes.now(scope),
      );
      // A comment now and then tells proxies and the page that the line is up.
      const beat = setInterval(() => {
        if (Date.now() - alive > 14_000) stream.write(': still here\n\n');
      }, 15_000);
      beat.unref();
      const unwatch = watch(() => stream.end());
      stream.on('close', () => {
        clearInterval(beat);
        unwatch();
        end();
        open.delete(stream);
      });
      live.flush();
    },
  });
}
