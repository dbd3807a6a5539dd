/**
 * Read-out sets that come with the program: what types of meters deliver (AMI system description §5.7.2, §7.4).
 *
 * Decides: the virtual electricity meter (docs/simulate-meter.md); a meter after the companion specification of the IDIS
 * association, with the logical names that European specifications share. Others are written by API.
 */
import type { ReadoutProfile, ReadoutSet } from './types.ts';

const VIRTUAL: ReadoutSet = {
  identification: ['0-0:42.0.0', '1-0:0.0.0'],
  configuration: ['1-0:0.2.1', '1-0:96.90.0'],
  profiles: [
    { name: 'load', kind: 'profile', obis: '1-0:99.1.0', period: 900, status: 'amiable' },
    { name: 'daily', kind: 'daily', obis: '1-0:98.2.0', period: 86_400, status: 'amiable' },
    { name: 'monthly', kind: 'monthly', obis: '0-0:98.1.0', period: 0, status: 'amiable' },
  ],
  logs: [
    { name: 'standard', obis: '0-0:99.98.0', catalogue: 'amiable-virtual' },
    { name: 'disconnecter', obis: '0-0:99.98.1', catalogue: 'amiable-virtual' },
  ],
  registers: {
    billing: ['1-0:1.8.0', '1-0:1.8.1', '1-0:1.8.2', '1-0:2.8.0', '1-0:2.8.1', '1-0:2.8.2', '1-0:15.8.0'],
    status: ['0-0:96.5.0', '0-0:97.97.0', '0-0:96.14.0', '0-0:96.3.1', '0-0:96.3.2'],
    quality: ['0-0:96.7.0', '0-0:96.7.5', '1-1:32.7.0', '1-1:52.7.0', '1-1:72.7.0'],
    instantaneous: ['1-0:1.7.0', '1-0:2.7.0', '1-1:32.7.0', '1-1:52.7.0', '1-1:72.7.0'],
    outage: ['0-0:96.7.0', '0-0:96.7.5', '0-0:96.7.20'],
  },
  clock: '0-0:1.0.0',
};

/**
 * With slaves on its M-Bus: each channel has a profile of its own (0-n:24.3.0), hourly as the meter is delivered, and its one
 * column has the slave's own code. Few have all four.
 */
const VIRTUAL_SLAVES: ReadoutSet = {
  ...VIRTUAL,
  profiles: [
    ...VIRTUAL.profiles,
    ...[1, 2, 3, 4].map(
      (channel): ReadoutProfile => ({
        name: `slave-${channel}`,
        kind: 'profile',
        obis: `0-${channel}:24.3.0`,
        period: 3600,
        status: 'amiable',
        optional: true,
      }),
    ),
  ],
};

const IDIS: ReadoutSet = {
  identification: ['0-0:42.0.0', '0-0:96.1.0'],
  configuration: ['1-0:0.2.0', '0-0:96.1.4'],
  profiles: [
    { name: 'load', kind: 'profile', obis: '1-0:99.1.0', period: 900 },
    { name: 'daily', kind: 'daily', obis: '1-0:99.2.0', period: 86_400 },
    { name: 'monthly', kind: 'monthly', obis: '0-0:98.1.0', period: 0 },
  ],
  logs: [
    { name: 'standard', obis: '0-0:99.98.0', catalogue: 'dlms' },
    { name: 'fraud', obis: '0-0:99.98.1', catalogue: 'dlms' },
    { name: 'disconnecter', obis: '0-0:99.98.2', catalogue: 'dlms' },
    { name: 'quality', obis: '0-0:99.98.4', catalogue: 'dlms' },
    { name: 'power-failures', obis: '1-0:99.97.0', catalogue: 'dlms' },
  ],
  registers: {
    billing: ['1-0:1.8.0', '1-0:1.8.1', '1-0:1.8.2', '1-0:2.8.0', '1-0:2.8.1', '1-0:2.8.2'],
    status: ['0-0:97.97.0', '0-0:97.98.0', '0-0:96.14.0', '0-0:96.3.10'],
    quality: ['0-0:96.7.21', '1-0:32.7.0', '1-0:52.7.0', '1-0:72.7.0'],
    instantaneous: ['1-0:1.7.0', '1-0:2.7.0', '1-0:32.7.0', '1-0:52.7.0', '1-0:72.7.0'],
    outage: ['0-0:96.7.21', '0-0:96.7.9'],
  },
  clock: '0-0:1.0.0',
};

/** Over IEC 62056-21, with the codes of the VDEW lists: P.01, P.98, and the billing history of the read-out. */
const VDEW: ReadoutSet = {
  identification: ['0-0:96.1.0', '1-0:0.0.0', '1-0:0.0.1', '1-0:0.0.9'],
  profiles: [
    { name: 'load', kind: 'profile', obis: '1-0:99.1.0', period: 900 },
    { name: 'monthly', kind: 'monthly', obis: '0-0:98.1.0', period: 0 },
  ],
  logs: [{ name: 'standard', obis: '1-0:99.98.0', catalogue: 'p98' }],
  registers: {
    billing: ['1-0:1.8.0', '1-0:1.8.1', '1-0:1.8.2', '1-0:2.8.0', '1-0:2.8.1', '1-0:2.8.2', '1-0:1.6.0'],
    status: ['0-0:97.97.0'],
    instantaneous: ['1-0:1.7.0', '1-0:2.7.0', '1-0:32.7.0', '1-0:52.7.0', '1-0:72.7.0'],
  },
  clock: '0-0:1.0.0',
};

/** The virtual electricity meter behind its optical port. */
const VIRTUAL_IEC: ReadoutSet = {
  ...VDEW,
  profiles: [
    { name: 'load', kind: 'profile', obis: '1-0:99.1.0', period: 900, status: 'amiable' },
    { name: 'monthly', kind: 'monthly', obis: '0-0:98.1.0', period: 0 },
  ],
  logs: [{ name: 'standard', obis: '1-0:99.98.0', catalogue: 'amiable-virtual' }],
};

export const BUILT_IN_SETS: ReadonlyMap<string, ReadoutSet> = new Map([
  ['amiable-virtual', VIRTUAL],
  ['amiable-virtual-slaves', VIRTUAL_SLAVES],
  ['idis', IDIS],
  ['vdew', VDEW],
  ['amiable-virtual-iec', VIRTUAL_IEC],
]);
