import type { Meter } from '@amiable/model';

/** Whether a meter says nothing by itself and is read by tasks. */
export const isOnlyAsked = (meter: Meter): boolean =>
  meter.hasConnection === true && (meter.live?.power ?? null) === null;
