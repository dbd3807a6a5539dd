/**
 * The one way into the house. MQTT, HTTP and the readers in this process all come through `ingest`; it resolves when the
 * messages are durable. What is shown live and passed on follows from the store's own notice of each commit.
 */
import type { Message } from '@amiable/model';
import type { IngestResult, Store } from '@amiable/store';
import { plain } from './plain.ts';

export interface Counters {
  accepted: number;
  duplicates: number;
  rejected: number;
  unplaced: number;
}

export interface Ingest {
  (messages: readonly Message[]): Promise<IngestResult>;
  readonly counters: Readonly<Counters>;
  /** Messages under way; front doors answer 503 or hold back their acknowledgement above a bound. */
  readonly pending: number;
  /** The last failure to store, until one succeeds again. */
  readonly trouble: string | undefined;
}

/** Beyond this many messages under way a front door says "later" at once instead of filling memory. */
export const MAX_PENDING = 50_000;

/** Told to a front door whose messages were not taken; nothing of them is stored, all may be sent again. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** A reader's clock may be ahead of ours by so much, ms. */
const AHEAD = 86_400_000;
const EARLIEST = Date.UTC(1990, 0, 1);

/**
 * The receive time of a reader whose clock was never set, or set wrong, is our own: a time far ahead would stand as the
 * meter's latest for years.
 */
function received(message: Message, now: number): Message {
  const { receivedAt } = message;
  if (receivedAt >= EARLIEST && receivedAt <= now + AHEAD) return message;
  return { ...plain(message), receivedAt: now };
}

export interface IngestOptions {
  readonly store: Pick<Store, 'ingest'>;
  /** Called with the frames that no key opened, once they are kept, so that their sender becomes known. */
  readonly unreadable?: (messages: readonly Message[]) => Promise<void>;
  /** The latest time that a reader may rightly have, epoch ms; without it receive times stand as they are. */
  readonly now?: () => number;
}

export function createIngest({ store, unreadable, now }: IngestOptions): Ingest {
  const counters: Counters = { accepted: 0, duplicates: 0, rejected: 0, unplaced: 0 };
  let pending = 0;
  let trouble: string | undefined;

  async function ingest(given: readonly Message[]): Promise<IngestResult> {
    const at = now?.();
    const messages = at === undefined ? given : given.map((message) => received(message, at));
    if (pending + messages.length > MAX_PENDING && pending > 0)
      throw new BusyError(`${pending} messages wait for the database; try again in a moment`);
    pending += messages.length;
    try {
      const result = await store.ingest(messages);
      trouble = undefined;
      counters.accepted += result.accepted;
      counters.duplicates += result.duplicates;
      counters.rejected += result.rejected.length;
      counters.unplaced += result.unplaced;
      if (unreadable && messages.some((m) => m.error)) await unreadable(messages.filter((m) => m.error));
      return result;
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      pending -= messages.length;
    }
  }

  return Object.defineProperties(ingest, {
    counters: { value: counters },
    pending: { get: () => pending },
    trouble: { get: () => trouble },
  }) as unknown as Ingest;
}
