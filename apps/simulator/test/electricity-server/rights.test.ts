/** Rights of every association, by attribute and method, against the table they are documented from. */
import { obisToBytes } from '@amiable/cosem';
import type { AssociationContext, ClientProfile, LogicalDevice } from '@amiable/dlms';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ASSOCIATIONS, type AssociationName, LEVELS } from '../../src/electricity-server/define.ts';
import { devicesOf, managementObjects } from '../../src/electricity-server/devices.ts';
import type { ServedMeter } from '../../src/electricity-server/served.ts';
import { stand } from './helpers.ts';

const DENIED = 3;
const UNDEFINED = 4;
const { meter } = stand({ slaves: ['gas'] });
const objects = managementObjects(meter.engine.config, meter.engine.parameters.slaves);
const device: LogicalDevice<ServedMeter> = devicesOf(meter).management;

function context(name: string, isProtected: boolean): AssociationContext<ServedMeter> {
  const profile = device.profiles.find((p) => p.name === name) as ClientProfile<ServedMeter>;
  return {
    meter,
    profile,
    clientSap: profile.clientSap,
    serverSap: 1,
    status: 2,
    applicationContext: profile.applicationContexts[0] ?? 1,
    mechanism: profile.mechanism,
    conformance: profile.conformance,
    maxReceivePduSize: 1024,
    maxSendPduSize: 0,
    clientSystemTitle: undefined,
    request: { authenticated: isProtected, encrypted: isProtected },
    security: undefined,
  };
}

const anyone = fc.constantFrom(...ASSOCIATIONS);
const anything = fc.constantFrom(...objects);
/** A value that no attribute takes: whoever may write is told so, others are denied before. */
const NONSENSE = Uint8Array.of(0x17, 0, 0, 0, 0);

test('reads, writes and invocations are allowed to whom the table allows them, whatever the order', () => {
  fc.assert(
    fc.property(
      anyone,
      anything,
      fc.integer({ min: 1, max: 16 }),
      fc.boolean(),
      fc.boolean(),
      (who: AssociationName, object, index, sn, isProtected) => {
        const level = LEVELS[object.level][who];
        const asks = context(sn ? `${who}-sn` : who, isProtected);
        const at = { classId: object.classId, instanceId: obisToBytes(object.logicalName), attributeId: index };
        const attribute = object.attributes?.[index];
        const accessors = attribute !== undefined && !(attribute instanceof Uint8Array);
        const readable = attribute !== undefined && (!accessors || 'get' in attribute);
        const writable = accessors && 'set' in attribute && attribute.set !== undefined;

        const got = device.get(at, asks);
        if (level === 'none') expect(got).toEqual({ error: UNDEFINED });
        else if (index === 1) expect('data' in got).toBe(true);
        else if (attribute === undefined) expect(got).toEqual({ error: UNDEFINED });
        else {
          const needsProtection = level === 'full' && writable;
          expect('data' in got).toBe(readable && (!needsProtection || isProtected));
        }

        const set = device.set(at, NONSENSE, asks);
        const may = level === 'full' && writable && isProtected;
        if (level === 'none') expect(set).toBe(UNDEFINED);
        else if (!may) expect([DENIED, UNDEFINED]).toContain(set);
        else expect([DENIED, UNDEFINED, 0]).not.toContain(set);

        if (object.methods?.[index] && level !== 'full') {
          const { result } = device.action({ ...at, methodId: index }, undefined, asks);
          expect(result).toBe(level === 'none' ? UNDEFINED : DENIED);
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('the public client sees no consumption', () => {
  const open = objects.filter((o) => LEVELS[o.level].public !== 'none').map((o) => o.logicalName);
  expect(open).not.toContain('1-0:1.8.0');
  expect(open).toContain('0-0:43.1.1');
  expect(open.length).toBeLessThan(14);
});
