/**
 * Logical devices of the virtual meter (IEC 62056-6-2 clauses 4.4.3 to 4.4.5): which objects are in which, and the associations.
 *
 * Decides: SAP 1 is the Management logical device, the whole meter with its module; SAP 16 the Metering logical device, what is
 * measured alone. Each has the associations public, reader, management and firmware, with logical names and with short ones.
 * A device is shared by all meters of one kind. Leaves out: connections (listen.ts).
 */
import { type AssociationDefinition, createLogicalDevice } from '@amiable/cosem';
import {
  type AssociationContext,
  LN_CONFORMANCE,
  type LogicalDevice,
  type Protection,
  RESULT,
  SN_CONFORMANCE,
} from '@amiable/dlms';
import { quickCrypto } from '@amiable/io';
import type { MeterConfig, SlaveSettings } from '../electricity/index.ts';
import { ASSOCIATIONS, type AssociationName, LEVELS, type MeterObject } from './define.ts';
import type { KeyOwner } from './keys.ts';
import { calendarObjects } from './objects/calendar.ts';
import { clockObject } from './objects/clock.ts';
import { actionSchedules, disconnectControl, imageTransfer, scriptTables } from './objects/control.ts';
import { displayObjects, identifications, statusObjects } from './objects/identity.ts';
import { portObjects } from './objects/ports.ts';
import { eventLogs, masterProfiles } from './objects/profiles.ts';
import { demandSupervision, energyRegisters, qualityRegisters, supervision } from './objects/registers.ts';
import { SECURITY_SETUPS, securityObjects } from './objects/security.ts';
import { slaveObjects } from './objects/slaves.ts';
import { readAttributesWith } from './push.ts';
import type { ServedMeter } from './served.ts';

/** Server SAPs. */
export const SAP = { management: 1, metering: 16 } as const;
export type LogicalDeviceName = keyof typeof SAP;

/** Client SAPs: with logical names, with short names. */
export const CLIENTS: Readonly<Record<AssociationName, readonly [ln: number, sn: number]>> = {
  public: [16, 48],
  reader: [2, 34],
  management: [1, 33],
  firmware: [3, 35],
};

const hasDisconnecter = (config: MeterConfig): boolean => config.disconnecter;

/** All objects of the Management logical device. */
export function managementObjects(config: MeterConfig, slaves: readonly (SlaveSettings | undefined)[]): MeterObject[] {
  const disconnecter = hasDisconnecter(config);
  return [
    ...identifications(),
    clockObject(),
    ...energyRegisters(),
    ...qualityRegisters(config.type === 'polyphase'),
    ...masterProfiles(),
    ...eventLogs(config),
    ...calendarObjects(),
    ...supervision(),
    ...demandSupervision(),
    ...(disconnecter ? [disconnectControl()] : []),
    ...scriptTables(disconnecter),
    ...actionSchedules(disconnecter),
    imageTransfer(),
    ...statusObjects(config),
    ...displayObjects(),
    ...slaveObjects(slaves),
    ...securityObjects(),
    ...portObjects(config),
  ];
}

const METERING = new Set([
  '1-0:0.0.0',
  '0-0:42.0.0',
  '1-0:0.2.0',
  '0-0:1.0.0',
  '0-0:97.97.0',
  '0-0:96.5.0',
  '0-0:96.14.0',
  '0-0:96.10.1',
]);

/** What the basic meter measures, and its profiles; nothing can be changed here but the clock's time. */
export function meteringObjects(config: MeterConfig): MeterObject[] {
  const measured = new Set(
    [...energyRegisters(), ...qualityRegisters(config.type === 'polyphase'), ...masterProfiles()].map(
      (o) => o.logicalName,
    ),
  );
  return managementObjects(config, []).filter((o) => measured.has(o.logicalName) || METERING.has(o.logicalName));
}

/** Names of the physical device's logical devices, for SAP assignment. */
export function sapList(m: ServedMeter): readonly { readonly sap: number; readonly name: string }[] {
  return (Object.keys(SAP) as LogicalDeviceName[]).map((name) => ({ sap: SAP[name], name: deviceName(m, name) }));
}

/** The manufacturer serial number; two logical devices must not have one name, so the second adds its SAP. */
export function deviceName(m: ServedMeter, device: LogicalDeviceName): string {
  const serial = m.engine.identification('meter-serial');
  return device === 'management' ? serial : `${serial.slice(0, 13)}/16`;
}

const protection = (policy: number, shift: 0 | 3): Protection => ({
  authenticated: (policy & (0x04 << shift)) !== 0,
  encrypted: (policy & (0x08 << shift)) !== 0,
});

function ciphered(owner: KeyOwner): Pick<AssociationDefinition<ServedMeter>, 'security' | 'securitySetup'> {
  return {
    securitySetup: SECURITY_SETUPS[owner],
    security(m) {
      const { suite, systemTitle, sets } = m.credentials;
      const { stored, counter, peerCounter } = sets[owner];
      return {
        suite,
        ownSystemTitle: systemTitle,
        keys: {
          unicast: stored.unicast,
          broadcast: stored.broadcast,
          authentication: stored.authentication,
          master: stored.master,
        },
        send: protection(stored.policy, 3),
        require: protection(stored.policy, 0),
        counter,
        peerCounter,
        crypto: quickCrypto,
      };
    },
  };
}

