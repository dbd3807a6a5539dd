/**
 * A long capture through the HAN reader: the real frames again and again until there are so many bytes, one piece in twenty
 * damaged. Shows that memory does not grow, and how many of the undamaged messages were found.
 */
import { nodeCrypto } from '@amiable/io';
import { createHanReader } from '@amiable/meter';
import { dice, loadCorpus, mutate } from './inputs.ts';
import { reachable } from './run.ts';

/** Bytes pushed at once, as a file is read. */
const CHUNK = 1 << 16;

/** @returns whether memory stayed flat and at least 99 of 100 undamaged messages were found */
export function replay(gigabytes: number, seed: number): boolean {
  const corpus = loadCorpus();
  const roll = dice(seed);
  const total = gigabytes * 1e9;
  let found = 0;
  let mark = '';
  const reader = createHanReader(
    {
      reader: 'replay',
      port: 'file',
      keys: { candidates: () => corpus.keys },
      crypto: nodeCrypto,
      now: () => 0,
      protocol: 'hdlc',
    },
    {
      message: (m) => {
        found++;
        mark = m.meterTime ?? mark;
      },
      drop: () => {},
    },
  );
  const perStream = corpus.streams.map((bytes) => {
    let n = 0;
    const r = createHanReader(
      {
        reader: 'count',
        port: 'file',
        now: () => 0,
        protocol: 'hdlc',
        keys: { candidates: () => corpus.keys },
        crypto: nodeCrypto,
      },
      { message: () => n++, drop: () => {} },
    );
    r.push(bytes);
    r.end();
    return { bytes, messages: n };
  });
  const usable = perStream.filter((s) => s.messages > 0);
  const chunk = new Uint8Array(CHUNK);
  let filled = 0;
  let sent = 0;
  let expected = 0;
  let baseline = 0;
  let peak = 0;
  let nextLook = total / 10;
  const began = performance.now();
  const send = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      const n = Math.min(bytes.length - at, CHUNK - filled);
      chunk.set(bytes.subarray(at, at + n), filled);
      filled += n;
      at += n;
      if (filled === CHUNK) {
        reader.push(chunk);
        filled = 0;
      }
    }
    sent += bytes.length;
  };
  while (sent < total) {
    const { bytes, messages } = usable[roll(usable.length)] as (typeof usable)[number];
    if (roll(20) === 0) send(mutate(bytes, roll, corpus.streams));
    else {
      send(bytes);
      expected += messages;
    }
    if (sent >= nextLook) {
      const now = reachable();
      if (baseline === 0) baseline = now;
      peak = Math.max(peak, now);
      nextLook += total / 10;
    }
  }
  reader.push(chunk.subarray(0, filled));
  reader.end();
  const seconds = (performance.now() - began) / 1000;
  const growth = peak - baseline;
  const share = found / expected;
  const good = growth < 8 << 20 && share >= 0.99;
  process.stdout.write(
    `replay: ${(sent / 1e9).toFixed(2)} GB in ${seconds.toFixed(1)} s (${(sent / 1e6 / seconds).toFixed(0)} MB/s), ${found.toLocaleString('en')} messages ` +
      `(${expected.toLocaleString('en')} undamaged), heap +${(growth / 1024).toFixed(0)} KiB, ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB resident, last ${mark}; ` +
      `${good ? 'good' : 'NOT GOOD'}\n${JSON.stringify(reader.counters)}\n`,
  );
  return good;
}
