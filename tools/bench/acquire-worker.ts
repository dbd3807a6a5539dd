/**
 * A worker process of tools/bench/acquire.ts. Words: database, name, the present, sessions, connections to an address, file of the
 * master key. Says that it stands; works from the line `go` on; on `end` stops and says what it counted.
 */
import { createInterface } from 'node:readline';
import { systemClock } from '@amiable/io';
import { openStore } from '@amiable/store';
import { startWorker, type Worker } from '../../apps/central/src/acquisition/index.ts';
import { openVault } from '../../apps/central/src/keys/vault.ts';

const [url = '', name = '', present = '', sessions = '', perAddress = '', key = ''] = process.argv.slice(2);
const store = await openStore({ url, migrate: false });
const vault = openVault(key);
process.stdout.write('ready\n');
let worker: Worker | undefined;
let before = process.cpuUsage();

createInterface(process.stdin)
  .on('close', () => process.exit(1))
  .on('line', async (line) => {
    if (line.startsWith('go')) {
      before = process.cpuUsage();
      const begun = systemClock.now();
      worker = startWorker({
        store,
        vault,
        name,
        now: () => Number(present) + (systemClock.now() - begun),
        sessions: Number(sessions),
        perAddress: Number(perAddress),
        batch: 1000,
        poll: 100,
        log: (text) => process.stderr.write(`${name}: ${text}\n`),
      });
      return;
    }
    await worker?.stop();
    const { user, system } = process.cpuUsage(before);
    process.stdout.write(`${JSON.stringify({ cpu: (user + system) / 1e6, counters: worker?.counters })}\n`);
    await store.close();
    process.exit(0);
  });
