/** A port's messages as the spool sees them: every 2 s a fast one, every hour one with registers. */
import { type Item, type Message, messageId } from '@amiable/model';

const FAST: readonly Item[] = [{ obis: '1-0:1.7.0', name: 'activePowerImport', unit: 'W', scaler: 0 }];
const HOURLY: readonly Item[] = [
  ...FAST,
  { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', scaler: 0, clock: 'list' },
];
export const BEGIN = Date.UTC(2026, 0, 5);

/** Message number `n` of a port that sends every 2 s. */
export function message(n: number, { port = 'han0', begin = BEGIN, id = '' } = {}): Message {
  const time = begin + n * 2000;
  const hourly = n % 1800 === 0;
  const raw = Uint8Array.of(n >> 24, n >> 16, n >> 8, n);
  return {
    v: 1,
    id: id || messageId(`attic/${port}`, time, raw),
    reader: 'attic',
    port,
    protocol: 'han',
    maker: 'Kaifa',
    list: 'KFM_001',
    meterId: `69706314000000${port.slice(-1)}`,
    time,
    meterTime: new Date(time).toISOString().slice(0, 19),
    receivedAt: time,
    flags: [],
    items: hourly ? HOURLY : FAST,
    values: hourly ? [n % 5000, 676_000 + n] : [n % 5000],
    raw,
  };
}
export const idOf = (line: string): string => (JSON.parse(line) as { id: string }).id;
