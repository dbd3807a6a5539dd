/**
 * Events and the transaction log: the logs of 10,000 meters (ten entries each, power failures among them) written as acquisition
 * writes them, the same once more (nothing changes), and transactions that begin and end, from the first to the last commit.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NewEvent, openStore, type Store, startEmbedded } from '@amiable/store';
import type { Figure } from './figure.ts';

const PRESENT = Date.UTC(2026, 10, 20, 9);
const MINUTE = 60_000;
const EACH = 10;
/** Meters that acquisition writes together. */
const TOGETHER = 1000;
const CODES = [1, 2, 5, 6, 1, 2, 89, 1, 2, 10];

export async function benchJournal(options: { smoke?: boolean } = {}): Promise<Figure[]> {
  const meters = options.smoke ? 100 : 10_000;
  const entries = options.smoke ? 200 : 20_000;
  const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-'));
  const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
  try {
    const store = await openStore({ url: embedded.url });
    try {
      const known = await store.ensureMeters(
        Array.from({ length: meters }, (_, i) => ({ serial: `M${i}`, timeZone: 'Europe/Oslo' })),
      );
      const ids = [...known.values()];
      const first = await timed(() => write(store, ids));
      const again = await timed(() => write(store, ids));
      const log = await timed(async () => {
        for (let i = 0; i < entries; i++) {
          const started = PRESENT + i;
          const text = `M${i}: profile, daily, events`;
          const id = store.journal.begin({ kind: 'meter', meter: ids[i % ids.length] as string, started, text });
          store.journal.end(id, { ended: started + 40, state: 'done', text: `${text}; 96`, detail: { requests: 1 } });
          if (i % TOGETHER === TOGETHER - 1) await new Promise<void>((go) => setImmediate(go));
        }
        await store.journal.flush();
      });
      const name = (what: string): string => `Events: ${what}`;
      return [
        { name: name(`${meters * EACH} written`), value: first, unit: 's' },
        { name: name('the same again'), value: again, unit: 's' },
        { name: `Transaction log: ${entries} entries, lost ${store.journal.lost}`, value: log, unit: 's' },
      ];
    } finally {
      await store.close();
    }
  } finally {
    await embedded.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function timed(run: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await run();
  return (performance.now() - begun) / 1000;
}

async function write(store: Store, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += TOGETHER) {
    const events: NewEvent[] = [];
    for (const [i, meter] of ids.slice(at, at + TOGETHER).entries())
      for (let k = 0; k < EACH; k++)
        events.push({
          meter,
          time: PRESENT - (k * 977 + (i % 500)) * MINUTE,
          code: CODES[k] as number,
          source: 'standard',
          catalogue: 'dlms',
          ...(k % 2 === 0 && { status: k }),
          ...(k === 3 && { detail: { duration: 120 } }),
        });
    await store.events.write(events, PRESENT);
  }
}
