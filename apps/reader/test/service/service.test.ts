/** The service: ports into the spool, the spool into uplinks; changes while it runs; faults told and recovered from. */
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tcpServer, virtualClock } from '@amiable/io';
import type { Message } from '@amiable/model';
import { afterEach, describe, expect, it } from 'vitest';
import { deviceName } from '../../src/device-name.ts';
import { silence } from '../../src/service/port.ts';
import { statusLine } from '../../src/service/run.ts';
import { figure2, frame, joined, KEY_HEX, list1, list2, sealedFrame } from '../kaifa.ts';
import { begin, central, configOf, meter, newFolder, portConfig, postConfig, until } from './bench.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
const many = (from: number, to: number) =>
  joined(...Array.from({ length: to - from }, (_, i) => frame(list1([2017, 1, 20, 16, 0, (from + i) % 60], from + i))));

describe('silence on an open line', () => {
  const minutes = 60_000;
  it('is a cause after five minutes, of ports that are asked after three rounds more, of radio never', () => {
    const port = portConfig('/dev/a');
    expect(silence(port, 5 * minutes)).toBeUndefined();
    expect(silence(port, 6 * minutes)).toBe(6 * minutes);
    expect(silence({ ...port, protocol: 'mbus', poll: 15 * minutes }, 49 * minutes)).toBeUndefined();
    expect(silence({ ...port, protocol: 'mbus', poll: 15 * minutes }, 51 * minutes)).toBe(51 * minutes);
    expect(silence({ ...port, protocol: 'wmbus' }, 1e9)).toBeUndefined();
  });
});

