/**
 * A delivery is made: the span by the destination's period, the values, the file in pieces into the store, ready to be sent.
 *
 * Decides: what changed of earlier delivered values since the last delivery was read goes with it; the bytes that are kept are the bytes that
 * are sent. A delivery that cannot be made leaves nothing behind.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { MisuseError } from '@amiable/bytes';
import { isValidZone, parsePeriod, periodRange, startOf } from '@amiable/calendar';
import type { Scope } from '@amiable/model';
import type { Delivery, Destination, MeterId, Store } from '@amiable/store';
import { both } from '../../scheduler/rights.ts';
import { gather, type Span } from './gather.ts';
import { destinationBody } from './shapes.ts';
import { chosen } from './write.ts';

const packed = promisify(gzip);
const PIECE = 1024 * 1024;
/** Bytes of a file. */
export const MOST_BYTES = 2 * 1024 ** 3;
const DAY = 86_400_000;
/** Who makes one says so this often at least; who says nothing for so long is dead. */
const TELL = 60_000;
const HOLD = 15 * TELL;

export interface MakeOptions {
  readonly store: Store;
  readonly destination: Destination;
  readonly scope: Scope;
  /** Of the data: its period is counted from here. */
  readonly due: number;
  readonly now: number;
  /** Epoch ms of the machine, for the sending. */
  readonly clock: () => number;
  readonly zone: string;
  readonly run: string | null;
  readonly by: string;
  /** Instead of the destination's period. */
  readonly span?: Span;
  readonly signal: AbortSignal;
  progress?(fact: Readonly<Record<string, unknown>>): void;
}

const compact = (ms: number): string => new Date(ms).toISOString().replace(/[-:]/g, '').slice(0, 13).replace('T', 'T');

/** @returns undefined when there is nothing to send and the destination wants no empty files */
export async function makeDelivery(options: MakeOptions): Promise<Delivery | undefined> {
  const { store, destination, now, signal } = options;
  const definition = destinationBody.parse(destination.definition);
  if (!destination.enabled) throw new MisuseError(`${destination.name} is switched off; enable it first`);
  const zone = definition.timeZone ?? options.zone;
  if (!isValidZone(zone))
    throw new MisuseError(`timeZone: ${zone} is not known; give an IANA name such as Europe/Oslo`);
  const period = parsePeriod(definition.period);
  if (!period) throw new MisuseError(`period: ${definition.period} is none`);
  const span = options.span ?? periodRange(period, zone, options.due);
  if (span.to <= span.from) throw new MisuseError('the span ends before it begins');
  const scope = both(destination.segments, options.scope);
  const format = await chosen(store, definition.format);
  const changed = await changedOf(options, definition, span, zone);

  const receiver = definition.receiver ?? destination.name;
  const id = await store.delivery.deliveries.begin({
    destination: destination.name,
    run: options.run,
    format: format.name,
    formatVersion: format.version,
    file: destination.name,
    mediaType: format.mediaType,
    ...span,
    asOf: now,
    segments: scope === 'all' ? null : scope,
    by: options.by,
    created: options.clock(),
    held: options.clock() + HOLD,
  });
  try {
    const writer = format.writer({ created: now, ...span, reference: id, sender: definition.sender, receiver, zone });
    const hash = createHash('sha256');
    let bytes = 0;
    let part = 0;
    let held: Uint8Array[] = [];
    let size = 0;
    const flush = async (): Promise<void> => {
      if (size === 0) return;
      await store.delivery.deliveries.addPart(id, part++, await packed(Buffer.concat(held)));
      held = [];
      size = 0;
    };
    const put = async (piece: Uint8Array): Promise<void> => {
      hash.update(piece);
      bytes += piece.length;
      if (bytes > MOST_BYTES)
        throw new MisuseError(
          `the file is longer than ${MOST_BYTES / 1024 ** 3} GB; choose a shorter period or fewer meters`,
        );
      held.push(piece);
      size += piece.length;
      if (size >= PIECE) await flush();
    };
    await put(writer.head());
    let told = options.clock();
    const meters = new Set<string>();
    const corrected = new Set<string>();
    for await (const { series, correction } of gather(
      store,
      { ...span, content: definition.content, scope, tellsMissing: format.tellsMissing, ...changed },
      now,
    )) {
      if (signal.aborted) throw new MisuseError('called off');
      if (correction) corrected.add(series.meter.id);
      meters.add(series.meter.id);
      await put(writer.series(series));
      if (options.clock() - told > TELL) {
        told = options.clock();
        await store.delivery.deliveries.hold(id, told + HOLD);
      }
      if (meters.size % 100 === 0) options.progress?.({ done: meters.size, rows: writer.rows, bytes });
    }
    await put(writer.tail());
    await flush();
    if (writer.rows === 0 && definition.empty === 'skip') {
      await store.delivery.deliveries.abandon(id);
      return undefined;
    }
    const file = (definition.file ?? `{destination}-{from}-{id}.${format.ending}`)
      .replaceAll('{destination}', destination.name.replace(/[^A-Za-z0-9_.-]/g, '_'))
      .replaceAll('{id}', id)
      .replaceAll('{from}', compact(span.from))
      .replaceAll('{to}', compact(span.to))
      .replaceAll('{created}', compact(now));
    return await store.delivery.deliveries.finish(
      id,
      { file, meters: meters.size, rows: writer.rows, corrected: corrected.size, bytes, digest: hash.digest('hex') },
      options.clock(),
    );
  } catch (error) {
    await store.delivery.deliveries.abandon(id);
    throw error;
  }
}

/** Which meters' values have changed that were delivered already: since the last delivery was read, so many days back. */
async function changedOf(
  options: MakeOptions,
  definition: ReturnType<typeof destinationBody.parse>,
  span: Span,
  zone: string,
): Promise<{ changed: Map<MeterId, Span>; seen: number }> {
  const { store, destination, now } = options;
  const out = new Map<MeterId, Span>();
  if (definition.corrections === 0 || options.span || definition.content.quantities.length === 0)
    return { changed: out, seen: now };
  const last = await store.delivery.deliveries.last(destination.name);
  if (!last) return { changed: out, seen: now };
  const from = startOf('day', zone, now - definition.corrections * DAY);
  const to = Math.min(last.to, span.from);
  if (to <= from) return { changed: out, seen: now };
  const changes = await store.intervals.changedSince({
    since: last.asOf,
    from,
    to,
    meters: 'all',
    quantities: definition.content.quantities,
  });
  for (const { meter, days } of changes) {
    const first = Math.max(from, days[0] as number);
    const end = Math.min(to, (days.at(-1) as number) + DAY);
    if (end <= first) continue;
    const known = out.get(meter);
    out.set(
      meter,
      known ? { from: Math.min(known.from, first), to: Math.max(known.to, end) } : { from: first, to: end },
    );
  }
  return { changed: out, seen: last.asOf };
}
