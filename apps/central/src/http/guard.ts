/** The guard until there is identification: whoever reaches the server may do everything. */
import { type Caller, PRIVILEGES } from '@amiable/model';
import type { Guard } from './router.ts';

const EVERYBODY: Caller = { kind: 'system', name: 'everybody', privileges: new Set(PRIVILEGES), scope: 'all' };

export const openGuard: Guard = {
  caller: () => EVERYBODY,
  watch: () => () => {},
  audit: async () => {},
};
