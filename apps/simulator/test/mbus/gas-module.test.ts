/** The gas smart module: each rule of the system description's chapter on gas metering, and what was decided beyond it. */
import { describe, expect, it } from 'vitest';
import {
  createGasModule,
  DELIVERED_GAS,
  GAS_ALARMS,
  type GasModule,
  type GasOptions,
  type GasParameters,
  SPECIFICATION,
} from '../../src/mbus/gas-module/index.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Monday, 12:00 in Oslo. */
const START = Date.UTC(2026, 5, 1, 10);
const M3 = 1_000_000;

interface Given extends Partial<GasOptions> {
  /** mL/h at base conditions. */
  rate?: number;
  temperature?: number;
  pressure?: number;
  parameters?: Partial<GasParameters>;
}

function module(given: Given = {}): {
  m: GasModule;
  set(change: { rate?: number; temperature?: number; pressure?: number }): void;
} {
  const now = { rate: given.rate ?? 0, temperature: given.temperature ?? 15, pressure: given.pressure ?? 0 };
  const m = createGasModule({
    identity: { identification: '12345678', manufacturer: 'LGB', version: 1, firmware: 'G01' },
    config: { casework: 'single-pipe', zone: 'Europe/Oslo', errorShare: 0, sendEvery: 900 },
    start: START,
    source: {
      rate: () => now.rate,
      temperature: () => now.temperature,
      pressure: () => now.pressure,
      next: (at) => (Math.floor(at / 60_000) + 1) * 60_000,
    },
    ...given,
  });
  return {
    m,
    /** Conditions change at the next full minute. */
    set(change) {
      Object.assign(now, change);
      m.advance((Math.floor(m.now / 60_000) + 1) * 60_000);
    },
  };
}

const names = (m: GasModule): string[] => m.events.map(({ event }) => event);
const prepaid = (credit: number, more: Partial<GasParameters> = {}): Given => ({
  credit,
  parameters: {
    mode: 'prepayment',
    // One unit of currency a m3, no standing charge, no friendly hours.
    tariff: { name: 'plain', limits: [], prices: [100_000], standingCharge: 0, billingDay: 1 },
    lowCredit: 100_000,
    emergencyCredit: 200_000,
    friendly: { from: 0, to: 0, weekdays: [] },
    ...more,
  },
});

describe('the ultrasonic meter', () => {
  it('counts what flows, exactly', () => {
    const { m } = module({ rate: 1_234_567 });
    m.advance(START + 10 * DAY);
    expect(m.volume).toBe(Math.floor(1_234_567 * 240));
    expect(m.flow).toBe(1_234_567);
  });

  it('counts the same in whatever steps time is advanced', () => {
    const big = module({ rate: 765_432, temperature: 3 }).m;
    const small = module({ rate: 765_432, temperature: 3 }).m;
    big.advance(START + 2 * DAY);
    for (let at = START; at <= START + 2 * DAY; at += 333_333) small.advance(at);
    small.advance(START + 2 * DAY);
    expect([small.volume, small.billedVolume, small.charged, small.events]).toEqual([
      big.volume,
      big.billedVolume,
      big.charged,
      big.events,
    ]);
  });

  it('is within 1.5 % from a tenth of its greatest flow on, and within 3 % down to its least', () => {
    const at = (rate: number, errorShare: number): number => {
      const { m } = module({ rate, config: { casework: '250mm', zone: 'Europe/Oslo', errorShare, sendEvery: 900 } });
      return m.flow / rate - 1;
    };
    expect(at(SPECIFICATION.maximumFlow, 1)).toBeCloseTo(0.015, 6);
    expect(at(SPECIFICATION.transitionalFlow, -1)).toBeCloseTo(-0.015, 6);
    expect(at(SPECIFICATION.minimumFlow, 1)).toBeCloseTo(0.03, 6);
    expect(at(SPECIFICATION.minimumFlow, 0.5)).toBeCloseTo(0.015, 6);
  });

  it('does not see what is less than a quarter of its least flow', () => {
    expect(module({ rate: 9_999 }).m.flow).toBe(0);
    expect(module({ rate: 10_000 }).m.flow).toBe(10_000);
  });

  it('tells a flow above its greatest, and its end', () => {
    const { m, set } = module({ rate: 6_000_000 });
    expect(m.alarms).toBe(0);
    set({ rate: 6_000_001 });
    expect(m.alarms).toBe(GAS_ALARMS.overflow);
    set({ rate: 100_000 });
    expect(names(m)).toEqual(['overflow', 'overflowEnd']);
  });

  it('tells more than 100 mbar', () => {
    const { m, set } = module({ pressure: 100 });
    set({ pressure: 100.5 });
    expect(m.alarms).toBe(GAS_ALARMS.overpressure);
    set({ pressure: 20 });
    expect(names(m)).toEqual(['overpressure', 'overpressureEnd']);
  });

  it('tells temperatures outside -10 to 40 °C', () => {
    const { m, set } = module({ temperature: -10 });
    set({ temperature: -10.1 });
    expect(m.alarms).toBe(GAS_ALARMS.temperature);
    set({ temperature: 40 });
    set({ temperature: 40.5 });
    expect(names(m)).toEqual(['temperature', 'temperatureEnd', 'temperature']);
  });

  it('is for natural gas, not LPG: the sound tells', () => {
    const { m } = module({ rate: 1_000_000 });
    m.setGas('lpg');
    expect(m.alarms).toBe(GAS_ALARMS.wrongGas);
    expect(m.flow).not.toBe(1_000_000);
    m.setGas('natural');
    expect([m.alarms, m.flow]).toEqual([0, 1_000_000]);
  });

  it('compensates temperature: cold gas is more than its volume, and that is what is billed', () => {
    const { m } = module({ rate: 1_000_000, temperature: 0, pressure: 0 });
    m.advance(START + 100 * HOUR);
    // The household takes 100 m3 at 15 °C; through the pipe goes less.
    expect(m.volume / M3).toBeCloseTo(100 * (273.15 / 288.15), 3);
    expect(m.convertedVolume / M3).toBeCloseTo(100, 3);
    expect(m.billedVolume).toBe(m.convertedVolume);
    expect(m.setParameters({ compensation: false })).toEqual({ done: true });
    const [volume, billed] = [m.volume, m.billedVolume];
    m.advance(m.now + 10 * HOUR);
    expect(m.billedVolume - billed).toBeCloseTo(m.volume - volume, -1);
  });
});

