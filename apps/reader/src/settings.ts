/**
 * Finding parity and baud rate by itself: a setting is kept as long as messages decode with it; when none did for the time
 * of patience, the next is tried, round and round. One that has worked gets ten times the patience, since a meter may be
 * without power for a while.
 */
import type { Step, Table } from '@amiable/fsm';
import type { Parity } from '@amiable/io';
import type { PortProtocol } from '@amiable/meter';

export interface Setting {
  readonly baud: number;
  readonly parity: Parity;
}

export const describeSetting = ({ baud, parity }: Setting): string =>
  `${baud} baud, parity ${{ N: 'none', E: 'even', O: 'odd' }[parity]}`;

/**
 * By protocol, the likely ones first. 9600 baud without parity reads the 7E1 of older P1 ports and of optical heads too: the parity bit is
 * the eighth of the character then, and the decoders know it.
 */
const USUAL: Readonly<Record<PortProtocol, readonly Setting[]>> = {
  han: [
    { baud: 2400, parity: 'E' },
    { baud: 2400, parity: 'N' },
    { baud: 2400, parity: 'O' },
    { baud: 115_200, parity: 'N' },
    { baud: 9600, parity: 'N' },
    { baud: 9600, parity: 'E' },
  ],
  p1: [
    { baud: 115_200, parity: 'N' },
    { baud: 9600, parity: 'N' },
  ],
  'iec62056-21': [
    { baud: 9600, parity: 'N' },
    { baud: 2400, parity: 'N' },
    { baud: 300, parity: 'N' },
  ],
  mbus: [
    { baud: 2400, parity: 'E' },
    { baud: 9600, parity: 'E' },
    { baud: 300, parity: 'E' },
  ],
  wmbus: [
    { baud: 57_600, parity: 'N' },
    { baud: 9600, parity: 'N' },
    { baud: 38_400, parity: 'N' },
    { baud: 115_200, parity: 'N' },
  ],
};

/** Norwegian, Swedish and other HAN ports, P1, then the rest. */
const COMMON: readonly Setting[] = [
  { baud: 2400, parity: 'E' },
  { baud: 115_200, parity: 'N' },
  { baud: 2400, parity: 'N' },
  { baud: 9600, parity: 'N' },
  { baud: 2400, parity: 'O' },
  { baud: 9600, parity: 'E' },
  { baud: 57_600, parity: 'N' },
];

/** The settings to try, given what the user has fixed. */
export function settingsToTry(
  { baud, parity }: { baud?: number; parity?: Parity },
  protocol?: PortProtocol,
): readonly Setting[] {
  if (baud !== undefined && parity !== undefined) return [{ baud, parity }];
  if (baud !== undefined) return (['E', 'N', 'O'] as const).map((p) => ({ baud, parity: p }));
  const usual = protocol === undefined ? COMMON : USUAL[protocol];
  if (parity === undefined) return usual;
  // The guide's -P fixes the parity at the speed of all ports it knows.
  if (protocol === undefined) return [{ baud: 2400, parity }];
  const bauds = [...new Set(usual.map((one) => one.baud))];
  return bauds.map((one) => ({ baud: one, parity }));
}

export type SearchState =
  | { readonly type: 'trying'; readonly index: number; readonly of: number; readonly rounds: number }
  | { readonly type: 'settled'; readonly index: number; readonly of: number; readonly quiet: number };
export type SearchInput = { readonly type: 'good' } | { readonly type: 'patience' };
export type SearchEffect =
  | { readonly do: 'use'; readonly index: number; readonly firstRound: boolean }
  | { readonly do: 'found'; readonly index: number }
  | { readonly do: 'silent' };

const KEEP = 10;

const next = (index: number, of: number, rounds: number): Step<SearchState, SearchEffect> => {
  const wrapped = (index + 1) % of;
  const turns = wrapped === 0 ? rounds + 1 : rounds;
  const state: SearchState = { type: 'trying', index: wrapped, of, rounds: turns };
  if (of === 1) return { state, effects: turns === 1 ? [{ do: 'silent' }] : [] };
  return {
    state,
    effects: [
      { do: 'use', index: wrapped, firstRound: turns === 0 },
      ...(wrapped === 0 && turns === 1 ? [{ do: 'silent' } as const] : []),
    ],
  };
};

export const SEARCH: Table<SearchState, SearchInput, SearchEffect> = {
  trying: {
    good: (s) => ({
      state: { type: 'settled', index: s.index, of: s.of, quiet: 0 },
      effects: [{ do: 'found', index: s.index }],
    }),
    patience: (s) => next(s.index, s.of, s.rounds),
  },
  settled: {
    good: (s) => ({ state: s.quiet === 0 ? s : { ...s, quiet: 0 }, effects: [] }),
    patience: (s) =>
      s.quiet + 1 < KEEP ? { state: { ...s, quiet: s.quiet + 1 }, effects: [] } : next(s.index, s.of, 0),
  },
};
