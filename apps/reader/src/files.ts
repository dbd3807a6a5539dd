/**
 * `-f`: captures one after the other, each with a decoder of its own, streamed; and what to say about one that has no message
 * in it.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { captureStage, nodeCrypto, paced, portError, replayFile } from '@amiable/io';
import { createAnyReader } from '@amiable/meter';
import type { Message } from '@amiable/model';
import { add } from './counters.ts';
import type { Run } from './delivery.ts';
import { type ReadOptions, type Speed, UsageError } from './options.ts';
import { sniff } from './sniff.ts';

/** @throws UsageError when the file cannot be read, before anything else is done */
export function checkFile(path: string): void {
  if (path === '-') return;
  try {
    const stat = statSync(path);
    if (stat.isCharacterDevice()) throw new UsageError(`${path}: it is a device, not a file; read it with -d ${path}`);
    if (stat.isDirectory()) throw new UsageError(`${path}: it is a folder, not a file`);
    accessSync(path, constants.R_OK);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(portError(path, error).message);
  }
}

export async function readFiles(run: Run, paths: readonly string[], speed: Speed): Promise<void> {
  const { counts } = run;
  for (const path of paths) {
    if (run.signal.aborted) return;
    counts.files++;
    const good = counts.good;
    const closed = { ...counts.closed };
    const found = await readFile(run, path, speed);
    if (counts.good === good && !run.signal.aborted)
      run.tell(nothingFound(path, found, counts.closed, closed, run.options));
  }
}

interface Found {
  readonly head: Uint8Array;
  readonly decoded: Uint8Array;
  readonly strange: number;
  readonly dropped: Record<string, number>;
}

async function readFile(run: Run, path: string, speed: Speed): Promise<Found> {
  const { options, io, signal } = run;
  // Small pieces where messages are waited for one by one, so that each is stamped when its turn comes.
  const slow = options.pause > 0 || speed.type !== 'max';
  const replay = replayFile(path, { signal, piece: slow ? 256 : 1 << 16, stdin: io.stdin });
  let batch: Message[] = [];
  const dropped: Record<string, number> = {};
  const decoder = createAnyReader(
    {
      reader: options.reader,
      port: options.port,
      keys: run.keys,
      crypto: nodeCrypto,
      now: () => io.clock.now(),
      live: false,
      bad: options.bad,
      protocol: options.protocol,
      ...(options.zone === undefined ? {} : { zone: options.zone }),
    },
    {
      message: (m) => void batch.push(m),
      drop(d) {
        run.drop(d);
        if (d.reason !== 'noise') add(dropped, d.reason);
      },
    },
  );
  const hand = async () => {
    const all = batch;
    batch = [];
    for (const m of all) {
      await run.deliver(m, true);
      if (signal.aborted) return;
    }
    await run.flush();
  };
  const chunks =
    speed.type === 'baud' ? paced(replay.chunks, { baud: speed.baud, clock: io.clock, signal }) : replay.chunks;
  for await (const chunk of chunks) {
    run.bytes(chunk.length);
    run.log?.write(chunk);
    decoder.push(chunk);
    await hand();
    if (signal.aborted) break;
  }
  if (!signal.aborted) {
    decoder.end();
    await hand();
  }
  const stage = captureStage(replay.form);
  return {
    head: replay.head,
    decoded: replay.form === 'hex' ? stage.push(replay.head) : replay.head,
    strange: replay.strange,
    dropped,
  };
}

function nothingFound(
  path: string,
  found: Found,
  closed: Record<string, number>,
  before: Record<string, number>,
  options: ReadOptions,
): string {
  const name = path === '-' ? 'standard input' : path;
  const noKey = (closed.noKey ?? 0) - (before.noKey ?? 0);
  const wrongKey = (closed.wrongKey ?? 0) - (before.wrongKey ?? 0);
  const kept = options.bad ? '' : ' --bad shows them as they came.';
  const frames = (n: number) => `${n} ${n === 1 ? 'frame' : 'frames'}`;
  if (wrongKey > 0)
    return `${name}: wrong key: ${frames(wrongKey)} could not be opened with the key${options.keys.length > 1 ? 's' : ''} given${
      options.keys.some((k) => k.authKey) ? '; the authentication key may be the wrong one, too' : ''
    }. Nothing is lost: the frames were kept and can be read with the right key.${kept}`;
  if (noKey > 0)
    return `${name}: encrypted: ${frames(noKey)} ${noKey === 1 ? 'needs' : 'need'} a key; give it with -k.${kept}`;
  const refused = Object.values(found.dropped).reduce((a, b) => a + b, 0);
  const guess = sniff(found.head, found.decoded);
  if (refused > 0)
    return `${name}: no good message in it: ${refused === 1 ? 'the only frame was' : `all ${frames(refused)} were`} refused${options.bad ? '' : '; --bad shows them'}.`;
  if (guess?.protocol) return `${name}: no good message in it: ${guess.words}, but none is whole.`;
  if (guess) return `${name}: no capture of a meter: ${guess.words}.`;
  return `${name}: no capture of a meter that can be read here: no frame was found in it. Was it recorded with the right parity and speed?`;
}
