/** Events of meters by the one catalogue of @amiable/model/events (AMI system description §7.4.6). */
import type { Scope } from '@amiable/model';
import type { EventCategory, Severity } from '@amiable/model/events';
import type { MeterId } from '../types.ts';

/** A row of a meter's log. */
export interface NewEvent {
  readonly meter: MeterId;
  /** Epoch ms, by the meter's clock. */
  readonly time: number;
  /** The number as the log gives it. */
  readonly code: number;
  /** Which log of the meter: `standard`, `disconnecter`. */
  readonly source: string;
  /** What its numbers mean: `dlms`, `amiable-virtual`, `p98`, `mbus`, `p1`. */
  readonly catalogue: string;
  /** Tells equal numbers at one time apart. Counted within the call when left out: hand over all rows of a time together. */
  readonly ordinal?: number;
  readonly status?: number;
  readonly detail?: unknown;
}

export interface StoredEvent {
  readonly meter: MeterId;
  readonly serial: string;
  readonly name: string | null;
  readonly time: number;
  /** Word of the catalogue; `unknown` for numbers that are not in it. */
  readonly event: string;
  readonly category: EventCategory;
  readonly severity: Severity;
  readonly code: number;
  /** `catalogue/log`. */
  readonly source: string;
  readonly ordinal: number;
  readonly status: number | null;
  readonly detail: unknown;
  readonly received: number | null;
}

export interface EventQuery {
  readonly meters?: readonly MeterId[];
  /** Meters under this node of the network. */
  readonly under?: string;
  readonly categories?: readonly string[];
  readonly events?: readonly string[];
  /** This severity and above. */
  readonly severity?: Severity;
  /** Epoch ms; `to` not included. */
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  /** Newest first; those after the one that ended the page before. */
  readonly after?: string;
  readonly scope: Scope;
}

export interface EventPage {
  readonly events: readonly StoredEvent[];
  readonly next?: string;
}

/** What the indices of supply count by. */
export interface PowerEvent {
  readonly meter: MeterId;
  readonly time: number;
  readonly event: string;
}

export interface EventStore {
  /** Idempotent. Times before 1990 and after 2100 are not stored. @returns how many were new, known, and without a sensible time */
  write(
    events: readonly NewEvent[],
    received: number,
  ): Promise<{ readonly inserted: number; readonly known: number; readonly refused: number }>;
  list(query: EventQuery): Promise<EventPage>;
  /** Events of some categories of these meters in order of meter and time. */
  ofMeters(
    meters: readonly MeterId[],
    categories: readonly string[],
    from: number,
    to: number,
  ): Promise<readonly PowerEvent[]>;
  /** How often what happened, by event. */
  count(query: Omit<EventQuery, 'limit' | 'after'>): Promise<readonly { readonly event: string; readonly n: number }[]>;
}
