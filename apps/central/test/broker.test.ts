/** The embedded broker against clients that are slow, away, greedy or loud. */
import { type Message, messageToJson } from '@amiable/model';
import { connect, connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Broker, startBroker } from '../src/ingest/broker.ts';
import { createRetainedBound, createSessions } from '../src/ingest/broker-bounds.ts';
import type { Ingest } from '../src/ingest/ingest.ts';
import { createQuietLog, printable } from '../src/log/quiet.ts';
import { sampleMessage } from './sample.ts';

const lines: string[] = [];
const taken: Message[] = [];
let broker: Broker;
let url: string;

beforeAll(async () => {
  const ingest = (async (messages: readonly Message[]) => {
    taken.push(...messages);
    return { accepted: messages.length, duplicates: 0, unplaced: 0, rejected: [] };
  }) as unknown as Ingest;
  broker = await startBroker({ host: '127.0.0.1', port: 0, ingest, log: (line) => lines.push(line) });
  url = `mqtt://127.0.0.1:${broker.port}`;
});
afterAll(() => broker.close());

const one = messageToJson(sampleMessage(1, '7000000000000009'));

describe('the embedded broker', () => {
  it('passes by a subscriber that does not read, and lives when it goes', async () => {
    const slow = await connectAsync(url, { reconnectPeriod: 0 });
    await slow.subscribeAsync('amiable/#', { qos: 0 });
    slow.stream.pause();
    slow.stream.removeAllListeners('data');
    const reader = await connectAsync(url);
    const payload = Buffer.alloc(20_000, 65);
    for (let i = 0; i < 4000; i += 200)
      await Promise.all(
        Array.from({ length: 200 }, () => reader.publishAsync('amiable/attic/message', payload, { qos: 1 })),
      );
    expect(broker.passedBy).toBeGreaterThan(2000);
    slow.stream.destroy();
    // Served after the other is gone, by a broker that still lives.
    const before = taken.length;
    await reader.publishAsync('amiable/attic/message', one, { qos: 1 });
    expect(taken).toHaveLength(before + 1);
    await reader.endAsync();
    expect(lines.length).toBeLessThan(30);
  });
  it('keeps no message retained, and a will is taken as what it is', async () => {
    const reader = await connectAsync(url);
    await reader.publishAsync('amiable/attic/message', one, { qos: 1, retain: true });
    await reader.publishAsync('amiable/attic/status', 'online', { qos: 1, retain: true });
    const heard: string[] = [];
    reader.on('message', (topic) => heard.push(topic));
    await reader.subscribeAsync('amiable/#');
    await reader.publishAsync('amiable/attic/status', 'online', { qos: 1 });
    await expect.poll(() => heard).toEqual(['amiable/attic/status', 'amiable/attic/status']);
    await reader.endAsync();
    const will = { topic: 'amiable/attic/status', payload: Buffer.alloc(5000), qos: 1 as const, retain: true };
    const greedy = connect(url, { will, reconnectPeriod: 0 });
    await new Promise<void>((resolve) => greedy.on('close', () => resolve()));
    expect(lines.some((line) => line.includes('a will of more than'))).toBe(true);
  });
  it('keeps what a session away is owed, up to a bound', async () => {
    const away = { clean: false, clientId: 'away', reconnectPeriod: 0 };
    const first = await connectAsync(url, away);
    await first.subscribeAsync('amiable/+/message', { qos: 1 });
    await first.endAsync();
    const reader = await connectAsync(url);
    for (let i = 0; i < 1200; i++) reader.publish('amiable/attic/message', one, { qos: 1 });
    await reader.publishAsync('amiable/attic/message', one, { qos: 1 });
    await reader.endAsync();
    let heard = 0;
    const second = connect(url, away);
    second.on('message', () => heard++);
    await expect.poll(() => heard).toBe(1000);
    await second.endAsync();
  });
  it('refuses more subscriptions than anybody needs', async () => {
    const client = await connectAsync(url);
    const topics = Array.from({ length: 200 }, (_, i) => `amiable/r${i}/message`);
    // The client library tells of a refused one by throwing.
    await expect(client.subscribeAsync(topics)).rejects.toThrow();
    await client.endAsync(true);
  });
});

describe('what waits for sessions', () => {
  const packet = (n: number) => ({ cmd: 'publish', brokerId: 'b', brokerCounter: n, payload: Buffer.alloc(1000) });
  it('is bounded in number and in bytes, and all is let go with the session', async () => {
    const sessions = createSessions(3, 10_000);
    expect(sessions.admit('a', false)).toBe(true);
    for (let n = 0; n < 5; n++) await sessions.outgoingEnqueue({ clientId: 'a' }, packet(n));
    const kept = await sessions.outgoingStream({ id: 'a' }).toArray();
    expect(kept.map((p) => p.brokerCounter)).toEqual([2, 3, 4]);
    for (const id of ['b', 'c', 'd']) {
      sessions.admit(id, false);
      for (let n = 0; n < 3; n++) await sessions.outgoingEnqueue({ clientId: id }, packet(n));
    }
    expect(sessions.bytes).toBeLessThanOrEqual(10_000);
    for (const id of ['a', 'b', 'c', 'd']) sessions.admit(id, true);
    expect(sessions.bytes).toBe(0);
  });
  it('is acknowledged by its number, and gone then', async () => {
    const sessions = createSessions();
    sessions.admit('a', false);
    await sessions.outgoingEnqueue({ clientId: 'a' }, packet(7));
    await sessions.outgoingUpdate({ id: 'a' }, { ...packet(7), messageId: 12 });
    expect(await sessions.outgoingClearMessageId({ id: 'a' }, { cmd: 'puback', messageId: 11 })).toBeUndefined();
    expect(await sessions.outgoingClearMessageId({ id: 'a' }, { cmd: 'puback', messageId: 12 })).toMatchObject({
      brokerCounter: 7,
    });
    expect(sessions.bytes).toBe(0);
    await sessions.outgoingUpdate({ id: 'a' }, { cmd: 'pubrel', messageId: 3 });
  });
  it('takes new retained topics up to a bound, and those it has always', () => {
    const may = createRetainedBound(2);
    expect([may('a', false), may('b', false), may('c', false), may('a', false)]).toEqual([true, true, false, true]);
    expect([may('a', true), may('c', false)]).toEqual([true, true]);
  });
});

describe('the quiet log', () => {
  it('tells the first of a kind in a minute and counts the rest', () => {
    let now = 0;
    const told: string[] = [];
    const tell = createQuietLog(
      (line) => told.push(line),
      () => now,
    );
    for (let i = 0; i < 1000; i++) tell('mqtt', `x${i}`);
    expect(told).toHaveLength(5);
    now = 60_000;
    tell('mqtt', 'again');
    expect(told.slice(5)).toEqual(['mqtt: 995 more such lines were not told', 'mqtt: again']);
  });
  it('lets nobody write lines of their own', () => {
    expect(printable('a\nb\u001b[31m\u202e\ud800')).toBe('a\u{fffd}b\u{fffd}[31m\u{fffd}\u{fffd}');
    expect(printable('x'.repeat(10_000)).length).toBeLessThan(600);
  });
});
