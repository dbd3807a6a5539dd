/**
 * `GET /metrics` in the text format of Prometheus 0.0.4: how the reader fares, and every live number of the meters with the
 * unit in the name. The names are documented in docs/gateways.md and are a contract.
 */
import { exposition, type MetricSource, toNumber, type Unit } from '@amiable/model';
import type { ReaderStatus } from '../service/types.ts';
import type { GatewayStatus } from './types.ts';
import type { LiveDevice } from './values.ts';

/** Name of the family for a unit; those that count end in `_total`. */
export const UNIT_NAMES: Partial<Record<Unit, readonly [name: string, counts: boolean]>> = {
  W: ['amiable_meter_watts', false],
  var: ['amiable_meter_vars', false],
  VA: ['amiable_meter_voltamperes', false],
  V: ['amiable_meter_volts', false],
  A: ['amiable_meter_amperes', false],
  Hz: ['amiable_meter_hertz', false],
  Wh: ['amiable_meter_watt_hours_total', true],
  varh: ['amiable_meter_var_hours_total', true],
  VAh: ['amiable_meter_voltampere_hours_total', true],
  J: ['amiable_meter_joules_total', true],
  m3: ['amiable_meter_cubic_metres_total', true],
  'm3/h': ['amiable_meter_cubic_metres_per_hour', false],
  degC: ['amiable_meter_celsius', false],
  K: ['amiable_meter_kelvin', false],
  bar: ['amiable_meter_bar', false],
  '%': ['amiable_meter_percent', false],
  '1': ['amiable_meter_number', false],
};
const OTHER = ['amiable_meter_other', false] as const;

export interface MetricsInput {
  readonly status?: ReaderStatus;
  readonly gateways: readonly GatewayStatus[];
  /** Left out where who asks may not see what the meters say. */
  readonly devices?: Iterable<LiveDevice>;
  readonly version: string;
  readonly causes: readonly string[];
  readonly resident: number;
}

export const metricsText = (input: MetricsInput): string => exposition([readerMetrics(input)]);

