/**
 * The slave's end of a wired M-Bus (EN 13757-2 clause 5, EN 13757-3 clauses 10 and 11): bytes of the master in, answers out.
 *
 * Decides: primary, network (253) and broadcast addresses (254 answers, 255 does not); selection with wildcards and by enhanced
 * fabrication number; frame count bits, one for what the master sends and one for what it asks, for the primary and the
 * network address each; telegrams one after the other as the bit toggles, the same one when it does not; application reset;
 * change of address, identification and baud rate. Leaves out: what the telegrams say (the caller), and the wire.
 */
import { DecodeError } from '@amiable/bytes';
import { encodeSecondary } from '../application/encode.ts';
import { decodeRecords } from '../application/records.ts';
import { ACKNOWLEDGE, encodeLongFrame, type LongFrame } from '../frame.ts';
import {
  ACD,
  ADDRESS,
  ANSWER_EARLIEST_BITS,
  baudOfCi,
  CI,
  decodeSecondary,
  FCB,
  FCV,
  matchesSecondary,
  PRM,
  REQ_UD1,
  REQ_UD2,
  RSP_UD,
  SECONDARY_LENGTH,
  type SlaveIdentity,
  SND_NKE,
  SND_UD,
} from '../link.ts';
import { createMbusReceiver } from '../receiver.ts';

export interface SlaveRequest {
  /** Class 2: what is measured; class 1: alarms. */
  readonly kind: 'data' | 'alarm';
  /** Of the last application reset: which telegrams are wanted; absent: all. */
  readonly subcode: number | undefined;
  /** Counts telegrams that were given, for the header. */
  readonly accessNumber: number;
}

export interface MbusSlaveOptions {
  /** 0 (not set) to 250. */
  readonly primaryAddress: number;
  readonly secondary: SlaveIdentity;
  /** 8 digits, for enhanced selection; the identification unless said. */
  readonly fabricationNumber?: string;
  readonly baud?: number;
  /** Silence before an answer, bits; 11 unless said. */
  readonly answerBits?: number;
  /**
   * The telegrams to give, each a CI and its data (at most 253 octets). An empty list answers E5: nothing there. Called when
   * the master begins to ask; all telegrams of one round come from one call.
   */
  respond(request: SlaveRequest): readonly Uint8Array[];
  /**
   * The master wrote records (CI 51). Undefined: taken; a number: the code of an application error to report at the next question.
   * Addresses are the slave's own business and not told here.
   */
  write?(records: Uint8Array, msbFirst: boolean): number | undefined;
  applicationReset?(subcode: number | undefined): void;
}

export interface SlaveSink {
  /** An answer, to be sent after so many bits of silence. */
  send(bytes: Uint8Array, afterBits: number): void;
  /** The slave listens at another rate from now on; it has acknowledged at the old one. */
  baud?(baud: number): void;
  /** Primary or secondary address were changed by the master. */
  addressed?(primaryAddress: number, secondary: SlaveIdentity): void;
}

export interface MbusSlave {
  /** Bytes of the master, however cut. */
  push(bytes: Uint8Array): void;
  /** The line was silent for longer than a pause inside a frame. */
  idle(): void;
  readonly primaryAddress: number;
  readonly secondary: SlaveIdentity;
  readonly selected: boolean;
  readonly baud: number;
}

const ACKNOWLEDGEMENT = Uint8Array.of(ACKNOWLEDGE);

/** The frame count bits of one way to address a slave. */
interface Counts {
  /** Bit of the last SND_UD and REQ_UD; undefined after SND_NKE. */
  sent: number | undefined;
  asked: number | undefined;
  telegrams: readonly Uint8Array[];
  /** Which telegram was given last. */
  at: number;
  last: Uint8Array | undefined;
}

const freshCounts = (): Counts => ({ sent: undefined, asked: undefined, telegrams: [], at: -1, last: undefined });

