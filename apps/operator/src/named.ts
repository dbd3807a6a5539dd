/**
 * What people call a meter or a place of the network, on every command line alike: a meter by its serial number, the utility's, or its number
 * in the system; a node by KIND:CODE or its number.
 *
 * Decides: which is meant when several could be (serial number first); that a word which means nothing is said before anything is asked of
 * the server. Leaves out: other objects (registry/words.ts).
 */
import { UsageError } from './action.ts';
import type { Client } from './client.ts';

export interface NamedMeter {
  readonly id: string;
  readonly serial: string;
}

/** Where nodes stand in the API. */
export const ROOM: Readonly<Record<string, string>> = {
  region: 'nodes',
  substation: 'nodes',
  transformer: 'nodes',
  feeder: 'nodes',
  concentrator: 'nodes',
  premises: 'premises',
  'metering-point': 'metering-points',
};

const NUMBER = /^\d{1,18}$/;
/** Values of one condition, and rows of one page. */
const MOST = 1000;

/** @returns the meter as the registry's search gives it. @throws UsageError where none or several could be meant */
export async function meterOf<M extends NamedMeter = NamedMeter>(client: Client, text: string): Promise<M> {
  const word = text.startsWith('meter:') ? text.slice(6) : text;
  for (const attribute of NUMBER.test(word) ? ['serial', 'utilitySerial', 'id'] : ['serial', 'utilitySerial']) {
    const { meters } = await client.post<{ meters: M[] }>('/api/v1/meters/search', {
      where: [{ attribute, is: '=', value: word }],
      limit: 2,
      count: false,
    });
    if (meters.length > 1)
      throw new UsageError(`${word} is the number of ${meters.map(({ serial }) => serial).join(' and ')}; which one?`);
    if (meters[0]) return meters[0];
  }
  throw new UsageError(
    `there is no meter ${word}, neither by serial number nor by number; \`amiable registry search\` finds meters`,
  );
}

/** Numbers in the system of many, in their order; some questions for all of them together. @throws UsageError that names what is not there */
export async function meterIdsOf(client: Client, words: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  for (const attribute of ['serial', 'utilitySerial', 'id'] as const) {
    const left = words.filter((word) => !found.has(word) && (attribute !== 'id' || NUMBER.test(word)));
    for (let i = 0; i < left.length; i += MOST) {
      const value = left.slice(i, i + MOST);
      const { meters } = await client.post<{ meters: (NamedMeter & { readonly utilitySerial: string | null })[] }>(
        '/api/v1/meters/search',
        { where: [{ attribute, is: 'in', value }], limit: MOST, count: false },
      );
      const of = new Map<string, string>();
      for (const meter of meters) {
        const name = meter[attribute] as string;
        if (of.has(name)) throw new UsageError(`${name} is the number of several meters; say their serial numbers`);
        of.set(name, meter.id);
      }
      for (const [name, id] of of) found.set(name, id);
    }
  }
  const unknown = words.filter((word) => !found.has(word));
  if (unknown.length > 0)
    throw new UsageError(
      `there is no meter ${unknown.slice(0, 5).join(', ')}${unknown.length > 5 ? ` and ${unknown.length - 5} more` : ''}; nothing was done`,
    );
  return words.map((word) => found.get(word) as string);
}

/** A node's number in the system, of `KIND:CODE` or of the number itself. */
export async function nodeIdOf(client: Client, word: string | undefined): Promise<string | undefined> {
  if (word === undefined || NUMBER.test(word)) return word;
  const at = word.indexOf(':');
  const kind = word.slice(0, Math.max(0, at)) === 'point' ? 'metering-point' : word.slice(0, Math.max(0, at));
  const code = word.slice(at + 1);
  if (at < 1 || code === '' || !Object.hasOwn(ROOM, kind))
    throw new UsageError(
      `${word}: a place of the network is meant: KIND:CODE such as region:NORTH, or its number; KIND is ${Object.keys(ROOM).join(', ')}`,
    );
  const room = ROOM[kind] as string;
  const { nodes } = await client.get<{ nodes: { id: string }[] }>(`/api/v1/${room}`, {
    ...(room === 'nodes' ? { kind } : {}),
    code,
  });
  if (!nodes[0]) throw new UsageError(`there is no ${kind} with the code ${code}`);
  return nodes[0].id;
}
