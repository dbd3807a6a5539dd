/** `simulate meter` as it is started: its words, ports, the optical port, what the page's server gives and refuses. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@amiable/bytes';
import { createOpticalClient } from '@amiable/iec62056-21';
import { systemClock, tcpClient, virtualClock } from '@amiable/io';
import { hdlcTransport, openSession, wrapperTransport } from '@amiable/meter';
import { afterEach, describe, expect, test } from 'vitest';
import { constantSource } from '../../src/electricity/index.ts';
import { CLIENTS, managementObjects } from '../../src/electricity-server/devices.ts';
import { virtualMeter } from '../../src/electricity-server/factory.ts';
import { serveOptical } from '../../src/electricity-server/listen.ts';
import { meterOptions } from '../../src/electricity-server/options.ts';
import { servePage } from '../../src/electricity-server/page/server.ts';
import { type Running, startMeters, virtualTime } from '../../src/electricity-server/run.ts';
import type { ServedMeter } from '../../src/electricity-server/served.ts';
import { read, START, stand } from './helpers.ts';

/** Seven bits and even parity in eight. */
const evenParity = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte) => byte | (([0, 1, 2, 3, 4, 5, 6].filter((bit) => (byte >> bit) & 1).length % 2) << 7));

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function started(given: Record<string, unknown>): Promise<{ running: Running; said: string[] }> {
  const said: string[] = [];
  const running = await startMeters(meterOptions({ port: 0, page: false, ...given }), (line) => said.push(line));
  closers.push(() => running.close());
  return { running, said };
}

describe('words', () => {
  test('what is meant', () => {
    expect(meterOptions({})).toMatchObject({ wrapperPort: 4059, hdlcPort: 4062, pagePort: 4080, count: 1, speed: 1 });
    const many = meterOptions({ count: '10000', speed: '60x', history: '40d', slaves: 'gas, heat' });
    expect(many).toMatchObject({ count: 10_000, speed: 60, history: 40 * 86_400_000, slaves: ['gas', 'heat'] });
    expect([meterOptions({}).history, meterOptions({ ports: 5 }).history]).toEqual([3 * 86_400_000, 0]);
    expect(many.pagePort).toBeUndefined();
    expect(meterOptions({ to: '/dev/ttyUSB0' }).to).toEqual({ kind: 'serial', path: '/dev/ttyUSB0' });
  });

  test.each([
    [{ suite: 3 }, /--suite 3: .* 0 to 2/],
    [{ tz: 'Nowhere' }, /--tz Nowhere/],
    [{ speed: 'fast' }, /--speed fast/],
    [{ history: '40' }, /--history 40: say a time/],
    [{ slaves: 'steam' }, /--slaves steam: electricity, heat/],
    [{ slaves: 'gas,gas,gas,gas,gas' }, /four at most/],
    [{ count: 5, ports: 5 }, /--count and --ports/],
    [{ ports: 10, port: 65_530 }, /the last would be 65539/],
    [{ module: 'plc', input: 's0' }, /--module gprs only/],
    [{ period: 20 }, /--period 20: 15, 30 or 60/],
    [{ from: 'yesterday' }, /--from yesterday/],
    [{ to: 'stdout' }, /--to stdout/],
  ])('%j is refused', (given, reason) => {
    expect(() => meterOptions(given)).toThrow(reason);
  });

  test('time is real, or begins where it is told and runs as fast', async () => {
    const clock = virtualClock(START);
    const now = virtualTime(clock, 60, 1000);
    await clock.advance(100);
    expect(now()).toBe(7000);
    expect(virtualTime(clock, 1, undefined)()).toBe(START + 100);
  });
});

