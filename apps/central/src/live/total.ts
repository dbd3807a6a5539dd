/** What the whole street draws and feeds, now and over the last minutes, whatever its size. */
import type { Total } from '@amiable/model';
import type { LiveHub } from './live.ts';

/** Samples kept: ten minutes at one in five seconds. */
const SAMPLES = 120;
/** Whoever was silent for longer no longer counts, ms. */
const SILENT = 5 * 60_000;

export interface Totals {
  /** Takes a sample; called by the owner's timer. */
  sample(): void;
  get(): Total | undefined;
}

/** @param seen the meters that count; undefined: all */
export function createTotals(
  live: Pick<LiveHub, 'powers'>,
  seen: () => { has(meter: string): boolean } | undefined = () => undefined,
): Totals {
  let last: Total | undefined;
  const time: number[] = [];
  const values: number[] = [];
  return {
    sample() {
      const all = [...live.powers(seen())];
      if (all.length === 0) return;
      const latest = all.reduce((most, one) => Math.max(most, one.time), 0);
      let taken = 0;
      let given = 0;
      let meters = 0;
      for (const one of all) {
        if (one.time < latest - SILENT) continue;
        meters++;
        if (one.power > 0) taken += one.power;
        else given -= one.power;
      }
      if (latest > (time.at(-1) ?? 0)) {
        time.push(latest);
        values.push(taken - given);
        if (time.length > SAMPLES) {
          time.shift();
          values.shift();
        }
      }
      last = {
        time: new Date(latest).toISOString(),
        import: taken,
        export: given,
        meters,
        recent: { time: [...time], values: [...values] },
      };
    },
    get: () => last,
  };
}
