/**
 * A message as the port guide prints it (figure 2): its names, its order, raw integers (W, mA, 0.1 V, Wh). What the
 * guide's meters do not send is printed after it with OBIS, name and unit, and so is everything of other ports than its, where those
 * integers would be nobody's. Control characters are replaced.
 */
import { toHex } from '@amiable/bytes';
import { decimal, type Message } from '@amiable/model';
import { byCode, clockOf } from './figures.ts';

const LABELS: readonly (readonly [string, string])[] = [
  ['1.7.0', 'Act Pow + (Q1+Q4)'],
  ['2.7.0', 'Act Pow - (Q2+Q3)'],
  ['3.7.0', 'React Pow + (Q1+Q2)'],
  ['4.7.0', 'React Pow - (Q3+Q4)'],
  ['31.7.0', 'Curr L1'],
  ['51.7.0', 'Curr L2'],
  ['71.7.0', 'Curr L3'],
  ['32.7.0', 'Volt L1'],
  ['52.7.0', 'Volt L2'],
  ['72.7.0', 'Volt L3'],
  ['1.8.0', 'Act Energy +'],
  ['2.8.0', 'Act Energy -'],
  ['3.8.0', 'React Energy +'],
  ['4.8.0', 'React Energy -'],
];

/** Ends with an empty line. */
export function messageText(m: Message, { raw = false }: { raw?: boolean } = {}): string {
  const lines: string[] = [];
  const guide = m.protocol === 'han';
  const codes = byCode(m);
  const seen = new Set<number>();
  const clock = clockOf(m);
  if (clock !== undefined) lines.push(`Date Time: ${clock.replace('T', ' ')}`);
  // A list may be known by its form alone; the guide prints what the meter itself has sent.
  if (m.list !== undefined && m.values.includes(m.list)) lines.push(`OBIS List Version: ${m.list}`);
  if (m.meterId !== undefined && !m.flags.includes('meterIdInherited'))
    lines.push(`${guide ? 'GS1' : 'Meter'}: ${m.meterId}`);
  if (m.meterType !== undefined) lines.push(`Meter Model: ${m.meterType}`);
  for (const [code, label] of guide ? LABELS : []) {
    const found = codes.get(code);
    if (!found) continue;
    seen.add(found.index);
    lines.push(`${label}: ${found.printed}`);
  }
  const told = new Set([m.list, m.meterId, m.meterType]);
  for (let i = 0; i < m.items.length; i++) {
    const item = m.items[i]!;
    const value = m.values[i]!;
    if (seen.has(i)) continue;
    if (typeof value === 'string' && (told.has(value) || (item.obis?.endsWith(':1.0.0') && clock !== undefined)))
      continue;
    const printed = typeof value === 'string' ? value : decimal(value, item.scaler);
    const unit = item.unit === undefined || item.unit === '1' ? '' : ` ${item.unit}`;
    // A peak of last month, the gas of an hour ago.
    const at = m.times?.[i];
    const when =
      at === undefined || at === m.time ? '' : ` (${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC)`;
    lines.push(`${[item.obis ?? item.address, item.name].filter(Boolean).join(' ')}: ${printed}${unit}${when}`);
  }
  const flags = m.flags.filter((flag) => flag !== 'meterIdInherited');
  if (flags.length > 0) lines.push(`Flags: ${flags.join(', ')}`);
  if (m.error)
    lines.push(`Error: ${m.error.reason}${m.error.offset === undefined ? '' : ` at byte ${m.error.offset}`}`);
  if (m.raw && (raw || m.error)) lines.push(`Raw: ${toHex(m.raw)}`);
  return `${lines.map(printable).join('\n')}\n\n`;
}

/** Text comes from meters and, with -l, from anybody on the network: it must not steer the terminal. */
const printable = (line: string): string => line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
