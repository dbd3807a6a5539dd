/**
 * A virtual HAN meter: a house behind a model's lists. Frames are a function of time alone; nothing is remembered from one
 * to the next, so any span can be asked for, twice, and a restarted program goes on where the meter would be.
 *
 * The invocation counter of a ciphered meter is the number of half seconds since the meters were hung up: it rises with
 * every frame and never repeats, over restarts too.
 */
import { zoneOffset } from '@amiable/calendar';
import { type DlmsDateTime, dateTimeOf } from '@amiable/dlms';
import type { Message } from '@amiable/model';
import type { Grid } from '../house/grid.ts';
import { type House, ORIGIN, type Registers } from '../house/house.ts';
import { type Cipher, encodeList } from './encode.ts';
import type { Layout, What, WireValue } from './lists.ts';
import type { Model } from './models.ts';
import { type ListKind, sendings } from './schedule.ts';
import { decodedOf, meterTimeText } from './truth.ts';

/** One message on its way out. */
export interface Emission {
  /** When its first bit leaves the meter, UTC. */
  readonly at: number;
  readonly list: ListKind;
  readonly bytes: Uint8Array;
  /** The list says whose it is. */
  readonly names: boolean;
  /**
   * What a reader should make of it. `told`: the reader has had a list of this meter that names it, so that one without a
   * name inherits it.
   */
  message(told: boolean): Truth;
}

/** A canonical message without what only the reader knows. */
export type Truth = Omit<Message, 'id' | 'reader' | 'port' | 'receivedAt' | 'raw'>;

export interface FrameOptions {
  readonly lists?: ReadonlySet<ListKind>;
}

export interface HanMeter {
  readonly serial: string;
  readonly model: Model;
  readonly zone: string;
  readonly cipher?: Cipher;
  readonly house: House;
  readonly grid: Grid;
  /** Every message whose sending begins in [from, to). */
  frames(fromMs: number, toMs: number, options?: FrameOptions): Generator<Emission>;
  emission(at: number, list: ListKind): Emission;
}

export interface HanMeterOptions {
  readonly serial: string;
  readonly model: Model;
  readonly zone: string;
  readonly house: House;
  readonly grid: Grid;
  readonly cipher?: Cipher;
}

const HOUR = 3_600_000;
const WS_PER_WH = 3600;

/** Mantissa of `value` (base unit) at a scaler, as a meter rounds: down for registers, to the nearest else. */
export function mantissa(value: number, scaler: number): number {
  return scaler === 0
    ? Math.round(value)
    : scaler < 0
      ? Math.round(value * 10 ** -scaler)
      : Math.floor(value / 10 ** scaler);
}

export function createHanMeter(options: HanMeterOptions): HanMeter {
  const { serial, model, zone, house, grid, cipher } = options;
  const power = new Float64Array(5);
  const net = new Float64Array(6);
  const zero = new Set<What>(model.zero);
  const lineVoltage = model.network === 'it';
  const offset = (at: number): number => (model.standardTime ? HOUR : zoneOffset(zone, at));

  function quantity(what: What, registers: Registers | undefined): number {
    if (zero.has(what)) return 0;
    switch (what) {
      case 'p+':
        return Math.max(0, power[0] as number);
      case 'p-':
        return Math.max(0, -(power[0] as number));
      case 'q+':
        return Math.max(0, power[4] as number);
      case 'q-':
        return Math.max(0, -(power[4] as number));
      case 'u1':
        return net[0] as number;
      case 'u2':
        return net[1] as number;
      case 'u3':
        return net[2] as number;
      case 'i1':
        return net[3] as number;
      case 'i2':
        return net[4] as number;
      case 'i3':
        return net[5] as number;
      case 'a+':
        return Math.floor((registers as Registers).import / WS_PER_WH);
      case 'a-':
        return Math.floor((registers as Registers).export / WS_PER_WH);
      case 'r+':
        return Math.floor((registers as Registers).reactiveImport / WS_PER_WH);
      case 'r-':
        return Math.floor((registers as Registers).reactiveExport / WS_PER_WH);
      default: {
        // p1+, q3-: by phase. Vars are taken to be spread evenly.
        const phase = Number(what[1]);
        const value = what[0] === 'p' ? (power[phase] as number) : Math.round((power[4] as number) / 3);
        return Math.max(0, what[2] === '+' ? value : -value);
      }
    }
  }

  function emission(at: number, list: ListKind): Emission {
    const layout = model.lists[list] as Layout;
    const lag = list === 3 ? model.schedule.lag : 0;
    const sampled = model.schedule.snapshot ? at - lag : at;
    house.instantInto(sampled, power);
    grid.into(sampled, power, net);
    const registers = list === 3 ? house.registers(at - lag) : undefined;
    const clockAt = at - lag;
    const dateTime = (ms: number): DlmsDateTime => dateTimeOf(ms + offset(ms), layout.clock);
    const values = layout.fields.map((field): WireValue => {
      switch (field.what) {
        case 'list':
          return layout.list;
        case 'id':
          return serial;
        case 'type':
          return model.type;
        case 'clock':
          return dateTime(clockAt);
        case 'pad':
          return undefined;
        default:
          return mantissa(quantity(field.what, registers), field.scaler);
      }
    });
    const sent = layout.dateTime === 'none' ? undefined : dateTime(at);
    const counter = cipher ? Math.floor((at - ORIGIN) / 500) : 0;
    return {
      at,
      list,
      names: layout.fields.some((field) => field.what === 'id'),
      bytes: encodeList(layout, values, sent, cipher, counter),
      message: (told) => truth(layout, values, at, clockAt, sent, told),
    };
  }

  function truth(
    layout: Layout,
    values: readonly WireValue[],
    at: number,
    clockAt: number,
    sent: DlmsDateTime | undefined,
    told: boolean,
  ): Truth {
    const { items, values: readings, listTime, ...head } = decodedOf(layout, values, lineVoltage);
    const inherits = head.meterId === undefined && told;
    const said = sent ?? listTime;
    // The seconds are as fine as the date-time that was sent.
    const whole = (ms: number): number => Math.floor(ms / 1000) * 1000;
    const time = sent ? whole(at) : listTime ? whole(clockAt) : undefined;
    const registerTime = listTime ? whole(clockAt) : undefined;
    return {
      v: 1,
      protocol: 'han',
      maker: layout.maker,
      ...head,
      ...(inherits ? { meterId: serial } : {}),
      ...(time === undefined ? {} : { time }),
      ...(said ? { meterTime: meterTimeText(said, layout.clock.deviation !== 0) } : {}),
      flags: inherits ? ['meterIdInherited'] : [],
      items,
      values: readings,
      ...(registerTime !== undefined && registerTime !== time
        ? { times: items.map((item) => (item.clock === 'list' ? registerTime : undefined)) }
        : {}),
    };
  }

  return {
    serial,
    model,
    zone,
    house,
    grid,
    ...(cipher ? { cipher } : {}),
    emission,
    *frames(fromMs, toMs, { lists } = {}) {
      for (const { at, list } of sendings(model.schedule, zone, fromMs, toMs))
        if (model.lists[list] && (!lists || lists.has(list))) yield emission(at, list);
    },
  };
}
