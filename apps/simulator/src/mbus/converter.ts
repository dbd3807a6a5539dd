/**
 * The M-Bus/RF converter: what radio devices send (868 MHz), given on as wired slaves (system description §3.4.2, fig. 17).
 *
 * It is a slave itself, with its own address and identity, and stands for each radio device with an address more. Decides: a
 * device sends its few records every so often, aligned to the clock; some telegrams are lost; the converter keeps the last one
 * and the values of full hours, for a device's battery pays for each sending. What is written to a device waits until it has
 * sent, for it listens only then: it is acknowledged at once, and a refusal comes back as the status of its next telegram.
 */
import type { MbusRecord, RecordToSend } from '@amiable/mbus';
import { part, unit } from '../house/noise.ts';
import { bcd, daysOf, hourly, MAKER, type MbusDevice, MEDIUM, MOST_DAYS, STATUS, whole } from './device.ts';

export interface RadioDevice {
  readonly device: MbusDevice;
  /** s between sendings, a whole part of an hour. */
  readonly every: number;
}

export interface ConverterOptions {
  /** 8 digits. */
  readonly identification: string;
  readonly radios: readonly RadioDevice[];
  readonly zone: string;
  readonly seed: number;
  /** Share of telegrams that are not received; 0.03 unless said. */
  readonly loss?: number;
}

export interface Converter extends MbusDevice {
  /** What stands on the wire for each radio device. */
  readonly proxies: readonly MbusDevice[];
}

const HOUR = 3_600_000;
const HOURS_KEPT = MOST_DAYS * 24;
/** ms after which a device that is not heard counts as lost. */
const LOST = 24 * HOUR;

interface Heard {
  readonly radio: RadioDevice;
  at: number | undefined;
  records: RecordToSend[];
  status: number;
  level: number;
  /** Values of full hours, by hour. */
  readonly hours: Map<number, number>;
  waiting: (readonly MbusRecord[])[];
  refused: boolean;
}

export function createConverter(options: ConverterOptions): Converter {
  const { identification, zone, seed, loss = 0.03 } = options;
  const dice = part(seed, 76);
  const heard: Heard[] = options.radios.map((radio) => ({
    radio,
    at: undefined,
    records: [],
    status: 0,
    level: -60,
    hours: new Map(),
    waiting: [],
    refused: false,
  }));
  let now = 0;
  let listened = Number.NaN;

  function receive(h: Heard, n: number, at: number): void {
    const { device } = h.radio;
    device.live(at);
    device.sent?.();
    const commands = h.waiting;
    h.waiting = [];
    if (unit(dice, Math.floor(at / 60_000), n) < loss) {
      // The device heard nothing either.
      h.waiting = commands;
      return;
    }
    h.at = at;
    h.level = -60 - Math.floor(unit(dice, Math.floor(at / 60_000), n + 100) * 25);
    for (const records of commands) h.refused = device.write(records) !== undefined;
    h.status = device.status() | (h.refused ? STATUS.error : 0);
    h.records = device.beacon();
    const [index] = h.records;
    if (at % HOUR === 0 && index?.data.type === 'bcd') {
      h.hours.set(at, Number(index.data.value));
      if (h.hours.size > HOURS_KEPT) h.hours.delete(h.hours.keys().next().value as number);
    }
  }

  function listen(at: number): void {
    const oldest = Math.floor(at / HOUR) * HOUR - (HOURS_KEPT + 1) * HOUR;
    const from = Number.isNaN(listened) || listened < oldest ? oldest : listened;
    const sendings: { at: number; n: number }[] = [];
    heard.forEach(({ radio: { every } }, n) => {
      const step = every * 1000;
      for (let t = (Math.floor(from / step) + 1) * step; t <= at; t += step) sendings.push({ at: t, n });
    });
    sendings.sort((a, b) => a.at - b.at || a.n - b.n);
    for (const sending of sendings) receive(heard[sending.n] as Heard, sending.n, sending.at);
    listened = Math.max(from, at);
  }

  function live(at: number): void {
    now = Math.max(now, at);
    listen(now);
  }

  const proxy = (h: Heard): MbusDevice => {
    const { device } = h.radio;
    return {
      name: `${device.name}, by radio`,
      identity: device.identity,
      fabrication: device.fabrication,
      live,
      status: () => h.status | (h.at !== undefined && now - h.at > LOST ? STATUS.temporary : 0),
      records(subcode) {
        if (h.at === undefined) return [];
        const days = daysOf(subcode);
        const [index] = h.records;
        return [
          ...h.records,
          whole([0x74], Math.floor((now - h.at) / 1000)),
          whole([0xfd, 0x71], h.level, 1),
          ...(days > 0 && index ? hourly(zone, index.vif, now, days, (at) => h.hours.get(at)) : []),
        ];
      },
      beacon: () => h.records,
      alarms: () => (h.status ? [whole([0xfd, 0x17], h.status, 1)] : []),
      write(records) {
        h.waiting.push(records);
        return undefined;
      },
    };
  };

  const silent = (h: Heard): boolean => h.at === undefined || now - h.at > LOST;
  return {
    name: 'M-Bus/RF converter',
    identity: { identification, manufacturer: MAKER, version: 0x40, medium: MEDIUM.converter },
    fabrication: identification,
    proxies: heard.map(proxy),
    live,
    status: () => (heard.some(silent) ? STATUS.temporary : 0),
    /** Of each radio device (subunit n, from 1): its number, how loud, how long ago. */
    records: () => [
      bcd([0x78], Number(identification)),
      ...heard.flatMap((h, i) => [
        bcd([0x78], Number(h.radio.device.identity.identification), 8, { subunit: i + 1 }),
        whole([0xfd, 0x71], h.level, 1, { subunit: i + 1 }),
        ...(h.at === undefined ? [] : [whole([0x74], Math.floor((now - h.at) / 1000), 4, { subunit: i + 1 })]),
      ]),
    ],
    beacon: () => [],
    alarms: () => [],
    write: () => 1,
  };
}
