/** The stand-in server's network: feeders in turn, every fifth house stands in none. */
import { house, power } from './world.ts';

const KINDS = ['feeder', 'transformer', 'substation', 'region'] as const;
const FIRST = 1000;

function many(kind: number, long: boolean): number {
  return (long ? [400, 40, 4, 1] : [3, 2, 1, 1])[kind] ?? 0;
}
export const standsIn = (index: number): boolean => index % 5 !== 4;

export function standsUnder(index: number, area: string, long: boolean): boolean {
  const kind = Math.floor(Number(area) / FIRST) - 1;
  return standsIn(index) && index % many(kind, long) === Number(area) % FIRST;
}

export function areaNode(id: string) {
  const number = Number(id);
  const kind = KINDS[Math.floor(number / FIRST) - 1];
  return kind
    ? { id, kind, code: `${kind[0]?.toUpperCase()}${number % FIRST}`, name: `Harbour ${kind} ${id}` }
    : undefined;
}

export function areasAnswer(query: URLSearchParams, meters: number, long: boolean, now: number) {
  const kind = (KINDS as readonly string[]).indexOf(query.get('kind') ?? 'feeder');
  const first = (kind + 1) * FIRST;
  const after = Number(query.get('after') ?? first - 1);
  const all = meters === 0 ? 0 : many(kind, long);
  const page = Array.from({ length: all }, (_, k) => first + k).filter((id) => id > after);
  const areas = page.slice(0, 200).map((id) => {
    let stand = 0;
    let net = 0;
    for (let i = id % FIRST; i < meters; i += all) {
      if (!standsIn(i)) continue;
      stand++;
      if (stand <= 20) net += power(house(i), now);
    }
    const { code, name } = areaNode(String(id)) as { code: string; name: string };
    // The second tells none, as meters do that are only asked.
    const told = { import: Math.max(net, 0), export: Math.max(-net, 0), meters: Math.min(stand, 20) };
    return {
      id: String(id),
      code,
      name: id % FIRST === 2 ? null : name,
      meters: stand,
      power: id % FIRST === 1 ? null : told,
    };
  });
  return { areas, next: page.length > 200 ? (areas.at(-1)?.id ?? null) : null };
}
