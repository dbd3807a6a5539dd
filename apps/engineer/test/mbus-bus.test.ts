import { spawnSync } from 'node:child_process';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { ptyLink } from '@amiable/io';
import { askBus, type BusSlave, createMbusSlave, telegramsOf } from '@amiable/mbus';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secondaryAddress, slaveAddress } from '../src/mbus/bus.ts';
import { read, write } from '../src/mbus/read.ts';
import { scan } from '../src/mbus/scan.ts';
import { machine } from './dlms-terminal.ts';

const hasSocat = spawnSync('socat', ['-V']).status === 0;
const secondary = { identification: '12345678', manufacturer: 'KAM', version: 1, medium: 7 };

function waterMeter(): BusSlave {
  const answers: { bytes: Uint8Array; afterBits: number }[] = [];
  const slave = createMbusSlave(
    {
      primaryAddress: 5,
      secondary,
      baud: 9600,
      respond: ({ kind, accessNumber }) =>
        kind === 'alarm'
          ? []
          : telegramsOf({ ...secondary, accessNumber, status: 0, configuration: 0 }, [
              { vif: [0x13], data: { type: 'integer', octets: 4, value: 1234 } },
            ]),
    },
    { send: (bytes, afterBits) => answers.push({ bytes, afterBits }) },
  );
  return { slave, take: () => answers.splice(0) };
}

const bus = [waterMeter()];
let server: Server;
let device = '';

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const heard = askBus(bus, bytes, 9600);
      if (heard) socket.write(heard.bytes);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  device = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
});

async function run(work: (terminal: ReturnType<typeof machine>) => Promise<number>) {
  const terminal = machine();
  const code = await work(terminal);
  return { code, ...terminal.text };
}

/** Patient: other tests may keep the machine busy. */
const given = { baud: '9600', latency: '200', repeats: '9' };

describe('amiable mbus on a bus', () => {
  test('read: table and canonical messages', async () => {
    const shown = await run((t) => read(t, device, ['5'], { ...given, latency: '5000' }));
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toContain('KAM 12345678 Water');
    expect(shown.out).toMatch(/volume +1\.234 m3/);
    const json = await run((t) => read(t, device, ['12345678-KAM'], { ...given, latency: '5000', json: true }));
    expect(JSON.parse(json.out)).toMatchObject({
      protocol: 'mbus',
      meterId: '12345678',
      readings: [{ name: 'volume', value: 1.234, unit: 'm3' }],
    });
  });

  test('scan: primary and secondary', async () => {
    const primary = await run((t) => scan(t, device, { ...given, primary: '5-5' }));
    expect(primary.code).toBe(0);
    expect(primary.out).toMatch(/5 +12345678 +KAM +1 +Water/);
    const found = await run((t) => scan(t, device, { ...given, secondary: '1234FFFF', json: true }));
    expect(JSON.parse(found.out)).toMatchObject({ meterId: '12345678', maker: 'KAM' });
  });

  test('write: another address', async () => {
    const shown = await run((t) => write(t, device, '12345678', { ...given, latency: '5000', primary: '6' }));
    expect(shown).toEqual({ code: 0, out: '', err: 'amiable mbus write: 12345678: has the primary address 6 now\n' });
    expect(bus[0]!.slave.primaryAddress).toBe(6);
  });

  test('errors in words', async () => {
    const silent = await run((t) => read(t, device, ['77'], { baud: '38400', latency: '1', repeats: '0' }));
    expect(silent).toEqual({
      code: 1,
      out: '',
      err: `amiable mbus read: 77: the meter did not answer (SND_NKE to 77: expected E5, nothing came)
amiable mbus read: is the bus powered, and is the rate right (--baud 300, 2400, 9600)? Who is there: amiable mbus scan ${device}
`,
    });
    const wrong = await run((t) => read(t, device, ['1234'], given));
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain('a secondary address is 8 digits');
    expect((await run((t) => scan(t, device, { baud: '1234' }))).err).toContain('M-Bus has 300, 600');
    expect((await run((t) => write(t, device, '5', given))).err).toContain('say what to write');
    const gone = await run((t) => read(t, '/dev/there-is-none', ['5'], {}));
    expect(gone.code).toBe(1);
    expect(gone.err).toContain('there is no such device');
  });

  test.skipIf(!hasSocat)('nobody there on a serial port: told once, though two parities are tried', async () => {
    const far = ptyLink();
    await far.open({ data: () => {}, closed: () => {} });
    const silent = await run((t) => read(t, far.path, ['77'], { baud: '38400', latency: '1', repeats: '0' }));
    await far.close();
    expect(silent.code).toBe(1);
    expect(silent.err.split('\n').slice(0, 2)).toEqual([
      'amiable mbus read: nobody answers; once more without parity, as some adapters want it',
      'amiable mbus read: 77: the meter did not answer (SND_NKE to 77: expected E5, nothing came)',
    ]);
    expect(silent.err.match(/did not answer/g)).toHaveLength(1);
  });

  test('addresses as people write them', () => {
    expect(slaveAddress('250')).toBe(250);
    expect(secondaryAddress('12345678-KAM-1-7')).toEqual(secondary);
    expect(secondaryAddress('0500f2e5.*.*.7')).toEqual({ identification: '0500F2E5', version: undefined, medium: 7 });
    expect(() => slaveAddress('251')).toThrow(/0 to 250/);
    expect(() => secondaryAddress('12345678-KAM-300')).toThrow(/at most 255/);
  });
});
