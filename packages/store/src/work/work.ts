/** Work: leases, runs, definitions, channels, and what workers say of the queue. */
import type { Database } from '../pg/database.ts';
import { createLeases } from './leases.ts';
import { createRuns } from './runs.ts';
import type { WorkStore } from './types.ts';

export function createWorkStore(db: Database): WorkStore {
  const leases = createLeases({ db });
  return {
    lease: leases.lease,
    renew: leases.renew,
    finish: leases.finish,
    release: leases.release,
    runs: createRuns({ db }),
  };
}
