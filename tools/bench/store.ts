/**
 * The store: durable intake of profile values and of live messages, bytes on disk, and the questions of a utility, on the
 * embedded PostgreSQL, and on a server when DATABASE_URL names one (a database of its own is made there and dropped).
 * Values are quarter-hour energies of made-up households: a base load with noise, and appliances that come and go.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Message, messageId } from '@amiable/model';
import { openStore, type RegisterKey, type SeriesData, type Store, startEmbedded } from '@amiable/store';
import pg from 'pg';
import type { Figure } from './figure.ts';

const QUARTER = 900_000;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const PROFILE: RegisterKey = { obis: '1-0:1.29.0', name: 'activeEnergyImportInterval', unit: 'Wh', period: 900 };

/** Peer figures: design's table of the same questions at 10,000 meters over 30 days. */
const PEERS = {
  embedded: { ingest: 14.7, bytes: 2.2, month: 0.4, profile: 58, rates: 214, gaps: 129, peaks: 108 },
  server: { ingest: 16.5, bytes: 2.2, month: 0.4, profile: 51, rates: 212, gaps: 182, peaks: 101 },
} as const;

interface Size {
  readonly meters: number;
  readonly days: number;
  readonly messages: number;
}

export async function benchStore(options: { smoke?: boolean } = {}): Promise<Figure[]> {
  const size: Size = options.smoke
    ? { meters: 100, days: 5, messages: 2000 }
    : { meters: 10_000, days: 30, messages: 100_000 };
  const figures: Figure[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    figures.push(...(await measure('embedded', embedded.url, size)));
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const server = process.env.DATABASE_URL;
  if (server) {
    const name = `amiable_bench_${process.pid}`;
    await admin(server, `create database ${name}`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    try {
      figures.push(...(await measure('server', url.href, size)));
    } finally {
      await admin(server, `drop database if exists ${name} with (force)`);
    }
  }
  return figures;
}

async function admin(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

async function measure(where: keyof typeof PEERS, url: string, size: Size): Promise<Figure[]> {
  const figures: Figure[] = [];
  const peer = PEERS[where];
  /** `faster` figures are better when greater. */
  const put = (name: string, value: number, unit: string, beside?: number): void => {
    figures.push({
      name: `store ${where}: ${name}`,
      value,
      unit,
      ...(beside === undefined ? {} : { peer: `the design's measurement, ${beside} ${unit}`, ratio: value / beside }),
    });
  };
  const store = await openStore({ url });
  try {
    const ids = [
      ...(await store.ensureMeters(Array.from({ length: size.meters }, (_, i) => ({ serial: `bench${i}` })))).values(),
    ];
    const random = generator(12_345);
    const series: SeriesData[] = ids.map((meter) => ({
      meter,
      register: PROFILE,
      scaler: 0,
      start: START,
      step: QUARTER,
      values: household(random, size.days),
    }));
    for (const what of ['profile values', 'profile values again (idempotent)']) {
      const begin = performance.now();
      const written = await store.writeBlocks(series);
      put(`ingest of ${what}, durable`, written.values / (performance.now() - begin) / 1000, 'M values/s', peer.ingest);
    }
    const disk = await admin(
      url,
      `select (sum(pg_total_relation_size(c.oid)) / (select sum(n) from amiable.block))::float8 as bytes from pg_class c
       join pg_inherits i on i.inhrelid = c.oid where i.inhparent = 'amiable.block'::regclass`,
    );
    put('disk per profile value, index included', (disk.rows[0] as { bytes: number }).bytes, 'B', peer.bytes);
    await admin(url, 'vacuum analyze amiable.block');
    await questions(store, ids, size, put, peer);
    await views(url, ids, put);
    await live(store, size, put);
  } finally {
    await store.close();
  }
  return figures;
}

async function questions(
  store: Store,
  ids: readonly string[],
  size: Size,
  put: (name: string, value: number, unit: string, beside?: number) => void,
  peer: (typeof PEERS)['embedded' | 'server'],
): Promise<void> {
  const slots = { from: START, step: QUARTER, count: size.days * 96 };
  const end = START + size.days * DAY;
  // Night, day and evening; UTC will do for the time it takes.
  const rates = new Uint8Array(slots.count).map((_, i) => (i % 96 < 24 ? 0 : i % 96 < 68 ? 1 : 2));
  const one = ids[Math.floor(ids.length / 3)] as string;
  put("one meter's month", await median(() => store.values(one, PROFILE, START, end)), 'ms', peer.month);
  const some = ids.slice(0, 1000);
  put(
    `load profile of ${some.length}`,
    await median(() => store.loadProfile(PROFILE, slots, some)),
    'ms',
    peer.profile,
  );
  put('sums in 3 rates, all meters', await median(() => store.rateSums(PROFILE, slots, rates)), 'ms', peer.rates);
  put('gaps, all meters', await median(() => store.gaps(PROFILE, START, end, 96)), 'ms', peer.gaps);
  put('peaks, all meters', await median(() => store.peaks(PROFILE, START, end)), 'ms', peer.peaks);
  put('find a meter by part of its number', await median(() => store.meters({ q: 'nch77', limit: 50 })), 'ms');
}

/** What other programs get through the view, one connection. */
async function views(
  url: string,
  ids: readonly string[],
  put: (name: string, value: number, unit: string) => void,
): Promise<void> {
  const begin = performance.now();
  const { rows } = await admin(
    url,
    `select count(value)::float8 as n from amiable.reading where meter_id <= ${ids[Math.min(ids.length, 300) - 1]}`,
  );
  put('SQL view reading', (rows[0] as { n: number }).n / (performance.now() - begin) / 1000, 'M values/s');
}

/** After two runs that warm up; short questions are asked more often. */
async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + 1000;
  for (let i = 0; i < 9 || (i < 200 && performance.now() < end); i++) {
    const begin = performance.now();
    await work();
    if (i >= 2) times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}

/** Ten-second lists of a thousand meters, sent by sixteen callers at once in small batches. */
async function live(store: Store, size: Size, put: (name: string, value: number, unit: string) => void): Promise<void> {
  const items = [
    ['1-0:0.2.129', 'listVersion', undefined, 0],
    ['0-0:96.1.0', 'meterSerial', undefined, 0],
    ['1-0:1.7.0', 'activePowerImport', 'W', 0],
    ['1-0:2.7.0', 'activePowerExport', 'W', 0],
    ['1-0:3.7.0', 'reactivePowerImport', 'var', 0],
    ['1-0:4.7.0', 'reactivePowerExport', 'var', 0],
    ['1-0:31.7.0', 'currentL1', 'A', -3],
    ['1-0:51.7.0', 'currentL2', 'A', -3],
    ['1-0:71.7.0', 'currentL3', 'A', -3],
    ['1-0:32.7.0', 'voltageL1', 'V', -1],
    ['1-0:52.7.0', 'voltageL2', 'V', -1],
    ['1-0:72.7.0', 'voltageL3', 'V', -1],
  ].map(([obis, name, unit, scaler]) => ({ obis, name, ...(unit ? { unit } : {}), scaler })) as Message['items'];
  const now = START + 60 * DAY;
  const make = (i: number): Message => {
    const serial = `live${i % 1000}`;
    const time = now + Math.floor(i / 1000) * 10_000;
    const raw = new Uint8Array(121).fill(i % 256);
    return {
      v: 1,
      id: messageId(serial, String(time), raw),
      reader: 'bench',
      port: serial,
      protocol: 'han',
      maker: 'Kaifa',
      list: 'KFM_001',
      meterId: serial,
      meterType: 'MA304H3E',
      time,
      receivedAt: time + 800,
      flags: [],
      items,
      values: ['KFM_001', serial, (i * 7) % 4000, 0, 12, 130, 2100 + (i % 90), 1800, 990, 2301, 2312, 2298],
      raw,
    };
  };
  const messages = Array.from({ length: size.messages }, (_, i) => make(i));
  await store.ingest(messages.slice(0, 1000)); // the meters make themselves known
  let at = 1000;
  const begin = performance.now();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (at < messages.length) {
        const batch = messages.slice(at, at + 250);
        at += batch.length;
        const { accepted } = await store.ingest(batch);
        if (accepted !== batch.length) throw new Error(`${accepted} of ${batch.length} messages were taken`);
      }
    }),
  );
  put('live HAN messages, durable', (messages.length - 1000) / ((performance.now() - begin) / 1000), 'messages/s');
}

function household(random: () => number, days: number): Float64Array {
  const values = new Float64Array(days * 96);
  const base = 25 + random() * 60;
  let appliance = 0;
  let left = 0;
  for (let i = 0; i < values.length; i++) {
    const hour = (i % 96) / 4;
    if (left-- <= 0) {
      appliance = 0;
      const chance = hour > 6 && hour < 9 ? 0.12 : hour > 16 && hour < 22 ? 0.15 : 0.03;
      if (random() < chance) {
        appliance = 100 + random() * 500;
        left = Math.floor(random() * 4);
      }
    }
    values[i] = Math.round(base * (1 + 0.4 * Math.sin(((hour - 9) / 24) * 2 * Math.PI)) + random() * 20 + appliance);
  }
  return values;
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}
