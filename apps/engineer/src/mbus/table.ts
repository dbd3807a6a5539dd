/** A canonical message as a table for people: who, when, then a line for each reading. */
import { toHex } from '@amiable/bytes';
import { decimal, type Item, isoTime, type Message, type Value } from '@amiable/model';

/** `currentVolumeFlow` to `current volume flow`. */
function words(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
}

/** Larger units where the base unit makes unreadable numbers: power of ten, and its name. */
const LARGER: Readonly<Record<string, readonly [number, string]>> = {
  Wh: [3, 'kWh'],
  varh: [3, 'kvarh'],
  VAh: [3, 'kVAh'],
  J: [6, 'MJ'],
  W: [3, 'kW'],
  var: [3, 'kvar'],
};

function shown(item: Item, value: Value): [string, string] {
  if (typeof value === 'string') return [value, ''];
  const unit = item.unit ?? '';
  const larger = LARGER[unit];
  const size = Math.abs(Number(value)) * 10 ** item.scaler;
  if (larger && size >= 10 ** (larger[0] + 1)) return [decimal(value, item.scaler - larger[0]), larger[1]];
  return [decimal(value, item.scaler), unit === '1' ? '' : unit];
}

const FUNCTIONS: Readonly<Record<string, string>> = { maximum: 'maximum', minimum: 'minimum', error: 'in error' };

export function messageTable(m: Message, raw = false): string {
  const head = [m.maker, m.meterId, m.meterType].filter((part) => part !== undefined).join(' ');
  const when = m.time !== undefined ? isoTime(m.time) : m.meterTime?.replace('T', ' ');
  let out = `${head || 'Unknown meter'}${when ? `, ${when}` : ''}${m.list ? ` (${m.list})` : ''}\n`;
  if (m.flags.length > 0) out += `  ! ${m.flags.join(', ')}\n`;
  if (m.error) out += `  ! ${m.error.reason}${m.error.offset === undefined ? '' : ` at byte ${m.error.offset}`}\n`;
  const rows = m.items.map((item, i) => {
    const [value, unit] = shown(item, m.values[i] as Value);
    const notes = [
      item.storage ? `storage ${item.storage}` : '',
      item.tariff ? `tariff ${item.tariff}` : '',
      item.subunit ? `subunit ${item.subunit}` : '',
      FUNCTIONS[item.function ?? ''] ?? '',
      m.qualities?.[i] === 'missing' ? 'no value' : '',
    ].filter((note) => note !== '');
    return [words(item.name), value, unit, notes.join(', ')] as const;
  });
  const width = (column: 0 | 1) => Math.min(44, Math.max(0, ...rows.map((row) => row[column].length)));
  const [names, values] = [width(0), width(1)];
  for (const [name, value, unit, notes] of rows)
    out += `  ${name.padEnd(names)}  ${value.padStart(values)} ${unit.padEnd(6)} ${notes}`.trimEnd().concat('\n');
  if (m.raw && (raw || m.error)) out += `  ${toHex(m.raw)}\n`;
  return out;
}
