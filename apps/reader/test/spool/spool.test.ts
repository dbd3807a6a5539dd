/** The spool: order, cursors, thinning, damage, full and broken disks, power cuts. */
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type VirtualClock, virtualClock } from '@amiable/io';
import { afterEach, describe, expect, it } from 'vitest';
import type { Cursor, CursorOptions } from '../../src/spool/cursor.ts';
import { openSpool, type Spool, type SpoolOptions } from '../../src/spool/spool.ts';
import { type TestDisk, testDisk } from './disk.ts';
import { BEGIN, idOf, message } from './messages.ts';

const spools: Spool[] = [];
afterEach(async () => {
  for (const one of spools.splice(0)) await one.close();
});
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Bench {
  readonly clock: VirtualClock;
  readonly disk: TestDisk;
  readonly folder: string;
  readonly told: string[];
  open(options?: Partial<SpoolOptions>): Promise<Spool>;
}
function bench(): Bench {
  const clock = virtualClock(BEGIN);
  const disk = testDisk();
  const folder = mkdtempSync(join(tmpdir(), 'amiable-spool-'));
  const told: string[] = [];
  return {
    clock,
    disk,
    folder,
    told,
    async open(options = {}) {
      const spool = await openSpool({
        folder,
        maxBytes: 1 << 26,
        clock,
        disk,
        random: () => 0,
        tell: (line) => told.push(line),
        ...options,
      });
      spools.push(spool);
      return spool;
    },
  };
}
const PLAIN: CursorOptions = { name: 'mqtt', from: 'oldest', interval: 0, thin: false, newestFirst: false };

/** Takes everything there is. */
function drain(cursor: Cursor, most = Number.POSITIVE_INFINITY): string[] {
  const ids: string[] = [];
  while (ids.length < most) {
    const lines = cursor.look(0, Math.min(100, most - ids.length), 1 << 20);
    if (lines.length === 0) break;
    for (const line of lines) ids.push(idOf(line));
    cursor.drop(lines.length);
  }
  return ids;
}
async function fill(spool: Spool, from: number, to: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = from; n < to; n++) {
    const m = message(n);
    ids.push(m.id);
    spool.append(m);
    if (n % 500 === 0) await tick();
  }
  await tick();
  return ids;
}

describe('order and cursors', () => {
  it('hands everything on in order, to each uplink by itself, and lets segments go when all have passed', async () => {
    const b = bench();
    const spool = await b.open({ maxBytes: 1 << 20 });
    const one = spool.cursor({ ...PLAIN, name: 'one' });
    const two = spool.cursor({ ...PLAIN, name: 'two' });
    const ids = await fill(spool, 0, 1500);
    expect(one.length).toBe(1500);
    expect(drain(one)).toEqual(ids);
    expect(one.done).toBe(true);
    const before = spool.status().segments;
    expect(before).toBeGreaterThan(5);
    expect(drain(two, 700)).toEqual(ids.slice(0, 700));
    expect(two.length).toBe(800);
    expect(spool.status().segments).toBeLessThan(before);
    expect(drain(two)).toEqual(ids.slice(700));
    expect(spool.status().segments).toBe(1);
  });
  it('goes on where an uplink was after kill -9, at least once', async () => {
    const b = bench();
    const first = await b.open();
    const cursor = first.cursor(PLAIN);
    const ids = await fill(first, 0, 300);
    drain(cursor, 120);
    await b.clock.advance(1000);
    drain(cursor, 30);
    // Not closed: what a killed process leaves is what it wrote. Only its lock has to go.
    const killed = copyOf(b);
    const second = await killed.open();
    const again = second.cursor(PLAIN);
    expect(drain(again)).toEqual(ids.slice(120));
  });
  it('begins where it was told: at the oldest, or with what comes', async () => {
    const b = bench();
    const spool = await b.open();
    await fill(spool, 0, 10);
    expect(spool.cursor({ ...PLAIN, name: 'a' }).length).toBe(10);
    const late = spool.cursor({ ...PLAIN, name: 'b', from: 'new' });
    expect(late.length).toBe(0);
    const ids = await fill(spool, 10, 12);
    expect(drain(late)).toEqual(ids);
  });
  it('keeps what fits while no uplink is there', async () => {
    const b = bench();
    const spool = await b.open({ maxBytes: 1 << 18 });
    await fill(spool, 0, 100);
    await spool.close();
    const second = await b.open();
    expect(second.cursor(PLAIN).length).toBe(100);
  });
  it('a detached uplink holds nothing back', async () => {
    const b = bench();
    const spool = await b.open({ maxBytes: 1 << 20 });
    const gone = spool.cursor({ ...PLAIN, name: 'gone' });
    const stays = spool.cursor({ ...PLAIN, name: 'stays' });
    await fill(spool, 0, 1000);
    drain(stays);
    expect(spool.status().segments).toBeGreaterThan(3);
    await spool.detach(gone);
    expect(spool.status().segments).toBe(1);
  });
  it('the second process on a folder is refused in words', async () => {
    const b = bench();
    await b.open();
    await expect(b.open()).rejects.toThrow(/uses this spool; end that one first/);
  });
  it('a lock whose holder is gone is no lock', async () => {
    const b = bench();
    writeFileSync(join(b.folder, 'lock'), '999999 nobody/1 4026531836');
    await expect(b.open()).resolves.toBeDefined();
  });
});

