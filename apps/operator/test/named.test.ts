import { describe, expect, it } from 'vitest';
import { UsageError } from '../src/action.ts';
import type { Client } from '../src/client.ts';
import { meterIdsOf, meterOf, nodeIdOf } from '../src/named.ts';
import { find } from '../src/registry/words.ts';

const METERS = [
  { id: '17', serial: 'AMI4', utilitySerial: '990004' },
  { id: '18', serial: '17', utilitySerial: '990005' },
  { id: '19', serial: 'AMI6', utilitySerial: 'TWICE' },
  { id: '20', serial: 'AMI7', utilitySerial: 'TWICE' },
];
interface Search {
  readonly where: readonly {
    readonly attribute: 'serial' | 'utilitySerial' | 'id';
    readonly value: string | readonly string[];
  }[];
}
const client = {
  post: async (_path: string, body: Search) => ({
    meters: METERS.filter((m) => body.where.every((c) => [c.value].flat().includes(m[c.attribute]))),
  }),
  get: async (path: string, query: { code?: string }) => ({
    nodes: path === '/api/v1/nodes' && query.code === 'NORTH' ? [{ id: '3' }] : [],
  }),
} as unknown as Client;

describe('names on the command line', () => {
  it('a meter has its serial number, the number of the utility, and its number here, in this order', async () => {
    expect((await meterOf(client, 'AMI4')).id).toBe('17');
    expect((await meterOf(client, 'meter:AMI4')).id).toBe('17');
    expect((await meterOf(client, '990005')).id).toBe('18');
    expect((await meterOf(client, '17')).id).toBe('18');
    expect((await meterOf(client, '20')).id).toBe('20');
    expect(await meterIdsOf(client, ['20', '17', 'AMI4', '990005'])).toEqual(['20', '18', '17', '18']);
  });

  it('what is nobody’s or two meters’ is not guessed', async () => {
    await expect(meterOf(client, '21')).rejects.toThrow(/there is no meter 21.*registry search/);
    await expect(meterOf(client, 'TWICE')).rejects.toThrow(/AMI6 and AMI7; which one/);
    await expect(meterIdsOf(client, ['20', '21', 'x'])).rejects.toThrow('there is no meter 21, x; nothing was done');
    await expect(meterIdsOf(client, ['TWICE'])).rejects.toThrow('TWICE is the number of several meters');
  });

  it('a node has kind and code, or its number', async () => {
    expect(await nodeIdOf(client, undefined)).toBeUndefined();
    expect(await nodeIdOf(client, '12')).toBe('12');
    expect(await nodeIdOf(client, 'region:NORTH')).toBe('3');
    await expect(nodeIdOf(client, 'region:SOUTH')).rejects.toThrow('there is no region with the code SOUTH');
    for (const wrong of ['NORTH', 'region:', 'town:NORTH', ':NORTH', 'constructor:x'])
      await expect(nodeIdOf(client, wrong)).rejects.toThrow(UsageError);
  });

  it('a word that is no meter’s number says how places are named', async () => {
    await expect(find(client, 'TOWN')).rejects.toThrow('TOWN: give KIND:CODE such as region:NORTH');
    expect((await find(client, '17')).path).toBe('/api/v1/meters/18');
  });
});
