/** The whole meter, read by every association over every way; the other logical device, the meter on the current loop, fleets. */
import { obisFromBytes } from '@amiable/cosem';
import { virtualClock } from '@amiable/io';
import type { Session } from '@amiable/meter';
import { describe, expect, test } from 'vitest';
import { constantSource } from '../../src/electricity/index.ts';
import { ASSOCIATIONS, LEVELS } from '../../src/electricity-server/define.ts';
import { managementObjects } from '../../src/electricity-server/devices.ts';
import { virtualMeter } from '../../src/electricity-server/factory.ts';
import { createServer, fleetDirectory, LOWER, singleDirectory } from '../../src/electricity-server/listen.ts';
import { HOUR, open, read, START, type Stand, stand } from './helpers.ts';

/** Reads what the list says can be read; with short names the list tells no rights, so what the source says. */
async function readAll(session: Session, readable: ReadonlyMap<string, readonly number[]>) {
  const objects = await session.objects();
  const failed: string[] = [];
  let values = 0;
  for (const { classId, instanceId, attributes } of objects) {
    const key = `${classId}/${obisFromBytes(instanceId)}`;
    const ids = attributes
      ? attributes.filter(({ id, access }) => (access & 1) !== 0 && id > 0).map(({ id }) => id)
      : (readable.get(key) ?? []);
    for (const attributeId of ids) {
      try {
        await session.get({ classId, instanceId, attributeId });
        values++;
      } catch (error) {
        failed.push(`${key}/${attributeId}: ${(error as Error).message}`);
      }
    }
  }
  return { objects: objects.length, values, failed };
}

const CASES = ASSOCIATIONS.flatMap((as) =>
  (['LN', 'SN'] as const).flatMap((referencing) =>
    (['wrapper', 'hdlc'] as const).map((transport) => ({ as, referencing, transport })),
  ),
);

describe('every association reads all that it lists', () => {
  test.each(CASES)('$as $referencing $transport', async ({ as, referencing, transport }) => {
    const at = stand({ slaves: ['gas', 'water-cold'], config: { module: transport === 'hdlc' ? 'gprs' : 'plc' } });
    const session = await open(at, { as, referencing, transport });
    const objects = managementObjects(at.meter.engine.config, at.meter.engine.parameters.slaves);
    const mine = objects.filter((o) => LEVELS[o.level][as] !== 'none');
    const readable = new Map(
      mine.map((o) => [
        `${o.classId}/${o.logicalName}`,
        Object.entries(o.attributes ?? {})
          .filter(([, a]) => a instanceof Uint8Array || 'get' in a)
          .map(([index]) => Number(index)),
      ]),
    );
    const all = await readAll(session, readable);
    expect(all.failed).toEqual([]);
    // The objects of the source, and those of associations and of SAP assignment.
    expect(all.objects).toBe(mine.length + 3);
    expect(all.values).toBeGreaterThanOrEqual([...readable.values()].flat().length);
    expect(await read(session, 1, '0-0:42.0.0')).toBe('AMI99000001');
    await session.release();
  });

  test.each([1, 2] as const)('management in suite %i', async (suite) => {
    const at = stand({ suite });
    for (const referencing of ['LN', 'SN'] as const) {
      const session = await open(at, { as: 'management', referencing });
      expect(await read(session, 64, '0-0:43.0.1', 3)).toBe(suite);
      await session.release();
    }
  });

  test('a single-phase meter without disconnecter', async () => {
    const at = stand({
      config: { type: 'single-phase', module: 'gprs', disconnecter: false, interface: 's0', extraInput: 's0' },
    });
    const session = await open(at, { as: 'reader' });
    const names = (await session.objects()).map(({ instanceId }) => obisFromBytes(instanceId));
    expect(names).toContain('1-1:31.7.0');
    expect(names).toContain('0-0:96.128.60');
    for (const absent of ['1-1:52.7.0', '0-0:96.3.10', '0-0:99.98.1', '0-0:10.0.106'])
      expect(names).not.toContain(absent);
    at.meter.live().addInputPulses(5);
    expect(await read(session, 3, '0-0:96.128.61')).toBe(5);
  });
});

