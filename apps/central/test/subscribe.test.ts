/** Against a real Mosquitto: acknowledged when stored, sent again when not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Message, messageToJson } from '@amiable/model';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subscribeBroker } from '../src/ingest/subscribe.ts';
import { sampleMessage } from './sample.ts';

const MOSQUITTO = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(existsSync);
if (!MOSQUITTO && process.env.AMIABLE_REQUIRE_ALL)
  throw new Error('mosquitto is not installed, and nothing may be skipped');
if (!MOSQUITTO) console.warn('skipped: reading from a broker elsewhere (mosquitto is not installed)');

const result = { accepted: 1, duplicates: 0, unplaced: 0, rejected: [] };

describe.skipIf(!MOSQUITTO)('a broker elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'amiable-mosquitto-'));
  let broker: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const port = await new Promise<number>((resolve) => {
      const probe = createServer();
      probe.listen(0, '127.0.0.1', () => {
        const { port } = probe.address() as { port: number };
        probe.close(() => resolve(port));
      });
    });
    const config = join(folder, 'mosquitto.conf');
    writeFileSync(
      config,
      `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n`,
    );
    broker = spawn(MOSQUITTO as string, ['-c', config], { stdio: 'ignore' });
    url = `mqtt://127.0.0.1:${port}`;
    const answers = () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('connect', () => resolve(!!socket.end())).on('error', () => resolve(false));
      });
    for (let tries = 0; !(await answers()) && tries < 200; tries++)
      await new Promise((resolve) => setTimeout(resolve, 25));
  });
  afterAll(() => {
    broker?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('delivers each message until it is stored, over several connections at once', async () => {
    const stored = new Map<string, Message>();
    const lines: string[] = [];
    let failures = 3;
    let most = 0;
    let now = 0;
    const subscription = await subscribeBroker({
      url,
      clientId: 'central',
      connections: 4,
      reconnect: 50,
      log: (line) => lines.push(line),
      ingest: async ([message]) => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
        if (failures-- > 0) throw new Error('the database is away');
        stored.set((message as Message).id, message as Message);
        return result;
      },
    });
    expect(subscription.connections).toBe(4);
    const sender = await connectAsync(url);
    await sender.publishAsync('amiable/attic/message', 'garbage', { qos: 1 });
    const messages = Array.from({ length: 200 }, (_, n) => sampleMessage(n));
    await Promise.all(messages.map((m) => sender.publishAsync('amiable/attic/message', messageToJson(m), { qos: 1 })));
    const end = Date.now() + 60_000;
    while (stored.size < messages.length && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    expect([...stored.keys()].sort()).toEqual(messages.map((m) => m.id).sort());
    expect(most).toBeGreaterThan(1);
    expect(lines.filter((line) => line.includes('sent again'))).toHaveLength(3);
    expect(lines.some((line) => line.includes('no JSON'))).toBe(true);
    await sender.endAsync();
    await subscription.close();
  }, 120_000);
});