describe('the service', () => {
  it('reads ports, tells its status, and hands on what came', async () => {
    const one = await meter(ends);
    const other = await meter(ends);
    const server = await central(ends);
    const taken: Message[] = [];
    const { service, seen } = await begin(
      configOf({
        ports: [portConfig(one.device), portConfig(other.device, 'han1')],
        uplinks: [postConfig(server.url)],
      }),
      ends,
      {
        inProcess: [{ name: 'central', target: 'database', take: async (messages) => taken.push(...messages) }],
      },
    );
    await until(() => one.peers === 1 && other.peers === 1);
    await one.write(joined(...figure2));
    await other.write(figure2[1]!);
    await until(() => server.ids.length === 4 && taken.length === 4);
    expect(new Set(server.ids)).toEqual(new Set(seen.map((m) => m.id)));
    expect(new Set(taken.map((m) => m.id))).toEqual(new Set(server.ids));
    expect([...service.latest().keys()].sort()).toEqual([
      'han0',
      'han0/6970631400000066',
      'han0/6970631400000226',
      'han1/6970631400000066',
    ]);
    const status = service.status();
    expect(status.ports.map((p) => [p.name, p.state, p.counters.good, p.last?.meterId])).toEqual([
      ['han0', 'up', 3, '6970631400000226'],
      ['han1', 'up', 1, '6970631400000066'],
    ]);
    await until(() => service.status().uplinks.every((u) => u.waiting === 0));
    expect(service.status().uplinks).toMatchObject([
      { name: 'central', type: 'central', state: 'up', delivered: 4, waiting: 0 },
      { name: 'post', type: 'post', state: 'up', delivered: 4, waiting: 0 },
    ]);
    expect(status.spool).toMatchObject({ state: 'disk', dropped: 0 });
    expect(statusLine(service.status())).toMatch(
      /^han0 3 good · han1 1 good · central 4 delivered · post 4 delivered · spool/,
    );
  });
  it('the meter of a port is known after a restart, for a list 1 names none', async () => {
    const one = await meter(ends);
    const config = configOf({ ports: [portConfig(one.device)] });
    const first = await begin(config, ends);
    await until(() => one.peers === 1);
    await one.write(figure2[1]!);
    await until(() => first.seen.length === 1);
    await first.service.stop(0);
    const second = await begin(config, ends);
    await until(() => one.peers === 1);
    await one.write(figure2[0]!);
    await until(() => second.seen.length === 1);
    expect(second.seen[0]).toMatchObject({ meterId: '6970631400000066', flags: ['meterIdInherited'] });
  });
  it('what could not be delivered before an end goes out after the next start', async () => {
    const one = await meter(ends);
    const server = await central(ends);
    server.answer = (_, response) => {
      response.writeHead(503, { 'retry-after': '30' });
      response.end();
      return true;
    };
    const config = configOf({ ports: [portConfig(one.device)], uplinks: [postConfig(server.url)] });
    const first = await begin(config, ends);
    await until(() => one.peers === 1);
    await one.write(many(0, 30));
    await until(() => first.seen.length === 30);
    await until(() => first.told.some((line) => /answers 503/.test(line)));
    expect(first.service.status().uplinks[0]).toMatchObject({ state: 'down', waiting: 30 });
    await first.service.stop(0);
    server.answer = () => false;
    await begin(config, ends);
    await until(() => server.ids.length === 30);
    expect(server.ids).toEqual(first.seen.map((m) => m.id));
  });
  it('a wrong API key is told, does not end it, and is tried again until the server takes it', async () => {
    const clock = virtualClock(Date.now());
    const one = await meter(ends);
    const server = await central(ends);
    let requests = 0;
    server.answer = (_, response) => {
      requests++;
      response.writeHead(401);
      response.end('{}');
      return true;
    };
    const { service, told, seen } = await begin(
      configOf({ ports: [portConfig(one.device)], uplinks: [postConfig(server.url, { apiKey: 'k' })] }),
      ends,
      { clock },
    );
    await until(() => one.peers === 1);
    await one.write(many(0, 3));
    await until(() => seen.length === 3 && requests === 1);
    await until(() => told.some((line) => /does not accept this API key.*Trying again/.test(line)));
    // Slowly: not by the second.
    await clock.advance(30_000);
    expect(requests).toBe(1);
    server.answer = () => false;
    await clock.advance(31_000);
    await until(() => server.ids.length === 3);
    await until(() => service.status().uplinks[0]?.state === 'up');
    expect(told.filter((line) => /API key/.test(line))).toHaveLength(1);
    expect(told.some((line) => /takes messages again/.test(line))).toBe(true);
  });
  it('a database that is away loses nothing: the newest goes in first, then history in order', async () => {
    const one = await meter(ends);
    let away = true;
    const taken: string[] = [];
    let now = Date.UTC(2026, 0, 1);
    const timers: (() => void)[] = [];
    const after = (_: number, fn: () => void) => {
      timers.push(fn);
      return () => {};
    };
    const { seen, told } = await begin(configOf({ ports: [portConfig(one.device)] }), ends, {
      clock: { now: () => now, after },
      inProcess: [
        {
          name: 'central',
          target: 'database',
          async take(messages) {
            if (away) throw new Error('the database does not answer');
            taken.push(...messages.map((m) => m.id));
          },
        },
      ],
    });
    await until(() => one.peers === 1);
    for (let i = 0; i < 20; i++) {
      now += 60_000;
      await one.write(many(i, i + 1));
      await until(() => seen.length === i + 1);
    }
    await until(() => told.some((line) => /database: the database does not answer\. Trying again/.test(line)));
    away = false;
    await until(() => {
      for (const fn of timers.splice(0)) fn();
      return taken.length === 20;
    });
    const ids = seen.map((m) => m.id);
    expect(taken).toEqual([ids[19], ...ids.slice(0, 19)]);
    expect(told.filter((line) => /does not answer/.test(line))).toHaveLength(1);
  });
});

