/**
 * The M-Bus behind the electricity meter: a master that reads its slaves, on the wire that they hang on (system description
 * §2.2-12, §7.4.3, §7.4.4, fig. 17).
 *
 * Decides: what of a slave's records becomes a row: the record with the storage number, tariff and subunit of the channel's settings
 * and a unit that fits, converted to the settings' scaler; of a slave that keeps its hours the storage block of hourly
 * values, asked for by an application reset (enhanced billing, so many days). A busy slave is asked again. The slave's status
 * goes into the row. Two wires: in memory, in the meter's virtual time; or a line (pty, TCP, serial) on which anybody's
 * slaves may be, in real time: there an answer comes later, and history before the present is not asked for.
 */
import { DecodeError, LinkError, MisuseError, PeerError } from '@amiable/bytes';
import { localToUtc } from '@amiable/calendar';
import {
  type Answer,
  askBus,
  createMbusMaster,
  decodeLongFrame,
  decodeLongHeader,
  decodeRecords,
  LONG_HEADER,
  type LongFrame,
  type MbusHeader,
  type MbusRecord,
  type MbusSession,
  type Operation,
  runOperation,
} from '@amiable/mbus';
import type { SlavePort, SlaveReading, SlaveSettings } from '../electricity/index.ts';
import { HOURLY_SUBCODE, MOST_DAYS } from './device.ts';
import type { DeviceSlave } from './slave.ts';

/** What the meter's objects ask of its bus. */
export interface MeterBus extends SlavePort {
  /** Header of the last telegram of a channel. */
  header(channel: number): MbusHeader | undefined;
  /** Sends records (as octets) to a slave. Undefined: on its way, the outcome is not known yet. */
  send(settings: SlaveSettings, records: Uint8Array): boolean | undefined;
}

const DAY = 86_400_000;
const TELEGRAM = 0x72;
const ERROR = 0x70;
const BUSY = 8;
const BUSY_RETRIES = 3;

export interface SlaveTelegrams {
  readonly header: MbusHeader;
  readonly records: readonly MbusRecord[];
}

/** Header and records of all telegrams of an answer. @throws DecodeError; PeerError for an application error */
export function telegramsRead(frames: readonly LongFrame[]): SlaveTelegrams | undefined {
  let header: MbusHeader | undefined;
  const records: MbusRecord[] = [];
  for (const { controlInformation, data } of frames) {
    if (controlInformation === ERROR) throw new PeerError(`application error ${data[0] ?? 0}`);
    if (controlInformation !== TELEGRAM) continue;
    header ??= decodeLongHeader(data);
    records.push(...decodeRecords(data, LONG_HEADER, data.length, {}).records);
  }
  return header && { header, records };
}

function utcOf(zone: string, text: unknown): number | undefined {
  const wall = typeof text === 'string' && !text.includes('*') ? Date.parse(`${text}Z`) : Number.NaN;
  return Number.isNaN(wall) ? undefined : localToUtc(zone, wall);
}

/** Mantissa in the settings' scaler. */
function scaled(record: MbusRecord, { scaler }: SlaveSettings): number {
  return Math.round(Number(record.value) * 10 ** (record.scaler - scaler));
}

/** What becomes of an answer. `now` stands where the slave says no time. */
export function readingsOf(
  { header, records }: SlaveTelegrams,
  settings: SlaveSettings,
  zone: string,
  now: number,
): SlaveReading[] {
  const { storage, tariff, subunit } = settings.record;
  const status = header.status || undefined;
  const fits = (r: MbusRecord, at: number): boolean =>
    r.storage === at &&
    r.tariff === tariff &&
    r.subunit === subunit &&
    r.function === 'instantaneous' &&
    r.unit === settings.unit &&
    (r.vifes.length === 0 || (r.missing ?? false));
  const number = (name: string): number | undefined => {
    const value = records.find((r) => r.name === name)?.value;
    return value === undefined ? undefined : Number(value);
  };
  const timeOf = (at: number): number | undefined =>
    utcOf(zone, records.find((r) => r.vif === 0x6d && r.storage === at)?.value);
  const reading = (at: number, record: MbusRecord): SlaveReading => ({
    at,
    value: scaled(record, settings),
    ...(status !== undefined && { status }),
  });

  const first = number('firstStorageNumber');
  const begin = first === undefined ? undefined : timeOf(first);
  if (settings.hasProfile && settings.capture === 'hourly' && first !== undefined && begin !== undefined) {
    const last = number('lastStorageNumber') ?? first;
    const step = 1000 * (number('storageInterval') ?? 3600);
    const readings: SlaveReading[] = [];
    for (const record of records) {
      if (record.storage < first || record.storage > last || record.missing || !fits(record, record.storage)) continue;
      readings.push(reading(begin + (record.storage - first) * step, record));
    }
    if (readings.length > 0) return readings;
  }
  const record = records.find((r) => fits(r, storage) && !r.missing);
  return record ? [reading(timeOf(storage) ?? now, record)] : [];
}

