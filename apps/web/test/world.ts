/**
 * The neighbourhood behind the stand-in server: every value is a function of house and time, so a year of history costs
 * nothing to keep and two requests for the same hour agree. Not a load model (the simulator is), only good to look at.
 */
import { add, startOf, toLocal } from '@amiable/calendar';
import type { Energy, Live, Media, Meter, Series } from '@amiable/model';

export const ZONE = 'Europe/Oslo';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export type Condition = 'ok' | 'silent' | 'lost' | 'locked';

export interface House {
  readonly index: number;
  readonly id: string;
  readonly maker: 'Kaifa' | 'Aidon' | 'Kamstrup';
  readonly phases: 1 | 3;
  readonly lineVoltage: boolean;
  readonly solar: number;
  readonly size: number;
  readonly battery: boolean;
  readonly condition: Condition;
}

const STREETS = ['Solbakken', 'Elveveien', 'Kirkegata', 'Åsveien', 'Storgata', 'Møllerveien', 'Fjordgløttveien'];
const NAMES = [
  'Bakken',
  'The Nygård family with a name that is far longer than any tile',
  'Number 5',
  'Ødegård',
  'Bakery',
  'Haugen',
  'The solar house',
  null,
  'Boathouse',
  'Workshop',
  'Old dairy',
  'Lillegård',
  'Captured frames',
];

/** A number in [0, 1) that depends on nothing but its arguments. */
function noise(a: number, b: number): number {
  let h = (Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b | 0, 0xc2b2ae35)) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 4_294_967_296;
}

export function house(index: number): House {
  const maker = (['Kaifa', 'Aidon', 'Kamstrup'] as const)[index % 3] as House['maker'];
  const conditions: Record<number, Condition> = { 8: 'silent', 9: 'lost', 10: 'locked' };
  return {
    index,
    id: String(index + 1),
    maker,
    phases: index % 4 === 1 ? 1 : 3,
    lineVoltage: maker === 'Kaifa' && index % 6 === 0,
    solar: index % 13 === 6 ? 9000 : index % 5 === 3 ? 5200 : 0,
    size: 0.5 + noise(index, 1) * 1.3,
    battery: index % 13 === 5,
    condition: index < 13 ? (conditions[index] ?? 'ok') : 'ok',
  };
}

/** Import minus export, W. */
export function power(h: House, at: number): number {
  const wall = toLocal(ZONE, at);
  const hour = (wall % DAY) / HOUR;
  const season = Math.cos(((wall / DAY) * 2 * Math.PI) / 365.25 - 0.2);
  const key = h.index + 7;
  let w = 160 + 140 * h.size + 90 * Math.exp(-((hour - 19.5) ** 2) / 6) * h.size * 4;
  w += 70 * Math.exp(-((hour - 7.5) ** 2) / 2) * h.size * 4;
  if (noise(key, Math.floor(at / 420_000)) < 0.42 + 0.33 * season) w += 1150 * h.size;
  if (noise(key + 100, Math.floor(at / 150_000)) > 0.94 && hour > 6) w += 1900;
  if (h.index % 4 === 0 && (hour > 23 || hour < 4.5)) w += 7000;
  if (h.solar) {
    const sun = Math.max(0, Math.cos(((hour - 12.8) / (15 - 5 * season)) * Math.PI * 1.15)) * (0.62 - 0.45 * season);
    w -= h.solar * sun * (0.45 + 0.55 * noise(key, Math.floor(at / 900_000)));
  }
  if (h.battery) w -= 2600 + 300 * Math.sin(at / 90_000);
  return Math.round(w * (1 + (noise(key, Math.floor(at / 2000)) - 0.5) * 0.05));
}

function phaseCurrents(h: House, at: number): number[] {
  const amps = Math.abs(power(h, at)) / 230;
  if (h.phases === 1) return [amps];
  const a = 0.25 + 0.3 * noise(h.index + 3, Math.floor(at / 300_000));
  return [amps * a, amps * 0.28, amps * (0.72 - a)];
}

function phaseVoltages(h: House, at: number): number[] {
  return phaseCurrents(h, at).map((amps, k) => {
    if (h.lineVoltage && k === 1) return 0;
    const slow = 2.2 * Math.sin(at / (HOUR * 3) + k + h.index);
    const weak = h.index === 3 && k === 2 ? 21 : 0;
    return 232 + slow - amps * 0.12 - weak + (noise(h.index + k, Math.floor(at / 10_000)) - 0.5) * 1.2;
  });
}

