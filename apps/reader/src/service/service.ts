/**
 * The reader that runs for ever: ports into the spool, the spool into the uplinks. Decides the order in which things begin
 * and end (a message is in the spool before anybody hears of it; ports end before uplinks), what a new configuration changes,
 * and what is remembered over a restart (the meter of each port, in `meters.json` beside the spool). Leaves out where the
 * configuration comes from, and pages and gateways, which look in from outside.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Message } from '@amiable/model';
import type { PortConfig, ReaderConfig } from '../config/types.ts';
import { openBusMemory } from '../polled/index.ts';
import { openSpool } from '../spool/spool.ts';
import { type ServicePort, startPort } from './port.ts';
import type { ReaderMachine, ReaderService } from './types.ts';
import { type ServiceUplink, startInProcess, startUplink } from './uplinks.ts';

/** Meters whose newest message is remembered; a stick for wireless meters hears a whole town. */
const MOST_METERS = 2000;

/** @throws PortError when another process uses the spool */
export async function startReader(first: ReaderConfig, machine: ReaderMachine): Promise<ReaderService> {
  const { clock, tell } = machine;
  const startedAt = clock.now();
  let config = first;
  const latest = new Map<string, Message>();
  const listeners = new Set<(m: Message) => void>();
  let fresh: Message[] = [];
  const spool = await openSpool({
    ...config.spool,
    clock,
    random: machine.random,
    tell,
    written() {
      const all = fresh;
      fresh = [];
      for (const m of all)
        for (const listener of listeners)
          try {
            listener(m);
          } catch (error) {
            tell(`a gateway failed: ${(error as Error).message}`);
          }
    },
  });
  const meters = openMeters(join(config.spool.folder, 'meters.json'));
  const memories = openBusMemory(config.spool.folder);

  const accept = (m: Message) => {
    spool.append(m);
    fresh.push(m);
    if (m.error) return;
    if (m.meterId !== undefined) meters.set(m.port, m.meterId);
    const key = m.meterId === undefined ? m.port : `${m.port}/${m.meterId}`;
    if (latest.size >= MOST_METERS && !latest.has(key)) latest.delete(latest.keys().next().value as string);
    latest.set(key, m);
  };

  const ports = new Map<string, { readonly text: string; readonly config: PortConfig; readonly port: ServicePort }>();
  const uplinks = new Map<string, { readonly text: string; readonly uplink: ServiceUplink }>();
  const inProcess: ServiceUplink[] = [];

  /** Begins, replaces and ends what differs. */
  const carryOut = async (to: ReaderConfig) => {
    if (to.spool.folder !== config.spool.folder)
      tell(`the spool moves to ${to.spool.folder} at the next start; until then it stays in ${config.spool.folder}`);
    spool.resize(to.spool.maxBytes);
    // Uplinks first: what ports add meanwhile waits in the spool.
    for (const [name, { text, uplink }] of uplinks) {
      const wanted = to.uplinks.find((one) => one.name === name);
      if (wanted && text === textOf(wanted, to.reader)) continue;
      uplinks.delete(name);
      await uplink.stop(0);
    }
    for (const wanted of to.uplinks) {
      if (uplinks.has(wanted.name)) continue;
      try {
        const uplink = await startUplink(wanted, to.reader, spool, machine);
        uplinks.set(wanted.name, { text: textOf(wanted, to.reader), uplink });
      } catch (error) {
        tell(`uplink ${wanted.name}: ${(error as Error).message}`);
      }
    }
    const gone = [...ports].filter(([name, { text }]) => {
      const wanted = to.ports.find((one) => one.name === name);
      return !wanted || text !== textOf(wanted, to.reader);
    });
    await Promise.all(
      gone.map(async ([name, { port }]) => {
        await port.stop(true);
        ports.delete(name);
      }),
    );
    for (const wanted of to.ports) {
      if (ports.has(wanted.name)) continue;
      const knownMeter = machine.knownMeter?.(wanted.name) ?? meters.get(wanted.name);
      const port = startPort({
        reader: to.reader,
        config: wanted,
        machine,
        memories,
        message: accept,
        ...(knownMeter === undefined ? {} : { knownMeter }),
      });
      ports.set(wanted.name, { text: textOf(wanted, to.reader), config: wanted, port });
    }
    config = to;
  };

  for (const to of machine.inProcess ?? []) inProcess.push(await startInProcess(to, spool, machine));
  let turn = carryOut(config);
  await turn;
  let stopped: Promise<void> | undefined;

  return {
    status() {
      const { folder, ...rest } = spool.status();
      return {
        reader: config.reader,
        startedAt,
        ports: [...ports.values()].map(({ port }) => port.status()),
        spool: { folder, ...rest },
        uplinks: [...inProcess, ...[...uplinks.values()].map(({ uplink }) => uplink)].map((one) => one.status()),
      };
    },
    latest: () => latest,
    onMessage(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    apply(to) {
      const next = turn.then(() => (stopped ? undefined : carryOut(to)));
      // One that fails does not keep the next from being tried.
      turn = next.catch(() => {});
      return next;
    },
    stop(wait = 2000) {
      stopped ??= (async () => {
        await turn;
        await Promise.all([...ports.values()].map(({ port }) => port.stop(false)));
        // What the ports read last is in the spool before the uplinks look a last time.
        await new Promise<void>((resolve) => setImmediate(resolve));
        await Promise.all(
          [...inProcess, ...[...uplinks.values()].map(({ uplink }) => uplink)].map((one) => one.stop(wait)),
        );
        await spool.close();
        meters.save();
      })();
      return stopped;
    },
  };
}

/** Two configurations are the same when their text is. */
const textOf = (part: object, reader: string): string => JSON.stringify([reader, part]);

interface Meters {
  get(port: string): string | undefined;
  set(port: string, meterId: string): void;
  save(): void;
}

/** A list 1 names no meter: whose it is must be known before the first list 2 after a restart. */
function openMeters(file: string): Meters {
  const known = new Map<string, string>();
  try {
    for (const [port, id] of Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>))
      if (typeof id === 'string') known.set(port, id);
  } catch {
    // The first start has none; a damaged one is known again in seconds.
  }
  let saved = '';
  /** A port with many meters changes all the time: then it names none. */
  const changes = new Map<string, number>();
  const save = () => {
    const text = JSON.stringify(Object.fromEntries(known));
    if (text === saved) return;
    saved = text;
    try {
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {
      // Of use only, not of need.
    }
  };
  return {
    get: (port) => known.get(port),
    set(port, meterId) {
      if (known.get(port) === meterId) return;
      const n = (changes.get(port) ?? 0) + 1;
      changes.set(port, n);
      known.set(port, meterId);
      if (n <= 3) save();
    },
    save,
  };
}
