/**
 * The virtual electricity meter's engine, on one core: how long a year takes, what ten thousand meters weigh with their
 * profiles full, and how fast they live an idle hour.
 */
import { createHmac } from 'node:crypto';
import {
  createMeter,
  DELIVERED,
  disturbedBySeed,
  firmwareConfig,
  householdSource,
  type Meter,
  meterConfig,
  meterIdentity,
} from '../../apps/simulator/src/electricity/index.ts';
import type { Figure } from './figure.ts';

const ZONE = 'Europe/Oslo';
const DAY = 86_400_000;
const HOUR = 3_600_000;
const START = Date.UTC(2025, 0, 1);
const CONFIG = meterConfig(
  ZONE,
  firmwareConfig(
    (profile, key, data) =>
      createHmac(profile === 'hmac-sha-1' ? 'sha1' : 'sha256', key)
        .update(data)
        .digest(),
    new Uint8Array(16),
  ),
);
const PARAMETERS = { ...DELIVERED, capturePeriod: 15 as const };

/** Seconds of processor time, the other threads of the runtime included: what else runs on the machine counts less. */
function seconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function year(step: number, days: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const house = householdSource({ seed: 7 + round, street: 1, zone: ZONE, type: 'polyphase', solar: true, step });
    const source = disturbedBySeed(house, 3);
    const meter = createMeter({
      config: CONFIG,
      identity: meterIdentity(1),
      start: START,
      source,
      parameters: PARAMETERS,
    });
    best = Math.min(
      best,
      seconds(() => meter.advance(START + days * DAY)),
    );
  }
  return best;
}

function full(days: number): Meter {
  const meter = createMeter({ config: CONFIG, identity: meterIdentity(1), start: START, parameters: PARAMETERS });
  meter.setPowers([400, 300, 200]);
  meter.advance(START + days * DAY);
  return meter;
}

export async function benchMeter({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const days = smoke ? 3 : 365;
  const count = smoke ? 20 : 10_000;
  const figures: Figure[] = [
    { name: 'meter: a year of quarters, household by the minute', value: year(1, days), unit: 's' },
    { name: 'meter: the same, household by five minutes', value: year(5, days), unit: 's' },
    { name: 'meter: a year of quarters, constant load', value: seconds(() => full(days)), unit: 's' },
  ];
  const state = full(smoke ? 3 : 420).saveState();
  const before = process.memoryUsage();
  const fleet: Meter[] = [];
  const loading = seconds(() => {
    for (let i = 0; i < count; i++)
      fleet.push(
        createMeter({ config: CONFIG, identity: meterIdentity(i), start: START, parameters: PARAMETERS, state }),
      );
  });
  const after = process.memoryUsage();
  figures.push(
    { name: `meter: ${count} with full profiles, resident in all`, value: after.rss / 1e6, unit: 'MB' },
    {
      name: 'meter: one of them',
      value: (after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed) / count / 1000,
      unit: 'kB',
    },
    { name: 'meter: started from saved state', value: count / loading, unit: 'meters/s' },
  );
  const living = seconds(() => {
    for (const meter of fleet) meter.advance(meter.now + HOUR);
  });
  figures.push({ name: 'meter: idle meter-hours lived', value: count / living, unit: 'meter-hours/s' });
  return figures;
}