describe('the shut-off valve', () => {
  it('closes on command, in the time that its motor takes, and nothing flows', () => {
    const { m } = module({ rate: 1_000_000 });
    expect(m.closeValve()).toEqual({ done: true });
    expect(m.valve).toBe('closing');
    m.advance(START + 4999);
    expect([m.valve, m.flow]).toEqual(['closing', 1_000_000]);
    m.advance(START + 5000);
    expect([m.valve, m.valveCause, m.flow]).toEqual(['closed', 'command', 0]);
    const { volume } = m;
    m.advance(START + DAY);
    expect(m.volume).toBe(volume);
  });

  it('is opened by the consumer only, after it was armed', () => {
    const { m } = module({ rate: 1_000_000 });
    m.closeValve();
    m.advance(START + 10_000);
    expect(m.pressButton()).toMatchObject({ done: false });
    expect(m.armValve()).toEqual({ done: true });
    expect(m.valve).toBe('armed');
    m.advance(START + HOUR);
    expect(m.flow).toBe(0);
    expect(m.pressButton()).toEqual({ done: true });
    m.advance(m.now + 5000);
    expect([m.valve, m.flow]).toEqual(['open', 1_000_000]);
    expect(names(m)).toEqual(['valveClosed', 'valveArmed', 'valveOpened']);
  });

  it('that leaks is told', () => {
    const { m } = module({ rate: 1_000_000 });
    m.setLeak(50_000);
    m.closeValve();
    m.advance(START + HOUR);
    expect(m.alarms).toBe(GAS_ALARMS.valveLeak);
    expect(m.flow).toBe(50_000);
    expect(names(m)).toContain('valveLeak');
  });
});

