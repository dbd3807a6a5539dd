/** A reader service that says what a test tells it to. */
import type { Item, Message, Unit, Value } from '@amiable/model';
import type { ReaderConfig } from '../../src/config/types.ts';
import type { ReaderService, ReaderStatus } from '../../src/service/types.ts';

export const NOW = Date.UTC(2026, 10, 20, 12);

export type Reading = readonly [
  obis: string,
  name: string,
  unit: Unit | undefined,
  scaler: number,
  value: Value,
  more?: Partial<Item>,
];

export function message(readings: readonly Reading[], more: Partial<Message> = {}): Message {
  return {
    v: 1,
    id: '0'.repeat(32),
    reader: 'attic',
    port: 'han0',
    protocol: 'han',
    maker: 'Kaifa',
    meterId: '6970631400000066',
    meterType: 'MA304H3E',
    time: NOW,
    receivedAt: NOW,
    flags: [],
    items: readings.map(([obis, name, unit, scaler, , item]) => ({
      obis,
      name,
      scaler,
      ...(unit === undefined ? {} : { unit }),
      ...item,
    })),
    values: readings.map(([, , , , value]) => value),
    ...more,
  };
}

export const LIST_1 = message([['1-0:1.7.0', 'activePowerImport', 'W', 0, 4321]]);
export const LIST_3 = message([
  ['1-1:0.2.129', 'listVersion', undefined, 0, 'KFM_001'],
  ['0-0:96.1.0', 'meterId', undefined, 0, '6970631400000066'],
  ['1-0:1.7.0', 'activePowerImport', 'W', 0, 948],
  ['1-0:2.7.0', 'activePowerExport', 'W', 0, 0],
  ['1-0:3.7.0', 'reactivePowerImport', 'var', 0, 100],
  ['1-0:31.7.0', 'currentL1', 'A', -3, 3104],
  ['1-0:51.7.0', 'currentL2', 'A', -3, 1000],
  ['1-0:71.7.0', 'currentL3', 'A', -3, 896],
  ['1-0:32.7.0', 'voltageL1', 'V', -1, 2385],
  ['1-0:52.7.0', 'voltageL2', 'V', -1, 2390],
  ['1-0:72.7.0', 'voltageL3', 'V', -1, 2386],
  ['0-0:1.0.0', 'clock', undefined, 0, '2026-11-20T13:00:00'],
  ['1-0:1.8.0', 'activeEnergyImport', 'Wh', 0, 5_431_234],
  ['1-0:2.8.0', 'activeEnergyExport', 'Wh', 0, 716],
  ['1-0:3.8.0', 'reactiveEnergyImport', 'varh', 0, 111_698],
]);
/** A P1 telegram: rates, gas and a water meter on the M-Bus, a peak list. */
export const TELEGRAM = message(
  [
    ['1-0:1.8.1', 'activeEnergyImportRate1', 'Wh', 0, 1000],
    ['1-0:1.8.2', 'activeEnergyImportRate2', 'Wh', 0, 2500],
    ['1-0:16.7.0', 'activePowerNet', 'W', 0, -120],
    ['0-1:24.2.1', 'gasVolume', 'm3', -3, 1_234_567, { channel: 1, deviceId: 'G0001' }],
    ['0-2:24.2.1', 'waterVolume', 'm3', -3, 872_234, { channel: 2, deviceId: 'W/1 ü' }],
    ['0-0:98.1.0', 'monthPeak', 'W', 0, 5000],
    ['1-0:99.97.0', 'failure', 's', 0, 10],
    ['1-0:99.97.0', 'failure', 's', 0, 20],
  ],
  { port: 'p1', protocol: 'p1', maker: 'Sagemcom', meterId: 'E0034' },
);

export interface Fake extends ReaderService {
  /** Hands a message to everybody who listens. */
  say(m: Message): void;
  readonly applied: ReaderConfig[];
  readonly state: { -readonly [K in keyof ReaderStatus]: ReaderStatus[K] };
  stopped: boolean;
}

export function statusOf(config: Pick<ReaderConfig, 'reader' | 'ports' | 'uplinks'>): ReaderStatus {
  return {
    reader: config.reader,
    startedAt: NOW - 3_600_000,
    ports: config.ports.map(({ name, device }) => ({
      name,
      device,
      state: 'up',
      since: NOW - 3_600_000,
      counters: { bytes: 10_000, frames: 120, good: 118, sealed: 1, dropped: { checksum: 2, noise: 1 }, noise: 12 },
      last: { at: NOW - 2000, id: '0'.repeat(32), meterId: '6970631400000066', list: 'KFM_001' },
    })),
    spool: {
      folder: '/var/lib/amiable/spool',
      state: 'disk',
      bytes: 1_200_000,
      maxBytes: 1e9,
      segments: 1,
      messages: 4000,
      oldest: NOW - 86_400_000,
      unsynced: 0,
      thinned: 0,
      dropped: 0,
      damaged: 0,
    },
    uplinks: config.uplinks.map(({ name, type }) => ({
      name,
      type,
      target: type === 'mqtt' ? 'broker broker.lan:1883' : 'server central.example',
      state: 'up',
      cursor: 4000,
      waiting: 3,
      delivered: 3997,
      refused: 0,
      thinned: 0,
      lastDelivery: NOW - 1000,
    })),
  };
}

export function fakeService(
  config: ReaderConfig | Pick<ReaderConfig, 'reader' | 'ports' | 'uplinks'>,
  before: readonly Message[] = [],
): Fake {
  const listeners = new Set<(m: Message) => void>();
  const latest = new Map(before.map((m) => [`${m.port}/${m.meterId}`, m]));
  const fake: Fake = {
    applied: [],
    state: statusOf(config),
    stopped: false,
    status: () => fake.state,
    latest: () => latest,
    onMessage(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async apply(next) {
      fake.applied.push(next);
      Object.assign(fake.state, statusOf(next));
    },
    async stop() {
      fake.stopped = true;
    },
    say(m) {
      for (const listener of listeners) listener(m);
    },
  };
  return fake;
}
