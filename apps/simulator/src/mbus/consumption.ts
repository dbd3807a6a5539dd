/**
 * What a household takes from the pipes: gas, cold and hot water, heat; at any instant, without simulating what went before.
 *
 * The same people, habits, absences and weather as the house's electricity (house/). An hour's amount follows from them; within the
 * hour it comes in slots of five minutes of constant flow, whole units each, so that an index is exact whenever it is
 * asked for. Decides amounts; leaves out what a meter makes of them (its errors, its register, its temperature compensation).
 */
import { zoneOffset } from '@amiable/calendar';
import { isAway, isWeekend } from '../house/events.ts';
import { hash, part, swing, unit } from '../house/noise.ts';
import { rollProfile } from '../house/profile.ts';
import { createWeather, type Weather } from '../house/weather.ts';

/** Gas (at 15 °C and 1013.25 mbar) and water in mL, heat and electricity (of a heat pump with a meter of its own) in Wh. */
export type Supply = 'gas' | 'water-cold' | 'water-hot' | 'heat' | 'electricity';

export interface Flow {
  /** Units an hour, whole, during the slot that `at` falls into. */
  rate(at: number): number;
  /** Units since the meter was hung up, whole. */
  total(at: number): number;
  /** When the rate may change next. */
  next(at: number): number;
}

export interface Consumption {
  readonly weather: Weather;
  flow(supply: Supply): Flow;
  /** °C of the gas in a pipe through an unheated cellar; of water in the supply and return of the heating. */
  gasTemperature(at: number): number;
  flowTemperature(at: number): number;
  returnTemperature(at: number): number;
}

const HOUR = 3_600_000;
const DAY = 86_400_000;
export const SLOT = 300_000;
const SLOTS = 12;
/** Slaves were hung up on this day. */
export const HUNG_UP = Date.UTC(2021, 0, 1);
const FIRST_DAY = HUNG_UP / DAY;

const WORKDAY = [1, 0, 0, 0, 0, 2, 9, 8, 3, 2, 2, 2, 3, 2, 2, 4, 7, 9, 8, 6, 5, 6, 5, 2];
const FREEDAY = [1, 0, 0, 0, 0, 0, 1, 4, 8, 9, 7, 5, 5, 5, 4, 4, 5, 7, 8, 6, 5, 5, 4, 2];
const sumOf = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
const WORKDAY_SUM = sumOf(WORKDAY);
const FREEDAY_SUM = sumOf(FREEDAY);

/** mL of a person and day. */
const COLD = 82_000;
const HOT = 38_000;
/** Wh to warm a litre of water by 45 K, and in a litre of natural gas. */
const WH_PER_HOT_LITRE = 52;
const WH_PER_GAS_LITRE = 10.9;
const BOILER = 0.92;

export interface ConsumptionOptions {
  readonly seed: number;
  /** Weather of the street. */
  readonly street: number;
  readonly zone: string;
  readonly weather?: Weather;
}

