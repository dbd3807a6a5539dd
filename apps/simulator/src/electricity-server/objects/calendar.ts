/**
 * Switching tables as two Activity calendars (IEC 62056-6-2 clause 4.5.5, class 20), one for the tariff and one for the
 * control output, with one table of special days (§7.4.5 of the system description).
 *
 * Decides: passive tables may be written part by part; they are taken over as soon as they make a whole, and a table that
 * does not is not activated. Script selectors of the tariff are rates; of the control output 1 is off, 2 is on. Both
 * calendars share name, parameterisation ID and activation. Leaves out: months and days relative to daylight saving.
 */
import type { DlmsDate, DlmsDateTime } from '@amiable/dlms';
import { RESULT } from '@amiable/dlms';
import type {
  CalendarDay,
  DayTable,
  Definition,
  Outcome,
  Season,
  SpecialDay,
  SwitchingTables,
  Week,
} from '../../electricity/index.ts';
import { type Answer, data, type Given, type MeterObject, object } from '../define.ts';
import type { ServedMeter } from '../served.ts';
import { instantOf, moment, NO_MOMENT, octets } from '../values.ts';
import { textOf } from './registers.ts';

type Which = 'tariff' | 'output';
const SCRIPTS: Readonly<Record<Which, string>> = { tariff: '0-0:10.0.100', output: '0-0:10.0.103' };
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const selectorOut = (which: Which, selector: number): number => (which === 'tariff' ? selector : selector + 1);
const selectorIn = (which: Which, selector: number): number => (which === 'tariff' ? selector : selector - 1);

// ---------------------------------------------------------------- to COSEM

const seasons = (d: Definition) =>
  d.seasons.map((season) => ({
    season_profile_name: season.name,
    season_start: { ...dayOut(season.start), hour: 0, minute: 0, second: 0, hundredths: 0 } as never,
    week_name: season.week,
  }));
const weeks = (d: Definition) =>
  d.weeks.map((week) => ({
    week_profile_name: week.name,
    ...(Object.fromEntries(DAYS.map((day, i) => [day, week.days[i] ?? 0])) as Record<(typeof DAYS)[number], number>),
  }));
const days = (which: Which, d: Definition) =>
  d.days.map((day) => ({
    day_id: day.id,
    day_schedule: day.points.map((point) => ({
      start_time: { hour: Math.floor(point.minute / 60), minute: point.minute % 60, second: 0, hundredths: 0 } as never,
      script_logical_name: SCRIPTS[which],
      script_selector: selectorOut(which, point.selector),
    })),
  }));

function dayOut(day: CalendarDay): DlmsDate {
  const { year, month, day: of, weekday } = day;
  return {
    ...(year !== undefined && { year }),
    ...(month !== undefined && { month }),
    ...(of !== undefined && { day: of }),
    ...(weekday !== undefined && { weekday }),
  };
}

// ---------------------------------------------------------------- from COSEM

const dayIn = (date: DlmsDate, weekday = true): CalendarDay =>
  dayOut(weekday ? date : ({ ...date, weekday: undefined } as never));

// biome-ignore lint/suspicious/noExplicitAny: values have the shape of the class table
type Plain = any;

const seasonIn = (value: Plain): Season => ({
  name: textOf(value.season_profile_name),
  start: dayIn(value.season_start, false),
  week: textOf(value.week_name),
});
const weekIn = (value: Plain): Week => ({
  name: textOf(value.week_profile_name),
  days: DAYS.map((day) => Number(value[day])) as unknown as Week['days'],
});
const dayTableIn =
  (which: Which) =>
  (value: Plain): DayTable => ({
    id: Number(value.day_id),
    points: (value.day_schedule as Plain[]).map((point) => ({
      minute: (point.start_time.hour ?? 0) * 60 + (point.start_time.minute ?? 0),
      selector: selectorIn(which, Number(point.script_selector)),
    })),
  });

// ---------------------------------------------------------------- passive tables

/** What was written last, be it whole or not. */
function passive(m: ServedMeter): SwitchingTables {
  return (m.staged.passiveTou as SwitchingTables | undefined) ?? m.engine.parameters.passiveTou;
}

/** Takes a part. A part that does not fit the others yet waits for them. */
function stage(m: ServedMeter, change: (tables: SwitchingTables) => SwitchingTables): Answer {
  const before = passive(m);
  const wanted = change(before);
  const tooMuch = (d: Definition): boolean =>
    d.seasons.length > 4 || d.weeks.length > 4 || d.days.length > 8 || d.days.some(({ points }) => points.length > 4);
  if (tooMuch(wanted.tariff) || tooMuch(wanted.output)) return RESULT.otherReason;
  const done = m.engine.setParameters({ passiveTou: wanted });
  if (done.done) m.staged = {};
  else if (done.reason === 'range') m.staged = { passiveTou: wanted };
  else return done;
  m.changed();
  return undefined;
}