describe('lines', () => {
  test('one meter over TCP: the wrapper and HDLC, as the printed lines say', async () => {
    const { running, said } = await started({ history: '2h' });
    const clock = systemClock;
    const at = (port: number | undefined) => tcpClient({ host: '127.0.0.1', port: port ?? 0 });
    const password = /--password (\d{8})/.exec(said.join('\n'))?.[1] ?? '';
    const authentication = { mechanism: 1 as const, password: new TextEncoder().encode(password) };
    const [client] = CLIENTS.reader;
    for (const transport of [
      wrapperTransport(at(running.wrapperPorts[0]), { client, server: 1 }),
      hdlcTransport(at(running.hdlcPorts[0]), clock, { client, server: 1, physical: 17 }),
    ]) {
      const session = await openSession({ transport, clock, authentication });
      expect(await read(session, 3, '1-0:1.8.0')).toBeGreaterThan(0);
      await session.release();
    }
    expect(said.join('\n')).toMatch(/amiable dlms ls tcp:\/\/127\.0\.0\.1:\d+ --client 16 --server 1/);
    // The first command shows energy, the second rows.
    const commands = said.filter((line) => line.includes('amiable dlms'));
    expect(commands[0]).toMatch(/dlms get .* --client 2 .* --password \d{8} 1-0:1\.8\.0/);
    expect(commands[1]).toMatch(/dlms profile .* --client 2 .* 1-0:99\.1\.0 --last 6$/);
  });

  test('a fleet in one process, brought up to the present by a sweep; ports of their own', async () => {
    const { running, said } = await started({ count: 30, sweep: '1s' });
    expect(said[0]).toMatch(/^30 meters: wrapper destination 1 to 30/);
    await expect.poll(() => running.meters.filter((m) => m.awake).length).toBe(30);
    expect(said.at(-1)).toContain('--keys FILE');
    const folder = await mkdtemp(join(tmpdir(), 'amiable-keys-'));
    closers.push(() => rm(folder, { recursive: true }));
    const keys = join(folder, 'keys.csv');
    const ports = await started({ ports: 5, keys });
    const lines = (await readFile(keys, 'utf8')).trim().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^number,port,server,system_title,suite,password,management_unicast,/);
    const { systemTitle, stored } = (ports.running.meters[4] as ServedMeter).credentials;
    const [port] = ports.running.wrapperPorts.slice(4);
    expect(lines[5]).toContain(`5,${port},1,${toHex(systemTitle)},0,${String.fromCharCode(...stored.password)},`);
    expect(lines[5]).toContain(toHex(stored.firmware.authentication));
    expect((await stat(keys)).mode & 0o777).toBe(0o600);
    await expect(started({ keys: folder })).rejects.toThrow(/--keys .*EISDIR/);
    expect(new Set(ports.running.wrapperPorts).size).toBe(5);
  });

  test('the optical port: sign-on of mode E, HDLC, and a sign-on again', async () => {
    const at = stand();
    let toClient: (bytes: Uint8Array) => void = () => {};
    let toMeter: (bytes: Uint8Array) => void = () => {};
    await serveOptical(
      at.server,
      {
        describe: 'optical',
        open: async (events) => {
          toMeter = (bytes) => events.data(bytes);
        },
        write: async (bytes) => toClient(bytes.slice()),
        close: async () => {},
      },
      at.clock,
      'AMIABLE99',
      'AMI99000001',
    );
    const answers: string[] = [];
    toClient = (bytes) => answers.push(String.fromCharCode(...bytes.map((octet) => octet & 0x7f)));
    for (const address of ['99', 'AMI99000001']) toMeter(new TextEncoder().encode(`/?${address}!\r\n`));
    await at.clock.advance(0);
    expect(answers).toEqual(['/AMI5\\2AMIABLE99\r\n']);
    // Lines of eight bits hand the parity of the sign-on's characters on.
    for (const parity of [false, false, true, true]) {
      const reached: string[] = [];
      const client = createOpticalClient(
        {},
        {
          write: (bytes) => queueMicrotask(() => toMeter(parity ? evenParity(bytes) : bytes)),
          line: ({ baud }) => reached.push(String(baud)),
          event: (event) => reached.push(event.type === 'failed' ? event.error.message : event.type),
        },
      );
      toClient = (bytes) => client.receive(bytes, at.clock.now());
      client.start('hdlc', at.clock.now());
      await at.clock.advance(2000);
      expect(reached.join(' ')).toContain('9600');
      const session = await openSession({
        transport: hdlcTransport(
          {
            describe: 'optical',
            open: async (events) => {
              toClient = (bytes) => queueMicrotask(() => events.data(bytes));
            },
            write: async (bytes) => toMeter(bytes.slice()),
            close: async () => {},
          },
          at.clock,
          { client: 16, server: 1 },
        ),
        clock: at.clock,
      });
      expect(await read(session, 1, '0-0:42.0.0')).toBe('AMI99000001');
      await session.release();
    }
  });
});