const QUANTITIES: Record<string, { name: string; unit: string; at(h: House, t: number): number | undefined }> = {
  '1.7.0': { name: 'activePowerImport', unit: 'W', at: (h, t) => Math.max(0, power(h, t)) },
  '2.7.0': { name: 'activePowerExport', unit: 'W', at: (h, t) => Math.max(0, -power(h, t)) },
  '3.7.0': { name: 'reactivePowerImport', unit: 'var', at: () => 0 },
  '4.7.0': { name: 'reactivePowerExport', unit: 'var', at: (h, t) => Math.round(Math.abs(power(h, t)) * 0.08 + 40) },
  '31.7.0': { name: 'currentL1', unit: 'A', at: (h, t) => phaseCurrents(h, t)[0] },
  '51.7.0': { name: 'currentL2', unit: 'A', at: (h, t) => phaseCurrents(h, t)[1] },
  '71.7.0': { name: 'currentL3', unit: 'A', at: (h, t) => phaseCurrents(h, t)[2] },
  '32.7.0': { name: 'voltageL1', unit: 'V', at: (h, t) => phaseVoltages(h, t)[0] },
  '52.7.0': { name: 'voltageL2', unit: 'V', at: (h, t) => phaseVoltages(h, t)[1] },
  '72.7.0': { name: 'voltageL3', unit: 'V', at: (h, t) => phaseVoltages(h, t)[2] },
};

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

/** When the house was last heard, which is now for most. */
export function lastHeard(h: House, now: number): number {
  return h.condition === 'silent' ? now - 6 * 60_000 : h.condition === 'lost' ? now - 3 * DAY : now;
}

export function liveOf(h: House, now: number): Live | null {
  if (h.condition === 'locked') return null;
  const heard = Math.floor(lastHeard(h, now) / 2000) * 2000;
  const slow = Math.floor(heard / 10_000) * 10_000;
  const values: Live['values'] = {};
  for (const [obis, q] of Object.entries(QUANTITIES)) {
    const at = obis === '1.7.0' ? heard : slow;
    const value = q.at(h, at);
    if (value !== undefined)
      values[obis] = { value: tenth(value), unit: q.unit, name: q.name, time: new Date(at).toISOString() };
  }
  return { meter: h.id, time: new Date(heard).toISOString(), power: power(h, heard), values };
}

export function placeOf(index: number): string {
  return `${STREETS[index % STREETS.length]} ${Math.floor(index / STREETS.length) * 2 + 1}`;
}

export function nameOf(index: number): string | null {
  if (index < 13) return NAMES[index] ?? null;
  return index % 97 === 0 ? null : `${STREETS[(index * 5) % STREETS.length]} ${(index * 7) % 4999}`;
}

export function meterOf(h: House, now: number): Meter {
  const name = nameOf(h.index);
  const kaifaType = h.lineVoltage ? 'MA304H3E' : h.phases === 1 ? 'MA105H2E' : 'MA304H4';
  return {
    id: h.id,
    serial: `${{ Kaifa: 69706314, Aidon: 73599922, Kamstrup: 57056567 }[h.maker]}${String(10_000_000 + h.index * 7919).slice(0, 8)}`,
    state: name === null ? 'new' : 'named',
    name,
    place: name === null ? null : placeOf(h.index),
    utilitySerial: name === null ? null : `SN-${20_000 + h.index}`,
    maker: h.maker,
    type: { Kaifa: kaifaType, Aidon: '6525', Kamstrup: '6841138BN245101090' }[h.maker],
    list: { Kaifa: 'KFM_001', Aidon: 'AIDON_V0001', Kamstrup: 'Kamstrup_V0001' }[h.maker],
    phases: h.condition === 'locked' ? null : h.phases,
    lineVoltage: h.lineVoltage,
    timeZone: ZONE,
    firstSeen: new Date(now - 400 * DAY).toISOString(),
    lastSeen: new Date(lastHeard(h, now)).toISOString(),
    reader: 'attic',
    port: `han${h.index}`,
    hasKey: h.index === 4,
    ...(h.condition === 'locked' ? { needsKey: true } : {}),
    live: liveOf(h, now),
  };
}

const STORED = [900, 3600, 86_400];

