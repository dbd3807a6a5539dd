/** A search that would return everything: pages with a bound, and a limit above it refused in words. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApp, type TestApp } from './login.ts';

const folder = mkdtempSync(join(tmpdir(), 'amiable-search-'));
const COUNT = 1050;
let test: TestApp;
let headers: Record<string, string>;
const ids = new Set<string>();

beforeAll(async () => {
  test = await openTestApp(folder);
  headers = await test.as(['meter:view']);
  const meters = Array.from({ length: COUNT }, (_, i) => ({ serial: `S-${i}`, timeZone: 'Europe/Oslo' }));
  for (const id of (await test.store.ensureMeters(meters)).values()) ids.add(id);
});
afterAll(async () => {
  await test?.close();
  rmSync(folder, { recursive: true });
});

type Found = { meters: { id: string }[]; total: number; more: boolean; next: string | null };
const post = async (payload: object): Promise<{ status: number; body: Found & { detail: string } }> => {
  const answer = await test.app.inject({ method: 'POST', url: '/api/v1/meters/search', headers, payload });
  return { status: answer.statusCode, body: answer.json() };
};

describe('a search that everything fits', () => {
  it('gives a page of 100 unless more is asked for, of 1,000 at most, and where to go on', async () => {
    const first = (await post({})).body;
    expect(first.meters).toHaveLength(100);
    expect(first).toMatchObject({ total: COUNT, more: false, next: first.meters.at(-1)?.id });
    expect((await post({ limit: 1000 })).body.meters).toHaveLength(1000);
  });

  it('gives each meter once when all pages are followed to the end', async () => {
    const seen: string[] = [];
    let next: string | null = null;
    let pages = 0;
    do {
      const { body } = await post({ limit: 500, count: false, ...(next === null ? {} : { after: next }) });
      expect(body.meters.length).toBeLessThanOrEqual(500);
      seen.push(...body.meters.map(({ id }) => id));
      next = body.next;
      pages++;
    } while (next !== null && pages < 10);
    expect(pages).toBe(3);
    expect(seen).toHaveLength(COUNT);
    expect(new Set(seen)).toEqual(ids);
  });

  it.each([1001, 1_000_000_000])('refuses a limit of %d in words', async (limit) => {
    const { status, body } = await post({ limit });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('limit: at most 1000');
    const words = await test.app.inject({ url: `/api/v1/meters/search?q=S&limit=${limit}`, headers });
    expect(words.statusCode).toBe(422);
    expect(words.body).toContain('limit: at most 1000');
  });
});