describe('the block tariff', () => {
  const tariff = {
    name: 'blocks',
    limits: [10 * M3, 30 * M3],
    prices: [50_000, 40_000, 30_000],
    standingCharge: 7_000,
    billingDay: 1,
  };

  it('charges each mL in the block that it falls into, and a standing charge a day', () => {
    const { m } = module({ rate: M3, parameters: { tariff } });
    m.advance(START + 50 * HOUR);
    expect(m.blocks).toEqual([10 * M3, 20 * M3, 20 * M3]);
    // Two midnights have passed.
    expect(m.charged).toBe(10 * 50_000 + 20 * 40_000 + 20 * 30_000 + 2 * 7_000);
    expect([m.block, m.periodVolume]).toEqual([3, 50 * M3]);
    const reached = m.events.filter(({ event }) => event === 'blockReached').map(({ at }) => at);
    expect(reached).toEqual([START + 10 * HOUR, START + 30 * HOUR]);
  });

  it('begins anew with the billing period, on its day at local midnight', () => {
    const { m } = module({ rate: M3, parameters: { tariff: { ...tariff, billingDay: 3 } } });
    // 3 June, 00:00 in Oslo, is 36 hours on.
    m.advance(START + 36 * HOUR);
    expect([m.lastPeriod, m.periodVolume, m.block]).toEqual([[10 * M3, 20 * M3, 6 * M3], 0, 1]);
    expect(m.events.at(-1)).toEqual({ at: START + 36 * HOUR, event: 'billingPeriod' });
  });

  it('is replaced by the passive one at its time, and the period goes on', () => {
    const { m } = module({ rate: M3, parameters: { tariff } });
    const passive = { ...tariff, name: 'new', limits: [15 * M3], prices: [10_000, 20_000] };
    expect(m.setParameters({ passive, activation: START + 20 * HOUR })).toEqual({ done: true });
    m.advance(START + 20 * HOUR);
    expect([m.parameters.tariff.name, m.parameters.passive, m.blocks]).toEqual(['new', undefined, [15 * M3, 5 * M3]]);
    const { charged } = m;
    m.advance(START + 21 * HOUR);
    expect(m.charged - charged).toBe(20_000);
    expect(names(m)).toContain('tariffActivated');
  });

  it.each([
    ['five blocks', { limits: [1, 2, 3, 4], prices: [1, 1, 1, 1, 1] }],
    ['limits that do not rise', { limits: [5, 5], prices: [1, 1, 1] }],
    ['a block without price', { limits: [5], prices: [1] }],
    ['a negative price', { limits: [], prices: [-1] }],
    ['a billing day that some months lack', { limits: [], prices: [1], billingDay: 29 }],
  ])('refuses %s and stays as it was', (_, wrong) => {
    const { m } = module();
    expect(m.setParameters({ tariff: { ...tariff, ...wrong } })).toMatchObject({ done: false });
    expect(m.parameters.tariff).toEqual(DELIVERED_GAS.tariff);
  });
});

describe('prepayment', () => {
  it('draws on the credit, warns, and closes the valve to the millisecond when it is spent', () => {
    const { m } = module({ ...prepaid(300_000), rate: M3 });
    m.advance(START + 2 * HOUR - 1);
    expect(m.alarms).toBe(0);
    m.advance(START + 2 * HOUR);
    expect([m.credit, m.alarms]).toEqual([100_000, GAS_ALARMS.creditLow]);
    m.advance(START + 3 * HOUR - 1);
    expect(m.valve).toBe('open');
    m.advance(START + 3 * HOUR);
    expect([m.credit, m.valve]).toEqual([0, 'closing']);
    m.advance(START + 4 * HOUR);
    expect([m.valve, m.valveCause]).toEqual(['closed', 'credit']);
    expect(names(m)).toEqual(['creditLow', 'creditExhausted', 'valveClosed']);
  });

  it('takes a top-up once, arms the valve, and the consumer opens it', () => {
    const { m } = module({ ...prepaid(100_001), rate: M3 });
    m.advance(START + 2 * HOUR);
    expect(m.valve).toBe('closed');
    const owed = m.credit;
    expect(m.topUp(7, 500_000)).toEqual({ done: true });
    expect([m.credit, m.valve]).toEqual([owed + 500_000, 'armed']);
    expect(m.topUp(7, 500_000)).toMatchObject({ done: false, reason: expect.stringContaining('7') });
    expect(m.topUp(8, -5)).toMatchObject({ done: false });
    expect(m.credit).toBe(owed + 500_000);
    m.pressButton();
    m.advance(m.now + 5000);
    expect(m.valve).toBe('open');
  });

  it('lends emergency credit once, by the button or on command, until the next top-up', () => {
    const { m } = module({ ...prepaid(200_000), rate: M3 });
    expect(m.activateEmergencyCredit()).toMatchObject({ done: false, reason: 'there is credit enough' });
    m.advance(START + 90 * 60_000);
    expect(m.pressButton()).toEqual({ done: true });
    expect(m.activateEmergencyCredit()).toMatchObject({ done: false });
    m.advance(START + 4 * HOUR - 1);
    expect([m.valve, m.credit < 0]).toEqual(['open', true]);
    m.advance(START + 4 * HOUR + 5000);
    expect(m.valve).toBe('closed');
    // A top-up that does not reach above nothing repays only.
    m.topUp(1, 100_000);
    expect([m.emergencyUsed, m.valve]).toEqual([true, 'armed']);
    m.topUp(2, 1_000_000);
    expect([m.emergencyUsed, m.valve]).toEqual([false, 'armed']);
  });

  it('closes no valve in friendly hours; it does at their end', () => {
    const { m } = module({ ...prepaid(100_001, { friendly: { from: 16, to: 10, weekdays: [6, 7] } }), rate: M3 / 4 });
    // Spent at 16:00 local time, the first friendly hour; 10:00 of the next day ends it.
    m.advance(START + 22 * HOUR - 1);
    expect([m.valve, m.credit < 0]).toEqual(['open', true]);
    m.advance(START + 22 * HOUR);
    expect(m.valve).toBe('closing');
    expect(m.armValve()).toMatchObject({ done: false, reason: 'there is no credit' });
  });

  it('charges the day while the valve is closed', () => {
    const tariff = { name: '', limits: [], prices: [100_000], standingCharge: 5_000, billingDay: 1 };
    const { m } = module({ ...prepaid(0, { tariff }) });
    m.advance(START + 3 * DAY);
    expect(m.credit).toBe(-15_000);
  });

  it('can be turned on and off from afar', () => {
    const { m } = module({ rate: M3, credit: 10 });
    m.advance(START + HOUR);
    expect([m.credit, m.valve]).toEqual([10, 'open']);
    m.setParameters({ ...prepaid(0).parameters });
    m.advance(m.now + HOUR);
    expect(m.valve).toBe('closed');
    m.setParameters({ mode: 'credit' });
    expect(m.valve).toBe('armed');
  });
});

