/**
 * The canonical message of a telegram: every record one reading, with storage number, tariff, subunit and function.
 *
 * Decides: the message's time is the telegram's time point (VIF 6D, storage 0); values of a storage number that has a time point of its own
 * get that as their time. Meters give local time without an offset, so UTC needs the zone; the summer-time mark settles the
 * repeated hour where the meter sets it. A class, so that all messages share a shape; id and times are made when asked for.
 */
import { type LocalHints, localToUtc } from '@amiable/calendar';
import {
  type Flag,
  type Item,
  type Message,
  type MessageError,
  messageId,
  type Quality,
  type Value,
} from '@amiable/model';
import { MEDIA } from './header.ts';
import { MAKERS_ITEM } from './layout.ts';
import type { DecodedRecords, MbusHeader } from './types.ts';

export const NO_FLAGS: readonly Flag[] = Object.freeze([]) as readonly Flag[];
export const CLOCK_INVALID: readonly Flag[] = Object.freeze(['clockInvalid']) as readonly Flag[];

export interface MessageContext {
  readonly reader: string;
  readonly port: string;
  readonly protocol: 'mbus' | 'wmbus';
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** The bytes on the wire. */
  readonly raw: Uint8Array;
  /** Tells messages without a time apart: receive sequence, or receive time of a live port. */
  readonly stamp?: number | undefined;
  /** IANA zone of the meter's clock. */
  readonly zone?: string | undefined;
  readonly flags?: readonly Flag[] | undefined;
  /** What settles the repeated hour. */
  readonly hints?: LocalHints | undefined;
}

/** Who sent it, as far as the header says. */
export interface Sender {
  readonly maker: string | undefined;
  readonly meterId: string | undefined;
  readonly meterType: string | undefined;
}

export class MbusMessage implements Message {
  declare readonly v: 1;
  declare readonly reader: string;
  declare readonly port: string;
  declare readonly protocol: 'mbus' | 'wmbus';
  declare maker?: string;
  declare list?: string;
  declare meterId?: string;
  declare meterType?: string;
  declare meterTime?: string;
  declare time?: number;
  declare readonly receivedAt: number;
  declare flags: readonly Flag[];
  declare items: readonly Item[];
  declare values: readonly Value[];
  declare qualities?: readonly (Quality | undefined)[];
  declare readonly raw: Uint8Array;
  declare error?: MessageError;
  declare private readonly context: MessageContext;
  declare private readonly timedBy: Int32Array | undefined;
  declare private madeId: string | undefined;
  declare private madeTimes: readonly (number | undefined)[] | undefined;

  constructor(
    context: MessageContext,
    sender: Sender,
    items: readonly Item[],
    values: readonly Value[],
    qualities: readonly (Quality | undefined)[] | undefined,
    clock: number,
    timedBy: Int32Array | undefined,
  ) {
    this.v = 1;
    this.reader = context.reader;
    this.port = context.port;
    this.protocol = context.protocol;
    // Optional fields are there and undefined rather than missing: one hidden class for all messages.
    this.maker = sender.maker as string;
    this.list = undefined as unknown as string;
    this.meterId = sender.meterId as string;
    this.meterType = sender.meterType as string;
    this.meterTime = undefined as unknown as string;
    this.time = undefined as unknown as number;
    this.receivedAt = context.receivedAt;
    this.flags = context.flags ?? NO_FLAGS;
    this.items = items;
    this.values = values;
    this.qualities = qualities as readonly (Quality | undefined)[];
    this.raw = context.raw;
    this.error = undefined as unknown as MessageError;
    this.context = context;
    this.timedBy = timedBy;
    this.madeId = undefined;
    this.madeTimes = undefined;
    if (clock >= 0) {
      const text = values[clock] as string;
      if (qualities?.[clock] === 'missing') this.addFlag('clockInvalid');
      else if (isWhole(text)) {
        this.meterTime = text;
        if (context.zone !== undefined) this.time = utcOf(text, context.zone, context.hints) as number;
      }
    }
  }

  get id(): string {
    this.madeId ??= messageId(
      `${this.reader}/${this.port}`,
      this.meterTime ?? `#${this.context.stamp ?? this.receivedAt}`,
      this.raw,
    );
    return this.madeId;
  }

  get times(): readonly (number | undefined)[] {
    const { timedBy, context } = this;
    const { zone } = context;
    if (this.madeTimes === undefined && timedBy !== undefined && zone !== undefined) {
      const times: (number | undefined)[] = [];
      let any = false;
      for (let i = 0; i < this.items.length; i++) {
        const at = timedBy[i] as number;
        const text = at >= 0 && this.qualities?.[at] !== 'missing' ? (this.values[at] as string) : '';
        const time = isWhole(text) ? utcOf(text, zone) : undefined;
        if (time !== undefined) any = true;
        times.push(time);
      }
      this.madeTimes = any ? times : undefined;
    }
    return this.madeTimes as readonly (number | undefined)[];
  }

  addFlag(flag: Flag): void {
    if (!this.flags.includes(flag)) this.flags = [...this.flags, flag];
  }
}

/** A date, or a date with time, without wildcards. */
const isWhole = (text: string): boolean => text.length >= 10 && text.indexOf('*') < 0;

/** UTC of local ISO text; a date is the end of its day, which is when meters store. Undefined when there is no such date. */
function utcOf(text: string, zone: string, hints: LocalHints = {}): number | undefined {
  const wall = text.length === 10 ? Date.parse(`${text}T00:00:00Z`) + 86_400_000 : Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return undefined;
  // Date.parse takes the 30th of February for the 1st of March.
  if (text.length > 10 && !new Date(wall).toISOString().startsWith(text.slice(0, 10)) && !text.includes('T24:'))
    return undefined;
  try {
    return localToUtc(zone, wall, hints);
  } catch {
    return undefined;
  }
}

/** A canonical message of decoded records. */
export function messageOfRecords(
  header: Pick<MbusHeader, 'identification' | 'manufacturer' | 'medium'> | undefined,
  decoded: Pick<DecodedRecords, 'records' | 'manufacturerData'>,
  context: MessageContext,
): MbusMessage {
  const items: Item[] = [];
  const values: Value[] = [];
  let qualities: (Quality | undefined)[] | undefined;
  let clock = -1;
  decoded.records.forEach((record, i) => {
    items.push({
      name: record.name,
      ...(record.unit !== undefined && { unit: record.unit }),
      scaler: record.scaler,
      storage: record.storage,
      tariff: record.tariff,
      subunit: record.subunit,
      function: record.function,
    });
    values.push(record.value);
    if (record.missing) {
      qualities ??= new Array(decoded.records.length).fill(undefined);
      qualities[i] = 'missing';
    }
    if (clock < 0 && record.vif === 0x6d && record.storage === 0 && record.function === 'instantaneous') clock = i;
  });
  if (decoded.manufacturerData) {
    items.push(MAKERS_ITEM);
    values.push(decoded.manufacturerData.hex);
    qualities?.push(undefined);
  }
  return new MbusMessage(context, senderOf(header), items, values, qualities, clock, undefined);
}

const NOBODY: Sender = { maker: undefined, meterId: undefined, meterType: undefined };

function senderOf(header: Pick<MbusHeader, 'identification' | 'manufacturer' | 'medium'> | undefined): Sender {
  if (header === undefined) return NOBODY;
  return {
    maker: header.manufacturer,
    meterId: header.identification,
    meterType: (MEDIA[header.medium] as string) ?? 'Reserved',
  };
}
