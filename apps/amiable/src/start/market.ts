/**
 * What the people of the simulated town pay: energy of a supplier by day and night, and the grid's fee by the highest hours. Made once; what
 * people have changed since stays.
 */
import { add, startOf, toLocal } from '@amiable/calendar';
import { tariff } from '@amiable/model/schemas';
import type { Store } from '@amiable/store';

export const SUPPLY = 'Town Energy, day and night';
export const GRID = 'Town Grid, by highest hours';
/** Of a larger town the first so many points have contracts: enough to look at. */
const MOST = 500;
const BY = 'system';

const calendar = (from: string, to: string) => ({
  seasons: [{ name: 'year', from: '01-01', to: '12-31', week: 'week' }],
  weeks: [
    {
      name: 'week',
      ...Object.fromEntries(['monday', 'tuesday', 'wednesday', 'thursday', 'friday'].map((day) => [day, 'workday'])),
      saturday: 'weekend',
      sunday: 'weekend',
    },
  ],
  days: [
    {
      name: 'workday',
      switches: [
        { at: '00:00', rate: 'night' },
        { at: from, rate: 'day' },
        { at: to, rate: 'night' },
      ],
    },
    { name: 'weekend', switches: [{ at: '00:00', rate: 'night' }] },
  ],
  specialDays: [
    { name: "New Year's Day", day: 'weekend', date: '01-01' },
    { name: 'Easter Monday', day: 'weekend', easter: 1 },
    { name: 'Labour Day', day: 'weekend', date: '05-01' },
    { name: 'Christmas Day', day: 'weekend', date: '12-25' },
  ],
});

const RATES = [
  { name: 'day', title: 'Day' },
  { name: 'night', title: 'Night and weekend' },
];
const VAT = { kind: 'tax', name: 'VAT', title: 'Value added tax', percent: '25', on: ['*'] };

const supply = (zone: string) => ({
  name: 'town-supply',
  title: 'Energy, day and night',
  zone,
  currency: 'NOK',
  rates: RATES,
  calendar: calendar('07:00', '22:00'),
  components: [
    { kind: 'energy', name: 'energy', title: 'Energy', prices: { day: '0.8420', night: '0.6140' } },
    { kind: 'fixed', name: 'subscription', title: 'Subscription', price: '468', per: 'year' },
    VAT,
  ],
});

const grid = (zone: string) => ({
  name: 'town-grid',
  title: 'Grid fee with capacity steps',
  zone,
  currency: 'NOK',
  rates: RATES,
  calendar: calendar('06:00', '22:00'),
  components: [
    {
      kind: 'capacity',
      name: 'capacity',
      title: 'Capacity step',
      interval: 60,
      highest: 3,
      differentDays: true,
      per: 'month',
      steps: [
        { below: '2', price: '100' },
        { below: '5', price: '170' },
        { below: '10', price: '290' },
        { below: '15', price: '410' },
        { below: '20', price: '530' },
        { price: '980' },
      ],
    },
    { kind: 'energy', name: 'transport', title: 'Energy part', prices: { day: '0.2464', night: '0.1664' } },
    VAT,
  ],
});

async function publish(store: Store, name: string, definition: object, validFrom: string, zone: string, at: number) {
  const { tariffs } = store.billing;
  if (await tariffs.get(name)) return;
  const by = { who: BY, at };
  const whole = tariff.parse(definition) as unknown as Record<string, unknown>;
  const { version } = await tariffs.put(name, { validFrom, definition: whole }, by);
  await tariffs.publish(name, version, zone, by);
}

/** @param installed when the town's meters were, epoch ms; people pay from their first whole day on */
export async function openMarket(store: Store, zone: string, installed: number, now: number): Promise<void> {
  const from = add('day', zone, installed, 1);
  const begin = startOf('year', zone, from);
  const validFrom = new Date(toLocal(zone, begin)).toISOString().slice(0, 10);
  await publish(store, SUPPLY, supply(zone), validFrom, zone, now);
  await publish(store, GRID, grid(zone), validFrom, zone, now);
  const some = await store.billing.contracts.list({ tariff: SUPPLY, limit: 1, replaced: true, scope: 'all' });
  if (some.length > 0) return;
  const points = await store.registry.findNodes({ kinds: ['metering-point'], limit: MOST }, 'all');
  for (const { id } of points)
    for (const [product, tariff] of [
      ['supply', SUPPLY],
      ['grid', GRID],
    ] as const)
      await store.billing.contracts.put({ meteringPoint: id, product, tariff, from }, 'all', { who: BY, at: now });
}