export function createConsumption({
  seed,
  street,
  zone,
  weather = createWeather(street),
}: ConsumptionOptions): Consumption {
  const profile = rollProfile(seed, { network: 'tn' });
  const own = part(seed, 70);
  const flows = new Map<Supply, Flow>();

  function heating(ms: number, localHour: number, away: boolean): number {
    const missing = (away ? 12 : 17) - weather.temperature(ms);
    if (missing <= 0) return 0;
    const night = localHour >= 23 || localHour < 5 ? 0.7 : 1;
    return missing * profile.loss * night * (1 + 0.1 * swing(own, Math.floor(ms / HOUR), 3));
  }

  function amount(supply: Supply, hour: number): number {
    const ms = hour * HOUR;
    const local = ms + zoneOffset(zone, ms);
    const localDay = Math.floor(local / DAY);
    const localHour = Math.floor(local / HOUR) - localDay * 24;
    const away = isAway(seed, localDay);
    const free = isWeekend(localDay);
    const habit = away ? 0 : ((free ? FREEDAY : WORKDAY)[localHour] as number) / (free ? FREEDAY_SUM : WORKDAY_SUM);
    const lively = profile.persons * habit;
    const water = (perDay: number, n: number): number => lively * perDay * (0.3 + 1.4 * unit(own, hour, n));
    switch (supply) {
      case 'water-cold':
        return Math.round(water(COLD, 1));
      case 'water-hot':
        return Math.round(water(HOT, 2));
      case 'heat':
        return Math.round(heating(ms, localHour, away));
      case 'electricity':
        return Math.round(60 + heating(ms, localHour, away) / 3);
      case 'gas': {
        const heat = heating(ms, localHour, away) + (water(HOT, 2) / 1000) * WH_PER_HOT_LITRE;
        // Some cook with gas as well.
        const cooking = lively * 900;
        return Math.round(((heat / BOILER + cooking) / WH_PER_GAS_LITRE) * 1000);
      }
    }
  }

  function createFlow(supply: Supply): Flow {
    const s = part(own, { gas: 1, 'water-cold': 2, 'water-hot': 3, heat: 4, electricity: 5 }[supply]);
    /** A tap is open or not; a boiler comes and goes; heat flows evenly. */
    const unrest = { gas: 2, 'water-cold': 7, 'water-hot': 9, heat: 0.3, electricity: 0.5 }[supply];
    /** Total at the beginning of each day. */
    const days: number[] = [Math.floor(unit(s, 5) * 1_500_000_000) + 20_000_000];
    let slotsHour = Number.NaN;
    /** Units up to the beginning of each slot of `slotsHour`, and its end. */
    const slots = new Float64Array(SLOTS + 1);
    let atHour = Number.NaN;
    let hourTotal = 0;
    if (supply === 'heat' || supply === 'electricity') days[0] = Math.floor(unit(s, 5) * 20_000_000);

    function fill(hour: number): void {
      if (hour === slotsHour) return;
      const whole = amount(supply, hour);
      let sum = 0;
      for (let i = 0; i < SLOTS; i++) {
        sum += 0.02 + unit(s, hour, i) ** unrest;
        slots[i + 1] = sum;
      }
      for (let i = 1; i <= SLOTS; i++) slots[i] = Math.floor((whole * (slots[i] as number)) / sum + 1e-9);
      slots[SLOTS] = whole;
      slotsHour = hour;
    }
    function dayTotal(day: number): number {
      for (let d = days.length; d <= day - FIRST_DAY; d++) {
        let sum = days[d - 1] as number;
        for (let h = 0; h < 24; h++) sum += amount(supply, (FIRST_DAY + d - 1) * 24 + h);
        days.push(sum);
      }
      return days[day - FIRST_DAY] as number;
    }
    function upTo(hour: number): number {
      if (hour !== atHour) {
        const day = Math.floor(hour / 24);
        hourTotal = hour === atHour + 1 ? hourTotal + amount(supply, atHour) : dayTotal(day);
        if (hour !== atHour + 1) for (let h = day * 24; h < hour; h++) hourTotal += amount(supply, h);
        atHour = hour;
      }
      return hourTotal;
    }
    return {
      next: (at) => (Math.floor(at / SLOT) + 1) * SLOT,
      rate(at) {
        if (at < HUNG_UP) return 0;
        fill(Math.floor(at / HOUR));
        const i = Math.floor((at % HOUR) / SLOT);
        return ((slots[i + 1] as number) - (slots[i] as number)) * SLOTS;
      },
      total(at) {
        if (at <= HUNG_UP) return days[0] as number;
        const hour = Math.floor(at / HOUR);
        fill(hour);
        const i = Math.floor((at % HOUR) / SLOT);
        const within = ((slots[i + 1] as number) - (slots[i] as number)) * ((at % SLOT) / SLOT);
        return upTo(hour) + (slots[i] as number) + Math.floor(within);
      },
    };
  }

  const cellar = (at: number): number => 13 + 0.35 * (weather.temperature(at - (at % HOUR)) - 8);
  const supplyTemperature = (at: number): number =>
    38 + Math.max(0, 15 - weather.temperature(at - (at % HOUR))) * 1.1 + (hash(own, Math.floor(at / SLOT)) & 7) * 0.1;
  return {
    weather,
    flow(supply) {
      let flow = flows.get(supply);
      if (!flow) {
        flow = createFlow(supply);
        flows.set(supply, flow);
      }
      return flow;
    },
    gasTemperature: cellar,
    flowTemperature: supplyTemperature,
    returnTemperature: (at) => 28 + (supplyTemperature(at) - 38) * 0.45,
  };
}
