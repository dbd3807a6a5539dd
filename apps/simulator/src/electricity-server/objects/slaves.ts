/**
 * M-Bus slaves behind the meter: an M-Bus client (class 72) for each channel, and the objects of those that are installed
 * (§2.2-12, §7.4.3.2, §7.4.4 of the system description).
 *
 * Decides: slave_install takes the slave at the primary address from the bus; capture_period 3600 is hourly, 86400 daily;
 * an association sees what was installed when it was opened. Leaves out: keys of wireless M-Bus, data_send.
 */
import { RESULT } from '@amiable/dlms';
import type { MeterParameters, SlaveSettings } from '../../electricity/index.ts';
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
      identification_number: { get: (m) => digits(m.engine.slaveIdentification(channel, 'manufacturer-serial')) },
      manufacturer_id: { is: 0x05a9 },
      version: { is: 1 },
      device_type: { get: of((s) => DEVICE_TYPE[s.medium], 0) },
      access_number: { is: 0 },
      status: { get: (m) => m.engine.slaveValue(channel)?.status ?? 0 },
      alarm: { is: 0 },
      configuration: { is: 0 },
      encryption_key_status: { is: { type: 'enum', value: 0 } },
    },
    methods: {
      slave_install: (m, address) => install(m, channel, address),
      slave_deinstall: (m) => (settingsOf(m, channel) ? put(m, channel, undefined) : RESULT.otherReason),
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
