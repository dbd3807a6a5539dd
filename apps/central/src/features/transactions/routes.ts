/** The transaction log: lists and the tree by levels, one entry with what it is a part of, and the log while it is written. */
import type { Scope } from '@amiable/model';
import type { Transaction } from '@amiable/store';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { id63, when } from '../../http/queries.ts';
import type { Router } from '../../http/router.ts';
import { createTransactionHub } from './hub.ts';

const KINDS = ['flow', 'task', 'meter', 'association', 'apdu', 'command'] as const;
const STATES = ['running', 'done', 'failed', 'cancelled', 'partial'] as const;
const MAX_LISTENERS = 200;
/** A listener with so many bytes unsent waits. */
const MAX_BUFFERED = 256 * 1024;
const EVERY = 400;

const transaction = z.object({
  id: z.string(),
  kind: z.enum(KINDS),
  state: z.enum(STATES),
  text: z.string().describe('one line for people'),
  started: z.iso.datetime(),
  ended: z.iso.datetime().nullable(),
  parent: z.string().nullable(),
  run: z.string().nullable(),
  meter: z.string().nullable(),
  detail: z.unknown().describe('what else was told; null for nothing'),
  children: z.number().int().describe('how many stand below it; counted up to 10,001'),
});
const page = z.object({
  transactions: z.array(transaction),
  next: z.string().nullable().describe('`before` of the next page, or `after` where children are listed'),
});
const one = transaction.extend({ ancestors: z.array(transaction).describe('what it is a part of, the root first') });

const listQuery = z.object({
  parent: id63.optional().describe('children of this one, in the order in which they began'),
  run: id63.optional(),
  meter: id63.optional(),
  kind: z.enum(KINDS).optional(),
  state: z.enum(STATES).optional(),
  q: z
    .string()
    .max(200)
    .optional()
    .describe('words of the text; 200,000 entries are looked at in one call, `next` leads on'),
  from: when.optional().describe('begun at or after'),
  to: when.optional().describe('begun before'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  before: id63.optional(),
  after: id63.optional(),
});
const liveQuery = z.object({
  parents: z
    .string()
    .regex(/^\d{1,18}(,\d{1,18}){0,49}$/, 'up to 50 ids, joined by commas')
    .optional()
    .describe('entries that are open: their children are told too'),
  after: id63.optional().describe('go on after this stamp; the header Last-Event-ID does the same'),
});

export function toAnswer(entry: Transaction): z.infer<typeof transaction> {
  return {
    id: entry.id,
    kind: entry.kind,
    state: entry.state,
    text: entry.text,
    started: new Date(entry.started).toISOString(),
    ended: entry.ended === undefined ? null : new Date(entry.ended).toISOString(),
    parent: entry.parent ?? null,
    run: entry.run ?? null,
    meter: entry.meter ?? null,
    detail: entry.detail ?? null,
    children: entry.children,
  };
}

export function transactionRoutes(router: Router, { store }: Context): void {
  const { journal } = store;
  const hub = createTransactionHub(journal, Date.now);
  const open = new Set<NodeJS.WritableStream & { end(): void }>();
  const timer = setInterval(() => {
    // While the database is away nothing changes in it; the next turn reads on.
    if (hub.listeners > 0) hub.turn().catch(() => {});
  }, EVERY);
  timer.unref();
  router.app.addHook('preClose', async () => {
    clearInterval(timer);
    for (const stream of open) stream.end();
  });

  router.add({
    method: 'GET',
    path: '/api/v1/transactions',
    needs: 'transaction:view',
    tag: 'transactions',
    summary: 'The transaction log: roots, newest first; children of one; or what a meter, a run or words lead to',
    query: listQuery,
    answer: page,
    scoped: true,
    handler: async ({ caller, query: { q, ...query } }) => {
      const given = Object.fromEntries(
        Object.entries(query).filter(([, value]) => value !== undefined),
      ) as typeof query;
      const found = await journal.list({
        ...(given as { limit: number }),
        ...(q === undefined || q.trim() === '' ? {} : { q }),
        scope: caller.scope,
      });
      return { transactions: found.transactions.map(toAnswer), next: found.next ?? null };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/transactions/live',
    needs: 'transaction:view',
    tag: 'transactions',
    summary: 'The log while it is written, as server-sent events',
    description:
      'Events `transactions` carry `{ transactions, progress }`: entries that are new or have changed (roots, and children of `parents`), and how far roots that run and `parents` are, as numbers of children by state. Event `reset`: too much was missed, load the lists anew. `id` of an event leads on after a break.',
    query: liveQuery,
    answer: 'text/event-stream',
    scoped: true,
    handler: ({ caller, query, request, reply, watch }) => {
      if (hub.listeners >= MAX_LISTENERS) throw new HttpError(503, `${MAX_LISTENERS} listeners follow the log already`);
      const last = request.headers['last-event-id'];
      const after = typeof last === 'string' && /^\d{1,18}$/.test(last) ? last : query.after;
      reply.hijack();
      const stream = reply.raw;
      stream.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      stream.write('retry: 2000\n\n');
      open.add(stream);
      const write = (event: string, id: string, data: unknown): void => {
        stream.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
      };
      // An id to go on from, also where nothing happens before the line breaks.
      write('transactions', after ?? journal.stamp(Date.now()), { transactions: [], progress: {} });
      const end = hub.listen({
        parents: query.parents?.split(',') ?? [],
        scope: caller.scope,
        ...(after === undefined ? {} : { after }),
        send({ id, transactions, progress }) {
          if (stream.writableLength > MAX_BUFFERED) return false;
          write('transactions', id, { transactions: transactions.map(toAnswer), progress });
          return true;
        },
        reset: (id) => write('reset', id, {}),
      });
      // A comment now and then tells proxies and the page that the line is up.
      const beat = setInterval(() => stream.write(': still here\n\n'), 15_000);
      beat.unref();
      const unwatch = watch(() => stream.end());
      stream.on('close', () => {
        clearInterval(beat);
        unwatch();
        end();
        open.delete(stream);
      });
      hub.turn().catch(() => {});
    },
  });

  const ancestors = async (entry: Transaction, scope: Scope): Promise<Transaction[]> => {
    const out: Transaction[] = [];
    // Flow, task, meter, association: a tree is not deeper.
    for (let parent = entry.parent; parent !== undefined && out.length < 8; ) {
      const found = await journal.get(parent, scope);
      if (!found) break;
      out.unshift(found);
      parent = found.parent;
    }
    return out;
  };

  router.add({
    method: 'GET',
    path: '/api/v1/transactions/:id',
    needs: 'transaction:view',
    tag: 'transactions',
    summary: 'One entry of the transaction log, and what it is a part of',
    params: z.object({ id: id63 }),
    answer: one,
    scoped: true,
    handler: async ({ caller, params }) => {
      const found = await journal.get(params.id, caller.scope);
      if (!found) throw new HttpError(404, `there is no transaction ${params.id}`);
      return { ...toAnswer(found), ancestors: (await ancestors(found, caller.scope)).map(toAnswer) };
    },
  });
}
