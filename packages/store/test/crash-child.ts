/**
 * An Amiable that may be killed at any moment: starts the embedded server, takes the numbered stream in with several
 * callers at once, and tells each part that was acknowledged in one write to stdout: `a FIRST COUNT`.
 */
import { writeSync } from 'node:fs';
import { openStore, StoreUnavailable, startEmbedded } from '../src/index.ts';
import { range, streamStart, streamStep } from './numbered.ts';

const [dataDir = '', from = '0'] = process.argv.slice(2);
const tell = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const embedded = await startEmbedded({ dataDir, log: (line) => tell(`l ${line}`), onGiveUp: () => process.exit(4) });
const store = await openStore({ url: embedded.url, retry: { attempts: 3, pause: 20 } });
tell(`s ${embedded.pid} ${embedded.adopted}`);

let next = Number(from);
async function caller(): Promise<void> {
  for (;;) {
    const first = next;
    const count = 1 + (((first * 7919) % 97) % 40);
    next += count;
    const messages = range(first, count);
    for (;;) {
      try {
        await store.ingest(messages);
        break;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    tell(`a ${first} ${count} ${embedded.pid ?? 0}`);
  }
}
async function compacting(): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    // As if time stood a little behind what was sent last, so that some of it is compacted and some is not.
    try {
      const { blocks } = await store.compact(streamStart + Math.max(0, next - 500) * streamStep);
      if (blocks > 0) tell(`c ${blocks}`);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }
}
const failed = (error: Error): void => {
  tell(`e ${error.stack?.replaceAll('\n', ' ')}`);
  process.exit(3);
};
for (let i = 0; i < 4; i++) caller().catch(failed);
compacting().catch(failed);
