/** The pages over HTTP: who gets in, what is saved, what is never shown. */
import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { systemClock, virtualClock } from '@amiable/io';
import { hash } from '@node-rs/argon2';
import { afterEach, describe, expect, it } from 'vitest';
import { FAULTS } from '../../src/config/faults.ts';
import { SETTINGS } from '../../src/config/schema.ts';
import { escaped, html } from '../../src/setup/html.ts';
import { chooseLanguage, DICTIONARIES, LANGUAGES, type Language, speechOf } from '../../src/setup/i18n/index.ts';
import {
  createGuard,
  createSessions,
  hashPassword,
  oneTimeCode,
  sameCode,
  verifyPassword,
} from '../../src/setup/password.ts';
import { type Step, testServer } from '../../src/setup/test-connection.ts';
import { LIST_3, message, NOW } from '../gateways/fake.ts';
import { CODE, openWorld, PASSWORD, type World } from './world.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
const open = async (options: Parameters<typeof openWorld>[0] = {}): Promise<World> => {
  const world = await openWorld(options);
  ends.push(() => world.close());
  return world;
};

interface Browser {
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(
    path: string,
    form: Record<string, string> | URLSearchParams,
    headers?: Record<string, string>,
  ): Promise<Response>;
  token: string;
}
function browserOf({ url }: World): Browser {
  let jar = '';
  const go = async (path: string, init: RequestInit) => {
    const answer = await fetch(url + path, {
      redirect: 'manual',
      ...init,
      headers: { cookie: jar, ...(init.headers as Record<string, string>) },
    });
    for (const one of answer.headers.getSetCookie()) jar = `${jar}; ${one.split(';')[0]}`;
    return answer;
  };
  const browser: Browser = {
    token: '',
    get: (path, headers = {}) => go(path, { headers }),
    post: (path, form, headers = {}) =>
      go(path, {
        method: 'POST',
        body: form instanceof URLSearchParams ? form : new URLSearchParams({ token: browser.token, ...form }),
        headers,
      }),
  };
  return browser;
}
async function loggedIn(world: World, secret = PASSWORD): Promise<Browser> {
  const browser = browserOf(world);
  expect((await browser.post('/login', { secret })).status).toBe(303);
  browser.token = /name="token" value="([^"]+)"/.exec(await (await browser.get('/settings')).text())?.[1] ?? '';
  expect(browser.token).not.toBe('');
  return browser;
}
/** Cheap, for what is tested is not how long it takes. */
const HASH = hash(PASSWORD, { memoryCost: 64, timeCost: 1, parallelism: 1 });
const configured = async (more = '') => `reader=attic\npage.password=${await HASH}\nport.1.device=/dev/a\n${more}`;

describe('the first start', () => {
  it('asks for the code of the console, then for a password, and starts the reader', async () => {
    const world = await open();
    expect(world.told[0]).toMatch(new RegExp(`^set-up page: http://127.0.0.1:\\d+/ {2}one-time code: ${CODE}$`));
    expect((await browserOf(world).get('/')).headers.get('location')).toBe('/login');
    expect((await browserOf(world).get('/health')).status).toBe(503);
    expect((await browserOf(world).post('/login', { secret: 'K7QX-M2PX' })).status).toBe(401);
    const browser = await loggedIn(world, 'k7qx m2pd');
    const none = await browser.post('/settings', { do: 'save', 'port.1.device': '/dev/a', member: 'port.1' });
    expect(none.status).toBe(422);
    expect(await none.text()).toContain('a password has at least 8 letters');
    const saved = await browser.post('/settings', {
      do: 'save',
      'port.1.device': '/dev/a',
      member: 'port.1',
      'page.password': PASSWORD,
    });
    expect([saved.status, saved.headers.get('location')]).toEqual([303, '/settings?saved']);
    expect(world.started.map(({ ports }) => ports[0]?.device)).toEqual(['/dev/a']);
    expect(world.config()).not.toContain(PASSWORD);
    // The code is worth nothing any more.
    expect((await browserOf(world).post('/login', { secret: CODE })).status).toBe(401);
    expect((await browserOf(world).post('/login', { secret: PASSWORD })).status).toBe(303);
    expect((await browserOf(world).get('/health')).status).toBe(200);
  });

  it('with faults in the file tells their lines, keeps the password and does not start the reader', async () => {
    const world = await open({ config: await configured('nonsense\nmodbus.port=x\n') });
    expect(world.started).toEqual([]);
    expect(world.told.join('\n')).toMatch(
      /config.txt:4: a line is name=value[\s\S]*config.txt:5: modbus.port: a number/,
    );
    const browser = await loggedIn(world);
    const text = await (await browser.get('/settings')).text();
    expect(text).toContain('Line 4: a line is name=value, a comment begins with #');
    expect(text).toMatch(/id="f-modbus-port"[^>]*aria-invalid="true"/);
    // The file is mended by hand, the setting on the page.
    writeFileSync(world.file, world.config().replace('nonsense\n', ''));
    expect((await browser.post('/settings', { do: 'save', member: 'port.1', 'modbus.port': '1502' })).status).toBe(303);
    expect(world.started.length).toBe(1);
  });
});

