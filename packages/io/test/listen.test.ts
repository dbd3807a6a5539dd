import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Listener, listenTcp, listenUdp, PortError } from '../src/index.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
function keep(listener: Listener): Listener {
  open.push(listener);
  return listener;
}

function client(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(socket));
    socket.on('error', reject);
  });
}
const data = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString()));
  });
const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('close', () => resolve());
    socket.resume();
  });

test('each TCP client has a connection of its own, which ends with it', async () => {
  const log: string[] = [];
  let gone = () => {};
  const last = new Promise<void>((resolve) => {
    gone = resolve;
  });
  let n = 0;
  const listener = keep(
    await listenTcp({ host: '', port: 0 }, (connection) => {
      const name = `client ${++n}`;
      expect(connection.describe).toMatch(/^127\.0\.0\.1:\d+$/);
      return {
        data: (bytes) => connection.write(Uint8Array.from([...new TextEncoder().encode(`${name} `), ...bytes])),
        closed: () => {
          log.push(`${name} gone`);
          gone();
        },
      };
    }),
  );
  const first = await client(listener.port);
  const second = await client(listener.port);
  first.write('a');
  expect(await data(first)).toBe('client 1 a');
  second.write('b');
  expect(await data(second)).toBe('client 2 b');
  first.destroy();
  await last;
  expect(log).toEqual(['client 1 gone']);
  const end = ended(second);
  await listener.close();
  await end;
  expect(log).toEqual(['client 1 gone', 'client 2 gone']);
});

test('a connection that is not wanted, or closed, ends', async () => {
  const refuse = keep(await listenTcp({ host: '', port: 0 }, () => undefined));
  await ended(await client(refuse.port));
  const cut = keep(
    await listenTcp({ host: '', port: 0 }, (connection) => ({
      data: () => {
        connection.close();
        connection.write(new Uint8Array(1));
      },
      closed: () => {},
    })),
  );
  const socket = await client(cut.port);
  socket.write('x');
  await ended(socket);
});

test('a port in use is a PortError', async () => {
  const { port } = keep(await listenTcp({ host: '', port: 0 }, () => undefined));
  await expect(listenTcp({ host: '', port }, () => undefined)).rejects.toBeInstanceOf(PortError);
});

test('datagrams come with their sender and are answered there', async () => {
  const listener = keep(
    await listenUdp({ host: '', port: 0 }, (bytes, peer, reply) => {
      expect(peer).toMatch(/^127\.0\.0\.1:\d+$/);
      reply(bytes.map((byte) => byte + 1));
    }),
  );
  const socket = createSocket('udp4');
  const answer = new Promise<string>((resolve) => socket.once('message', (bytes) => resolve(bytes.toString())));
  socket.send('ab', listener.port, '127.0.0.1');
  expect(await answer).toBe('bc');
  socket.close();
});
