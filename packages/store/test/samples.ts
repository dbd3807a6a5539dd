/** Messages for the store's tests. */
import { type Item, type Message, messageId } from '@amiable/model';

export const T0 = Date.UTC(2026, 2, 10, 12, 0, 0);

export const LIST1: readonly Item[] = [{ obis: '1-0:1.7.0', name: 'activePowerImport', unit: 'W', scaler: 0 }];
export const LIST2: readonly Item[] = [
  { obis: '1-0:0.2.129', name: 'listVersion', scaler: 0 },
  { obis: '0-0:96.1.0', name: 'meterSerial', scaler: 0 },
  { obis: '1-0:1.7.0', name: 'activePowerImport', unit: 'W', scaler: 0 },
  { obis: '1-0:2.7.0', name: 'activePowerExport', unit: 'W', scaler: 0 },
  { obis: '1-0:32.7.0', name: 'voltageL1', unit: 'V', scaler: -1 },
  { obis: '1-0:52.7.0', name: 'voltageL2', unit: 'V', scaler: -1 },
];
export const LIST3: readonly Item[] = [
  ...LIST2,
  { obis: '1-0:1.8.0', name: 'activeEnergyImport', unit: 'Wh', scaler: 0, clock: 'list' },
  { obis: '1-0:2.8.0', name: 'activeEnergyExport', unit: 'Wh', scaler: 0, clock: 'list' },
];

interface Options {
  readonly serial?: string | null;
  readonly port?: string;
  readonly extra?: Partial<Message>;
}

function make(items: readonly Item[], values: Message['values'], time: number, o: Options = {}): Message {
  const port = o.port ?? `port-${o.serial ?? 'none'}`;
  const raw = new Uint8Array(Buffer.from(`${port} ${time} ${items.length}`));
  return {
    v: 1,
    id: messageId(port, String(time), raw),
    reader: 'test',
    port,
    protocol: 'han',
    maker: 'Kaifa',
    list: 'KFM_001',
    ...(o.serial === null ? {} : { meterId: o.serial ?? '6970631401753985' }),
    time,
    receivedAt: time + 300,
    flags: [],
    items,
    values,
    raw,
    ...o.extra,
  };
}

export const list1 = (time: number, power: number, o?: Options): Message => make(LIST1, [power], time, o);
export const list2 = (time: number, power: number, o?: Options): Message =>
  make(LIST2, ['KFM_001', o?.serial ?? '6970631401753985', power, 0, 2301, 2312], time, o);
export const list3 = (time: number, power: number, register: number, o?: Options): Message => {
  const hour = Math.floor(time / 3_600_000) * 3_600_000;
  const none = undefined;
  return make(LIST3, ['KFM_001', o?.serial ?? '6970631401753985', power, 0, 2301, 2312, register, 0], time, {
    ...o,
    extra: { times: [none, none, none, none, none, none, hour, hour], meterType: 'MA304H3E', ...o?.extra },
  });
};