/** The folder as it is this moment, for a new process. */
function copyOf(b: Bench): Bench {
  const other = bench();
  for (const [path, file] of b.disk.files)
    other.disk.files.set(path.replace(b.folder, other.folder), {
      bytes: Buffer.from(file.bytes),
      length: file.length,
      synced: file.synced,
    });
  return other;
}

describe('live views', () => {
  it('after an outage the newest state goes first, then history in order, nothing twice', async () => {
    const b = bench();
    const spool = await b.open();
    const cursor = spool.cursor({ ...PLAIN, newestFirst: true });
    const ids = await fill(spool, 0, 2000);
    await b.clock.advance(4_000_000);
    cursor.again();
    const got = drain(cursor);
    // The newest of both lists.
    expect(got.slice(0, 2)).toEqual([ids[1800], ids[1999]]);
    expect(got.slice(2)).toEqual(ids.filter((_, n) => n !== 1800 && n !== 1999));
    expect(cursor.length).toBe(0);
  });
  it('nothing goes ahead without a backlog', async () => {
    const b = bench();
    const spool = await b.open();
    const cursor = spool.cursor({ ...PLAIN, newestFirst: true });
    const ids = await fill(spool, 1, 5);
    expect(drain(cursor)).toEqual(ids);
  });
  it('what went ahead and was acknowledged may come again after a crash, but is never passed over', async () => {
    const b = bench();
    const spool = await b.open();
    const cursor = spool.cursor({ ...PLAIN, newestFirst: true });
    const ids = await fill(spool, 0, 300);
    drain(cursor, 10);
    await b.clock.advance(1000);
    const second = await copyOf(b).open();
    const got = drain(second.cursor({ ...PLAIN, newestFirst: true }));
    expect(new Set([...got])).toEqual(new Set(ids.slice(8).filter((id) => got.includes(id))));
    expect(ids.slice(10).every((id) => got.includes(id))).toBe(true);
  });
});

describe('intervals', () => {
  it('an uplink of a minute gets the newest fast value of each minute, and every register', async () => {
    const b = bench();
    const spool = await b.open();
    const cursor = spool.cursor({ ...PLAIN, interval: 60_000, thin: true });
    const got: string[] = [];
    cursor.onPut = () => got.push(...drain(cursor));
    for (let n = 1; n <= 1830; n++) {
      await b.clock.advance(2000);
      spool.append(message(n));
    }
    await b.clock.advance(60_000);
    expect(got).toContain(message(1800).id);
    expect(got.length).toBeGreaterThanOrEqual(61);
    expect(got.length).toBeLessThanOrEqual(64);
    const minute = b.clock.now();
    expect(minute).toBeGreaterThan(BEGIN);
    expect(cursor.thinned).toBe(1830 - got.length);
    expect(cursor.done).toBe(true);
  });
  it('without thinning it gets everything, by the interval', async () => {
    const b = bench();
    const spool = await b.open();
    const cursor = spool.cursor({ ...PLAIN, interval: 60_000 });
    const ids = await fill(spool, 0, 20);
    expect(cursor.look(0, 10, 1e6)).toEqual([]);
    await b.clock.advance(60_000);
    expect(drain(cursor)).toEqual(ids);
    const more = await fill(spool, 20, 30);
    expect(drain(cursor)).toEqual([]);
    cursor.hurry();
    expect(drain(cursor)).toEqual(more);
  });
});

