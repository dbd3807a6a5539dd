/**
 * The register map of one meter in the form of SunSpec (Information Model Reference and "SunSpec Alliance Information Models",
 * models 1, 201, 203, 204, 211, 213, 214): marker, common model, meter model with integers and scale factors, the same with
 * floating point, then a model of our own for gas, water and heat, and the end. Always of the same length, so that addresses
 * never move; what the meter does not say is "not implemented" in the standard's way.
 *
 * Decides: import is positive, export negative. A gauge older than five minutes is not implemented; registers stay. Scale factors
 * are the finest in which the values fit, so that a reader of one must read the other in the same request. Reactive energy of a
 * meter without quadrants stands in Q1 (import) and Q4 (export).
 */
import { toNumber } from '@amiable/model';
import type { LiveDevice, Medium } from './values.ts';

export const BASE = 40_000;
export const COMMON = BASE + 2;
export const METER_INTEGER = COMMON + 2 + 66;
export const METER_FLOAT = METER_INTEGER + 2 + 105;
export const OTHER_METERS = METER_FLOAT + 2 + 124;
/** Of the range that SunSpec leaves to vendors. */
export const OTHER_MODEL = 64_910;
export const CHANNELS = 8;
const CHANNEL = 20;
const OTHER_LENGTH = 4 + CHANNELS * CHANNEL;
export const END = OTHER_METERS + 2 + OTHER_LENGTH;
export const REGISTERS = END + 2 - BASE;

const STALE = 300_000;
const NONE_INT16 = 0x8000;
const NONE_UINT16 = 0xffff;
const MEDIA: Partial<Record<Medium, number>> = {
  gas: 1,
  water: 2,
  hotWater: 3,
  heat: 4,
  cooling: 5,
  electricity: 6,
  other: 7,
};

export interface MeterPicture {
  /** Absent where the port has shown no electricity meter yet. */
  readonly meter?: LiveDevice;
  /** Gas, water and heat meters of the same port, at most CHANNELS of them. */
  readonly others: readonly LiveDevice[];
  readonly reader: string;
  readonly version: string;
  readonly unit: number;
  /** Epoch ms. */
  readonly now: number;
}

/** Sum over the phases, then L1 to L3; undefined where the meter does not say it. */
type Four = readonly [number | undefined, number | undefined, number | undefined, number | undefined];

