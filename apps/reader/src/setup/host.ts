/** What the reader's pages need of the program around them. */
import type { Clock } from '@amiable/io';
import type { ConfigStore } from '../config/load.ts';
import type { PageConfig, ReaderConfig } from '../config/types.ts';
import type { Gateways } from '../gateways/index.ts';
import type { ReaderMachine, ReaderService } from '../service/types.ts';
import type { Curves } from './status-view.ts';

export interface PageHost {
  readonly store: ConfigStore;
  readonly clock: Clock;
  readonly machine: ReaderMachine;
  readonly hostName: string;
  readonly version: string;
  readonly tell: (line: string) => void;
  /** What a first visitor types when no password is set; undefined: there is one. */
  code(): string | undefined;
  page(): PageConfig;
  service(): ReaderService | undefined;
  gateways(): Gateways | undefined;
  curves(): Curves | undefined;
  /** Puts a saved configuration into force. Resolves with the new address when the page moves. @throws Error in words */
  apply(config: ReaderConfig): Promise<string | undefined>;
  /** Called after the answer that told the new address. */
  move(): void;
  /** How long a port is listened to in a test, ms. */
  readonly listen?: number;
}
