/**
 * Listening for clients, each a connection of its own: what a server of many meters needs, and `tcpServer` (one link that
 * speaks to everyone) is not. Bytes leave within the call that wrote them as far as the system takes them.
 */
import { createSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { portError } from './faults.ts';
import type { HostPort } from './tcp.ts';

/** One client. */
export interface IncomingConnection {
  readonly describe: string;
  write(bytes: Uint8Array): void;
  close(): void;
  /** Bytes written that the client has not taken. */
  readonly waiting: number;
}

/** What the owner of the listener wants to know of a connection. */
export interface IncomingEvents {
  data(bytes: Uint8Array): void;
  closed(): void;
}

export interface Listener {
  /** The port in use: the one asked for, or the system's choice for 0. */
  readonly port: number;
  /** Stops listening and cuts all connections. */
  close(): Promise<void>;
}

/** A Buffer's `slice` is a view, not the copy that everybody else's is: so none is handed on. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

class TcpConnection implements IncomingConnection {
  readonly #socket: Socket;
  readonly describe: string;
  constructor(socket: Socket) {
    this.#socket = socket;
    this.describe = `${socket.remoteAddress}:${socket.remotePort}`;
  }
  get waiting(): number {
    return this.#socket.writableLength;
  }
  write(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }
  close(): void {
    this.#socket.destroy();
  }
}

/** Certificate and key of the listener in PEM; with `ca` only clients whose certificate it signed are let in. */
export interface ListenTls {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  readonly ca?: string | Uint8Array;
}

function serverOf(tls: ListenTls | undefined, connected: (socket: Socket) => void): Server {
  const options = { noDelay: true, keepAlive: true };
  if (!tls) return createServer(options, connected);
  const ca = tls.ca ? { ca: Buffer.from(tls.ca), requestCert: true, rejectUnauthorized: true } : {};
  const own = { cert: Buffer.from(tls.cert), key: Buffer.from(tls.key), ...ca };
  // A client that connects and then says nothing must not keep a place for ever.
  const server = createTlsServer({ ...options, ...own, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 }, connected);
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/**
 * Listens on TCP (with `tls` on TLS), loopback unless a host is given. `accept` gives the events of a connection, or undefined to refuse it.
 * @throws PortError
 */
export function listenTcp(
  { host, port }: HostPort,
  accept: (connection: IncomingConnection) => IncomingEvents | undefined,
  { tls }: { readonly tls?: ListenTls } = {},
): Promise<Listener> {
  const sockets = new Set<Socket>();
  return new Promise((resolve, reject) => {
    const server = serverOf(tls, (socket) => {
      socket.on('error', () => socket.destroy());
      const events = accept(new TcpConnection(socket));
      if (!events) {
        socket.destroy();
        return;
      }
      sockets.add(socket);
      socket.on('data', (bytes) => events.data(plain(bytes)));
      socket.on('close', () => {
        sockets.delete(socket);
        events.closed();
      });
    });
    server.once('error', (error) => reject(portError(`${host || '127.0.0.1'}:${port}`, error)));
    server.listen({ host: host || '127.0.0.1', port, backlog: 511 }, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : port,
        async close() {
          // Behind the last `closed`: the server's own event may come before those of its sockets.
          const ends = [...sockets].map((socket) => new Promise((done) => socket.once('close', done)));
          for (const socket of sockets) socket.destroy();
          await Promise.all([...ends, new Promise((done) => server.close(done))]);
        },
      });
    });
  });
}

/** Listens on UDP, loopback unless a host is given. @throws PortError */
export function listenUdp(
  { host, port }: HostPort,
  datagram: (bytes: Uint8Array, peer: string, reply: (bytes: Uint8Array) => void) => void,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const refused = (error: Error) => reject(portError(`${host || '127.0.0.1'}:${port}`, error));
    socket.once('error', refused);
    socket.on('message', (bytes, from) =>
      datagram(plain(bytes), `${from.address}:${from.port}`, (answer) => socket.send(answer, from.port, from.address)),
    );
    socket.bind(port, host || '127.0.0.1', () => {
      socket.off('error', refused);
      // What cannot be delivered is lost, as datagrams are.
      socket.on('error', () => {});
      resolve({
        port: socket.address().port,
        close: () => new Promise((done) => socket.close(() => done())),
      });
    });
  });
}
