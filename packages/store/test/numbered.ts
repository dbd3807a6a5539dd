/** A numbered stream of messages: each number gives one message, always the same, so that any part can be sent again. */
import { createHash } from 'node:crypto';
import type { Item, Message } from '@amiable/model';

export const streamStart = Date.UTC(2026, 0, 15);
/** Milliseconds from one to the next: a few thousand fill days, so that they can be compacted. */
export const streamStep = 20_000;
export const streamMeters = 5;

const items: readonly Item[] = [
  { obis: '1-0:1.7.0', name: 'activePowerImport', unit: 'W', scaler: 0 },
  { obis: '1-0:32.7.0', name: 'voltageL1', unit: 'V', scaler: -1 },
];

export const numberedId = (n: number): string => createHash('sha256').update(`message ${n}`).digest('hex').slice(0, 32);

/** The value of activePowerImport is the number itself. */
export function numbered(n: number): Message {
  const time = streamStart + n * streamStep;
  return {
    v: 1,
    id: numberedId(n),
    reader: 'attic',
    port: 'han0',
    protocol: 'han',
    maker: 'Kaifa',
    list: 'KFM_001',
    meterId: `meter-${n % streamMeters}`,
    meterType: 'MA304H3E',
    time,
    receivedAt: time + 50,
    flags: [],
    items,
    values: [n, 2300 + (n % 50)],
    raw: Buffer.from(`7ea0${n.toString(16).padStart(12, '0')}7e`, 'hex'),
  };
}

export const range = (from: number, count: number): Message[] =>
  Array.from({ length: count }, (_, i) => numbered(from + i));
