/** Keys, passwords, policy and counters over the air; what outlives a restart; pushes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MisuseError } from '@amiable/bytes';
import { plainValue } from '@amiable/cosem';
import { decipher, decodeApdu, encodeKeyTransfer, KEY_ID, octetString } from '@amiable/dlms';
import { nodeCrypto } from '@amiable/io';
import { afterEach, describe, expect, test } from 'vitest';
import { encode } from '../../src/electricity-server/define.ts';
import { createCredentials, deliveredCredentials } from '../../src/electricity-server/keys.ts';
import type { PushMessage } from '../../src/electricity-server/served.ts';
import { folderStore, type Store } from '../../src/electricity-server/store.ts';
import { ascii, group, octets } from '../../src/electricity-server/values.ts';
import { attribute, DAY, HOUR, method, open, read, START, type Stand, stand, ZERO } from './helpers.ts';

const folders: string[] = [];
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'amiable-meter-'));
  folders.push(path);
  return path;
}
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true });
});

/** The meter as it comes up from what the store has. */
function restarted(store: Store, at: number): Stand {
  return stand(
    { suite: 0 },
    { number: 1, kept: store.load(1), saveCredentials: (stored) => store.saveCredentials(1, stored) },
    at,
  );
}

describe('over the air', () => {
  test('new keys count from the next association on; the old ones are of no use then', async () => {
    const at = stand();
    const { stored } = at.meter.credentials.sets.management;
    const before = { unicast: stored.unicast, authentication: stored.authentication };
    const session = await open(at, { as: 'management' });
    const fresh = { keyId: KEY_ID.unicastEncryption, data: nodeCrypto.randomBytes(16) };
    const parameters = encodeKeyTransfer(0, stored.master, [fresh], nodeCrypto);
    const wrong = encodeKeyTransfer(0, nodeCrypto.randomBytes(16), [fresh], nodeCrypto);
    await expect(session.action(method(64, '0-0:43.0.1', 2), wrong)).rejects.toThrow(/other-reason/);
    await session.action(method(64, '0-0:43.0.1', 2), parameters);
    expect(await read(session, 3, '1-0:1.8.0')).toBeTypeOf('number');
    await session.release();
    expect(stored.unicast).toEqual(fresh.data);
    const again = await open(at, { as: 'management' });
    expect(await read(again, 3, '1-0:1.8.0')).toBeTypeOf('number');
    stored.unicast = before.unicast;
    const old = open(at, { as: 'management' });
    stored.unicast = fresh.data;
    await expect(old).rejects.toThrow();
  });

  test('a policy is strengthened, never weakened', async () => {
    const at = stand();
    at.meter.credentials.sets.management.stored.policy = 0;
    const session = await open(at, { as: 'management' });
    await session.action(method(64, '0-0:43.0.1', 1), Uint8Array.of(0x16, 0x24));
    expect(await read(session, 64, '0-0:43.0.1', 2)).toBe(0x24);
    for (const weaker of [0, 0x04, 0x6c | 0x10])
      await expect(session.action(method(64, '0-0:43.0.1', 1), Uint8Array.of(0x16, weaker))).rejects.toThrow(
        /other-reason/,
      );
  });

  test('the reader changes its password', async () => {
    const at = stand();
    const session = await open(at, { as: 'reader' });
    await session.set(attribute(15, '0-0:40.0.0', 7), octetString(ascii('geheim99')));
    await session.release();
    expect(at.meter.credentials.stored.password).toEqual(ascii('geheim99'));
    await (await open(at, { as: 'reader' })).release();
    const old = open(at, {
      as: 'reader',
      more: { authentication: { mechanism: 1, password: ascii('00000000') } },
    });
    await expect(old).rejects.toThrow(/authentication-failure/);
  });

  test('the counter that a client must begin from is told to all', async () => {
    const at = stand();
    const session = await open(at, { as: 'management' });
    await read(session, 3, '1-0:1.8.0');
    const open16 = await open(at, { as: 'public' });
    const told = await read(open16, 1, '0-0:43.1.1');
    expect(told).toBe(at.meter.credentials.sets.management.peerCounter.lowest());
    expect(told).toBeGreaterThan(2);
  });
});

