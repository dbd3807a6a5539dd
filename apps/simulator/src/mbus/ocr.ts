/**
 * The OCR module: reads a meter with a mechanical register by camera and speaks M-Bus for it (system description §2.2-12, §2.2-16,
 * §3.4, §7.4.3.2).
 *
 * It has a secondary address of its own; the meter behind it has none, and its identifiers are written at installation: utility
 * serial number (32 characters), manufacturer serial number (16), configuration ID (16), and the M-Bus address. Decides: the
 * camera looks once an hour (its battery); a digit that is turning cannot always be read, then the value before stands and the
 * status says so; a reading below the one before, or further on than the meter can have got, is not believed.
 */
import { startOf } from '@amiable/calendar';
import type { MbusRecord } from '@amiable/mbus';
import { part, unit } from '../house/noise.ts';
import type { Consumption, Supply } from './consumption.ts';
import {
  APPLICATION_ERROR,
  bcd,
  date,
  daysOf,
  hourly,
  MAKER,
  type MbusDevice,
  MEDIUM,
  STATUS,
  text,
  time,
  whole,
} from './device.ts';

export interface OcrOptions {
  /** What the mechanical meter counts. */
  readonly supply: Exclude<Supply, 'heat' | 'electricity'>;
  /** 8 digits of the module itself. */
  readonly identification: string;
  readonly consumption: Consumption;
  readonly zone: string;
  readonly seed: number;
  /** Set at installation. */
  readonly utilitySerial?: string;
  readonly manufacturerSerial?: string;
  readonly configurationId?: string;
  /** Share of pictures that cannot be read; 0.01 unless said. */
  readonly unreadable?: number;
}

const HOUR = 3_600_000;
const HOURS_KEPT = 240;
/** Eight wheels: 5 of m3, 3 red ones of litres. */
const WHEELS = 100_000_000;
/** Litres an hour that no household's meter exceeds; more is a misread digit. */
const MOST = 10_000;
/** In this part of the last wheel's turn it stands between two digits. */
const TURNING = 0.12;

const LITRES = [0x13];
export const OCR_IDS = {
  /** VIFs under which the identifiers are read and written. */
  utilitySerial: [0xfd, 0x11],
  manufacturerSerial: [0x78],
  configurationId: [0xfd, 0x0b],
  moduleSerial: [0xfd, 0x0c],
} as const;
const LIMITS = { utilitySerial: 32, manufacturerSerial: 16, configurationId: 16 } as const;
type Writable = keyof typeof LIMITS;

export interface OcrDevice extends MbusDevice {
  readonly ids: Readonly<Record<Writable, string>>;
  /** Litres, as the camera read it last; undefined before its first picture. */
  readonly value: number | undefined;
  /** Whether the last picture could be read. */
  readonly readable: boolean;
}

export function createOcrDevice(options: OcrOptions): OcrDevice {
  const { supply, identification, consumption, zone, seed, unreadable = 0.01 } = options;
  const flow = consumption.flow(supply);
  const dice = part(seed, 75);
  const moduleSerial = `OCR${identification}`;
  const ids: Record<Writable, string> = {
    utilitySerial: options.utilitySerial ?? '',
    manufacturerSerial: options.manufacturerSerial ?? '',
    configurationId: options.configurationId ?? '',
  };
  let now = 0;
  let looked = Number.NaN;
  let value: number | undefined;
  let valueAt = 0;
  let readable = true;
  let rows: { at: number; value: number }[] = [];

  /** What the camera makes of the wheels at `at`; undefined: nothing. */
  function picture(at: number): number | undefined {
    const n = Math.floor(at / HOUR);
    if (unit(dice, n) < unreadable) return undefined;
    const litres = flow.total(at) / 1000;
    const turning = litres - Math.floor(litres) > 1 - TURNING;
    // Between two digits the camera takes one or the other.
    const seen = Math.floor(litres) + (turning && unit(dice, n, 1) < 0.5 ? 1 : 0);
    return seen % WHEELS;
  }

  function look(at: number): void {
    const seen = picture(at);
    const hours = (at - valueAt) / HOUR;
    const gone = seen === undefined || value === undefined ? 0 : (seen - value + WHEELS) % WHEELS;
    readable = seen !== undefined && (value === undefined || gone <= MOST * hours + 1);
    if (seen !== undefined && readable) {
      value = seen;
      valueAt = at;
    }
    if (value === undefined) return;
    rows.push({ at, value });
    if (rows.length > HOURS_KEPT) rows.shift();
  }

  function write(record: MbusRecord): boolean {
    const vif = [record.vif, ...record.vifes].map((octet) => octet & 0x7f).join();
    for (const name of Object.keys(LIMITS) as Writable[]) {
      if (OCR_IDS[name].map((octet) => octet & 0x7f).join() !== vif) continue;
      const said = String(record.value);
      if (said.length > LIMITS[name]) return false;
      ids[name] = said;
      return true;
    }
    return record.vif === 0x6d;
  }

  return {
    name: `OCR module on a mechanical ${supply} meter`,
    identity: { identification, manufacturer: MAKER, version: 0x30, medium: MEDIUM[supply] },
    fabrication: identification,
    ids,
    get value() {
      return value;
    },
    get readable() {
      return readable;
    },
    live(at) {
      now = at;
      const last = Math.floor(at / HOUR) * HOUR;
      if (Number.isNaN(looked)) looked = last - (HOURS_KEPT + 1) * HOUR;
      // After a long time only what is still kept matters.
      if (last - looked > (HOURS_KEPT + 1) * HOUR) {
        looked = last - (HOURS_KEPT + 1) * HOUR;
        rows = [];
      }
      while (looked < last) {
        looked += HOUR;
        look(looked);
      }
    },
    status: () => (readable ? 0 : STATUS.temporary),
    records(subcode) {
      const days = daysOf(subcode);
      const due = startOf('month', zone, now);
      const dueRow = rows.findLast((row) => row.at <= due);
      return [
        text(OCR_IDS.manufacturerSerial, ids.manufacturerSerial),
        text(OCR_IDS.utilitySerial, ids.utilitySerial),
        text(OCR_IDS.moduleSerial, moduleSerial),
        text(OCR_IDS.configurationId, ids.configurationId),
        ...this.beacon(),
        ...(dueRow ? [date(zone, due - 1, { storage: 1 }), bcd(LITRES, dueRow.value, 8, { storage: 1 })] : []),
        whole([0xfd, 0x17], readable ? 0 : 1, 1),
        ...(days > 0 ? hourly(zone, LITRES, now, days, (at) => rows.findLast((row) => row.at === at)?.value) : []),
      ];
    },
    /** The value with the time of the picture that it was read from. */
    beacon: () => (value === undefined ? [] : [bcd(LITRES, value), time(zone, valueAt)]),
    alarms: () => (readable ? [] : [whole([0xfd, 0x17], 1, 1)]),
    write(records) {
      for (const record of records) if (!write(record)) return APPLICATION_ERROR.notImplemented;
      return undefined;
    },
  };
}
