/**
 * The reader as a service, seen from outside: what pages, gateways and commands may ask of it and how it answers. Decides
 * the words of its status; leaves out how anything is done. Every status is plain data, made anew for each question, and
 * holds no secret.
 */
import type { KeyRing } from '@amiable/dlms';
import type { Clock } from '@amiable/io';
import type { Message, PortCounters } from '@amiable/model';
import type { ReaderConfig } from '../config/types.ts';
import type { PolledReaderOptions } from '../polled/reader-options.ts';

export interface PortStatus {
  readonly name: string;
  /** As configured: `/dev/ttyUSB0`, `host:port`, `:port`. */
  readonly device: string;
  /** `opening` until the first answer of the line; `down` while it is tried again. */
  readonly state: 'opening' | 'up' | 'down';
  /** Epoch ms of the last change of `state`. */
  readonly since: number;
  /** What stands in the way while it is down, for a person. */
  readonly fault?: string;
  /** What the port said last: parity tried, encrypted, back. */
  readonly note?: string;
  /** Ms without a message on an open line, where that is longer than such a port ever pauses: the cable is out, or the key is wrong. */
  readonly silentFor?: number;
  /** Since the service was started; refused frames by cause in `dropped`. */
  readonly counters: PortCounters;
  /** The newest message of the port. */
  readonly last?: {
    /** Epoch ms of receipt. */
    readonly at: number;
    readonly id: string;
    readonly meterId?: string;
    readonly list?: string;
    /** Why it could not be read: noKey, wrongKey. */
    readonly error?: string;
  };
}

export interface SpoolStatus {
  readonly folder: string;
  /** `memory`: the folder cannot be written, messages are kept in memory until it can. `full`: the disk is full. */
  readonly state: 'disk' | 'full' | 'memory';
  readonly fault?: string;
  /** On disk. */
  readonly bytes: number;
  readonly maxBytes: number;
  readonly segments: number;
  /** Kept now, delivered or not. */
  readonly messages: number;
  /** Epoch ms of receipt of the oldest message kept. */
  readonly oldest?: number;
  /** Not yet synced to the disk: what a power cut would cost. */
  readonly unsynced: number;
  /** Since the start: left out by thinning. */
  readonly thinned: number;
  /** Since the start: given up, undelivered, because not even thinning made room. */
  readonly dropped: number;
  /** Since the start: runs of bytes on disk that were no record any more. */
  readonly damaged: number;
}

export interface UplinkStatus {
  /** As configured: `mqtt`, `post.2`, `central`. */
  readonly name: string;
  readonly type: 'mqtt' | 'post' | 'central';
  /** For a person, without password: `broker localhost:1883`. */
  readonly target: string;
  readonly state: 'connecting' | 'up' | 'down';
  /** What stands in the way now, for a person. */
  readonly fault?: string;
  /** Number of the next message to deliver. */
  readonly cursor: number;
  readonly waiting: number;
  /** Since the start. */
  readonly delivered: number;
  /** Taken by the other side and refused for good. */
  readonly refused: number;
  readonly refusal?: string;
  /** Left out because the uplink is thinned. */
  readonly thinned: number;
  /** Epoch ms of the last acknowledgement. */
  readonly lastDelivery?: number;
}

export interface ReaderStatus {
  readonly reader: string;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly ports: readonly PortStatus[];
  readonly spool: SpoolStatus;
  readonly uplinks: readonly UplinkStatus[];
}

export interface ReaderService {
  status(): ReaderStatus;
  /** The newest readable message of each meter, by `port` + `/` + `meterId` (or the port alone where no meter is named). */
  latest(): ReadonlyMap<string, Message>;
  /** Called after the message is in the spool. @returns what ends it */
  onMessage(listener: (m: Message) => void): () => void;
  /**
   * Ports and uplinks that differ are changed, the others go on undisturbed; no frame of an unchanged port is lost and
   * nothing undelivered either. Calls are carried out one after the other.
   */
  apply(config: ReaderConfig): Promise<void>;
  /** Reads what is under way, gives uplinks `wait` ms (2000 unless said) to take the rest, syncs and closes. */
  stop(wait?: number): Promise<void>;
}

/** A message on its way into another part of this process. */
export interface InProcess {
  /** Names its cursor. */
  readonly name: string;
  /** For a person. */
  readonly target: string;
  /** Resolves when the messages are durable there; rejects when they shall come again. */
  take(messages: readonly Message[]): Promise<unknown>;
}

/** What the service needs of the program and the machine it runs in. */
export interface ReaderMachine {
  readonly clock: Clock;
  readonly random: () => number;
  /** One line for a person: lost, back, full, refused. */
  readonly tell: (line: string) => void;
  /** Uplinks inside this process, besides those of the configuration. */
  readonly inProcess?: readonly InProcess[];
  /** Keys of the program; asked before those of the configuration. */
  readonly keys?: KeyRing;
  /** The meter that a port showed last. */
  readonly knownMeter?: (port: string) => string | undefined;
  /** Another serialport binding, for tests. */
  readonly serialBinding?: unknown;
  /** Lines in place of the devices of ports that are asked, for tests. */
  readonly makeLink?: PolledReaderOptions['makeLink'];
}

export type StartReader = (config: ReaderConfig, machine: ReaderMachine) => Promise<ReaderService>;
