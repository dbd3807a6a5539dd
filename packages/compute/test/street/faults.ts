/**
 * Faults of the kinds that the catalogue covers, put at known places: each says which check has to find it, and where.
 *
 * A house gets one after the other with days between, so that no fault hides another.
 */

import { type House, Q } from './houses.ts';
import { roll } from './random.ts';
import { ROLLOVER, type SentHouse } from './sent.ts';

export interface Fault {
  readonly kind: string;
  /** Check of the catalogue that has to find it. */
  readonly check: string;
  readonly series: 'energyImport' | 'reactiveImport' | 'water' | 'register';
  readonly from: number;
  readonly to: number;
}

export interface Kind {
  readonly kind: string;
  readonly check: string;
  readonly series?: Fault['series'];
  /** Houses in which it makes sense: no zero among panels, which make zeros themselves. */
  readonly fits?: (house: House) => boolean;
  /** Quarters that it lasts. */
  readonly length: (pick: Pick) => number;
  /** @param a first quarter @param b behind the last */
  readonly put: (sent: SentHouse, a: number, b: number, pick: Pick) => void;
}

type Pick = (low: number, high: number) => number;

const noPanels = (house: House): boolean => house.kind !== 'panels';
const lived = (house: House): boolean => house.kind !== 'panels' && house.kind !== 'holiday-house';
const span = (sent: SentHouse, a: number, b: number) => ({ from: sent.start + a * Q, to: sent.start + b * Q });
const one = (): number => 1;
/** Quarter of a local midnight to the day of the register. */
const dayOf = (sent: SentHouse, a: number): number => {
  const time = sent.start + a * Q;
  let d = 0;
  while ((sent.midnights[d] as number) < time) d++;
  return d;
};
/** Registers show the truth of what the profile says wrongly, unless the fault is in the meter: then they run with it. */
function shift(sent: SentHouse, a: number, by: (i: number) => number): void {
  let extra = 0;
  let i = a;
  for (let d = dayOf(sent, a); d < sent.midnights.length; d++) {
    for (; i < ((sent.midnights[d] as number) - sent.start) / Q; i++) extra += by(i);
    for (const register of [sent.total, sent.low])
      register[d] = ((((register[d] as number) + extra) % ROLLOVER) + ROLLOVER) % ROLLOVER;
  }
}

