/**
 * M-Bus slaves behind the meter: an M-Bus client (class 72) for each channel, and the objects of those that are installed
 * (§2.2-12, §7.4.3.2, §7.4.4 of the system description).
 *
 * Decides: slave_install takes the slave at the primary address from the bus; capture_period 3600 is hourly, 86400 daily;
 * an association sees what was installed when it was opened; capture asks the slave now; data_send gives it records, where an
 * octet-string is the record's data as they are sent and a number is put into the form that the DIF says; on a line that answers
 * later both are taken and the outcome shows at the next reading. Leaves out: keys of wireless M-Bus.
 */
import { fromHex } from '@amiable/bytes';
import { RESULT } from '@amiable/dlms';
import { encodeRecords, manufacturerCode } from '@amiable/mbus';
import type { MeterParameters, SlaveSettings } from '../../electricity/index.ts';
import { wallClock } from '../../mbus/device.ts';
import { type Answer, type MeterObject, object } from '../define.ts';
import type { ServedMeter } from '../served.ts';
import { slaveIdentifications } from './identity.ts';
import { slaveProfile } from './profiles.ts';

export const CHANNELS = 4;

/** Device types of EN 13757-3. */
const DEVICE_TYPE = { electricity: 2, heat: 4, gas: 3, 'water-cold': 0x16, 'water-hot': 0x06 } as const;
/** VIF of 10^(scaler) Wh, m3 or J (EN 13757-3 table of primary VIFs). */
const vif = ({ unit, scaler }: SlaveSettings): number =>
  unit === 'Wh' ? (scaler + 3) & 7 : unit === 'J' ? 0x08 | (scaler & 7) : 0x10 | ((scaler + 6) & 7);

const settingsOf = (m: ServedMeter, channel: number): SlaveSettings | undefined => m.engine.parameters.slaves[channel];

function put(m: ServedMeter, channel: number, settings: SlaveSettings | undefined): Answer {
  const slaves: (SlaveSettings | undefined)[] = Array.from({ length: CHANNELS }, (_, i) => settingsOf(m, i));
  slaves[channel] = settings;
  while (slaves.length > 0 && slaves.at(-1) === undefined) slaves.pop();
  m.changed();
  return m.engine.setParameters({ slaves } satisfies Partial<MeterParameters>);
}

function change(m: ServedMeter, channel: number, part: Partial<SlaveSettings>): Answer {
  const settings = settingsOf(m, channel);
  return settings ? put(m, channel, { ...settings, ...part }) : RESULT.objectUnavailable;
}

function install(m: ServedMeter, channel: number, address: number): Answer {
  if (settingsOf(m, channel)) return RESULT.otherReason;
  const taken = new Set(m.engine.parameters.slaves.map((slave) => slave?.address));
  const found = m.bus.find((slave) => (address === 0 ? !taken.has(slave.address) : slave.address === address));
  return found ? put(m, channel, found) : RESULT.objectUnavailable;
}

const digits = (text: string): number => Number((text.match(/\d/g) ?? []).join('').slice(-8) || 0);

const DAY = 86_400_000;

/** Asks the slave now, in between its fetches. */
function capture(m: ServedMeter, channel: number): Answer {
  const settings = settingsOf(m, channel);
  if (!settings || !m.wire) return RESULT.objectUnavailable;
  const { now } = m.engine;
  const readings = m.wire.fetch(channel, settings, now - DAY, now);
  if (readings) m.engine.slaveData(channel, readings);
  return readings && readings.length === 0 ? RESULT.temporaryFailure : RESULT.success;
}

/** The octets of a record's data: as given, or a value in the form of the DIF's data field. */
function dataOctets(dif: number, data: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data;
  const field = dif & 0x0f;
  if (typeof data === 'string') {
    if (field !== 0x0d || data.length > 191) return undefined;
    return Uint8Array.of(data.length, ...Array.from(data, (c) => c.charCodeAt(0) & 0xff).reverse());
  }
  if (typeof data !== 'number' && typeof data !== 'bigint') return undefined;
  const octets = { 1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8 }[field];
  const digits = { 9: 2, 10: 4, 11: 6, 12: 8, 14: 12 }[field];
  const value = BigInt(typeof data === 'number' ? Math.round(data) : data);
  const out: number[] = [];
  if (octets) for (let i = 0n; i < octets; i++) out.push(Number((value >> (8n * i)) & 0xffn));
  else if (digits && value >= 0n) {
    const text = String(value).padStart(digits, '0');
    if (text.length > digits) return undefined;
    for (let i = digits - 2; i >= 0; i -= 2) out.push(Number.parseInt(text.slice(i, i + 2), 16));
  } else return undefined;
  return Uint8Array.from(out);
}

