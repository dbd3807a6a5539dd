/** What the features of the central system share; made once by the role that runs them. */
import type { MetricSource } from '@amiable/model';
import type { MeterId, Store } from '@amiable/store';
import type { Access } from './access/access.ts';
import type { Ingest } from './ingest/ingest.ts';
import type { MeterKeys } from './keys/meter-keys.ts';
import type { Vault } from './keys/vault.ts';
import type { LiveHub } from './live/live.ts';
import type { Backups } from './operations/backups.ts';
import type { Mailer } from './operations/mail.ts';
import type { OwnKinds } from './scheduler/own.ts';
import type { Scheduler } from './scheduler/scheduler.ts';

export interface Context {
  /** Who asks, and what they may. */
  readonly access: Access;
  readonly store: Store;
  readonly ingest: Ingest;
  readonly live: LiveHub;
  readonly keys: MeterKeys;
  /** Seals what must not be read out of the database. */
  readonly vault: Vault;
  /** Epoch ms; simulated when the street is. */
  readonly now: () => number;
  readonly speed: number;
  readonly simulated: boolean;
  readonly timeZone: string;
  readonly version: string;
  /** Accepted `Authorization: Bearer` keys of readers. */
  readonly apiKeys: readonly string[];
  /** What stands in the way of other roles in this process (the reader's ports), in words. */
  readonly causes: () => readonly string[];
  /** Where the server keeps backups of itself; undefined: nowhere. */
  readonly backups: Backups | undefined;
  /** Parts of the program add what they count for GET /metrics. */
  readonly metrics: MetricSource[];
  /** Folder below which tasks of kind `import` look for files; undefined: they do not. */
  readonly inbox: string | undefined;
  /** Folder below which tasks of kind `export` write files; undefined: they do not. */
  readonly outbox: string | undefined;
  /** Sends mail; undefined: this server does not. */
  readonly mail: Mailer | undefined;
  /** Prints what comes on its standard input: `lp` of CUPS. */
  readonly printCommand: string;
  /** What the system does by itself as tasks; parts of the program put in what they can do. */
  readonly ownKinds: OwnKinds;
  readonly scheduler: Pick<Scheduler, 'wake' | 'cancelled'>;
  readonly log: (line: string) => void;
  /** Whether an error means that the database is away for now. */
  isUnavailable(error: unknown): boolean;
  /** Decodes the kept frames anew with the keys known now. */
  reprocess(): Promise<{ readonly reprocessed: number; readonly left: number }>;
  /** The meter that one known by its system title alone turned out to be. */
  successor(meter: MeterId): MeterId | undefined;
}
