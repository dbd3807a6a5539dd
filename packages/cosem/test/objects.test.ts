/** Names of objects. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { objectName, quantityOf } from '../src/index.ts';

describe('objects are called', () => {
  const cases: [logicalName: string, name: string | undefined][] = [
    ['0-0:1.0.0', 'Clock'],
    ['0-0:1.0.1', 'Clock 2'],
    ['0-0:96.1.0', 'Device ID 1'],
    ['1-0:96.1.0', 'Device ID 1'],
    ['1-0:0.0.0', 'Electricity ID 1'],
    ['1-0:99.1.0', 'Load profile 1'],
    ['1-0:99.2.0', 'Load profile 2'],
    ['0-0:98.1.0', 'Data of billing period 1'],
    ['0-0:98.1.0*126', 'Data of billing period 1, last billing periods'],
    ['0-0:99.98.0', 'Event log 1'],
    ['0-0:99.98.3', 'Event log 4'],
    ['0-0:40.0.0', 'Current association'],
    ['0-0:40.0.3', 'Association 3'],
    ['0-0:41.0.0', 'SAP assignment'],
    ['0-0:42.0.0', 'COSEM logical device name'],
    ['0-0:43.0.0', 'Security setup'],
    ['0-0:43.1.0', 'Invocation counter 0'],
    ['0-0:43.1.3', 'Invocation counter 3'],
    ['0-0:44.0.0', 'Image transfer'],
    ['0-1:24.1.0', 'M-Bus client, channel 1'],
    ['0-2:24.2.1', 'M-Bus value 2, channel 2'],
    ['0-0:10.0.100', 'Tariffication script table'],
    ['0-0:11.0.0', 'Special days table'],
    ['0-0:13.0.0', 'Activity calendar'],
    ['0-0:15.0.0', 'End of billing period schedule'],
    ['0-0:17.0.0', 'Limiter'],
    ['0-0:20.0.0', 'IEC optical port setup'],
    ['0-0:22.0.0', 'IEC HDLC setup'],
    ['0-0:25.9.0', 'Push setup'],
    ['0-1:25.9.0', 'Push setup, channel 1'],
    ['0-0:96.3.10', 'Disconnect control'],
    ['0-0:96.7.21', 'Number of power failures in any phase'],
    ['0-0:96.10.2', 'Status register 2'],
    ['0-0:97.97.0', 'Error register 1'],
    ['0-0:97.98.20', 'Alarm descriptor 1'],
    ['0-0:19.10.0', 'Credit 1 of account 1'],
    ['1-0:1.8.0', 'Active energy import'],
    ['1-0:1.8.2', 'Active energy import rate 2'],
    ['1-0:2.8.0*3', 'Active energy export, billing period 3'],
    ['1-0:1.8.0*101', 'Active energy import, last billing period'],
    ['1-1:1.8.0', 'Active energy import, channel 1'],
    ['1-0:32.7.0', 'Voltage L1'],
    ['1-0:5.8.0', 'Reactive energy Q1'],
    ['1-0:31.7.124', 'Current L1 THD'],
    ['1-0:1.6.0', 'Active power import maximum'],
    ['7-0:3.0.0', 'Gas volume absolute'],
    ['8-0:1.0.0', 'Water volume'],
    ['6-0:1.0.0', 'Heat energy'],
    ['5-0:9.0.0', 'Cooling flow rate'],
    ['4-0:1.0.0', 'Allocator units'],
    ['7-0:0.0.0', 'Device ID 1'],
    ['0-0:94.31.0', 'National object of the Netherlands 31.0'],
    ['1-0:200.1.0', undefined],
    ['0-0:128.0.1', "Manufacturer's object 128.0.1"],
    ['0-65:1.0.0', "Clock, utility's 65"],
    ['nonsense', undefined],
  ];
  for (const [logicalName, name] of cases)
    it(`${logicalName} ${name}`, () => {
      expect(objectName(logicalName)).toBe(name);
    });
});

describe('names', () => {
  it('are text for any code, or none', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(255), { minLength: 6, maxLength: 6 }), (groups) => {
        const name = objectName(groups.join('.'));
        if (name !== undefined) expect(name).toMatch(/^[A-Z0-9][^{}]*$/);
      }),
      { numRuns: 500 },
    );
  });
  it('of objects in one channel are told apart', () => {
    const names = new Map<string, string>();
    const clashes: string[] = [];
    for (const a of [0, 1])
      for (let c = 0; c <= 99; c++)
        for (const d of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 20, 97, 98, 100])
          for (let e = 0; e < 12; e++) {
            const code = `${a}-0:${c}.${d}.${e}`;
            const name = objectName(code);
            if (name === undefined) continue;
            const before = names.get(`${a} ${name}`);
            if (before !== undefined) clashes.push(`${before} and ${code}: ${name}`);
            names.set(`${a} ${name}`, code);
          }
    expect(clashes).toEqual([]);
  });
  it('of what is not measured are names of quantities too', () => {
    expect(quantityOf('0-0:40.0.0')).toEqual({ name: 'currentAssociation' });
    expect(quantityOf('0-0:43.1.2')).toEqual({ name: 'invocationCounter2' });
    expect(quantityOf('0-0:28.0.0').name).toBe('iec61334432LLCSSCSSetup');
  });
});
