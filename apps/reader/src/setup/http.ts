/**
 * Requests and answers of the reader's own pages, without what stands on them.
 *
 * Guards: it answers only to names of this machine (a page elsewhere cannot reach it by rebinding a name); changes come only from its
 * own page (SameSite cookie, Origin); no script or style from anywhere but itself; bodies are bounded.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { PageHost } from './host.ts';
import type { PageKey } from './i18n/index.ts';

const LARGEST_BODY = 512 * 1024;
const POLICY =
  "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";

/** Told to the visitor on a page, in the visitor's language. */
export class Refusal extends Error {
  readonly status: number;
  readonly key: PageKey;
  constructor(status: number, key: PageKey) {
    super(key);
    this.status = status;
    this.key = key;
  }
}

export const cookiesOf = (request: IncomingMessage): Map<string, string> =>
  new Map(
    (request.headers.cookie ?? '').split(';').map((part) => {
      const cut = part.indexOf('=');
      return [part.slice(0, cut).trim(), part.slice(cut + 1).trim()];
    }),
  );
export const cookie = (name: string, value: string, age?: number) =>
  `${name}=${value}; Path=/; SameSite=Strict; HttpOnly${age === undefined ? '' : `; Max-Age=${age}`}`;

export const knownHost = (header: string, host: PageHost): boolean => {
  const name = header.replace(/:\d+$/, '').toLowerCase();
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
  const own = host.hostName.toLowerCase();
  return name === own || name === `${own}.local` || host.page().names.includes(name);
};
export const ownOrigin = (request: IncomingMessage): boolean => {
  const { origin, host: name } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return origin === undefined || origin.replace(/^https?:\/\//, '') === name;
};
export const addressOf = (request: IncomingMessage): string =>
  request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';

export const body = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > LARGEST_BODY) throw new Refusal(413, 'tooLarge');
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
};

export const send = (
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  more: Record<string, string | string[]> = {},
) => {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
    ...more,
  });
  response.end(text);
};
export const redirect = (response: ServerResponse, to: string, cookies: string[] = []) =>
  send(response, 303, 'text/plain; charset=utf-8', '', {
    location: to,
    ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}),
  });
