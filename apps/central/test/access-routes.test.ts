/**
 * Every route × who asks, out of the routes themselves: not logged in, all privileges but the one, the one alone, another segment.
 * A route that is added is tested by that; what stands for its parameters is in access-samples.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVILEGES, type Privilege } from '@amiable/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digest } from '../src/access/access.ts';
import type { AnyRoute } from '../src/http/router.ts';
import { areas, type Sample, type World } from './access-samples.ts';
import { openTestApp, type TestApp } from './login.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-access-'));
let test: TestApp;
let samples: Record<string, Sample | undefined>;
let users: { all: string; first: string };
const tokens = new Map<string, string>();

const nameOf = (route: AnyRoute): string => `${route.method} ${route.path}`;
const streams = (route: AnyRoute): boolean => route.answer === 'text/event-stream';
const privileged = (route: AnyRoute): route is AnyRoute & { needs: Privilege } =>
  !['public', 'caller', 'known'].includes(route.needs);

beforeAll(async () => {
  test = await openTestApp(folder);
  const { access } = test.store;
  const { id: segment } = await access.createSegment('FOREIGN', null);
  const ids = await test.store.ensureMeters([
    { serial: 'OWN-1', name: 'own' },
    { serial: 'FOREIGN-1', name: 'FOREIGN' },
  ]);
  const world: World = {
    store: test.store,
    meter: ids.get('OWN-1') as string,
    foreignMeter: ids.get('FOREIGN-1') as string,
    segment,
  };
  await access.moveMeters([world.foreignMeter], segment, 'all');
  const named: Record<string, Sample> = Object.assign(
    {},
    ...(await Promise.all(Object.values(areas).map((make) => make(world)))),
  );
  const unused = new Set(Object.keys(named));
  const sampleOf = (route: AnyRoute): Sample | undefined => {
    // The longest address that stands for this one wins.
    const fitting = Object.keys(named)
      .filter((name) => name === nameOf(route) || `${nameOf(route)}/`.replace(/^\S+/, '*').startsWith(`${name}/`))
      .sort((a, b) => Number(b === nameOf(route)) - Number(a === nameOf(route)) || b.length - a.length);
    for (const name of fitting) unused.delete(name);
    return named[fitting[0] ?? ''];
  };
  samples = Object.fromEntries(test.routes.map((route) => [nameOf(route), sampleOf(route)]));
  if (unused.size > 0) throw new Error(`samples of routes that are not there: ${[...unused].join(', ')}`);
  const free = () => {};
  const [all, first] = await Promise.all([
    access.createUser({ name: 'all', groups: [1], segments: 'all' }, Date.now(), free),
    access.createUser({ name: 'first', groups: [1], segments: [1] }, Date.now(), free),
  ]);
  users = { all: all.id, first: first.id };
  const wanted = new Set(test.routes.filter(privileged).map((route) => route.needs));
  const kinds = [...wanted].flatMap((needs) => [
    { key: `only ${needs}`, user: users.all, privileges: [needs] },
    { key: `first ${needs}`, user: users.first, privileges: [needs] },
    { key: `but ${needs}`, user: users.all, privileges: PRIVILEGES.filter((p) => p !== needs) },
  ]);
  kinds.push(
    { key: 'nothing', user: users.all, privileges: [] },
    { key: 'only known', user: users.all, privileges: ['meter:view'] },
    { key: 'first known', user: users.first, privileges: ['meter:view'] },
  );
  await Promise.all(
    kinds.map(async ({ key, user, privileges }) => {
      const secret = `amt_${key.replaceAll(/[ :]/g, '_')}`;
      await access.createToken(
        { user, name: key.slice(0, 90), hash: digest(secret), privileges, segments: 'user', expiresAt: null },
        Date.now(),
      );
      tokens.set(key, secret);
    }),
  );
}, 120_000);
afterAll(async () => {
  await test?.close();
  rmSync(folder, { recursive: true });
});

const NOBODY_HAS = '999999';
async function ask(route: AnyRoute, who: string | undefined, params?: Readonly<Record<string, string>>) {
  const sample = samples[nameOf(route)];
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => (params ?? sample?.params)?.[name] ?? NOBODY_HAS);
  const token = who === undefined ? undefined : tokens.get(who);
  if (who !== undefined && token === undefined) throw new Error(`no token ${who}`);
  const hasBody = route.method !== 'GET' && route.method !== 'DELETE';
  const answer = await test.app.inject({
    method: route.method,
    url: `${path}${sample?.query ? `?${sample.query}` : ''}`,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
    },
    ...(hasBody ? { payload: JSON.stringify(sample?.body ?? {}) } : {}),
  });
  return { status: answer.statusCode, body: answer.body };
}
/** All routes at once would be a crowd; one after the other is quick enough. */
async function each(routes: readonly AnyRoute[], check: (route: AnyRoute) => Promise<void>): Promise<void> {
  for (const route of routes) await check(route);
}

