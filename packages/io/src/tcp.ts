/** TCP as a link: a client, and a server that speaks to everyone who has connected (for simulators and test benches). */
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PortError, portError } from './faults.ts';
import type { Link, LinkEvents } from './link.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[v6]:port`, `:port`, with or without `tcp://`; undefined when it is none. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:tcp:\/\/)?(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/[\]]*)):(\d{1,5})\/?$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  if (port < 1 || port > 65535) return undefined;
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Whom a connection trusts, and how it proves itself; all in PEM. */
export interface TlsOptions {
  /** Authorities that the other end's certificate is checked with; the system's unless given. */
  readonly ca?: string | Uint8Array;
  /** Our certificate and key, where the other end asks for them. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Name that the certificate must be for; the host unless given. */
  readonly servername?: string;
}

export interface TcpClientOptions {
  /** ms until the connection must stand, TLS included. */
  readonly timeout?: number;
  /** Present: TLS 1.2 or newer, with the other end's certificate checked. */
  readonly tls?: TlsOptions;
}

function connectTo({ host, port }: HostPort, tls: TlsOptions | undefined): Socket {
  const where = { host, port, keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true };
  if (!tls) return connect(where);
  const { ca, cert, key, servername = isIP(host) ? undefined : host } = tls;
  return connectTls({
    ...where,
    minVersion: 'TLSv1.2',
    ...(servername ? { servername } : {}),
    ...(ca ? { ca: pem(ca) } : {}),
    ...(cert ? { cert: pem(cert) } : {}),
    ...(key ? { key: pem(key) } : {}),
  });
}

const pem = (given: string | Uint8Array): string | Buffer => (typeof given === 'string' ? given : Buffer.from(given));

export function tcpClient({ host, port }: HostPort, { timeout = 10_000, tls }: TcpClientOptions = {}): Link {
  const subject = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  let socket: Socket | undefined;
  return {
    describe: subject,
    open(events) {
      return new Promise<void>((resolve, reject) => {
        const s = connectTo({ host, port }, tls);
        socket = s;
        let opened = false;
        let failure: PortError | undefined;
        s.setTimeout(timeout, () =>
          s.destroy(new PortError('timeout', `${subject}: no answer in ${timeout / 1000} s`)),
        );
        s.on(tls ? 'secureConnect' : 'connect', () => {
          opened = true;
          s.setTimeout(0);
          resolve();
        });
        s.on('data', (bytes) => events.data(bytes));
        s.on('end', () => {
          failure ??= new PortError('closed', `${subject}: the other side closed the connection`);
        });
        s.on('error', (error) => {
          failure = portError(subject, error);
        });
        s.on('close', () => {
          const wanted = socket !== s;
          if (!wanted) socket = undefined;
          if (!opened) reject(failure ?? new PortError('closed', `${subject}: closed while connecting`));
          else events.closed(wanted ? undefined : failure);
        });
      });
    },
    write(bytes) {
      return send(socket, subject, bytes);
    },
    pause() {
      socket?.pause();
    },
    resume() {
      socket?.resume();
    },
    close() {
      const s = socket;
      socket = undefined;
      if (!s || s.destroyed) return Promise.resolve();
      return new Promise((resolve) => {
        s.once('close', () => resolve());
        s.destroy();
      });
    },
  };
}

function send(socket: Socket | undefined, subject: string, bytes: Uint8Array): Promise<void> {
  if (!socket || socket.destroyed) return Promise.reject(new PortError('closed', `${subject}: not connected`));
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(portError(subject, error)) : resolve()));
  });
}

export interface TcpServerLink extends Link {
  /** The port in use, once open: the one asked for, or the system's choice for 0. */
  readonly port: number;
  readonly peers: number;
}

/** A peer that lets this much pile up is cut off, lest it hold the memory of the rest. */
const SLOW_PEER = 1 << 20;

export function tcpServer({ host, port }: HostPort, { maxPeers = 100 }: { maxPeers?: number } = {}): TcpServerLink {
  let server: Server | undefined;
  let bound = port;
  let events: LinkEvents | undefined;
  const peers = new Set<Socket>();
  const subject = () => `${host || '127.0.0.1'}:${bound}`;
  return {
    get describe() {
      return `listening on ${subject()}`;
    },
    get port() {
      return bound;
    },
    get peers() {
      return peers.size;
    },
    open(given) {
      events = given;
      return new Promise<void>((resolve, reject) => {
        const s = createServer({ noDelay: true, keepAlive: true }, (peer) => {
          if (peers.size >= maxPeers) {
            peer.destroy();
            return;
          }
          peers.add(peer);
          peer.on('data', (bytes) => events?.data(bytes));
          peer.on('error', () => peer.destroy());
          peer.on('close', () => peers.delete(peer));
        });
        s.once('error', (error) => reject(portError(subject(), error)));
        s.listen(port, host || '127.0.0.1', () => {
          const address = s.address();
          if (typeof address === 'object' && address) bound = address.port;
          server = s;
          resolve();
        });
      });
    },
    async write(bytes) {
      for (const peer of peers) {
        if (peer.writableLength > SLOW_PEER) peer.destroy();
        else peer.write(bytes);
      }
    },
    pause() {
      for (const peer of peers) peer.pause();
    },
    resume() {
      for (const peer of peers) peer.resume();
    },
    close() {
      const s = server;
      server = undefined;
      if (!s) return Promise.resolve();
      // `end` lets what is under way arrive; nobody may keep us by not closing his half.
      for (const peer of peers) {
        peer.end();
        peer.setTimeout(1000, () => peer.destroy());
      }
      return new Promise((resolve) => {
        s.close(() => {
          events?.closed();
          resolve();
        });
      });
    },
  };
}