export function createMbusSlave(options: MbusSlaveOptions, sink: SlaveSink): MbusSlave {
  const { answerBits = ANSWER_EARLIEST_BITS } = options;
  let primaryAddress = options.primaryAddress;
  let own = encodeSecondary(options.secondary);
  let baud = options.baud ?? 2400;
  let selected = false;
  let accessNumber = 0;
  let subcode: number | undefined;
  let fault: number | undefined;
  let direct = freshCounts();
  let network = freshCounts();

  const receiver = createMbusReceiver({
    frame,
    short,
    drop() {},
  });

  function answer(bytes: Uint8Array, address: number): void {
    if (address !== ADDRESS.broadcast) sink.send(bytes, answerBits);
  }

  /** Whether a frame to `address` is for this slave. */
  function concerns(address: number): boolean {
    return (
      address === primaryAddress ||
      address === ADDRESS.test ||
      address === ADDRESS.broadcast ||
      (address === ADDRESS.network && selected)
    );
  }

  const countsOf = (address: number): Counts => (address === ADDRESS.network ? network : direct);

  function short(control: number, address: number): void {
    if ((control & PRM) === 0 || !concerns(address)) return;
    const kind = control & ~FCB;
    if (kind === SND_NKE) {
      if (address === ADDRESS.network) {
        network = freshCounts();
        // SND_NKE to the network address ends the selection.
        selected = false;
      } else direct = freshCounts();
      answer(ACKNOWLEDGEMENT, address);
    } else if (kind === REQ_UD2 || kind === (REQ_UD2 & ~FCV)) asked('data', control, address);
    else if (kind === REQ_UD1 || kind === (REQ_UD1 & ~FCV)) asked('alarm', control, address);
  }

  function asked(kind: SlaveRequest['kind'], control: number, address: number): void {
    const counts = countsOf(address);
    const bit = control & FCB;
    const again = (control & FCV) !== 0 && counts.asked === bit && counts.last !== undefined;
    if (!again) {
      counts.asked = bit;
      counts.last = kind === 'data' ? nextTelegram(counts) : alarm();
    }
    answer(counts.last as Uint8Array, address);
  }

  function alarm(): Uint8Array {
    const [telegram] = options.respond({ kind: 'alarm', subcode, accessNumber });
    return telegram === undefined ? ACKNOWLEDGEMENT : userData(telegram);
  }

  function nextTelegram(counts: Counts): Uint8Array {
    if (fault !== undefined) {
      const code = fault;
      fault = undefined;
      counts.at = -1;
      counts.telegrams = [];
      return userData(Uint8Array.of(CI.applicationError, code));
    }
    counts.at++;
    if (counts.at >= counts.telegrams.length) {
      counts.telegrams = options.respond({ kind: 'data', subcode, accessNumber });
      counts.at = 0;
    }
    const telegram = counts.telegrams[counts.at];
    if (telegram === undefined) return ACKNOWLEDGEMENT;
    accessNumber = (accessNumber + 1) & 0xff;
    return userData(telegram);
  }

  function userData(telegram: Uint8Array): Uint8Array {
    return encodeLongFrame({
      control: RSP_UD | (hasAlarm() ? ACD : 0),
      address: primaryAddress,
      controlInformation: telegram[0] as number,
      data: telegram.subarray(1),
    });
  }

  const hasAlarm = (): boolean => options.respond({ kind: 'alarm', subcode, accessNumber }).length > 0;

  function frame(f: LongFrame): void {
    const kind = f.control & ~FCB;
    if ((f.control & PRM) === 0 || (kind !== SND_UD && kind !== (SND_UD & ~FCV))) return;
    if (f.address === ADDRESS.network && (f.controlInformation & ~4) === CI.select) {
      select(f);
      return;
    }
    if (!concerns(f.address)) return;
    const counts = countsOf(f.address);
    const bit = f.control & FCB;
    const again = (f.control & FCV) !== 0 && counts.sent === bit;
    counts.sent = bit;
    // A repetition is acknowledged and not carried out again.
    if (again) answer(ACKNOWLEDGEMENT, f.address);
    else take(f, counts);
  }

  /** A selection names a secondary address, and behind it perhaps a fabrication number. */
  function select(f: LongFrame): void {
    const { data } = f;
    selected = data.length >= SECONDARY_LENGTH && matchesSecondary(own, data) && matchesFabrication(data);
    if (!selected) return;
    network = freshCounts();
    answer(ACKNOWLEDGEMENT, f.address);
  }

  function matchesFabrication(data: Uint8Array): boolean {
    if (data.length === SECONDARY_LENGTH) return true;
    // 0C 78 and four octets of BCD, F for any digit.
    const at = SECONDARY_LENGTH;
    if (data.length < at + 6 || data[at] !== 0x0c || data[at + 1] !== 0x78) return false;
    const number = encodeSecondary({ identification: options.fabricationNumber ?? identification() });
    const pattern = new Uint8Array(SECONDARY_LENGTH).fill(0xff);
    pattern.set(data.subarray(at + 2, at + 6));
    return matchesSecondary(number, pattern);
  }

  const identification = (): string => decodeSecondary(own).identification;

  function take(f: LongFrame, counts: Counts): void {
    const ci = f.controlInformation;
    const newBaud = baudOfCi(ci);
    if (newBaud !== undefined) {
      answer(ACKNOWLEDGEMENT, f.address);
      baud = newBaud;
      sink.baud?.(newBaud);
      return;
    }
    const msbFirst = (ci & 4) !== 0;
    switch (ci & ~4) {
      case CI.applicationReset:
        subcode = f.data[0];
        for (const each of [direct, network]) {
          each.telegrams = [];
          each.at = -1;
        }
        options.applicationReset?.(subcode);
        answer(ACKNOWLEDGEMENT, f.address);
        return;
      case CI.dataSend:
        answer(ACKNOWLEDGEMENT, f.address);
        counts.telegrams = [];
        counts.at = -1;
        written(f.data, msbFirst);
        return;
      default:
        // Understood as a frame, not as a command: said at the next question.
        answer(ACKNOWLEDGEMENT, f.address);
        fault = 1;
    }
  }

  function written(data: Uint8Array, msbFirst: boolean): void {
    let changed = false;
    try {
      const { records } = decodeRecords(data, 0, data.length, { msbFirst });
      for (const record of records) {
        const at = record.offset + record.length;
        if (record.vif === 0x7a && record.vifes.length === 0 && record.length === 3) {
          const to = data[at - 1] as number;
          if (to > ADDRESS.last) {
            fault = 0;
            return;
          }
          primaryAddress = to;
          changed = true;
        } else if (record.vif === 0x79 && record.vifes.length === 0 && (record.length === 6 || record.length === 10)) {
          const next = own.slice();
          next.set(data.subarray(record.offset + 2, at));
          own = next;
          changed = true;
        }
      }
      if (changed) sink.addressed?.(primaryAddress, decodeSecondary(own));
      if (!changed || records.length > 1) fault = options.write?.(data.slice(), msbFirst) ?? fault;
    } catch (e) {
      if (!(e instanceof DecodeError)) throw e;
      fault = e.reason === 'difes' ? 5 : e.reason === 'vifes' ? 6 : 4;
    }
  }

  return {
    push: receiver.push,
    idle: receiver.idle,
    get primaryAddress() {
      return primaryAddress;
    },
    get secondary() {
      return decodeSecondary(own);
    },
    get selected() {
      return selected;
    },
    get baud() {
      return baud;
    },
  };
}
