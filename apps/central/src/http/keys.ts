/** The API keys of readers and displays elsewhere, compared without telling by the time it takes. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

export interface ApiKeys {
  is(text: string): boolean;
  /** The key of `Authorization: Bearer`, as a name for counting; undefined when there is none that is known. */
  ofHeader(request: FastifyRequest): string | undefined;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export function createApiKeys(apiKeys: readonly string[]): ApiKeys {
  const known = apiKeys.map(digest);
  const is = (text: string): boolean => {
    const asked = digest(text);
    return known.some((key) => timingSafeEqual(key, asked));
  };
  return {
    is,
    ofHeader(request) {
      const found = /^Bearer (\S{1,200})$/i.exec(request.headers.authorization ?? '');
      return found && is(found[1] as string) ? digest(found[1] as string).toString('hex') : undefined;
    },
  };
}