describe('the modules', () => {
  it('are added in the field: before, it is a meter and no more', () => {
    const { m } = module({ module: 'none', rate: M3 });
    m.advance(START + 2 * DAY);
    expect([m.volume, m.charged, m.hours, m.events]).toEqual([48 * M3, 0, [], []]);
    expect(m.closeValve()).toEqual({ done: false, reason: 'no module is fitted' });
    expect(m.display()).toEqual(['Gas             ', '    00048.000 m3']);
    m.fit('wired');
    m.advance(START + 2 * DAY + HOUR);
    expect([m.periodVolume, m.billedVolume, m.hours.length]).toEqual([M3, 49 * M3, 1]);
  });

  it('are exchanged, wired for wireless, without losing the account', () => {
    const { m } = module({ rate: M3 });
    m.advance(START + 5 * HOUR);
    m.fit('wireless');
    m.advance(START + 6 * HOUR);
    expect([m.module, m.periodVolume]).toEqual(['wireless', 6 * M3]);
    expect(names(m)).toEqual(['moduleRemoved', 'moduleFitted']);
  });

  it('keep what analyses need: hours, local days, carbon', () => {
    const { m } = module({ rate: M3, start: Date.UTC(2026, 9, 24, 10), parameters: { carbon: 2000 } });
    m.advance(Date.UTC(2026, 9, 27, 10));
    expect(m.hours).toHaveLength(72);
    expect(m.hours[0]).toEqual({ at: Date.UTC(2026, 9, 24, 11), volume: M3 });
    // The day on which summer time ends has 25 hours.
    expect(m.days.map(({ at, volume }) => [new Date(at).toISOString(), volume / M3])).toEqual([
      ['2026-10-24T22:00:00.000Z', 12],
      ['2026-10-25T23:00:00.000Z', 37],
      ['2026-10-26T23:00:00.000Z', 61],
    ]);
    expect(m.carbon).toBe(144);
  });

  it('have a clock that can be set; hours that come again are not kept again', () => {
    const { m } = module({ rate: M3 });
    m.advance(START + 3 * HOUR + 60_000);
    m.setClock(m.clock - 2 * HOUR);
    m.advance(m.now + 3 * HOUR);
    expect(m.hours.map(({ at }) => (at - START) / HOUR)).toEqual([1, 2, 3, 4]);
    expect(m.clock - m.now).toBe(-2 * HOUR);
  });

  it('live more than ten years on their battery, and say when it is low', () => {
    const source = { rate: () => 0, temperature: () => 15, pressure: () => 0, next: (at: number) => at + DAY };
    const { m } = module({ module: 'wireless', source });
    for (let day = 0; day < 365; day++) {
      m.advance(m.now + DAY);
      for (let i = 0; i < 96; i++) m.transmitted();
    }
    const years = 100 / (100 - m.batteryPercent + 0.5);
    expect(years).toBeGreaterThan(10);
    for (let i = 0; i < 3_300_000; i++) m.transmitted();
    m.advance(m.now + DAY);
    expect(m.alarms).toBe(GAS_ALARMS.batteryLow);
    m.changeBattery();
    expect([m.alarms, m.batteryPercent]).toEqual([0, 100]);
  });

  it('show two lines of sixteen characters, alarms first', () => {
    const { m } = module({ ...prepaid(50_000), rate: M3 / 10, volume: 1_234_567_890 });
    const pictures: string[] = [];
    for (let i = 0; i < 12; i++) {
      const lines = m.display();
      for (const line of lines) expect(line).toHaveLength(16);
      pictures.push(lines.join('|'));
      m.advance(m.now + 5000);
    }
    expect(pictures).toContain('! Alarm         |Credit low      ');
    expect(pictures.some((text) => /^Gas at 15 C {5}\| {4}01234\.56\d m3$/.test(text))).toBe(true);
    expect(pictures.some((text) => text.startsWith('Valve           |open'))).toBe(true);
    expect(pictures.some((text) => /^Block 1/.test(text))).toBe(true);
  });
});
