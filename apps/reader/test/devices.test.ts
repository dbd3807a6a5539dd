/** `amiable read -d` and `-l`: TCP, a serial port over a pty, multicast on the loopback interface. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '@amiable/bytes';
import { loopback, multicastReceiver, multicastSender, ptyLink, tcpServer, virtualClock } from '@amiable/io';
import type { Message } from '@amiable/model';
import { messageFromJson } from '@amiable/model/schemas';
import { describe, expect, it } from 'vitest';
import { createPortReader, keyRing } from '../src/index.ts';
import { file, read, start } from './bench.ts';
import { figure2, frame, joined, list1, sealedFrame } from './kaifa.ts';

const hasSocat = spawnSync('socat', ['-V']).status === 0;
const until = async (done: () => boolean) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2));
};
const server = async () => {
  const link = tcpServer({ host: '127.0.0.1', port: 0 });
  await link.open({ data() {}, closed() {} });
  return link;
};

describe('TCP', () => {
  it('is read, logged under the name of the guide, and opened again when lost', async () => {
    const logs = mkdtempSync(join(tmpdir(), 'amiable-logs-'));
    const first = await server();
    const bench = start(['-d', `127.0.0.1:${first.port}`, '--log-dir', logs, '--tz', 'Europe/Oslo']);
    await until(() => first.peers === 1);
    await first.write(joined(figure2[0]!, figure2[2]!));
    await bench.until(/React Energy -: 4597/);
    expect(readdirSync(logs)).toEqual([expect.stringMatching(/^han-data-.*\.part$/)]);
    const { port } = first;
    await first.close();
    await bench.until(/closed the connection\. Trying again/);
    const second = tcpServer({ host: '127.0.0.1', port });
    await second.open({ data() {}, closed() {} });
    await until(() => second.peers === 1);
    await second.write(figure2[1]!);
    await bench.until(/MA304H3E/);
    bench.end();
    expect(await bench.code).toBe(0);
    await second.close();
    expect(bench.err()).toMatch(/back\n/);
    expect(bench.err()).toMatch(/3 good messages from/);
    const [name] = readdirSync(logs);
    expect(name).toMatch(/^han-data-MA304T3-\d{4}-\d\d-\d\d_\d\d:\d\d-(\d{4}-\d\d-\d\d_)?\d\d:\d\d\.dat$/);
    expect(toHex(readFileSync(join(logs, name!)))).toBe(toHex(joined(figure2[0]!, figure2[2]!, figure2[1]!)));
  });
  it.each([
    ['60', ['clockWrong']],
    ['527040', []],
  ])('a clock that is off by months is told at a limit of %s minutes: %j', async (limit, flags) => {
    const link = await server();
    // The frame is of January 2017.
    const months = virtualClock(Date.UTC(2017, 5, 1));
    const bench = start(['-n', '-d', `127.0.0.1:${link.port}`, '--json', '--max-clock-error', limit], {
      clock: months,
    });
    await until(() => link.peers === 1);
    await link.write(figure2[0]!);
    await bench.until(/"flags"/);
    expect(JSON.parse(bench.out().trim().split('\n')[0]!).flags).toEqual(flags);
    bench.end();
    await bench.code;
    await link.close();
  });
  it('is not logged with -n', async () => {
    const logs = mkdtempSync(join(tmpdir(), 'amiable-logs-'));
    const link = await server();
    const bench = start(['-n', '-d', `127.0.0.1:${link.port}`, '--log-dir', logs]);
    await until(() => link.peers === 1);
    await link.write(figure2[0]!);
    await bench.until(/Act Pow/);
    bench.end();
    await bench.code;
    await link.close();
    expect(readdirSync(logs)).toEqual([]);
  });
  it('can be waited for on a port', async () => {
    const probe = await server();
    const { port } = probe;
    await probe.close();
    const bench = start(['-n', '-d', `:${port}`]);
    await bench.until(/reading listening/);
    const { tcpClient } = await import('@amiable/io');
    const client = tcpClient({ host: '127.0.0.1', port });
    await client.open({ data() {}, closed() {} });
    await client.write(figure2[1]!);
    await bench.until(/MA304H3E/);
    bench.end();
    expect(await bench.code).toBe(0);
    await client.close();
  });
  it('that refuses is told, without a stack trace', async () => {
    const probe = await server();
    const { port } = probe;
    await probe.close();
    const { code, err } = await read(['-n', '-d', `127.0.0.1:${port}`]);
    expect(code).toBe(3);
    expect(err).toMatch(/127\.0\.0\.1:\d+: nobody listens there/);
    expect(err).not.toMatch(/\n\s+at /);
  });
  it('says that the port is encrypted', async () => {
    const link = await server();
    const bench = start(['-n', '-d', `127.0.0.1:${link.port}`]);
    await until(() => link.peers === 1);
    await link.write(sealedFrame(list1([2017, 1, 20, 16, 8, 38])));
    await bench.until(/it is encrypted; a key is needed \(-k\)/);
    bench.end();
    expect(await bench.code).toBe(3);
    await link.close();
  });
  it('says that a meter whose clock is wrong is believed no further', async () => {
    const link = await server();
    const bench = start(['-n', '-d', `127.0.0.1:${link.port}`, '--json']);
    await until(() => link.peers === 1);
    await link.write(figure2[0]!);
    await bench.until(/"v":1/);
    bench.end();
    await bench.code;
    await link.close();
    expect(bench.lines()[0]).toMatchObject({ flags: ['clockWrong'] });
  });
});

describe('serial port', () => {
  it('that is not there is wrong usage, and the ones that are there are named', async () => {
    const { code, err } = await read(['-n', '-d', '/dev/ttyNONE9']);
    expect(code).toBe(2);
    expect(err).toMatch(
      /\/dev\/ttyNONE9: there is no such device\. (The serial ports here are: |This machine shows no)/,
    );
  });
  it.skipIf(!hasSocat)('is read', async () => {
    const pty = ptyLink();
    await pty.open({ data() {}, closed() {} });
    const bench = start(['-n', '-d', pty.path, '-P', 'E', '--baud', '2400']);
    await bench.until(/reading \/dev\/\S+ at 2400 8E1/);
    await pty.write(figure2[1]!);
    await bench.until(/Volt L3: 2394/);
    bench.end();
    expect(await bench.code).toBe(0);
    await pty.close();
  });
  it.skipIf(!hasSocat)('finds its parity by itself', async () => {
    const pty = ptyLink();
    await pty.open({ data() {}, closed() {} });
    const bench = start(['-n', '-d', pty.path, '--patience', '0.05']);
    await bench.until(/reading \S+ at 2400 8E1/);
    // A pty knows no parity: bytes that are no frames stand for those of the wrong one.
    await pty.write(new Uint8Array(50).fill(0x55));
    await bench.until(/50 bytes came but no message; trying 115200 baud, parity none/);
    await bench.until(/nothing came; trying 2400 baud, parity none/);
    const sending = setInterval(() => void pty.write(figure2[0]!).catch(() => {}), 10);
    await bench.until(/messages come with/);
    clearInterval(sending);
    bench.end();
    expect(await bench.code).toBe(0);
    await pty.close();
  });
});

describe('port reader', () => {
  it('holds the line back until messages are taken, and ends with the line', async () => {
    const [line, meter] = loopback();
    const clock = virtualClock(Date.UTC(2017, 0, 20, 15, 8, 40));
    const got: Message[] = [];
    let release = () => {};
    const port = createPortReader({
      reader: 'attic',
      port: 'han0',
      link: line,
      keys: keyRing([]),
      clock,
      message(m) {
        got.push(m);
        return new Promise((resolve) => {
          release = resolve;
        });
      },
    });
    const running = port.run();
    await meter.write(figure2[0]!);
    await clock.advance(0);
    expect(got).toHaveLength(1);
    await meter.write(figure2[1]!);
    await clock.advance(0);
    expect(got).toHaveLength(1);
    release();
    await clock.advance(0);
    expect(got).toHaveLength(2);
    expect(got[1]).toMatchObject({
      meterId: '6970631400000066',
      flags: [],
      receivedAt: Date.UTC(2017, 0, 20, 15, 8, 40),
    });
    release();
    await meter.close();
    await running;
    expect(port.counters.good).toBe(2);
  });
  it('ends with what the receiver throws', async () => {
    const [line, meter] = loopback();
    const port = createPortReader({
      reader: 'a',
      port: 'b',
      link: line,
      keys: keyRing([]),
      message: () => Promise.reject(new Error('database gone')),
    });
    const running = port.run();
    await meter.write(figure2[0]!);
    await expect(running).rejects.toThrow('database gone');
  });
});

describe('multicast', () => {
  const address = (port: number) => [
    '--multicast-address',
    `239.192.77.1:${port}`,
    '--multicast-interface',
    '127.0.0.1',
  ];
  const group = (port: number) => ({ group: { host: '239.192.77.1', port }, interface: '127.0.0.1' });
  it('sends each message as a datagram of canonical JSON, paced with -M', async () => {
    const heard: string[] = [];
    const listener = await multicastReceiver(group(17_711), (bytes) => heard.push(Buffer.from(bytes).toString()));
    const { code } = await read(['-M', '-f', file(joined(...figure2)), '--pause', '0.02', '-q', ...address(17_711)]);
    expect(code).toBe(0);
    await until(() => heard.length === 3);
    await listener.close();
    expect(heard.map((text) => messageFromJson(JSON.parse(text)).values.length)).toEqual([1, 13, 18]);
  });
  it('is heard with -l, as messages of readers and as raw frames of other programs; garbage is told', async () => {
    const bench = start(['-l', '--json', ...address(17_712)]);
    await bench.until(/listening to multicast/);
    await read(['-m', '-f', file(figure2[1]!), '-q', '--reader', 'cellar', ...address(17_712)]);
    const sender = await multicastSender(group(17_712));
    await sender.send(Buffer.from('{"v":2}'));
    await sender.send(Buffer.from('{'));
    await sender.send(frame(list1([2017, 1, 20, 16, 8, 42], 77)));
    await bench.until(/a datagram of 127\.0\.0\.1 is left out: /);
    await until(() => bench.lines().length === 2);
    bench.end();
    expect(await bench.code).toBe(0);
    await sender.close();
    expect(bench.lines()[0]).toMatchObject({ reader: 'cellar', meterId: '6970631400000066' });
    expect(bench.lines()[1]).toMatchObject({ readings: [{ value: 77 }] });
    expect(bench.err()).toMatch(/2 frames refused/);
  });
});
