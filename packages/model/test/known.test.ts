/** Messages of known layouts take a shorter way than through the schemas: it has to lead to the same place, whatever comes. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkedMessage, messageFromJson } from '../src/parse.ts';

const LINE = `{"v":1,"id":"0123456789abcdef0123456789abcdef","reader":"attic","port":"han0","protocol":"han","maker":"Kaifa","list":"KFM_001","meterId":"6970631401753985","meterType":"MA304H3E","time":"2017-09-15T03:33:40Z","meterTime":"2017-09-15T05:33:40","receivedAt":"2026-01-01T12:00:00.000Z","flags":["clockWrong"],"readings":[{"obis":"1-0:1.7.0","name":"activePowerImport","value":948,"unit":"W"},{"obis":"1-0:32.7.0","name":"voltageL1","value":238.5,"unit":"V","between":"L1-L2"},{"obis":"1-1:0.2.129","name":"listVersion","value":"KFM_001"},{"obis":"1-0:1.8.0","name":"activeEnergyImport","value":"9007199254740993","unit":"Wh","time":"2017-09-15T03:00:00Z"},{"obis":"0-1:24.2.1","name":"gasVolume","value":1234.567,"unit":"m3","time":"2017-09-15T03:00:00Z","channel":1,"deviceId":"G0001"}],"raw":"7ea0"}`;

const outcome = (read: (json: unknown) => unknown, json: unknown): unknown => {
  try {
    return read(json);
  } catch (error) {
    return String(error);
  }
};
type Tree = Record<string, unknown> & { readings: Record<string, unknown>[] };

it('gives the same message, and shares its items', () => {
  const slow = checkedMessage(JSON.parse(LINE));
  const quick = messageFromJson(JSON.parse(LINE));
  expect(quick).toEqual(slow);
  expect(quick.items).toBe(slow.items);
});

it('agrees with the schemas about whatever was changed', () => {
  checkedMessage(JSON.parse(LINE));
  const strange = fc.oneof(
    fc.constantFrom(
      undefined,
      null,
      '',
      0,
      -0,
      1,
      1.5,
      1e21,
      2 ** 53,
      '1',
      'x'.repeat(201),
      [],
      {},
      true,
      'W',
      '2017-02-30T03:00:00Z',
      '2017-09-15T24:00:00Z',
      '2017-09-15T03:00:00+02:00',
      '2017-09-15T03:00:60Z',
      'abc',
      'AB',
    ),
    fc.string(),
    fc.integer(),
    fc.double(),
  );
  const top = Object.keys(JSON.parse(LINE) as object);
  const inside = [
    'obis',
    'address',
    'name',
    'value',
    'unit',
    'between',
    'time',
    'channel',
    'deviceId',
    'quality',
    'raw',
    'more',
  ];
  fc.assert(
    fc.property(
      fc.option(fc.nat(4), { nil: undefined }),
      fc.constantFrom(...top, 'error', 'more'),
      fc.constantFrom(...inside),
      strange,
      fc.boolean(),
      (reading, outer, inner, value, remove) => {
        const make = () => {
          const json = JSON.parse(LINE) as Tree;
          const at = reading === undefined ? json : (json.readings[reading] as Record<string, unknown>);
          const field = reading === undefined ? outer : inner;
          if (remove) delete at[field];
          else at[field] = value;
          return json;
        };
        expect(outcome(messageFromJson, make())).toEqual(outcome(checkedMessage, make()));
      },
    ),
    { numRuns: 300 },
  );
});
