/** Calls over a modem: against a simulated one in virtual time, and hostile text. */
import { spawnSync } from 'node:child_process';
import { MisuseError } from '@amiable/bytes';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  dialString,
  type Link,
  loopback,
  type ModemOptions,
  modemLink,
  parseResult,
  ptyLink,
  type SimulatedModemOptions,
  serialLink,
  simulateModem,
  systemClock,
  type VirtualClock,
  virtualClock,
} from '../src/index.ts';
import { CarrierWatch, createResultReader } from '../src/modem-results.ts';

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const said = (all: Uint8Array[]): string => all.map((bytes) => new TextDecoder().decode(bytes)).join('');
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A meter that says back what it hears, and hangs up when told to. */
function echoMeter(): { link: Link; hangUp(): void; heard: Uint8Array[] } {
  const [ours, theirs] = loopback();
  const heard: Uint8Array[] = [];
  void ours.open({
    data: (bytes) => {
      heard.push(bytes);
      void ours.write(bytes);
    },
    closed() {},
  });
  return { link: theirs, hangUp: () => void ours.close(), heard };
}

async function bench(
  peer: Partial<SimulatedModemOptions> = {},
  own: Partial<ModemOptions> & { lines?: never; useLines?: boolean } = {},
) {
  const clock = virtualClock(1_000_000);
  const [dte, dce] = loopback();
  const meter = echoMeter();
  const modem = await simulateModem({ link: dce, clock, dial: () => meter.link, ...peer });
  const { useLines, ...rest } = own;
  const link = modemLink({ link: dte, clock, number: '+49 (30) 555-01', ...(useLines && { lines: modem }), ...rest });
  const data: Uint8Array[] = [];
  const closed: (string | undefined)[] = [];
  const opened = link.open({ data: (bytes) => data.push(bytes), closed: (error) => closed.push(error?.message) });
  const outcome = opened.then(
    () => 'connected',
    (error: Error) => `${error.name}: ${error.message}`,
  );
  return { clock, modem, meter, link, dce, data, closed, outcome };
}

async function within<T>(clock: VirtualClock, what: Promise<T>, ms: number): Promise<T> {
  await clock.advance(ms);
  return what;
}

