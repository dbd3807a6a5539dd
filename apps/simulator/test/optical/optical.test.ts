/** The virtual meter behind its optical port: sessions in virtual time, and once on a real pseudo-terminal at its real pace. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createOpticalSession,
  createReadoutDecoder,
  loadProfiles,
  type OpticalLink,
  type OpticalSession,
  serveOpticalPort,
  visible,
} from '@amiable/iec62056-21';
import { loopback, ptyLink, serialLink, systemClock, type VirtualClock, virtualClock } from '@amiable/io';
import type { Message } from '@amiable/model';
import { afterEach, describe, expect, test } from 'vitest';
import { virtualMeter } from '../../src/electricity-server/factory.ts';
import type { ServedMeter } from '../../src/electricity-server/served.ts';
import { opticalDevice } from '../../src/optical/device.ts';
import { opticalOptions } from '../../src/optical/options.ts';
import { pacedLink, startOptical } from '../../src/optical/run.ts';

const START = Date.UTC(2026, 10, 20, 12);
const ZONE = 'Europe/Oslo';
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Bench {
  readonly clock: VirtualClock;
  readonly meter: ServedMeter;
  readonly session: OpticalSession;
  /** Lets time pass until the operation has ended. */
  run<T>(operation: Promise<T>): Promise<T>;
}

async function bench(mode: 'A' | 'B' | 'C' = 'C'): Promise<Bench> {
  const clock = virtualClock(START);
  const meter = virtualMeter(
    { seed: 1, zone: ZONE, suite: 0, history: 2 * 86_400_000, now: () => clock.now() },
    { number: 1 },
  );
  const device = opticalDevice(meter, {
    zone: ZONE,
    passwords: { 1: '00000000', 2: '11111111' },
    operand: () => '12345678',
  });
  const [near, far] = loopback() as [OpticalLink, OpticalLink];
  await serveOpticalPort({
    link: far,
    clock,
    maker: 'AMI',
    identification: 'VM',
    mode,
    baud: mode === 'A' ? 300 : 9600,
    reaction: 200,
    device,
  });
  const session = await createOpticalSession({ link: near, clock });
  return {
    clock,
    meter,
    session,
    async run(operation) {
      let over = false;
      const settled = operation.finally(() => {
        over = true;
      });
      settled.catch(() => {});
      for (let i = 0; i < 2000 && !over; i++) await clock.advance(100);
      return settled;
    },
  };
}

describe('the virtual meter', () => {
  test.each(['A', 'B', 'C'] as const)('read out in mode %s: what its registers say', async (mode) => {
    const { session, meter, clock, run } = await bench(mode);
    const readout = await run(session.readout());
    const message = readout.message({ reader: 'r', port: 'p', zone: ZONE, receivedAt: clock.now() });
    expect(message).toMatchObject({ protocol: 'iec62056-21', maker: 'Amiable', meterId: 'AMI99000001', flags: [] });
    expect(Math.abs((message.time as number) - clock.now())).toBeLessThan(60_000);
    const at = message.items.findIndex(({ obis }) => obis === '1-0:1.8.0');
    expect(message.items[at]).toMatchObject({ unit: 'Wh', scaler: 0 });
    expect(Math.abs((message.values[at] as number) - meter.live().register('1.8.0'))).toBeLessThan(200);
  });

  test('programming mode: reading, the clock, what needs which password', async () => {
    const { session, meter, run } = await bench();
    expect(await run(session.program())).toBe('12345678');
    expect((await run(session.read('1.8.0')))[0]).toMatchObject({ address: '1.8.0', values: [{ unit: 'kWh' }] });
    await expect(run(session.write('0.9.1', '120000'))).rejects.toThrow('ER07: access denied');
    await expect(run(session.logIn('wrong'))).rejects.toThrow('refuses the password');
    await run(session.logIn('00000000'));
    await run(session.write('0.9.1', '12:00:00'));
    expect(new Date(meter.live().clock.utc).toISOString()).toMatch(/T11:00:/);
    await expect(run(session.write('0.0.1', 'U1'))).rejects.toThrow('ER07');
    await expect(run(session.write('1.8.0', '0'))).rejects.toThrow('only be read');
    await expect(run(session.read('C.99'))).rejects.toThrow('ER01');
    await run(session.logIn('11111111', '2'));
    await run(session.write('0.0.1', 'U4711', { type: '3', blockLength: 4 }));
    expect((await run(session.read('0.0.1')))[0]?.values[0]?.value).toBe('U4711');
    await run(session.execute('1.6.0', '0'));
    await run(session.leave());
    expect((await run(session.readout())).sets.some(({ address }) => address === '1.6.0')).toBe(false);
  });

  test('three wrong passwords end it', async () => {
    const { session, run } = await bench();
    await run(session.program());
    for (let i = 0; i < 2; i++) await expect(run(session.logIn('x'))).rejects.toThrow('ER07');
    await expect(run(session.logIn('x'))).rejects.toThrow('break, B0');
    await run(session.program());
    await expect(run(session.logIn('00000000'))).rejects.toThrow('ER07');
  });

  test('the load profile: R5 in one piece and R6 in many are the same', async () => {
    const { session, meter, run } = await bench();
    await run(session.program());
    const value = '2611200600;2611201200';
    const whole = loadProfiles(await run(session.read('P.01', { type: '5', value })));
    expect(loadProfiles(await run(session.read('P.01', { type: '6', value })))).toEqual(whole);
    const rows = whole.flatMap((profile) => profile.rows);
    expect(rows).toHaveLength(7);
    expect(whole[0]?.columns[0]).toEqual({ code: '1.8.0', unit: 'kWh' });
    expect(Number(rows.at(-1)?.values[0]) * 1000).toBeLessThanOrEqual(meter.live().register('1.8.0'));
    expect((await run(session.read('P.98', { type: '5' }))).length).toBeGreaterThan(0);
  });

  test('a session is one operation at a time, and ends with its link', async () => {
    const { session, run } = await bench();
    const first = session.readout();
    await new Promise((resolve) => setImmediate(resolve));
    await expect(session.readout()).rejects.toThrow('one operation at a time');
    await run(first);
    await expect(run(session.read('1.8.0'))).rejects.toThrow('programming mode');
    const last = session.readout();
    const refused = expect(last).rejects.toThrow('closed');
    await session.close();
    await refused;
    await session.close();
  });
});

