/**
 * The canonical message as the P1 decoder makes it: one class, so that all messages share a shape; id, text of the clock and
 * column of times are made only when somebody asks for them. The getters live on the prototype, so do not spread a message.
 */
import {
  type Flag,
  type Item,
  type Message,
  type MessageError,
  messageId,
  type Quality,
  type Value,
  withFlag,
} from '@amiable/model';
import { clockText } from './clock.ts';

export interface Origin {
  readonly reader: string;
  readonly port: string;
}

/** What all messages of one layout share. */
export interface Head {
  readonly maker: string | undefined;
  readonly list: string | undefined;
  readonly meterType: string | undefined;
  readonly items: readonly Item[];
  readonly qualities: readonly (Quality | undefined)[] | undefined;
  /** Indexes of the readings that have a time of their own. */
  readonly timed: readonly number[];
}

export class P1Message implements Message {
  declare readonly v: 1;
  declare readonly reader: string;
  declare readonly port: string;
  declare readonly protocol: 'p1';
  declare readonly maker?: string;
  declare readonly list?: string;
  declare meterId?: string;
  declare readonly meterType?: string;
  declare readonly time?: number;
  declare readonly receivedAt: number;
  declare flags: readonly Flag[];
  declare readonly items: readonly Item[];
  declare readonly values: readonly Value[];
  declare readonly qualities?: readonly (Quality | undefined)[];
  declare readonly raw: Uint8Array;
  declare error?: MessageError;
  /** Wall time of the telegram's clock, NaN without one; and its mark. */
  declare readonly wall: number;
  declare readonly mark: number;
  declare private readonly stamp: number | string;
  declare private readonly timed: readonly number[];
  declare private readonly own: Float64Array | undefined;
  declare private madeId: string | undefined;
  declare private madeTimes: readonly (number | undefined)[] | undefined;

  /**
   * @param stamp tells messages without a clock apart: receive sequence, or receive time of a live port
   * @param own UTC of the readings in `head.timed`, in that order; NaN where it is the message's
   */
  constructor(
    origin: Origin,
    head: Head,
    meterId: string | undefined,
    time: number | undefined,
    receivedAt: number,
    flags: readonly Flag[],
    values: readonly Value[],
    raw: Uint8Array,
    wall: number,
    mark: number,
    stamp: number | string,
    own: Float64Array | undefined,
  ) {
    this.v = 1;
    this.reader = origin.reader;
    this.port = origin.port;
    this.protocol = 'p1';
    // Optional fields are there and undefined rather than missing: one hidden class for all messages.
    this.maker = head.maker as string;
    this.list = head.list as string;
    this.meterId = meterId as string;
    this.meterType = head.meterType as string;
    this.time = time as number;
    this.receivedAt = receivedAt;
    this.flags = flags;
    this.items = head.items;
    this.values = values;
    this.qualities = head.qualities as readonly Quality[];
    this.raw = raw;
    this.error = undefined as unknown as MessageError;
    this.wall = wall;
    this.mark = mark;
    this.stamp = stamp;
    this.timed = head.timed;
    this.own = own;
    this.madeId = undefined;
    this.madeTimes = undefined;
  }

  get id(): string {
    this.madeId ??= messageId(
      `${this.reader}/${this.port}`,
      Number.isNaN(this.wall) ? `#${this.stamp}` : this.wall,
      this.raw,
    );
    return this.madeId;
  }

  get meterTime(): string {
    return (Number.isNaN(this.wall) ? undefined : clockText(this.wall, this.mark)) as string;
  }

  get times(): readonly (number | undefined)[] {
    if (this.madeTimes === undefined && this.own !== undefined) {
      const times: (number | undefined)[] = [];
      for (let i = 0; i < this.items.length; i++) times.push(undefined);
      let some = false;
      for (let i = 0; i < this.timed.length; i++) {
        const own = this.own[i] as number;
        if (Number.isNaN(own) || own === this.time) continue;
        times[this.timed[i] as number] = own;
        some = true;
      }
      if (some) this.madeTimes = times;
    }
    return this.madeTimes as readonly (number | undefined)[];
  }

  addFlag(flag: Flag): void {
    this.flags = withFlag(this.flags, flag);
  }
}
