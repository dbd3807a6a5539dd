/**
 * The gas smart module on M-Bus: its state as records, and commands out of records (system description §8.3: two-way, wired or
 * wireless).
 *
 * Records of tariff n (1 to 4) are the blocks: volume in the period (storage 0) and the one before (storage 1), limit, price.
 * Written are: digital output (0 close, 1 arm the valve), remote control (REMOTE), credit with an access number as the
 * transaction, date and time, and the tariff table: limits (`upper limit`), prices (debit per m3), standing charge (debit per
 * day), and optionally the start of the tariff, which makes it the passive one. A refusal is an application error.
 */
import { localToUtc } from '@amiable/calendar';
import type { MbusRecord, RecordToSend } from '@amiable/mbus';
import {
  APPLICATION_ERROR,
  bcd,
  daysOf,
  hourly,
  type MbusDevice,
  MEDIUM,
  STATUS,
  text,
  time,
  whole,
} from './device.ts';
import { type BlockTariff, GAS_ALARMS, type GasModule, type GasOutcome } from './gas-module/index.ts';

/** Codes of the remote control record. */
export const REMOTE = {
  emergencyCredit: 2,
  prepayment: 3,
  creditMode: 4,
  compensationOn: 5,
  compensationOff: 6,
} as const;
/** Digital output: the valve as it is, and as it is told. */
export const VALVE = { close: 0, arm: 1 } as const;
const VALVE_STATES = { closed: 0, open: 1, armed: 2, opening: 3, closing: 4 } as const;

export const GAS_VIF = {
  volume: [0x13],
  converted: [0x93, 0x3e],
  uncorrected: [0x93, 0x3a],
  limit: [0x93, 0x48],
  flow: [0x3b],
  temperature: [0x5a],
  /** 10^-3, and 10^-5 by a factor of 10^-2, of the currency. */
  credit: [0xfd, 0x00],
  debit: [0xfd, 0x04],
  price: [0xfd, 0x84, 0xad, 0x74],
  standing: [0xfd, 0x84, 0xa3, 0x74],
  transaction: [0xfd, 0x08],
  valve: [0xfd, 0x1a],
  remote: [0xfd, 0x1f],
  errors: [0xfd, 0x17],
  tariffStart: [0xfd, 0x30],
  battery: [0xfd, 0x74],
  firmware: [0xfd, 0x0e],
  carbon: [0x1b],
} as const;

/** Days that a full battery lasts. */
const BATTERY_DAYS = 5475;
const litres = (ml: number): number => Math.floor(ml / 1000);
/** Of money that the records give in thousandths. */
const thousandths = (units: number): number => Math.floor(units / 100);

