/** Display, optical read-out, the information for the display behind the meter, and the other inputs and outputs. */
import { describe, expect, it } from 'vitest';
import { DELIVERED } from '../../src/electricity/index.ts';
import { DAY, events, forward, HOUR, meter, SECOND, START } from './helpers.ts';

const { display } = DELIVERED;
const value = (lines: readonly { code: string; value: string; unit: string }[], code: string) =>
  lines.find((line) => line.code === code);

describe('what the meter shows', () => {
  it('registers, clock and voltages in its rotation', () => {
    const m = meter({ registers: { '1.8.0': 930_184 } });
    m.advance(START + 12 * HOUR + 34 * 60_000 + 56 * SECOND);
    const lines = m.displayLines();
    expect(value(lines, '1.8.0')).toEqual({ code: '1.8.0', value: '000930.184', unit: 'kWh' });
    expect(value(lines, '0.9.1')?.value).toBe('00:34:56');
    expect(value(lines, '0.9.2')?.value).toBe('25-01-16');
    expect(value(lines, '52.7.0')).toEqual({ code: '52.7.0', value: '230', unit: 'V' });
    expect(value(lines, '31.7.0')).toBeUndefined();
    const single = meter({ config: { type: 'single-phase' } });
    expect(value(single.displayLines(), '52.7.0')).toBeUndefined();
    expect(value(single.displayLines(), '31.7.0')?.unit).toBe('A');
  });

  it('identification and errors in the read-out', () => {
    const m = meter();
    expect(m.readout().slice(0, 3)).toEqual([
      { code: 'F.F', value: '00000000', unit: '' },
      { code: '0.0.0', value: '9900000000000001', unit: '' },
      { code: 'C.1.0', value: 'AMI99000001', unit: '' },
    ]);
    m.setError('critical');
    expect(m.readout()[0]?.value).toBe('00000001');
    expect(new Set(m.readout().map(({ code }) => code)).size).toBe(m.readout().length);
  });
});

describe('the information for the display behind it', () => {
  it('has the mean of 15 seconds, against two thresholds', () => {
    const m = meter();
    m.setPowers([1000, 500, 500]);
    forward(m, 30 * SECOND);
    expect(m.display).toMatchObject({ power: 2000, indicator: 'normal' });
    m.setPowers([2001, 0, 0]);
    forward(m, 14 * SECOND);
    expect(m.display.power).toBe(2000);
    forward(m, SECOND);
    expect(m.display).toMatchObject({ power: 2001, indicator: 'high' });
    forward(m, 5 * SECOND);
    m.setPowers([8001, 0, 0]);
    forward(m, 10 * SECOND);
    expect(m.display).toMatchObject({ power: 6001, indicator: 'very-high' });
  });

  it('has prices, CO2, rates, and when the rate changes', () => {
    const m = meter();
    m.setPowers([4000, 0, 0]);
    m.advance(START + HOUR);
    expect(m.display).toMatchObject({
      rate: 1,
      price: 0.2,
      costPerHour: 0.8,
      co2PerHour: 1.6,
      rates: [4, 0, 0, 0],
      total: 4,
      nextRateChange: 'Change to rate 2 on 15/01/2025 at 22:00',
    });
    m.advance(START + 11 * HOUR);
    expect(m.display).toMatchObject({
      rate: 2,
      price: 0.15,
      nextRateChange: 'Change to rate 1 on 16/01/2025 at 06:00',
    });
    const external = meter({ config: { interface: 'rate-input' } });
    expect(external.display.nextRateChange).toBe('Change to rate 2 on 01/01/3000 at 00:00');
    m.setPowers([-4000, 0, 0]);
    forward(m, HOUR);
    expect(m.display).toMatchObject({ costPerHour: 0, co2PerHour: 0, indicator: 'normal' });
  });

  it('has hours, days and months from the profiles, with gaps where they have gaps', () => {
    const m = meter({ start: Date.parse('2024-10-31T23:00:00Z') });
    m.setPowers([1000, 0, 0]);
    m.advance(Date.parse('2025-03-10T02:30:00Z'));
    const { hours, days, months } = m.display;
    expect(hours).toEqual([1, 1, 1]);
    expect(days).toHaveLength(28);
    expect(days).toEqual(new Array(28).fill(24));
    expect(months).toHaveLength(12);
    expect(months.slice(0, 9).every(Number.isNaN)).toBe(true);
    expect(months.slice(9)).toEqual([31 * 24, 31 * 24, 28 * 24]);
    expect(m.setParameters({ periodic: ['15.8.0'] })).toEqual({ done: true });
    expect(m.display.hours.every(Number.isNaN)).toBe(true);
  });

  it('has a message of at most 43 characters, unread until it is read', () => {
    const m = meter();
    expect(m.display.messageUnread).toBe(false);
    const set = (message: string) => m.setParameters({ display: { ...display, message } });
    expect(set('x'.repeat(44))).toMatchObject({ done: false, reason: 'range' });
    expect(set('x'.repeat(43))).toEqual({ done: true });
    expect(m.display).toMatchObject({ message: 'x'.repeat(43), messageUnread: true });
    m.messageRead();
    expect(m.display.messageUnread).toBe(false);
    // Messages and prices are no events.
    expect(events(m)).toEqual([]);
  });
});

describe('inputs', () => {
  it('alert: of GPRS/GSM modules that have one', () => {
    const m = meter({ config: { module: 'gprs', extraInput: 'alert' } });
    m.setAlertInput(true);
    m.setAlertInput(true);
    expect(m.alertInput).toBe(true);
    m.setAlertInput(false);
    expect(events(m)).toEqual(['alert', 'alertEnd']);
    const without = meter();
    without.setAlertInput(true);
    expect([without.alertInput, events(without)]).toEqual([undefined, []]);
    expect(() => meter({ config: { extraInput: 'alert' } })).toThrow(/GPRS/);
  });

  it('S0: counts pulses while there is mains', () => {
    const m = meter({ config: { module: 'gprs', extraInput: 's0' } });
    m.addInputPulses(3);
    m.setMains(false);
    forward(m, SECOND);
    m.addInputPulses(5);
    expect([m.inputPulses, m.alertInput, meter().inputPulses]).toEqual([3, undefined, undefined]);
  });

  it('the standard log keeps 200 entries', () => {
    const m = meter({ config: { module: 'gprs', extraInput: 'alert' } });
    for (let i = 0; i < 150; i++) {
      forward(m, SECOND);
      m.setAlertInput(true);
      m.setAlertInput(false);
    }
    const log = m.log('standard');
    expect([log.capacity, log.length]).toEqual([200, 200]);
    expect(log.entry(0).at).toBe(START + 51 * SECOND);
    expect(m.clearLog('standard')).toEqual({ done: true });
    expect(events(m)).toEqual(['logCleared']);
    forward(m, DAY);
    expect(m.profile('daily').length).toBe(1);
    expect(m.clearProfile('daily')).toEqual({ done: true });
    expect(m.profile('daily').length).toBe(0);
  });
});
