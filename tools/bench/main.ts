/**
 * `npm run bench [-- --json] [--smoke] [han|store|baud|profile …]`: measures, prints one figure a line. `--smoke` takes small
 * sizes: it shows that everything runs, its figures mean nothing.
 */
import type { Figure } from './figure.ts';

export interface BenchOptions {
  readonly smoke: boolean;
}

const BENCHES: Readonly<Record<string, () => Promise<(options: BenchOptions) => Promise<readonly Figure[]>>>> = {
  acquire: async () => (await import('./acquire.ts')).benchAcquire,
  billing: async () => (await import('./billing.ts')).benchBilling,
  han: async () => (await import('./han.ts')).benchHan,
  store: async () => (await import('./store.ts')).benchStore,
  dlms: async () => (await import('./dlms.ts')).benchDlms,
  'dlms-peers': async () => (await import('./dlms-peers.ts')).benchDlmsPeers,
  baud: async () => (await import('./baud.ts')).benchBaud,
  fleet: async () => (await import('./fleet.ts')).benchFleet,
  intervals: async () => (await import('./intervals.ts')).benchIntervals,
  journal: async () => (await import('./journal.ts')).benchJournal,
  mbus: async () => (await import('./mbus.ts')).benchMbus,
  meter: async () => (await import('./meter.ts')).benchMeter,
  p1: async () => (await import('./p1.ts')).benchP1,
  'registry-search': async () => (await import('./registry-search.ts')).benchRegistrySearch,
  spool: async () => (await import('./spool.ts')).benchSpool,
  vee: async () => (await import('./vee.ts')).benchVee,
  tariff: async () => (await import('./tariff.ts')).benchTariff,
  work: async () => (await import('./work.ts')).benchWork,
  wmbus: async () => (await import('./wmbus.ts')).benchWmbus,
  registry: async () => (await import('./registry.ts')).benchRegistry,
  validation: async () => (await import('./validation.ts')).benchValidation,
  profile: async () => (await import('./profile.ts')).benchProfile,
};

const words = process.argv.slice(2);
const json = words.includes('--json');
const smoke = words.includes('--smoke');
const wanted = words.filter((word) => !word.startsWith('--'));
for (const name of wanted)
  if (!BENCHES[name]) {
    process.stderr.write(`bench: there is no ${name}; there are ${Object.keys(BENCHES).join(', ')}\n`);
    process.exit(2);
  }

const line = (f: Figure): string => {
  const value = f.value >= 1000 ? Math.round(f.value).toLocaleString('en') : String(Number(f.value.toPrecision(4)));
  const beside = f.peer === undefined ? '' : `   ${f.ratio?.toPrecision(3)} × ${f.peer}`;
  return `${f.name.padEnd(64)} ${value.padStart(12)} ${f.unit}${beside}`;
};

for (const name of wanted.length ? wanted : Object.keys(BENCHES)) {
  const bench = await (BENCHES[name] as (typeof BENCHES)[string])();
  for (const figure of await bench({ smoke }))
    process.stdout.write(`${json ? JSON.stringify(figure) : line(figure)}\n`);
}
process.exit(0);