function terms(name: AssociationName): Partial<AssociationDefinition<ServedMeter>> {
  switch (name) {
    case 'public':
      return {};
    case 'reader':
      return {
        mechanism: 1,
        secret: (m) => m.credentials.stored.password,
        setSecret(m, secret) {
          m.credentials.stored.password = secret;
          m.credentials.save();
        },
      };
    case 'management':
    case 'firmware':
      return { mechanism: 5, ...ciphered(name) };
  }
}

const isCiphered = (name: AssociationName): boolean => name === 'management' || name === 'firmware';

function associations(): AssociationDefinition<ServedMeter>[] {
  const make = (name: AssociationName, sn: boolean): AssociationDefinition<ServedMeter> => ({
    mechanism: 0,
    maxReceivePduSize: 1024,
    ...terms(name),
    name: sn ? `${name}-sn` : name,
    clientSap: CLIENTS[name][sn ? 1 : 0],
    applicationContexts: [sn ? (isCiphered(name) ? 4 : 2) : isCiphered(name) ? 3 : 1],
    conformance: sn ? SN_CONFORMANCE : LN_CONFORMANCE,
    // Version 2 for logical names: clients of Gurux ask for attributes 10 and 11 of any and end when they are not there.
    objectVersion: sn ? (isCiphered(name) ? 4 : 2) : isCiphered(name) ? 3 : 2,
  });
  return [...ASSOCIATIONS.map((name) => make(name, false)), ...ASSOCIATIONS.map((name) => make(name, true))];
}

/** Both logical devices of a kind of meter. */
export interface Devices {
  readonly management: LogicalDevice<ServedMeter>;
  readonly metering: LogicalDevice<ServedMeter>;
}

const made = new Map<string, Devices>();

function kindOf(config: MeterConfig, slaves: readonly (SlaveSettings | undefined)[]): string {
  const behind = slaves.map((s) => (s ? `${s.medium}/${s.obis}/${s.unit}/${s.scaler}` : ''));
  return [config.type, config.module, config.disconnecter, config.interface, config.extraInput, ...behind].join('|');
}

/** Made once for each kind of meter and of slaves behind it. */
export function devicesOf(m: ServedMeter): Devices {
  const { config, parameters } = m.engine;
  const key = kindOf(config, parameters.slaves);
  let devices = made.get(key);
  if (!devices) {
    if (made.size >= 256) made.clear();
    devices = {
      management: living(makeDevice('management', managementObjects(config, parameters.slaves))),
      metering: living(makeDevice('metering', meteringObjects(config))),
    };
    made.set(key, devices);
  }
  return devices;
}

const SAP_RIGHTS = LEVELS.open;

function makeDevice(name: LogicalDeviceName, objects: readonly MeterObject[]): LogicalDevice<ServedMeter> {
  const rights = Object.fromEntries(
    ASSOCIATIONS.flatMap((a) => [
      [a, SAP_RIGHTS[a] === 'full' ? 'full' : 'read'] as const,
      [`${a}-sn`, 'read'] as const,
    ]),
  );
  return createLogicalDevice<ServedMeter>({
    objects: name === 'management' ? objects : objects.filter((o) => o.logicalName !== '0-0:42.0.0'),
    associations: associations(),
    rights,
    name: (m) => deviceName(m, name),
    sapList,
  });
}

/** The meter lives on before it answers; while its module has no mains it answers nothing of use. */
function living(device: LogicalDevice<ServedMeter>): LogicalDevice<ServedMeter> {
  const up = (context: AssociationContext<ServedMeter>): boolean => context.meter.live().powered;
  const down = { error: RESULT.temporaryFailure };
  return {
    profiles: device.profiles,
    profile: (clientSap) => device.profile(clientSap),
    get: (attribute, context) => (up(context) ? device.get(attribute, context) : down),
    set: (attribute, value, context) =>
      up(context) ? changed(context, device.set(attribute, value, context)) : RESULT.temporaryFailure,
    action: (method, parameters, context) => {
      if (!up(context)) return { result: RESULT.temporaryFailure };
      const done = device.action(method, parameters, context);
      changed(context, done.result);
      return done;
    },
    readName: (name, selector, parameters, context) =>
      up(context) ? device.readName(name, selector, parameters, context) : down,
    writeName: (name, selector, parameters, value, context) =>
      up(context)
        ? changed(context, device.writeName(name, selector, parameters, value, context))
        : RESULT.temporaryFailure,
  };
}

function changed(context: AssociationContext<ServedMeter>, result: number): number {
  if (result === RESULT.success) context.meter.changed();
  return result;
}

/** Push reads what management may read. */
readAttributesWith((m, classId, instanceId, attributeId) => {
  const device = devicesOf(m).management;
  const profile = device.profile(CLIENTS.management[0]);
  if (!profile) return undefined;
  const all: Protection = { authenticated: true, encrypted: true };
  const result = device.get(
    { classId, instanceId, attributeId },
    {
      meter: m,
      profile,
      clientSap: profile.clientSap,
      serverSap: SAP.management,
      status: 2,
      applicationContext: 3,
      mechanism: 5,
      conformance: profile.conformance,
      maxReceivePduSize: 1024,
      maxSendPduSize: 0,
      clientSystemTitle: undefined,
      request: all,
      security: undefined,
    },
  );
  return 'data' in result ? result.data : undefined;
});
