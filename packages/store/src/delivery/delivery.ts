/** Exchange with other systems as one part of the store: joins its areas. */
import type { Database } from '../pg/database.ts';
import { createCommands } from './commands.ts';
import { createDeliveries } from './deliveries.ts';
import { createDestinations, createFormats } from './destinations.ts';
import { createReadingsImports } from './imports.ts';
import type { DeliveryStore } from './types.ts';

export const createDeliveryStore = (db: Database): DeliveryStore => ({
  formats: createFormats(db),
  destinations: createDestinations(db),
  deliveries: createDeliveries(db),
  imports: createReadingsImports(db),
  commands: createCommands(db),
});
