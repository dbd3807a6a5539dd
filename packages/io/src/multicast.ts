/**
 * Datagrams to and from a multicast group of the LAN (RFC 1112). The time to live is 1 unless said: meter readings stay
 * in the house. Loopback is on, so that a listener on the same machine hears them too.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { PortError, portError } from './faults.ts';
import type { HostPort } from './tcp.ts';

export const DEFAULT_GROUP: HostPort = { host: '239.192.77.1', port: 7701 };
/** The most that fits in one UDP datagram over IPv4. */
export const LARGEST_DATAGRAM = 65_507;

export interface MulticastOptions {
  readonly group?: HostPort;
  readonly ttl?: number;
  /** Address of the interface to use, e.g. 127.0.0.1 or 192.168.1.10. */
  readonly interface?: string;
}

export const isMulticast = (host: string): boolean =>
  (isIP(host) === 4 && Number(host.split('.')[0]) >= 224 && Number(host.split('.')[0]) <= 239) ||
  (isIP(host) === 6 && /^ff/i.test(host));

const subjectOf = (group: HostPort) => `multicast ${group.host}:${group.port}`;
const kindOf = (group: HostPort) => (isIP(group.host) === 6 ? ('udp6' as const) : ('udp4' as const));

export interface MulticastSender {
  readonly describe: string;
  /** @throws PortError */
  send(datagram: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export async function multicastSender({
  group = DEFAULT_GROUP,
  ttl = 1,
  interface: on,
}: MulticastOptions = {}): Promise<MulticastSender> {
  const socket = createSocket({ type: kindOf(group) });
  socket.on('error', () => {});
  await bind(socket, { port: 0 }, group, () => {
    socket.setMulticastTTL(ttl);
    socket.setMulticastLoopback(true);
    if (on) socket.setMulticastInterface(on);
  });
  return {
    describe: subjectOf(group),
    send(datagram) {
      if (datagram.length > LARGEST_DATAGRAM)
        return Promise.reject(
          new PortError('other', `${subjectOf(group)}: ${datagram.length} bytes do not fit in one datagram`),
        );
      return new Promise((resolve, reject) => {
        socket.send(datagram, group.port, group.host, (error) =>
          error ? reject(portError(subjectOf(group), error)) : resolve(),
        );
      });
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

export interface MulticastReceiver {
  readonly describe: string;
  close(): Promise<void>;
}

export async function multicastReceiver(
  { group = DEFAULT_GROUP, interface: on }: MulticastOptions,
  datagram: (bytes: Uint8Array, from: string) => void,
): Promise<MulticastReceiver> {
  // Several listeners on one machine share the port.
  const socket = createSocket({ type: kindOf(group), reuseAddr: true });
  socket.on('message', (bytes, from) => datagram(bytes, from.address));
  socket.on('error', () => {});
  await bind(socket, { port: group.port, ...(kindOf(group) === 'udp4' ? { address: '0.0.0.0' } : {}) }, group, () =>
    socket.addMembership(group.host, on),
  );
  return { describe: subjectOf(group), close: () => new Promise((resolve) => socket.close(() => resolve())) };
}

function bind(
  socket: Socket,
  at: { port: number; address?: string },
  group: HostPort,
  then: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      socket.close();
      reject(portError(subjectOf(group), error));
    };
    socket.once('error', fail);
    socket.bind(at, () => {
      socket.off('error', fail);
      try {
        then();
        resolve();
      } catch (error) {
        fail(error);
      }
    });
  });
}