/** The map from BASE on; index 0 is register BASE. */
export function registersOf(picture: MeterPicture): Uint16Array {
  const out = new Uint16Array(REGISTERS);
  let at = 0;
  const u16 = (value: number) => {
    out[at++] = value;
  };
  const u32 = (value: number) => {
    u16(Math.floor(value / 0x1_0000) & 0xffff);
    u16(value & 0xffff);
  };
  const text = (value: string, registers: number) => {
    const bytes = Buffer.from(value.replace(/[^\x20-\x7e]/g, '?'), 'latin1').subarray(0, registers * 2);
    for (let i = 0; i < registers; i++) u16(((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  };
  const { meter, now } = picture;

  const number = (key: string, gauge: boolean): number | undefined => {
    const found = meter?.values.get(key);
    if (!found || typeof found.value === 'string') return undefined;
    // The meter's clock may be wrong: what counts is when the last message with it could have come.
    if (gauge && now - (meter?.seen ?? 0) > STALE) return undefined;
    return toNumber(found.value, found.item.scaler);
  };
  const minus = (a: number | undefined, b: number | undefined) =>
    a === undefined ? (b === undefined ? undefined : -b) : a - (b ?? 0);
  const plus = (a: number | undefined, b: number | undefined) => (a === undefined ? b : a + (b ?? 0));
  const four = (of: (phase: string) => number | undefined): Four => [of(''), of('L1'), of('L2'), of('L3')];
  const sum = (values: Four): Four => {
    const [total, ...phases] = values;
    const there = phases.filter((value) => value !== undefined);
    return total !== undefined || there.length === 0 ? values : ([there.reduce((a, b) => a + b, 0), ...phases] as Four);
  };
  const mean = (values: Four): Four => {
    const there = values.slice(1).filter((value) => value !== undefined);
    return values[0] !== undefined || there.length === 0
      ? values
      : [there.reduce((a, b) => a + b, 0) / there.length, values[1], values[2], values[3]];
  };
  const register = (name: string): number | undefined => {
    const total = number(name, false);
    if (total !== undefined) return total;
    let rates: number | undefined;
    for (let rate = 1; rate <= 8; rate++) rates = plus(rates, number(`${name}Rate${rate}`, false));
    return rates;
  };

  const line = ['L1', 'L2', 'L3'].map((phase) => {
    const value = number(`voltage${phase}`, true);
    return { value, between: meter?.values.get(`voltage${phase}`)?.item.between };
  });
  const between = (pair: string) => line.find((one) => one.between === pair)?.value;
  const delta = line.some((one) => one.between !== undefined);
  const current = sum(four((phase) => number(`current${phase}`, true)));
  const voltage = mean([
    undefined,
    ...line.map((one) => (one.between === undefined ? one.value : undefined)),
  ] as unknown as Four);
  const lineVoltage = mean([undefined, between('L1-L2'), between('L2-L3'), between('L1-L3')]);
  const frequency = number('frequency', true);
  const power = sum(
    four(
      (phase) =>
        minus(number(`activePowerImport${phase}`, true), number(`activePowerExport${phase}`, true)) ??
        number(`activePowerNet${phase}`, true),
    ),
  );
  const apparent = sum(
    four((phase) => minus(number(`apparentPowerImport${phase}`, true), number(`apparentPowerExport${phase}`, true))),
  );
  const reactive = sum(
    four((phase) => minus(number(`reactivePowerImport${phase}`, true), number(`reactivePowerExport${phase}`, true))),
  );
  const factor = four((phase) => {
    const value = number(`powerFactor${phase}`, true);
    return value === undefined ? undefined : value * 100;
  });
  const energies = (kind: string, direction: string) => four((phase) => register(`${kind}Energy${direction}${phase}`));
  const exported = energies('active', 'Export');
  const imported = energies('active', 'Import');
  const apparentExport = energies('apparent', 'Export');
  const apparentImport = energies('apparent', 'Import');
  const quadrants = [1, 2, 3, 4].map((q) =>
    four(
      (phase) =>
        register(`reactiveEnergyQ${q}${phase}`) ??
        (q === 1
          ? register(`reactiveEnergyImport${phase}`)
          : q === 4
            ? register(`reactiveEnergyExport${phase}`)
            : undefined),
    ),
  ) as unknown as readonly [Four, Four, Four, Four];
  const phases = [1, 2, 3].filter((i) => current[i] !== undefined || voltage[i] !== undefined).length;
  const wiring = delta ? 4 : phases > 1 ? 3 : 1;

  // ---- marker and common model
  u16(0x5375);
  u16(0x6e53);
  u16(1);
  u16(66);
  text(meter?.maker ?? 'Amiable', 16);
  text(meter?.type ?? 'reader', 16);
  text(meter?.port ?? '', 8);
  text(picture.version, 8);
  text(meter?.id ?? picture.reader, 16);
  u16(picture.unit);
  u16(NONE_INT16);

  // ---- integers with scale factors
  /** The finest exponent from `finest` on in which all values fit into `most`. */
  const exponent = (values: readonly (number | undefined)[], finest: number, most: number) => {
    let sf = finest;
    while (sf < 10 && values.some((value) => value !== undefined && Math.round(Math.abs(value) / 10 ** sf) > most))
      sf++;
    return sf;
  };
  const scaled = (value: number, sf: number) => Math.round(sf < 0 ? value * 10 ** -sf : value / 10 ** sf);
  const integers = (values: readonly (number | undefined)[], finest: number) => {
    const there = values.some((value) => value !== undefined);
    const sf = exponent(values, finest, 32_767);
    for (const value of values) u16(value === undefined ? NONE_INT16 : scaled(value, sf) & 0xffff);
    u16(there ? sf & 0xffff : NONE_INT16);
  };
  /** Accumulators say "not implemented" with 0. */
  const accumulators = (groups: readonly Four[]) => {
    const values = groups.flat();
    const sf = exponent(values, 0, 0xffff_ffff);
    for (const value of values) u32(value === undefined ? 0 : scaled(Math.max(0, value), sf));
    u16(values.some((value) => value !== undefined) ? sf & 0xffff : NONE_INT16);
  };
  u16(200 + wiring);
  u16(105);
  integers(current, -2);
  integers([...voltage, ...lineVoltage], -1);
  integers([frequency], -2);
  integers(power, 0);
  integers(apparent, 0);
  integers(reactive, 0);
  integers(factor, -1);
  accumulators([exported, imported]);
  accumulators([apparentExport, apparentImport]);
  accumulators(quadrants);
  u32(0);

  // ---- floating point
  const view = new DataView(new ArrayBuffer(4));
  const floats = (values: readonly (number | undefined)[]) => {
    for (const value of values) {
      if (value === undefined) view.setUint32(0, 0x7fc0_0000);
      else view.setFloat32(0, value);
      u16(view.getUint16(0));
      u16(view.getUint16(2));
    }
  };
  u16(210 + wiring);
  u16(124);
  for (const group of [current, voltage, lineVoltage, [frequency], power, apparent, reactive, factor]) floats(group);
  for (const group of [exported, imported, apparentExport, apparentImport, ...quadrants]) floats(group);
  u32(0);

  // ---- gas, water and heat
  const u64 = (value: number | undefined) => {
    const whole = value === undefined ? 0xffff_ffff_ffff_ffffn : BigInt(Math.round(Math.max(0, value)));
    for (const shift of [48n, 32n, 16n, 0n]) u16(Number((whole >> shift) & 0xffffn));
  };
  const age = (device: LiveDevice | undefined) =>
    device ? Math.min(0xffff_fffe, Math.max(0, Math.floor((now - device.seen) / 1000))) : 0xffff_ffff;
  const others = picture.others.slice(0, CHANNELS);
  u16(OTHER_MODEL);
  u16(OTHER_LENGTH);
  u32(age(meter));
  u16(others.length);
  u16(NONE_INT16);
  for (let i = 0; i < CHANNELS; i++) {
    const device = others[i];
    u16(device ? (MEDIA[device.medium] ?? NONE_UINT16) : NONE_UINT16);
    text(device?.id ?? '', 8);
    u64(totalOf(device, 'm3', 1000));
    u64(totalOf(device, 'J', 0.001) ?? totalOf(device, 'Wh', 3.6));
    u32(age(device));
    u16(NONE_INT16);
  }
  u16(0xffff);
  u16(0);
  return out;
}

/** The main register of that unit: the first that counts and is of now. */
function totalOf(device: LiveDevice | undefined, unit: string, factor: number): number | undefined {
  for (const { key, item, value } of device?.values.values() ?? [])
    if (item.unit === unit && typeof value !== 'string' && !key.includes('_'))
      return toNumber(value, item.scaler) * factor;
  return undefined;
}
