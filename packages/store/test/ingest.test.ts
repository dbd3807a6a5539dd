import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Placed, type Store } from '../src/index.ts';
import { createTestDatabase, type TestDatabase } from './harness.ts';
import { LIST1, list1, list2, list3, T0 } from './samples.ts';

let db: TestDatabase;
let store: Store;
beforeAll(async () => {
  db = await createTestDatabase();
  store = await openStore({ url: db.url });
});
afterAll(async () => {
  await store.close();
  await db.drop();
});

const idOf = async (serial: string): Promise<string> => (await store.meters({ q: serial })).meters[0]?.id as string;

describe('ingest', () => {
  it('stores a message once, makes its meter known and shows its values', async () => {
    const told: Placed[] = [];
    const end = store.onStored((placed) => told.push(...placed));
    const message = list3(T0 + 10_000, 948, 123_456, { serial: 'A1' });
    expect(await store.ingest([message])).toEqual({ accepted: 1, duplicates: 0, unplaced: 0, rejected: [] });
    expect(await store.ingest([message, message])).toEqual({ accepted: 0, duplicates: 2, unplaced: 0, rejected: [] });
    end();
    expect(told.map((t) => t.message.id)).toEqual([message.id]);
    const list = await store.meters({ q: 'a1' });
    expect(list.total).toBe(1);
    const meter = list.meters[0];
    expect(meter).toMatchObject({
      serial: 'A1',
      state: 'new',
      maker: 'Kaifa',
      type: 'MA304H3E',
      list: 'KFM_001',
      phases: 3,
      timeZone: 'Europe/Oslo',
      lastSeen: new Date(message.receivedAt).toISOString(),
      hasKey: false,
    });
    expect(meter?.live?.power).toBe(948);
    expect(meter?.live?.values['32.7.0']).toEqual({
      value: 230.1,
      name: 'voltageL1',
      unit: 'V',
      time: '2026-03-10T12:00:10Z',
    });
    expect(meter?.live?.values['1.8.0']?.time).toBe('2026-03-10T12:00:00Z');
    const [stored] = await store.messages(meter?.id as string);
    expect(stored?.id).toBe(message.id);
    expect(stored?.raw).toBe(Buffer.from(message.raw as Uint8Array).toString('hex'));
    expect(stored?.readings.map((r) => r.value)).toEqual(['KFM_001', 'A1', 948, 0, 230.1, 231.2, 123456, 0]);
    expect(stored?.readings[6]?.time).toBe('2026-03-10T12:00:00Z');
    expect(await store.message(meter?.id as string, message.id)).toEqual(stored);
  });

  it('keeps what it cannot place, and stores it when it can be read', async () => {
    const locked = {
      ...list1(T0, 0, { serial: null, port: 'locked' }),
      items: [],
      values: [],
      error: { reason: 'noKey' },
    };
    const nameless = list1(T0 + 2000, 77, { serial: null, port: 'nameless' });
    expect(await store.ingest([locked, nameless, locked])).toEqual({
      accepted: 2,
      duplicates: 1,
      unplaced: 2,
      rejected: [],
    });
    expect((await store.counters()).unplaced).toBe(2);
    const result = await store.reprocess((u) =>
      u.reason === 'noKey' ? [list1(T0 + 5000, 12, { serial: 'opened' })] : undefined,
    );
    expect(result).toEqual({ reprocessed: 1, left: 1 });
    expect((await store.counters()).unplaced).toBe(1);
    expect((await store.meters({ q: 'opened' })).meters[0]?.live?.power).toBe(12);
  });

  it('stores a message with a wrong clock when it was received', async () => {
    const past = list1(Date.UTC(2013, 0, 1), 5, { serial: 'B1', extra: { receivedAt: T0, flags: ['clockWrong'] } });
    const ahead = list1(Date.UTC(2031, 0, 1), 6, { serial: 'B1', extra: { receivedAt: T0 + 1000 } });
    await store.ingest([past, ahead]);
    const messages = await store.messages(await idOf('B1'));
    expect(messages.map((m) => m.time)).toEqual(['2026-03-10T12:00:01Z', '2026-03-10T12:00:00Z']);
    expect(messages.map((m) => m.flags)).toEqual([['clockWrong'], ['clockWrong']]);
  });

  it('tells of each message that can never be stored, and stores the others', async () => {
    const good = list1(T0, 1, { serial: 'C1' });
    const bad = [
      { ...good, id: 'nonsense' },
      { ...good, receivedAt: Number.NaN },
      { ...good, id: 'a'.repeat(32), values: [1.5] },
      { ...good, id: 'b'.repeat(32), values: [2n ** 70n] },
      { ...good, id: 'c'.repeat(32), values: [] },
    ];
    const result = await store.ingest([...bad, good]);
    expect(result.accepted).toBe(1);
    expect(result.rejected.map((r) => r.index)).toEqual([0, 1, 2, 3, 4]);
    expect(result.rejected[2]?.reason).toContain('activePowerImport');
  });

  it('takes NUL, quotes and 64-bit values', async () => {
    const items = [
      { name: 'odd\0name"', scaler: 0 },
      { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', scaler: -3 },
    ] as const;
    const message = {
      ...list1(T0, 0, { serial: 'D\0"1' }),
      items,
      values: ['a\0b\'"', -(2n ** 63n)] as const,
      flags: ['unknownList'] as const,
    };
    expect((await store.ingest([message])).accepted).toBe(1);
    const [stored] = await store.messages(await idOf('D"1'));
    expect(stored?.readings[0]?.value).toBe('a\0b\'"');
    expect(stored?.readings[1]?.value).toBeCloseTo(-(2 ** 63) / 1000, 0);
  });

  it('joins concurrent callers and tells each its own', async () => {
    const calls = Array.from({ length: 50 }, (_, i) =>
      store.ingest([list1(T0 + i * 2000, i, { serial: 'E1' }), list1(T0 + (i >> 1) * 2000, i >> 1, { serial: 'E1' })]),
    );
    const results = await Promise.all(calls);
    expect(results.reduce((sum, r) => sum + r.accepted, 0)).toBe(50);
    expect(results.reduce((sum, r) => sum + r.duplicates, 0)).toBe(50);
  });

  it('makes callers wait when its queue is full', async () => {
    const small = await openStore({ url: db.url, queue: 4, migrate: false });
    const calls = Array.from({ length: 20 }, (_, i) =>
      small.ingest([list1(T0 + i, i, { serial: 'F1' }), list1(T0 + i + 0.5, i, { serial: 'F1' })]),
    );
    const results = await Promise.all(calls);
    expect(results.every((r) => r.accepted === 2)).toBe(true);
    await small.close();
  });

  it('keeps a refused message, and shows none of its values', async () => {
    const bad = {
      ...list1(T0, 9999, { serial: 'X1' }),
      flags: ['checksumBad'] as const,
      error: { reason: 'checksum', offset: 7 },
    };
    await store.ingest([bad, list1(T0 - 2000, 5, { serial: 'X1' })]);
    const id = await idOf('X1');
    expect((await store.messages(id))[0]).toMatchObject({
      flags: ['checksumBad'],
      error: { reason: 'checksum', offset: 7 },
    });
    expect((await store.meter(id))?.live?.power).toBe(5);
    expect((await store.series(id, ['1.7.0'], T0 - 10_000, T0 + 10_000, 100)).curves[0]?.values).toEqual([5]);
  });

  it('is not disturbed by a listener that fails', async () => {
    const end = store.onStored(() => {
      throw new Error('listener');
    });
    const warned = new Promise((resolve) => process.once('warning', resolve));
    expect((await store.ingest([list1(T0, 1, { serial: 'X2' })])).accepted).toBe(1);
    end();
    expect(await warned).toMatchObject({ message: 'listener' });
  });

  it('keeps text readings when they change', async () => {
    const at = (m: number, version: string) => ({
      ...list2(T0 + m * 60_000, 1, { serial: 'G1' }),
      values: [version, 'G1', 1, 0, 2300, 2300],
    });
    await store.ingest([at(0, 'v1'), at(1, 'v1'), at(2, 'v2')]);
    await store.ingest([at(3, 'v2'), at(5, 'v1')]);
    const { rows } = await query(`select value from amiable.attribute a join amiable.register r on r.id = a.register
      join amiable.meter m on m.id = a.meter where m.serial = 'G1' and r.name = 'listVersion' order by time`);
    expect(rows.map((r) => r.value)).toEqual(['v1', 'v2', 'v1']);
  });

  it('scales coarser decimals into the layout that is there', async () => {
    const fine = { ...list1(T0, 0, { serial: 'H1' }), items: [{ ...LIST1[0], scaler: -2 }], values: [12_345] };
    const coarse = { ...list1(T0 + 2000, 0, { serial: 'H1' }), items: [{ ...LIST1[0], scaler: 1 }], values: [7] };
    await store.ingest([fine as never]);
    await store.ingest([coarse as never]);
    const messages = await store.messages(await idOf('H1'));
    expect(messages.map((m) => m.readings[0]?.value)).toEqual([70, 123.45]);
  });
});

async function query(text: string): Promise<{ rows: Record<string, unknown>[] }> {
  const pg = (await import('pg')).default;
  const client = new pg.Client(db.url);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}
