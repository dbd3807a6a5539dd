/** Makers' payloads, made up by their layouts: what each octet is stands in the drivers. */
import { fromHex } from '@amiable/bytes';
import type { Message } from '@amiable/model';
import { describe, expect, it } from 'vitest';
import { createWmbusDecoder, encodeLinkAddress } from '../src/index.ts';

/** Readings of a frame of this meter, by name and storage number. */
function read(manufacturer: string, version: number, medium: number, rest: string) {
  const seen: Message[] = [];
  const decoder = createWmbusDecoder(
    { reader: 'r', port: 'p', now: () => 0 },
    { message: (m) => void seen.push(m), drop() {} },
  );
  const address = encodeLinkAddress({ identification: '12345678', manufacturer, version, medium });
  const frame = Uint8Array.of(0, 0x44, ...address, ...fromHex(rest));
  frame[0] = frame.length - 1;
  decoder.frame(frame);
  const m = seen[0] as Message;
  return {
    list: m.list,
    meterType: m.meterType,
    ...Object.fromEntries(
      m.items.map((item, i) => [
        `${item.name}${item.storage || ''}`,
        typeof m.values[i] === 'number' ? Number(`${m.values[i]}e${item.scaler}`) : m.values[i],
      ]),
    ),
  };
}

describe("drivers of makers' payloads", () => {
  it('Techem: what was and what came since, the day of each', () => {
    // 31 December 2024 is 319F; 15 March is day 15, month 3 without a year.
    expect(read('TCH', 0x74, 0x62, 'A2 06 9F31 5900 F006 3100 00')).toMatchObject({
      list: 'techem-mk-radio-3',
      meterType: 'Warm water',
      volume: 13.8,
      volume1: 8.9,
      volumeOfPeriod: 4.9,
      date: '2025-03-15',
      date1: '2024-12-31',
    });
    expect(read('TCH', 0x45, 0x04, 'A2 000000 640000 00 0A0000')).toMatchObject({ energy: 110_000, energy1: 100_000 });
    expect(read('TCH', 0x69, 0x80, 'A0 11 9F31 E803 F006 6400 3408 0209')).toMatchObject({
      heatCostAllocation: 100,
      heatCostAllocation1: 1000,
      externalTemperature: 21,
      flowTemperature: 23.06,
    });
  });

  it('Apator: thirds of a litre, and tagged fields', () => {
    expect(read('APT', 0x03, 0x03, 'A0 03000000')).toMatchObject({ volume: 0.001 });
    const tagged = '7A 01 00 0000 0F 00000000000000 43 0100 10 D2040000 A0 00000000 FFFF';
    expect(read('APA', 0x05, 0x07, tagged)).toMatchObject({ list: 'apator-162', volume: 1.234 });
  });

  it('B Meters: battery, back-flow and months behind DIF 0F', () => {
    const months = 'E80300'.repeat(11);
    expect(read('BMT', 0x13, 7, `7A 01 00 0000 0C13 67350000 0F 15 0D 07000000 ${months} FFFFFF`)).toMatchObject({
      volume: 3.567,
      batteryVoltage: 3.5,
      volumeBackward: 0.007,
      volumeAtEndOfJanuary1: 10,
    });
  });

  it('Qundis: the walk-by record is what the standard records would be', () => {
    const record = '00824E00007F0007C1 13 FFFF 63961300 DF2C 82731200 FE24 63811300 A400 F200 0080';
    const got = read('QDS', 0x16, 6, `78 0D FF 5F 22 ${record}`);
    expect(got).toMatchObject({ list: 'qundis-walk-by', volume: 139.663, volume1: 127.382, date1: '2022-12-31' });
    expect(got).toMatchObject({ volume17: 138.163, date17: '2023-04-30', volume2: 0.164, volume3: 0.242 });
    expect(got).not.toHaveProperty('volume4');
  });

  it('what no driver knows stays hex', () => {
    expect(read('ABC', 1, 7, 'A0 010203')).toMatchObject({ list: undefined, manufacturerData: '010203' });
  });
});
