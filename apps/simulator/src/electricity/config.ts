/** Ordinary configurations, to begin from. The keyed hash is passed in: this engine has no cryptography of its own. */
import { part, swing } from '../house/noise.ts';
import { MINUTE, SECOND } from './core.ts';
import type { FirmwareConfig, MeterConfig, MeterIdentity } from './types.ts';

const DAY = 24 * 60 * MINUTE;

export const firmwareConfig = (
  hmac: FirmwareConfig['hmac'],
  key: Uint8Array,
  profile: FirmwareConfig['profile'] = 'hmac-sha-256',
): FirmwareConfig => ({
  key,
  profile,
  hmac,
  blockSize: 200,
  maxImage: 262_144,
  verifyTime: 2 * SECOND,
  activateTime: 15 * SECOND,
});

/** A polyphase meter with PLC module, disconnecter and relay output, unless said otherwise. */
export const meterConfig = (
  zone: string,
  firmware: FirmwareConfig,
  change: Partial<MeterConfig> = {},
): MeterConfig => ({
  type: 'polyphase',
  module: 'plc',
  zone,
  disconnecter: true,
  interface: 'relay',
  extraInput: 'none',
  nominalVoltage: 230,
  voltageErrorPercent: 0,
  driftPpm: 0,
  clockReserve: 7 * DAY,
  lowRate: 2,
  statusBits: 16,
  firmware,
  ...change,
});

/** Serial numbers that follow from a number; 99 at the beginning belongs to no real meter. */
export function meterIdentity(number: number): MeterIdentity {
  const digits = String(number % 1_000_000).padStart(6, '0');
  return {
    utilitySerial: `99${String(number).padStart(14, '0')}`,
    meterSerial: `AMI99${digits}`,
    moduleSerial: `AMI98${digits}`,
    configurationId: 'AMIABLE-1',
  };
}

/** The same with a clock and a measurement of its own: within 20 ppm and 1 %, by seed. */
export const variedIdentity = (number: number, seed: number): MeterIdentity => ({
  ...meterIdentity(number),
  driftPpm: Math.round(20 * swing(part(seed, 90), number)),
  voltageErrorPercent: Math.round(100 * swing(part(seed, 91), number)) / 100,
});
