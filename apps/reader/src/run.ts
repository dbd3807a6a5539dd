/**
 * One run of `amiable read`: opens what the options name, lets the source run into the delivery, closes everything and says
 * what became of it. Decides the exit code. Everything for a person goes to stderr, without stack traces.
 */
import { multicastSender, PortError, type PortReason, portError } from '@amiable/io';
import { countersJson, countersText, newCounts } from './counters.ts';
import { createRun, type Outlets, type Run } from './delivery.ts';
import { checkFile, readFiles } from './files.ts';
import { keyMark, keyRing } from './keys.ts';
import { listen, readDevice } from './live.ts';
import { openLog } from './log-file.ts';
import type { ReadIo } from './machine.ts';
import { mqttConnection, parseOptions, type ReadOptions, UsageError } from './options.ts';
import type { Outbox } from './uplinks/outbox.ts';
import type { Uplink, UplinkReport } from './uplinks/uplink.ts';

/** Not there at all is wrong usage; there but not to be had is a run without a good message. */
const WRONG_USAGE: readonly PortReason[] = ['notFound', 'isDirectory'];

/** @returns the exit code */
export async function runOptions(
  given: Record<string, unknown>,
  files: readonly string[],
  io: ReadIo,
): Promise<number> {
  let options: ReadOptions;
  try {
    options = parseOptions(given, files, io.hostName);
    if (options.source.type === 'files') for (const path of options.source.paths) checkFile(path);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(`amiable read: ${error.message}\n`);
    return 2;
  }
  return runRead(options, io);
}

/** @returns the exit code */
export async function runRead(options: ReadOptions, io: ReadIo): Promise<number> {
  const ending = new AbortController();
  const counts = newCounts();
  let pipeClosed = false;
  let screenFault: PortError | undefined;
  const outlets: Outlets = {
    log: undefined,
    multicast: undefined,
    uplinks: [],
    queues: [],
    spool: undefined,
    screenEnded(fault) {
      pipeClosed = fault === undefined;
      screenFault = fault;
      ending.abort();
    },
  };
  const run = createRun(
    {
      options,
      io,
      counts,
      signal: AbortSignal.any([io.signal, ending.signal]),
      keys: keyRing(options.keys),
      tell: (line) => io.err(`amiable read: ${line}\n`),
    },
    outlets,
  );
  let failure: PortError | undefined;
  /** A fault of this program: told by whoever started it, after everything is closed. */
  let bug: unknown;
  try {
    await openOutlets(run, outlets, ending);
    const { source } = options;
    if (source.type === 'files') await readFiles(run, source.paths, source.speed);
    else if (source.type === 'multicast') await listen(run);
    else await readDevice(run, source);
  } catch (error) {
    if (error instanceof PortError) failure = error;
    else if (typeof (error as NodeJS.ErrnoException).code === 'string')
      failure = portError(describeSource(options), error);
    else bug = error;
  }
  await run.flush();
  outlets.log?.close();
  failure ??= screenFault;
  if (failure && !pipeClosed) run.tell(failure.message);
  const reports = await finishUplinks(run, outlets.uplinks);
  await outlets.spool?.close();
  await outlets.multicast?.close();
  if (!pipeClosed) {
    const told =
      options.counters === 'json'
        ? countersJson(counts, reports)
        : countersText(counts, reports, outlets.spool !== undefined);
    io.err(`${told}\n`);
  }
  if (bug !== undefined) throw bug;
  if (screenFault) return 1;
  if (failure && WRONG_USAGE.includes(failure.reason) && counts.good === 0) return 2;
  if (reports.some((r) => r.waiting > 0 || r.refused > 0 || r.lost > 0 || r.gaveUp)) return 1;
  return counts.good > 0 ? 0 : 3;
}

/** What only some runs need is loaded only by them. @throws PortError */
async function openOutlets(run: Run, outlets: Outlets, ending: AbortController): Promise<void> {
  const { options, io, tell } = run;
  if (options.log) {
    const mark = keyMark(options.keys);
    outlets.log = openLog({
      folder: options.log.folder,
      ...(mark === undefined ? {} : { mark }),
      ...(options.zone === undefined ? {} : { zone: options.zone }),
      now: () => io.clock.now(),
      processId: io.processId,
      tell,
    });
  }
  if (options.multicastOut) outlets.multicast = await multicastSender(options.multicast);
  const outboxOf = await outboxes(run, outlets);
  const shared = { clock: io.clock, random: io.random, tell };
  if (options.mqtt) {
    const { mqttUplink } = await import('./uplinks/mqtt.ts');
    const { topic, statusTopic } = options.mqtt;
    const connection = mqttConnection(options.mqtt);
    const outbox = outboxOf('mqtt');
    outlets.uplinks.push(
      await mqttUplink({ outbox, connection, topic, statusTopic, reader: options.reader, ...shared }),
    );
  }
  if (options.post) {
    const { postUplink } = await import('./uplinks/post.ts');
    outlets.uplinks.push(postUplink({ outbox: outboxOf('post'), post: options.post, ...shared }));
  }
  for (const one of outlets.uplinks) void one.hopeless.then(() => ending.abort());
}

/** Where uplinks take their messages from: a spool on disk where one is named, else a queue in memory for each. @throws PortError */
async function outboxes({ options, io, tell }: Run, outlets: Outlets): Promise<(name: string) => Outbox> {
  if (options.spool) {
    const { openSpool } = await import('./spool/spool.ts');
    const spool = await openSpool({ ...options.spool, clock: io.clock, random: io.random, tell, mustOpen: true });
    outlets.spool = spool;
    return (name) => spool.cursor({ name, from: 'oldest', interval: 0, thin: false, newestFirst: false });
  }
  const { createQueue } = await import('./uplinks/queue.ts');
  return () => {
    const queue = createQueue();
    outlets.queues.push(queue);
    return queue;
  };
}

/** Waits for the uplinks; a Ctrl-C that comes now ends the waiting. */
async function finishUplinks({ options, io, tell }: Run, uplinks: readonly Uplink[]): Promise<UplinkReport[]> {
  const cut = io.signal.aborted ? undefined : io.signal;
  const cancel = io.clock.after(1500, () => {
    const open = uplinks.filter((one) => one.report().waiting > 0).map((one) => one.name);
    const most = options.wait / 1000;
    if (open.length > 0)
      tell(`waiting for ${open.join(' and ')} to take the rest, at most ${most} s (Ctrl-C ends it at once)`);
  });
  try {
    return await Promise.all(uplinks.map((one) => one.finish(options.wait, cut)));
  } finally {
    cancel();
  }
}

function describeSource({ source }: ReadOptions): string {
  switch (source.type) {
    case 'files':
      return source.paths.join(', ');
    case 'serial':
      return source.path;
    case 'tcp':
    case 'tcpServer':
      return `${source.at.host}:${source.at.port}`;
    case 'multicast':
      return 'multicast';
  }
}
