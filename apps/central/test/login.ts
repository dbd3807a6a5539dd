/** Log-in for tests: a central system's HTTP server without a port, its users, and who asks. */
import { join } from 'node:path';
import { PRIVILEGES, type Privilege, type Scope } from '@amiable/model';
import { openStore, type Store } from '@amiable/store';
import type { FastifyInstance } from 'fastify';
import { createTestDatabase } from '../../../packages/store/test/harness.ts';
import { type Access, digest } from '../src/access/access.ts';
import { type Central, type CentralOptions, startCentral } from '../src/central.ts';
import type { AnyRoute } from '../src/http/router.ts';

/** Hashing that costs next to nothing. */
export const CHEAP = { memoryCost: 8, timeCost: 1, parallelism: 1 } as const;
export const PASSWORD = 'correct horse battery staple';

export interface TestApp {
  readonly app: FastifyInstance;
  readonly central: Central;
  readonly store: Store;
  readonly access: Access;
  readonly routes: readonly AnyRoute[];
  readonly base: string;
  /** Of the database. */
  readonly url: string;
  /** Every line of the log. */
  readonly lines: readonly string[];
  /** Headers of somebody with these privileges in these segments. */
  as(privileges: readonly Privilege[], segments?: Scope): Promise<Record<string, string>>;
  close(): Promise<void>;
}

let count = 0;

export async function openTestApp(folder: string, options: Partial<CentralOptions> = {}): Promise<TestApp> {
  const database = await createTestDatabase();
  const store = await openStore({ url: database.url, migrate: false });
  const lines: string[] = [];
  const central = await startCentral({
    store,
    masterKeyFile: join(folder, 'master-key'),
    version: 'test',
    timeZone: 'Europe/Oslo',
    apiKeys: [],
    http: { host: '127.0.0.1', port: 0 },
    log: (line) => lines.push(line),
    ...options,
    access: { argon: CHEAP, ...options.access },
  });
  return {
    app: central.app,
    central,
    store,
    access: central.access,
    routes: central.routes,
    base: `http://127.0.0.1:${central.httpPort}`,
    url: database.url,
    lines,
    as: (privileges, segments = 'all') => tokenFor(store, privileges, segments),
    async close() {
      await central.stop();
      await store.close();
      await database.drop();
    },
  };
}

/** A user of a group of its own with a token for all of it: as bearer header. */
export async function tokenFor(store: Store, privileges: readonly Privilege[], segments: Scope) {
  const name = `test ${++count}`;
  const free = () => {};
  const group = await store.access.createGroup({ name, description: null, privileges }, free);
  const user = await store.access.createUser({ name, groups: [group.id], segments }, Date.now(), free);
  const secret = `amt_${name.replace(' ', '_')}_${'x'.repeat(20)}`;
  await store.access.createToken(
    { user: user.id, name: 'test', hash: digest(secret), privileges: PRIVILEGES, segments: 'user', expiresAt: null },
    Date.now(),
  );
  return { authorization: `Bearer ${secret}` };
}

/** Logs in at a running server. @returns the cookie, as a header */
export async function logIn(base: string, name: string, password = PASSWORD): Promise<Record<string, string>> {
  const answer = await fetch(`${base}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password }),
  });
  if (!answer.ok) throw new Error(`log-in of ${name}: ${answer.status} ${await answer.text()}`);
  return { cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] as string };
}
