/** The one cookie there is: a session's id, which no script reads and no other site's page sends. */
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A browser keeps a name with __Host- from being set by anybody but this very server over TLS. */
const nameOf = (secure: boolean): string => (secure ? '__Host-amiable' : 'amiable');
const VALUE = /^[A-Za-z0-9_-]{20,100}$/;
const MOST = 4096;

/** The session's id; undefined also when several are sent: somebody else set one of them. */
export function readCookie(request: FastifyRequest, secure: boolean): string | undefined {
  const header = request.headers.cookie;
  if (header === undefined || header.length > MOST) return undefined;
  const name = nameOf(secure);
  const found = header
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
  return found.length === 1 && VALUE.test(found[0] as string) ? found[0] : undefined;
}

export function setCookie(reply: FastifyReply, secure: boolean, value: string | undefined): void {
  const rest = `; Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  // Without Max-Age it goes with the browser; the server ends it earlier in any case.
  reply.header('set-cookie', `${nameOf(secure)}=${value ?? ''}${value === undefined ? '; Max-Age=0' : ''}${rest}`);
}