export const KINDS: readonly Kind[] = [
  {
    kind: 'single intervals not sent',
    check: 'missing',
    length: (pick) => pick(1, 4),
    put: (sent, a, b) => sent.energyImport.fill(Number.NaN, a, b),
  },
  {
    kind: 'gap of hours',
    check: 'gap',
    length: (pick) => pick(8, 90),
    put: (sent, a, b) => sent.energyImport.fill(Number.NaN, a, b),
  },
  {
    kind: 'gap of days',
    check: 'run-missing',
    length: (pick) => pick(97, 300),
    put: (sent, a, b) => sent.energyImport.fill(Number.NaN, a, b),
  },
  {
    kind: 'negative value',
    check: 'negative',
    length: one,
    put: (sent, a, _b, pick) => {
      sent.energyImport[a] = -pick(1, 900);
    },
  },
  {
    kind: 'turned sign',
    check: 'run-negative',
    length: (pick) => pick(6, 20),
    put: (sent, a, b) => {
      for (let i = a; i < b; i++) sent.energyImport[i] = -Math.max(1, sent.energyImport[i] as number);
    },
  },
  {
    kind: 'zeros while the register runs',
    check: 'zero-without-outage',
    fits: noPanels,
    length: (pick) => pick(9, 40),
    put: (sent, a, b) => sent.energyImport.fill(0, a, b),
  },
  {
    kind: 'stands still',
    check: 'run-zero',
    fits: noPanels,
    length: (pick) => pick(98, 200),
    put: (sent, a, b) => {
      const gone = sent.energyImport.slice(a, b);
      sent.energyImport.fill(0, a, b);
      shift(sent, a, (i) => (i < b ? -(gone[i - a] as number) : 0));
    },
  },
  {
    kind: 'one value sent over and over',
    check: 'run-identical',
    length: (pick) => pick(26, 90),
    put: (sent, a, b, pick) => sent.energyImport.fill(pick(50, 400), a, b),
  },
  {
    kind: 'spike',
    check: 'spike',
    length: one,
    put: (sent, a, _b, pick) => {
      sent.energyImport[a] = pick(6500, 60_000);
    },
  },
  {
    kind: 'bit error: far above the limit',
    check: 'higher-than',
    length: (pick) => pick(1, 3),
    put: (sent, a, b, pick) => sent.energyImport.fill(pick(200_000, 16_000_000), a, b),
  },
  {
    kind: 'more than the fuse lets through',
    check: 'demand-limit',
    length: (pick) => pick(4, 9),
    put: (sent, a, b, pick) => {
      for (let i = a; i < b; i++) sent.energyImport[i] = pick(4800, 7500);
    },
  },
  {
    kind: 'jump from one interval to the next',
    check: 'step',
    length: one,
    put: (sent, a, _b, pick) => {
      sent.energyImport[a] = pick(20_000, 90_000);
    },
  },
  {
    kind: 'intervals do not add up to the register',
    check: 'sum',
    fits: lived,
    length: (pick) => pick(1, 80),
    put: (sent, a, b) => {
      for (let i = a; i < b; i++) sent.energyImport[i] = Math.round((sent.energyImport[i] as number) * 0.7);
    },
  },
  {
    kind: 'rates do not add up to the total',
    check: 'rates-sum',
    length: one,
    put: (sent, a, _b, pick) => {
      const d = dayOf(sent, a);
      sent.high[d] = (sent.high[d] as number) + pick(500, 50_000);
    },
  },
  {
    kind: 'wrong ratio: eight to twelve times the use',
    check: 'high-low',
    fits: lived,
    length: () => 20 * 96,
    put: (sent, a, b, pick) => {
      const by = pick(8, 12);
      const gone = sent.energyImport.slice(a, b);
      for (let i = a; i < b; i++) sent.energyImport[i] = (sent.energyImport[i] as number) * by;
      shift(sent, a, (i) => (i < b ? (gone[i - a] as number) * (by - 1) : 0));
    },
  },
  {
    kind: 'a transformer is open: a fraction of the use',
    check: 'high-low',
    fits: lived,
    length: () => 20 * 96,
    put: (sent, a, b) => {
      const gone = sent.energyImport.slice(a, b);
      for (let i = a; i < b; i++) sent.energyImport[i] = Math.ceil((sent.energyImport[i] as number) * 0.08);
      shift(sent, a, (i) => (i < b ? (sent.energyImport[i] as number) - (gone[i - a] as number) : 0));
    },
  },
  {
    kind: 'sent twice with two values',
    check: 'duplicate',
    length: one,
    put: (sent, a, _b, pick) => {
      sent.twice.push({ at: a, value: (sent.energyImport[a] as number) + pick(1, 500) });
    },
  },
  {
    kind: 'another capture period',
    check: 'interval-length',
    length: () => 96,
    put: (sent, a, b) => {
      sent.named.push({ ...span(sent, a, b), step: 3_600_000 });
    },
  },
  {
    kind: 'another unit',
    check: 'unit',
    length: () => 96,
    put: (sent, a, b) => {
      sent.named.push({ ...span(sent, a, b), unit: 'varh' });
    },
  },
  {
    kind: 'another ratio named',
    check: 'multiplier',
    length: () => 96,
    put: (sent, a, b, pick) => {
      sent.named.push({ ...span(sent, a, b), multiplier: pick(2, 60) });
    },
  },
  {
    kind: 'reactive channel missing',
    check: 'sibling-missing',
    length: (pick) => pick(4, 50),
    put: (sent, a, b) => sent.reactiveImport.fill(Number.NaN, a, b),
  },
  {
    kind: 'reactive without active',
    check: 'reactive-without-active',
    series: 'reactiveImport',
    fits: noPanels,
    length: (pick) => pick(8, 30),
    put: (sent, a, b) => {
      sent.energyImport.fill(0, a, b);
      sent.reactiveImport.fill(60, a, b);
    },
  },
  {
    kind: 'active without reactive',
    check: 'active-without-reactive',
    fits: noPanels,
    length: (pick) => pick(98, 200),
    put: (sent, a, b) => sent.reactiveImport.fill(0, a, b),
  },
  {
    kind: 'day without supply',
    check: 'run-outage',
    length: (pick) => pick(98, 200),
    put: (sent, a, b) => {
      const gone = sent.energyImport.slice(a, b);
      sent.energyImport.fill(0, a, b);
      sent.reactiveImport.fill(0, a, b);
      sent.outages.push(span(sent, a, b));
      shift(sent, a, (i) => (i < b ? -(gone[i - a] as number) : 0));
    },
  },
  {
    kind: 'use behind an open relay',
    check: 'use-while-disconnected',
    fits: noPanels,
    length: (pick) => pick(8, 60),
    put: (sent, a, b) => {
      sent.disconnected.push(span(sent, a, b));
    },
  },
  {
    kind: 'use where no meter hangs',
    check: 'use-while-not-installed',
    fits: noPanels,
    length: (pick) => pick(20, 90),
    put: (sent, a, b) => {
      const [stay] = sent.installed.splice(-1, 1);
      const { from, to } = span(sent, a, b);
      if (stay) sent.installed.push({ from: stay.from, to: from }, { from: to, to: stay.to });
    },
  },
  {
    kind: 'clock off',
    check: 'clock',
    length: (pick) => pick(4, 90),
    put: (sent, a, b, pick) => {
      sent.clock.push({ ...span(sent, a, b), deviation: pick(90, 7200) * 1000 });
    },
  },
  {
    kind: 'manipulation in the log',
    check: 'event',
    length: (pick) => pick(1, 3),
    put: (sent, a, b) => {
      sent.events.push({ ...span(sent, a, b), event: 'magnetic-field' });
    },
  },
  {
    kind: 'nothing for a week',
    check: 'prolonged-estimation',
    length: (pick) => pick(5 * 96, 8 * 96),
    put: (sent, a, b) => sent.energyImport.fill(Number.NaN, a, b),
  },
  {
    kind: 'water never stands still',
    check: 'never-zero',
    series: 'water',
    length: () => 10 * 96,
    put: (sent, a, b, pick) => {
      const leak = pick(1, 20);
      for (let h = a >> 2; h < b >> 2; h++) sent.water[h] = (sent.water[h] as number) + leak;
    },
  },
  {
    kind: 'a zero among values',
    check: 'zero',
    fits: noPanels,
    length: (pick) => pick(1, 3),
    put: (sent, a, b) => sent.energyImport.fill(0, a, b),
  },
  {
    kind: 'less than standby',
    check: 'lower-than',
    fits: noPanels,
    length: (pick) => pick(1, 6),
    put: (sent, a, b, pick) => sent.energyImport.fill(pick(0, 4), a, b),
  },
  ...(['average', 'median'] as const).flatMap((of): Kind[] => [
    {
      kind: `a hundred times the ${of}`,
      check: `higher-than-${of}`,
      fits: lived,
      length: one,
      put: (sent, a) => {
        const month = sent.energyImport.slice(Math.max(0, a - 30 * 96), a).filter((v) => v > 0);
        sent.energyImport[a] = Math.round((100 * month.reduce((x, y) => x + y, 0)) / month.length);
      },
    },
    {
      kind: `a hundredth of the ${of}`,
      check: `lower-than-${of}`,
      fits: lived,
      length: one,
      put: (sent, a) => {
        sent.energyImport[a] = 1;
      },
    },
  ]),
  {
    kind: 'reactive out of all proportion',
    check: 'user',
    length: (pick) => pick(1, 8),
    put: (sent, a, b, pick) => sent.reactiveImport.fill(pick(3100, 9000), a, b),
  },
  {
    kind: 'twice the peak of the week before',
    check: 'demand-peak',
    length: (pick) => pick(1, 4),
    put: (sent, a, b, pick) => {
      for (let i = a; i < b; i++) sent.energyImport[i] = pick(8000, 9500);
    },
  },
  {
    kind: 'register stands',
    check: 'zero',
    series: 'register',
    length: one,
    put: (sent, a) => {
      const d = dayOf(sent, a);
      sent.total[d] = sent.total[d - 1] as number;
    },
  },
  {
    kind: 'register falls',
    check: 'falling',
    series: 'register',
    length: one,
    put: (sent, a, _b, pick) => {
      const d = dayOf(sent, a);
      sent.total[d] = Math.max(0, (sent.total[d - 1] as number) - pick(2000, 400_000));
    },
  },
  {
    kind: 'register jumps',
    check: 'maximum',
    series: 'register',
    length: one,
    put: (sent, a, _b, pick) => {
      const d = dayOf(sent, a);
      sent.total[d] = ((sent.total[d] as number) + pick(2_000_000, 20_000_000)) % ROLLOVER;
    },
  },
  {
    kind: 'register not sent',
    check: 'missing',
    series: 'register',
    length: one,
    put: (sent, a) => {
      const d = dayOf(sent, a);
      sent.total[d] = Number.NaN;
      sent.high[d] = Number.NaN;
      sent.low[d] = Number.NaN;
    },
  },
];