describe('settings of the command line', () => {
  it('that are wrong cannot be mended on the page: it is said, and there is nothing to do', async () => {
    for (const [given, fault] of [
      ['foo=bar', '--set foo: foo: there is no such setting'],
      ['nonsense', '--set: a line is name=value, a comment begins with #'],
      ['port.poll=1x', expect.stringMatching(/^--set port.1.poll: port.1.poll: a span of time is wanted/)],
    ] as const) {
      const world = await open({ config: await configured(), given: [given] });
      expect([world.begun, world.url, world.started]).toEqual([false, '', []]);
      expect(world.told).toEqual([fault, 'the reader is not started; mend --set on the command line']);
    }
  });

  it('that lack another one wait for the page', async () => {
    const world = await open({ config: `page.password=${await HASH}\n`, given: ['port.1.protocol=p1'] });
    expect([world.begun, world.told.at(-1)]).toEqual([
      true,
      'the reader is not started; mend the settings above on the page or in the file',
    ]);
    const outside = await open({ config: await configured(), environment: { AMIABLE_PORT_1_BAUD: '7' } });
    expect(outside.told.at(-1)).toBe('the reader is not started; mend the settings above in the environment');
  });
});

describe('saving', () => {
  it('a secret that is wrong is not kept, one that lacks another is', async () => {
    const world = await open({ config: `reader=attic\n` });
    const browser = await loggedIn(world, CODE);
    const states = async (form: Record<string, string>) => {
      const answer = await browser.post('/settings', {
        do: 'save',
        member: 'port.1',
        'port.1.device': '/dev/a',
        ...form,
      });
      const text = await answer.text();
      const state = (id: string) => new RegExp(`<input id="f-${id}"[^>]* placeholder="([^"]*)"`).exec(text)?.[1];
      return [answer.status, state('page-password'), state('port-1-auth-key')];
    };
    const [set, unset] = ['is set; empty keeps it', DICTIONARIES.en.page.isUnset];
    expect(DICTIONARIES.en.page.isSet).toBe(set);
    const key = 'ff'.repeat(16);
    expect(await states({ 'page.password': 'short', 'port.1.auth-key': key })).toEqual([422, unset, set]);
    expect(await states({ 'page.password': PASSWORD, 'port.1.auth-key': '' })).toEqual([422, set, set]);
    expect(await states({ 'page.password': '', 'port.1.auth-key': 'zz' })).toEqual([422, set, unset]);
    expect((await states({ 'page.password': '', 'port.1.key': key }))[0]).toBe(303);
    expect(world.config()).toContain(`port.1.key=${key}`);
    expect((await browserOf(world).post('/login', { secret: PASSWORD })).headers.get('location')).toBe('/');
  });

  it('what other protocols have is folded away', async () => {
    const world = await open({ config: await configured('port.2.device=/dev/b\nport.2.protocol=mbus\n') });
    const browser = await loggedIn(world);
    const [, first, second] = (await (await browser.get('/settings')).text()).split('<fieldset>') as string[];
    const folded = (part: string | undefined, name: string) => {
      const at = part?.indexOf(`name="${name}"`) ?? -1;
      expect(at, name).toBeGreaterThan(0);
      return at > (part as string).indexOf('<details>');
    };
    expect([folded(first, 'port.1.key'), folded(first, 'port.1.poll'), folded(first, 'port.1.meters')]).toEqual([
      false,
      true,
      true,
    ]);
    expect([folded(second, 'port.2.poll'), folded(second, 'port.2.meters'), folded(second, 'port.2.wake-up')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('changes what was changed, applies it, and keeps the rest of the file', async () => {
    const world = await open({
      config: `# mine\n${await configured('mqtt.1.host=b\nmqtt.1.user=u\nmqtt.1.password=geheim\n')}`,
    });
    const browser = await loggedIn(world);
    const form = {
      do: 'save',
      reader: 'attic',
      'port.1.device': '/dev/b',
      'port.1.protocol': 'auto',
      'mqtt.1.host': 'b',
      'mqtt.1.user': 'me',
      'mqtt.1.password': '',
    };
    const body = new URLSearchParams({ token: browser.token, ...form });
    body.append('member', 'port.1');
    body.append('member', 'mqtt.1');
    expect((await browser.post('/settings', body)).status).toBe(303);
    expect(world.config()).toBe(
      `# mine\nreader=attic\npage.password=${await HASH}\nport.1.device=/dev/b\nmqtt.1.host=b\nmqtt.1.user=me\nmqtt.1.password=geheim\n`,
    );
    expect(world.fake().applied.map(({ ports, uplinks }) => [ports[0]?.device, uplinks[0]?.name])).toEqual([
      ['/dev/b', 'mqtt'],
    ]);
  });

  it('wants a secret again when the address is another one, for saving and for testing', async () => {
    const world = await open({
      config: await configured('post.1.url=https://central.example/\npost.1.api-key=geheim\n'),
    });
    const browser = await loggedIn(world);
    const form = (more: Record<string, string>) => {
      const body = new URLSearchParams({ token: browser.token, 'port.1.device': '/dev/a', ...more });
      body.append('member', 'port.1');
      body.append('member', 'post.1');
      return body;
    };
    const elsewhere = { 'post.1.url': 'http://127.0.0.1:1/', 'post.1.api-key': '' };
    const refused = await browser.post('/settings', form({ do: 'save', ...elsewhere }));
    expect(refused.status).toBe(422);
    expect(await refused.text()).toContain('it was given for another address (post.1.url is a new one)');
    expect(world.config()).toContain('post.1.url=https://central.example/');
    const said = await (await browser.post('/test', form({ do: 'test.post.1', ...elsewhere }))).text();
    expect(said.trim().split('\n')).toHaveLength(1);
    expect(said).toContain('it was given for another address');
    const retyped = { ...elsewhere, 'post.1.api-key': 'new' };
    expect((await browser.post('/settings', form({ do: 'save', ...retyped }))).status).toBe(303);
    expect(world.config()).toContain('post.1.api-key=new');
  });

  it('adds and removes members, keeping secrets that were typed out of the page', async () => {
    const world = await open({ config: await configured('port.1.key=000102030405060708090A0B0C0D0E0F\n') });
    const browser = await loggedIn(world);
    const added = await browser.post('/settings', { do: 'add.mqtt', member: 'port.1', 'port.1.key': 'ff'.repeat(16) });
    const text = await added.text();
    expect(text).toContain('name="mqtt.1.host"');
    expect(text).not.toContain('ff'.repeat(16));
    expect(text).not.toContain('0A0B0C');
    const body = new URLSearchParams({ token: browser.token, do: 'save', 'mqtt.1.host': 'b' });
    body.append('member', 'port.1');
    body.append('member', 'mqtt.1');
    await browser.post('/settings', body);
    expect(world.config()).toContain(`port.1.key=${'ff'.repeat(16)}\n`);
    expect(world.config()).toContain('mqtt.1.host=b\n');
    const removed = await browser.post('/settings', { do: 'remove.mqtt.1', member: 'mqtt.1' });
    expect(await removed.text()).toContain('name="removed" value="mqtt.1"');
    expect(world.config()).toContain('mqtt.1.host');
    await browser.post('/settings', { do: 'save', member: 'port.1', removed: 'mqtt.1' });
    expect(world.config()).not.toContain('mqtt');
    await browser.post('/settings', { do: 'save', member: 'port.1', clear: 'port.1.key', 'port.1.key': '' });
    expect(world.config()).not.toContain('port.1.key');
  });

  it('never shows a secret and does not let what the environment sets be changed', async () => {
    const world = await open({
      config: await configured('post.1.url=https://a/\npost.1.api-key=geheim\n'),
      environment: { AMIABLE_READER: 'outside' },
    });
    const browser = await loggedIn(world);
    for (const path of ['/settings', '/', '/state', '/metrics']) {
      const text = await (await browser.get(path)).text();
      expect(text).not.toContain('geheim');
      expect(text).not.toContain('argon2id$');
    }
    expect(await (await browser.get('/settings')).text()).toContain('Set by environment AMIABLE_READER');
    await browser.post('/settings', { do: 'save', member: 'post.1', reader: 'inside' });
    expect(world.config()).toContain('reader=attic\n');
    expect(world.told.join()).not.toMatch(/geheim|argon2id\$/);
  });

  it('reads no file for who types @path into a secret', async () => {
    const world = await open({ config: await configured('post.1.url=https://a/\n') });
    const browser = await loggedIn(world);
    await browser.post('/settings', { do: 'save', member: 'post.1', 'post.1.api-key': '@/etc/passwd' });
    expect(world.fake().applied[0]?.uplinks[0]).toMatchObject({ apiKey: '@/etc/passwd' });
  });
});

describe('guards', () => {
  it('answers only to its own names', async () => {
    const world = await open({ config: await configured('page.names=reader.lan\n') });
    const { port } = new URL(world.url);
    // fetch does not let a Host header be set.
    const status = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request({ port, host: '127.0.0.1', path: '/health', headers: { host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on('error', reject)
          .end();
      });
    for (const host of ['evil.example', 'reader.lan.evil.example']) expect(await status(host), host).toBe(421);
    for (const host of ['localhost', `127.0.0.1:${port}`, '[::1]:1', 'pi', 'pi.local:80', 'Reader.LAN'])
      expect(await status(host), host).toBe(200);
  });

  it('takes changes only with session, token and its own origin', async () => {
    const world = await open({ config: await configured() });
    const browser = await loggedIn(world);
    const form = { do: 'save', reader: 'other', member: 'port.1' };
    expect((await browserOf(world).post('/settings', form)).status).toBe(401);
    expect((await browser.post('/settings', { ...form, token: 'x' })).status).toBe(403);
    expect((await browser.post('/settings', form, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await browser.post('/settings', form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await browser.post('/settings', { ...form, reader: 'x'.repeat(600_000) })).status).toBe(413);
    expect(world.config()).toContain('reader=attic');
    expect((await browser.post('/settings', form, { origin: world.url })).status).toBe(303);
    expect((await browser.post('/logout', {})).status).toBe(303);
    expect((await browser.get('/state')).status).toBe(401);
  });

  it('forbids everything from elsewhere', async () => {
    const world = await open({ config: await configured() });
    const { headers } = await (await loggedIn(world)).get('/settings');
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'self'; .*frame-ancestors 'none'/);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect([headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual(['nosniff', 'no-store']);
  });

  it('slows guesses down', async () => {
    const world = await open({ config: await configured(), clock: virtualClock(NOW) });
    const status = async (secret: string) => (await browserOf(world).post('/login', { secret })).status;
    expect([await status('a'), await status('b'), await status('c'), await status('d')]).toEqual([401, 401, 401, 429]);
    // Even the right one has to wait.
    expect(await status(PASSWORD)).toBe(429);
  });

  it('shows values of meters only to who may see them', async () => {
    const closed = await open({ config: await configured(), before: [LIST_3] });
    const metrics = async (world: World, headers: Record<string, string> = {}) =>
      (await browserOf(world).get('/metrics', headers)).text();
    expect(await metrics(closed)).toContain('amiable_reader_port_up');
    expect(await metrics(closed)).not.toContain('amiable_meter_watts');
    const basic = `Basic ${Buffer.from(`prometheus:${PASSWORD}`).toString('base64')}`;
    expect(await metrics(closed, { authorization: basic })).toContain('amiable_meter_watts');
    expect(await metrics(closed, { authorization: 'Basic eDp5' })).not.toContain('amiable_meter_watts');
    const opened = await open({ config: await configured('page.open-status=yes\n'), before: [LIST_3] });
    expect(await metrics(opened)).toContain('amiable_meter_watts');
    expect((await browserOf(opened).get('/')).status).toBe(200);
    expect((await browserOf(opened).get('/settings')).headers.get('location')).toBe('/login');
  });
});

describe('sessions', () => {
  it('end with the password that they were opened under, also where it is changed in the file', async () => {
    const world = await open({ config: await configured() });
    const browser = await loggedIn(world);
    await world.reload();
    expect((await browser.get('/state')).status).toBe(200);
    const other = await hash('another horse', { memoryCost: 64, timeCost: 1, parallelism: 1 });
    writeFileSync(world.file, world.config().replace(await HASH, other));
    await world.reload();
    expect((await browser.get('/state')).status).toBe(401);
    const again = await loggedIn(world, 'another horse');
    // Who changes it on the page stays, others do not.
    const visitor = await loggedIn(world, 'another horse');
    const changed = { do: 'save', member: 'port.1', 'page.password': PASSWORD };
    expect((await again.post('/settings', changed)).status).toBe(303);
    expect((await again.get('/state')).status).toBe(200);
    expect((await visitor.get('/state')).status).toBe(401);
  });

  it('outlive what is saved while the environment has the password, hashed anew at each start', async () => {
    const world = await open({
      config: 'reader=attic\nport.1.device=/dev/a\n',
      environment: { AMIABLE_PAGE_PASSWORD: PASSWORD },
    });
    const browser = await loggedIn(world);
    expect((await browser.post('/settings', { do: 'save', member: 'port.1', reader: 'loft' })).status).toBe(303);
    expect((await browser.get('/state')).status).toBe(200);
  });
});

describe('status', () => {
  it('stops coming when the password is another one', async () => {
    const clock = virtualClock(NOW);
    const world = await open({ config: await configured(), before: [LIST_3], clock });
    const reader = ((await (await loggedIn(world)).get('/events')).body as ReadableStream<Uint8Array>).getReader();
    ends.push(() => reader.cancel());
    expect((await reader.read()).done).toBe(false);
    const other = await hash('another horse', { memoryCost: 64, timeCost: 1, parallelism: 1 });
    writeFileSync(world.file, world.config().replace(await HASH, other));
    await world.reload();
    await clock.advance(60_000);
    expect((await reader.read()).done).toBe(true);
  });

  it('comes as events, whole first and then what is new', async () => {
    const clock = virtualClock(NOW);
    const world = await open({ config: await configured(), before: [LIST_3], clock });
    const power = (watts: number, at: number) =>
      world.fake().say({ ...message([['1-0:1.7.0', 'activePowerImport', 'W', 0, watts]]), receivedAt: at, time: at });
    power(100, NOW + 1000);
    const browser = await loggedIn(world);
    const answer = await browser.get('/events');
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    ends.push(() => reader.cancel());
    const next = async () =>
      JSON.parse(
        Buffer.from((await reader.read()).value ?? [])
          .toString()
          .replace(/^data: /, ''),
      ) as { whole: boolean; devices: { power: number; history: number[][] }[] };
    expect(await next()).toMatchObject({ whole: true, devices: [{ power: 100, history: [[NOW + 1000, 100]] }] });
    await clock.advance(2000);
    power(200, NOW + 2000);
    await clock.advance(1000);
    expect(await next()).toMatchObject({
      whole: false,
      devices: [{ power: 200, history: expect.arrayContaining([[NOW + 2000, 200]]) }],
    });
  });
});

describe('tests of connections', () => {
  it('say in steps what happens', async () => {
    const world = await open({ config: await configured(), clock: systemClock, listen: 50 });
    const browser = await loggedIn(world);
    const steps = async (form: Record<string, string>) =>
      (await (await browser.post('/test', form)).text())
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { text: string; result?: string });
    expect(await steps({ do: 'test.port.1', member: 'port.1' })).toEqual([
      { text: 'The reader itself reads this device now. Watching it, at most 0 s …' },
      { text: expect.stringMatching(/^Nothing came/), result: 'bad' },
    ]);
    expect(await steps({ do: 'test.mqtt.1', member: 'mqtt.1', 'mqtt.1.port': '1' })).toEqual([
      { text: 'mqtt.1.port: mqtt.1.host is needed with it', result: 'bad' },
    ]);
    const refused = await steps({ do: 'test.post.1', member: 'post.1', 'post.1.url': 'http://127.0.0.1:1/' });
    expect(refused.at(-1)).toEqual({
      text: 'It does not work. 127.0.0.1:1: nobody listens there; is it running, and is the port right?',
      result: 'bad',
    });
    expect(world.config()).not.toContain('post');
  });
});

describe('a test against a server that never ends', () => {
  it.each([
    ['drop by drop', 'x'],
    ['as fast as it can', 'x'.repeat(80_000)],
  ])('%s comes to an end', async (_, part) => {
    const clock = virtualClock(0);
    let begun = () => {};
    const asked = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const server = createServer((_request, response) => {
      response.on('error', () => {});
      response.write(part, begun);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const steps: Step[] = [];
    const done = testServer(
      { type: 'post', name: 'post', url: `http://127.0.0.1:${port}/`, tls: {}, interval: 0, thin: false },
      { tell: (step) => steps.push(step), signal: new AbortController().signal, clock },
    );
    await asked;
    await clock.advance(15_000);
    await done;
    expect(steps.at(-1)?.result).toBe('bad');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('words', () => {
  it.each(Object.keys(LANGUAGES) as Language[])(
    '%s has every setting, fault and text, with the same blanks to fill',
    (language) => {
      const { setting, dictionary } = speechOf(language);
      const blanks = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
      for (const one of SETTINGS) {
        const [label, explanation] = setting(one);
        expect(label.length * explanation.length, one.name).toBeGreaterThan(0);
        expect(label, one.name).not.toBe(one.name);
      }
      for (const key of Object.keys(FAULTS) as (keyof typeof FAULTS)[])
        expect(blanks(dictionary.faults[key]), key).toEqual(blanks(FAULTS[key]));
      for (const [key, text] of Object.entries(DICTIONARIES.en.page))
        expect(blanks(dictionary.page[key as 'status']), key).toEqual(blanks(text));
    },
  );

  it('settings that share their words in other languages share them in English', () => {
    const shared = new Map<string, string>();
    for (const { name, label } of SETTINGS) {
      const key = name.slice(name.lastIndexOf('.') + 1);
      if (DICTIONARIES.de.settings[name]) continue;
      expect(shared.get(key) ?? label, name).toBe(label);
      shared.set(key, label);
    }
  });

  it('the language follows cookie and browser', () => {
    expect([
      chooseLanguage('de', 'nl'),
      chooseLanguage(undefined, 'fr, nn;q=0.9, de'),
      chooseLanguage('xx', 'fr'),
      chooseLanguage('toString'),
    ]).toEqual(['de', 'nb', 'en', 'en']);
  });

  it('text is never markup', () => {
    expect(html`<p title="${'"><script>'}">${['<b>', html`<i>${'&'}</i>`]}</p>`.markup).toBe(
      `<p title="${escaped('"><script>')}">&lt;b&gt;<i>&amp;</i></p>`,
    );
  });
});

describe('secrets', () => {
  it('hash and verify, codes and sessions', async () => {
    expect(await verifyPassword(await hashPassword(PASSWORD), PASSWORD)).toBe(true);
    expect(await verifyPassword(await HASH, 'other')).toBe(false);
    expect(await verifyPassword('$argon2id$broken', PASSWORD)).toBe(false);
    expect(oneTimeCode()).toMatch(/^[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}$/);
    expect([sameCode(' k7qxm2pd', CODE), sameCode('K7QX-M2PE', CODE), sameCode('', CODE)]).toEqual([
      true,
      false,
      false,
    ]);
    let now = NOW;
    const sessions = createSessions(() => now);
    const { id } = sessions.open(false);
    now += 11 * 3_600_000;
    expect(sessions.find(id)?.id).toBe(id);
    now += 13 * 3_600_000;
    expect(sessions.find(id)).toBeUndefined();
  });

  it('the guard forgets, tells addresses apart, and bounds the crowd', () => {
    let now = NOW;
    const guard = createGuard(() => now);
    for (let i = 0; i < 5; i++) guard.failed('10.0.0.1');
    expect([guard.wait('10.0.0.1'), guard.wait('10.0.0.2')]).toEqual([4000, 0]);
    guard.succeeded('10.0.0.1');
    expect(guard.wait('10.0.0.1')).toBe(0);
    for (let i = 0; i < 30; i++) guard.failed(`fd00::${i}`);
    expect(guard.wait('fd00::99')).toBeGreaterThan(0);
    expect(guard.wait('10.0.0.3')).toBeGreaterThan(0);
    now += 61 * 60_000;
    expect([guard.wait('fd00::99'), guard.wait('10.0.0.3')]).toEqual([0, 0]);
  });
});