describe('what it says', () => {
  test('energy grows by what is drawn; power, voltage and units are right', async () => {
    const at = stand();
    const session = await open(at, { as: 'reader' });
    const before = (await read(session, 3, '1-0:1.8.0')) as number;
    await at.clock.advance(2 * HOUR);
    expect(((await read(session, 3, '1-0:1.8.0')) as number) - before).toBe(3000);
    expect(await read(session, 3, '1-0:1.8.0', 3)).toEqual([0, 30]);
    expect(await read(session, 3, '1-0:1.7.0')).toBe(1500);
    expect(await read(session, 3, '1-1:52.7.0')).toBe(2310);
    expect(await read(session, 3, '1-1:52.7.0', 3)).toEqual([-1, 35]);
    expect(await read(session, 1, '0-0:96.14.0')).toBe(1);
  });

  test('both logical devices are in the SAP list, each under its own name', async () => {
    const at = stand();
    const session = await open(at, { as: 'public' });
    expect(await read(session, 17, '0-0:41.0.0')).toEqual([
      [1, 'AMI99000001'],
      [16, 'AMI99000001/16'],
    ]);
    const metering = await open(at, { as: 'reader', server: 16 });
    expect(await read(metering, 1, '0-0:42.0.0')).toBe('AMI99000001/16');
    expect(await read(metering, 3, '1-0:1.8.0')).toBe(await read(await open(at, { as: 'reader' }), 3, '1-0:1.8.0'));
    await expect(read(metering, 18, '0-0:44.0.0')).rejects.toThrow(/object-undefined/);
  });

  test('without mains nobody is there, and associations are gone', async () => {
    const at = stand();
    const session = await open(at, { as: 'reader' });
    at.meter.live().setMains(false);
    await at.clock.advance(10_000);
    await expect(read(session, 3, '1-0:1.8.0')).rejects.toThrow(/temporary-failure/);
    await at.clock.advance(1);
    expect([...at.server.associations()].filter(({ status }) => status !== 0)).toEqual([]);
    at.meter.live().setMains(true);
    await at.clock.advance(120_000);
    const again = await open(at, { as: 'reader' });
    expect(await read(again, 3, '0-0:96.7.0')).toBe(1);
  });
});

describe('who is at an address', () => {
  const time = (clock: Stand['clock']) => ({
    seed: 1,
    zone: 'Europe/Oslo',
    suite: 0 as const,
    history: 0,
    source: constantSource([230, 230, 230], [100, 0, 0]),
    now: () => clock.now(),
  });

  test('the meter on the current loop has a lower address of its own', async () => {
    const clock = virtualClock(START);
    const meter = virtualMeter(time(clock), { number: 1, lower: LOWER.own });
    const external = virtualMeter(time(clock), { number: 2, lower: LOWER.external });
    const server = createServer(singleDirectory(meter, external), clock, { inactivity: 0 });
    const names: unknown[] = [];
    for (const [lower, of] of [
      [undefined, meter],
      [LOWER.own, meter],
      [LOWER.external, external],
    ] as const) {
      const wish = { as: 'reader', transport: 'hdlc', ...(lower !== undefined && { lower }) } as const;
      const session = await open({ clock, server, meter: of }, wish);
      names.push(await read(session, 1, '0-0:42.0.0'));
      await session.release();
    }
    expect(names).toEqual(['AMI99000001', 'AMI99000001', 'AMI99000002']);
  });

  test('in a fleet the destination, or the lower address, is the number; nobody else is woken', async () => {
    const clock = virtualClock(START);
    const meters = Array.from({ length: 1000 }, (_, i) => virtualMeter(time(clock), { number: i + 1 }));
    const server = createServer(
      fleetDirectory((number) => meters[number - 1]),
      clock,
      { inactivity: 0 },
    );
    for (const number of [1, 17, 500, 1000]) {
      const at = { clock, server, meter: meters[number - 1] as Stand['meter'] };
      const serial = `AMI99${String(number).padStart(6, '0')}`;
      const wrapped = await open(at, { as: 'reader', server: number });
      expect(await read(wrapped, 1, '0-0:42.0.0')).toBe(serial);
      const framed = await open(at, { as: 'management', transport: 'hdlc', server: 16, lower: number });
      expect(await read(framed, 1, '0-0:42.0.0')).toBe(`${serial}/16`);
      await wrapped.release();
      await framed.release();
    }
    expect(meters.filter((meter) => meter.awake)).toHaveLength(4);
    const nobody = open({ clock, server, meter: meters[0] as Stand['meter'] }, { as: 'public', server: 1001 });
    nobody.catch(() => {});
    await clock.advance(15_000);
    await expect(nobody).rejects.toThrow(/no answer/);
  });
});
