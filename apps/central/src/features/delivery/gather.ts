/**
 * The values of a delivery out of the store, page by page of meters: meterings of meters or of metering points, showings of registers, and
 * what was delivered before and has changed since.
 *
 * Decides: meters in order of id, of each its quantities in the order asked for; a series without any value is left out. Leaves out:
 * how files look.
 */
import { startOf } from '@amiable/calendar';
import type { DeliveredMeter, DeliveredSeries } from '@amiable/formats';
import { quantityOf, type Scope } from '@amiable/model';
import type { IntervalQuery, MeterId, MeterIntervals, Store } from '@amiable/store';
import { selectionOf } from '../../scheduler/targets.ts';
import type { DestinationDefinition } from './shapes.ts';

const PAGE = 200;
const MISSING = 4;

export interface Span {
  readonly from: number;
  readonly to: number;
}
export interface Asked extends Span {
  readonly content: DestinationDefinition['content'];
  readonly scope: Scope;
  /** By meter: where what was delivered before may have changed since. */
  readonly changed: ReadonlyMap<MeterId, Span>;
  /** What was delivered last was read then. */
  readonly seen: number;
  /** The format can say of a value that it lacks: what was delivered and taken away is told. */
  readonly tellsMissing: boolean;
}
export interface Gathered {
  readonly series: DeliveredSeries;
  /** Of what was delivered before. */
  readonly correction: boolean;
}

type Source = Pick<Store, 'registry' | 'intervals' | 'billing'>;

const hasValue = ({ quality }: { readonly quality: Uint8Array }): boolean => quality.some((code) => code !== MISSING);
const describe = (name: string, unit: string | null) => {
  const known = quantityOf(name);
  return { name, obis: known?.obis ?? '', unit: known?.unit ?? unit ?? '' };
};

function seriesOf(
  meter: DeliveredMeter,
  quantity: string,
  found: Pick<MeterIntervals, 'start' | 'step' | 'scaler' | 'values' | 'quality' | 'unit'>,
): DeliveredSeries {
  const { start, step, scaler, values, quality, unit } = found;
  return { meter, quantity: describe(quantity, unit), start, step, scaler, values, quality };
}

type Values = Pick<MeterIntervals, 'start' | 'step' | 'scaler' | 'values' | 'quality' | 'unit'>;

/** What was delivered, all of it taken away. */
const takenAway = <T extends Values>(then: T): T => ({
  ...then,
  values: new Float64Array(then.values.length).fill(Number.NaN),
  quality: new Uint8Array(then.values.length).fill(MISSING),
});

/** What of a series is otherwise than it was, from the first such value to the last; undefined: nothing. */
export function differing<T extends Values>(now: T, then: Values | undefined): T | undefined {
  if (!then || then.step !== now.step || then.start !== now.start || then.values.length !== now.values.length)
    return now;
  const factor = 10 ** (then.scaler - now.scaler);
  let first = -1;
  let last = -1;
  for (let i = 0; i < now.values.length; i++) {
    const same =
      now.quality[i] === then.quality[i] &&
      (now.quality[i] === MISSING || now.values[i] === Math.round((then.values[i] as number) * factor));
    if (same) continue;
    if (first < 0) first = i;
    last = i;
  }
  if (first < 0) return undefined;
  return {
    ...now,
    start: now.start + first * now.step,
    values: now.values.subarray(first, last + 1),
    quality: now.quality.subarray(first, last + 1),
  };
}

async function described(store: Source, ids: readonly MeterId[]): Promise<Map<MeterId, DeliveredMeter>> {
  const [entries, zones] = [await store.registry.entries(ids), await store.billing.zones(ids)];
  return new Map(
    entries.map((entry) => [
      entry.id,
      {
        id: entry.id,
        serial: entry.serial,
        utilitySerial: entry.utilitySerial,
        point: entry.places.find((place) => place.kind === 'metering-point')?.code ?? null,
        zone: zones.get(entry.id) ?? 'UTC',
      },
    ]),
  );
}

