/**
 * The one way in for messages. Callers that come while a transaction is under way share the next one (group commit); when
 * too many messages wait, callers wait too, which is how back-pressure reaches the front doors. A call resolves after its
 * transaction is committed and synced, or rejects with nothing of it stored.
 *
 * A message that the database refuses for itself is found by trying the batch's messages one at a time; the others go in.
 */
import { FLAGS, type Message, messageToJson } from '@amiable/model';
import { Bytes } from '../codec/bytes.ts';
import { packQuality, qualityCode } from '../codec/quality.ts';
import { type Layouts, type Plan, packMessage } from '../layouts.ts';
import type { Partitions } from '../partitions.ts';
import type { Client, Database } from '../pg/database.ts';
import { inWords, isTransient } from '../pg/retry.ts';
import { clean } from '../registers.ts';
import {
  ingestSql,
  insertAttributes,
  insertDirty,
  insertMessages,
  insertUnplaced,
  upsertLive,
  upsertMeterStates,
} from '../sql/ingest.ts';
import { dayText } from '../sql/partitions.ts';
import { runRows } from '../sql/values.ts';
import { type IngestResult, type Placed, StoreUnavailable } from '../types.ts';
import type { KnownMeter, MeterBook } from './meters.ts';
import type { Sources } from './sources.ts';