/**
 * Puts faults into a house, one after the other with `apart` days between them.
 * @param queue kinds that are still to come; goes on from house to house, so that all kinds come equally often
 * @param first day of the first one
 */
export function injectInto(sent: SentHouse, queue: Kind[], first: number, apart: number): Fault[] {
  const { seed, energyImport } = sent.house;
  const faults: Fault[] = [];
  for (let day = first, k = 0; ; k++) {
    let pickAt = 0;
    const pick: Pick = (low, high) => roll(seed, pickAt++, low, high, 1000 + k);
    // A register fails at midnight.
    const quarter = pick(0, 95);
    let length = 0;
    const fits = (kind: Kind): boolean => {
      if (!(kind.fits?.(sent.house) ?? true)) return false;
      length = kind.length(pick);
      return day * 96 + 96 + length + 96 * 8 <= energyImport.length;
    };
    let at = queue.findIndex(fits);
    if (at < 0) at = queue.push(...KINDS) - KINDS.length + KINDS.findIndex(fits);
    const kind = queue[at] as Kind;
    if (!fits(kind)) return faults;
    queue.splice(at, 1);
    const isAtMidnight = kind.series === 'register' || kind.check === 'rates-sum';
    const from = (sent.midnights[day] as number) + (isAtMidnight ? 0 : quarter * Q);
    const a = (from - sent.start) / Q;
    kind.put(sent, a, a + length, pick);
    const series = kind.series ?? 'energyImport';
    faults.push({ kind: kind.kind, check: kind.check, series, from, to: from + length * Q });
    // After weeks of wrong use comparisons need as long to settle.
    day += apart + Math.ceil(length / 96) + (length > 96 * 14 ? 28 : 0);
  }
}
