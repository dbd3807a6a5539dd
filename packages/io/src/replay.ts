/**
 * Files and standard input as a source of bytes, streamed in pieces so that the size does not matter. Decides nothing
 * about what the bytes mean.
 */
import { open } from 'node:fs/promises';
import { type CaptureForm, captureStage } from './capture.ts';
import { portError } from './faults.ts';
import type { Link, LinkEvents } from './link.ts';

export interface Replay {
  readonly name: string;
  /** Known once the first piece is read. */
  readonly form: CaptureForm | undefined;
  /** Characters in hex text that do not belong there. */
  readonly strange: number;
  /** The first bytes as they stand in the file, to say what it is when it is no capture. */
  readonly head: Uint8Array;
  /** Bytes of the file read so far. */
  readonly size: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface ReplayOptions {
  readonly form?: CaptureForm;
  /** Bytes of the file per piece. */
  readonly piece?: number;
  readonly signal?: AbortSignal;
  /** What `-` reads. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** `-` is standard input. The file is opened when the first piece is asked for. @throws PortError from `chunks` */
export function replayFile(
  path: string,
  { form, piece = 1 << 16, signal, stdin = process.stdin }: ReplayOptions = {},
): Replay {
  const stage = captureStage(form);
  let head = new Uint8Array(0);
  let size = 0;
  const name = path === '-' ? 'standard input' : path;
  async function* decoded(): AsyncGenerator<Uint8Array> {
    try {
      for await (const bytes of path === '-' ? stdin : fileChunks(path, piece)) {
        if (signal?.aborted) return;
        size += bytes.length;
        if (head.length < 512) {
          const more = new Uint8Array(Math.min(512, head.length + bytes.length));
          more.set(head);
          more.set(bytes.subarray(0, more.length - head.length), head.length);
          head = more;
        }
        const out = stage.push(bytes);
        if (out.length > 0) yield out;
      }
      const rest = stage.end();
      if (rest.length > 0) yield rest;
    } catch (error) {
      throw portError(name, error);
    }
  }
  return {
    name,
    get form() {
      return stage.form;
    },
    get strange() {
      return stage.strange;
    },
    get head() {
      return head;
    },
    get size() {
      return size;
    },
    chunks: decoded(),
  };
}

async function* fileChunks(path: string, piece: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      // A new buffer each time: what was handed out belongs to its receiver.
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(piece), 0, piece, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Any source of bytes as a link that ends with it; `again` starts it over, for a house that replays for ever. */
export function sourceLink(
  describe: string,
  source: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { again = false } = {},
): Link {
  let run = 0;
  let resumed: (() => void) | undefined;
  let paused = false;
  let current: LinkEvents | undefined;
  const pump = async (own: number, events: LinkEvents) => {
    let failure: Error | undefined;
    try {
      do {
        for await (const bytes of source()) {
          while (paused && own === run) {
            await new Promise<void>((resolve) => {
              resumed = resolve;
            });
          }
          if (own !== run) return;
          events.data(bytes);
        }
      } while (again && own === run);
    } catch (error) {
      failure = portError(describe, error);
    }
    if (own !== run) return;
    current = undefined;
    events.closed(failure);
  };
  return {
    describe,
    async open(events) {
      run++;
      current = events;
      void pump(run, events);
    },
    async write() {},
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      resumed?.();
    },
    async close() {
      run++;
      paused = false;
      resumed?.();
      const events = current;
      current = undefined;
      events?.closed();
    },
  };
}