/** Pages of meters that a target means. */
export async function* metersOf(
  store: Source,
  target: DestinationDefinition['content']['target'],
  scope: Scope,
  at: number,
): AsyncGenerator<readonly MeterId[]> {
  // A long list is looked at in pieces, for one question takes a thousand.
  const lists = target.meters
    ? Array.from({ length: Math.ceil(target.meters.length / 1000) }, (_, i) =>
        target.meters?.slice(i * 1000, i * 1000 + 1000),
      )
    : [undefined];
  for (const meters of lists) {
    const selection = selectionOf(
      { ...target, ...(meters ? { meters } : {}) } as Parameters<typeof selectionOf>[0],
      at,
    );
    for (let after: MeterId | undefined; ; ) {
      const page = await store.registry.select(selection, scope, {
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      });
      if (page.length > 0) yield page;
      if (page.length < PAGE) break;
      after = page.at(-1);
    }
  }
}

export async function* gather(store: Source, asked: Asked, now: number): AsyncGenerator<Gathered> {
  const { content } = asked;
  const done = new Set<string>();
  for await (const page of metersOf(store, content.target, asked.scope, now))
    if (content.of === 'points') yield* pointsOfPage(store, asked, page, done);
    else yield* metersOfPage(store, asked, page);
}

const queryOf = (quantity: string, span: Span, content: Asked['content']): IntervalQuery => ({
  quantity,
  ...span,
  ...(content.period === undefined ? {} : { period: content.period }),
});

async function* metersOfPage(store: Source, asked: Asked, page: readonly MeterId[]): AsyncGenerator<Gathered> {
  const { content, from, to } = asked;
  const names = await described(store, page);
  const byQuantity = new Map<string, Map<MeterId, MeterIntervals>>();
  for (const quantity of content.quantities) {
    const found = new Map<MeterId, MeterIntervals>();
    await store.intervals.read(page, queryOf(quantity, { from, to }, content), (one) => void found.set(one.meter, one));
    byQuantity.set(quantity, found);
  }
  const corrections = await correctionsOf(store, asked, page);
  for (const id of page) {
    const meter = names.get(id);
    if (!meter) continue;
    for (const quantity of content.quantities) {
      const earlier = corrections.get(`${id} ${quantity}`);
      if (earlier) yield { series: seriesOf(meter, quantity, earlier), correction: true };
      const found = byQuantity.get(quantity)?.get(id);
      if (found && hasValue(found)) yield { series: seriesOf(meter, quantity, found), correction: false };
    }
    for (const code of content.registers) {
      const series = await showings(store, meter, code, from, to);
      if (series) yield { series, correction: false };
    }
  }
}

/**
 * What is otherwise than when it was delivered. Days of the store are UTC days: what came to the end of one is told as a change of
 * all of it, so values are compared with what they were then.
 */
async function correctionsOf(
  store: Source,
  asked: Asked,
  page: readonly MeterId[],
): Promise<Map<string, MeterIntervals>> {
  const { content, changed, seen } = asked;
  const bySpan = new Map<string, MeterId[]>();
  for (const id of page) {
    const span = changed.get(id);
    if (!span) continue;
    const key = `${span.from} ${span.to}`;
    const some = bySpan.get(key);
    if (some) some.push(id);
    else bySpan.set(key, [id]);
  }
  const out = new Map<string, MeterIntervals>();
  for (const meters of bySpan.values())
    for (const quantity of content.quantities) {
      const query = queryOf(quantity, changed.get(meters[0] as MeterId) as Span, content);
      const then = new Map<MeterId, MeterIntervals>();
      await store.intervals.read(meters, { ...query, asOf: seen }, (one) => void then.set(one.meter, one));
      const told = (now: MeterIntervals, before: MeterIntervals | undefined): void => {
        const differs = differing(now, before);
        if (differs && (hasValue(differs) || (asked.tellsMissing && before && hasValue(before))))
          out.set(`${now.meter} ${quantity}`, differs);
      };
      await store.intervals.read(meters, query, (one) => {
        told(one, then.get(one.meter));
        then.delete(one.meter);
      });
      // Of these there is nothing any more.
      for (const before of then.values()) told(takenAway(before), before);
    }
  return out;
}

