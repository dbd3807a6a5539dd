/**
 * From where a request comes, and whether a password may come that way: over TLS, from this machine itself, or through a proxy that
 * was named. What a header says of the way is believed from a named proxy only.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';

export interface Place {
  readonly address: string;
  /** Nobody on the way can listen. */
  readonly secure: boolean;
  /** A program on this machine, and no proxy before it. */
  readonly local: boolean;
  /** Came through a proxy that was named. */
  readonly proxied: boolean;
  /** The name by which the caller knows this server. */
  readonly host: string;
}

const FORWARDED = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via'];

export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
const isLoopback = (address: string): boolean => address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);

const last = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return (Array.isArray(value) ? value.join(',') : value)?.split(',').at(-1)?.trim();
};

export function createPlaces(trusted: readonly string[]): (request: FastifyRequest) => Place {
  const proxies = new Set(trusted.map(plainAddress));
  return (request) => {
    const { headers } = request;
    const socket = request.raw.socket as typeof request.raw.socket & { encrypted?: boolean };
    const peer = plainAddress(socket.remoteAddress ?? '');
    const host = headers.host ?? '';
    const forwarded = FORWARDED.some((name) => headers[name] !== undefined);
    const given = headers['x-forwarded-for'];
    if (proxies.has(peer) && given !== undefined) {
      const way = (Array.isArray(given) ? given.join(',') : given).split(',').map((each) => plainAddress(each.trim()));
      const own = way.findLast((each) => !proxies.has(each)) ?? peer;
      return {
        address: /^[0-9a-f.:]{2,45}$/i.test(own) ? own : peer,
        secure: last(headers, 'x-forwarded-proto')?.toLowerCase() === 'https',
        local: false,
        proxied: true,
        host: last(headers, 'x-forwarded-host') ?? host,
      };
    }
    return {
      address: peer,
      secure: socket.encrypted === true,
      local: isLoopback(peer) && !forwarded,
      proxied: false,
      host,
    };
  };
}
