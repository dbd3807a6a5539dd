/** Reading a meter now (AMI system description §3.5.4, §5.2.4): ordered, watched, cancelled. */
import type { Caller, Scope } from '@amiable/model';
import { z } from 'zod';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { meterParams } from '../../http/forms.ts';
import type { Router } from '../../http/router.ts';
import { createReads, isOver } from './reads.ts';
import { registersOf, resultOf } from './result.ts';
import { type Read, type ReadBody, readBody, readList, read as readShape } from './schema.ts';

const readParams = z.object({ id: z.string().regex(/^\d{1,18}$/, 'the number of a read has digits only') });
const listQuery = z.object({ limit: z.coerce.number().int().min(1).max(100).default(10) });

const MAX_LISTENERS = 500;
const BEAT = 15_000;

export function onDemandRoutes(router: Router, { store, now }: Context): void {
  const reads = createReads({ store, now });
  const streams = new Set<NodeJS.WritableStream & { end(): void }>();
  router.app.addHook('preClose', async () => {
    reads.close();
    for (const stream of streams) stream.end();
  });

  const missing = (id: string): HttpError => new HttpError(404, `there is no read ${id}`);

  /** What came, once it is over. */
  async function withResult(read: Read, scope: Scope): Promise<Read> {
    if (!isOver(read) || read.state === 'cancelled' || (read.state === 'failed' && read.stored === 0)) return read;
    const found = await reads.body(read.id);
    const connection = await store.readout.connection(read.meter, scope);
    if (!found || !connection) return read;
    const ended = read.ended === null ? now() : Date.parse(read.ended);
    return {
      ...read,
      result: await resultOf(store, connection, { body: found.body, asked: found.run.created, ended }, scope),
    };
  }

  /** Refused now rather than by the meter later. @throws HttpError */
  async function checked(meter: string, body: ReadBody, caller: Caller) {
    const found = await store.meter(meter, caller.scope);
    if (!found) throw new HttpError(404, `there is no meter ${meter}`);
    const connection = await store.readout.connection(meter, caller.scope);
    if (!connection)
      throw new HttpError(409, `meter ${found.serial} has no connection: nobody knows how it is reached`);
    const set = (await store.readout.sets()).get(connection.readout);
    const known = (names: Iterable<string>): string => [...names].slice(0, 20).join(', ') || 'none';
    if (body.what === 'registers' && registersOf(body, set).length === 0)
      throw new HttpError(
        422,
        `set: meter type ${connection.readout} has no set ${body.set ?? 'billing'}; it has ${known(Object.keys(set?.registers ?? {}))}`,
      );
    if (body.what === 'profile' && !set?.profiles.some(({ name }) => name === body.profile))
      throw new HttpError(
        422,
        `profile: meter type ${connection.readout} has no ${body.profile}; it has ${known((set?.profiles ?? []).map(({ name }) => name))}`,
      );
    if (body.what === 'events' && body.log !== undefined && !set?.logs.some(({ name }) => name === body.log))
      throw new HttpError(
        422,
        `log: meter type ${connection.readout} has no ${body.log}; it has ${known((set?.logs ?? []).map(({ name }) => name))}`,
      );
    return found;
  }

  router.add({
    method: 'POST',
    path: '/api/v1/meters/:id/reads',
    needs: 'execute:read-now',
    tag: 'reads',
    summary: 'Reads a meter now: registers, a profile or events',
    description:
      'Goes ahead of all other work, within the windows and limits of the channel. What comes is stored like everything else. Watch it with GET or its events.',
    params: meterParams,
    body: readBody,
    answer: readShape,
    scoped: true,
    handler: async ({ params, body, caller, reply, about }) => {
      const meter = await checked(params.id, body, caller);
      about(`meter ${meter.id}`, { read: body.what });
      const read = await reads.order(meter, body, caller);
      reply.code(202);
      return read;
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/meters/:id/reads',
    needs: 'reading:view',
    tag: 'reads',
    summary: 'Reads on demand of a meter, the newest first',
    params: meterParams,
    query: listQuery,
    answer: readList,
    scoped: true,
    handler: async ({ params, query, caller }) => {
      if (!(await store.meter(params.id, caller.scope))) throw new HttpError(404, `there is no meter ${params.id}`);
      return { reads: await reads.ofMeter(params.id, query.limit, caller.scope) };
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/reads/:id',
    needs: 'reading:view',
    tag: 'reads',
    summary: 'A read on demand: how it stands, and what came',
    params: readParams,
    answer: readShape,
    scoped: true,
    handler: async ({ params, caller }) => {
      const read = await reads.get(params.id, caller.scope);
      if (!read) throw missing(params.id);
      return withResult(read, caller.scope);
    },
  });

  router.add({
    method: 'DELETE',
    path: '/api/v1/reads/:id',
    needs: 'execute:read-now',
    tag: 'reads',
    summary: 'Cancels a read on demand that has not ended',
    params: readParams,
    answer: readShape,
    scoped: true,
    handler: async ({ params, caller, about }) => {
      const read = await reads.cancel(params.id, caller.scope);
      if (!read) throw missing(params.id);
      about(`meter ${read.meter}`, { read: read.id });
      return read;
    },
  });

  router.add({
    method: 'GET',
    path: '/api/v1/reads/:id/events',
    needs: 'reading:view',
    tag: 'reads',
    summary: 'Server-sent events of a read on demand until it ends',
    params: readParams,
    answer: 'text/event-stream',
    scoped: true,
    handler: async ({ params, caller, reply, watch }) => {
      if (streams.size >= MAX_LISTENERS) throw new HttpError(503, `${MAX_LISTENERS} reads are watched already`);
      const first = await reads.get(params.id, caller.scope);
      if (!first) throw missing(params.id);
      reply.hijack();
      const stream = reply.raw;
      stream.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      streams.add(stream);
      let ended = false;
      const tell = (read: Read): void => {
        if (ended) return;
        ended = isOver(read);
        const told = ended ? withResult(read, caller.scope).catch(() => read) : Promise.resolve(read);
        void told.then((whole) => {
          if (stream.writableEnded) return;
          stream.write(`event: read\ndata: ${JSON.stringify(whole)}\n\n`);
          if (isOver(whole)) stream.end('event: end\ndata: {}\n\n');
        });
      };
      const unwatchRead = reads.watch(params.id, caller.scope, tell);
      // Proxies close what says nothing.
      const beat = setInterval(() => stream.write(': still here\n\n'), BEAT);
      beat.unref();
      const unwatch = watch(() => stream.end());
      stream.on('close', () => {
        clearInterval(beat);
        unwatch();
        unwatchRead();
        streams.delete(stream);
      });
    },
  });
}