describe('a restart', () => {
  test('registers, profiles, settings, keys and passwords are as they were; the time between was lived', async () => {
    const store = folderStore(folder());
    const first = restarted(store, START);
    const session = await open(first, { as: 'management' });
    await session.set(attribute(41, '0-0:25.0.0', 6), Uint8Array.of(0x12, 0, 99));
    await session.set(attribute(3, '0-0:96.7.20'), Uint8Array.of(0x12, 0, 77));
    await first.clock.advance(5 * HOUR);
    const energy = (await read(session, 3, '1-0:1.8.0')) as number;
    store.save(first.meter);
    const second = restarted(store, START + DAY);
    const again = await open(second, { as: 'management' });
    expect(await read(again, 41, '0-0:25.0.0', 6)).toBe(99);
    expect(await read(again, 3, '0-0:96.7.20')).toBe(77);
    expect(((await read(again, 3, '1-0:1.8.0')) as number) - energy).toBe(19 * 1500);
    expect(await read(again, 7, '1-0:99.1.0', 7)).toBe(24);
  });

  test('no number of ours is used twice, and none of the client’s is taken again', () => {
    const store = folderStore(folder());
    const used: number[] = [];
    let lowest = 0;
    for (let life = 0; life < 3; life++) {
      const stored = store.load(1).credentials ?? deliveredCredentials(1, 1, 0);
      const { management } = createCredentials(stored, 1, (kept) => store.saveCredentials(1, kept), 10).sets;
      expect(management.peerCounter.lowest()).toBeGreaterThanOrEqual(lowest);
      for (let i = 0; i < 25; i++) used.push(management.counter.next());
      management.peerCounter.accept(life * 100 + 50);
      lowest = management.peerCounter.lowest();
    }
    expect(new Set(used).size).toBe(75);
  });

  test('a damaged file is named, and nothing is begun over it', async () => {
    const path = folder();
    const store = folderStore(path);
    const at = restarted(store, START);
    at.meter.live();
    at.meter.changed();
    store.save(at.meter);
    at.meter.credentials.save();
    const files = readdirSync(path);
    expect(files).toHaveLength(2);
    for (const file of files) {
      const whole = readFileSync(join(path, file), 'utf8');
      writeFileSync(join(path, file), whole.slice(0, -20));
      expect(() => store.load(1)).toThrow(MisuseError);
      expect(() => store.load(1)).toThrow(file);
      writeFileSync(join(path, file), whole);
    }
  });
});

describe('push', () => {
  test('the registers go to the destination, ciphered under the key of management', async () => {
    const at = stand();
    const sent: PushMessage[] = [];
    at.meter.onPush = (message) => sent.push(message) > 0;
    const session = await open(at, { as: 'management' });
    await expect(session.action(method(40, '0-0:25.9.0', 1), ZERO)).rejects.toThrow(/other-reason/);
    const destination = encode(group({ type: 'enum', value: 0 }, octets('127.0.0.1:9'), { type: 'enum', value: 0 }));
    await session.set(attribute(40, '0-0:25.9.0', 3), destination);
    const wrong = encode(group({ type: 'enum', value: 4 }, octets('+47'), { type: 'enum', value: 0 }));
    await expect(session.set(attribute(40, '0-0:25.9.0', 3), wrong)).rejects.toThrow(/other-reason/);
    await session.action(method(40, '0-0:25.9.0', 1), ZERO);
    const [message] = sent;
    expect(message).toMatchObject({ service: 0, destination: '127.0.0.1:9' });
    const envelope = decodeApdu(message?.apdu ?? new Uint8Array());
    const { unicast, authentication } = at.meter.credentials.sets.management.stored;
    if (envelope.type !== 'general-glo-ciphering') throw new Error(envelope.type);
    const opened = decipher(envelope, [{ key: unicast, authKey: authentication }], nodeCrypto);
    if (!opened.ok) throw new Error(opened.reason);
    const notification = decodeApdu(opened.plain);
    if (notification.type !== 'data-notification') throw new Error(notification.type);
    const body = plainValue(notification.body) as unknown[];
    expect(body[1]).toBe('AMI99000001');
    expect(body[3]).toBe(at.meter.engine.register('1.8.0'));
    expect(body).toHaveLength(7);
  });

  test('a schedule pushes at its times', async () => {
    const at = stand();
    const sent: PushMessage[] = [];
    at.meter.onPush = (message) => sent.push(message) > 0;
    const session = await open(at, { as: 'management' });
    const destination = encode(group({ type: 'enum', value: 1 }, octets('127.0.0.1:9'), { type: 'enum', value: 0 }));
    await session.set(attribute(40, '0-0:25.9.0', 3), destination);
    // Every hour at 15 minutes past.
    const every = Uint8Array.of(1, 1, 2, 2, 9, 4, 0xff, 15, 0, 0, 9, 5, 0xff, 0xff, 0xff, 0xff, 0xff);
    await session.set(attribute(22, '0-0:15.0.4', 4), every);
    await at.clock.advance(5 * HOUR);
    at.meter.live();
    expect(sent).toHaveLength(5);
  });
});