describe('the page', () => {
  interface Answer {
    readonly status: number;
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: string;
  }
  function ask(port: number, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { port, path, host: '127.0.0.1', method: body === undefined ? 'GET' : 'POST', headers },
        (response) => {
          let text = '';
          response.on('data', (piece) => {
            text += piece;
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          );
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  }
  const JSON_TYPE = { 'content-type': 'application/json' };
  async function page() {
    const at = stand({ history: 3_600_000 * 30, slaves: ['gas'], config: { module: 'gprs', extraInput: 'alert' } });
    const server = await servePage({ host: '127.0.0.1', port: 0, meter: at.meter, speed: 1 });
    closers.push(() => server.close());
    return { ...at, port: server.port };
  }

  test('a document that loads nothing and runs nothing but its own', async () => {
    const { port } = await page();
    const { headers, body, status } = await ask(port, '/');
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-/,
    );
    expect(body).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    expect(body).not.toMatch(/ style=| on[a-z]+="/);
  });

  test('state, and what a hand does', async () => {
    const { port, meter, clock } = await page();
    const state = async () => JSON.parse((await ask(port, '/state')).body);
    const act = (command: object) => ask(port, '/act', JSON.stringify(command), JSON_TYPE);
    expect(await state()).toMatchObject({
      serial: 'AMI99000001',
      powered: true,
      phases: [true, true, true],
      power: 1500,
    });
    expect((await state()).curve.at(-1)).toEqual({ label: '11:00', watts: 1500 });
    expect((await act({ action: 'press' })).body).toContain('pressed');
    expect((await state()).disconnecter.connected).toBe(false);
    meter.engine.setDisconnecterMode('remote');
    expect((await act({ action: 'press' })).body).toContain('Refused');
    await act({ action: 'phase', phase: 1, on: false });
    await clock.advance(300_000);
    expect(await state()).toMatchObject({ phases: [true, false, true], voltages: [230, 0, 230] });
    expect((await state()).events[0].text).toBe('Single phase outage L2');
    await act({ action: 'mains', on: false });
    await clock.advance(60_000);
    expect((await state()).powered).toBe(false);
    await act({ action: 'mains', on: true });
    await act({ action: 'alert', on: true });
    await clock.advance(60_000);
    expect(await state()).toMatchObject({ powered: true, phases: [true, true, true], alertInput: true });
  });

  test('what it refuses', async () => {
    const { port } = await page();
    const status = async (...words: [string, string?, Record<string, string>?]) => (await ask(port, ...words)).status;
    expect(await status('/nothing')).toBe(404);
    expect(await status('/state', undefined, { host: 'evil.example' })).toBe(403);
    expect(await status('/act', '{"action":"press"}', { 'content-type': 'text/plain' })).toBe(415);
    expect(await status('/act', 'x', JSON_TYPE)).toBe(400);
    expect(await status('/act', 'null', JSON_TYPE)).toBe(400);
    expect(await status('/act', '{"action":"phase","phase":7}', JSON_TYPE)).toBe(400);
    expect(await status('/act', `{"a":"${'x'.repeat(5000)}"}`, JSON_TYPE)).toBe(400);
    expect(await status('/state', '{}', JSON_TYPE)).toBe(405);
  });
});

test('every object has a meaning', () => {
  const clock = virtualClock(START);
  const meter = virtualMeter(
    {
      seed: 1,
      zone: 'Europe/Oslo',
      suite: 0,
      history: 0,
      now: () => clock.now(),
      source: constantSource([230, 230, 230], [0, 0, 0]),
    },
    { number: 1 },
  );
  for (const object of managementObjects(meter.engine.config, [])) expect(object.meaning.length).toBeGreaterThan(8);
});