describe('every route', () => {
  it('asks who is not logged in to log in, but for what is public', async () => {
    expect(test.routes.length).toBeGreaterThan(40);
    await each(
      test.routes.filter((route) => route.needs !== 'public'),
      async (route) => {
        const { status, body } = await ask(route, undefined);
        expect([nameOf(route), status]).toEqual([nameOf(route), 401]);
        expect(JSON.parse(body), nameOf(route)).toEqual({ error: expect.stringMatching(/log in/) });
      },
    );
  });
  it('is public only where this test knows why', () => {
    expect(
      test.routes
        .filter((route) => route.needs === 'public')
        .map(nameOf)
        .sort(),
    ).toEqual([
      'GET /api/v1/me',
      'GET /api/v1/openapi.json',
      'GET /health',
      'POST /api/v1/first',
      'POST /api/v1/login',
      'POST /api/v1/logout',
      // Brings its key in the body.
      'POST /api/v1/values',
    ]);
  });
  it('refuses whoever has every privilege but the one, before it looks at anything else', async () => {
    await each(test.routes.filter(privileged), async (route) => {
      const { status, body } = await ask(route, `but ${route.needs}`);
      expect([nameOf(route), status]).toEqual([nameOf(route), 403]);
      expect(body, nameOf(route)).toContain(route.needs);
    });
  });
  it('refuses a token that has nothing what is not about itself', async () => {
    await each(
      test.routes.filter((route) => route.needs !== 'public' && route.needs !== 'caller' && route.needs !== 'known'),
      async (route) => expect([nameOf(route), (await ask(route, 'nothing')).status]).toEqual([nameOf(route), 403]),
    );
  });
  it('hides objects of other segments as if they were not there', async () => {
    const scoped = test.routes.filter((route) => route.scoped && !streams(route) && route.needs !== 'public');
    const missing = scoped.filter((route) => route.path.includes(':') && !samples[nameOf(route)]?.foreign);
    expect(missing.map(nameOf), 'scoped routes without a sample in access-samples.ts').toEqual([]);
    await each(scoped, async (route) => {
      const sample = samples[nameOf(route)];
      const needs = privileged(route) ? route.needs : 'known';
      const hidden = await ask(route, `first ${needs}`, sample?.foreign);
      expect(hidden.body, nameOf(route)).not.toContain('FOREIGN');
      if (!sample?.foreign) return;
      expect([nameOf(route), hidden.status]).toEqual([nameOf(route), 404]);
      // Nobody can tell it from one that does not exist.
      const digits = (text: string) => text.replaceAll(/\d+/g, '#');
      const nowhere = await ask(
        route,
        `first ${needs}`,
        Object.fromEntries(
          Object.entries(sample.foreign).map(([name, value]) => [name, /^\d{1,18}$/.test(value) ? NOBODY_HAS : value]),
        ),
      );
      expect([nameOf(route), nowhere.status, digits(nowhere.body)]).toEqual([nameOf(route), 404, digits(hidden.body)]);
    });
  });
  it('answers whoever has just the one, and shows all segments to who may see them', async () => {
    // What deletes comes last: the others want something to find.
    const routes = test.routes.filter((route) => !streams(route));
    await each(
      [...routes.filter((route) => route.method !== 'DELETE'), ...routes.filter((route) => route.method === 'DELETE')],
      async (route) => {
        const needs = privileged(route) ? route.needs : 'known';
        const { status, body } = await ask(route, `only ${needs}`);
        // Refusals of a handler for other reasons are its own affair; the guard lets pass.
        expect([nameOf(route), status === 403 && body.includes('lacks the privilege')]).toEqual([nameOf(route), false]);
        if (route.needs !== 'public') expect(status, nameOf(route)).not.toBe(401);
        expect([nameOf(route), status === 500, body.slice(0, 200)]).toEqual([nameOf(route), false, body.slice(0, 200)]);
        const sample = samples[nameOf(route)];
        if (sample?.shows) expect(body, nameOf(route)).toContain('FOREIGN');
        if (sample?.foreign && !sample.absent) {
          const found = await ask(route, `only ${needs}`, sample.foreign);
          expect(found.status, `${nameOf(route)}: the sample of another segment is not there at all`).not.toBe(404);
        }
      },
    );
  });
});
