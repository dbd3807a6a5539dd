/** What a gas smart module is delivered with, and what may be written to it. */
import type { BlockTariff, GasParameters } from './types.ts';

export const DELIVERED_GAS: GasParameters = {
  compensation: true,
  mode: 'credit',
  tariff: {
    name: 'standard',
    // 20 m3 and 120 m3 a month; prices of a m3 and a day.
    limits: [20_000_000, 120_000_000],
    prices: [98_000, 91_000, 86_500],
    standingCharge: 32_000,
    billingDay: 1,
  },
  passive: undefined,
  activation: undefined,
  lowCredit: 500_000,
  emergencyCredit: 1_000_000,
  friendly: { from: 16, to: 10, weekdays: [6, 7] },
  carbon: 2020,
};

const whole = (value: number, low: number, high: number): boolean =>
  Number.isSafeInteger(value) && value >= low && value <= high;

function checkTariff({ name, limits, prices, standingCharge, billingDay }: BlockTariff): string | undefined {
  if (name.length > 16) return 'a tariff has a name of at most 16 characters';
  if (limits.length > 3) return 'a block tariff has at most 4 blocks';
  if (prices.length !== limits.length + 1) return 'each block has a price: one more than there are limits';
  if (limits.some((limit, i) => !whole(limit, 1, 1e12) || limit <= (i > 0 ? (limits[i - 1] as number) : 0)))
    return 'limits of blocks rise, in mL';
  if (prices.some((price) => !whole(price, 0, 1e9))) return 'a price is 0 to 10,000 for a m3';
  if (!whole(standingCharge, 0, 1e9)) return 'a standing charge is 0 to 10,000 a day';
  if (!whole(billingDay, 1, 28)) return 'a billing period begins on day 1 to 28';
  return undefined;
}

/** What is wrong with them, if anything. */
export function checkParameters(p: GasParameters): string | undefined {
  const tariff = checkTariff(p.tariff) ?? (p.passive && checkTariff(p.passive));
  if (tariff) return tariff;
  if (!whole(p.lowCredit, 0, 1e12) || !whole(p.emergencyCredit, 0, 1e12)) return 'amounts are whole numbers from 0 on';
  if (!whole(p.friendly.from, 0, 23) || !whole(p.friendly.to, 0, 24)) return 'friendly hours are 0 to 24';
  if (p.friendly.weekdays.some((day) => !whole(day, 1, 7))) return 'weekdays are 1 (Monday) to 7';
  if (!whole(p.carbon, 0, 100_000)) return 'a carbon equivalent is 0 to 100,000 g a m3';
  if (p.activation !== undefined && !Number.isSafeInteger(p.activation)) return 'an activation is an instant';
  return undefined;
}
