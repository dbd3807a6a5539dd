/** Meterings and edits between the store's mantissas and the decimals of the API. */
import { MisuseError } from '@amiable/bytes';
import { decimal, type EditAnswer, type MeterIntervalsAnswer, parseDecimal, QUALITIES, toNumber } from '@amiable/model';
import type { Edit, MeterIntervals, NewEdit, ValueState } from '@amiable/store';
import { z } from 'zod';
import { id63, when } from '../../http/queries.ts';

const iso = (at: number): string => new Date(at).toISOString();
const isoOr = (at: number | null): string | null => (at === null ? null : iso(at));

export function intervalsAnswer(
  meter: string,
  quantity: string,
  asOf: number | undefined,
  found: MeterIntervals | undefined,
): MeterIntervalsAnswer {
  const common = { meter, quantity, asOf: asOf === undefined ? null : iso(asOf) };
  const counts = { measured: 0, calculated: 0, edited: 0, estimated: 0, missing: 0 };
  if (!found)
    return { ...common, unit: null, period: null, start: null, values: [], quality: [], counts, sum: '0', version: 1 };
  const { values, quality, scaler } = found;
  const runs: [(typeof QUALITIES)[number], number][] = [];
  let sum = 0n;
  const numbers: (number | null)[] = new Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const name = QUALITIES[quality[i] as number] ?? 'missing';
    const last = runs.at(-1);
    if (last?.[0] === name) last[1]++;
    else runs.push([name, 1]);
    counts[name]++;
    if (Number.isNaN(value)) numbers[i] = null;
    else {
      numbers[i] = toNumber(value, scaler);
      sum += BigInt(value);
    }
  }
  return {
    ...common,
    unit: found.unit,
    period: found.step / 1000,
    start: iso(found.start),
    values: numbers,
    quality: runs,
    counts,
    sum: decimal(sum, scaler),
    version: found.version,
  };
}

export const stateAnswer = (s: ValueState) => ({
  time: iso(s.time),
  value: s.value === null ? null : decimal(s.value, s.scaler),
  quality: s.quality,
  source: s.source,
  user: s.user,
  reason: s.reason,
  edit: s.edit,
  at: isoOr(s.at),
  kept: s.kept,
});

export const editAnswer = (e: Edit): EditAnswer => ({
  id: e.id,
  meter: e.meter,
  quantity: e.quantity,
  period: e.period,
  unit: e.unit,
  from: iso(e.from),
  to: iso(e.to),
  values: e.values.map((v) => (v === null ? null : decimal(v, e.scaler))),
  reason: e.reason,
  state: e.state,
  by: e.by,
  at: iso(e.at),
  decidedBy: e.decidedBy,
  decidedAt: isoOr(e.decidedAt),
  undoneBy: e.undoneBy,
  undoneAt: isoOr(e.undoneAt),
  undoReason: e.undoReason,
});

/** Exact: as text, or as a number as it is written in JSON. */
const value = z.union([z.number(), z.string().max(40), z.null()], 'a number, a decimal as text, or null to take away');
export const quantityWord = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._:+-]{0,99}$/u, 'the name of a metering such as energyImport');
export const period = z.coerce.number().int().min(1).max(31_622_400);

export const newEdit = z.strictObject({
  meter: id63,
  quantity: quantityWord,
  period: z.number().int().min(1).max(31_622_400).optional().describe('s; the finest that the meter has unless said'),
  from: when.describe('start of the first interval'),
  to: when.describe('end of the last one'),
  values: z
    .array(value)
    .min(1)
    .max(40_000)
    .describe('one for each interval, or one for all; null takes the value away'),
  reason: z.string().max(1000).optional().describe('that of all unless said'),
});
export const newEdits = z.strictObject({
  reason: z.string().max(1000).optional(),
  edits: z.array(newEdit).min(1).max(1000),
});

const FINEST = -12;

/** @throws MisuseError for what is no decimal */
export function mantissasOf(values: readonly (number | string | null)[]): Pick<NewEdit, 'values' | 'scaler'> {
  const parsed = values.map((given) => {
    if (given === null) return null;
    const found = parseDecimal(String(given).trim());
    if (!found) throw new MisuseError(`${JSON.stringify(given)} is no decimal such as 12.5`);
    return found;
  });
  const scaler = parsed.reduce((least, p) => Math.min(least, p?.scaler ?? 0), 0);
  if (scaler < FINEST) throw new MisuseError(`up to ${-FINEST} decimals`);
  return {
    scaler,
    values: parsed.map((p, i) => {
      if (p === null) return null;
      const whole = BigInt(p.mantissa) * 10n ** BigInt(p.scaler - scaler);
      if (whole >= 2n ** 51n || whole <= -(2n ** 51n)) throw new MisuseError(`${values[i]} has too many digits`);
      return Number(whole);
    }),
  };
}
