import { UNITS } from '@amiable/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOfUnit, quantityOf, unitOfCode } from '../src/index.ts';

describe('names and units by rule', () => {
  const cases: [obis: string, name: string, unit?: string][] = [
    ['1-0:1.7.0', 'activePowerImport', 'W'],
    ['1-1:1.7.0', 'activePowerImport', 'W'],
    ['1-0:2.7.0', 'activePowerExport', 'W'],
    ['1-0:3.7.0', 'reactivePowerImport', 'var'],
    ['1-0:5.8.0', 'reactiveEnergyQ1', 'varh'],
    ['1-0:9.7.0', 'apparentPowerImport', 'VA'],
    ['1-0:9.8.0', 'apparentEnergyImport', 'VAh'],
    ['1-0:13.7.0', 'powerFactor', '1'],
    ['1-0:14.7.0', 'frequency', 'Hz'],
    ['1-0:15.8.0', 'activeEnergyAbsolute', 'Wh'],
    ['1-0:16.7.0', 'activePowerNet', 'W'],
    ['1-0:21.7.0', 'activePowerImportL1', 'W'],
    ['1-0:42.7.0', 'activePowerExportL2', 'W'],
    ['1-0:61.8.0', 'activeEnergyImportL3', 'Wh'],
    ['1-0:31.7.0', 'currentL1', 'A'],
    ['1-0:51.7.0', 'currentL2', 'A'],
    ['1-0:32.7.0', 'voltageL1', 'V'],
    ['1-0:72.7.0', 'voltageL3', 'V'],
    ['1-0:73.7.0', 'powerFactorL3', '1'],
    ['1-0:91.7.0', 'currentNeutral', 'A'],
    ['1-0:32.7.5', 'voltageL1Harmonic5', 'V'],
    ['1-0:31.7.124', 'currentL1Thd', 'A'],
    ['1-0:32.32.0', 'voltageL1Sags', '1'],
    ['1-0:72.36.0', 'voltageL3Swells', '1'],
    ['1-0:81.7.4', 'angleCurrentL1FromVoltageL1', 'deg'],
    ['1-0:81.7.10', 'angleVoltageL1FromVoltageL2', 'deg'],
    ['1-0:1.8.0', 'activeEnergyImport', 'Wh'],
    ['1-0:1.8.2', 'activeEnergyImportRate2', 'Wh'],
    ['1-0:2.8.0*3', 'activeEnergyExportBilling3', 'Wh'],
    ['1-0:1.29.0', 'activeEnergyImportInterval', 'Wh'],
    ['1-0:1.6.1', 'activePowerImportMaximumRate1', 'W'],
    ['1-0:1.4.0', 'activePowerImportAverage', 'W'],
    ['1-0:1.6.0', 'activePowerImportMaximum', 'W'],
    ['0-0:1.8.0', 'activeEnergyImport', 'Wh'],
    ['0-1:24.2.1', 'gasVolume', 'm3'],
    ['7-0:3.0.0', 'gasVolumeAbsolute', 'm3'],
    ['8-0:1.0.0', 'waterVolume', 'm3'],
    ['6-0:1.0.0', 'heatEnergy', 'J'],
    ['6-0:10.0.0', 'heatFlowTemperature', 'degC'],
    ['0-0:96.1.0', 'meterId'],
    ['0-2:96.1.0', 'meterId'],
    ['0-0:96.1.1', 'deviceId2'],
    ['0-0:96.1.7', 'meterType'],
    ['1-1:0.2.129', 'listVersion'],
    ['1-1:0.0.5', 'meterId'],
    ['0-0:42.0.0', 'logicalDeviceName'],
    ['0-0:96.3.10', 'breakerState'],
    ['0-0:17.0.0', 'powerLimit', 'W'],
    ['1-0:31.4.0', 'currentLimit', 'A'],
    ['0-0:96.14.0', 'tariff'],
    ['0-0:200.7.9', 'obis0b0c200d7e9'],
  ];
  for (const [obis, name, unit] of cases)
    it(`${obis} is ${name}${unit ? ` in ${unit}` : ''}`, () => {
      expect(quantityOf(obis)).toMatchObject({ name });
      expect(quantityOf(obis).unit).toBe(unit);
    });

  it('clocks are told as such', () => {
    expect(quantityOf('0-0:1.0.0')).toEqual({ name: 'clock', clock: true });
    expect(quantityOf('0-1:1.0.0').clock).toBe(true);
  });
  it('short codes and long ones are the same', () => {
    expect(quantityOf('1.8.0')).toEqual(quantityOf('1-0:1.8.0'));
  });
  it('every code has a camelCase name and a base unit or none', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(255), { minLength: 6, maxLength: 6 }), (groups) => {
        const { name, unit } = quantityOf(groups.join('.'));
        expect(name).toMatch(/^[a-z][A-Za-z0-9]*$/);
        if (unit !== undefined) expect(UNITS).toContain(unit);
      }),
    );
  });
  it('two codes of one medium and channel never share a name', () => {
    const names = new Map<string, string>();
    for (let c = 1; c <= 92; c++)
      for (const d of [0, 3, 4, 5, 6, 7, 8, 9, 29, 32, 36])
        for (let e = 0; e <= 4; e++) {
          const code = `1-0:${c}.${d}.${e}`;
          const { name, known } = quantityOf(code);
          if (known === false) continue;
          expect(names.get(name), `${name}: ${names.get(name)} and ${code}`).toBeUndefined();
          names.set(name, code);
        }
  });
});

describe('units', () => {
  it('are brought to base units', () => {
    expect(unitOfCode(27)).toEqual({ symbol: 'W', unit: 'W', power: 0 });
    expect(unitOfCode(30)).toMatchObject({ unit: 'Wh', power: 0 });
    expect(unitOfCode(19)).toMatchObject({ unit: 'm3', power: -3 });
    expect(unitOfCode(23)).toMatchObject({ unit: 'bar', power: -5 });
    expect(unitOfCode(255)).toMatchObject({ unit: '1', power: 0 });
    expect(unitOfCode(17)?.unit).toBeUndefined();
    expect(unitOfCode(200)).toBeUndefined();
  });
  it('have a code where the standard knows the base unit', () => {
    for (const unit of ['W', 'var', 'V', 'A', 'Wh', 'varh', 'm3', 'Hz'] as const)
      expect(unitOfCode(codeOfUnit(unit) as number)?.unit).toBe(unit);
  });
});
