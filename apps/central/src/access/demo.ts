/** What a simulated street shows to whoever sits at the machine, until there is an administrator: everything to look at, nothing to change. */
import type { Privilege } from '@amiable/model';

export const STREET_GUEST: readonly Privilege[] = [
  'meter:view',
  'reading:view',
  'message:view',
  'event:view',
  'network:view',
  'premises:view',
  'metering-point:view',
  'meter-type:view',
  'attribute:view',
  'task:view',
  'flow:view',
  'run:view',
  'transaction:view',
  'connection:view',
  'system:view',
  'execute:display',
  'execute:metrics',
];
