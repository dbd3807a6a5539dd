/** What `amiable start` was asked for. */

/** What one process can be; by default all that have something to do. */
export const ROLES = ['database', 'broker', 'central', 'street', 'reader'] as const;
export type Role = (typeof ROLES)[number];

export interface StartOptions {
  readonly data: string;
  readonly port?: number;
  readonly host: string;
  readonly mqttPort?: number;
  readonly databaseUrl?: string;
  readonly roles: readonly Role[];
  readonly device: readonly string[];
  readonly key: readonly string[];
  readonly authKey: readonly string[];
  readonly houses: number;
  readonly seed: number;
  readonly speed: number;
  readonly history?: number;
  /** Given by the user: goes before what a meter's market says. */
  readonly tz?: string;
  /** Minutes. */
  readonly maxClockError: number;
  readonly subscribe?: string;
  readonly page: boolean;
  /** Form of the log: for people, or a JSON object a line for collectors. */
  readonly log: 'text' | 'json';
}
