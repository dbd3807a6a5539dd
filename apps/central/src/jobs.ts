/**
 * What the central system does by itself: merges messages into day-blocks, lets go of what the retention policy no longer
 * keeps, and reads kept frames anew. One job at a time, each again and again until the program ends; a failure is told
 * and tried again at the next turn.
 */
import type { Retention, Store } from '@amiable/store';

export interface JobOptions {
  readonly store: Store;
  readonly now: () => number;
  readonly reprocess: () => Promise<{ readonly reprocessed: number }>;
  /** Takes up keys that other programs put. */
  readonly refresh: () => Promise<void>;
  readonly retention?: Partial<Retention>;
  /** Lets go of what is kept of people and no longer needed. */
  readonly forget?: () => Promise<unknown>;
  /** Real milliseconds between turns. */
  readonly every?: number;
  readonly log: (line: string) => void;
}

const HOUR = 3_600_000;

export function startJobs({ store, now, reprocess, refresh, retention, forget, every = 60_000, log }: JobOptions): {
  stop(): Promise<void>;
} {
  let stopped = false;
  let retained = 0;
  let running: Promise<void> = Promise.resolve();

  async function turn(): Promise<void> {
    try {
      await refresh();
      const result = await store.compact(now());
      if (result.messages > 0 && process.env.AMIABLE_DEBUG)
        log(`compacted ${result.messages} messages into ${result.blocks} blocks`);
      if (Date.now() - retained > HOUR) {
        retained = Date.now();
        const gone = await store.retain(now(), retention);
        if (gone.messages + gone.blocks + gone.unplaced > 0)
          log(
            `retention: let go of ${gone.messages} raw messages, ${gone.blocks} fine blocks, ${gone.unplaced} unplaced messages`,
          );
        await forget?.();
        const { reprocessed } = await reprocess();
        if (reprocessed > 0) log(`placed ${reprocessed} messages that had been kept`);
      }
    } catch (error) {
      log(`jobs: ${error instanceof Error ? error.message : String(error)}; tried again in ${every / 1000} s`);
    }
  }

  const timer = setInterval(() => {
    if (!stopped) running = running.then(turn);
  }, every);
  timer.unref();
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
