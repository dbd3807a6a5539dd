/**
 * The canonical message as the push decoder makes it: one class, so that all messages share a shape, with the id, the text
 * of the meter's clock and the times of registers made only when somebody asks for them.
 *
 * The getters live on the prototype: copy a message with `plainMessage`, not with a spread.
 */
import {
  type Flag,
  type Item,
  type Message,
  type MessageError,
  messageId,
  type Quality,
  type Value,
} from '@amiable/model';
import { clockText } from './clock.ts';

export const NO_FLAGS: readonly Flag[] = Object.freeze([]) as readonly Flag[];

/** The label made last: nearly all messages of a program come from few ports, one after the other. */
let label = '/';
let labelReader = '';
let labelPort = '';

function labelOf(reader: string, port: string): string {
  if (reader !== labelReader || port !== labelPort) {
    label = `${reader}/${port}`;
    labelReader = reader;
    labelPort = port;
  }
  return label;
}

export class PushMessage implements Message {
  declare readonly v: 1;
  declare readonly reader: string;
  declare readonly port: string;
  declare readonly protocol: 'han';
  declare maker?: string;
  declare readonly list?: string;
  declare meterId?: string;
  declare readonly meterType?: string;
  declare time?: number;
  declare readonly receivedAt: number;
  declare flags: readonly Flag[];
  declare readonly items: readonly Item[];
  declare readonly values: readonly Value[];
  declare readonly qualities?: readonly (Quality | undefined)[];
  declare raws?: readonly (string | undefined)[];
  declare readonly raw: Uint8Array;
  declare error?: MessageError;
  /** Wall time of the message's clock, epoch milliseconds as if UTC; NaN when it has none. */
  declare readonly wall: number;
  /** Minutes from local time to UTC as the meter gave them, see NO_DEVIATION. */
  declare readonly deviation: number;
  /** Tells messages without a clock apart: receive sequence, or receive time of a live port. */
  declare readonly stamp: number;
  /** Values that the list's own clock times, and its UTC. */
  declare private readonly registers: readonly number[] | undefined;
  declare private readonly registerTime: number;
  declare private madeId: string | undefined;
  declare private madeTimes: readonly (number | undefined)[] | undefined;

  constructor(
    origin: { readonly reader: string; readonly port: string },
    head: {
      readonly maker: string | undefined;
      readonly list: string | undefined;
      readonly meterType: string | undefined;
    },
    meterId: string | undefined,
    time: number | undefined,
    receivedAt: number,
    flags: readonly Flag[],
    items: readonly Item[],
    values: readonly Value[],
    registers: readonly number[] | undefined,
    raw: Uint8Array,
    wall: number,
    deviation: number,
    stamp: number,
    registerTime = Number.NaN,
  ) {
    this.v = 1;
    this.reader = origin.reader;
    this.port = origin.port;
    this.protocol = 'han';
    // Optional fields are there and undefined rather than missing: one hidden class for all messages.
    this.maker = head.maker as string;
    this.list = head.list as string;
    this.meterId = meterId as string;
    this.meterType = head.meterType as string;
    this.time = time as number;
    this.receivedAt = receivedAt;
    this.flags = flags;
    this.items = items;
    this.values = values;
    this.raws = undefined as unknown as readonly string[];
    this.raw = raw;
    this.error = undefined as unknown as MessageError;
    this.wall = wall;
    this.deviation = deviation;
    this.stamp = stamp;
    this.registers = registers;
    this.registerTime = registerTime;
    this.madeId = undefined;
    this.madeTimes = undefined;
  }

  get id(): string {
    const stamp = Number.isNaN(this.wall) ? `#${this.stamp}` : this.wall;
    this.madeId ??= messageId(labelOf(this.reader, this.port), stamp, this.raw);
    return this.madeId;
  }

  get meterTime(): string {
    return (Number.isNaN(this.wall) ? undefined : clockText(this.wall, this.deviation)) as string;
  }

  get times(): readonly (number | undefined)[] {
    if (this.madeTimes === undefined && this.registers !== undefined) {
      const times: (number | undefined)[] = [];
      for (let i = 0; i < this.items.length; i++) times.push(undefined);
      for (const i of this.registers) times[i] = this.registerTime;
      this.madeTimes = times;
    }
    return this.madeTimes as readonly (number | undefined)[];
  }

  /** Adds a flag that the reader found: the clock against its own, an id inherited, a tag that could not be checked. */
  addFlag(flag: Flag): void {
    if (!this.flags.includes(flag)) this.flags = [...this.flags, flag];
  }
}

/** A copy with own fields only, without those that are undefined. */
export function plainMessage(m: Message): Message {
  const out: Record<string, unknown> = {};
  for (const key of [
    'v',
    'id',
    'reader',
    'port',
    'protocol',
    'maker',
    'list',
    'meterId',
    'meterType',
    'time',
    'meterTime',
    'receivedAt',
    'flags',
    'items',
    'values',
    'times',
    'qualities',
    'raws',
    'raw',
    'error',
  ] as const)
    if (m[key] !== undefined) out[key] = m[key];
  return out as unknown as Message;
}
