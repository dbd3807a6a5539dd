/**
 * Gas, water and heat meters with an M-Bus module of their own: what they count follows the household (consumption.ts).
 *
 * Decides which records each has: index, flow, clock, due date (the first of the month), errors; heat has power and temperatures.
 * They keep their hours. Leaves out the wire.
 */
import { startOf } from '@amiable/calendar';
import type { RecordToSend } from '@amiable/mbus';
import type { Consumption, Flow, Supply } from './consumption.ts';
import { APPLICATION_ERROR, bcd, date, daysOf, hourly, MAKER, type MbusDevice, MEDIUM, time, whole } from './device.ts';

export interface MeterDeviceOptions {
  readonly supply: Supply;
  /** 8 digits. */
  readonly identification: string;
  readonly consumption: Consumption;
  readonly zone: string;
  readonly version?: number;
}

const NAMES: Readonly<Record<Supply, string>> = {
  gas: 'gas meter',
  'water-cold': 'water meter, cold',
  'water-hot': 'water meter, hot',
  heat: 'heat meter',
  electricity: 'electricity meter behind the meter',
};

/** VIFs: litres, kWh, 10 litres, litres an hour. */
const LITRES = [0x13];
const KILOWATT_HOURS = [0x06];
const WATT_HOURS = [0x03];
const POWER = [0x2b];
const FLOW = [0x3b];
const ERRORS = [0xfd, 0x17];
/** Litres that carry a kWh at a spread of 15 K or so. */
const LITRES_PER_KWH = 57;

const INDEX: Readonly<Record<Supply, readonly number[]>> = {
  gas: LITRES,
  'water-cold': LITRES,
  'water-hot': LITRES,
  heat: KILOWATT_HOURS,
  electricity: WATT_HOURS,
};

export function createMeterDevice(options: MeterDeviceOptions): MbusDevice {
  const { supply, identification, consumption, zone, version = 1 } = options;
  const flow = consumption.flow(supply);
  const heat = supply === 'heat';
  const index = INDEX[supply];
  /** In the unit of the index: litres, kWh or Wh. */
  const indexAt = (of: Flow, at: number): number => Math.floor(of.total(at) / (supply === 'electricity' ? 1 : 1000));
  let now = 0;
  let clockError = 0;

  const dueDate = (): number => startOf('month', zone, now);

  function actual(): RecordToSend[] {
    const rate = flow.rate(now);
    if (supply === 'electricity') return [bcd(index, indexAt(flow, now)), whole(POWER, rate)];
    if (!heat) return [bcd(index, indexAt(flow, now)), bcd(FLOW, Math.round(rate / 1000), 6)];
    const supplied = consumption.flowTemperature(now);
    const returned = consumption.returnTemperature(now);
    return [
      bcd(index, indexAt(flow, now)),
      bcd([0x14], Math.floor((indexAt(flow, now) * LITRES_PER_KWH) / 10)),
      whole(POWER, rate),
      whole(FLOW, Math.round((rate * LITRES_PER_KWH) / 1000)),
      whole([0x5a], Math.round(supplied * 10), 2),
      whole([0x5e], Math.round(returned * 10), 2),
      whole([0x62], Math.round((supplied - returned) * 10), 2),
    ];
  }

  return {
    name: NAMES[supply],
    identity: { identification, manufacturer: MAKER, version, medium: MEDIUM[supply] },
    fabrication: identification,
    live(at) {
      now = at;
    },
    status: () => 0,
    records(subcode) {
      const days = daysOf(subcode);
      const due = dueDate();
      return [
        bcd([0x78], Number(identification)),
        time(zone, now + clockError),
        ...actual(),
        date(zone, due - 1, { storage: 1 }),
        bcd(index, indexAt(flow, due), 8, { storage: 1 }),
        whole(ERRORS, 0, 1),
        ...(days > 0 ? hourly(zone, index, now, days, (at) => indexAt(flow, at)) : []),
      ];
    },
    beacon: () => [...actual(), time(zone, now + clockError)],
    alarms: () => [],
    write(records) {
      // Its clock is all that can be set.
      for (const record of records) if (record.vif !== 0x6d) return APPLICATION_ERROR.notImplemented;
      clockError = 0;
      return undefined;
    },
  };
}