describe('a call', () => {
  test('is prepared, dialled, used and hung up by the escape sequence', async () => {
    const { clock, modem, meter, link, data, closed, outcome } = await bench(
      { speed: 9600 },
      { init: ['&C1', 'AT+IPR=9600'], bearer: { speed: 71, name: 0, element: 1 }, dialling: 'tone' },
    );
    expect(await within(clock, outcome, 4000)).toBe('connected');
    expect(modem.commands).toEqual(['Z', 'E0V1', '&C1', '+IPR=9600', '+CBST=71,0,1', 'DT+493055501']);
    expect(link.speed).toBe(9600);
    expect(link.describe).toBe('+493055501 over loopback');
    await link.write(text('/?!\r\n'));
    expect(said(data)).toBe('/?!\r\n');
    const end = link.close();
    await within(clock, end, 8000);
    expect(modem.commands.at(-1)).toBe('H');
    expect(modem.online).toBe(false);
    expect(closed).toEqual([undefined]);
    expect(said(meter.heard)).toBe('/?!\r\n+++');
    expect(clock.pending).toBe(0);
  });

  test('with control lines DTR hangs up, and DCD tells the end', async () => {
    const one = await bench({}, { useLines: true });
    expect(await within(one.clock, one.outcome, 4000)).toBe('connected');
    await within(one.clock, one.link.close(), 2000);
    expect(one.modem.online).toBe(false);
    expect(one.modem.commands).not.toContain('H');

    const two = await bench({}, { useLines: true });
    expect(await within(two.clock, two.outcome, 4000)).toBe('connected');
    await two.clock.advance(1000);
    two.meter.hangUp();
    await two.clock.advance(1000);
    expect(two.closed).toEqual(['loopback to +493055501: the call ended (NO CARRIER)']);
  });

  test.each([
    ['busy', /LinkError: .*the number is busy/],
    ['no-answer', /nobody answers the call/],
    ['no-carrier', /no connection came about/],
    ['no-dialtone', /no dial tone/],
    ['error', /refuses to dial/],
    ['blacklisted', /refuses to dial this number again/],
    ['silent', /no connection within 75 s/],
  ] as const)('%s is told in words, and the modem left in order', async (called, words) => {
    const { clock, outcome, modem } = await bench({ dial: () => called });
    expect(await within(clock, outcome, 90_000)).toMatch(words);
    expect(modem.online).toBe(false);
    expect(clock.pending).toBe(0);
  });

  test('breaks off after so many octets: data up to there, then closed', async () => {
    const { clock, link, data, closed, outcome } = await bench({ dropAfter: 10 });
    expect(await within(clock, outcome, 4000)).toBe('connected');
    await link.write(text('0123456789abcdef'));
    await clock.advance(1000);
    expect(said(data).slice(0, 10)).toBe('0123456789');
    expect(closed).toEqual(['loopback to +493055501: the call ended (NO CARRIER)']);
    await expect(link.write(text('x'))).rejects.toThrow('there is no call');
  });

  test('NO CARRIER in the middle of data is data', async () => {
    const { clock, link, data, closed, outcome } = await bench();
    await within(clock, outcome, 4000);
    await link.write(text('\r\nNO CARRIER\r\n'));
    await clock.advance(200);
    await link.write(text('and more'));
    await clock.advance(5000);
    expect(said(data)).toBe('\r\nNO CARRIER\r\nand more');
    expect(closed).toEqual([]);
    await within(clock, link.close(), 8000);
  });

  test('data in one piece with CONNECT belongs to the call, cut anywhere', () => {
    const whole = text('\r\nCONNECT 9600/V110\r\n\n~data');
    for (let cut = 0; cut <= whole.length; cut++) {
      const found: string[] = [];
      const reader = createResultReader(({ code, speed }) => found.push(`${code} ${speed}`));
      const rest: number[] = [];
      let connected = false;
      for (const part of [whole.subarray(0, cut), whole.subarray(cut)]) {
        if (connected && !reader.pending) rest.push(...part);
        else rest.push(...(reader.push(part) ?? []));
        connected = found.length > 0;
      }
      expect(found).toEqual(['connect 9600']);
      expect(said([Uint8Array.from(rest)])).toBe('\n~data');
    }
  });

  test('a modem still in a call that nobody ended is brought back', async () => {
    const first = await bench();
    await within(first.clock, first.outcome, 4000);
    // Another program comes to the same modem.
    const [dte, dce] = loopback();
    const clock = virtualClock(0);
    const meter = echoMeter();
    const modem = await simulateModem({ link: dce, clock, dial: () => meter.link, setup: 0 });
    void dte.open({ data() {}, closed() {} });
    await dte.write(text('ATD1\r'));
    await clock.advance(100);
    expect(modem.online).toBe(true);
    const link = modemLink({ link: dte, clock, number: '2' });
    const opened = link.open({ data() {}, closed() {} });
    await within(clock, opened, 30_000);
    expect(modem.commands.slice(-4)).toEqual(['H', 'Z', 'E0V1', 'D2']);
    expect(modem.calls).toBe(2);
    await within(clock, link.close(), 10_000);
    await within(first.clock, first.link.close(), 10_000);
  });

  test('results as numbers, echoes and noise are understood', async () => {
    const { clock, outcome, link, data } = await bench(
      { noise: Uint8Array.of(0xff, 0x00, 0x7e, 0x0d) },
      { init: ['V0'] },
    );
    expect(await within(clock, outcome, 10_000)).toBe('connected');
    await link.write(text('x'));
    expect(said(data).endsWith('x')).toBe(true);
    await within(clock, link.close(), 10_000);
  });

  test('a silent modem and one at another speed are told apart', async () => {
    const silent = await bench({ mute: true });
    expect(await within(silent.clock, silent.outcome, 60_000)).toMatch(/does not answer ATZ; has it power/);
    const wrong = await bench({ wrongSpeed: true });
    expect(await within(wrong.clock, wrong.outcome, 60_000)).toMatch(/cannot be read; is the speed of its port right/);
  });

  test('a refused command names itself', async () => {
    const { clock, outcome } = await bench({ refuses: /^\+CBST/ }, { bearer: { speed: 71, name: 0, element: 1 } });
    expect(await within(clock, outcome, 10_000)).toMatch(/the modem refuses AT\+CBST=71,0,1 \(ERROR\)/);
  });

  test('closing while it dials gives the call up, and the modem can be used again', async () => {
    const { clock, outcome, link, dce, modem } = await bench();
    await clock.advance(1000);
    const end = link.close();
    await within(clock, end, 5000);
    expect(await outcome).toMatch(/given up/);
    expect(modem.calls).toBe(0);
    const again = await simulateModem({ link: dce, clock, dial: () => echoMeter().link });
    const opened = link.open({ data() {}, closed() {} });
    await within(clock, opened, 5000);
    expect(again.calls).toBe(1);
    await within(clock, link.close(), 8000);
  });

  test('an incoming call is taken', async () => {
    const clock = virtualClock(0);
    const [dte, dce] = loopback();
    const modem = await simulateModem({ link: dce, clock, dial: () => 'busy' });
    const link = modemLink({ link: dte, clock });
    const data: Uint8Array[] = [];
    const opened = link.open({ data: (bytes) => data.push(bytes), closed() {} });
    await clock.advance(1000);
    modem.ring(echoMeter().link);
    await within(clock, opened, 2000);
    await link.write(text('hi'));
    expect(said(data)).toBe('hi');
    await within(clock, link.close(), 8000);
  });
});

