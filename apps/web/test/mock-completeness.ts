/** The stand-in server's completeness: four regions, their transformers and feeders, and what lacks in them, all invented from numbers. */

const DAY = 86_400_000;
const LEVELS = ['region', 'substation', 'transformer', 'feeder', 'meter'];
const NAMES = ['Nord', 'Sør', 'Øst', 'Vest og alle de små øyene utenfor'];

/** The same number for the same words, 0 to 1. */
function chance(text: string): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return ((hash >>> 0) % 10_000) / 10_000;
}

function cellOf(id: string, day: string, meters: number, today: string) {
  const expected = day > today ? 0 : meters * 96 * 4;
  const luck = chance(`${id}/${day}`);
  const share =
    luck < 0.72
      ? 1
      : luck < 0.84
        ? 0.995
        : luck < 0.9
          ? 0.97
          : luck < 0.94
            ? 0.86
            : luck < 0.97
              ? 0.61
              : luck < 0.985
                ? 0.2
                : 0;
  const present = Math.floor(expected * share);
  const givenUp = share === 0 ? Math.floor(expected / 2) : 0;
  return {
    expected,
    present,
    missing: expected - present - givenUp,
    estimated: share === 0.97 ? 8 : 0,
    givenUp,
    meters,
    complete: share === 1 ? meters : Math.floor(meters * share),
  };
}

function days(from: string, to: string): string[] {
  const out: string[] = [];
  for (let at = Date.parse(from); at < Date.parse(to); at += DAY) out.push(new Date(at).toISOString().slice(0, 10));
  return out;
}

export interface CompletenessWorld {
  readonly empty: boolean;
  readonly many: boolean;
  readonly now: number;
}

export function completenessAnswer(world: CompletenessWorld, query: URLSearchParams) {
  const today = new Date(world.now).toISOString().slice(0, 10);
  const list = days(query.get('from') ?? today, query.get('to') ?? today);
  const level = query.get('rows') ?? 'region';
  const under = query.get('under') ?? '';
  const limit = Number(query.get('limit') ?? 100);
  const after = Number(query.get('after') || 0);
  const row = (id: string, kind: string, name: string, meters: number) => ({
    id,
    kind,
    name,
    // The first day is not counted yet.
    cells: list.map((day, i) => (world.empty || (i === 0 && kind === 'all') ? null : cellOf(id, day, meters, today))),
  });
  // This grid has no substations.
  const all =
    world.empty || level === 'substation'
      ? 0
      : level === 'region'
        ? under
          ? 0
          : 4
        : level === 'meter'
          ? world.many
            ? 100_000
            : 24
          : 6;
  const rows = Array.from({ length: Math.max(0, Math.min(limit, all - after)) }, (_, i) => {
    const n = after + i + 1;
    const id = String(level === 'meter' ? n : LEVELS.indexOf(level) * 1000 + n);
    const name =
      level === 'region'
        ? (NAMES[n - 1] as string)
        : level === 'meter'
          ? `73599922${String(10_000_000 + n)}`
          : `${level === 'feeder' ? 'F' : 'T'}-${String(n).padStart(4, '0')}`;
    return row(id, level, name, level === 'meter' ? 1 : 400);
  });
  return {
    profile: query.get('profile') || 'load',
    profiles: ['daily', 'load', 'monthly'],
    days: list,
    total: row(
      under || 'all',
      under ? (LEVELS[Math.floor(Number(under) / 1000)] as string) : 'all',
      under ? 'Nord' : '',
      1600,
    ),
    rows,
    next: after + limit < all ? String(after + limit) : null,
    computedAt: new Date(world.now - 60_000).toISOString(),
  };
}

export function meterCompletenessAnswer(world: CompletenessWorld, meter: string, query: URLSearchParams) {
  const today = new Date(world.now).toISOString().slice(0, 10);
  const list = days(query.get('from') ?? today, query.get('to') ?? today);
  return {
    meter,
    profile: query.get('profile') || 'load',
    profiles: ['daily', 'load', 'monthly'],
    days: list.map((day) => {
      const { meters: _, complete: __, ...cell } = cellOf(meter, day, 1, today);
      const start = Date.parse(`${day}T09:00:00Z`);
      const lacking = cell.missing + cell.givenUp > 0;
      return {
        day,
        ...cell,
        reason: lacking ? 'The meter did not answer.' : null,
        gaps: lacking
          ? [
              { from: new Date(start).toISOString(), to: new Date(start + DAY / 12).toISOString(), count: 32 },
              { from: new Date(start + DAY / 4).toISOString(), to: new Date(start + DAY / 3).toISOString(), count: 32 },
            ]
          : [],
      };
    }),
  };
}
