/**
 * The Clock (IEC 62056-6-2 clause 4.5.1, class 8) with the description's rules for setting it (§7.5.3, §7.6.3).
 *
 * Decides: all six methods, each through the engine's rules of sync_limit; begin and end of daylight saving as the zone
 * has them this year. The zone itself is fixed at ordering. What refuses a time answers other-reason (250).
 */
import { toLocal, zoneOffset } from '@amiable/calendar';
import type { Writable } from '@amiable/cosem';
import type { DlmsDateTime } from '@amiable/dlms';
import { RESULT } from '@amiable/dlms';
import type { ClockSet } from '../../electricity/index.ts';
import { type Answer, type MeterObject, object } from '../define.ts';
import type { ServedMeter } from '../served.ts';
import { instantOf, moment } from '../values.ts';

const MINUTE = 60_000;

function put(m: ServedMeter, utc: number): Answer {
  const set: ClockSet = m.engine.setClock(utc);
  m.changed();
  if (set.accepted) return RESULT.success;
  return set.reason === 'power-down' ? RESULT.temporaryFailure : RESULT.otherReason;
}

/** To the nearest multiple of `minutes` of local time. */
function nearest(m: ServedMeter, minutes: number): Answer {
  const { utc, offset } = m.engine.clock;
  const step = minutes * MINUTE;
  return put(m, Math.round((utc + offset) / step) * step - offset);
}

interface Changes {
  readonly begin: DlmsDateTime;
  readonly end: DlmsDateTime;
  /** Minutes. */
  readonly deviation: number;
}
const known = new Map<string, Changes>();

/** When daylight saving begins and ends in a year, as "last Sunday of" where it is one. */
function changesOf(zone: string, year: number): Changes {
  const key = `${zone}/${year}`;
  let changes = known.get(key);
  if (!changes) {
    changes = findChanges(zone, year);
    known.set(key, changes);
  }
  return changes;
}

function findChanges(zone: string, year: number): Changes {
  const never: DlmsDateTime = {};
  let [begin, end, deviation] = [never, never, 0];
  const from = Date.UTC(year, 0, 1);
  for (let day = 0; day < 366; day++) {
    let low = from + day * 86_400_000;
    let high = low + 86_400_000;
    const before = zoneOffset(zone, low);
    const after = zoneOffset(zone, high);
    if (before === after) continue;
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (zoneOffset(zone, middle) === before) low = middle;
      else high = middle;
    }
    const local = new Date(high + before);
    const lastWeek = new Date(local.getTime() + 7 * 86_400_000).getUTCMonth() !== local.getUTCMonth();
    const sunday = local.getUTCDay() === 0;
    const moment: DlmsDateTime = {
      ...(lastWeek && sunday ? { day: 0xfe, weekday: 7 } : { year, day: local.getUTCDate() }),
      month: local.getUTCMonth() + 1,
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
      second: 0,
      hundredths: 0,
    };
    if (after > before) begin = moment;
    else end = moment;
    deviation = Math.abs(after - before) / MINUTE;
  }
  return { begin, end, deviation };
}

const changes = (m: ServedMeter): Changes =>
  changesOf(m.engine.config.zone, new Date(m.engine.clock.utc).getUTCFullYear());

function status(m: ServedMeter): string[] {
  const { invalid, synchronised, dst } = m.engine.clock;
  return [
    ...(invalid ? ['invalid_value'] : []),
    ...(synchronised ? [] : ['doubtful_value']),
    ...(dst ? ['daylight_saving_active'] : []),
  ];
}

export const clockObject = (): MeterObject =>
  object({
    classId: 8,
    obis: '0-0:1.0.0',
    meaning: 'Clock: local time of the meter; doubtful while it is not synchronised, invalid when it stopped',
    level: 'openSet',
    attributes: {
      time: {
        encoded: (m) => {
          const { utc, invalid, synchronised } = m.engine.clock;
          return moment(m.engine.config.zone, utc, { invalid, doubtful: !synchronised });
        },
        set: (value: DlmsDateTime, m) => {
          const utc = instantOf(m.engine.config.zone, value);
          return utc === undefined ? RESULT.typeUnmatched : put(m, utc);
        },
      },
      time_zone: {
        get: (m) => {
          const { zone } = m.engine.config;
          const { utc } = m.engine.clock;
          const winter = Math.min(zoneOffset(zone, utc), zoneOffset(zone, utc + 182 * 86_400_000));
          return -winter / MINUTE;
        },
      },
      status: { get: (m) => status(m) },
      daylight_savings_begin: { get: (m) => changes(m).begin as Writable },
      daylight_savings_end: { get: (m) => changes(m).end as Writable },
      daylight_savings_deviation: { get: (m) => changes(m).deviation },
      daylight_savings_enabled: { get: (m) => changes(m).deviation > 0 },
      clock_base: { is: 'internal_crystal' },
    },
    methods: {
      adjust_to_quarter: (m) => nearest(m, 15),
      adjust_to_measuring_period: (m) => nearest(m, m.engine.parameters.capturePeriod),
      adjust_to_minute: (m) => nearest(m, 1),
      adjust_to_preset_time: (m) => {
        const { preset } = m;
        const { utc } = m.engine.clock;
        if (!preset || utc < preset.from || utc > preset.to) return RESULT.otherReason;
        m.preset = undefined;
        return put(m, preset.at);
      },
      preset_adjusting_time: (m, value) => {
        const at = (field: string): number | undefined => instantOf(m.engine.config.zone, value[field]);
        const [preset, from, to] = [at('preset_time'), at('validity_interval_start'), at('validity_interval_end')];
        if (preset === undefined || from === undefined || to === undefined) return RESULT.typeUnmatched;
        m.preset = { at: preset, from, to };
        return undefined;
      },
      shift_time: (m, seconds) =>
        Math.abs(seconds) > 900 ? RESULT.otherReason : put(m, m.engine.clock.utc + seconds * 1000),
    },
  });

/** Local times as text, for what people read. */
export const localText = (zone: string, utc: number): string => new Date(toLocal(zone, utc)).toISOString().slice(0, 19);