const DAY = 86_400_000;
/** Messages in one transaction at most. */
const BATCH = 4096;
/** A time that lies further ahead of its receipt is a wrong clock, whoever decoded it. */
const AHEAD = DAY;
const EARLIEST = Date.UTC(1990, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
/** A partition of its own for days so near their receipt; older ones go to the default partition. */
const NEAR_DAYS = 8;
export const NO_TIME = 256;

interface Job {
  readonly messages: readonly Message[];
  /** Ids of unplaced messages that these replace. */
  readonly replaces: readonly string[];
  readonly resolve: (result: IngestResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface Intake {
  ingest(messages: readonly Message[], replaces?: readonly string[]): Promise<IngestResult>;
  onStored(listener: (placed: readonly Placed[]) => void): () => void;
  readonly waiting: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

export interface IntakeParts {
  readonly db: Database;
  readonly meters: MeterBook;
  readonly layouts: Layouts;
  readonly sources: Sources;
  readonly partitions: Partitions;
  readonly queue: number;
}

/** One message made ready for its row. */
interface Ready {
  readonly message: Message;
  readonly meter: KnownMeter;
  readonly plan: Plan;
  readonly time: number;
  readonly row: readonly unknown[];
}

interface Outcome {
  /** Per message: 'new', 'known', 'kept' (unplaced) or the reason of its refusal. */
  readonly of: ('new' | 'known' | 'kept' | { readonly reason: string })[];
  readonly placed: Placed[];
  commit?: () => void;
}

export function createIntake({ db, meters, layouts, sources, partitions, queue }: IntakeParts): Intake {
  const jobs: Job[] = [];
  const room: (() => void)[] = [];
  const listeners = new Set<(placed: readonly Placed[]) => void>();
  const attributes = createAttributes();
  let waiting = 0;
  let running: Promise<void> | undefined;
  let accepted = 0;
  let duplicates = 0;
  let rejected = 0;

  async function loop(): Promise<void> {
    while (jobs.length > 0) {
      const batch: Job[] = [];
      let size = 0;
      while (jobs[0] && (batch.length === 0 || size + jobs[0].messages.length <= BATCH)) {
        const job = jobs.shift() as Job;
        batch.push(job);
        size += job.messages.length;
      }
      await runBatch(batch);
      waiting -= size;
      for (const wake of room.splice(0)) wake();
    }
    running = undefined;
  }

  async function runBatch(batch: readonly Job[]): Promise<void> {
    const messages = batch.flatMap((job) => job.messages);
    try {
      const outcome = await store(
        messages,
        batch.flatMap((job) => job.replaces),
      );
      let at = 0;
      for (const job of batch) {
        job.resolve(count(outcome.of.slice(at, at + job.messages.length)));
        at += job.messages.length;
      }
      tell(outcome.placed);
    } catch (error) {
      if (error instanceof StoreUnavailable || isTransient(error)) {
        const unavailable = error instanceof StoreUnavailable ? error : new StoreUnavailable(inWords(error));
        for (const job of batch) job.reject(unavailable);
      } else for (const job of batch) await runAlone(job);
    }
  }

  /** After a batch that the database refused: each message in a transaction of its own. */
  async function runAlone(job: Job): Promise<void> {
    const of: Outcome['of'] = [];
    try {
      for (const message of job.messages) {
        try {
          const outcome = await store([message], []);
          of.push(...outcome.of);
          tell(outcome.placed);
        } catch (error) {
          if (error instanceof StoreUnavailable) throw error;
          of.push({ reason: `the database refuses it: ${error instanceof Error ? error.message : String(error)}` });
        }
      }
      if (job.replaces.length > 0 && of.every((o) => typeof o === 'string'))
        await db.write((client) => client.query(ingestSql.deleteUnplaced, [job.replaces]));
      job.resolve(count(of));
    } catch (error) {
      job.reject(error);
    }
  }

  function count(of: Outcome['of']): IngestResult {
    let fresh = 0;
    let known = 0;
    let kept = 0;
    const refused: { index: number; reason: string }[] = [];
    of.forEach((o, index) => {
      if (o === 'new') fresh++;
      else if (o === 'known') known++;
      else if (o === 'kept') kept++;
      else refused.push({ index, reason: o.reason });
    });
    accepted += fresh + kept;
    duplicates += known;
    rejected += refused.length;
    return { accepted: fresh + kept, duplicates: known, unplaced: kept, rejected: refused };
  }

  function tell(placed: readonly Placed[]): void {
    if (placed.length === 0) return;
    for (const listener of listeners)
      try {
        listener(placed);
      } catch (error) {
        // What is stored is stored; a listener's fault must not make it look otherwise.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
  }

  async function store(messages: readonly Message[], replaces: readonly string[]): Promise<Outcome> {
    const of: Outcome['of'] = new Array(messages.length).fill('known');
    const homeless: number[] = [];
    const homed: number[] = [];
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i] as Message;
      const fault = faultOf(message);
      if (fault) of[i] = { reason: fault };
      else if (reasonUnplaced(message)) homeless.push(i);
      else homed.push(i);
    }
    const placed = homed.map((i) => messages[i] as Message);
    await meters.ensure(placed.map(newMeter));
    await meters.learn(placed);
    await layouts.ensure(placed);
    await sources.ensure(placed);
    const ready = new Map<number, Ready>();
    const days = new Set<number>();
    for (const i of homed) {
      const message = messages[i] as Message;
      try {
        const made = prepare(message);
        ready.set(i, made);
        const day = Math.floor(made.time / DAY);
        if (Math.floor(message.receivedAt / DAY) - day <= NEAR_DAYS) days.add(day);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        of[i] = { reason: error.message };
      }
    }
    if (days.size > 0) await partitions.messages([...days, Math.max(...days) + 1].sort((a, b) => a - b));

    const outcome = await db.write(async (client) => {
      const result: Outcome = { of: [...of], placed: [] };
      await attributes.load(client, new Set([...ready.values()].map((r) => r.meter.id)));
      await writeUnplaced(client, messages, homeless, result);
      await writeMessages(client, ready, result);
      if (replaces.length > 0) await client.query(ingestSql.deleteUnplaced, [replaces]);
      return result;
    });
    outcome.commit?.();
    return outcome;
  }

  function prepare(message: Message): Ready {
    const meter = meters.get(clean(message.meterId as string)) as KnownMeter;
    const plan = layouts.known(message) as Plan;
    const flags = flagBits(message);
    const time = timeOf(message);
    const v = new Bytes(128);
    packMessage(v, plan, message, time);
    const s = new Bytes(8);
    if (message.qualities) {
      const codes = plan.layout.places.map((i) => qualityCode(message.qualities?.[i]));
      packQuality(s, codes, 0, codes.length);
    }
    const bits =
      (message.time === undefined ? flags | NO_TIME : flags) |
      (message.time !== undefined && time !== message.time ? 1 << FLAGS.indexOf('clockWrong') : 0);
    const error = message.error
      ? clean(
          message.error.offset === undefined ? message.error.reason : `${message.error.reason}@${message.error.offset}`,
        )
      : null;
    return {
      message,
      meter,
      plan,
      time,
      row: [
        meter.id,
        new Date(time).toISOString(),
        message.id,
        new Date(message.receivedAt).toISOString(),
        plan.layout.id,
        sources.id(message),
        bits,
        v.copy(),
        s.copy(),
        message.raw ? Buffer.from(message.raw.buffer, message.raw.byteOffset, message.raw.byteLength) : null,
        error,
      ],
    };
  }

  async function writeMessages(client: Client, ready: ReadonlyMap<number, Ready>, result: Outcome): Promise<void> {
    if (ready.size === 0) return;
    const order = [...ready].sort(([, a], [, b]) => byMeter(a.meter.id, b.meter.id) || a.time - b.time);
    const stored = await runRows(
      client,
      insertMessages,
      order.map(([, r]) => r.row),
    );
    // Usually all are new; else the returned ids tell which, and of equal ones in one batch the first counts.
    const fresh = stored.length === order.length ? undefined : new Set(stored.map(([meter, id]) => `${meter} ${id}`));
    const news: Ready[] = [];
    for (const [i, r] of order) {
      const id = r.row[2] as string;
      if (fresh && !fresh.delete(`${r.meter.id} ${uuid(id)}`)) continue;
      result.of[i] = 'new';
      news.push(r);
      result.placed.push({ meter: r.meter.id, message: r.message });
    }
    if (news.length === 0) return;
    await writeStates(client, news);
    result.commit = await attributes.write(client, news);
  }

  async function writeStates(client: Client, news: readonly Ready[]): Promise<void> {
    const seen = new Map<string, number>();
    const live = new Map<string, Ready>();
    for (const r of news) {
      seen.set(r.meter.id, Math.max(seen.get(r.meter.id) ?? 0, r.message.receivedAt));
      const key = `${r.meter.id} ${r.plan.layout.id}`;
      const before = live.get(key);
      if (r.message.items.length > 0 && !r.message.error && !(before && before.time > r.time)) live.set(key, r);
    }
    const epoch = '1970-01-01T00:00:00Z';
    const states = await runRows(
      client,
      upsertMeterStates,
      [...seen].map(([meter, at]) => [meter, new Date(at).toISOString(), epoch, epoch]),
    );
    const compacted = new Map(states.map(([meter, at]) => [meter as string, Number(at)]));
    const dirty = new Map<string, readonly unknown[]>();
    for (const r of news) {
      if (r.time >= (compacted.get(r.meter.id) ?? 0)) continue;
      const day = dayText(Math.floor(r.time / DAY));
      dirty.set(`${r.meter.id} ${day}`, [r.meter.id, day]);
    }
    await runRows(client, insertDirty, [...dirty.values()]);
    await runRows(
      client,
      upsertLive,
      [...live.values()]
        .sort((a, b) => byMeter(a.meter.id, b.meter.id) || a.plan.layout.id - b.plan.layout.id)
        .map((r) => [r.meter.id, r.plan.layout.id, r.row[1], r.row[7]]),
    );
  }

  return {
    async ingest(messages, replaces = []) {
      if (messages.length === 0 && replaces.length === 0)
        return { accepted: 0, duplicates: 0, unplaced: 0, rejected: [] };
      while (waiting > 0 && waiting + messages.length > queue) await new Promise<void>((wake) => room.push(wake));
      waiting += messages.length;
      return new Promise((resolve, reject) => {
        jobs.push({ messages, replaces, resolve, reject });
        running ??= Promise.resolve().then(loop);
      });
    },
    onStored(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get waiting() {
      return waiting;
    },
    get accepted() {
      return accepted;
    },
    get duplicates() {
      return duplicates;
    },
    get rejected() {
      return rejected;
    },
    async idle() {
      while (running) await running;
    },
  };
}

/** Decimal numbers of any length, in order of size. */
const byMeter = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

const uuid = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;

function faultOf(message: Message): string | undefined {
  if (!/^[0-9a-f]{32}$/.test(message.id)) return 'id is not 32 hexadecimal digits';
  if (!(message.receivedAt >= EARLIEST && message.receivedAt < LATEST)) return 'receivedAt is no time of this age';
  if (message.items.length !== message.values.length) return 'readings and their meanings differ in number';
  if (reasonUnplaced(message) && !message.raw?.length && message.items.length === 0)
    return 'it names no meter, and neither readings nor bytes came with it';
  return undefined;
}

function reasonUnplaced(message: Message): string | undefined {
  const { error } = message;
  if (error && (error.reason === 'noKey' || error.reason === 'wrongKey')) return error.reason;
  if (message.meterId === undefined || clean(message.meterId).trim() === '') return error?.reason ?? 'noMeterId';
  return undefined;
}

function timeOf(message: Message): number {
  const { time, receivedAt } = message;
  if (time === undefined || message.flags.includes('clockWrong')) return receivedAt;
  return time >= EARLIEST && time < LATEST && time <= receivedAt + AHEAD ? time : receivedAt;
}

function flagBits(message: Message): number {
  let bits = 0;
  for (const flag of message.flags) bits |= 1 << FLAGS.indexOf(flag);
  return bits;
}

function newMeter(m: Message) {
  return {
    serial: m.meterId as string,
    firstSeen: m.receivedAt,
    reader: m.reader,
    port: m.port,
    ...(m.maker === undefined ? {} : { maker: m.maker }),
    ...(m.meterType === undefined ? {} : { type: m.meterType }),
    ...(m.list === undefined ? {} : { list: m.list }),
  };
}

async function writeUnplaced(
  client: Client,
  messages: readonly Message[],
  indexes: readonly number[],
  result: Outcome,
): Promise<void> {
  if (indexes.length === 0) return;
  const rows = indexes.map((i) => {
    const m = messages[i] as Message;
    const { raw: _, ...rest } = { ...m, id: m.id, items: m.items, values: m.values };
    return [
      m.id,
      clean(reasonUnplaced(m) ?? ''),
      clean(m.reader),
      clean(m.port),
      m.protocol,
      new Date(m.receivedAt).toISOString(),
      m.raw ? Buffer.from(m.raw) : Buffer.alloc(0),
      clean(messageToJson(rest as Message)),
    ];
  });
  const fresh = new Set((await runRows(client, insertUnplaced, rows)).map(([id]) => id as string));
  for (const i of indexes) if (fresh.delete(uuid((messages[i] as Message).id))) result.of[i] = 'kept';
}

/**
 * Text readings are kept when they change. A clock that a list carries as text changes with every message and tells
 * nothing that the message's time does not, so texts that are times are left to the message.
 */
function createAttributes() {
  const known = new Map<string, Map<number, { value: string; at: number }>>();
  /** A text that changes with every message is kept once a minute. */
  const PAUSE = 60_000;
  return {
    async load(client: Client, ids: ReadonlySet<string>): Promise<void> {
      const unknown = [...ids].filter((id) => !known.has(id));
      if (unknown.length === 0) return;
      if (known.size > 200_000) known.clear();
      const { rows } = await client.query(ingestSql.lastAttributes, [unknown]);
      for (const id of unknown) known.set(id, new Map());
      for (const row of rows as { meter: string; register: number; value: string; at: string }[])
        known.get(row.meter)?.set(row.register, { value: row.value, at: Number(row.at) });
    },
    /** @returns what to remember once the transaction is committed */
    async write(client: Client, news: readonly Ready[]): Promise<() => void> {
      const changed = new Map<string, { meter: string; register: number; value: string; at: number }>();
      const rows: unknown[][] = [];
      for (const { meter, plan, message, time } of news) {
        const { texts, registers, places } = plan.layout;
        for (let k = 0; k < texts.length; k++) {
          const value = clean(message.values[places[registers.length + k] as number] as string);
          const register = texts[k] as number;
          const key = `${meter.id} ${register}`;
          const before = changed.get(key) ?? known.get(meter.id)?.get(register);
          if (before && (before.value === value || time < before.at + PAUSE)) continue;
          if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) continue;
          rows.push([meter.id, register, new Date(time).toISOString(), value]);
          changed.set(key, { meter: meter.id, register, value, at: time });
        }
      }
      await runRows(client, insertAttributes, rows);
      return () => {
        for (const { meter, register, value, at } of changed.values()) known.get(meter)?.set(register, { value, at });
      };
    },
  };
}
