/** Log-in, users, groups and tokens over HTTP: what they do, and what attackers try. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVILEGES, type Privilege } from '@amiable/model';
import type { LightMyRequestResponse } from 'fastify';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STREET_GUEST } from '../src/access/demo.ts';
import { oneTimeCode } from '../src/access/first.ts';
import { createPasswords } from '../src/access/passwords.ts';
import { createThrottle } from '../src/access/throttle.ts';
import { CHEAP, logIn, openTestApp, PASSWORD, type TestApp } from './login.ts';
import { sampleMessage } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-log-in-'));
const PROXY = '127.0.0.99';
let clock = Date.UTC(2026, 10, 20, 12);
let test: TestApp;
/** Headers of the first administrator's session. */
let admin: Record<string, string>;

beforeAll(async () => {
  test = await openTestApp(folder, {
    guest: STREET_GUEST,
    apiKeys: ['the-key-of-the-readers'],
    http: { host: '127.0.0.1', port: 0, trustedProxies: [PROXY], hosts: ['amiable.example'] },
    access: { clock: () => clock, argon: CHEAP },
  });
});
afterAll(async () => {
  await test?.close();
  rmSync(folder, { recursive: true });
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
interface More {
  readonly headers?: Readonly<Record<string, string>>;
  readonly from?: string;
}
async function call(method: Method, path: string, body?: unknown, { headers, from }: More = {}) {
  return test.app.inject({
    method,
    url: path.startsWith('/display') || path === '/health' || path.startsWith('/metrics') ? path : `/api/v1${path}`,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    ...(from === undefined ? {} : { remoteAddress: from }),
  });
}
const asAdmin = (method: Method, path: string, body?: unknown) => call(method, path, body, { headers: admin });
const cookieOf = (answer: LightMyRequestResponse): Record<string, string> => ({
  cookie: String(answer.headers['set-cookie'] ?? '').split(';')[0] as string,
});
const login = (name: string, password = PASSWORD, more: More = {}) => call('POST', '/login', { name, password }, more);
/** Makes a user who has changed the password, and logs in. */
async function userWith(name: string, groups: number[], segments: 'all' | number[] = 'all') {
  const made = await asAdmin('POST', '/users', { name, password: `${PASSWORD} 1`, groups, segments });
  expect(made.statusCode, made.body).toBe(200);
  const first = cookieOf(await login(name, `${PASSWORD} 1`));
  const changed = await call('PUT', '/me/password', { old: `${PASSWORD} 1`, password: PASSWORD }, { headers: first });
  expect(changed.statusCode, changed.body).toBe(200);
  return { id: made.json().id as string, headers: cookieOf(changed) };
}
async function groupWith(name: string, privileges: readonly Privilege[]): Promise<number> {
  return (await asAdmin('POST', '/groups', { name, privileges })).json().id;
}

describe('the first administrator', () => {
  it('is needed: until then a guest on this machine sees the street and changes nothing', async () => {
    expect((await call('GET', '/me')).json()).toMatchObject({ kind: 'guest', firstNeeded: true, segments: 'all' });
    expect((await call('GET', '/meters')).statusCode).toBe(200);
    expect((await call('GET', '/health')).json()).toEqual({ ok: true, causes: [] });
    expect((await call('PATCH', '/meters/1', { name: 'x' })).statusCode).toBe(401);
    expect((await call('GET', '/users')).statusCode).toBe(401);
    // Not from elsewhere, not through a proxy, not under a name that was rebound.
    expect((await call('GET', '/meters', undefined, { from: '192.0.2.7' })).statusCode).toBe(401);
    expect((await call('GET', '/meters', undefined, { headers: { 'x-forwarded-for': '127.0.0.1' } })).statusCode).toBe(
      401,
    );
    expect((await call('GET', '/meters', undefined, { headers: { host: 'amiable.example' } })).statusCode).toBe(401);
    expect((await call('GET', '/meters', undefined, { headers: { host: 'evil.example' } })).statusCode).toBe(421);
  });
  it('is made by the one-time code, once, however many try at once', async () => {
    const code = test.central.firstCode as string;
    expect(code).toMatch(/^([2-9A-HJKMNP-Z]{4}-){3}[2-9A-HJKMNP-Z]{4}$/);
    const first = (given: string, name: string, password = PASSWORD, more: More = {}) =>
      call('POST', '/first', { code: given, name, password }, more);
    expect((await first(code, 'admin', 'short')).statusCode).toBe(422);
    expect((await first(code, 'admin', 'aaaaaaaaaaaaaaaaaa')).json().error).toContain('hardly any different');
    expect((await first(code, 'administrator', 'Administrator123')).json().error).toContain(
      'little more than the name',
    );
    expect((await first(oneTimeCode(), 'admin')).statusCode).toBe(401);
    expect((await first(code, 'admin', PASSWORD, { from: '192.0.2.7' })).statusCode).toBe(403);
    const spelled = code.toLowerCase().replaceAll('-', ' ');
    const claims = await Promise.all(['admin', 'mallory', 'eve', 'trudy'].map((name) => first(spelled, name)));
    expect(claims.map((claim) => claim.statusCode).sort()).toEqual([200, 409, 409, 409]);
    const won = claims.find((claim) => claim.statusCode === 200) as LightMyRequestResponse;
    admin = cookieOf(won);
    expect(won.json()).toMatchObject({ kind: 'user', groups: ['administrator'], segments: 'all', firstNeeded: false });
    expect(won.json().privileges).toHaveLength(PRIVILEGES.length);
    // What a guest could see ends with it, at once.
    expect((await call('GET', '/meters')).statusCode).toBe(401);
    expect((await call('GET', '/health')).json()).toEqual({ ok: true });
    expect((await call('GET', '/metrics')).statusCode).toBe(401);
    expect((await first(code, 'late')).statusCode).toBe(409);
  });
});

describe('a session', () => {
  it('comes as a cookie that no script reads and no other site sends', async () => {
    await userWith('anna', [2]);
    const answer = await login('Anna');
    expect(answer.headers['set-cookie']).toMatch(/^amiable=ams_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(answer.body).not.toContain('ams_');
    const me = (await call('GET', '/me', undefined, { headers: cookieOf(answer) })).json();
    expect(me).toMatchObject({ name: 'anna', kind: 'user', groups: ['operator'], mustChangePassword: false });
    expect(Date.parse(me.session.endsAt)).toBe(clock + 12 * 3_600_000);
    // Through the proxy that was named it is over TLS: then with the prefix that only this server can set.
    const tls = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'amiable.example' };
    const secure = await login('anna', PASSWORD, { from: PROXY, headers: tls });
    expect(secure.headers['set-cookie']).toMatch(
      /^__Host-amiable=ams_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect(secure.headers['strict-transport-security']).toBeDefined();
  });
  it('is not opened over plain HTTP from elsewhere, nor through a proxy that nobody named', async () => {
    for (const more of [
      { from: '192.0.2.7', headers: { host: 'amiable.example' } },
      {
        from: '192.0.2.7',
        headers: { host: 'amiable.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '::1' },
      },
      { from: '127.0.0.1', headers: { 'x-forwarded-for': '127.0.0.1' } },
      { from: PROXY, headers: { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'http' } },
    ]) {
      const answer = await login('anna', PASSWORD, more);
      expect([more, answer.statusCode]).toEqual([more, 403]);
      expect(answer.json().error).toContain('plain HTTP');
    }
    expect((await login('anna', PASSWORD, { from: '::ffff:127.0.0.1' })).statusCode).toBe(200);
  });
  it('is a new one at each log-in: what was put into the browser before is worth nothing', async () => {
    const planted = cookieOf(await login('anna'));
    const answer = await login('anna', PASSWORD, { headers: planted });
    expect(cookieOf(answer)).not.toEqual(planted);
    expect((await call('GET', '/me/sessions', undefined, { headers: planted })).statusCode).toBe(401);
    const invented = { cookie: `amiable=${'x'.repeat(43)}` };
    const other = await login('anna', PASSWORD, { headers: invented });
    expect(cookieOf(other)).not.toEqual(invented);
  });
  it('takes neither two cookies, nor a huge one, nor one in other places', async () => {
    const good = cookieOf(await login('anna')).cookie as string;
    const id = good.replace('amiable=', '');
    const status = async (headers: Record<string, string>, query = '') =>
      (await call('GET', `/me/sessions${query}`, undefined, { headers })).statusCode;
    expect(await status({ cookie: good })).toBe(200);
    expect(await status({ cookie: `a=b; ${good}; c=d` })).toBe(200);
    expect(await status({ cookie: `${good}; amiable=ams_${'x'.repeat(43)}` })).toBe(401);
    expect(await status({ cookie: `${good}; x=${'y'.repeat(5000)}` })).toBe(401);
    expect(await status({ cookie: `__Host-${good}` })).toBe(401);
    expect(await status({ cookie: `amiable=${id}%00` })).toBe(401);
    // A cookie's session is no bearer token, and nothing in an address counts.
    expect(await status({ authorization: `Bearer ${id}` })).toBe(401);
    expect(await status({}, `?amiable=${id}&token=${id}&key=${id}`)).toBe(401);
    expect((await call('GET', `/display.json?key=${id}`)).statusCode).toBe(401);
  });
  it('ends when it is idle, when its day is over, at log-out, and everywhere when that is asked', async () => {
    const [one, two] = [cookieOf(await login('anna')), cookieOf(await login('anna'))];
    const alive = async (headers: Record<string, string>) =>
      (await call('GET', '/me/sessions', undefined, { headers })).statusCode === 200;
    const begun = clock;
    for (let hour = 1; hour < 8; hour++) {
      clock = begun + hour * 5_400_000;
      expect([hour, await alive(one)]).toEqual([hour, true]);
    }
    expect(await alive(two)).toBe(false);
    clock = begun + 12 * 3_600_000;
    expect(await alive(one)).toBe(false);
    admin = cookieOf(await login((await test.store.access.users({ limit: 1 })).users[0]?.name as string));
    const three = [
      cookieOf(await login('anna')),
      cookieOf(await login('anna')),
      cookieOf(await login('anna')),
    ] as const;
    const out = await call('POST', '/logout', {}, { headers: three[0] });
    expect(out.headers['set-cookie']).toContain('Max-Age=0');
    expect([await alive(three[0]), await alive(three[1])]).toEqual([false, true]);
    await call('POST', '/logout', { everywhere: true }, { headers: three[1] });
    expect(await alive(three[2])).toBe(false);
    expect((await call('POST', '/logout', {})).statusCode).toBe(200);
  });
  it('as a token is for the command line: it comes as bearer, and as no cookie', async () => {
    const answer = await call('POST', '/login', { name: 'anna', password: PASSWORD, as: 'token' });
    expect(answer.headers['set-cookie']).toBeUndefined();
    const { token } = answer.json();
    const headers = { authorization: `Bearer ${token}` };
    expect((await call('GET', '/me', undefined, { headers })).json().name).toBe('anna');
    expect((await call('GET', '/me/sessions', undefined, { headers: { cookie: `amiable=${token}` } })).statusCode).toBe(
      401,
    );
    await call('POST', '/logout', {}, { headers });
    expect((await call('GET', '/me', undefined, { headers })).json().kind).toBe('guest');
    expect((await call('GET', '/meters', undefined, { headers })).statusCode).toBe(401);
  });
  it('is not used by other sites’ pages to change anything', async () => {
    const refused = async (headers: Record<string, string>) =>
      (await call('POST', '/logout', {}, { headers: { ...admin, ...headers } })).statusCode;
    expect(await refused({ origin: 'https://evil.example' })).toBe(403);
    expect(await refused({ origin: 'null' })).toBe(403);
    expect(await refused({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    const form = await test.app.inject({
      method: 'POST',
      url: '/api/v1/groups',
      headers: { ...admin, 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'name=x&privileges=',
    });
    expect(form.statusCode).toBe(415);
  });
});

describe('a log-in that is refused', () => {
  it('says the same of a wrong password, a name that is not there, a user who is disabled and one without password', async () => {
    const { id } = await userWith('dora', [5]);
    await asAdmin('PATCH', `/users/${id}`, { disabled: true });
    await asAdmin('POST', '/users', { name: 'nopassword', groups: [5], segments: [1] });
    const answers = [
      await login('anna', 'wrong password'),
      await login('nobody'),
      await login('dora'),
      await login('nopassword'),
      await login("' or 1=1 --"),
      await login('a\0b'),
    ];
    for (const answer of answers) {
      expect([answer.statusCode, answer.body]).toEqual([401, answers[0]?.body]);
      expect(Object.keys(answer.headers).sort()).toEqual(Object.keys(answers[0]?.headers ?? {}).sort());
    }
  });
  it('costs a hash whether the name is there or not', async () => {
    const passwords = createPasswords(CHEAP);
    const stored = await passwords.hash('right one');
    expect(await passwords.verify(stored, 'right one')).toEqual({});
    expect(await passwords.verify(stored, 'wrong one')).toBe(false);
    expect(await passwords.verify(undefined, 'nobody has this password')).toBe(false);
    expect(await passwords.verify('$argon2id$damaged', 'x')).toBe(false);
    // A hash that cost less than today's is made anew at the next log-in.
    expect(await createPasswords({ ...CHEAP, timeCost: 2 }).verify(stored, 'right one')).toEqual({
      rehashed: expect.stringContaining('t=2'),
    });
    // Many at once wait in a bounded queue.
    const many = await Promise.allSettled(Array.from({ length: 100 }, () => passwords.verify(undefined, 'x')));
    expect(many.filter((one) => one.status === 'rejected').length).toBeGreaterThan(50);
    expect(await passwords.verify(stored, 'right one')).toEqual({});
  });
  it('is slowed by name and by address, in bounded memory, for names that are not there too', () => {
    let now = 0;
    const throttle = createThrottle(() => now);
    for (let i = 0; i < 5; i++) throttle.failed('anna', '192.0.2.1');
    expect(throttle.wait('anna', '192.0.2.9')).toBe(0);
    throttle.failed('anna', '192.0.2.1');
    expect(throttle.wait('anna', '192.0.2.9')).toBe(1000);
    for (let i = 0; i < 100; i++) throttle.failed('anna', '192.0.2.1');
    expect(throttle.wait('anna', '192.0.2.9')).toBe(30_000);
    expect(throttle.wait('bea', '192.0.2.1')).toBe(300_000);
    now += 300_000;
    expect(throttle.wait('bea', '192.0.2.1')).toBe(0);
    // One good log-in of an address does not wash away its guesses at others.
    throttle.succeeded('mallory', '192.0.2.1');
    throttle.failed('bea', '192.0.2.1');
    expect(throttle.wait('bea', '192.0.2.1')).toBe(300_000);
    for (let i = 0; i < 50; i++) throttle.failed(`name ${i}`, `2001:db8:0:1:${i}::1`);
    expect(throttle.wait('other', '2001:db8:0:1:ffff::1')).toBeGreaterThan(0);
    expect(throttle.wait('other', '2001:db8:0:2::1')).toBe(0);
    for (let i = 0; i < 12_000; i++) throttle.failed(`flood ${i}`, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    now += 3_600_001;
    expect(throttle.wait('flood 11999', '10.0.0.1')).toBe(0);
  });
  it('is told when to come back, the real password too', async () => {
    await userWith('slow', [5]);
    const more = { from: '127.0.0.3' };
    let last = await login('slow', 'wrong', more);
    for (let i = 0; i < 6 && last.statusCode !== 429; i++) last = await login('slow', 'wrong', more);
    expect([last.statusCode, last.headers['retry-after']]).toEqual([429, '1']);
    expect((await login('slow', PASSWORD, more)).statusCode).toBe(429);
    clock += 1000;
    expect((await login('slow', PASSWORD, more)).statusCode).toBe(200);
    const unknown = [];
    for (let i = 0; i < 7; i++) unknown.push((await login('never heard of', 'x', { from: '127.0.0.4' })).statusCode);
    expect(unknown).toEqual([401, 401, 401, 401, 401, 401, 429]);
  });
});

describe('passwords', () => {
  it('set by others open nothing but the way to an own one; a change ends every other session', async () => {
    const made = await asAdmin('POST', '/users', { name: 'fresh', password: PASSWORD, groups: [2], segments: 'all' });
    expect(made.body).not.toContain('argon2');
    const first = cookieOf(await login('fresh'));
    const other = cookieOf(await login('fresh'));
    const ask = (path: string, headers: Record<string, string>) => call('GET', path, undefined, { headers });
    expect((await ask('/me', first)).json()).toMatchObject({ mustChangePassword: true, privileges: [] });
    expect((await ask('/meters', first)).statusCode).toBe(403);
    const change = (old: string, password: string) =>
      call('PUT', '/me/password', { old, password }, { headers: first });
    expect((await change('wrong one entirely', `${PASSWORD}!`)).statusCode).toBe(403);
    expect((await change(PASSWORD, PASSWORD)).statusCode).toBe(422);
    const changed = await change(PASSWORD, `${PASSWORD}!`);
    expect(changed.statusCode).toBe(200);
    const fresh = cookieOf(changed);
    expect(fresh).not.toEqual(first);
    expect((await ask('/me/sessions', first)).statusCode).toBe(401);
    expect((await ask('/me/sessions', other)).statusCode).toBe(401);
    expect((await ask('/me', fresh)).json()).toMatchObject({ mustChangePassword: false });
    expect((await ask('/meters', fresh)).statusCode).toBe(200);
  });
});

describe('rights', () => {
  it('end at once with the user: sessions, tokens and open streams', async () => {
    const { id, headers } = await userWith('gone', [2]);
    const made = await call('POST', '/tokens', { name: 't', privileges: ['meter:view'] }, { headers: admin });
    expect(made.statusCode).toBe(200);
    const cookie = await logIn(test.base, 'gone');
    const stream = await fetch(`${test.base}/api/v1/live`, { headers: cookie });
    expect(stream.status).toBe(200);
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    const ended = (async () => {
      while (!(await reader.read()).done);
      return true;
    })();
    await asAdmin('PATCH', `/users/${id}`, { disabled: true });
    expect(await ended).toBe(true);
    expect((await call('GET', '/meters', undefined, { headers })).statusCode).toBe(401);
    expect((await call('GET', '/meters', undefined, { headers: cookie })).statusCode).toBe(401);
  });
  it('cannot be given by who does not have them, nor taken from who has more', async () => {
    const managers = await groupWith('managers', [
      'user:view',
      'user:create',
      'user:modify',
      'user:delete',
      'group:view',
      'group:create',
      'group:modify',
      'group:delete',
      'token:create',
      'token:view',
      'token:delete',
      'meter:view',
      'execute:erase-person',
    ]);
    const { id, headers } = await userWith('manager', [managers], [1]);
    const as = (method: Method, path: string, body?: unknown) => call(method, path, body, { headers });
    const root = (await asAdmin('GET', '/me')).json().user as string;
    const refused: [Method, string, unknown?][] = [
      ['PATCH', `/users/${id}`, { groups: [1] }],
      ['PATCH', `/users/${id}`, { groups: [managers, 2] }],
      ['PATCH', `/users/${id}`, { segments: 'all' }],
      ['POST', '/users', { name: 'helper', groups: [1], segments: [1] }],
      ['POST', '/users', { name: 'helper', groups: [managers], segments: 'all' }],
      ['PATCH', `/users/${root}`, { password: `${PASSWORD}?` }],
      ['PATCH', `/users/${root}`, { disabled: true }],
      ['DELETE', `/users/${root}`],
      ['POST', `/users/${root}/logout`, {}],
      ['POST', `/persons/user-${root}/erase`, {}],
      ['POST', '/groups', { name: 'mine', privileges: ['audit:view'] }],
      ['PATCH', `/groups/${managers}`, { privileges: ['audit:view', 'user:modify'] }],
      ['PATCH', '/groups/5', { privileges: [] }],
      ['DELETE', '/groups/2'],
      ['POST', '/tokens', { name: 'mine', privileges: ['audit:view'] }],
      ['POST', '/tokens', { name: 'mine', privileges: ['meter:view'], segments: [2] }],
    ];
    for (const [method, path, body] of refused) {
      const answer = await as(method, path, body);
      // A group of the program itself is refused as such.
      expect([method, path, body, answer.statusCode]).toEqual([method, path, body, path === '/groups/2' ? 409 : 403]);
    }
    expect((await asAdmin('GET', `/users/${id}`)).json()).toMatchObject({ groups: [managers], segments: [1] });
    expect((await asAdmin('GET', '/users?q=helper')).json().users).toEqual([]);
    // What they have, they may give.
    expect((await as('POST', '/users', { name: 'helper', groups: [managers], segments: [1] })).statusCode).toBe(200);
    // A token of theirs gives no more than itself.
    const made = (await as('POST', '/tokens', { name: 'narrow', privileges: ['token:create', 'meter:view'] })).json();
    const narrow = { authorization: `Bearer ${made.token}` };
    const wider = await call('POST', '/tokens', { name: 'x', privileges: ['user:modify'] }, { headers: narrow });
    expect(wider.statusCode).toBe(403);
    expect(
      (await call('PUT', '/me/password', { old: PASSWORD, password: `${PASSWORD}#` }, { headers: narrow })).statusCode,
    ).toBe(403);
  });
  it('of the last administrator stay', async () => {
    const root = (await asAdmin('GET', '/me')).json().user as string;
    for (const [method, path, body] of [
      ['PATCH', `/users/${root}`, { disabled: true }],
      ['PATCH', `/users/${root}`, { groups: [2] }],
      ['DELETE', `/users/${root}`],
      ['POST', `/persons/user-${root}/erase`, {}],
    ] as const) {
      const answer = await asAdmin(method, path, body);
      expect([path, answer.statusCode]).toEqual([path, 409]);
      expect(answer.json().error).toContain('one administrator');
    }
    expect((await asAdmin('GET', '/me')).json().kind).toBe('user');
  });
});

describe('tokens', () => {
  it('are told once, kept as a digest, ended at once, and not taken out of an address', async () => {
    const made = (
      await asAdmin('POST', '/tokens', { name: 'grafana', privileges: ['execute:metrics'], days: 1 })
    ).json();
    expect(made.token).toMatch(/^amt_[\w-]{43}$/);
    const headers = { authorization: `Bearer ${made.token}` };
    expect((await call('GET', '/metrics', undefined, { headers })).statusCode).toBe(200);
    expect((await call('GET', `/metrics?token=${made.token}`)).statusCode).toBe(401);
    expect((await call('GET', `/metrics?key=${made.token}`)).statusCode).toBe(401);
    expect((await call('GET', '/meters', undefined, { headers })).statusCode).toBe(403);
    expect((await asAdmin('GET', '/tokens')).body).not.toContain(made.token);
    expect((await asAdmin('GET', `/audit?object=token ${made.id}`)).body).not.toContain(made.token);
    expect((await asAdmin('DELETE', `/tokens/${made.id}`)).statusCode).toBe(200);
    expect((await call('GET', '/metrics', undefined, { headers })).statusCode).toBe(401);
    const own = (await asAdmin('POST', '/tokens', { name: 'own', privileges: ['meter:view'], days: null })).json();
    expect((await asAdmin('GET', '/me/tokens')).json().tokens.map((t: { id: string }) => t.id)).toContain(own.id);
    expect((await asAdmin('DELETE', `/me/tokens/${own.id}`)).statusCode).toBe(200);
  });
  it('of readers, the keys of the data folder, do what their group may', async () => {
    const headers = { authorization: 'Bearer the-key-of-the-readers' };
    expect((await call('GET', '/me', undefined, { headers })).json()).toMatchObject({
      kind: 'token',
      privileges: ['execute:display', 'execute:ingest'],
    });
    expect((await call('GET', '/display.json?key=the-key-of-the-readers')).statusCode).toBe(200);
    await asAdmin('PATCH', '/groups/6', { privileges: ['execute:ingest'] });
    expect((await call('GET', '/display.json?key=the-key-of-the-readers')).statusCode).toBe(403);
    await asAdmin('PATCH', '/groups/6', { privileges: ['execute:ingest', 'execute:display'] });
  });
});

describe('what a request can carry', () => {
  it('headers with line ends, and ones that are too long, reach nothing', async () => {
    const status = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        httpRequest(`${test.base}/api/v1/me`, { headers, agent: false }, (answer) => {
          answer.resume();
          resolve(answer.statusCode as number);
        })
          // The server hears no more of it: the answer may be lost with the connection.
          .on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(431) : reject(error)))
          .end();
      });
    expect(() => httpRequest(`${test.base}/`, { headers: { authorization: 'Bearer x\r\nx: y' } })).toThrow();
    expect(await status({ cookie: `amiable=${'a'.repeat(20_000)}` })).toBe(431);
    expect(await status({ authorization: `Bearer ${'a'.repeat(5000)}` })).toBe(200);
    // Nothing that was sent comes back in a header.
    const answer = await login('x\r\nset-cookie: amiable=evil');
    expect(answer.headers['set-cookie']).toBeUndefined();
    const bad = await asAdmin('POST', '/users', { name: 'a\r\nb', groups: [], segments: [] });
    expect(bad.statusCode).toBe(422);
  });
});

describe('segments', () => {
  it('hold for live values and sums', async () => {
    await test.central.ingest([sampleMessage(1, 'SEG-1'), sampleMessage(2, 'SEG-2')]);
    const { id: segment } = (await asAdmin('POST', '/segments', { name: 'east' })).json();
    const meter = (await asAdmin('GET', '/meters?q=SEG-2')).json().meters[0].id as string;
    expect((await asAdmin('PUT', `/segments/${segment}/meters`, { meters: [meter] })).json()).toEqual({ moved: 1 });
    const { headers } = await userWith('east', [2], [segment]);
    const as = (path: string) => call('GET', path, undefined, { headers });
    expect((await as('/total')).json()).toMatchObject({ import: 1002, meters: 1 });
    expect((await asAdmin('GET', '/total')).json()).toMatchObject({ import: 2003, meters: 2 });
    expect((await as('/meters')).json()).toMatchObject({ total: 1, meters: [{ id: meter }] });
    expect((await as('/status')).json().meters).toBe(1);
    expect((await as('/me')).json().segments).toEqual([{ id: segment, name: 'east' }]);
    const answer = await fetch(`${test.base}/api/v1/live`, { headers: await logIn(test.base, 'east') });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!text.includes('data:')) text += new TextDecoder().decode((await reader.read()).value);
    const shown = JSON.parse(/data: (.*)/.exec(text)?.[1] as string) as { meter: string }[];
    expect(shown.map((live) => live.meter)).toEqual([meter]);
    await reader.cancel();
    expect((await asAdmin('DELETE', `/segments/${segment}`)).statusCode).toBe(409);
  });
});

/** Every row of the tables in which a person may stand. */
async function everything(): Promise<{ rows: string[] }> {
  const client = new pg.Client(test.url);
  await client.connect();
  try {
    const rows: string[] = [];
    for (const table of [
      'meter',
      'meter_change',
      'premises',
      'registry_change',
      'node',
      'link',
      'audit',
      'user_account',
    ])
      rows.push(
        ...(await client.query(`select row_to_json(t)::text as text from amiable.${table} t`)).rows.map((r) => r.text),
      );
    return { rows };
  } finally {
    await client.end();
  }
}

describe('the audit log', () => {
  it('has who did what, also what revealed people; no secret, and what others did only for who sees all', async () => {
    // A refusal is written down without waiting for it.
    await expect
      .poll(async () => (await asAdmin('GET', '/audit?action=log-in refused')).json().audit.length)
      .toBeGreaterThan(5);
    const { audit } = (await asAdmin('GET', '/audit?limit=1000')).json() as { audit: Record<string, unknown>[] };
    const actions = new Set(audit.map((entry) => entry.action));
    for (const action of [
      'first administrator',
      'log-in',
      'log-in refused',
      'log-out',
      'POST /api/v1/users',
      'GET /api/v1/users',
      'PUT /api/v1/me/password',
    ])
      expect(actions).toContain(action);
    const text = JSON.stringify(audit) + test.lines.join('\n');
    for (const secret of [PASSWORD, 'argon2', 'amt_', 'ams_', 'or 1=1', 'the-key-of-the-readers', 'never heard of'])
      expect(text).not.toContain(secret);
    const viewers = await groupWith('auditors', ['audit:view']);
    const { id, headers } = await userWith('auditor', [viewers], [1]);
    const own = (await call('GET', '/audit', undefined, { headers })).json().audit as { user: string }[];
    expect(own.length).toBeGreaterThan(0);
    expect(new Set(own.map((entry) => entry.user))).toEqual(new Set([id]));
  });
  it('loses a person who is erased', async () => {
    const { id, headers } = await userWith('forgetme', [5]);
    await call('PATCH', '/me', { attributes: { fullName: 'Forget Me' }, language: 'nb' }, { headers });
    expect((await asAdmin('GET', `/users/${id}`)).json().attributes).toEqual({ fullName: 'Forget Me' });
    expect((await asAdmin('POST', `/persons/user-${id}/erase`, {})).json()).toEqual({ erased: `user-${id}` });
    expect((await call('GET', '/me/sessions', undefined, { headers })).statusCode).toBe(401);
    const rest = (await asAdmin('GET', '/audit?limit=1000')).body + (await asAdmin('GET', `/users/${id}`)).body;
    expect(rest).not.toMatch(/forget ?me/i);
    expect((await login('forgetme')).statusCode).toBe(401);
  });
  it('loses the people of premises, and keeps the readings of their meter', async () => {
    const { registry } = test.store;
    const by = { who: 'test', at: clock };
    const from = Date.UTC(2026, 0, 1);
    const node = (kind: 'premises' | 'metering-point', code: string, parent?: string) =>
      registry.createNode({ kind, code, segment: 1, from, ...(parent === undefined ? {} : { parent }) }, 'all', by);
    const premises = await node('premises', 'P-1');
    const point = await node('metering-point', 'MP-1', premises.id);
    const people = {
      customer: 'Kari Nordmann',
      account: '007-KARI',
      address: 'Karigata 1',
      contact: 'kari@nordmann.example',
    };
    await registry.putPremises(premises.id, people, 'all', by);
    await test.central.ingest([sampleMessage(3, 'PERSON-1')]);
    const meter = (await asAdmin('GET', '/meters?q=PERSON-1')).json().meters[0].id as string;
    await registry.link({ kind: 'installed', child: meter, parent: point.id, from }, 'all', by);
    await asAdmin('PATCH', `/meters/${meter}`, { name: 'Kari', place: 'Karigata 1' });
    const erase = (headers: Record<string, string>) =>
      call('POST', `/persons/premises-${premises.id}/erase`, {}, { headers });
    const elsewhere = await asAdmin('POST', '/segments', { name: 'elsewhere' });
    const erasers = await groupWith('erasers', ['execute:erase-person']);
    const stranger = await userWith('eraser', [erasers], [elsewhere.json().id]);
    expect((await erase(stranger.headers)).statusCode).toBe(404);
    expect((await registry.premises(premises.id, 'all'))?.customer).toBe('Kari Nordmann');
    expect((await erase(admin)).json()).toEqual({ erased: `premises-${premises.id}` });
    const { rows } = await everything();
    expect(rows.filter((row) => /kari/i.test(row))).toEqual([]);
    expect((await asAdmin('GET', `/meters/${meter}/messages`)).json().messages).toHaveLength(1);
  });
});