test('mode D to a file: what is read is what was put in', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'optical-'));
  closers.push(() => rm(folder, { recursive: true }));
  const [to, truth] = [join(folder, 'd.dat'), join(folder, 'truth.json')];
  const options = opticalOptions({
    mode: 'D',
    fast: true,
    duration: '30s',
    every: '10s',
    to,
    truth,
    from: '2026-11-20T12:00:00Z',
    history: '0',
  });
  const running = await startOptical(options, () => {});
  await running.done;
  const messages: Message[] = [];
  const decoder = createReadoutDecoder(
    { reader: 'r', port: 'p', now: () => START, zone: ZONE },
    { message: (m) => void messages.push(m), drop: () => expect.unreachable() },
  );
  decoder.push(new Uint8Array(await readFile(to)));
  decoder.end();
  const want = (await readFile(truth, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(messages.map((m) => [m.meterId, m.meterTime, m.values.length])).toEqual(
    want.map((m) => [m.meterId, m.meterTime, m.readings.length]),
  );
  expect(messages).toHaveLength(3);
});

test.each([
  [{ mode: 'F' }, '--mode F'],
  [{ mode: 'A', baud: '9600' }, 'one rate: 300'],
  [{ baud: '1234' }, '--baud 1234'],
  [{ to: 'stdout' }, 'has to be asked'],
  [{ password: 'a(b' }, '--password'],
  [{ address: 'x'.repeat(33) }, '--address'],
  [{ tz: 'Nowhere/No' }, '--tz'],
  [{ every: 'often' }, '--every often'],
])('%j is refused with what would do', (given, words) => {
  expect(() => opticalOptions(given)).toThrow(words);
});

test('a pseudo-terminal at the real pace: mode C, the rate of the port changed between both directions', async ({
  skip,
}) => {
  const pty = ptyLink();
  const order: string[] = [];
  try {
    await serveOpticalPort({
      link: pacedLink(pty, systemClock),
      clock: systemClock,
      maker: 'AMI',
      identification: 'V',
      // The shortest of the standard, and what a loaded machine may need.
      reaction: 400,
      device: { readout: () => ['1.8.0(000285.4*kWh)'] },
    });
  } catch (error) {
    if ((error as Error).message.includes('socat')) skip('socat is not there');
    throw error;
  }
  closers.push(() => pty.close());
  const port = serialLink({ path: pty.path, baud: 300, parity: 'N' });
  const link: OpticalLink = Object.assign({}, port, {
    async setBaud(baud: number) {
      order.push(`port at ${baud}`);
      await port.setBaud(baud);
    },
  });
  const session = await createOpticalSession({
    link,
    clock: systemClock,
    timeout: 60_000,
    trace: ({ direction, bytes }) => {
      if (direction === 'out') order.push(visible(bytes));
      else if (bytes.includes(0x02)) order.push('data');
    },
  });
  closers.push(() => session.close());
  const { sets, meter } = await session.readout();
  expect([sets[0]?.values[0]?.value, meter.agreed]).toEqual(['000285.4', 9600]);
  expect(order.slice(0, 4)).toEqual(['/?!<CR><LF>', '<ACK>050<CR><LF>', 'port at 9600', 'data']);
});
