/** The meters that can be simulated: what net they hang in, which lists they send and when. */
import type { Network } from '../house/profile.ts';
import { AIDON_SE, aidonLists, KAIFA_SE, kaifaLists, kamstrupLists, type Layout, type What } from './lists.ts';
import { AIDON_CLOCK, KAIFA_CLOCK, KAMSTRUP_CLOCK, type ListKind, type Schedule, SWEDISH_CLOCK } from './schedule.ts';

export interface Model {
  /** As it is named on the command line. */
  readonly name: string;
  readonly maker: Layout['maker'];
  /** As the meter itself says. */
  readonly type: string;
  readonly network: Network;
  readonly lists: Partial<Record<ListKind, Layout>>;
  readonly schedule: Schedule;
  /** Items that this type sends as 0 because it does not measure them. */
  readonly zero: readonly What[];
  /** Parity of its port; all speak 2400 baud, 8 data bits, 1 stop bit. */
  readonly parity: 'E' | 'N';
  readonly serialPrefix: string;
  /** True when its clock knows no summer time. */
  readonly standardTime?: boolean;
}

function kaifa(name: string, network: Network, zero: What[] = []): Model {
  const lists = kaifaLists(network !== 'single');
  const fixed = { maker: 'Kaifa', schedule: KAIFA_CLOCK, parity: 'E', serialPrefix: '69706314' } as const;
  return { ...fixed, name, type: name, network, lists, zero };
}
function aidon(type: string, network: Network): Model {
  const fixed = { maker: 'Aidon', schedule: AIDON_CLOCK, zero: [], parity: 'E', serialPrefix: '73599928' } as const;
  return { ...fixed, name: `Aidon-${type}`, type, network, lists: aidonLists(network) };
}
function kamstrup(name: string, type: string, network: Network): Model {
  const fixed = {
    maker: 'Kamstrup',
    schedule: KAMSTRUP_CLOCK,
    zero: [],
    parity: 'N',
    serialPrefix: '57065672',
  } as const;
  return { ...fixed, name, type, network, lists: kamstrupLists(network !== 'single') };
}

export const MODELS: readonly Model[] = [
  kaifa('MA105H2E', 'single'),
  // Three wires: the voltage across L1-L3 is not measured, nor, behind current transformers, the current of L2.
  kaifa('MA304H3E', 'it', ['u2']),
  kaifa('MA304H4', 'tn'),
  kaifa('MA304T3', 'it', ['i2', 'u2']),
  kaifa('MA304T4', 'tn'),
  {
    ...kaifa('MA304H4', 'tn'),
    name: 'MA304H4-SE',
    lists: { 3: KAIFA_SE },
    schedule: SWEDISH_CLOCK,
    serialPrefix: '73407340',
    standardTime: true,
  },
  aidon('6515', 'single'),
  aidon('6525', 'it'),
  aidon('6534', 'tn'),
  { ...aidon('6534', 'tn'), name: 'Aidon-6534-SE', lists: { 3: AIDON_SE }, schedule: SWEDISH_CLOCK },
  kamstrup('Kamstrup-6861', '6861111BN242101040', 'single'),
  kamstrup('Kamstrup-6841', '6841121BN243101040', 'tn'),
];

/** By name, whatever its case, with or without the maker before it. */
export function findModel(name: string): Model | undefined {
  const wanted = name.toLowerCase();
  return (
    MODELS.find((m) => m.name.toLowerCase() === wanted) ??
    MODELS.find((m) => m.name.toLowerCase() === `${m.maker.toLowerCase()}-${wanted}`)
  );
}