export function seriesOf(
  h: House,
  obis: readonly string[],
  from: number,
  to: number,
  points: number,
  now: number,
): Series {
  const heard = h.condition === 'locked' ? 0 : lastHeard(h, now);
  const end = Math.min(to, heard + 1);
  let period = 0;
  if ((to - from) / 2000 > points || from < now - 2 * DAY)
    period = STORED.find((p) => (to - from) / 1000 / p <= points) ?? 86_400;
  const step = period === 0 ? 2000 : period * 1000;
  const time: number[] = [];
  for (let t = Math.ceil(from / step) * step; t < end; t += step) time.push(t);
  const samples = period === 0 ? [0] : [0.1, 0.5, 0.9];
  return {
    meter: h.id,
    from,
    to,
    period,
    time,
    curves: obis
      .filter((code) => QUANTITIES[code]?.at(h, from) !== undefined)
      .map((code) => {
        const q = QUANTITIES[code] as (typeof QUANTITIES)[string];
        const at = time.map((t) => (gap(h, t, now) ? null : samples.map((s) => q.at(h, t + s * step) ?? 0)));
        return {
          obis: `1-0:${code}`,
          name: q.name,
          unit: q.unit,
          values: at.map((v) => v && tenth(v.reduce((a, b) => a + b, 0) / v.length)),
          ...(period
            ? { min: at.map((v) => v && tenth(Math.min(...v))), max: at.map((v) => v && tenth(Math.max(...v))) }
            : {}),
        };
      }),
  };
}

/** One house lost three hours yesterday and two days last month. */
function gap(h: House, t: number, now: number): boolean {
  if (h.index !== 2) return false;
  const ago = now - t;
  return (ago > 20 * HOUR && ago < 23 * HOUR) || (ago > 33 * DAY && ago < 35 * DAY);
}

export function energyOf(h: House, bucket: Energy['bucket'], from: number, to: number, now: number): Energy {
  const heard = h.condition === 'locked' ? 0 : lastHeard(h, now);
  const buckets: Energy['buckets'] = [];
  const total = { import: 0, export: 0 };
  for (let start = startOf(bucket, ZONE, from); start < to; start = add(bucket, ZONE, start, 1)) {
    const end = add(bucket, ZONE, start, 1);
    let inWh = 0;
    let outWh = 0;
    let missing = start >= heard;
    const step = bucket === 'hour' ? HOUR / 12 : HOUR;
    for (let t = start; t < Math.min(end, heard); t += step) {
      if (gap(h, t, now)) missing = true;
      const w = power(h, t);
      if (w > 0) inWh += (w * step) / HOUR;
      else outWh -= (w * step) / HOUR;
    }
    total.import += inWh;
    total.export += outWh;
    buckets.push({
      start,
      end,
      import: missing && inWh === 0 ? null : Math.round(inWh),
      export: missing && inWh === 0 ? null : Math.round(outWh),
      quality: missing ? 'missing' : h.index === 1 && noise(3, start / HOUR) > 0.93 ? 'estimated' : 'measured',
    });
  }
  return {
    meter: h.id,
    bucket,
    timeZone: ZONE,
    buckets,
    import: heard === 0 ? null : Math.round(total.import),
    export: heard === 0 ? null : Math.round(total.export),
  };
}

/** Gas and water behind every sixth house's meter, counted once an hour. */
export function mediaOf(h: House, bucket: Energy['bucket'], from: number, to: number, now: number): Media {
  const heard = h.condition === 'locked' ? 0 : Math.floor(lastHeard(h, now) / HOUR) * HOUR;
  /** What a counter showed: more in the morning and in winter. */
  const shown = (channel: number, at: number): number => {
    const days = toLocal(ZONE, at) / DAY;
    const even = channel === 1 ? 4.2 * days + 140 * Math.sin((days * 2 * Math.PI) / 365.25 + 1.3) : 0.31 * days;
    return Math.round((even - (channel === 1 ? 0.3 : 0.03) * Math.sin(days * 2 * Math.PI)) * 1000) / 1000 - 60_000;
  };
  const media = ([1, 2] as const).map((channel): Media['media'][number] => {
    const buckets: Media['media'][number]['buckets'] = [];
    for (let start = startOf(bucket, ZONE, from); start < to; start = add(bucket, ZONE, start, 1)) {
      const end = add(bucket, ZONE, start, 1);
      const value =
        start < heard ? Math.round((shown(channel, Math.min(end, heard)) - shown(channel, start)) * 1000) / 1000 : null;
      buckets.push({ start, end, value, quality: value === null ? 'missing' : 'measured' });
    }
    return {
      obis: `0-${channel}:24.2.1`,
      name: channel === 1 ? 'gasVolume' : 'waterVolume',
      unit: 'm3',
      channel,
      value: Math.abs(shown(channel, heard)),
      time: new Date(heard).toISOString(),
      buckets,
      total: Math.round(buckets.reduce((sum, b) => sum + (b.value ?? 0), 0) * 1000) / 1000,
    };
  });
  return { meter: h.id, bucket, timeZone: ZONE, media: heard !== 0 && h.index % 6 === 0 ? media : [] };
}
