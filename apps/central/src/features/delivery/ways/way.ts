/** What a way to a destination can do: take a file, and say which were acknowledged there. Errors tell what follows: a line is tried again. */
import type { DestinationSecret } from '@amiable/store';

export interface Outgoing {
  /** Number of the delivery: the same when it is tried again. */
  readonly id: string;
  readonly file: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  pieces(): AsyncIterable<Uint8Array>;
}

export interface Acknowledgement {
  readonly good: boolean;
  readonly text: string;
}

export interface Way {
  /**
   * All of it or, as far as others see, nothing.
   * @throws LinkError when the other end is away or broken for now, PeerError when it refuses this file, MisuseError when what was
   * defined cannot work
   */
  send(file: Outgoing, signal: AbortSignal): Promise<{ readonly answer?: string }>;
  /** By name of the file, of those that have one. */
  acknowledgements?(files: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Acknowledgement>>;
}

export type Secrets = ReadonlyMap<DestinationSecret, Uint8Array>;
export const textOf = (secrets: Secrets, name: DestinationSecret): string | undefined => {
  const found = secrets.get(name);
  return found && new TextDecoder().decode(found);
};
/** Of an answer or a file of acknowledgement. */
export const MAX_ANSWER = 2000;
