import { type Item, type Message, messageId } from '@amiable/model';

const power: Item = { obis: '1-0:1.7.0', name: 'activePowerImport', unit: 'W', scaler: 0 };
const out: Item = { obis: '1-0:2.7.0', name: 'activePowerExport', unit: 'W', scaler: 0 };
const voltage: Item = { obis: '1-0:32.7.0', name: 'voltageL1', unit: 'V', scaler: -1 };
const items = [power, out, voltage];
const START = Date.UTC(2026, 0, 15, 12);

/** Message number `n` of a meter that speaks every 2 s. */
export function sampleMessage(n: number, meterId = '6970631401753985', change: Partial<Message> = {}): Message {
  const time = START + n * 2000;
  const raw = new TextEncoder().encode(`${meterId} ${n}`);
  return {
    v: 1,
    id: messageId('test/han0', String(time), raw),
    reader: 'test',
    port: 'han0',
    protocol: 'han',
    maker: 'Kaifa',
    list: 'KFM_001',
    meterId,
    meterType: 'MA304H4',
    time,
    receivedAt: time,
    flags: [],
    items,
    values: [1000 + n, 0, 2300 + (n % 50)],
    raw,
    ...change,
  };
}