describe('room', () => {
  it('thins fast values, the oldest first, and keeps every register, then gives the oldest up and says so', async () => {
    const b = bench();
    const maxBytes = 1 << 18;
    const spool = await b.open({ maxBytes });
    const cursor = spool.cursor(PLAIN);
    const hours: string[] = [];
    for (let n = 0; n < 40_000; n++) {
      spool.append(message(n));
      if (n % 1800 === 0) hours.push(message(n).id);
      if (n % 20 === 0) await tick();
    }
    for (let i = 0; i < 50; i++) await tick();
    const status = spool.status();
    expect(status.bytes).toBeLessThan(maxBytes * 1.2);
    expect(status.thinned).toBeGreaterThan(30_000);
    expect(status.dropped).toBe(0);
    const got = drain(cursor);
    expect(hours.filter((id) => !got.includes(id))).toEqual([]);
    expect(got.length).toBe(status.messages);
    expect(got.at(-1)).toBe(message(39_999).id);
    expect(b.told.filter((line) => /thinned/.test(line))).toHaveLength(1);
  });
  it('when nothing but registers is left, the oldest are given up and counted', async () => {
    const b = bench();
    const spool = await b.open({ maxBytes: 1 << 16 });
    const cursor = spool.cursor(PLAIN);
    for (let hour = 0; hour < 1000; hour++) {
      spool.append(message(hour * 1800));
      await tick();
    }
    for (let i = 0; i < 50; i++) await tick();
    const { dropped } = spool.status();
    expect(dropped).toBeGreaterThan(100);
    expect(b.told.some((line) => /given up/.test(line))).toBe(true);
    expect(drain(cursor).length).toBe(1000 - dropped);
  });
  it('a full disk is told, thinned, and goes on', async () => {
    const b = bench();
    const spool = await b.open();
    b.disk.room = 3 << 20;
    const cursor = spool.cursor(PLAIN);
    for (let n = 0; n < 20_000; n++) {
      spool.append(message(n));
      if (n % 50 === 0) await b.clock.advance(100);
    }
    await b.clock.advance(120_000);
    expect(b.told.some((line) => /the disk is full/.test(line))).toBe(true);
    const status = spool.status();
    expect(status.thinned).toBeGreaterThan(0);
    expect(status.dropped).toBe(0);
    const got = drain(cursor);
    expect(got.length + status.thinned).toBe(20_000);
    expect(got.at(-1)).toBe(message(19_999).id);
    for (let n = 0; n < 20_000; n += 1800) expect(got).toContain(message(n).id);
    // Room again: written again, and said.
    b.disk.room = undefined;
    await fill(spool, 20_000, 20_010);
    await b.clock.advance(60_000);
    expect(spool.status()).toMatchObject({ state: 'disk', unsynced: 0 });
  });
});

describe('faults of the disk', () => {
  it('a folder that cannot be written: told, kept in memory and delivered, written when it can be', async () => {
    const b = bench();
    b.disk.broken = { code: 'EROFS' };
    const spool = await b.open();
    expect(b.told.join()).toMatch(/read-only.*kept in memory/);
    const cursor = spool.cursor(PLAIN);
    const ids = await fill(spool, 0, 50);
    expect(drain(cursor, 20)).toEqual(ids.slice(0, 20));
    b.disk.broken = undefined;
    await b.clock.advance(60_000);
    expect(spool.status()).toMatchObject({ state: 'disk' });
    expect(b.told.at(-1)).toMatch(/written again/);
    expect(drain(cursor)).toEqual(ids.slice(20));
    const more = await fill(spool, 50, 60);
    expect(drain(cursor)).toEqual(more);
  });
  it('what an earlier run left comes too when its folder comes back', async () => {
    const b = bench();
    const first = await b.open();
    const old = await fill(first, 0, 40);
    await first.close();
    b.disk.broken = { code: 'EIO' };
    const spool = await b.open();
    const cursor = spool.cursor(PLAIN);
    const ids = await fill(spool, 40, 60);
    expect(drain(cursor, 5)).toEqual(ids.slice(0, 5));
    b.disk.broken = undefined;
    await b.clock.advance(60_000);
    const got = drain(cursor);
    expect(new Set(got)).toEqual(new Set([...old, ...ids.slice(5)]));
  });
  it('mustOpen: refused in words', async () => {
    const b = bench();
    b.disk.broken = { code: 'EACCES' };
    await expect(b.open({ mustOpen: true })).rejects.toThrow(/may not open it/);
  });
  it('a sync that fails has everything since the last one written once more', async () => {
    const b = bench();
    const spool = await b.open();
    const ids = await fill(spool, 0, 10);
    await spool.sync();
    ids.push(...(await fill(spool, 10, 20)));
    b.disk.broken = { code: 'EIO', operations: ['sync'] };
    await expect(spool.sync()).rejects.toThrow();
    ids.push(...(await fill(spool, 20, 30)));
    b.disk.broken = undefined;
    await b.clock.advance(60_000);
    await spool.sync();
    b.disk.powerCut(() => 0);
    const second = await copyOf(b).open();
    expect(drain(second.cursor(PLAIN))).toEqual(ids);
  });
  it('memory is bounded, by the same policy, while the disk is away', async () => {
    const b = bench();
    b.disk.broken = { code: 'EIO' };
    const spool = await b.open({ memoryBytes: 1 << 18 });
    const cursor = spool.cursor(PLAIN);
    await fill(spool, 0, 20_000);
    const { thinned, dropped } = spool.status();
    const got = drain(cursor);
    expect(got.length + thinned + dropped).toBe(20_000);
    expect(dropped).toBe(0);
    for (let n = 0; n < 20_000; n += 1800) expect(got).toContain(message(n).id);
  });
});