export function createGasDevice(module: GasModule): MbusDevice & { readonly module: GasModule } {
  const { identity, config } = module;
  const { zone } = config;

  function account(): RecordToSend[] {
    const { tariff } = module.parameters;
    const blocks = tariff.prices.flatMap((price, i) => [
      bcd(GAS_VIF.volume, litres(module.blocks[i] ?? 0), 8, { tariff: i + 1 }),
      bcd(GAS_VIF.volume, litres(module.lastPeriod[i] ?? 0), 8, { tariff: i + 1, storage: 1 }),
      ...(i < tariff.limits.length
        ? [bcd(GAS_VIF.limit, litres(tariff.limits[i] as number), 8, { tariff: i + 1 })]
        : []),
      whole(GAS_VIF.price, price, 4, { tariff: i + 1 }),
    ]);
    return [
      whole(GAS_VIF.credit, thousandths(module.credit), 4),
      whole(GAS_VIF.debit, thousandths(module.charged), 6),
      whole(GAS_VIF.standing, tariff.standingCharge, 4),
      ...blocks,
    ];
  }

  const alarmRecord = (): RecordToSend => whole(GAS_VIF.errors, module.alarms, 2);
  const valveRecord = (): RecordToSend => whole(GAS_VIF.valve, VALVE_STATES[module.valve], 1);

  return {
    name: `gas smart module (${config.casework})`,
    module,
    identity: {
      identification: identity.identification,
      manufacturer: identity.manufacturer,
      version: identity.version,
      medium: MEDIUM.gas,
    },
    fabrication: identity.identification,
    live: (at) => module.advance(at),
    status() {
      const alarms = module.alarms;
      const serious = GAS_ALARMS.valveLeak | GAS_ALARMS.wrongGas;
      return (
        (alarms & ~GAS_ALARMS.batteryLow ? STATUS.abnormal : 0) |
        (alarms & GAS_ALARMS.batteryLow ? STATUS.powerLow : 0) |
        (alarms & serious ? STATUS.permanent : 0)
      );
    },
    records(subcode) {
      const days = daysOf(subcode);
      return [
        bcd([0x78], Number(identity.identification)),
        text(GAS_VIF.firmware, identity.firmware),
        ...this.beacon(),
        bcd(GAS_VIF.converted, litres(module.convertedVolume)),
        bcd(GAS_VIF.uncorrected, litres(module.volume)),
        whole(GAS_VIF.temperature, Math.round(module.temperature * 10), 2),
        ...account(),
        whole(GAS_VIF.battery, Math.round((module.batteryPercent * BATTERY_DAYS) / 100), 2),
        whole(GAS_VIF.carbon, Math.floor(module.carbon), 4),
        ...(days > 0
          ? hourly(zone, GAS_VIF.volume, module.clock, days, (at) => {
              const row = module.hours.findLast((hour) => hour.at === at);
              return row && litres(row.volume);
            })
          : []),
      ];
    },
    beacon: () => [
      bcd(GAS_VIF.volume, litres(module.billedVolume)),
      time(zone, module.clock),
      whole(GAS_VIF.flow, Math.round(module.flow / 1000)),
      valveRecord(),
      alarmRecord(),
    ],
    alarms: () => (module.alarms ? [alarmRecord(), valveRecord()] : []),
    sent: () => module.transmitted(),
    write(records) {
      let tariff: Partial<BlockTariff> = {};
      const limits: number[] = [];
      const prices: number[] = [];
      let start: number | undefined;
      let amount: number | undefined;
      let transaction: number | undefined;
      const outcomes: (() => GasOutcome)[] = [];
      for (const record of records) {
        const value = Number(record.value);
        if (is(record, GAS_VIF.valve))
          outcomes.push(() =>
            value === VALVE.close ? module.closeValve() : value === VALVE.arm ? module.armValve() : REFUSED,
          );
        else if (is(record, GAS_VIF.remote)) outcomes.push(() => remote(value));
        else if (is(record, GAS_VIF.credit)) amount = value * 10 ** (record.scaler + 5);
        else if (is(record, GAS_VIF.transaction)) transaction = value;
        else if (is(record, GAS_VIF.limit)) limits[record.tariff - 1] = value * 10 ** (record.scaler + 6);
        else if (is(record, GAS_VIF.price)) prices[record.tariff - 1] = value * 10 ** (record.scaler + 5);
        else if (is(record, GAS_VIF.standing))
          tariff = { ...tariff, standingCharge: value * 10 ** (record.scaler + 5) };
        else if (is(record, GAS_VIF.tariffStart)) start = utcOf(record);
        else if (record.vif === 0x6d && record.vifes.length === 0)
          outcomes.push(() => {
            const at = utcOf(record);
            return at === undefined ? REFUSED : module.setClock(at);
          });
        else return APPLICATION_ERROR.notImplemented;
      }
      if (amount !== undefined) {
        // Without its number a top-up that is repeated would count twice.
        if (transaction === undefined) return APPLICATION_ERROR.unspecified;
        const [number, sum] = [transaction, Math.round(amount)];
        outcomes.push(() => module.topUp(number, sum));
      }
      if (limits.length || prices.length || tariff.standingCharge !== undefined) {
        const next: BlockTariff = {
          ...module.parameters.tariff,
          ...tariff,
          ...(prices.length && { prices: Array.from(prices, Math.round), limits: Array.from(limits, Math.round) }),
        };
        outcomes.push(() =>
          module.setParameters(start === undefined ? { tariff: next } : { passive: next, activation: start }),
        );
      }
      for (const run of outcomes) if (!run().done) return APPLICATION_ERROR.unspecified;
      return undefined;
    },
  };

  function remote(code: number): GasOutcome {
    switch (code) {
      case REMOTE.emergencyCredit:
        return module.activateEmergencyCredit();
      case REMOTE.prepayment:
        return module.setParameters({ mode: 'prepayment' });
      case REMOTE.creditMode:
        return module.setParameters({ mode: 'credit' });
      case REMOTE.compensationOn:
        return module.setParameters({ compensation: true });
      case REMOTE.compensationOff:
        return module.setParameters({ compensation: false });
      default:
        return REFUSED;
    }
  }

  function utcOf(record: MbusRecord): number | undefined {
    const wall = Date.parse(`${String(record.value)}Z`);
    return Number.isNaN(wall) ? undefined : localToUtc(zone, wall);
  }
}

const REFUSED: GasOutcome = { done: false, reason: 'no such command' };

const is = (record: MbusRecord, vif: readonly number[]): boolean =>
  (record.vif & 0x7f) === ((vif[0] as number) & 0x7f) &&
  record.vifes.length === vif.length - 1 &&
  record.vifes.every((octet, i) => (octet & 0x7f) === ((vif[i + 1] as number) & 0x7f));
