/**
 * Identification numbers (§7.4.3): what they are called, how long they may be, who may write them, and their OBIS codes.
 *
 * Decides the rules of both tables. Writing the parameterisation id has consequences (switching.ts). Leaves out COSEM objects.
 */
import { type Core, FIRST_SLAVE } from './core.ts';
import { DONE, refuse } from './outcome.ts';
import type { Medium } from './parameter-types.ts';
import { slaveState } from './slaves.ts';
import type { IdentificationName, Outcome, SlaveIdentificationName } from './state-types.ts';
import { setParameterisationId } from './switching.ts';
import { isParameterisationId } from './tou.ts';

export interface IdentificationRule {
  /** For slaves {medium} is value group A and {channel} value group B. */
  readonly obis: string;
  readonly maxLength: number;
  readonly writable: boolean;
  /** Copied from the basic meter, or the module's own. */
  readonly from: 'meter' | 'module';
  readonly baseName?: number;
}

/** C.1.9 and the like are the short forms of value group C 96. */
export const IDENTIFICATIONS: Readonly<Record<IdentificationName, IdentificationRule>> = {
  'utility-serial': { obis: '1-0:0.0.0', maxLength: 24, writable: false, from: 'meter' },
  'meter-serial': { obis: '0-0:42.0.0', maxLength: 16, writable: false, from: 'meter', baseName: 0xfd00 },
  'module-serial': { obis: '0-1:96.1.9', maxLength: 16, writable: false, from: 'module' },
  'meter-firmware': { obis: '1-0:0.2.0', maxLength: 3, writable: false, from: 'meter' },
  'module-firmware': { obis: '1-1:0.2.0', maxLength: 3, writable: false, from: 'module', baseName: 0xff00 },
  'configuration-id': { obis: '1-0:96.90.0', maxLength: 16, writable: false, from: 'module' },
  'parameterisation-id': { obis: '1-0:0.2.1', maxLength: 3, writable: true, from: 'module' },
  'utility-serial-2.1': { obis: '0-0:96.1.0', maxLength: 8, writable: true, from: 'module' },
  'utility-serial-2.2': { obis: '0-0:96.1.1', maxLength: 8, writable: true, from: 'module' },
};

export const SLAVE_IDENTIFICATIONS: Readonly<Record<SlaveIdentificationName, IdentificationRule>> = {
  'utility-serial': { obis: '{medium}-{channel}:0.0.0', maxLength: 32, writable: true, from: 'module' },
  'manufacturer-serial': { obis: '{medium}-{channel}:0.0.9', maxLength: 16, writable: true, from: 'module' },
  'ocr-serial': { obis: '0-{channel}:96.1.0', maxLength: 16, writable: true, from: 'module' },
  // The system description leaves this code open ("t.b.d."); this is ours.
  'configuration-id': { obis: '0-{channel}:96.90.0', maxLength: 16, writable: true, from: 'module' },
};

/** Value group A. */
export const MEDIUM_CODE: Readonly<Record<Medium, number>> = {
  electricity: 1,
  heat: 6,
  gas: 7,
  'water-cold': 8,
  'water-hot': 9,
};

/** The OBIS code of a slave's identification; channels count from 0, as value group B does here. */
export function slaveObis(name: SlaveIdentificationName, medium: Medium, channel: number): string {
  return SLAVE_IDENTIFICATIONS[name].obis
    .replace('{medium}', String(MEDIUM_CODE[medium]))
    .replace('{channel}', String(channel));
}

/** Alphanumerical: printable ASCII. */
const PRINTABLE = /^[\x20-\x7e]*$/;

function check(rule: IdentificationRule, text: string): Outcome | undefined {
  if (!rule.writable) return refuse('read-only', `${rule.obis} cannot be written`);
  if (text.length > rule.maxLength)
    return refuse('range', `${rule.obis} has ${text.length} characters; at most ${rule.maxLength}`);
  if (!PRINTABLE.test(text)) return refuse('range', `${rule.obis} has characters that are not printable ASCII`);
  return undefined;
}

export function writeIdentification(core: Core, name: IdentificationName, text: string): Outcome {
  if (!core.s.powered) return refuse('power-down', 'the module has no mains');
  const no = check(IDENTIFICATIONS[name], text);
  if (no) return no;
  if (name === 'parameterisation-id') {
    if (!isParameterisationId(text)) return refuse('range', `parameterisation ID ${text}; 0 to 255 are possible`);
    setParameterisationId(core, text);
  } else core.s.ids[name] = text;
  return DONE;
}

export function writeSlaveIdentification(
  core: Core,
  channel: number,
  name: SlaveIdentificationName,
  text: string,
): Outcome {
  if (!core.s.powered) return refuse('power-down', 'the module has no mains');
  if (!Number.isInteger(channel) || channel < 0 || channel + FIRST_SLAVE >= core.rings.length)
    return refuse('unknown', `there is no slave channel ${channel}`);
  const no = check(SLAVE_IDENTIFICATIONS[name], text);
  if (no) return no;
  slaveState(core, channel).ids[name] = text;
  return DONE;
}

export function identification(core: Core, name: IdentificationName): string {
  const { identity, s } = core;
  switch (name) {
    case 'utility-serial':
      return identity.utilitySerial;
    case 'meter-serial':
      return identity.meterSerial;
    case 'module-serial':
      return identity.moduleSerial;
    case 'meter-firmware':
      return identity.meterFirmware ?? 'M10';
    case 'module-firmware':
      return s.ids[name] ?? identity.moduleFirmware ?? 'T10';
    case 'configuration-id':
      return identity.configurationId ?? '';
    default:
      return s.ids[name] ?? (name === 'parameterisation-id' ? (core.parameters.tou.parameterisationId ?? '0') : '');
  }
}

export const slaveIdentification = (core: Core, channel: number, name: SlaveIdentificationName): string =>
  core.slaves[channel]?.ids[name] ?? '';
