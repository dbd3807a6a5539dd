/** Codes of ESPI reading types (NAESB REQ.21; the same lists as IEC 61968-9) for our quantities, and of the quality of readings. */
import { QUANTITIES, type Quality } from '@amiable/model';

export interface EspiKind {
  readonly commodity: number;
  readonly flow: number;
  readonly kind: number;
  readonly uom: number;
  /** ServiceCategory: 0 electricity, 1 gas, 2 water, 4 heat. */
  readonly service: number;
}
const energy = (flow: number, uom: number, commodity = 1, service = 0): EspiKind => ({
  commodity,
  flow,
  kind: 12,
  uom,
  service,
});
export const ESPI_KINDS: Readonly<Record<string, EspiKind>> = {
  energyImport: energy(1, 72),
  energyExport: energy(19, 72),
  reactiveImport: energy(1, 73),
  reactiveExport: energy(19, 73),
  apparentImport: energy(1, 71),
  gasVolume: { commodity: 7, flow: 1, kind: 58, uom: 42, service: 1 },
  waterVolume: { commodity: 9, flow: 1, kind: 58, uom: 42, service: 2 },
  heatEnergy: energy(1, 72, 12, 4),
  coolingEnergy: energy(1, 72, 13, 4),
};

/** Powers of ten that UnitMultiplierKind has. */
const MULTIPLIERS = [-12, -9, -6, -3, -2, -1, 0, 1, 2, 3, 6, 9];
/** The largest that is not above the scaler: values stay whole numbers. */
export const multiplierFor = (scaler: number): number => MULTIPLIERS.findLast((m) => m <= scaler) ?? -12;

/** Files of others leave out what is usual: energy that was delivered, in Wh. */
export function meaningOfEspi(
  type: ReadonlyMap<string, number>,
): { readonly quantity: string; readonly unit: string } | undefined {
  const uom = type.get('uom');
  const flow = type.get('flowDirection') ?? 1;
  const commodity = type.get('commodity') ?? 1;
  const found = Object.entries(ESPI_KINDS).find(
    ([, one]) =>
      one.uom === uom &&
      (one.flow === flow || (flow === 0 && one.flow === 1)) &&
      (one.commodity === commodity || (one.commodity === 1 && (commodity === 0 || commodity === 2))),
  );
  const base = QUANTITIES.find((quantity) => quantity.name === found?.[0]);
  return found && base && { quantity: found[0], unit: base.unit };
}

/** QualityOfReading. */
const QUALITY_CODES: Readonly<Record<Quality, number>> = {
  measured: 17,
  calculated: 11,
  edited: 7,
  estimated: 8,
  missing: 16,
};
export const espiQuality = (quality: Quality): number => QUALITY_CODES[quality];
const MEANT: Readonly<Record<number, Quality>> = {
  7: 'edited',
  8: 'estimated',
  9: 'estimated',
  11: 'calculated',
  12: 'estimated',
  13: 'estimated',
};
export const espiQualityMeant = (code: number): Quality => MEANT[code] ?? 'measured';
