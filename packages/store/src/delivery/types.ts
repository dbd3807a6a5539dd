/**
 * What goes to other systems and comes from them (AMI system description §5.5, features M8, M9): formats, destinations, deliveries with
 * their bytes, imports of readings, commands.
 *
 * Times are epoch ms, ids decimal digits.
 */
import type { Scope } from '@amiable/model';
import type { MeterId } from '../types.ts';

export interface Defined {
  readonly name: string;
  readonly version: number;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly changed: number;
  readonly by: string;
}

export interface FormatStore {
  list(): Promise<readonly Defined[]>;
  /** The newest unless a version is said. */
  get(name: string, version?: number): Promise<Defined | undefined>;
  /** @returns its version: the same one when nothing is different */
  put(name: string, definition: Readonly<Record<string, unknown>>, by: string, at: number): Promise<number>;
  /** Its versions stay: what was written with them is still readable. @returns false when there is none */
  remove(name: string): Promise<boolean>;
}

export type DestinationKind = 'folder' | 'sftp' | 'http';
export const DESTINATION_SECRETS = ['password', 'private-key', 'passphrase', 'token'] as const;
export type DestinationSecret = (typeof DESTINATION_SECRETS)[number];

export interface Destination extends Defined {
  readonly kind: DestinationKind;
  /** Segments of who wrote it; null: all. */
  readonly segments: readonly number[] | null;
  readonly enabled: boolean;
  /** Which are set; what they are is asked for apart. */
  readonly secrets: readonly DestinationSecret[];
}
export type NewDestination = Pick<Destination, 'name' | 'kind' | 'definition' | 'segments' | 'enabled'>;

export interface DestinationStore {
  /** Those whose segments are all within the scope. */
  list(scope: Scope): Promise<readonly Destination[]>;
  get(name: string, scope: Scope): Promise<Destination | undefined>;
  /** @param forget its secrets are taken away in the same transaction. @returns its version */
  put(destination: NewDestination, by: string, at: number, forget: boolean): Promise<number>;
  remove(name: string): Promise<boolean>;
  /** null takes one away. */
  putSecret(name: string, secret: DestinationSecret, ciphertext: Uint8Array | null, at: number): Promise<void>;
  secrets(name: string): Promise<ReadonlyMap<DestinationSecret, Uint8Array>>;
}

