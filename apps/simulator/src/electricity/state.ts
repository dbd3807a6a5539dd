/**
 * A meter's memory as bytes: 'AMES', a version, a mark of the byte order, JSON for what is small, the typed arrays as they stand,
 * and a check sum. Configuration, identity, source and slave port are not in it: they are given again.
 *
 * Parameters that were never written are not in it either, so that a fleet that was started from one state shares them.
 */
import { crc16X25, DecodeError, Reader, Writer } from '@amiable/bytes';
import { CAPACITY } from './capture.ts';
import { type Core, PROFILES, type Scalars, type SlaveState } from './core.ts';
import type { Image } from './image.ts';
import { LOG_CAPACITY } from './log.ts';
import type { MeterParameters } from './parameter-types.ts';
import { LogRing, Ring } from './ring.ts';

const MAGIC = 0x414d4553;
const VERSION = 1;
/** Reads as 0x0102 where bytes stand the other way round. */
const ORDER = 0x0201;

interface Small {
  readonly kind: string;
  readonly s: Scalars;
  readonly parameters?: MeterParameters;
  readonly slaves: readonly (SlaveState | null)[];
  readonly image?: Omit<Image, 'bytes' | 'identifier' | 'transferred' | 'verified'> & {
    readonly hasBytes: boolean;
    readonly identifier: readonly number[];
    readonly transferred: readonly number[];
    readonly verified?: {
      readonly size: number;
      readonly identification: string;
      readonly signature: readonly number[];
    };
  };
}

/** What the state belongs to: another kind of meter would read it wrongly. */
const kindOf = ({ config }: Core): string => [config.type, config.module, config.interface, config.zone].join(' ');

function machineOrder(): number {
  return new Uint16Array(new Uint8Array([0x01, 0x02]).buffer)[0] as number;
}

const arraysOf = (core: Core): readonly (Float64Array | Uint16Array | Uint8Array)[] => [
  core.energy,
  core.snap,
  core.blocks,
  core.volts,
  core.watts,
  core.qualityDue,
  core.qualityActive,
  core.pending,
];

const raw = (array: Float64Array | Uint16Array | Uint8Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

export function saveState(core: Core, delivered: MeterParameters): Uint8Array {
  const { image } = core;
  const small: Small = {
    kind: kindOf(core),
    s: core.s,
    ...(core.parameters === delivered ? {} : { parameters: core.parameters }),
    slaves: Array.from(core.slaves, (state) => state ?? null),
    ...(image
      ? {
          image: {
            enabled: image.enabled,
            status: image.status,
            size: image.size,
            missing: image.missing,
            hasBytes: image.bytes !== undefined,
            identifier: [...image.identifier],
            transferred: [...image.transferred],
            ...(image.verified ? { verified: { ...image.verified, signature: [...image.verified.signature] } } : {}),
          },
        }
      : {}),
  };
  const json = new TextEncoder().encode(JSON.stringify(small));
  const out = new Writer(json.length + 65_536);
  out
    .u32(MAGIC)
    .u16(VERSION)
    .bytes(raw(Uint16Array.of(ORDER)));
  out.u32(json.length).bytes(json);
  for (const array of arraysOf(core)) out.bytes(raw(array));
  out.u8(core.demand ? 1 : 0);
  if (core.demand) out.bytes(raw(core.demand));
  for (let i = 0; i < PROFILES.length; i++) {
    const ring = core.rings[i];
    out.u8(ring ? 1 : 0);
    ring?.save(out);
  }
  for (let i = 0; i < LOG_CAPACITY.length; i++) {
    const log = core.logs[i];
    out.u8(log ? 1 : 0);
    log?.save(out);
  }
  if (image?.bytes) out.bytes(image.bytes);
  const body = out.finish();
  return new Writer(body.length + 2).bytes(body).u16(crc16X25(body)).finish();
}

function parseSmall(json: Uint8Array, at: number): Small {
  let small: unknown;
  try {
    small = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    throw new DecodeError('json', 'the state of a meter is not JSON where it should be', at);
  }
  if (typeof small !== 'object' || small === null || !('s' in small) || !('slaves' in small) || !('kind' in small))
    throw new DecodeError('json', 'the state of a meter lacks its scalars', at);
  return small as Small;
}

/** What is undefined in a fresh meter may be anything; the rest has to be of the same type. */
function checkScalars(fresh: Scalars, loaded: Scalars, at: number): void {
  for (const key of Object.keys(fresh) as (keyof Scalars)[])
    if (fresh[key] !== undefined && typeof loaded[key] !== typeof fresh[key])
      throw new DecodeError('json', `the state of a meter has no good ${key}`, at);
}

/** Fills a fresh core. @throws DecodeError where the bytes are damaged, of another version or of another kind of meter */
export function loadState(core: Core, bytes: Uint8Array): void {
  const from = new Reader(bytes, 0, Math.max(0, bytes.length - 2));
  if (from.u32('mark') !== MAGIC) throw new DecodeError('magic', 'this is no state of a meter', 0);
  const version = from.u16('version');
  if (version !== VERSION) throw new DecodeError('version', `state of version ${version}; ${VERSION} is known`, 4);
  if (crc16X25(bytes, 0, from.end) !== (((bytes[from.end] as number) << 8) | (bytes[from.end + 1] as number)))
    throw new DecodeError('crc', 'the state of a meter is damaged', from.end);
  const order = from.bytes(2, 'byte order');
  if ((new Uint16Array(order.slice().buffer)[0] as number) !== ORDER)
    throw new DecodeError('order', `state from a machine of another byte order (${machineOrder()})`, 6);
  const length = from.u32('length');
  const at = from.pos;
  const small = parseSmall(from.bytes(length, 'scalars'), at);
  if (small.kind !== kindOf(core))
    throw new DecodeError('kind', `the state is of a meter ${small.kind}, this one is ${kindOf(core)}`, at);
  checkScalars(core.s, small.s, at);
  core.s = { ...core.s, ...small.s };
  if (small.parameters)
    core.parameters = {
      ...small.parameters,
      touActivation: small.parameters.touActivation,
      slaves: small.parameters.slaves.map((slave) => slave ?? undefined),
    };
  for (const [i, state] of small.slaves.entries()) if (state) core.slaves[i] = { ...state, last: state.last };
  for (const array of arraysOf(core)) raw(array).set(from.bytes(array.byteLength, 'registers'));
  if (from.u8('demand') === 1) {
    core.demand = new Float64Array(61);
    raw(core.demand).set(from.bytes(core.demand.byteLength, 'demand'));
  }
  for (let i = 0; i < PROFILES.length; i++)
    core.rings[i] = from.u8('profile') === 1 ? Ring.load(from, CAPACITY[i] as number) : undefined;
  for (let i = 0; i < LOG_CAPACITY.length; i++)
    core.logs[i] = from.u8('log') === 1 ? LogRing.load(from, LOG_CAPACITY[i] as number) : undefined;
  if (small.image) {
    const { hasBytes, identifier, transferred, verified, ...rest } = small.image;
    core.image = {
      ...rest,
      identifier: Uint8Array.from(identifier),
      transferred: Uint8Array.from(transferred),
      verified: verified && { ...verified, signature: Uint8Array.from(verified.signature) },
      bytes: hasBytes ? from.bytes(rest.size, 'image').slice() : undefined,
    };
  }
  if (from.remaining !== 0) throw new DecodeError('length', `${from.remaining} bytes too many`, from.pos);
}
