/**
 * The clock of an IEC 62056-21 meter: 0.9.1 (time) and 0.9.2 (date), read and, by the rule, set.
 *
 * Decides: the date is read on both sides of the time, so that a midnight in between is seen; what a deviation leads to; a mend that would
 * cross the boundary of an interval is put off. There is no way but to write the time, to the second. Leaves out: the
 * password (iec.ts).
 */
import { PeerError } from '@amiable/bytes';
import { localToUtc, toLocal } from '@amiable/calendar';
import { type DataSet, type OpticalSession, parseDate, parseTime } from '@amiable/iec62056-21';
import type { ClockAction, ClockItem, ClockMeasure, ClockResult, ClockRule } from './types.ts';

const DAY = 86_400_000;
/** A clock that shows whole seconds is on average half of one further. */
const HALF = 500;

export interface ClockTools {
  readonly session: OpticalSession;
  readonly zone: string;
  readonly now: () => number;
  /** Reads a code, logging in where the meter wants it. @throws PeerError */
  readonly read: (code: string) => Promise<DataSet[]>;
  /** Logs in where that has not been done. @throws PeerError where the meter refuses */
  readonly logIn: () => Promise<void>;
}

const textOf = (sets: readonly DataSet[], code: string): string => {
  const text = sets[0]?.values[0]?.value;
  if (text === undefined) throw new PeerError(`the meter gives nothing for ${code}`);
  return text;
};

/** @throws PeerError where the meter has no clock, or one that shows no time */
export async function measureClock({ read, zone, now }: ClockTools): Promise<ClockMeasure> {
  let day = textOf(await read('0.9.2'), '0.9.2');
  for (let round = 0; ; round++) {
    const sent = now();
    const time = textOf(await read('0.9.1'), '0.9.1');
    const came = now();
    const after = textOf(await read('0.9.2'), '0.9.2');
    if (after !== day && round < 2) {
      day = after;
      continue;
    }
    const at = (sent + came) / 2;
    const uncertainty = (came - sent) / 2 + HALF;
    const date = parseDate(day);
    const clock = parseTime(time);
    // A clock that lost its time shows zeros, or a day that no calendar has.
    if (!date || !clock) return { deviation: 0, uncertainty, at, invalid: true };
    const wall = date.wall + clock.wall;
    const dst = clock.dst ?? date.dst;
    const utc = clock.utc || date.utc ? wall : nearest(zone, wall, dst, at);
    return { deviation: Math.round(utc + HALF - at), uncertainty, at: Math.round(at), invalid: false };
  }
}

/** Of the repeated hour the meter's mark decides, else the one that is nearer to now. */
function nearest(zone: string, wall: number, dst: boolean | undefined, at: number): number {
  if (dst !== undefined) return localToUtc(zone, wall, { dst });
  const [summer, winter] = [localToUtc(zone, wall, { dst: true }), localToUtc(zone, wall, { dst: false })];
  return Math.abs(summer - at) <= Math.abs(winter - at) ? summer : winter;
}

/** What a deviation leads to. */
export function clockDecision(measure: ClockMeasure, rule: ClockRule | undefined): ClockAction {
  if (!rule) return 'none';
  if (measure.invalid) return rule.above === 'set' ? 'set' : 'reported';
  const off = Math.abs(measure.deviation);
  if (off <= Math.max(rule.ignore * 1000, measure.uncertainty)) return 'none';
  if (off > rule.adjust * 1000) return rule.above === 'set' ? 'set' : 'reported';
  const interval = (rule.interval ?? 3600) * 1000;
  const shown = measure.at + measure.deviation;
  return Math.floor(shown / interval) === Math.floor(measure.at / interval) ? 'adjusted' : 'postponed';
}

const digits = (wall: number): string => new Date(wall).toISOString().replace(/[-:T]/g, '').slice(2, 14);

/** Compares and mends. @throws PeerError where the meter has no clock */
export async function workClock(
  tools: ClockTools,
  item: ClockItem,
): Promise<ClockResult & { readonly words?: string }> {
  const { session, zone, now, logIn } = tools;
  const measure = await measureClock(tools);
  const action = clockDecision(measure, item.rule);
  const still: ClockResult = { ...measure, action, moved: 0, crossed: false };
  if (action !== 'adjusted' && action !== 'set') return still;
  const interval = (item.rule?.interval ?? 3600) * 1000;
  const shown = measure.at + measure.deviation;
  try {
    await logIn();
    const target = toLocal(zone, now());
    // The date first: a time that is written just after midnight belongs to the new day.
    if (measure.invalid || Math.floor(toLocal(zone, shown) / DAY) !== Math.floor(target / DAY))
      await session.write('0.9.2', digits(target).slice(0, 6));
    // Written seconds begin when the meter takes them: rounded, it is off by half a second at most.
    const wall = Math.round(toLocal(zone, now()) / 1000) * 1000;
    await session.write('0.9.1', digits(wall).slice(6, 12));
    const crossed = measure.invalid || Math.floor(shown / interval) !== Math.floor(now() / interval);
    return { ...still, moved: -measure.deviation, crossed };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { ...still, action: 'refused', words: error.message };
  }
}
