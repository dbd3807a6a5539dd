/** POST /api/v1/messages: the front door of readers that speak HTTP. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Context } from '../../context.ts';
import { bodyText, MAX_BODY, parseBody } from '../../ingest/parse.ts';

/** One reader may have this many requests under way; the next is told to slow down. */
const MAX_UNDER_WAY = 16;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export function ingestRoutes(app: FastifyInstance, { ingest, apiKeys }: Context): void {
  const known = apiKeys.map(digest);
  const underWay = new Map<string, number>();

  const keyOf = (request: FastifyRequest): string | undefined => {
    const found = /^Bearer (\S{1,200})$/i.exec(request.headers.authorization ?? '');
    if (!found) return undefined;
    const asked = digest(found[1] as string);
    return known.some((key) => timingSafeEqual(key, asked)) ? asked.toString('hex') : undefined;
  };

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY + 1 }, (_request, body, done) =>
    done(null, body),
  );

  app.post('/api/v1/messages', {
    // Before the body is read: a stranger's five megabytes are not worth receiving.
    onRequest: async (request, reply) => {
      const key = keyOf(request);
      if (key === undefined)
        return reply
          .code(401)
          .header('www-authenticate', 'Bearer')
          .send({ error: 'send the API key as `Authorization: Bearer <key>`; this one is not known' });
      if ((underWay.get(key) ?? 0) >= MAX_UNDER_WAY)
        return reply
          .code(429)
          .header('retry-after', '1')
          .send({ error: `more than ${MAX_UNDER_WAY} requests of this key are under way` });
      // Counted before the body comes: bodies under way are what takes memory.
      underWay.set(key, (underWay.get(key) ?? 0) + 1);
      reply.raw.once('close', () => {
        const left = (underWay.get(key) ?? 1) - 1;
        if (left > 0) underWay.set(key, left);
        else underWay.delete(key);
      });
    },
    handler: async (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const parsed = parseBody(await bodyText(body, request.headers['content-encoding']));
      if (parsed.messages.length === 0)
        return reply
          .code(422)
          .send({ error: parsed.rejected[0]?.reason, rejected: parsed.rejected, accepted: 0, duplicates: 0 });
      const result = await ingest(parsed.messages);
      return {
        accepted: result.accepted,
        duplicates: result.duplicates,
        rejected: [
          ...parsed.rejected,
          ...result.rejected.map(({ index, reason }) => ({ line: parsed.lines[index] as number, reason })),
        ].sort((a, b) => a.line - b.line),
      };
    },
  });
}
