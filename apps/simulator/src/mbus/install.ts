/**
 * What hangs on a bus: slaves of the kinds that were asked for, all of one household, with identities out of a seed.
 *
 * Decides: addresses count on from 1; an RF converter brings two radio devices, an OCR module on a cold water meter and a wireless
 * gas smart module; secondary addresses differ unless they are to collide. Leaves out the line (run.ts, meter-port.ts).
 */
import type { SlaveIdentity } from '@amiable/mbus';
import { between, hash, part, swing, unit } from '../house/noise.ts';
import { type Consumption, createConsumption } from './consumption.ts';
import { createConverter } from './converter.ts';
import type { MbusDevice } from './device.ts';
import { createGasDevice } from './gas-device.ts';
import { type CommunicationModule, createGasModule, type GasModule, type GasParameters } from './gas-module/index.ts';
import { createMeterDevice } from './meters.ts';
import { createOcrDevice } from './ocr.ts';
import { createDeviceSlave, type DeviceSlave, type SlaveFault } from './slave.ts';

export const SLAVE_KINDS = [
  'gas',
  'water-cold',
  'water-hot',
  'heat',
  'electricity',
  'ocr-gas',
  'ocr-water',
  'gas-module',
  'rf',
] as const;
export type SlaveKind = (typeof SLAVE_KINDS)[number];

export interface InstallOptions {
  readonly seed: number;
  /** Weather of the street; the seed unless said. */
  readonly street?: number;
  readonly zone: string;
  readonly kinds: readonly SlaveKind[];
  /** Where the gas smart modules begin to live. */
  readonly start: number;
  readonly baud?: number;
  /** Faults by number of the slave, from 1. */
  readonly faults?: ReadonlyMap<number, SlaveFault>;
  /**
   * `identification`: all slaves have the same eight digits and differ in version or medium; `full`: the whole secondary
   * address is the same, only the fabrication number tells them apart; `primary`: all stand at address 1.
   */
  readonly collide?: 'identification' | 'full' | 'primary';
  /** For gas smart modules. */
  readonly gas?: { readonly parameters?: Partial<GasParameters>; readonly credit?: number };
  readonly consumption?: Consumption;
  now(): number;
  gave?(device: MbusDevice, telegrams: readonly Uint8Array[]): void;
}

export interface Installation {
  readonly slaves: readonly DeviceSlave[];
  /** Those that send over the air as well. */
  readonly radios: readonly MbusDevice[];
  readonly consumption: Consumption;
}

/** s between a radio device's sendings. */
export const SEND_EVERY = 900;

export function digitsOf(seed: number, n: number): string {
  return String(10_000_000 + ((hash(part(seed, 77), n) >>> 0) % 89_999_999));
}

export function gasModuleOf(
  options: Pick<InstallOptions, 'seed' | 'zone' | 'start' | 'gas'>,
  consumption: Consumption,
  n: number,
  module: CommunicationModule,
): GasModule {
  const { seed, zone, start, gas } = options;
  const s = part(seed, 78);
  const flow = consumption.flow('gas');
  return createGasModule({
    identity: { identification: digitsOf(seed, n), manufacturer: 'AMI', version: 0x50, firmware: 'G01' },
    config: {
      casework: unit(s, n) < 0.5 ? 'single-pipe' : '250mm',
      zone,
      errorShare: swing(s, n),
      sendEvery: SEND_EVERY,
    },
    start,
    module,
    volume: flow.total(start),
    source: {
      rate: flow.rate,
      next: flow.next,
      temperature: consumption.gasTemperature,
      // The net's pressure sways a little; 21 mbar is usual.
      pressure: (at) => 21 + 2 * swing(s, Math.floor(at / 300_000)),
    },
    ...(gas?.parameters && { parameters: gas.parameters }),
    ...(gas?.credit !== undefined && { credit: gas.credit }),
  });
}

export function install(options: InstallOptions): Installation {
  const { seed, zone, kinds, now } = options;
  const consumption = options.consumption ?? createConsumption({ seed, street: options.street ?? seed, zone });
  const devices: MbusDevice[] = [];
  const radios: MbusDevice[] = [];
  const ocr = (supply: 'gas' | 'water-cold', n: number): MbusDevice =>
    createOcrDevice({
      supply,
      identification: digitsOf(seed, n),
      consumption,
      zone,
      seed: part(seed, n),
      utilitySerial: `99${supply === 'gas' ? 'G' : 'W'}${digitsOf(seed, n + 500)}`,
      manufacturerSerial: `AMI${between(part(seed, 79), n, 0, 10_000_000, 99_999_999)}`,
      configurationId: `OCR-${supply === 'gas' ? 'G' : 'W'}-01`,
    });
  kinds.forEach((kind, i) => {
    const n = (i + 1) * 10;
    switch (kind) {
      case 'ocr-gas':
      case 'ocr-water':
        devices.push(ocr(kind === 'ocr-gas' ? 'gas' : 'water-cold', n));
        break;
      case 'gas-module':
        devices.push(createGasDevice(gasModuleOf(options, consumption, n, 'wired')));
        break;
      case 'rf': {
        const air = [ocr('water-cold', n + 1), createGasDevice(gasModuleOf(options, consumption, n + 2, 'wireless'))];
        const converter = createConverter({
          identification: digitsOf(seed, n),
          radios: air.map((device) => ({ device, every: SEND_EVERY })),
          zone,
          seed: part(seed, n),
        });
        devices.push(converter, ...converter.proxies);
        radios.push(...air);
        break;
      }
      default:
        devices.push(createMeterDevice({ supply: kind, identification: digitsOf(seed, n), consumption, zone }));
    }
  });
  const first = devices[0]?.identity.identification ?? '';
  const slaves = devices.map((device, i) => {
    const fault = options.faults?.get(i + 1);
    const secondary = collided(device.identity, i, first, options.collide);
    return createDeviceSlave({
      device,
      address: options.collide === 'primary' ? 1 : i + 1,
      now,
      ...(options.baud !== undefined && { baud: options.baud }),
      ...(fault && { fault }),
      ...(secondary && { secondary }),
      ...(options.gave && { gave: options.gave }),
    });
  });
  return { slaves, radios, consumption };
}

function collided(
  own: SlaveIdentity,
  i: number,
  first: string,
  how: InstallOptions['collide'],
): SlaveIdentity | undefined {
  if (how === 'identification') return { ...own, identification: first, version: i + 1 };
  if (how === 'full') return { ...own, identification: first, version: 1, medium: 0x07 };
  return undefined;
}