interface SentRecord {
  /** Hex. */
  readonly data_information_block: string;
  readonly value_information_block: string;
  readonly data: unknown;
}

function send(m: ServedMeter, channel: number, octets: Uint8Array): Answer {
  const settings = settingsOf(m, channel);
  if (!settings || !m.wire) return RESULT.objectUnavailable;
  return m.wire.send(settings, octets) === false ? RESULT.otherReason : RESULT.success;
}

/** What fits one frame. */
const MOST_OCTETS = 240;

function dataSend(m: ServedMeter, channel: number, records: readonly SentRecord[]): Answer {
  const octets: number[] = [];
  for (const { data_information_block, value_information_block, data } of records) {
    const dib = fromHex(data_information_block);
    const vib = fromHex(value_information_block);
    const value = dib[0] === undefined || vib.length === 0 ? undefined : dataOctets(dib[0], data);
    if (!value) return RESULT.typeUnmatched;
    octets.push(...dib, ...vib, ...value);
  }
  if (octets.length === 0 || octets.length > MOST_OCTETS) return RESULT.otherReason;
  return send(m, channel, Uint8Array.from(octets));
}

function synchronize(m: ServedMeter, channel: number): Answer {
  const { minute, summer } = wallClock(m.engine.config.zone, m.engine.clock.utc);
  return send(m, channel, encodeRecords([{ vif: [0x6d], data: { type: 'dateTime', value: minute, summer } }]));
}

function client(channel: number): MeterObject {
  const of =
    <T>(read: (s: SlaveSettings) => T, none: T) =>
    (m: ServedMeter): T => {
      const settings = settingsOf(m, channel);
      return settings ? read(settings) : none;
    };
  return object({
    classId: 72,
    version: 1,
    obis: `0-${channel + 1}:24.1.0`,
    meaning: `M-Bus client, channel ${channel + 1}: address, mapped record, capture period; install and deinstall`,
    level: 'set',
    attributes: {
      mbus_port_reference: { is: '0-0:24.6.0' },
      capture_definition: {
        get: of(
          (s) => [
            {
              data_information_block: Uint8Array.of(0x04 | (s.record.storage & 1 ? 0x40 : 0)),
              value_information_block: Uint8Array.of(vif(s)),
            },
          ],
          [] as { data_information_block: Uint8Array; value_information_block: Uint8Array }[],
        ),
      },
      capture_period: {
        get: of((s) => (s.capture === 'hourly' ? 3600 : 86_400), 0),
        set: (seconds, m) =>
          seconds === 3600 || seconds === 86_400
            ? change(m, channel, { capture: seconds === 3600 ? 'hourly' : 'daily' })
            : RESULT.otherReason,
      },
      primary_address: {
        get: of((s) => s.address, 0),
        set: (address, m) => change(m, channel, { address }),
      },
      identification_number: {
        get: (m) =>
          digits(
            m.wire?.header(channel)?.identification ?? m.engine.slaveIdentification(channel, 'manufacturer-serial'),
          ),
      },
      manufacturer_id: { get: (m) => manufacturerCode(m.wire?.header(channel)?.manufacturer ?? 'AMI') },
      version: { get: (m) => m.wire?.header(channel)?.version ?? 1 },
      device_type: {
        get: (m) => {
          const settings = settingsOf(m, channel);
          return m.wire?.header(channel)?.medium ?? (settings ? DEVICE_TYPE[settings.medium] : 0);
        },
      },
      access_number: { get: (m) => m.wire?.header(channel)?.accessNumber ?? 0 },
      status: { get: (m) => m.engine.slaveValue(channel)?.status ?? 0 },
      alarm: { is: 0 },
      configuration: { is: 0 },
      encryption_key_status: { is: { type: 'enum', value: 0 } },
    },
    methods: {
      slave_install: (m, address) => install(m, channel, address),
      slave_deinstall: (m) => (settingsOf(m, channel) ? put(m, channel, undefined) : RESULT.otherReason),
      capture: (m) => capture(m, channel),
      synchronize_clock: (m) => synchronize(m, channel),
      data_send: (m, records) => dataSend(m, channel, records),
    },
  });
}

/** Clients of all channels, and what is behind them. */
export function slaveObjects(slaves: readonly (SlaveSettings | undefined)[]): MeterObject[] {
  const objects: MeterObject[] = [];
  for (let channel = 0; channel < CHANNELS; channel++) {
    objects.push(client(channel));
    const settings = slaves[channel];
    if (!settings) continue;
    objects.push(...slaveIdentifications(channel, settings), ...slaveProfile(channel, settings));
  }
  return objects;
}