describe('power cuts and damage', () => {
  it('loses nothing that was synced, wherever the rest is torn', async () => {
    for (let torn = 0; torn < 60; torn++) {
      const b = bench();
      const spool = await b.open({ maxBytes: 1 << 20 });
      const ids = await fill(spool, 0, 40);
      await spool.sync();
      const more = await fill(spool, 40, 44);
      b.disk.powerCut(
        (n) => Math.min(n, torn * 37),
        (bytes, from) => {
          // The last block of a torn write holds anything.
          for (let i = Math.max(from, bytes.length - 16); i < bytes.length; i++) bytes[i] = torn & 1 ? 0xa5 : 0;
        },
      );
      const second = await copyOf(b).open({ maxBytes: 1 << 20 });
      const next = await fill(second, 100, 110);
      const got = drain(second.cursor(PLAIN));
      expect(got.slice(0, 40)).toEqual(ids);
      expect(got.slice(-10)).toEqual(next);
      expect(got.slice(40, -10)).toEqual(more.slice(0, got.length - 50));
    }
  });
  it('numbers that were delivered and then lost in the cut are not given again', async () => {
    const b = bench();
    const spool = await b.open();
    const cursor = spool.cursor(PLAIN);
    await fill(spool, 0, 10);
    await spool.sync();
    await fill(spool, 10, 20);
    drain(cursor);
    await b.clock.advance(1000);
    for (const [path, file] of b.disk.files) if (path.endsWith('.cursor')) file.synced = file.length;
    b.disk.powerCut(() => 0);
    const second = await copyOf(b).open();
    const ids = await fill(second, 20, 25);
    expect(drain(second.cursor(PLAIN))).toEqual(ids);
  });
  it('damaged octets cost the records they hit and no other', async () => {
    const b = bench();
    const spool = await b.open({ maxBytes: 1 << 20 });
    const ids = await fill(spool, 0, 400);
    await spool.sync();
    let at = 12345;
    for (const [path, file] of b.disk.files)
      if (path.endsWith('.seg'))
        for (let i = 0; i < 3; i++) {
          at = (at * 1103515245 + 12345) & 0x7fffffff;
          file.bytes[at % file.length]! ^= 1 << (i + 1);
        }
    const second = await copyOf(b).open({ maxBytes: 1 << 20 });
    const got = drain(second.cursor(PLAIN));
    const segments = [...b.disk.files.keys()].filter((p) => p.endsWith('.seg')).length;
    expect(got.length).toBeGreaterThanOrEqual(400 - segments * 3);
    expect(got.length).toBeLessThan(400);
    expect(ids.filter((id) => got.includes(id))).toEqual(got);
    expect(second.status().damaged).toBeGreaterThan(0);
  });
  it('a cursor file that is damaged delivers again, from the oldest', async () => {
    const b = bench();
    const spool = await b.open();
    const cursor = spool.cursor(PLAIN);
    const ids = await fill(spool, 0, 10);
    drain(cursor, 5);
    await b.clock.advance(1000);
    for (const [path, file] of b.disk.files) if (path.endsWith('.cursor')) file.bytes.fill(0x5a);
    const second = await copyOf(b).open();
    expect(drain(second.cursor(PLAIN))).toEqual(ids);
  });
  it('a thinning that was cut in between leaves nothing twice', async () => {
    const b = bench();
    const spool = await b.open({ maxBytes: 1 << 18 });
    for (let n = 0; n < 3000; n++) {
      spool.append(message(n));
      if (n % 20 === 0) await tick();
    }
    for (let i = 0; i < 20; i++) await tick();
    const other = copyOf(b);
    // A segment that the thinned one covers is still there.
    const covered = `${other.folder}/${'5'.padStart(20, '0')}.seg`;
    const any = [...other.disk.files.values()][0]!;
    other.disk.files.set(covered, { ...any, bytes: Buffer.from(any.bytes) });
    const second = await other.open({ maxBytes: 1 << 26 });
    const got = drain(second.cursor(PLAIN));
    expect(new Set(got).size).toBe(got.length);
    expect(other.disk.files.has(covered)).toBe(false);
  });
});

describe('a real folder', () => {
  it('is locked, written, and read again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'amiable-spool-'));
    const clock = virtualClock(BEGIN);
    const spool = await openSpool({ folder, maxBytes: 1 << 20, clock, tell: () => {} });
    spools.push(spool);
    const ids = await fill(spool, 0, 1000);
    expect(readdirSync(folder)).toContain('lock');
    await spool.close();
    expect(readdirSync(folder)).not.toContain('lock');
    const again = await openSpool({ folder, maxBytes: 1 << 20, clock, tell: () => {} });
    spools.push(again);
    expect(drain(again.cursor(PLAIN))).toEqual(ids);
  });
});
