/** What the status page is told: the service's status and the live values, in the language of the page, without secrets. */
import { toNumber } from '@amiable/model';
import { entityOf, spoken, stateOf } from '../gateways/entities.ts';
import type { GatewayStatus } from '../gateways/types.ts';
import { isSilent, type LiveDevice, type LiveValue, type LiveValues } from '../gateways/values.ts';
import type { ReaderStatus } from '../service/types.ts';
import type { Dictionary } from './i18n/index.ts';

const CURVE = 600_000;
const MOST_POINTS = 700;
const MAIN = new Set(['energy', 'gas', 'water', 'volume']);

/** Import positive, export negative, W; undefined for what measures no power. */
export function powerOf(device: LiveDevice): number | undefined {
  if (device.medium !== 'electricity') return undefined;
  const number = (key: string) => {
    const found = device.values.get(key);
    return found && typeof found.value !== 'string' ? toNumber(found.value, found.item.scaler) : undefined;
  };
  const [into, out] = [number('activePowerImport'), number('activePowerExport')];
  return into === undefined && out === undefined ? number('activePowerNet') : (into ?? 0) - (out ?? 0);
}

export type Point = readonly [at: number, watts: number];

/** The power of the last ten minutes, by device. */
export interface Curves {
  /** After `since`, epoch ms. */
  of(id: string, since?: number): readonly Point[];
  close(): void;
}

export function createCurves(values: LiveValues): Curves {
  const curves = new Map<string, Point[]>();
  const take = (device: LiveDevice) => {
    const watts = powerOf(device);
    if (watts === undefined) return;
    let points = curves.get(device.id);
    if (!points) {
      points = [];
      curves.set(device.id, points);
    }
    const last = points.at(-1);
    if (last && device.seen - last[0] < 900) return;
    points.push([device.seen, watts]);
    while (points.length > MOST_POINTS || device.seen - (points[0]?.[0] ?? 0) > CURVE) points.shift();
  };
  const end = values.onChange(take);
  return {
    of: (id, since = 0) => (curves.get(id) ?? []).filter(([at]) => at > since),
    close: end,
  };
}

function valueView({ item, key, value, at }: LiveValue, device: LiveDevice, dictionary: Dictionary) {
  const entity = entityOf(item, value, device.medium);
  const phase = /^(voltage|current)(L[123])$/.exec(key);
  const known = phase
    ? `${dictionary.page[phase[1] as 'voltage' | 'current']} ${item.between ?? phase[2]}`
    : dictionary.names[key as keyof Dictionary['names']];
  return {
    label: known ?? spoken(item, key),
    ...(item.obis === undefined ? {} : { obis: item.obis }),
    ...(typeof value === 'string'
      ? { text: value }
      : { value: stateOf({ item, key, value, at }, entity ?? { shift: 0 }) }),
    unit: entity?.unit ?? '',
    at,
  };
}

function deviceView(device: LiveDevice, history: readonly Point[], now: number, dictionary: Dictionary) {
  const number = (key: string) => {
    const found = device.values.get(key);
    return found && typeof found.value !== 'string' ? toNumber(found.value, found.item.scaler) : undefined;
  };
  const phases = ['L1', 'L2', 'L3'].flatMap((phase) => {
    const amps = number(`current${phase}`);
    const volts = number(`voltage${phase}`);
    const name = device.values.get(`voltage${phase}`)?.item.between ?? phase;
    // Between two lines there is no current of its own.
    return amps === undefined && volts === undefined
      ? []
      : [{ name: name === phase ? phase : `${phase} (${name})`, amps, volts }];
  });
  const main = [...device.values.values()].filter((one) => {
    const entity = typeof one.value === 'string' ? undefined : entityOf(one.item, one.value, device.medium);
    return entity?.stateClass === 'total_increasing' && MAIN.has(entity.deviceClass ?? '') && !/L[123]$/.test(one.key);
  });
  return {
    id: device.id,
    medium: device.medium,
    port: device.port,
    maker: device.maker,
    type: device.type,
    seen: device.seen,
    silent: isSilent(device, now),
    power: powerOf(device),
    phases,
    main: main.slice(0, 4).map((one) => valueView(one, device, dictionary)),
    values: [...device.values.values()].map((one) => valueView(one, device, dictionary)),
    history,
  };
}

export interface StatusInput {
  readonly status?: ReaderStatus | undefined;
  readonly values?: LiveValues | undefined;
  readonly curves?: Curves | undefined;
  readonly gateways: readonly GatewayStatus[];
  readonly causes: readonly string[];
  readonly now: number;
  readonly dictionary: Dictionary;
  /** Points of the curves after this; all when absent. */
  readonly since?: number | undefined;
}

export function statusView({
  status,
  values,
  curves,
  gateways,
  causes,
  now,
  dictionary,
  since,
}: StatusInput): Record<string, unknown> {
  if (!status) return { now, causes };
  const devices = [...(values?.devices.values() ?? [])];
  return {
    now,
    whole: since === undefined,
    reader: status.reader,
    causes,
    ports: status.ports.map(({ name, device, state, since: from, fault, note, counters, last }) => ({
      name,
      device,
      state,
      since: from,
      fault,
      note,
      bytes: counters.bytes,
      noise: counters.noise,
      good: counters.good,
      sealed: counters.sealed,
      refused: counters.dropped,
      last,
    })),
    spool: status.spool,
    uplinks: status.uplinks,
    gateways,
    devices: devices.map((device) => deviceView(device, curves?.of(device.id, since) ?? [], now, dictionary)),
  };
}