function whole(m: ServedMeter): Outcome | undefined {
  if (m.staged.passiveTou === undefined) return undefined;
  return { done: false, reason: 'state', text: 'the passive tables do not make a whole' };
}

function calendar(which: Which, obis: string, meaning: string): MeterObject {
  const active = (m: ServedMeter): Definition => m.engine.parameters.tou[which];
  const waiting = (m: ServedMeter): Definition => passive(m)[which];
  const part =
    (change: (definition: Definition, value: Plain) => Definition) =>
    (value: Plain, m: ServedMeter): Answer =>
      stage(m, (tables) => ({ ...tables, [which]: change(tables[which], value) }));
  const attributes: Record<string, Given> = {
    calendar_name_active: { get: (m) => octets(m.engine.parameters.tou.name) },
    season_profile_active: { get: (m) => seasons(active(m)) },
    week_profile_table_active: { get: (m) => weeks(active(m)) },
    day_profile_table_active: { get: (m) => days(which, active(m)) },
    calendar_name_passive: {
      get: (m) => octets(passive(m).name),
      set: (value, m) => stage(m, (tables) => ({ ...tables, name: textOf(value) })),
    },
    season_profile_passive: {
      get: (m) => seasons(waiting(m)),
      set: part((d, value) => ({ ...d, seasons: (value as Plain[]).map(seasonIn) })),
    },
    week_profile_table_passive: {
      get: (m) => weeks(waiting(m)),
      set: part((d, value) => ({ ...d, weeks: (value as Plain[]).map(weekIn) })),
    },
    day_profile_table_passive: {
      get: (m) => days(which, waiting(m)),
      set: part((d, value) => ({ ...d, days: (value as Plain[]).map(dayTableIn(which)) })),
    },
    activate_passive_calendar_time: {
      encoded: (m) => {
        const at = m.engine.parameters.touActivation;
        return at === undefined ? NO_MOMENT : moment(m.engine.config.zone, at);
      },
      set: (value: DlmsDateTime, m) => {
        const at = instantOf(m.engine.config.zone, value);
        const no = at === undefined ? undefined : whole(m);
        if (no) return no;
        m.changed();
        return m.engine.setParameters({ touActivation: at });
      },
    },
  };
  return object({
    classId: 20,
    obis,
    meaning,
    level: 'set',
    attributes,
    methods: { activate_passive_calendar: (m) => whole(m) ?? m.engine.activatePassiveTou() },
  });
}

// ---------------------------------------------------------------- special days

const specialDayIn = (value: Plain): SpecialDay => ({
  index: Number(value.index),
  date: dayIn(value.specialday_date),
  dayId: Number(value.day_id),
});

const specialDays = (): MeterObject =>
  object({
    classId: 11,
    obis: '0-0:11.0.0',
    meaning: 'Special days, at most 50; of both calendars',
    level: 'set',
    attributes: {
      entries: {
        get: (m) =>
          m.engine.parameters.specialDays.map(({ index, date, dayId }) => ({
            index,
            specialday_date: dayOut(date) as never,
            day_id: dayId,
          })),
        set: (value, m) => m.engine.setParameters({ specialDays: (value as Plain[]).map(specialDayIn) }),
      },
    },
    methods: {
      insert: (m, value) => {
        const day = specialDayIn(value);
        const others = m.engine.parameters.specialDays.filter(({ index }) => index !== day.index);
        return m.engine.setParameters({ specialDays: [...others, day].sort((a, b) => a.index - b.index) });
      },
      delete: (m, index) => {
        const { specialDays: all } = m.engine.parameters;
        if (!all.some((day) => day.index === index)) return RESULT.otherReason;
        return m.engine.setParameters({ specialDays: all.filter((day) => day.index !== index) });
      },
    },
  });

export const calendarObjects = (): MeterObject[] => [
  calendar(
    'tariff',
    '0-0:13.0.0',
    'Activity calendar of the tariff: 4 seasons, 4 weeks, 8 day tables of 4 switch points; selector is the rate',
  ),
  calendar('output', '0-0:13.0.1', 'Activity calendar of the control output; selector 1 is off, 2 is on'),
  specialDays(),
  data(
    '0-0:96.128.30',
    'Parameterisation ID that the passive tables bring; empty: none',
    'set',
    (m) => octets(passive(m).parameterisationId ?? ''),
    (value, m) => stage(m, (tables) => ({ ...tables, parameterisationId: textOf(value) || undefined })),
  ),
];
