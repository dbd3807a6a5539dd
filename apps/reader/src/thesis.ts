/**
 * A message as the JSON of the thesis (figures 5.12 and 7.9): all values text, power in kW, current in mA, voltage in
 * 0.1 V, energy in Wh. Differs from the figure where that was no JSON or said the wrong thing: no comma after the last
 * member, and the two export powers have their own names. A list 1 carries its one value; what a meter does not send is
 * left out.
 */
import { decimal, type Message } from '@amiable/model';
import { byCode, clockOf } from './figures.ts';

const NAMES: readonly (readonly [string, string, 'kilo' | 'steps'])[] = [
  ['1.7.0', 'ActiveImportPower', 'kilo'],
  ['2.7.0', 'ActiveExportPower', 'kilo'],
  ['3.7.0', 'ReactiveImportPower', 'kilo'],
  ['4.7.0', 'ReactiveExportPower', 'kilo'],
  ['31.7.0', 'CurrentL1', 'steps'],
  ['51.7.0', 'CurrentL2', 'steps'],
  ['71.7.0', 'CurrentL3', 'steps'],
  ['32.7.0', 'VoltageL1', 'steps'],
  ['52.7.0', 'VoltageL2', 'steps'],
  ['72.7.0', 'VoltageL3', 'steps'],
  ['1.8.0', 'CumulativeActiveImportEnergy', 'steps'],
  ['2.8.0', 'CumulativeActiveExportEnergy', 'steps'],
  ['3.8.0', 'CumulativeReactiveImportEnergy', 'steps'],
  ['4.8.0', 'CumulativeReactiveExportEnergy', 'steps'],
];

/** `mac` is the hardware address of the machine, as the thesis's logger sent it. */
export function messageThesis(m: Message, mac: string): string {
  const codes = byCode(m);
  const data: Record<string, string> = {};
  if (m.list !== undefined) data.ListVersion = m.list;
  if (m.meterId !== undefined) data.MeterID = m.meterId;
  if (m.meterType !== undefined) data.MeterType = m.meterType;
  for (const [code, name, form] of NAMES) {
    const found = codes.get(code);
    if (!found) continue;
    const value = m.values[found.index]!;
    const item = m.items[found.index]!;
    data[name] = form === 'kilo' && typeof value !== 'string' ? decimal(value, item.scaler - 3) : found.printed;
  }
  return JSON.stringify({
    Logger_MAC: mac,
    // The figure shows a number of 16 bits; here it comes from the message's id, the same for the same message.
    DataID: String(Number.parseInt(m.id.slice(0, 4), 16)),
    Timestamp: (m.meterTime ?? clockOf(m) ?? '').slice(0, 19).replace(/[T:]/g, '-'),
    data,
  });
}
