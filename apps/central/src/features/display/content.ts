/**
 * What a display shows of a meter over a period: figures, bars and words. The picture and the JSON are two faces of it.
 * It is made once for each slot of time (five minutes unless asked otherwise), so that a display that wakes twice within one gets
 * the same and need not draw anew.
 */
import { type Period, type PeriodUnit, periodRange } from '@amiable/calendar';
import type { Energy, Media, Meter } from '@amiable/model';
import type { Speech } from './words.ts';

export interface DisplayBar {
  /** ISO 8601. */
  readonly start: string;
  readonly end: string;
  readonly label: string;
  /** Wh; null where nothing is known. */
  readonly import: number | null;
  readonly export: number | null;
  readonly quality: Energy['buckets'][number]['quality'];
}

export interface DisplayMedium {
  readonly kind: 'gas' | 'water' | 'heat' | 'volume';
  readonly label: string;
  readonly unit: string;
  /** Taken in the period; null where nothing is known. */
  readonly total: number | null;
  /** What the counter showed last, and when. */
  readonly value: number;
  readonly time: string;
  readonly bars: readonly (number | null)[];
}

export type DisplayState = 'ok' | 'silent' | 'waiting' | 'locked' | 'nothing' | 'future' | 'none' | 'fault';

export interface Display {
  readonly v: 1;
  readonly meter: { readonly id: string; readonly name: string; readonly serial: string } | null;
  readonly language: string;
  readonly format: PeriodUnit;
  readonly offset: number;
  readonly title: string;
  readonly titleShort: string;
  readonly timeZone: string;
  readonly from: string;
  readonly to: string;
  readonly state: DisplayState;
  /** What to tell the reader about the state, in his language. */
  readonly note: string | null;
  /** How new the newest value is; only for a period that still runs. */
  readonly asOf: string | null;
  readonly asOfText: string | null;
  /** W, import above zero; only for a period that still runs. */
  readonly power: number | null;
  /** Wh of the period. */
  readonly import: number | null;
  readonly export: number | null;
  readonly bars: readonly DisplayBar[];
  readonly media: readonly DisplayMedium[];
  /** From when on asking again may give something else. */
  readonly next: string;
}

/** Bars of a period: hours of a day, days of a week or month, months of a year. */
export const BUCKET: Record<PeriodUnit, Energy['bucket']> = { day: 'hour', week: 'day', month: 'day', year: 'month' };

/** A meter that tells its power speaks every few seconds; a quarter of an hour without a word is worth telling. */
const SILENT = 15 * 60_000;
/** The past may change too, when something comes late. */
const PAST = 3_600_000;

export interface Asked {
  readonly period: Period;
  readonly speech: Speech;
  /** Length of a slot, ms. */
  readonly every: number;
}

export interface Sources {
  energy(id: string, bucket: Energy['bucket'], from: number, to: number): Promise<Energy>;
  media(id: string, bucket: Energy['bucket'], from: number, to: number): Promise<Media>;
}

export const iso = (at: number): string => new Date(at).toISOString();

/** What is shown instead of a meter's values. */
export function plainDisplay(
  { period, speech, every }: Asked,
  state: DisplayState,
  note: string,
  zone: string,
  now: number,
): Display {
  const { from, to } = periodRange(period, zone, now);
  const title = speech.title(period.unit, from, to, zone);
  return {
    v: 1,
    meter: null,
    language: speech.language,
    format: period.unit,
    offset: period.offset,
    title: title.long,
    titleShort: title.short,
    timeZone: zone,
    from: iso(from),
    to: iso(to),
    state,
    note,
    asOf: null,
    asOfText: null,
    power: null,
    import: null,
    export: null,
    bars: [],
    media: [],
    next: iso((Math.floor(now / every) + 1) * every),
  };
}

export async function displayOf(meter: Meter, asked: Asked, sources: Sources, now: number): Promise<Display> {
  const { period, speech, every } = asked;
  const zone = meter.timeZone;
  const { from, to } = periodRange(period, zone, now);
  const running = from <= now && now < to;
  const bucket = BUCKET[period.unit];
  const [energy, media] =
    from > now
      ? [undefined, undefined]
      : await Promise.all([sources.energy(meter.id, bucket, from, to), sources.media(meter.id, bucket, from, to)]);
  const heard = meter.live ? Date.parse(meter.live.time) : undefined;
  const tells = meter.live !== null && meter.live.power !== null;
  const silent = running && tells && heard !== undefined && now - heard > Math.max(SILENT, every);
  const bars = (energy?.buckets ?? []).map((b) => ({
    start: iso(b.start),
    end: iso(b.end),
    label: speech.bar(period.unit, b.start, zone),
    import: b.import,
    export: b.export,
    quality: b.quality,
  }));
  const shown = (media?.media ?? []).map((m): DisplayMedium => {
    const kind = kindOf(m.name, m.unit);
    return {
      kind,
      label: speech.say(kind),
      unit: m.unit,
      total: m.total,
      value: m.value,
      time: m.time,
      bars: m.buckets.map((b) => b.value),
    };
  });
  const something = bars.some((b) => b.import !== null || b.export !== null) || shown.some((m) => m.total !== null);
  const state: DisplayState =
    from > now
      ? 'future'
      : meter.needsKey
        ? 'locked'
        : silent
          ? 'silent'
          : something || (running && tells)
            ? 'ok'
            : heard === undefined
              ? 'waiting'
              : 'nothing';
  // Somebody speaks, and it is too early for a difference of two readings.
  const early = running && !something && heard !== undefined && heard >= from;
  const title = speech.title(period.unit, from, to, zone);
  const slot = (Math.floor(now / every) + 1) * every;
  // What `day -1` means changes with the day, of a week with the week.
  const turn = periodRange({ unit: period.unit, offset: 0 }, zone, now).to;
  return {
    v: 1,
    meter: { id: meter.id, name: meter.name ?? speech.say('meter', { serial: meter.serial }), serial: meter.serial },
    language: speech.language,
    format: period.unit,
    offset: period.offset,
    title: title.long,
    titleShort: title.short,
    timeZone: zone,
    from: iso(from),
    to: iso(to),
    state,
    note:
      early && (state === 'ok' || state === 'nothing')
        ? speech.say('noHour')
        : state === 'ok'
          ? null
          : state === 'silent'
            ? speech.say('silent', { time: speech.moment(heard as number, zone, now) })
            : speech.say(state as Exclude<DisplayState, 'ok' | 'none' | 'fault'>),
    asOf: running && heard !== undefined ? iso(heard) : null,
    asOfText:
      running && heard !== undefined && !silent ? speech.say('asOf', { time: speech.moment(heard, zone, now) }) : null,
    power: running && !silent ? (meter.live?.power ?? null) : null,
    import: energy?.import ?? null,
    export: energy?.export ?? null,
    bars,
    media: shown,
    next: iso(Math.min(turn, running ? slot : now + PAST)),
  };
}

export function kindOf(name: string, unit: string): DisplayMedium['kind'] {
  if (/gas/i.test(name)) return 'gas';
  if (/water/i.test(name)) return 'water';
  return unit === 'J' || /heat|thermal/i.test(name) ? 'heat' : 'volume';
}
