/** MQTT and HTTP uplinks: delivery, order, refusals, outages, what is told. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { systemClock } from '@amiable/io';
import { Aedes } from 'aedes';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parseOptions } from '../src/options.ts';
import { postUplink, retryDelay } from '../src/uplinks/post.ts';
import { createQueue } from '../src/uplinks/queue.ts';
import { file, read, start } from './bench.ts';
import { figure2, frame, joined, KEY_HEX, list1, sealedFrame } from './kaifa.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
const listen = (server: TcpServer | Server, port = 0): Promise<number> =>
  new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
const many = (n: number) =>
  joined(...Array.from({ length: n }, (_, i) => frame(list1([2017, 1, 20, 16, Math.trunc(i / 60) % 60, i % 60], i))));
const powerOf = (line: string) => (JSON.parse(line) as { readings: { value: number }[] }).readings[0]?.value;

const certificates = (() => {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'amiable-tls-'));
    const at = (name: string) => join(folder, name);
    const ssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore', cwd: folder });
    ssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=Test CA',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    for (const name of ['server', 'client']) {
      writeFileSync(at(`${name}.ext`), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
      ssl(
        'req',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-subj',
        '/CN=localhost',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
      );
      ssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-days',
        '2',
        '-extfile',
        `${name}.ext`,
        '-out',
        `${name}.pem`,
      );
    }
    return at;
  } catch {
    return undefined;
  }
})();
const pem = async (name: string) => (await import('node:fs')).readFileSync(certificates!(name));

interface Broker {
  port: number;
  readonly messages: { topic: string; payload: string; retain: boolean }[];
  readonly aedes: Aedes;
  stop(): Promise<void>;
}

async function broker(
  options: { port?: number; check?: (user: string | undefined, password: string) => boolean; tls?: object } = {},
): Promise<Broker> {
  const aedes = await Aedes.createBroker();
  const { check } = options;
  if (check)
    aedes.authenticate = (_, user, password, done) => {
      const fault = Object.assign(new Error('no'), { returnCode: 4 });
      if (check(user, password?.toString() ?? '')) done(null, true);
      else done(fault as never, false);
    };
  const messages: Broker['messages'] = [];
  aedes.on('publish', (packet, client) => {
    if (client) messages.push({ topic: packet.topic, payload: packet.payload.toString(), retain: packet.retain });
  });
  const sockets = new Set<{ destroy(): void }>();
  const server = options.tls ? createTls(options.tls, aedes.handle as never) : createTcp(aedes.handle as never);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listen(server as TcpServer, options.port);
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await new Promise<void>((resolve) => aedes.close(resolve));
  };
  ends.push(stop);
  return { port, messages, aedes, stop };
}

describe('MQTT', () => {
  it('publishes every message in order, tells its status, and waits for the last PUBACK', async () => {
    const b = await broker();
    const { code, err } = await read([
      '-f',
      file(many(500)),
      '-q',
      '--reader',
      'attic',
      '--mqtt',
      `mqtt://127.0.0.1:${b.port}`,
    ]);
    expect(code).toBe(0);
    expect(err).toMatch(/broker 127\.0\.0\.1:\d+: 500 delivered\./);
    const sent = b.messages.filter((m) => m.topic === 'amiable/attic/message');
    expect(sent.map((m) => powerOf(m.payload))).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(sent.every((m) => !m.retain)).toBe(true);
    expect(JSON.parse(sent[0]!.payload)).toMatchObject({ v: 1, raw: expect.stringMatching(/^7e/) });
    const status = b.messages.filter((m) => m.topic === 'amiable/attic/status');
    expect(status.every((m) => m.retain)).toBe(true);
    expect(status.map((m) => (JSON.parse(m.payload) as { state: string }).state)).toEqual(['online', 'offline']);
  });
  it('uses topic, client id, user and password as told', async () => {
    const seen: unknown[] = [];
    const b = await broker({
      check(user, password) {
        seen.push(user, password);
        return password === 's3cret';
      },
    });
    b.aedes.on('client', (client) => seen.push(client.id));
    const secret = file('s3cret\n');
    const { code } = await read([
      '-f',
      file(figure2[0]!),
      '-q',
      '--mqtt',
      `mqtt://127.0.0.1:${b.port}`,
      '--mqtt-user',
      'me',
      '--mqtt-password-file',
      secret,
      '--mqtt-client-id',
      'c1',
      '--mqtt-topic',
      'my/topic',
    ]);
    expect(code).toBe(0);
    expect(seen).toEqual(['me', 's3cret', 'c1']);
    expect(b.messages.some((m) => m.topic === 'my/topic')).toBe(true);
  });
  it('ends at a wrong password, and tells what was not delivered, without the password', async () => {
    const b = await broker({ check: () => false });
    const { code, err } = await read(['-f', file(many(3)), '-q', '--mqtt', `mqtt://me:hunter2@127.0.0.1:${b.port}`]);
    expect(code).toBe(1);
    expect(err).toMatch(/it refuses the user or the password/);
    expect(err).not.toContain('hunter2');
  });
  it('tells what was not delivered to a broker that is not there', async () => {
    const b = await broker();
    await b.stop();
    const { code, err, out } = await read([
      '-f',
      file(many(3)),
      '--mqtt',
      `mqtt://127.0.0.1:${b.port}`,
      '--wait',
      '0.05',
    ]);
    expect(code).toBe(1);
    expect(out).toMatch(/Act Pow/);
    expect(err).toMatch(/nobody listens there.*Trying again/);
    expect(err).toMatch(/0 delivered, 3 NOT delivered/);
    expect(err).not.toMatch(/\n\s+at /);
  });
  it('delivers after an outage, nothing missing, nothing out of order', async () => {
    const b = await broker();
    const first = many(400);
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* stdin() {
      yield first.subarray(0, first.length / 2);
      await gate;
      yield first.subarray(first.length / 2);
    }
    const bench = start(['-f', '-', '-q', '--reader', 'r', '--mqtt', `mqtt://127.0.0.1:${b.port}`], { stdin: stdin() });
    while (b.messages.length < 50) await new Promise((r) => setImmediate(r));
    await b.stop();
    await bench.until(/Trying again/);
    go();
    await new Promise((r) => setTimeout(r, 20));
    const again = await broker({ port: b.port });
    expect(await bench.code).toBe(0);
    const values = [...b.messages, ...again.messages]
      .filter((m) => m.topic === 'amiable/r/message')
      .map((m) => powerOf(m.payload) as number);
    // What was under way when the broker died may come twice; a store takes it once.
    expect([...new Set(values)].sort((x, y) => x - y)).toEqual(Array.from({ length: 400 }, (_, i) => i));
    const second = again.messages
      .filter((m) => m.topic === 'amiable/r/message')
      .map((m) => powerOf(m.payload) as number);
    expect(second).toEqual([...second].sort((x, y) => x - y));
  });
  it('carries frames that no key opens, so that nothing is lost', async () => {
    const b = await broker();
    const { code } = await read([
      '-f',
      file(sealedFrame(list1([2017, 1, 1, 1, 1, 1]))),
      '--reader',
      'r',
      '--mqtt',
      `mqtt://127.0.0.1:${b.port}`,
    ]);
    expect(code).toBe(3);
    expect(b.messages.filter((m) => m.topic === 'amiable/r/message').map((m) => JSON.parse(m.payload))).toEqual([
      expect.objectContaining({ readings: [], error: { reason: 'noKey' }, raw: expect.any(String) }),
    ]);
  });
  it.skipIf(!certificates)('speaks TLS, checks the certificate, and shows its own', async () => {
    const tls = { key: await pem('server.key'), cert: await pem('server.pem'), ca: await pem('ca.pem') };
    const b = await broker({ tls });
    const path = file(figure2[0]!);
    const good = await read([
      '-f',
      path,
      '-q',
      '--mqtt',
      `mqtts://localhost:${b.port}`,
      '--mqtt-ca',
      certificates!('ca.pem'),
    ]);
    expect(good.code).toBe(0);
    const unknown = await read(['-f', path, '-q', '--mqtt', `mqtts://localhost:${b.port}`]);
    expect(unknown.code).toBe(1);
    expect(unknown.err).toMatch(
      /signed by an authority this machine does not know|issuer of its certificate is not known/,
    );
    const strict = await broker({ tls: { ...tls, requestCert: true, rejectUnauthorized: true } });
    const own = [
      '--mqtt-ca',
      certificates!('ca.pem'),
      '--mqtt-cert',
      certificates!('client.pem'),
      '--mqtt-key',
      certificates!('client.key'),
    ];
    expect((await read(['-f', path, '-q', '--mqtt', `mqtts://localhost:${strict.port}`, ...own])).code).toBe(0);
  });
});

const MOSQUITTO = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find(existsSync);

describe.skipIf(!MOSQUITTO)('MQTT with Mosquitto', () => {
  let running: ChildProcess | undefined;
  afterAll(() => void running?.kill());
  it('delivers 2000 messages, and hears that a password is wrong', async () => {
    const probe = createTcp();
    const port = await listen(probe);
    await new Promise((resolve) => probe.close(resolve));
    const folder = mkdtempSync(join(tmpdir(), 'amiable-mosquitto-'));
    // A password file of the broker: user me, password s3cret, PBKDF2 as its own tool makes it.
    const { pbkdf2Sync } = await import('node:crypto');
    const salt = Buffer.from('0123456789ab');
    const hash = pbkdf2Sync('s3cret', salt, 101, 64, 'sha512').toString('base64');
    writeFileSync(join(folder, 'passwords'), `me:$7$101$${salt.toString('base64')}$${hash}\n`, { mode: 0o644 });
    writeFileSync(
      join(folder, 'conf'),
      `user root\nlistener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${join(folder, 'passwords')}\nmax_queued_messages 0\n`,
    );
    const child = spawn(MOSQUITTO!, ['-c', join(folder, 'conf'), '-v'], { stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    let log = '';
    await new Promise<void>((resolve) => {
      const look = (text: Buffer) => {
        log += text.toString();
        if (/mosquitto version .* running/.test(log)) resolve();
      };
      child.stderr.on('data', look);
      child.stdout.on('data', look);
      child.on('exit', () => resolve());
    });
    const { connectAsync } = await import('mqtt');
    const listener = await connectAsync({
      host: '127.0.0.1',
      port,
      protocol: 'mqtt',
      username: 'me',
      password: 's3cret',
    });
    const got: number[] = [];
    const states: string[] = [];
    listener.on('message', (topic, payload) => {
      if (topic.endsWith('/status')) states.push((JSON.parse(payload.toString()) as { state: string }).state);
      else got.push(powerOf(payload.toString()) as number);
    });
    await listener.subscribeAsync('amiable/#', { qos: 1 });
    const { code, err } = await read([
      '-f',
      file(many(2000)),
      '-q',
      '--reader',
      'r',
      '--mqtt',
      `mqtt://me:s3cret@127.0.0.1:${port}`,
    ]);
    expect([code, err]).toEqual([0, expect.stringContaining('2000 delivered')]);
    while (got.length < 2000 || states.length < 2) await new Promise((r) => setTimeout(r, 5));
    expect(got).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    expect(states).toEqual(['online', 'offline']);
    await listener.endAsync();
    const wrong = await read(['-f', file(many(2)), '-q', '--mqtt', `mqtt://me:nope@127.0.0.1:${port}`]);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(
      /does not let this user in; are user and password right\?|refuses the user or the password/,
    );
  });
});

describe.skipIf(!MOSQUITTO || !certificates)('MQTT with Mosquitto over TLS', () => {
  let running: ChildProcess | undefined;
  afterAll(() => void running?.kill());
  it('lets in who shows a certificate of its authority, and nobody else', async () => {
    const probe = createTcp();
    const port = await listen(probe);
    await new Promise((resolve) => probe.close(resolve));
    const conf = join(mkdtempSync(join(tmpdir(), 'amiable-mosquitto-')), 'conf');
    const at = certificates!;
    writeFileSync(
      conf,
      `user root\nlistener ${port} 127.0.0.1\nallow_anonymous true\ncafile ${at('ca.pem')}\ncertfile ${at('server.pem')}\nkeyfile ${at('server.key')}\nrequire_certificate true\n`,
    );
    const child = spawn(MOSQUITTO!, ['-c', conf, '-v'], { stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    await new Promise<void>((resolve, reject) => {
      let log = '';
      const look = (text: Buffer) => {
        log += text.toString();
        if (/mosquitto version .* running/.test(log)) resolve();
      };
      child.stderr.on('data', look);
      child.stdout.on('data', look);
      child.on('exit', () => reject(new Error(log)));
    });
    const path = file(many(100));
    const to = ['-f', path, '-q', '--mqtt', `mqtts://localhost:${port}`, '--mqtt-ca', at('ca.pem')];
    const good = await read([...to, '--mqtt-cert', at('client.pem'), '--mqtt-key', at('client.key')]);
    expect([good.code, good.err]).toEqual([0, expect.stringContaining('100 delivered')]);
    const none = await read([...to, '--wait', '0.3']);
    expect(none.code).toBe(1);
    // By an alert, where it comes before the connection is closed.
    expect(none.err).toMatch(/100 NOT delivered|does it ask for a client certificate\?/);
    expect(none.err).not.toMatch(/: [1-9]\d* delivered/);
    child.removeAllListeners('exit');
  });
});

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;
async function http(
  handler: Handler,
): Promise<{ url: string; requests: { headers: IncomingMessage['headers']; lines: string[] }[] }> {
  const requests: { headers: IncomingMessage['headers']; lines: string[] }[] = [];
  const server = createHttp((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const raw = Buffer.concat(parts);
      const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
      requests.push({ headers: request.headers, lines: body.split('\n').filter(Boolean) });
      handler(request, body, response);
    });
  });
  const port = await listen(server);
  ends.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${port}/api/v1/messages`, requests };
}
const ok: Handler = (_, body, response) =>
  response.end(JSON.stringify({ accepted: body.split('\n').length - 1, duplicates: 0, rejected: [] }));
const answer = (response: ServerResponse, status: number, headers: Record<string, string> = {}, body = '{}') => {
  response.writeHead(status, headers);
  response.end(body);
};

describe('HTTP POST', () => {
  it('sends NDJSON batches in order, compressed, with the key', async () => {
    const s = await http(ok);
    const { code, err } = await read(['-f', file(many(2500)), '-q', '--post', s.url, '--api-key', 'k1']);
    expect([code, err]).toEqual([0, expect.stringContaining('2500 delivered')]);
    expect(s.requests.flatMap((r) => r.lines.map(powerOf))).toEqual(Array.from({ length: 2500 }, (_, i) => i));
    expect(s.requests.every((r) => r.lines.length <= 4000 && r.headers.authorization === 'Bearer k1')).toBe(true);
    expect(s.requests.some((r) => r.headers['content-encoding'] === 'gzip')).toBe(true);
    expect(s.requests[0]?.headers['content-type']).toBe('application/x-ndjson');
  });
  it('waits as long as 503 and Retry-After ask, and goes on', async () => {
    const times: number[] = [];
    const s = await http((request, body, response) => {
      times.push(Date.now());
      if (times.length === 1) answer(response, 503, { 'retry-after': '1' }, '{"error":"database gone"}');
      else ok(request, body, response);
    });
    const { code, err } = await read(['-f', file(many(3)), '-q', '--post', s.url]);
    expect(code).toBe(0);
    expect(times[1]! - times[0]!).toBeGreaterThan(950);
    expect(err).toMatch(/answers 503 \(database gone\)\. Trying again/);
    expect(err).toMatch(/takes messages again/);
  });
  it('splits what is too large (413) and tells what is too large alone', async () => {
    const s = await http((request, body, response) => {
      if (body.split('\n').length - 1 > 3 || powerOf(body.split('\n')[0]!) === 7) answer(response, 413);
      else ok(request, body, response);
    });
    const { code, err } = await read(['-f', file(many(20)), '-q', '--post', s.url]);
    expect(code).toBe(1);
    expect(err).toMatch(/19 delivered, 1 refused/);
    expect(err).toMatch(/refuses a message: it is too large/);
  });
  it('keeps going after 422, leaving out the one message that is at fault', async () => {
    const s = await http((request, body, response) => {
      if (
        body
          .split('\n')
          .filter(Boolean)
          .some((line) => powerOf(line) === 5)
      )
        answer(response, 422, {}, '{"error":"line 6: wrong form"}');
      else ok(request, body, response);
    });
    const { code, err } = await read(['-f', file(many(20)), '-q', '--post', s.url]);
    expect(code).toBe(1);
    expect(err).toMatch(/19 delivered, 1 refused/);
    expect(err).toMatch(/answer 422 \(line 6: wrong form\)/);
    expect(new Set(s.requests.flatMap((r) => r.lines.map(powerOf))).size).toBe(20);
  });
  it('does not take a web page for an acknowledgement', async () => {
    let asked = 0;
    const s = await http((_, _body, response) =>
      answer(response, 200, {}, ++asked === 1 ? '<!doctype html><title>Log in' : ''),
    );
    const { code, err } = await read(['-f', file(many(2)), '-q', '--post', s.url]);
    expect(err).toMatch(/answers with a web page at \/api\/v1\/messages; is this the right address\?/);
    expect([code, s.requests.length > 1]).toEqual([0, true]);
  });
  it('tells what a 200 rejects', async () => {
    const s = await http((_, _body, response) =>
      answer(response, 200, {}, '{"accepted":1,"duplicates":0,"rejected":[{"line":2,"reason":"value too large"}]}'),
    );
    const { code, err } = await read(['-f', file(many(2)), '-q', '--post', s.url]);
    expect(code).toBe(1);
    expect(err).toMatch(/refuses a message: value too large/);
  });
  it.each<[number, RegExp]>([
    [401, /does not accept this API key/],
    [403, /does not accept this API key/],
    [404, /answers 404 at \/api\/v1\/messages: is this the right address\?/],
    [308, /go to another address/],
  ])('ends at %d', async (status, words) => {
    const s = await http((_, _body, response) => answer(response, status));
    const { code, err } = await read(['-f', file(many(2)), '-q', '--post', s.url, '--api-key', 'secret-key']);
    expect(code).toBe(1);
    expect(err).toMatch(words);
    expect(err).toMatch(/0 delivered, 2 NOT delivered/);
    expect(err).not.toContain('secret-key');
    expect(s.requests).toHaveLength(1);
  });
  it('asks for a key where none was given', async () => {
    const s = await http((_, _body, response) => answer(response, 401));
    expect((await read(['-f', file(many(1)), '-q', '--post', s.url])).err).toMatch(/wants an API key; give --api-key/);
  });
  it('tells that the server is not there', async () => {
    const probe = createTcp();
    const port = await listen(probe);
    await new Promise((resolve) => probe.close(resolve));
    const { code, err } = await read([
      '-f',
      file(many(2)),
      '-q',
      '--post',
      `http://127.0.0.1:${port}/`,
      '--wait',
      '0.05',
    ]);
    expect(code).toBe(1);
    expect(err).toMatch(/nobody listens there/);
  });
  it('holds the file back when the queue is full, and loses nothing', async () => {
    const s = await http(ok);
    const options = parseOptions({ file: ['x'], post: s.url }, [], 'h');
    const queue = createQueue({ items: 10, bytes: 1e6 });
    const uplink = postUplink({
      outbox: queue,
      post: options.post!,
      clock: systemClock,
      random: () => 0,
      tell: () => {},
    });
    let held = 0;
    for (let i = 0; i < 200; i++) {
      while (!queue.put(JSON.stringify({ readings: [{ value: i }] }))) {
        held++;
        await queue.room();
      }
    }
    expect(await uplink.finish(5000)).toMatchObject({ delivered: 200, waiting: 0 });
    expect(held).toBeGreaterThan(0);
    expect(s.requests.flatMap((r) => r.lines.map(powerOf))).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
  it('does not listen for ever to an answer that does not end', async () => {
    const s = await http((_request, _body, response) => {
      response.on('error', () => {});
      // More than any answer of this kind, and no end.
      response.write(Buffer.alloc(3 << 20, 0x20));
    });
    const { code, err } = await read(['-f', file(many(3)), '-q', '--post', s.url]);
    expect([code, err]).toEqual([0, expect.stringContaining('3 delivered')]);
  });
  it.skipIf(!certificates)('speaks TLS and checks the certificate', async () => {
    const server = createHttps({ key: await pem('server.key'), cert: await pem('server.pem') }, (_, response) =>
      response.end('{}'),
    );
    const port = await listen(server as unknown as TcpServer);
    ends.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const path = file(many(1));
    expect(
      (await read(['-f', path, '-q', '--post', `https://localhost:${port}/`, '--post-ca', certificates!('ca.pem')]))
        .code,
    ).toBe(0);
    const unknown = await read(['-f', path, '-q', '--post', `https://localhost:${port}/`]);
    expect(unknown.code).toBe(1);
    expect(unknown.err).toMatch(/certificate/);
  });
  it('reads Retry-After as seconds or a date', () => {
    expect(retryDelay('7', 0)).toBe(7000);
    expect(retryDelay('Thu, 01 Jan 1970 00:00:05 GMT', 2000)).toBe(3000);
    expect(retryDelay('Thu, 01 Jan 1970 00:00:05 GMT', 9000)).toBe(0);
    expect(retryDelay('999999999', 0)).toBe(300_000);
    expect(retryDelay('soon', 0)).toBeUndefined();
    expect(retryDelay(undefined, 0)).toBeUndefined();
  });
  it('carries what an encrypted port sends without a key ever leaving', async () => {
    const s = await http(ok);
    await read(['-f', file(sealedFrame(list1([2017, 1, 1, 1, 1, 1]))), '-q', '-k', KEY_HEX, '--post', s.url]);
    expect(JSON.stringify(s.requests).toLowerCase()).not.toContain(KEY_HEX.toLowerCase());
    expect(s.requests).toHaveLength(1);
  });
});

describe('the end', () => {
  it('does not wait longer than the user wants', async () => {
    const probe = createTcp();
    const port = await listen(probe);
    await new Promise((resolve) => probe.close(resolve));
    const bench = start(['-f', file(many(2)), '--mqtt', `mqtt://127.0.0.1:${port}`, '--wait', '600']);
    await bench.until(/waiting for broker .* to take the rest, at most 600 s/);
    bench.end();
    expect(await bench.code).toBe(1);
    expect(bench.err()).toMatch(/2 NOT delivered \(nobody listens there/);
  });
});
