/**
 * A device on the wire: the slave's end of the link (package mbus) with the device's telegrams, and the faults that a slave may
 * have (silent, busy, an application error, a wrong check sum, a frame that is cut, an answer that comes too late).
 *
 * Leaves out the wire itself (bus.ts), where answers meet.
 */
import {
  type BusSlave,
  createMbusSlave,
  decodeRecords,
  errorTelegram,
  type MbusHeader,
  type MbusSlave,
  type SlaveIdentity,
  telegramsOf,
} from '@amiable/mbus';
import { APPLICATION_ERROR, type MbusDevice, STATUS } from './device.ts';

export const FAULTS = ['silent', 'busy', 'error', 'checksum', 'cut', 'late'] as const;
export type SlaveFault = (typeof FAULTS)[number];

export interface DeviceSlaveOptions {
  readonly device: MbusDevice;
  readonly address: number;
  readonly baud?: number;
  readonly fault?: SlaveFault;
  /** In place of the device's own, e.g. to let two slaves collide. */
  readonly secondary?: SlaveIdentity;
  /** Virtual time. */
  now(): number;
  /** Telegrams that were given, for --truth. */
  gave?(device: MbusDevice, telegrams: readonly Uint8Array[]): void;
}

export interface DeviceSlave extends BusSlave {
  readonly device: MbusDevice;
  readonly slave: MbusSlave;
  fault: SlaveFault | undefined;
}

/** More than the 330 bits and 50 ms in which a slave has to answer, at any rate. */
const TOO_LATE_BITS = 3000;

export function createDeviceSlave(options: DeviceSlaveOptions): DeviceSlave {
  const { device, now, gave } = options;
  let answers: { bytes: Uint8Array; afterBits: number }[] = [];
  let busyTurn = 0;

  const headerOf = (secondary: SlaveIdentity, accessNumber: number): MbusHeader => ({
    ...secondary,
    accessNumber,
    status: device.status() | (made.fault === 'busy' ? STATUS.busy : 0),
    configuration: 0,
  });

  const slave: MbusSlave = createMbusSlave(
    {
      primaryAddress: options.address,
      secondary: options.secondary ?? device.identity,
      fabricationNumber: device.fabrication,
      ...(options.baud !== undefined && { baud: options.baud }),
      respond({ kind, subcode, accessNumber }) {
        device.live(now());
        const header = headerOf(slave.secondary, accessNumber);
        if (kind === 'alarm') {
          const alarms = device.alarms();
          return alarms.length ? telegramsOf(header, alarms) : [];
        }
        if (made.fault === 'error') return [errorTelegram(APPLICATION_ERROR.unspecified)];
        // Busy for two questions out of three.
        if (made.fault === 'busy' && busyTurn++ % 3 !== 2) return [errorTelegram(APPLICATION_ERROR.busy)];
        const records = device.records(subcode);
        const manufacturerData = device.manufacturerData?.();
        const telegrams = records.length
          ? telegramsOf(header, records, manufacturerData ? { manufacturerData } : {})
          : [];
        device.sent?.();
        gave?.(device, telegrams);
        return telegrams;
      },
      write(octets, msbFirst) {
        device.live(now());
        return device.write(decodeRecords(octets, 0, octets.length, { msbFirst }).records);
      },
    },
    {
      send(bytes, afterBits) {
        const answer = spoilt(bytes, afterBits);
        if (answer) answers.push(answer);
      },
    },
  );

  function spoilt(bytes: Uint8Array, afterBits: number): { bytes: Uint8Array; afterBits: number } | undefined {
    const long = bytes.length > 1;
    switch (made.fault) {
      case 'silent':
        return undefined;
      case 'late':
        return { bytes, afterBits: TOO_LATE_BITS };
      case 'checksum': {
        if (!long) break;
        const wrong = bytes.slice();
        wrong[wrong.length - 2] = ((wrong[wrong.length - 2] as number) + 1) & 0xff;
        return { bytes: wrong, afterBits };
      }
      case 'cut':
        if (long) return { bytes: bytes.slice(0, bytes.length >> 1), afterBits };
        break;
    }
    return { bytes, afterBits };
  }

  const made: DeviceSlave = {
    device,
    slave,
    fault: options.fault,
    take() {
      const taken = answers;
      answers = [];
      return taken;
    },
  };
  return made;
}