describe('apply', () => {
  it('changes uplinks and adds ports without losing a frame of the others', async () => {
    const one = await meter(ends);
    const other = await meter(ends);
    const before = await central(ends);
    const after = await central(ends);
    const config = configOf({ ports: [portConfig(one.device)], uplinks: [postConfig(before.url)] });
    const { service, seen } = await begin(config, ends);
    await until(() => one.peers === 1);
    let sent = 0;
    let sending = true;
    const feed = (async () => {
      while (sending) {
        await one.write(many(sent, sent + 1));
        sent++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await until(() => seen.length > 20);
    await service.apply({
      ...config,
      ports: [portConfig(one.device), portConfig(other.device, 'han1')],
      uplinks: [postConfig(after.url)],
    });
    await until(() => other.peers === 1);
    await other.write(figure2[1]!);
    await until(() => seen.length > sent - 20 && seen.length > 60);
    sending = false;
    await feed;
    await until(() => seen.length === sent + 1);
    await until(() => service.status().uplinks[0]?.waiting === 0);
    const arrived = new Set([...before.ids, ...after.ids]);
    expect(seen.filter((m) => !arrived.has(m.id))).toEqual([]);
    expect(after.ids.length).toBeGreaterThan(0);
    expect(one.peers).toBe(1);
  });
  it('a key that is given while it runs opens the next frame; what came before was kept', async () => {
    const one = await meter(ends);
    const config = configOf({ ports: [portConfig(one.device)] });
    const { service, seen, told } = await begin(config, ends);
    await until(() => one.peers === 1);
    await one.write(sealedFrame(list2([2017, 1, 1, 1, 1, 1])));
    await until(() => seen.length === 1);
    expect(seen[0]).toMatchObject({ error: { reason: 'noKey' } });
    expect(told.some((line) => /encrypted; a key is needed/.test(line))).toBe(true);
    await service.apply({ ...config, ports: [portConfig(one.device, 'han0', { keys: [{ key: KEY_HEX }] })] });
    await until(() => one.peers === 1);
    await one.write(sealedFrame(list2([2017, 1, 1, 1, 1, 3])));
    await until(() => seen.length === 2);
    expect(seen[1]).toMatchObject({ meterId: '6970631400000066' });
    expect(service.status().spool.messages).toBe(2);
  });
  it('a port that is taken out is not read any more, and what it said last is delivered', async () => {
    const one = await meter(ends);
    const server = await central(ends);
    const config = configOf({ ports: [portConfig(one.device)], uplinks: [postConfig(server.url)] });
    const { service } = await begin(config, ends);
    await until(() => one.peers === 1);
    await one.write(figure2[1]!);
    await until(() => service.status().ports[0]?.counters.good === 1);
    await service.apply({ ...config, ports: [] });
    expect(service.status().ports).toEqual([]);
    await until(() => server.ids.length === 1 && one.peers === 0);
  });
});

describe('faults', () => {
  it('a line that is lost is told, tried again, and back', async () => {
    const one = await meter(ends);
    const { service, told, seen } = await begin(configOf({ ports: [portConfig(one.device)] }), ends);
    await until(() => one.peers === 1);
    await one.write(figure2[1]!);
    await until(() => seen.length === 1);
    const { port } = one;
    await one.close();
    await until(() => service.status().ports[0]?.state === 'down');
    expect(service.status().ports[0]?.fault).toMatch(/closed the connection|nobody listens/);
    expect(told.some((line) => /^han0: .*Trying again/.test(line))).toBe(true);
    const again = tcpServer({ host: '127.0.0.1', port });
    ends.push(() => again.close());
    await again.open({ data() {}, closed() {} });
    await until(() => service.status().ports[0]?.state === 'up' && again.peers === 1);
    await again.write(figure2[2]!);
    await until(() => seen.length === 2);
    expect(service.status().ports[0]).toMatchObject({ state: 'up', counters: { good: 2 } });
  });
  it('a second process on the spool is refused in words', async () => {
    const config = configOf();
    await begin(config, ends);
    await expect(begin(config, ends)).rejects.toThrow(/uses this spool/);
  });
  it('a folder that is none does not keep messages from being delivered', async () => {
    const one = await meter(ends);
    const server = await central(ends);
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const { service, told, seen } = await begin(
      configOf({
        ports: [portConfig(one.device)],
        uplinks: [postConfig(server.url)],
        spool: { folder: join(file, 'spool'), maxBytes: 1 << 20 },
      }),
      ends,
    );
    expect(told.join()).toMatch(/Messages are kept in memory/);
    await until(() => one.peers === 1);
    await one.write(many(0, 5));
    await until(() => server.ids.length === 5);
    expect(seen.length).toBe(5);
    expect(service.status().spool).toMatchObject({ state: 'memory', fault: expect.stringMatching(/no folder/) });
  });
});

describe('an adapter that comes back under another name', () => {
  it('is found by the link that bears its serial number', () => {
    const dev = mkdtempSync(join(tmpdir(), 'amiable-dev-'));
    const byId = mkdtempSync(join(tmpdir(), 'amiable-by-id-'));
    const usb0 = join(dev, 'ttyUSB0');
    const usb1 = join(dev, 'ttyUSB1');
    const link = join(byId, 'usb-FTDI_FT232R_A10KZP45-if00-port0');
    writeFileSync(usb0, '');
    symlinkSync(usb0, link);
    const name = deviceName(usb0, byId);
    expect(name.path()).toBe(usb0);
    name.opened();
    expect(name.path()).toBe(usb0);
    rmSync(link);
    renameSync(usb0, usb1);
    // Pulled out: the given name says what is missing.
    expect(name.path()).toBe(usb0);
    symlinkSync(usb1, link);
    expect(name.path()).toBe(usb1);
    // Another adapter has the old name now.
    writeFileSync(usb0, '');
    expect(name.path()).toBe(usb1);
  });
  it('has only its name where the system has no such links', () => {
    const name = deviceName('/dev/null', '/there/is/no/such/folder');
    name.opened();
    expect(name.path()).toBe('/dev/null');
  });
});
