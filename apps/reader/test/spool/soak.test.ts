/**
 * The soak in virtual time: the spool and an uplink of a reader that is ended again and again, by kill -9 (what was written stays) and
 * by power cuts (what was synced stays, its tail torn), while the other end is away; octets of the disk are damaged in
 * between. AMIABLE_SOAK_HOURS and AMIABLE_SOAK_ENDS make it longer; `npm run soak` does it with real processes.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, virtualClock } from '@amiable/io';
import { expect, it } from 'vitest';
import { openSpool, type Spool } from '../../src/spool/spool.ts';
import { inProcessUplink } from '../../src/uplinks/in-process.ts';
import { testDisk } from './disk.ts';
import { BEGIN, message } from './messages.ts';

const HOURS = Number(process.env.AMIABLE_SOAK_HOURS ?? 1);
const ENDS = Number(process.env.AMIABLE_SOAK_ENDS ?? 20);

it(`${HOURS} hours, ${ENDS} ends: every message that had to survive is in the store exactly once`, async () => {
  const random = seededRandom(7);
  const clock = virtualClock(BEGIN);
  let disk = testDisk();
  const total = HOURS * 1800;
  const store = new Map<string, number>();
  let away = true;
  /** Messages that are on disk for good: synced, or written and not followed by a power cut. */
  const owed = new Set<string>();
  const hurt = new Set<string>();
  /** Written by a run that was killed, and not synced by one after it yet: a power cut may still have them. */
  let carried: string[] = [];
  let n = 0;
  let spool: Spool | undefined;

  for (let life = 0; life <= ENDS; life++) {
    const last = life === ENDS;
    // The run before is dead, not closed: it keeps its lock and its disk, this one gets what was on it.
    const folder = mkdtempSync(join(tmpdir(), 'amiable-soak-'));
    const before = disk;
    disk = testDisk();
    for (const [path, { bytes, length, synced }] of before.files)
      disk.files.set(join(folder, path.slice(path.lastIndexOf('/') + 1)), {
        bytes: Buffer.from(bytes),
        length,
        synced,
      });
    before.files.clear();
    spool = await openSpool({ folder, maxBytes: 1 << 26, clock, disk, random, tell: () => {}, syncInterval: 5000 });
    const own = spool;
    if (life > ENDS * 0.9 || last) away = false;
    let dead = false;
    const outbox = own.cursor({ name: 'central', from: 'oldest', interval: 0, thin: false, newestFirst: true });
    // While the other end is away its trying would only cost the test time.
    const uplink = away
      ? undefined
      : inProcessUplink({
          outbox,
          clock,
          random,
          tell: () => {},
          to: {
            name: 'central',
            target: 'store',
            async take(messages) {
              if (dead) throw new Error('dead');
              for (const { id } of messages) store.set(id, (store.get(id) ?? 0) + 1);
            },
          },
        });
    const written: string[] = [];
    const syncs = disk.counts.sync ?? 0;
    const until = last ? total : Math.min(total, n + Math.floor(random() * 2 * (total / ENDS)));
    for (; n < until; n++) {
      const m = message(n);
      own.append(m);
      written.push(m.id);
      if (n % 5 === 0) await clock.advance(10_000);
      else if (random() < 0.2) await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setImmediate(resolve));
    if (last && uplink) {
      await clock.advance(60_000);
      for (let i = 0; i < 200 && uplink.report().waiting > 0; i++) await clock.advance(1000);
      expect(uplink.report()).toMatchObject({ waiting: 0, refused: 0 });
      for (const id of [...carried, ...written]) owed.add(id);
      await uplink.finish(0);
      await own.close();
      break;
    }
    dead = true;
    const { unsynced } = own.status();
    const synced = written.length - Math.min(unsynced, written.length);
    for (const id of written.slice(0, synced)) owed.add(id);
    if ((disk.counts.sync ?? 0) > syncs) {
      for (const id of carried) owed.add(id);
      carried = [];
    }
    if (random() < 0.5) {
      carried = [];
      disk.powerCut(
        (left) => Math.floor(random() * (left + 1)),
        (bytes, from) => {
          if (bytes.length > from) bytes[bytes.length - 1] = Math.floor(random() * 256);
        },
      );
    } else carried.push(...written.slice(synced));
    if (random() < 0.2) damage(disk, random, hurt);
  }
  const missing = [...owed].filter((id) => !store.has(id) && !hurt.has(id));
  expect(missing).toEqual([]);
  // A store knows ids: what came twice is there once. Nothing came that was never sent.
  const all = new Set(Array.from({ length: total }, (_, i) => message(i).id));
  expect([...store.keys()].filter((id) => !all.has(id))).toEqual([]);
  expect(store.size).toBeGreaterThan(total * 0.9);
  expect(hurt.size).toBeGreaterThan(0);
}, 600_000);

/** Flips an octet of a record's payload, and notes whose it was. */
function damage(disk: ReturnType<typeof testDisk>, random: () => number, hurt: Set<string>): void {
  const segments = [...disk.files].filter(([path, file]) => path.endsWith('.seg') && file.length > 2000);
  const chosen = segments[Math.floor(random() * segments.length)];
  if (!chosen) return;
  const { bytes, length } = chosen[1];
  const text = bytes.toString('latin1', 0, length);
  const begin = text.indexOf('"id":"', Math.floor(random() * (length - 1000)));
  if (begin < 0) return;
  hurt.add(text.slice(begin + 6, begin + 38));
  bytes[begin + 10]! ^= 1;
}
