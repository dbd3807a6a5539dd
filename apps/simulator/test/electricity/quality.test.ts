/** Power failures, and supervision of each phase: both sides of every limit, exclusions, and a model that looks each minute. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMeter, DEVICE_STATUS, type EventName, type Meter, type Triple } from '../../src/electricity/index.ts';
import { DAY, events, eventTimes, forward, HOUR, MINUTE, meter, options, SECOND, START } from './helpers.ts';

function dip(m: Meter, voltages: Triple, ms: number): void {
  m.setVoltages(voltages);
  forward(m, ms);
  m.setVoltages(undefined);
}

describe('power failures', () => {
  it('shorter than 200 ms, or at 120 V, are none', () => {
    const m = meter();
    dip(m, [0, 0, 0], 200);
    expect(m.powered).toBe(true);
    dip(m, [120, 0, 0], 200);
    dip(m, [150, 0, 0], HOUR);
    forward(m, MINUTE);
    expect(m.powerQuality).toMatchObject({ totalPowerFailures: 0, longPowerFailures: 0 });
    // Two phases lie flat meanwhile, which is something else.
    expect(events(m).filter((name) => name.startsWith('power') || name.endsWith('PowerUp'))).toEqual([]);
  });

  it('longer than 200 ms count, with down and up in the log', () => {
    const m = meter();
    dip(m, [119.9, 119.9, 119.9], 201);
    expect(m.powered).toBe(true);
    forward(m, MINUTE);
    expect(m.powerQuality).toMatchObject({ totalPowerFailures: 1, longPowerFailures: 0 });
    expect(events(m)).toEqual(['powerDown', 'shortPowerUp']);
  });

  it('longer than N seconds are long ones', () => {
    for (const n of [10, 65_535]) {
      const m = meter({ parameters: { longPowerFailure: n } });
      dip(m, [0, 0, 0], n * SECOND);
      expect(m.powerQuality.longPowerFailures).toBe(0);
      dip(m, [0, 0, 0], n * SECOND + 1);
      expect(m.powerQuality).toMatchObject({ totalPowerFailures: 2, longPowerFailures: 1 });
      expect(events(m).filter((name) => !name.startsWith('dst'))).toEqual([
        'powerDown',
        'shortPowerUp',
        'powerDown',
        'longPowerUp',
      ]);
    }
    for (const n of [9, 65_536, 10.5])
      expect(meter().setParameters({ longPowerFailure: n })).toMatchObject({ done: false, reason: 'range' });
  });

  it('between 120 and 150 V take the module down and let the meter live', () => {
    const m = meter();
    m.setPowers([1000, 0, 0]);
    dip(m, [149.9, 120, 120], HOUR);
    forward(m, MINUTE);
    expect(m.powerQuality).toMatchObject({ totalPowerFailures: 0, longPowerFailures: 1 });
    expect(events(m)).toEqual(['longPowerUp']);
    expect(m.register('1.8.0')).toBe(1016);
  });

  it('that deepen while the module is down are logged with the time they happened', () => {
    const m = meter();
    m.setVoltages([130, 130, 130]);
    forward(m, HOUR);
    m.setVoltages([0, 0, 0]);
    forward(m, HOUR);
    m.setVoltages(undefined);
    forward(m, MINUTE);
    expect(events(m)).toEqual(['powerDown', 'longPowerUp']);
    expect(eventTimes(m, 'powerDown')).toEqual([START + HOUR]);
    expect(m.powerQuality.totalPowerFailures).toBe(1);
  });

  it('are counted on by the meter for ever, by the module until it is reset', () => {
    const m = meter();
    dip(m, [0, 0, 0], HOUR);
    expect(m.resetLongPowerFailures()).toEqual({ done: true });
    expect(m.powerQuality).toMatchObject({ totalPowerFailures: 1, longPowerFailures: 0 });
  });

  it('answer nothing while they last', () => {
    const m = meter();
    m.setMains(false);
    forward(m, SECOND);
    expect(m.powered).toBe(false);
    expect(m.deviceStatus & DEVICE_STATUS.powerDown).not.toBe(0);
    expect(m.setClock(START)).toMatchObject({ accepted: false, reason: 'power-down' });
    for (const outcome of [
      m.remoteDisconnect(),
      m.pressButton(),
      m.setParameters({ syncLimit: 1 }),
      m.imageVerify(),
      m.clearLog('standard'),
      m.writeIdentification('utility-serial-2.1', 'x'),
    ])
      expect(outcome).toMatchObject({ done: false, reason: 'power-down' });
  });

  it('of 6 hours make a PLC module NEW; of 7 days stop the clock', () => {
    const fresh = (): Meter => {
      const m = meter();
      m.plcRegistered();
      return m;
    };
    const a = fresh();
    dip(a, [0, 0, 0], 6 * HOUR - 1);
    expect([a.plcState, a.clock.synchronised]).toEqual(['registered', true]);
    // From then on the concentrator has as long again to be heard.
    forward(a, 6 * HOUR - 1);
    expect(a.plcState).toBe('registered');
    forward(a, 1);
    expect(a.plcState).toBe('new-unlocked');
    const b = fresh();
    dip(b, [0, 0, 0], 6 * HOUR);
    expect([b.plcState, b.clock.synchronised, b.clock.utc]).toEqual(['new-unlocked', true, START + 6 * HOUR]);
    const c = fresh();
    dip(c, [0, 0, 0], 7 * DAY - 1);
    expect([c.plcState, c.clock.synchronised]).toEqual(['new-unlocked', true]);
    const d = fresh();
    dip(d, [0, 0, 0], 9 * DAY);
    expect(d.clock).toMatchObject({ synchronised: false, invalid: true, utc: START + 7 * DAY });
    expect(events(d)).toContain('clockInvalid');
    const gprs = meter({ config: { module: 'gprs' } });
    dip(gprs, [0, 0, 0], 7 * DAY);
    expect(gprs.clock).toMatchObject({ synchronised: false, invalid: true });
    const hours = meter({ parameters: { plcLostAfter: 3600 } });
    hours.plcRegistered();
    dip(hours, [0, 0, 0], HOUR);
    expect(hours.plcState).toBe('new-unlocked');
  });

  it('a module that hears no concentrator for 6 hours is NEW', () => {
    const m = meter();
    m.plcRegistered();
    forward(m, 5 * HOUR);
    m.plcHeard();
    forward(m, 6 * HOUR - 1);
    expect(m.plcState).toBe('registered');
    forward(m, 1);
    expect(m.plcState).toBe('new-unlocked');
    m.plcHeard();
    expect(m.plcState).toBe('new-locked');
  });
});

const limits = {
  undervoltage: { percent: 90, minutes: 3 },
  overvoltage: { percent: 110, minutes: 4 },
  phaseOutage: { percent: 70, minutes: 2 },
} as const;
const supervised = (): Meter => meter({ parameters: limits });

describe('supervision of a phase', () => {
  it.each([
    ['undervoltage', 207, 206.9, 3],
    ['overvoltage', 253, 253.1, 4],
    ['phaseOutage', 161, 160.9, 2],
  ] as const)('%s begins beyond its limit, for its minutes at least', (name, at, beyond, minutes) => {
    const event = `${name}L1` as EventName;
    const quiet = supervised();
    dip(quiet, [at, 230, 230], HOUR);
    expect(events(quiet)).not.toContain(event);
    const short = supervised();
    dip(short, [beyond, 230, 230], minutes * MINUTE - 1);
    forward(short, HOUR);
    expect(events(short)).toEqual([]);
    const long = supervised();
    dip(long, [beyond, 230, 230], minutes * MINUTE);
    const end = name === 'phaseOutage' ? 'phaseRestoredL1' : (`${name}EndL1` as EventName);
    expect(events(long)).toEqual([event, end]);
    expect(eventTimes(long, event)).toEqual([START + minutes * MINUTE]);
  });

  it('knows each phase by itself', () => {
    const m = supervised();
    dip(m, [230, 200, 260], 10 * MINUTE);
    expect(events(m)).toEqual(['undervoltageL2', 'overvoltageL3', 'undervoltageEndL2', 'overvoltageEndL3']);
  });

  it('returns only beyond the accuracy of the measurement', () => {
    const m = supervised();
    m.setVoltages([200, 230, 230]);
    forward(m, 5 * MINUTE);
    m.setVoltages([211.5, 230, 230]);
    forward(m, MINUTE);
    expect(events(m)).toEqual(['undervoltageL1']);
    m.setVoltages([211.6, 230, 230]);
    expect(events(m)).toEqual(['undervoltageL1', 'undervoltageEndL1']);
    m.setVoltages([260, 230, 230]);
    forward(m, 5 * MINUTE);
    m.setVoltages([248.5, 230, 230]);
    expect(events(m).at(-1)).toBe('overvoltageL1');
    m.setVoltages([248.4, 230, 230]);
    expect(events(m).at(-1)).toBe('overvoltageEndL1');
  });

  it('registers no undervoltage of a phase that is out', () => {
    const m = supervised();
    dip(m, [0, 230, 230], HOUR);
    expect(events(m)).toEqual(['phaseOutageL1', 'phaseRestoredL1']);
  });

  it('counts minutes of undervoltage from when the outage is over', () => {
    const m = supervised();
    m.setVoltages([0, 230, 230]);
    forward(m, 10 * MINUTE);
    m.setVoltages([200, 230, 230]);
    forward(m, 3 * MINUTE - 1);
    expect(events(m)).toEqual(['phaseOutageL1', 'phaseRestoredL1']);
    forward(m, 1);
    expect(events(m).at(-1)).toBe('undervoltageL1');
  });

  it('registers neither when all phases fail', () => {
    const m = supervised();
    m.setVoltages([0, 230, 230]);
    forward(m, MINUTE);
    dip(m, [0, 0, 0], HOUR);
    forward(m, HOUR);
    expect(events(m)).toEqual(['powerDown', 'longPowerUp']);
  });

  it('ends at power-up what had been registered before the failure', () => {
    const m = supervised();
    m.setVoltages([200, 230, 230]);
    forward(m, HOUR);
    dip(m, [0, 0, 0], HOUR);
    expect(events(m)).toEqual(['undervoltageL1', 'powerDown', 'longPowerUp', 'undervoltageEndL1']);
  });

  it('can be turned off as a whole and event by event', () => {
    const m = supervised();
    expect(m.setParameters({ powerQualityRegistration: false })).toEqual({ done: true });
    dip(m, [200, 230, 230], HOUR);
    dip(m, [0, 0, 0], HOUR);
    forward(m, MINUTE);
    expect(events(m)).toEqual(['powerQualityOff', 'parametersChanged']);
    // Counters are no events.
    expect(m.powerQuality).toMatchObject({ totalPowerFailures: 1, longPowerFailures: 1 });
    expect(m.setParameters({ powerQualityRegistration: true, unregistered: [26] })).toEqual({ done: true });
    dip(m, [200, 200, 230], HOUR);
    expect(events(m).slice(2)).toEqual([
      'powerQualityOn',
      'parametersChanged',
      'undervoltageL2',
      'undervoltageEndL1',
      'undervoltageEndL2',
    ]);
  });

  it('comes with limits of its kind', () => {
    for (const type of ['polyphase', 'single-phase'] as const) {
      const { config, identity, start } = options({ config: { type } });
      expect(createMeter({ config, identity, start }).parameters.phaseOutage.percent > 80).toBe(
        type === 'single-phase',
      );
    }
  });

  it('asks single-phase meters for limits above 80 %', () => {
    const m = meter({ config: { type: 'single-phase' } });
    const set = (percent: number) => m.setParameters({ phaseOutage: { percent, minutes: 2 } });
    expect(set(80)).toMatchObject({ done: false, reason: 'range' });
    expect(set(80.1)).toEqual({ done: true });
    expect(m.setParameters({ undervoltage: { percent: 80, minutes: 2 } })).toMatchObject({ done: false });
    expect(meter().setParameters({ phaseOutage: { percent: 80, minutes: 2 } })).toEqual({ done: true });
    dip(m, [184, 0, 0], 2 * MINUTE);
    expect(events(m)).toContain('phaseOutageL1');
    // Its one phase is all phases.
    dip(m, [0, 0, 0], SECOND);
    expect(events(m)).toContain('powerDown');
  });

  it('asks for more than one minute, and for an outage deeper than an undervoltage', () => {
    const m = meter();
    for (const name of ['undervoltage', 'overvoltage', 'phaseOutage'] as const) {
      const percent = name === 'overvoltage' ? 110 : name === 'undervoltage' ? 90 : 60;
      expect(m.setParameters({ [name]: { percent, minutes: 1 } })).toMatchObject({ done: false, reason: 'range' });
      expect(m.setParameters({ [name]: { percent, minutes: 2 } })).toEqual({ done: true });
    }
    expect(m.setParameters({ phaseOutage: { percent: 90, minutes: 2 } })).toMatchObject({ done: false });
  });

  it('agrees with a model that looks at a phase each minute', () => {
    const level = fc.constantFrom(0, 155, 163, 170, 200, 209, 215, 230, 249, 252, 260);
    fc.assert(
      fc.property(fc.array(fc.tuple(level, fc.integer({ min: 1, max: 6 })), { maxLength: 25 }), (steps) => {
        const m = supervised();
        const minutes: number[] = [];
        for (const [volts, length] of steps) {
          m.setVoltages([230, volts, 230]);
          for (let i = 0; i < length; i++) minutes.push(volts);
          forward(m, length * MINUTE);
        }
        m.setVoltages([230, 230, 230]);
        minutes.push(230);
        expect(events(m)).toEqual(model(minutes));
      }),
      { numRuns: 300 },
    );
  });
});

/** Events of a phase whose voltage is given minute by minute. */
function model(minutes: readonly number[]): EventName[] {
  const seen: EventName[] = [];
  const lasted = { under: 0, over: 0, out: 0 };
  const active = { under: false, over: false, out: false };
  for (const u of minutes) {
    // What has lasted is registered at the end of its last minute, before the next voltage counts.
    if (!active.under && lasted.under >= 3) {
      active.under = true;
      seen.push('undervoltageL2');
    }
    if (!active.over && lasted.over >= 4) {
      active.over = true;
      seen.push('overvoltageL2');
    }
    if (!active.out && lasted.out >= 2) {
      active.out = true;
      seen.push('phaseOutageL2');
    }
    const percent = u / 2.3;
    const out = percent < 70;
    if (active.out && percent >= 72) {
      active.out = false;
      seen.push('phaseRestoredL2');
    }
    lasted.out = out ? lasted.out + 1 : 0;
    lasted.under = percent < 90 && !out && !active.out ? lasted.under + 1 : 0;
    if (active.under && percent >= 92) {
      active.under = false;
      seen.push('undervoltageEndL2');
    }
    lasted.over = percent > 110 ? lasted.over + 1 : 0;
    if (active.over && percent <= 108) {
      active.over = false;
      seen.push('overvoltageEndL2');
    }
  }
  return seen;
}