/** What a register showed at local midnights, its end included: a difference needs both. */
async function showings(
  store: Source,
  meter: DeliveredMeter,
  code: string,
  from: number,
  to: number,
): Promise<DeliveredSeries | undefined> {
  const { times, values, unit } = await store.billing.register(meter.id, code, from, to + 1);
  const kept: [number, number][] = [];
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    if (startOf('day', meter.zone, time) === time) kept.push([time, Math.round((values[i] as number) * 1000)]);
  }
  if (kept.length === 0) return undefined;
  const obis = /^\d+-\d+:/.test(code) ? code : `1-0:${code}`;
  // Named by what it counts where that is known; else by its code.
  const total: Readonly<Record<string, string>> = {
    '1.8.0': 'energyImport',
    '2.8.0': 'energyExport',
    '3.8.0': 'reactiveImport',
    '4.8.0': 'reactiveExport',
  };
  return {
    meter,
    quantity: { name: total[code] ?? obis, obis, unit: unit ?? '' },
    start: 0,
    step: 0,
    times: Float64Array.from(kept, ([time]) => time),
    values: Float64Array.from(kept, ([, value]) => value),
    quality: new Uint8Array(kept.length),
    scaler: -3,
  };
}

async function* pointsOfPage(
  store: Source,
  asked: Asked,
  page: readonly MeterId[],
  done: Set<string>,
): AsyncGenerator<Gathered> {
  const { content, from, to, changed, scope } = asked;
  const earliest = Math.min(from, ...page.flatMap((id) => changed.get(id)?.from ?? []));
  const points = (await store.billing.pointsOf(page, { from: earliest, to, limit: PAGE * 10, scope })).filter(
    ({ id }) => !done.has(id),
  );
  for (const { id } of points) done.add(id);
  if (points.length === 0) return;
  const ids = points.map(({ id }) => id);
  const codes = new Map(points.map(({ id, code }) => [id, code]));
  const parts = await store.billing.parts(ids, earliest, to);
  const names = await described(store, [
    ...new Set([...parts.values()].flatMap((some) => some.map(({ meter }) => meter))),
  ]);
  const found = new Map<string, DeliveredSeries[]>();
  const add = (point: string, series: DeliveredSeries): void => {
    const some = found.get(point);
    if (some) some.push(series);
    else found.set(point, [series]);
  };
  /** A point is told with the meter that stood there last. */
  const meterAt = (point: string): DeliveredMeter | undefined => {
    const last = parts.get(point)?.at(-1);
    const meter = last && names.get(last.meter);
    return meter && { ...meter, point: codes.get(point) ?? null };
  };
  for (const quantity of content.quantities)
    await store.billing.readPoints(ids, queryOf(quantity, { from, to }, content), (one) => {
      const meter = meterAt(one.point);
      if (meter && hasValue(one)) add(one.point, seriesOf(meter, quantity, one));
    });
  for (const id of ids) {
    const meter = meterAt(id);
    if (!meter) continue;
    const spans = (parts.get(id) ?? []).flatMap((part) => changed.get(part.meter) ?? []);
    if (spans.length > 0) {
      const before = { from: Math.min(...spans.map((s) => s.from)), to: Math.max(...spans.map((s) => s.to)) };
      for (const quantity of content.quantities) {
        const query = queryOf(quantity, before, content);
        const then = await store.billing.readPoint(id, { ...query, asOf: asked.seen });
        const now = (await store.billing.readPoint(id, query)) ?? (then && takenAway(then));
        const earlier = now && differing(now, then);
        if (earlier && (hasValue(earlier) || (asked.tellsMissing && then && hasValue(then))))
          yield { series: seriesOf(meter, quantity, earlier), correction: true };
      }
    }
    for (const series of found.get(id) ?? []) yield { series, correction: false };
  }
}
