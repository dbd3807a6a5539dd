/**
 * The objects of the virtual meter as a table of its documentation: what the source says, so that both say the same.
 *
 * Decides: one table of all kinds of meters, with a word where only one kind has an object.
 */
import { interfaceClass, obisToBytes } from '@amiable/cosem';
import { firmwareConfig, type MeterConfig, meterConfig, type SlaveSettings } from '../electricity/index.ts';
import { ASSOCIATIONS, LEVELS, type MeterObject } from './define.ts';
import { managementObjects } from './devices.ts';
import { busOf, hmac } from './factory.ts';

const KINDS: readonly (readonly [word: string, config: Partial<MeterConfig>])[] = [
  ['', { module: 'gprs' }],
  ['PLC module', { module: 'plc' }],
  ['single-phase', { type: 'single-phase' }],
  ['S0 output', { interface: 's0' }],
  ['S0 input', { module: 'gprs', extraInput: 's0' }],
];

const bare: readonly SlaveSettings[] = busOf(['gas']);

function objectsOf(config: Partial<MeterConfig>): MeterObject[] {
  const full = meterConfig('Europe/Oslo', firmwareConfig(hmac, new Uint8Array(16)), config);
  return managementObjects(full, bare);
}

const keyOf = (o: MeterObject): string => `${o.classId}/${o.logicalName}`;

function condition(o: MeterObject, sets: ReadonlyMap<string, ReadonlySet<string>>): string {
  const key = keyOf(o);
  if (sets.get('')?.has(key))
    return !sets.get('PLC module')?.has(key)
      ? 'GPRS/GSM module'
      : !sets.get('single-phase')?.has(key)
        ? 'polyphase'
        : '';
  return [...sets].find(([word, keys]) => word !== '' && keys.has(key))?.[0] ?? '';
}

/** `r` reads, `w` writes what has a setter, `x` invokes the methods. */
function mode(o: MeterObject, level: 'none' | 'read' | 'full'): string {
  if (level === 'none') return '–';
  if (level === 'read') return 'r';
  const writes = Object.values(o.attributes ?? {}).some((a) => !(a instanceof Uint8Array) && 'set' in a && a.set);
  return `r${writes ? 'w' : ''}${Object.keys(o.methods ?? {}).length > 0 ? 'x' : ''}`;
}

/** The rows, by class of meaning as the source has them, in Markdown. */
export function objectTable(): string {
  const all = new Map<string, MeterObject>();
  const sets = new Map<string, Set<string>>();
  for (const [word, config] of KINDS) {
    const keys = new Set<string>();
    for (const o of objectsOf(config)) {
      keys.add(keyOf(o));
      if (!all.has(keyOf(o))) all.set(keyOf(o), o);
    }
    sets.set(word, keys);
  }
  const sorted = [...all.values()].sort((a, b) => order(a) - order(b) || a.classId - b.classId);
  const lines = [
    '| OBIS | class | meaning | unit | public | reader | management | firmware |',
    '|---|---|---|---|---|---|---|---|',
    ...sorted.map((o) => {
      const only = condition(o, sets);
      const name = interfaceClass(o.classId, o.version ?? 0)?.name ?? '';
      const rights = ASSOCIATIONS.map((a) => mode(o, LEVELS[o.level][a])).join(' | ');
      return `| ${o.logicalName} | ${o.classId} ${name} | ${o.meaning.replaceAll('|', '\\|')}${only && ` (${only})`} | ${o.unit} | ${rights} |`;
    }),
  ];
  return lines.join('\n');
}

const order = (o: MeterObject): number => obisToBytes(o.logicalName).reduce((n, byte) => n * 256 + byte, 0);
