/** POST /api/v1/messages: the front door of readers that speak HTTP; POST /api/v1/values: that of microcontrollers. */
import { may } from '@amiable/model';
import { ingestAnswer } from '@amiable/model/schemas';
import type { Context } from '../../context.ts';
import { HttpError } from '../../http/error.ts';
import { wholeBody } from '../../http/forms.ts';
import type { Router } from '../../http/router.ts';
import { BodyError, bodyText, MAX_BODY, parseBody } from '../../ingest/parse.ts';
import { keyIn, parseValues } from '../../ingest/values.ts';

/** More is not what a microcontroller posts. */
const MAX_VALUES_BODY = 16 * 1024;
/** One reader may have this many requests under way; the next is told to slow down. */
const MAX_UNDER_WAY = 16;

export function ingestRoutes(router: Router, { access, ingest, now }: Context): void {
  const underWay = new Map<string, number>();

  router.add({
    method: 'POST',
    path: '/api/v1/messages',
    needs: 'execute:ingest',
    tag: 'ingest',
    summary: 'Takes canonical messages of readers; answers when they are durable',
    answer: ingestAnswer,
    audit: 'none',
    raw: true,
    takes: ['application/json', 'application/x-ndjson'],
    bodyLimit: MAX_BODY + 1,
    before: (_caller, request, reply) => {
      // By what it sent to say who it is: readers share an owner, each has a key of its own.
      const key = access.hashOf(request.headers.authorization ?? '').toString('base64');
      if ((underWay.get(key) ?? 0) >= MAX_UNDER_WAY) {
        reply.header('retry-after', '1');
        throw new HttpError(429, `more than ${MAX_UNDER_WAY} requests of this key are under way`);
      }
      // Counted before the body comes: bodies under way are what takes memory.
      underWay.set(key, (underWay.get(key) ?? 0) + 1);
      reply.raw.once('close', () => {
        const left = (underWay.get(key) ?? 1) - 1;
        if (left > 0) underWay.set(key, left);
        else underWay.delete(key);
      });
    },
    handler: async ({ request, reply }) => {
      const body = await wholeBody(request.body);
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

  router.add({
    method: 'POST',
    path: '/api/v1/values',
    // Small firmware has its key in the form, as others have it in a header.
    needs: 'public',
    tag: 'ingest',
    summary: 'Takes values of microcontrollers, as lines or as a form; the key may stand in the body',
    answer: ingestAnswer,
    audit: 'none',
    raw: true,
    takes: ['text/plain', 'application/x-www-form-urlencoded'],
    bodyLimit: MAX_BODY,
    handler: async ({ caller, request, reply }) => {
      const body = await wholeBody(request.body);
      if (body.length > MAX_VALUES_BODY)
        throw new BodyError(413, `the body has ${body.length} bytes; at most ${MAX_VALUES_BODY} are taken`);
      const text = body.toString('utf8');
      const form = /^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '');
      const inBody = keyIn(text);
      const by = may(caller, 'execute:ingest')
        ? caller
        : inBody === undefined
          ? undefined
          : await access.ofSecret(inBody);
      if (!by || !may(by, 'execute:ingest'))
        return reply
          .code(401)
          .header('www-authenticate', 'Bearer')
          .send({ error: 'send the API key as `Authorization: Bearer <key>` or as api_key=<key> in the body' });
      const { message, rejected } = parseValues(text, form, now());
      const result = await ingest([message]);
      return {
        accepted: result.accepted,
        duplicates: result.duplicates,
        rejected: [...rejected, ...result.rejected.map(({ reason }) => ({ line: 1, reason }))],
      };
    },
  });
}
