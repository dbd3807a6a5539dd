/** What `amiable start` was asked for. */

/** What one process can be; by default all that have something to do. */
export const ROLES = ['database', 'broker', 'central', 'worker', 'street', 'fleet', 'reader'] as const;
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
  /** Names besides those of this machine by which the page may be asked for. */
  readonly hostName: readonly string[];
  /** Files, PEM. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Addresses of proxies that do TLS. */
  readonly trustedProxy: readonly string[];
  readonly plainLogin?: boolean;
  /** File of the key under which meters' keys are sealed; in the data folder unless said. */
  readonly masterKey?: string;
  /** Where backups are kept; in the data folder unless said. */
  readonly backups?: string;
  readonly keepBackups: number;
  /** Folders below which tasks find and leave registry files. */
  readonly inbox?: string;
  readonly outbox?: string;
  readonly smtp?: string;
  readonly mailFrom: string;
  readonly printCommand: string;
  /** Of a process without a page. */
  readonly healthPort?: number;
  /** Meters that a worker reads at once. */
  readonly sessions: number;
  /** Virtual DLMS meters of the simulation. */
  readonly meters: number;
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