/** Subcode of the application reset before a read: the hours that are missing, or all that it has. */
function subcodeFor(settings: SlaveSettings, from: number, to: number): number {
  if (!settings.hasProfile || settings.capture !== 'hourly') return 0x00;
  return HOURLY_SUBCODE | Math.min(MOST_DAYS, Math.ceil((to - from) / DAY) + 1);
}

const isOurs = (error: unknown): boolean =>
  error instanceof LinkError ||
  error instanceof PeerError ||
  error instanceof DecodeError ||
  error instanceof MisuseError;

// ---------------------------------------------------------------- in memory

export interface InsideOptions {
  readonly slaves: readonly DeviceSlave[];
  readonly zone: string;
  /** Virtual time of the meter. */
  now(): number;
}

/** A bus in memory: the master asks and is answered within the same instant. */
export function insideBus({ slaves, zone, now }: InsideOptions): MeterBus {
  const master = createMbusMaster({ repeats: 1 });
  const headers = new Map<number, MbusHeader>();

  function run<T>(operation: Operation<T>, baud: number): T {
    return runOperation(operation, ({ bytes }): Answer => {
      if (bytes.length === 0) return { kind: 'silence' };
      const answer = askBus(slaves, bytes, baud);
      // More than the 330 bits and 50 ms in which it has to begin.
      if (!answer || answer.bits - answer.bytes.length * 11 > 330 + baud * 0.05) return { kind: 'silence' };
      if (answer.bytes.length === 1 && answer.bytes[0] === 0xe5) return { kind: 'acknowledge' };
      try {
        return { kind: 'frame', frame: decodeLongFrame(answer.bytes) };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        return { kind: 'garbage', octets: answer.bytes };
      }
    });
  }

  function read({ address, baud }: SlaveSettings, subcode: number): SlaveTelegrams | undefined {
    for (let attempt = 1; ; attempt++) {
      run(master.applicationReset(address, subcode), baud);
      try {
        return telegramsRead(run(master.read(address), baud));
      } catch (error) {
        if (!(error instanceof PeerError) || !error.message.endsWith(` ${BUSY}`) || attempt > BUSY_RETRIES) throw error;
      }
    }
  }

  return {
    header: (channel) => headers.get(channel),
    fetch(channel, settings, from, to) {
      try {
        const telegrams = read(settings, subcodeFor(settings, from, to));
        if (!telegrams) return undefined;
        headers.set(channel, telegrams.header);
        return readingsOf(telegrams, settings, zone, now());
      } catch (error) {
        if (!isOurs(error)) throw error;
        return undefined;
      }
    },
    send({ address, baud }, records) {
      try {
        run(master.write(address, records), baud);
        return true;
      } catch (error) {
        if (!isOurs(error)) throw error;
        return false;
      }
    },
  };
}

// ---------------------------------------------------------------- a line

export interface LineBusOptions {
  readonly session: Pick<MbusSession, 'read' | 'write' | 'applicationReset' | 'baud' | 'setBaud'>;
  readonly zone: string;
  now(): number;
  /** Readings came. */
  deliver(channel: number, readings: readonly SlaveReading[]): void;
  /** For a person: what went wrong. */
  say(line: string): void;
}

/** Fetches of a time so long gone belong to the history that the meter is made to have lived. */
const PAST = 3_600_000;

/** Slaves on a line, asked one after the other in real time. */
export function lineBus({ session, zone, now, deliver, say }: LineBusOptions): MeterBus {
  const headers = new Map<number, MbusHeader>();
  let last: Promise<void> = Promise.resolve();

  const queued = (what: string, work: () => Promise<void>): void => {
    last = last.then(work).catch((error: unknown) => say(`M-Bus, ${what}: ${(error as Error).message}`));
  };

  async function read({ address }: SlaveSettings, subcode: number): Promise<SlaveTelegrams | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        await session.applicationReset(address, subcode);
      } catch (error) {
        // Not every slave knows it; it then says all that it has.
        if (!isOurs(error)) throw error;
      }
      try {
        return telegramsRead(await session.read(address));
      } catch (error) {
        if (!(error instanceof PeerError) || !error.message.endsWith(` ${BUSY}`) || attempt > BUSY_RETRIES) throw error;
      }
    }
  }

  return {
    header: (channel) => headers.get(channel),
    fetch(channel, settings, from, to) {
      if (now() - to > DAY + PAST) return undefined;
      queued(`slave ${channel + 1}`, async () => {
        const telegrams = await read(settings, subcodeFor(settings, from, to));
        if (!telegrams) return;
        headers.set(channel, telegrams.header);
        deliver(channel, readingsOf(telegrams, settings, zone, now()));
      });
      return undefined;
    },
    send({ address }, records) {
      queued(`data to ${address}`, () => session.write(address, records));
      return undefined;
    },
  };
}