export const readerMetrics =
  ({ status, gateways, devices, version, causes, resident }: MetricsInput): MetricSource =>
  (add) => {
    add('amiable_reader_info', 'gauge', 'Version of the reader; always 1.', 1, { version, reader: status?.reader });
    add(
      'amiable_reader_up',
      'gauge',
      'Whether everything that is configured works: what GET /health says.',
      causes.length === 0 ? 1 : 0,
    );
    if (status) {
      add('amiable_reader_start_timestamp_seconds', 'gauge', 'When the reader was started.', status.startedAt / 1000);
      for (const port of status.ports) {
        const of = { port: port.name };
        const { counters } = port;
        add('amiable_reader_port_up', 'gauge', 'Whether the port is open.', port.state === 'up' ? 1 : 0, of);
        add('amiable_reader_port_bytes_total', 'counter', 'Bytes that came.', counters.bytes, of);
        add('amiable_reader_port_noise_bytes_total', 'counter', 'Bytes that belonged to no frame.', counters.noise, of);
        add('amiable_reader_port_frames_total', 'counter', 'Good frames or telegrams.', counters.frames, of);
        add(
          'amiable_reader_port_messages_total',
          'counter',
          'Messages, by whether they could be read.',
          counters.good,
          {
            ...of,
            result: 'good',
          },
        );
        add('amiable_reader_port_messages_total', 'counter', '', counters.sealed, { ...of, result: 'sealed' });
        for (const [cause, count] of Object.entries(counters.dropped))
          add('amiable_reader_port_refused_total', 'counter', 'Refused frames and runs of noise, by cause.', count, {
            ...of,
            cause,
          });
        if (port.last)
          add(
            'amiable_reader_port_last_message_timestamp_seconds',
            'gauge',
            'When the last message came.',
            port.last.at / 1000,
            of,
          );
      }
      const { spool } = status;
      add('amiable_reader_spool_bytes', 'gauge', 'On disk.', spool.bytes);
      add('amiable_reader_spool_limit_bytes', 'gauge', 'Room that it may take.', spool.maxBytes);
      add('amiable_reader_spool_messages', 'gauge', 'Messages kept, delivered or not.', spool.messages);
      add('amiable_reader_spool_unsynced_messages', 'gauge', 'What a power cut would cost.', spool.unsynced);
      add('amiable_reader_spool_thinned_total', 'counter', 'Left out by thinning.', spool.thinned);
      add('amiable_reader_spool_dropped_total', 'counter', 'Given up undelivered.', spool.dropped);
      for (const uplink of status.uplinks) {
        const of = { uplink: uplink.name };
        add('amiable_reader_uplink_up', 'gauge', 'Whether the other side answers.', uplink.state === 'up' ? 1 : 0, of);
        add('amiable_reader_uplink_waiting_messages', 'gauge', 'Not delivered yet.', uplink.waiting, of);
        add(
          'amiable_reader_uplink_delivered_total',
          'counter',
          'Acknowledged by the other side.',
          uplink.delivered,
          of,
        );
        add(
          'amiable_reader_uplink_refused_total',
          'counter',
          'Refused for good by the other side.',
          uplink.refused,
          of,
        );
        if (uplink.lastDelivery !== undefined)
          add(
            'amiable_reader_uplink_last_delivery_timestamp_seconds',
            'gauge',
            'The last acknowledgement.',
            uplink.lastDelivery / 1000,
            of,
          );
      }
    }
    for (const gateway of gateways) {
      add('amiable_reader_gateway_up', 'gauge', 'Whether the gateway works.', gateway.state === 'up' ? 1 : 0, {
        gateway: gateway.name,
      });
      add('amiable_reader_gateway_sent_total', 'counter', 'Messages sent or requests answered.', gateway.count, {
        gateway: gateway.name,
      });
    }
    add('process_resident_memory_bytes', 'gauge', 'Resident memory.', resident);
    for (const device of devices ?? []) {
      const of = { meter: device.id, port: device.port, medium: device.medium };
      add(
        'amiable_meter_last_message_timestamp_seconds',
        'gauge',
        'When the meter was heard last.',
        device.seen / 1000,
        of,
      );
      for (const { key, item, value } of device.values.values()) {
        if (typeof value === 'string' || item.unit === undefined) continue;
        const [name, counts] = UNIT_NAMES[item.unit] ?? OTHER;
        add(
          name,
          counts ? 'counter' : 'gauge',
          `Values of the meters in ${item.unit === '1' ? 'bare numbers' : name === OTHER[0] ? 'the unit of the label' : item.unit}.`,
          toNumber(value, item.scaler),
          {
            ...of,
            name: key,
            ...(item.obis === undefined ? {} : { obis: item.obis }),
            ...(name === OTHER[0] ? { unit: item.unit } : {}),
          },
        );
      }
    }
  };

/** What stands in the way, in words; empty: all is well. */
export function healthCauses(status: ReaderStatus | undefined, gateways: readonly GatewayStatus[]): string[] {
  if (!status) return ['the reader is not set up yet'];
  const causes: string[] = [];
  for (const port of status.ports)
    if (port.state === 'down') causes.push(`port ${port.name}: ${port.fault ?? 'it is not open'}`);
    else if (port.silentFor !== undefined)
      causes.push(
        `port ${port.name}: it is open, but no message came for ${Math.floor(port.silentFor / 60_000)} min; is the cable in the meter?`,
      );
  if (status.spool.state !== 'disk') causes.push(`spool: ${status.spool.fault ?? status.spool.state}`);
  for (const uplink of status.uplinks)
    if (uplink.state === 'down')
      causes.push(`uplink ${uplink.name}: ${uplink.fault ?? 'the other side does not answer'}`);
  for (const gateway of gateways)
    if (gateway.state === 'down' && gateway.fault !== undefined) causes.push(gateway.fault);
  return causes;
}
