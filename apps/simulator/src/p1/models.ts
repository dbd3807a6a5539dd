/**
 * The P1 meters that can be simulated: what they call themselves, what they send, how often, over what line.
 * - dsmr2: DSMR 2.2 at 9600 7E1, every 10 s, no clock, no check sum. - dsmr4, dsmr5: 115200 8N1, 10 s and 1 s.
 * - emucs: Fluvius, e-MUCS-P1 1.7: peaks, gas as 24.2.3. - luxembourg: Smarty, ciphered. - swedish: all phases, no number.
 */
export type ModelName = 'dsmr2' | 'dsmr4' | 'dsmr5' | 'emucs' | 'luxembourg' | 'swedish';
export type Medium = 'gas' | 'water' | 'heat';

export interface P1Model {
  readonly name: ModelName;
  readonly title: string;
  /** Without the slash. */
  readonly identification: string;
  readonly zone: string;
  /** Milliseconds between telegrams. */
  readonly period: number;
  readonly baud: number;
  /** 7E1: each octet carries its parity in the top bit. */
  readonly seven: boolean;
  readonly checksum: 'crc16' | 'none';
  readonly ciphered: boolean;
  readonly phases: 1 | 3;
  /** Minutes between values of the meters on its M-Bus. */
  readonly capture: number;
  readonly channels: readonly Medium[];
  readonly letters: string;
}

const usual = {
  baud: 115_200,
  seven: false,
  checksum: 'crc16',
  ciphered: false,
  phases: 3,
  channels: ['gas'],
} as const;

export const P1_MODELS: readonly P1Model[] = [
  {
    ...usual,
    name: 'dsmr2',
    title: 'DSMR 2.2',
    identification: 'ISk5\\2MT382-1003',
    zone: 'Europe/Amsterdam',
    period: 10_000,
    baud: 9600,
    seven: true,
    checksum: 'none',
    capture: 60,
    letters: 'ZBEV',
  },
  {
    ...usual,
    name: 'dsmr4',
    title: 'DSMR 4.2',
    identification: 'KFM5KAIFA-METER',
    zone: 'Europe/Amsterdam',
    period: 10_000,
    capture: 60,
    letters: 'E0025',
  },
  {
    ...usual,
    name: 'dsmr5',
    title: 'DSMR 5.0',
    identification: 'ISK5\\2M550T-1012',
    zone: 'Europe/Amsterdam',
    period: 1000,
    capture: 5,
    letters: 'E0044',
  },
  {
    ...usual,
    name: 'emucs',
    title: 'e-MUCS-P1 1.7',
    identification: 'FLU5\\253769484_A',
    zone: 'Europe/Brussels',
    period: 1000,
    capture: 5,
    channels: ['gas', 'water'],
    letters: '1SAG31',
  },
  {
    ...usual,
    name: 'luxembourg',
    title: 'Smarty, ciphered',
    identification: 'Lux5\\253694471_M',
    zone: 'Europe/Luxembourg',
    period: 10_000,
    ciphered: true,
    capture: 60,
    letters: 'SAG103',
  },
  {
    ...usual,
    name: 'swedish',
    title: 'Landis+Gyr E360',
    identification: 'LGF5E360',
    zone: 'Europe/Stockholm',
    period: 10_000,
    capture: 60,
    channels: [],
    letters: '',
  },
];