export const DELIVERY_STATES = [
  'making',
  'waiting',
  'sending',
  'sent',
  'acknowledged',
  'refused',
  'failed',
  'cancelled',
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface Delivery {
  readonly id: string;
  readonly destination: string;
  readonly run: string | null;
  /** The delivery whose bytes it sends again. */
  readonly resendOf: string | null;
  readonly format: string;
  readonly formatVersion: number | null;
  readonly file: string;
  readonly mediaType: string;
  readonly from: number;
  readonly to: number;
  readonly asOf: number;
  readonly meters: number;
  readonly rows: number;
  readonly corrected: number;
  readonly bytes: number;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  readonly segments: readonly number[] | null;
  readonly state: DeliveryState;
  readonly tries: number;
  readonly nextTry: number | null;
  readonly reason: string | null;
  readonly answer: string | null;
  readonly created: number;
  readonly by: string;
  readonly sent: number | null;
  readonly acknowledged: number | null;
  readonly acknowledgedBy: string | null;
}
export type NewDelivery = Pick<
  Delivery,
  'destination' | 'run' | 'format' | 'formatVersion' | 'file' | 'mediaType' | 'from' | 'to' | 'asOf' | 'segments' | 'by'
> & {
  readonly created: number;
  /** Until then it is made; who makes it longer says so by `hold`. */
  readonly held: number;
};
/** What is known when all pieces are written. */
export type MadeDelivery = Pick<Delivery, 'file' | 'meters' | 'rows' | 'corrected' | 'bytes' | 'digest'>;

export interface DeliveryQuery {
  readonly destination?: string;
  readonly state?: DeliveryState;
  /** Older than this one. */
  readonly before?: string;
  readonly limit: number;
  readonly scope: Scope;
}

export interface Deliveries {
  /** In the state `making`: nobody sends it yet. */
  begin(delivery: NewDelivery): Promise<string>;
  addPart(id: string, part: number, content: Uint8Array): Promise<void>;
  /** Ready to be sent, from `at` on. */
  finish(id: string, made: MadeDelivery, at: number): Promise<Delivery>;
  /** It is being made still. */
  hold(id: string, until: number): Promise<void>;
  /** Those whose maker died are failed, without their bytes. @returns how many */
  interrupt(at: number): Promise<number>;
  /** What a run made before it was taken up again. */
  ofRun(run: string): Promise<Delivery | undefined>;
  /** One that could not be made leaves nothing. */
  abandon(id: string): Promise<void>;
  /** The same bytes once more, as a delivery of their own. */
  resend(id: string, by: string, at: number): Promise<Delivery | undefined>;
  get(id: string, scope: Scope): Promise<Delivery | undefined>;
  list(query: DeliveryQuery): Promise<readonly Delivery[]>;
  /** Pieces as they were added, one at a time. */
  parts(id: string): AsyncGenerator<Uint8Array>;
  /** Takes what is due to be sent, held until `until`; undefined: nothing is. */
  take(worker: string, at: number, until: number, id?: string): Promise<Delivery | undefined>;
  /** What became of sending; only by who holds it. */
  settle(
    id: string,
    worker: string,
    outcome: {
      readonly state: DeliveryState;
      readonly nextTry?: number;
      readonly reason?: string | null;
      readonly answer?: string;
      readonly sent?: number;
      readonly acknowledged?: { readonly at: number; readonly by: string };
    },
  ): Promise<boolean>;
  /** By hand, a file or a late answer. @returns undefined when it is in none of these states */
  change(
    id: string,
    from: readonly DeliveryState[],
    state: DeliveryState,
    how: { readonly at: number; readonly by: string; readonly reason?: string },
  ): Promise<Delivery | undefined>;
  /** Sent and not acknowledged, the oldest first. */
  unacknowledged(destination: string, limit: number): Promise<readonly Delivery[]>;
  /** The newest that was not given up, by the end of its span. */
  last(destination: string): Promise<Delivery | undefined>;
  /** Bytes of a destination's deliveries that were made before and have ended; the rows stay. @returns how many lost theirs */
  prune(before: number, destination: string): Promise<number>;
}

export type ReadingsState = 'running' | 'done' | 'refused' | 'failed' | 'interrupted';
export interface ReadingsImport {
  readonly id: string;
  readonly state: ReadingsState;
  readonly dry: boolean;
  readonly name: string | null;
  readonly format: string;
  readonly digest: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly segments: readonly number[] | null;
  readonly who: string;
  readonly started: number;
  readonly ended: number | null;
  readonly report: Readonly<Record<string, unknown>> | null;
}

export interface ReadingsImports {
  begin(
    run: Pick<ReadingsImport, 'dry' | 'name' | 'format' | 'detail' | 'segments' | 'who' | 'started'> & {
      /** Until then it is worked on; who takes longer says so by `hold`. Epoch ms of the machine. */
      readonly held: number;
    },
  ): Promise<string>;
  hold(id: string, until: number): Promise<void>;
  /** Those whose process died are interrupted: who held them let them lapse by the machine's `clock`. @returns how many */
  interrupt(at: number, clock: number): Promise<number>;
  /** Those that began before and have ended. @returns how many */
  prune(before: number): Promise<number>;
  end(
    id: string,
    state: ReadingsState,
    how: { readonly at: number; readonly digest?: string; readonly report: Readonly<Record<string, unknown>> },
  ): Promise<void>;
  get(id: string, scope: Scope): Promise<ReadingsImport | undefined>;
  list(query: {
    readonly before?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly ReadingsImport[]>;
  /** One that was done with these very bytes. */
  sameBytes(digest: string): Promise<ReadingsImport | undefined>;
}

export const COMMAND_STATES = ['waiting', 'running', 'done', 'failed', 'refused', 'cancelled'] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

export interface StoredCommand {
  readonly id: string;
  /** Whose reference it is. */
  readonly source: string;
  readonly reference: string;
  readonly kind: string;
  readonly meter: MeterId | null;
  readonly point: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly digest: string;
  /** Name of the destination that is told of its end. */
  readonly callback: string | null;
  readonly state: CommandState;
  readonly due: number;
  readonly expires: number;
  readonly work: Readonly<Record<string, unknown>> | null;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly sentence: string | null;
  readonly segments: readonly number[] | null;
  readonly account: string | null;
  readonly who: string;
  readonly created: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly told: 'waiting' | 'told' | 'failed' | null;
  readonly toldTries: number;
}
export type NewCommand = Pick<
  StoredCommand,
  | 'source'
  | 'reference'
  | 'kind'
  | 'meter'
  | 'point'
  | 'parameters'
  | 'digest'
  | 'callback'
  | 'due'
  | 'expires'
  | 'segments'
  | 'account'
  | 'who'
  | 'created'
> & { readonly refused?: string };

export interface Commands {
  /** By source and reference: the one that is there already, when it is. */
  add(command: NewCommand): Promise<{ readonly command: StoredCommand; readonly fresh: boolean }>;
  get(id: string, scope: Scope): Promise<StoredCommand | undefined>;
  byReference(source: string, reference: string): Promise<StoredCommand | undefined>;
  list(query: {
    readonly source?: string;
    readonly state?: CommandState;
    readonly kind?: string;
    readonly before?: string;
    readonly limit: number;
    readonly scope: Scope;
  }): Promise<readonly StoredCommand[]>;
  /** Takes what is due: waiting ones, and running ones that nobody holds. */
  take(worker: string, at: number, until: number): Promise<StoredCommand | undefined>;
  /** Lets go of it: still running (looked at again at `again`), or ended. */
  settle(
    id: string,
    worker: string,
    outcome: {
      readonly state: CommandState;
      readonly at: number;
      readonly again?: number;
      readonly work?: Readonly<Record<string, unknown>>;
      readonly result?: Readonly<Record<string, unknown>>;
      readonly sentence?: string;
    },
  ): Promise<boolean>;
  /** Only while it waits. */
  cancel(id: string, by: string, at: number): Promise<StoredCommand | undefined>;
  /** Ended commands whose callback is to be told now; they are due again at `again` unless `told`. */
  untold(at: number, again: number): Promise<StoredCommand | undefined>;
  told(id: string, state: 'waiting' | 'told' | 'failed', again: number): Promise<void>;
  /** Those that ended before: their references may be used again. @returns how many */
  prune(before: number): Promise<number>;
}

export interface DeliveryStore {
  readonly formats: FormatStore;
  readonly destinations: DestinationStore;
  readonly deliveries: Deliveries;
  readonly imports: ReadingsImports;
  readonly commands: Commands;
}
