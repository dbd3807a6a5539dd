/**
 * The transaction log (AMI system description §5.2.5): what was done, hierarchically: a flow has tasks, a task has meters, a meter has
 * associations, an association has APDUs (on request).
 */
import type { Scope } from '@amiable/model';
import type { MeterId } from '../types.ts';

export type TransactionKind = 'flow' | 'task' | 'meter' | 'association' | 'apdu' | 'command';
export type TransactionState = 'running' | 'done' | 'failed' | 'cancelled' | 'partial';

export interface NewTransaction {
  readonly kind: TransactionKind;
  readonly parent?: string;
  /** The run it belongs to, for finding all of it. */
  readonly run?: string;
  readonly meter?: MeterId;
  /** Epoch ms. */
  readonly started: number;
  /** One line for people. Never a key, password or personal datum. */
  readonly text: string;
  /** JSON; bounded to 8 kB, cut with a mark. */
  readonly detail?: unknown;
}

export interface TransactionEnd {
  readonly ended: number;
  readonly state: TransactionState;
  readonly text?: string;
  readonly detail?: unknown;
}

/**
 * The writer's side: never waits, never throws; entries go to the database in batches. Ids are made here (time-ordered 63-bit
 * numbers, unique over workers, as decimal text), so that children need not wait for their parents. When the database is away entries wait in
 * bounded memory; what does not fit is counted and said.
 */
export interface Journal {
  begin(entry: NewTransaction): string;
  end(id: string, end: TransactionEnd): void;
  /** For what begins and ends at once. */
  add(entry: NewTransaction & TransactionEnd): string;
  flush(): Promise<void>;
}

export interface Transaction extends NewTransaction {
  readonly id: string;
  readonly state: TransactionState;
  readonly ended?: number;
  /** Whether anything stands below it. */
  readonly children: number;
}

export interface TransactionQuery {
  /** Children of this one; without it and without `run`, `meter`, `q`: the roots. */
  readonly parent?: string;
  readonly run?: string;
  readonly meter?: MeterId;
  readonly kind?: TransactionKind;
  readonly state?: TransactionState;
  /** Words of the text. */
  readonly q?: string;
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  /** Newest first; those older than this id. */
  readonly before?: string;
  /** Children stand in the order in which they began: those after this id. */
  readonly after?: string;
  readonly scope: Scope;
}

export interface TransactionPage {
  readonly transactions: readonly Transaction[];
  /** Where to go on (`before`, or `after` for children); undefined at the end. A search of words looks at so many rows a call and may give few or none with it. */
  readonly next?: string;
}

/** A row that is new or has changed, for who follows the log. */
export interface ChangedTransaction extends Transaction {
  /** Stamp of the change: go on from here. */
  readonly changed: string;
  /** Segment of its meter; undefined where it is about none. */
  readonly segment?: number;
  /** Of an entry of a run that is about no meter: the run's name, and the segments that it may touch. */
  readonly of?: { readonly name: string; readonly scope: Scope };
}

/** How far the children of one transaction are. */
export type TransactionProgress = Readonly<Partial<Record<TransactionState, number>>>;

/** How long what is kept, days of real time. */
export interface JournalRetention {
  readonly apduDays: number;
  /** Associations and meters. */
  readonly meterDays: number;
  /** Flows, tasks and commands; with them goes all else. */
  readonly taskDays: number;
}

/** The log as a part of the store. */
export interface JournalStore extends Journal {
  list(query: TransactionQuery): Promise<TransactionPage>;
  get(id: string, scope: Scope): Promise<Transaction | undefined>;
  /** Roots and children of `parents` that changed after a stamp, in order of stamps, of all segments. */
  changed(after: string, parents: readonly string[], limit: number): Promise<readonly ChangedTransaction[]>;
  progress(parents: readonly string[], scope: Scope): Promise<ReadonlyMap<string, TransactionProgress>>;
  /** Ids of the newest hundred roots that run. */
  running(): Promise<readonly string[]>;
  /** The stamp of a moment of real time, epoch ms. */
  stamp(time: number): string;
  /** Called after each commit of entries of this process. @returns how to end it */
  onWritten(listener: () => void): () => void;
  /** @returns how many entries went */
  retain(policy?: Partial<JournalRetention>): Promise<number>;
  /** Entries that wait for the database now, and those that were lost since the start because it was away too long. */
  readonly waiting: number;
  readonly lost: number;
  close(): Promise<void>;
}
