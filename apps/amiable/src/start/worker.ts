/** The worker role: reads meters with what the database says is due, and stores what came. */
import { hostname } from 'node:os';
import { channelsOf, createLineFinder, createLines, openVault, startWorker, type Worker } from '@amiable/central';
import { type Log, systemClock } from '@amiable/io';
import type { Store } from '@amiable/store';
import type { Ends } from './ends.ts';
import type { StartOptions } from './options.ts';

export interface WorkerParts {
  readonly options: StartOptions;
  readonly store: Store;
  readonly masterKeyFile: string;
  /** Epoch ms; simulated when the meters are. */
  readonly now: () => number;
  readonly ends: Ends;
  readonly log: Log;
}

export function beginWorker({ options, store, masterKeyFile, now, ends, log }: WorkerParts): Worker {
  const lines = createLines({ clock: systemClock, channel: channelsOf(store) });
  ends.add(() => lines.close());
  const worker = startWorker({
    store,
    vault: openVault(masterKeyFile),
    // Unique among those that run: leases are held under it.
    name: `${hostname()}/${process.pid}`,
    now,
    sessions: options.sessions,
    // Many meters may stand behind one address: a gateway, or the simulated fleet.
    perAddress: 8,
    lines: createLineFinder(lines, (meter) => store.readout.connection(meter, 'all')),
    log: log.of('worker'),
  });
  ends.add(() => worker.stop());
  return worker;
}
