/**
 * One database server for the whole run, started when the first test asks for it (a run without database tests never
 * does). Test workers reach it through a small broker in the main process, whose address they inherit.
 */
import { createServer } from 'node:net';
import { openTestServer, type TestServer } from './test-server.ts';

export default async function setup(): Promise<() => Promise<void>> {
  let started: Promise<TestServer> | undefined;
  const broker = createServer((socket) => {
    socket.on('error', () => {});
    started ??= openTestServer();
    started.then(
      ({ url, template }) => socket.end(JSON.stringify({ url, template })),
      (error: Error) => socket.end(JSON.stringify({ error: error.message })),
    );
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
  const address = broker.address();
  if (address && typeof address === 'object') process.env.AMIABLE_TEST_BROKER = String(address.port);
  return async () => {
    delete process.env.AMIABLE_TEST_BROKER;
    await new Promise((resolve) => broker.close(resolve));
    const server = await started?.catch(() => undefined);
    await server?.close();
  };
}
