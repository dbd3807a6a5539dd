/**
 * The account of a gas smart module: a block tariff, and prepayment credit (system description §8.1 and §8.3).
 *
 * Decides: each mL is charged at the price of the block that it falls into; a price change counts from the next mL. Credit is
 * drawn on in prepayment mode only; at nothing the valve wants to close, unless emergency credit was taken, and waits for the end of
 * friendly hours.
 */
import { zoneOffset } from '@amiable/calendar';
import { type GasState, log, NEVER, raise, timeTo } from './state.ts';

/** mL of a m3: prices are for so many. */
const PRICED = 1_000_000;

function charge(s: GasState, cost: number): void {
  s.charged += cost;
  if (s.parameters.mode === 'prepayment') s.credit -= cost;
}

/** Charges `volume` mL, in the blocks that they fall into. */
export function chargeVolume(s: GasState, volume: number): void {
  const { limits, prices } = s.parameters.tariff;
  s.accounted += volume;
  let left = volume;
  let used = 0;
  for (const block of s.blocks) used += block;
  let block = limits.findIndex((limit) => used < limit);
  if (block < 0) block = limits.length;
  while (left > 0) {
    const room = block < limits.length ? (limits[block] as number) - used : left;
    const part = Math.min(left, room);
    s.blocks[block] = (s.blocks[block] as number) + part;
    const cost = s.costRest + part * (prices[block] as number);
    const whole = Math.floor(cost / PRICED);
    s.costRest = cost - whole * PRICED;
    charge(s, whole);
    left -= part;
    used += part;
    if (left > 0 || part === room) block = Math.min(block + 1, limits.length);
  }
}

export function chargeDay(s: GasState): void {
  charge(s, s.parameters.tariff.standingCharge);
}

const used = (s: GasState): number => s.blocks.reduce((a, b) => a + b, 0);

function blockOf(s: GasState): number {
  const volume = used(s);
  const { limits } = s.parameters.tariff;
  const block = limits.findIndex((limit) => volume < limit);
  return block < 0 ? limits.length : block;
}

/** How far credit may go down. */
const floorOf = (s: GasState): number => (s.emergencyUsed ? -s.parameters.emergencyCredit : 0);

/** What the account now says: alarms, events, and whether the valve should close. */
export function creditChanged(s: GasState): void {
  const block = blockOf(s);
  if (block > s.block) log(s, 'blockReached');
  s.block = block;
  const prepaid = s.parameters.mode === 'prepayment';
  raise(s, 'creditLow', prepaid && s.credit <= s.parameters.lowCredit, 'creditLow', undefined);
  raise(s, 'creditExhausted', prepaid && s.credit <= floorOf(s), 'creditExhausted', undefined);
  s.wantsClosed = prepaid && s.credit <= floorOf(s);
}

/** No valve is closed for want of credit now. */
export function isFriendly(s: GasState): boolean {
  const { from, to, weekdays } = s.parameters.friendly;
  const clock = s.now + s.clockOffset;
  const local = new Date(clock + zoneOffset(s.config.zone, clock));
  if (weekdays.includes(local.getUTCDay() || 7)) return true;
  const hour = local.getUTCHours();
  if (from === to) return false;
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}

/** When gas that flows at `rate` will have reached the next limit of block or credit. */
export function creditDue(s: GasState, rate: number): number {
  if (rate <= 0) return NEVER;
  const { limits, prices } = s.parameters.tariff;
  const volume = used(s);
  const block = blockOf(s);
  let ml = block < limits.length ? (limits[block] as number) - volume : NEVER;
  const price = prices[block] as number;
  if (s.parameters.mode === 'prepayment' && price > 0) {
    for (const mark of [s.parameters.lowCredit, floorOf(s)]) {
      if (s.credit <= mark) continue;
      ml = Math.min(ml, Math.ceil(((s.credit - mark) * PRICED - s.costRest) / price));
    }
  }
  if (ml >= NEVER) return NEVER;
  const wait = timeTo(s.billed, ml, rate);
  return wait >= NEVER ? NEVER : s.settledTo + Math.max(1, wait);
}
