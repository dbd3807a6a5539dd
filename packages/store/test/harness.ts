/**
 * Databases for tests: each a clone of a migrated template on one server shared by the run (see test-server.ts).
 *
 *   const db = await createTestDatabase();
 *   const store = await openStore({ url: db.url });
 *   …
 *   await store.close();
 *   await db.drop();
 */
import { connect } from 'node:net';
import { openTestServer, query, type TestServer, withDatabase } from './test-server.ts';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  drop(): Promise<void>;
}

let shared: Promise<Pick<TestServer, 'url' | 'template'>> | undefined;
let own: Promise<TestServer> | undefined;
let count = 0;

/** The server's address (a user who may create databases) and the name of the migrated template. */
export function testServer(): Promise<Pick<TestServer, 'url' | 'template'>> {
  const broker = process.env.AMIABLE_TEST_BROKER;
  shared ??= broker ? askBroker(Number(broker)) : openOwn();
  return shared;
}

/** A fresh database; with `empty` one without the schema. */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = await testServer();
  const name = `amiable_test_${process.pid}_${++count}`;
  await query(server.url, `create database ${name} template ${options.empty ? 'template0' : server.template}`);
  return {
    name,
    url: withDatabase(server.url, name),
    async drop() {
      await query(server.url, `drop database if exists ${name} with (force)`);
    },
  };
}

function askBroker(port: number): Promise<Pick<TestServer, 'url' | 'template'>> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => {
      const answer = JSON.parse(text) as { url: string; template: string; error?: string };
      if (answer.error === undefined) resolve(answer);
      else reject(new Error(answer.error));
    });
  });
}

/** Outside a test run (a benchmark) the server belongs to this process, which must close it at its end. */
export async function closeTestServer(): Promise<void> {
  const server = await own;
  own = undefined;
  shared = undefined;
  await server?.close();
}

function openOwn(): Promise<TestServer> {
  own = openTestServer();
  return own;
}
