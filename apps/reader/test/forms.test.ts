import { describe, expect, it } from 'vitest';
import { inSteps } from '../src/figures.ts';
import { messageText } from '../src/text.ts';
import { messageThesis } from '../src/thesis.ts';
import { figure2List1, figure2List2, figure2List3, figure79 } from './messages.ts';

describe('text as in the port guide, figure 2', () => {
  it('keeps what a meter or a stranger says from steering the terminal', () => {
    const out = messageText({ ...figure2List1, flags: [], meterId: '\u001b[2J\u009b31m1\u202e\r\nGS1: 2' });
    expect(out).toContain('GS1: \ufffd[2J\ufffd31m1\ufffd\ufffd\ufffdGS1: 2\n');
  });
  it('message 1', () => {
    expect(messageText(figure2List1)).toBe('Date Time: 2017-01-20 16:08:38\nAct Pow + (Q1+Q4): 220\n\n');
  });
  it('message 2', () => {
    expect(messageText(figure2List2)).toBe(`Date Time: 2017-01-20 16:08:40
OBIS List Version: KFM_001
GS1: 6970631400000066
Meter Model: MA304H3E
Act Pow + (Q1+Q4): 220
Act Pow - (Q2+Q3): 0
React Pow + (Q1+Q2): 0
React Pow - (Q3+Q4): 5
Curr L1: 905
Curr L2: 910
Curr L3: 27
Volt L1: 2404
Volt L2: 0
Volt L3: 2394

`);
  });
  it('message 3, with the clock of the list', () => {
    expect(messageText(figure2List3)).toBe(`Date Time: 2017-01-23 14:00:00
OBIS List Version: KFM_001
GS1: 6970631400000226
Meter Model: MA304T3
Act Pow + (Q1+Q4): 212
Act Pow - (Q2+Q3): 0
React Pow + (Q1+Q2): 0
React Pow - (Q3+Q4): 3
Curr L1: 884
Curr L2: 0
Curr L3: 20
Volt L1: 2370
Volt L2: 0
Volt L3: 2395
Act Energy +: 676189
Act Energy -: 716
React Energy +: 111698
React Energy -: 4597

`);
  });
  it('tells what the guide has no name for, flags, errors and bytes', () => {
    const odd = {
      ...figure2List1,
      items: [
        { obis: '1-0:21.7.0', name: 'activePowerImportL1', unit: 'W', scaler: 0 },
        { name: 'unknown1', scaler: 0 },
      ] as const,
      values: [12, 'abc'],
      flags: ['unknownList'] as const,
      raw: Uint8Array.of(0x7e),
    };
    expect(messageText(odd, { raw: true })).toContain(
      '1-0:21.7.0 activePowerImportL1: 12 W\nunknown1: abc\nFlags: unknownList\nRaw: 7e\n',
    );
    expect(messageText({ ...odd, error: { reason: 'fcs', offset: 7 } })).toContain('Error: fcs at byte 7\nRaw: 7e');
  });
  it('gives other ports than the guide their own names, units and times', () => {
    const p1 = {
      ...figure2List1,
      protocol: 'p1',
      meterId: 'E0044007131650618',
      flags: [],
      items: [
        { obis: '1-0:32.7.0', name: 'voltageL1', unit: 'V', scaler: -1 },
        { obis: '0-0:98.1.0', name: 'activePowerImportMaximumHistory', unit: 'W', scaler: 0 },
      ],
      values: [2304, 5923],
      times: [undefined, Date.UTC(2026, 9, 4, 18, 30)],
    } as const;
    expect(messageText(p1)).toContain(
      'Meter: E0044007131650618\n1-0:32.7.0 voltageL1: 230.4 V\n0-0:98.1.0 activePowerImportMaximumHistory: 5923 W (2026-10-04 18:30 UTC)\n',
    );
  });
  it('prints the steps of the guide whatever scaler a meter has', () => {
    expect(inSteps(90, -2, -3)).toBe('900');
    expect(inSteps(905, -3, -3)).toBe('905');
    expect(inSteps(2304, -1, -1)).toBe('2304');
    expect(inSteps(230, 0, -1)).toBe('2300');
    expect(inSteps(230_456, -3, -1)).toBe('2304.56');
    expect(inSteps(230_400, -3, -1)).toBe('2304');
    expect(inSteps(0, -3, 0)).toBe('0');
    expect(inSteps(100, 0, 0)).toBe('100');
  });
});

describe('JSON as in the thesis, figure 7.9', () => {
  it('is the figure, as valid JSON, with the export powers named', () => {
    const { DataID, ...rest } = JSON.parse(messageThesis(figure79, '5C:CF:7F:53:BA:8A'));
    expect(DataID).toMatch(/^\d{1,5}$/);
    expect(rest).toEqual({
      Logger_MAC: '5C:CF:7F:53:BA:8A',
      Timestamp: '2018-05-24-17-34-51',
      data: {
        ListVersion: 'KFM_001',
        MeterID: '1972681403753285',
        MeterType: 'MA304H3E',
        ActiveImportPower: '0.604',
        ActiveExportPower: '0.000',
        ReactiveImportPower: '0.000',
        ReactiveExportPower: '0.156',
        CurrentL1: '1091',
        CurrentL2: '1442',
        CurrentL3: '1447',
        VoltageL1: '2402',
        VoltageL2: '0',
        VoltageL3: '2419',
        CumulativeActiveImportEnergy: '103293',
        CumulativeActiveExportEnergy: '0',
        CumulativeReactiveImportEnergy: '837',
        CumulativeReactiveExportEnergy: '21992',
      },
    });
    expect(Object.keys(rest.data)[4]).toBe('ActiveExportPower');
  });
  it('gives a list 1 its one value', () => {
    expect(JSON.parse(messageThesis(figure2List1, 'x')).data).toEqual({
      MeterID: '6970631400000066',
      ActiveImportPower: '0.220',
    });
  });
});
