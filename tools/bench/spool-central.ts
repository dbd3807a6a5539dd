/** The central system of the bench, in a process of its own as it stands in life: says its ports, counts on request. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCentral } from '@amiable/central';
import { openStore, startEmbedded } from '@amiable/store';

const folder = mkdtempSync(join(tmpdir(), 'amiable-bench-central-'));
const embedded = await startEmbedded({ dataDir: join(folder, 'data') });
const store = await openStore({ url: embedded.url, zone: 'Europe/Oslo' });
const central = await startCentral({
  store,
  masterKeyFile: join(folder, 'master-key'),
  version: '0',
  timeZone: 'Europe/Oslo',
  apiKeys: [process.env.BENCH_KEY as string],
  http: { host: '127.0.0.1', port: 0 },
  mqtt: { host: '127.0.0.1', port: 0 },
  log: () => {},
});
const say = (what: object): void => void process.send?.(what);
process.on('message', (asked) => {
  if (asked === 'count') say({ accepted: central.ingest.counters.accepted });
});
process.on('disconnect', async () => {
  await central.stop();
  await store.close();
  await embedded.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
say({ http: central.httpPort, mqtt: central.mqttPort });
