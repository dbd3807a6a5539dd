/** Status lights: every row of the tables of states, and how each pattern looks in time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isLit,
  type LightName,
  lights,
  type Meter,
  type Pattern,
  patternText,
  type Radio,
  signalLevel,
  signalValue,
} from '../../src/electricity/index.ts';
import { forward, HOUR, meter, SECOND } from './helpers.ts';

const pattern = (m: Meter, name: LightName): string =>
  patternText(lights(m).find((light) => light.name === name)?.pattern as Pattern);
const named = (m: Meter): string[] => lights(m).map(({ name, colour }) => `${name} ${colour}`);

describe('every module', () => {
  it('shows errors', () => {
    const m = meter();
    expect(pattern(m, 'ERR')).toBe('off');
    m.setError('critical');
    expect(pattern(m, 'ERR')).toBe('flashing 1 Hz');
    expect(pattern(m, 'Relay off')).toBe('flashing 2 Hz');
    m.setError('fatal');
    expect(pattern(m, 'ERR')).toBe('on');
    expect(
      new Set(
        lights(m)
          .slice(1)
          .map((light) => patternText(light.pattern)),
      ),
    ).toEqual(new Set(['off']));
  });

  it('shows the disconnecter, where there is one', () => {
    const m = meter();
    expect(pattern(m, 'Relay off')).toBe('flashing 2 Hz');
    m.pressButton();
    expect(pattern(m, 'Relay off')).toBe('flashing 0.5 Hz');
    expect(named(meter({ config: { disconnecter: false } }))).not.toContain('Relay off yellow');
  });

  it('is dark without mains', () => {
    const m = meter();
    m.setError('fatal');
    m.setMains(false);
    forward(m, SECOND);
    expect(lights(m).every((light) => light.pattern.kind === 'off')).toBe(true);
  });
});

describe('a PLC module', () => {
  it('has four lights', () => {
    expect(named(meter())).toEqual(['ERR red', 'Relay off yellow', 'Rx yellow', 'Tx yellow', 'NEW green', 'SYN green']);
  });

  it('shows its line', () => {
    const m = meter();
    expect([pattern(m, 'Rx'), pattern(m, 'Tx'), pattern(m, 'SYN')]).toEqual(['off', 'off', 'on']);
    m.setPlcLine({ mains: false });
    expect([pattern(m, 'Rx'), pattern(m, 'SYN')]).toEqual(['flashing 0.5 Hz', 'off']);
    m.setPlcLine({ mains: true, concentrator: false });
    expect(pattern(m, 'Rx')).toBe('on');
    m.setPlcLine({ concentrator: true, receivingUntil: m.now + SECOND, transmittingUntil: m.now + 500 });
    expect([pattern(m, 'Rx'), pattern(m, 'Tx')]).toEqual(['flashing 3.3 Hz', 'flashing 3.3 Hz']);
    forward(m, 500);
    expect([pattern(m, 'Rx'), pattern(m, 'Tx')]).toEqual(['flashing 3.3 Hz', 'off']);
    forward(m, 500);
    expect(pattern(m, 'Rx')).toBe('off');
  });

  it('shows whether it is registered', () => {
    const m = meter();
    expect(pattern(m, 'NEW')).toBe('on');
    m.plcHeard();
    expect(pattern(m, 'NEW')).toBe('flashing 0.5 Hz');
    m.plcRegistered();
    expect(pattern(m, 'NEW')).toBe('off');
    forward(m, 6 * HOUR);
    expect(pattern(m, 'NEW')).toBe('on');
  });
});

describe('a GPRS/GSM module', () => {
  const gprs = (radio: Partial<Radio> = {}): Meter => {
    const m = meter({ config: { module: 'gprs', disconnecter: false } });
    m.setRadio(radio);
    return m;
  };

  it('has six lights', () => {
    expect(named(gprs()).slice(1)).toEqual([
      'Tx yellow',
      'Rx yellow',
      'GPRS green',
      'GSM green',
      'RSL yellow',
      'OPM yellow',
    ]);
  });

  it.each([
    [{ gprs: 'off' }, 'GPRS', 'off'],
    [{ gprs: 'listening' }, 'GPRS', 'flashing 1 Hz'],
    [{ gprs: 'open' }, 'GPRS', 'on'],
    [{ gsm: 'off' }, 'GSM', 'off'],
    [{ gsm: 'listening' }, 'GSM', 'flashing 1 Hz'],
    [{ gsm: 'connected' }, 'GSM', 'on'],
    [{ ready: false }, 'OPM', 'off'],
    [{ signal: -113 }, 'OPM', '600 ms on / 600 ms off'],
    [{ signal: undefined }, 'OPM', '600 ms on / 600 ms off'],
    [{ signal: -112 }, 'OPM', '75 ms on / 3000 ms off'],
    [{ call: true }, 'OPM', 'on'],
    [{ signal: -100 }, 'RSL', 'off'],
    [{ signal: -99 }, 'RSL', 'flashing 0.5 Hz'],
    [{ signal: -90 }, 'RSL', 'flashing 0.5 Hz'],
    [{ signal: -89 }, 'RSL', 'flashing 2 Hz'],
    [{ signal: -81 }, 'RSL', 'flashing 2 Hz'],
    [{ signal: -80 }, 'RSL', 'on'],
  ] as const)('%j: %s %s', (radio, name, text) => {
    expect(pattern(gprs(radio as Partial<Radio>), name)).toBe(text);
  });

  it('lights Tx and Rx for 200 ms a character', () => {
    const m = gprs();
    m.setRadio({ lastTransmit: m.now });
    expect([pattern(m, 'Tx'), pattern(m, 'Rx')]).toEqual(['on', 'off']);
    forward(m, 199);
    expect(pattern(m, 'Tx')).toBe('on');
    expect(lights(m).find(({ name }) => name === 'Tx')?.pattern).toEqual({ kind: 'until', end: m.now + 1 });
    forward(m, 1);
    expect(pattern(m, 'Tx')).toBe('off');
    m.setRadio({ lastReceive: m.now });
    expect(pattern(m, 'Rx')).toBe('on');
  });

  it('without a SIM card is dark, and Rx flashes shortly from time to time', () => {
    const m = gprs({ sim: 'missing', gprs: 'open', gsm: 'connected', call: true });
    const lit = lights(m).filter(({ pattern: p }) => p.kind !== 'off');
    expect(lit.map(({ name }) => name)).toEqual(['Rx']);
    expect(patternText(lit[0]?.pattern as Pattern)).toBe('200 ms on / 9800 ms off');
  });

  it('with a wrong SIM card shows RSL off, GPRS on, GSM on', () => {
    const m = gprs({ sim: 'error', gprs: 'off', gsm: 'off', signal: -60 });
    expect([pattern(m, 'RSL'), pattern(m, 'GPRS'), pattern(m, 'GSM')]).toEqual(['off', 'on', 'on']);
  });

  it('gives levels and values that agree', () => {
    for (let dBm = -120; dBm <= -40; dBm++) {
      const value = signalValue(dBm);
      expect(value).toBe(Math.max(0, Math.min(63, value)));
      const byValue = value <= 10 ? 1 : value <= 20 ? 2 : value <= 30 ? 3 : 4;
      expect(signalLevel(dBm)).toBe(dBm <= -113 ? undefined : byValue);
    }
    expect([signalValue(undefined), signalValue(-110), signalValue(-100), signalValue(-40)]).toEqual([0, 0, 10, 63]);
  });
});

describe('patterns', () => {
  it('flash at their rate, evenly', () => {
    fc.assert(
      fc.property(fc.constantFrom(0.5, 1, 2, 3.3), fc.integer({ min: -1e6, max: 2e12 }), (hertz, from) => {
        const half = Math.round(500 / hertz);
        const flashing: Pattern = { kind: 'flashing', on: half, off: half };
        let lit = 0;
        let changes = 0;
        for (let at = from; at < from + 2 * half; at++) {
          if (isLit(flashing, at)) lit++;
          if (isLit(flashing, at) !== isLit(flashing, at + 1)) changes++;
        }
        expect(lit).toBe(half);
        expect(changes).toBe(2);
      }),
      { numRuns: 30 },
    );
    expect(isLit({ kind: 'on' }, 0)).toBe(true);
    expect(isLit({ kind: 'off' }, 0)).toBe(false);
    expect([isLit({ kind: 'until', end: 5 }, 4), isLit({ kind: 'until', end: 5 }, 5)]).toEqual([true, false]);
  });
});