describe('bad input', () => {
  test.each(['1;ATH', '1\rATD2', '+CBST', '', 'AT', '123@', '1'.repeat(61), '12!', 'W1', '++1'])(
    'the number %j is refused before anything is sent',
    (number) => {
      expect(() => dialString(number)).toThrow(MisuseError);
      expect(() => modemLink({ link: loopback()[0], number })).toThrow(/no phone number/);
    },
  );
  test('numbers as people write them', () => {
    expect(dialString('+386 (1) 234-56.78')).toBe('+38612345678');
    expect(dialString('0,4711*12#')).toBe('0,4711*12#');
  });
  test.each(['ATZ\rATD1', '', 'D112', 'atd112', 'A', 'x'.repeat(121), 'AT\u00e4'])(
    'the command %j is refused',
    (command) => {
      expect(() => modemLink({ link: loopback()[0], number: '1', init: [command] })).toThrow(MisuseError);
    },
  );
  test('no text of a modem is more than noise or a result; memory is bounded', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 10 }), (pieces) => {
        const reader = createResultReader((result) => {
          expect(result.text.length).toBeLessThanOrEqual(80);
          expect(result.text).toMatch(/^[\x20-\x7e]*$/);
        });
        for (const piece of pieces) reader.push(piece);
      }),
    );
    const reader = createResultReader(() => {});
    for (let i = 0; i < 1000; i++) reader.push(new Uint8Array(1000).fill(0x41));
    reader.push(text('\r'));
    expect(reader.noise).toBeLessThanOrEqual(160);
  });
  test('result codes', () => {
    expect(parseResult('CONNECT 9600/RLP')).toEqual({ code: 'connect', text: 'CONNECT 9600/RLP', speed: 9600 });
    expect(parseResult('CONNECT')).toEqual({ code: 'connect', text: 'CONNECT' });
    expect(parseResult('5')?.speed).toBe(1200);
    expect(parseResult('+CME ERROR: 10')?.code).toBe('error');
    expect(parseResult('ATDT123')).toBeUndefined();
    expect(parseResult('9')).toBeUndefined();
  });
  test('the watch finds the report however it is cut', () => {
    const whole = text('data\r\r\nNO CARRIER\r\n');
    for (let cut = 0; cut < whole.length; cut++) {
      const watch = new CarrierWatch();
      watch.push(whole.subarray(0, cut));
      expect(watch.push(whole.subarray(cut))).toBe(true);
      expect(watch.push(text('x'))).toBe(false);
    }
  });
});

const socat = spawnSync('socat', ['-V']).status === 0;

test.skipIf(!socat)('over a pseudo-terminal, as over a serial port: dialled, used, hung up', async () => {
  const port = ptyLink();
  const meter = echoMeter();
  const modem = await simulateModem({ link: port, clock: systemClock, dial: () => meter.link, setup: 10, guard: 20 });
  ends.push(() => modem.close());
  const link = modemLink({
    link: serialLink({ path: port.path, baud: 9600, parity: 'N' }),
    number: '+49 30 1234',
    guard: 50,
    commandTimeout: 1000,
  });
  let come = '';
  let told = (): void => {};
  const whole = new Promise<void>((resolve) => {
    told = resolve;
  });
  await link.open({
    data: (bytes) => {
      come += new TextDecoder().decode(bytes);
      if (come.includes('over')) told();
    },
    closed() {},
  });
  await link.write(text('over'));
  await whole;
  expect(come).toBe('over');
  expect(modem.commands).toEqual(['Z', 'E0V1', 'D+49301234']);
  await link.close();
});
