/**
 * A link is whatever bytes of a meter come over: a serial port, a TCP connection, a file, a pair of functions in a test.
 * All have this one interface; wrappers (tracer, faults, reconnection) are links round links.
 */

export interface LinkEvents {
  /** Bytes arrived. The view is the receiver's to keep. */
  data(bytes: Uint8Array): void;
  /** The line ended after it was open; without `error` when ending lies in its nature (end of file) or `close` was called. */
  closed(error?: Error): void;
}

export interface Link {
  /** For a person, e.g. `/dev/ttyUSB0 at 2400 8E1`. */
  readonly describe: string;
  /** Resolves when bytes can flow. @throws PortError when the line cannot be opened */
  open(events: LinkEvents): Promise<void>;
  /** Resolves when the line has taken the bytes. @throws PortError */
  write(bytes: Uint8Array): Promise<void>;
  /** Asks for no more data until `resume`; a line that cannot hold its sender back (serial) ignores it. */
  pause(): void;
  resume(): void;
  /** Idempotent. `closed` is called once. */
  close(): Promise<void>;
}

/** Two links back to back in memory: what is written on one arrives on the other. */
export function loopback(): [Link, Link] {
  const ends: { events?: LinkEvents | undefined; paused: boolean; held: Uint8Array[] }[] = [
    { paused: false, held: [] },
    { paused: false, held: [] },
  ];
  const make = (own: number): Link => {
    const mine = ends[own]!;
    const peer = ends[1 - own]!;
    return {
      describe: 'loopback',
      async open(events) {
        mine.events = events;
      },
      async write(bytes) {
        if (peer.paused) peer.held.push(bytes.slice());
        else peer.events?.data(bytes.slice());
      },
      pause() {
        mine.paused = true;
      },
      resume() {
        mine.paused = false;
        for (let next = mine.held.shift(); next; next = mine.held.shift()) mine.events?.data(next);
      },
      async close() {
        const both = [mine, peer].map((end) => end.events);
        mine.events = undefined;
        peer.events = undefined;
        for (const events of both) events?.closed();
      },
    };
  };
  return [make(0), make(1)];
}

/**
 * What a link sends, as an iterable that holds the link back while its consumer is busy. At most `limit` bytes wait
 * (a serial line does not stop for anyone); what comes beyond is left out and told to `lost`.
 */
export async function* chunksOf(
  link: Link,
  { signal, lost, limit = 4 << 20 }: { signal?: AbortSignal; lost?: (bytes: number) => void; limit?: number } = {},
): AsyncGenerator<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let held = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};
  const finish = (error?: Error) => {
    ended = true;
    failure ??= error;
    wake();
  };
  const stop = () => finish();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted) return;
    await link.open({
      data(bytes) {
        if (held + bytes.length > limit) {
          lost?.(bytes.length);
          return;
        }
        waiting.push(bytes);
        held += bytes.length;
        if (held > limit >> 1) link.pause();
        wake();
      },
      closed: finish,
    });
    for (;;) {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        held -= next.length;
        yield next;
      }
      if (ended) break;
      link.resume();
      // `resume` may have delivered at once.
      if (waiting.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = () => {};
      }
    }
    if (failure && !signal?.aborted) throw failure;
  } finally {
    signal?.removeEventListener('abort', stop);
    await link.close();
  }
}
