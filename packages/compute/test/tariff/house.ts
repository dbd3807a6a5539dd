/** A house with a small even load and known peaks; and calendars that say little. */
import { readFileSync } from 'node:fs';
import { localToUtc } from '@amiable/calendar';
import { tariff as schema, type TariffInput } from '@amiable/model/schemas';
import type { RatingSeries, TariffVersion } from '../../src/index.ts';

/** An instant of a local time `2026-01-15 18:00`. */
export const local = (zone: string, text: string): number =>
  localToUtc(zone, Date.parse(`${text.length === 10 ? `${text} 00:00` : text}Z`.replace(' ', 'T')));

/** kW means of intervals at local times, over an even load of 100 Wh an hour. Mantissas are Wh. */
export function house(
  zone: string,
  from: string,
  to: string,
  minutes: number,
  peaks: Readonly<Record<string, number>> = {},
): RatingSeries {
  const start = local(zone, from);
  const step = minutes * 60_000;
  const count = (local(zone, to) - start) / step;
  const values = new Float64Array(count).fill((100 * minutes) / 60);
  for (const [at, kilowatts] of Object.entries(peaks))
    values[(local(zone, at) - start) / step] = Math.round((kilowatts * 1000 * minutes) / 60);
  return { start, step, scaler: 0, values, quality: new Uint8Array(count) };
}

export const flat: TariffInput['calendar'] = {
  seasons: [{ name: 'year', from: '01-01', to: '12-31', week: 'every' }],
  weeks: [
    {
      name: 'every',
      monday: 'flat',
      tuesday: 'flat',
      wednesday: 'flat',
      thursday: 'flat',
      friday: 'flat',
      saturday: 'flat',
      sunday: 'flat',
    },
  ],
  days: [{ name: 'flat', switches: [{ at: '00:00', rate: 'all' }] }],
};

export const tariffOf = (
  zone: string,
  currency: string,
  components: TariffInput['components'],
  more: Partial<TariffInput> = {},
) => schema.parse({ name: 'test', zone, currency, rates: [{ name: 'all' }], calendar: flat, components, ...more });

export const since = (from: string, definition: ReturnType<typeof tariffOf>, version = '1'): TariffVersion => ({
  version,
  from,
  tariff: definition,
});

/** One of the shipped examples. */
export const example = (name: string) =>
  schema.parse(JSON.parse(readFileSync(new URL(`../../../../examples/tariffs/${name}.json`, import.meta.url), 'utf8')));
