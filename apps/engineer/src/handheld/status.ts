/**
 * `amiable handheld list`, `status` and `show`: what is to be visited, what was, and what it gave.
 *
 * Decides: values are shown as they are stored, by IS 15959's names where that standard has one, events by its words.
 */

import { fromHex } from '@amiable/bytes';
import { obisToBytes, type ProfileColumn, printQuantity, profileColumns, readProfile } from '@amiable/cosem';
import { harmless, type Terminal, table } from '@amiable/io/terminal';
import { bareObject, nameOf } from '../dlms/catalog.ts';
import { numberOption } from '../dlms/settings.ts';
import { UsageError } from '../dlms/usage.ts';
import { eventName, isObject } from './is15959.ts';
import { type Given, type Planned, readList } from './list.ts';
import { readingsIn } from './messages.ts';
import { countsOf, readVisits, type VisitFile, type VisitRecord } from './store.ts';
import { plainly, storeOf } from './visit.ts';

const when = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');

const readWords = ({ read, codes }: Planned): string =>
  [
    ...(read.length === 7 && read.every(({ since }) => since === undefined)
      ? ['all']
      : read.map(({ group, since }) =>
          since === undefined ? group : `${group}:${since === 'new' ? 'new' : `${since / 3_600_000}h`}`,
        )),
    ...codes,
  ].join(' ') || 'nothing';

/** The list, checked, with what the store has of each. @throws UsageError */
export async function runList(terminal: Terminal, path: string, given: Given): Promise<void> {
  const list = await readList(path);
  const visits = readVisits(storeOf(given));
  if (given.json === true) {
    for (const planned of list) terminal.out(`${JSON.stringify(planned)}\n`);
    return;
  }
  terminal.out(
    table([
      ['METER', 'PLACE', 'DEVICE', 'PROTOCOL', 'READ', 'WRITE', 'LAST VISIT'],
      ...list.map((planned) => {
        const last = visits.filter(({ head }) => head.meter === planned.meter).at(-1);
        return [
          planned.meter,
          harmless(planned.place ?? ''),
          planned.device,
          planned.protocol,
          readWords(planned),
          planned.write.map(({ object, value }) => `${object}=${value}`).join(' '),
          last ? `${when(last.head.at)}Z ${countsOf(last.records).state}` : 'never',
        ];
      }),
    ]),
  );
}

/** What the store holds. */
export function runStatus(terminal: Terminal, given: Given): void {
  const folder = storeOf(given);
  const visits = readVisits(folder);
  if (given.json === true) {
    for (const { name, head, records, damaged } of visits)
      terminal.out(`${JSON.stringify({ file: name, ...head, ...countsOf(records), damaged })}\n`);
    return;
  }
  if (visits.length === 0) {
    terminal.err(`${folder} holds no visits.\n`);
    return;
  }
  terminal.out(
    table(
      [
        ['METER', 'SERIAL', 'VISITED (UTC)', 'STATE', 'MESSAGES', 'UPLOADED', 'FILE'],
        ...visits.map(({ name, head, records }) => {
          const counts = countsOf(records);
          const serial = records.find((record) => record.t === 'identity')?.serial ?? '';
          return [
            head.meter,
            harmless(serial),
            when(head.at),
            counts.state,
            String(counts.messages),
            counts.messages > 0 && counts.taken >= counts.messages ? 'all' : String(counts.taken),
            name,
          ];
        }),
      ],
      { right: [4, 5] },
    ),
  );
  const damaged = visits.filter((visit) => visit.damaged > 0);
  for (const visit of damaged)
    terminal.err(`amiable: ${visit.name}: ${visit.damaged} lines are damaged; the rest is good.\n`);
}

/** What a visit gave: the newest of a meter, or a file. @throws UsageError */
export function runShow(terminal: Terminal, which: string, given: Given): void {
  const visits = readVisits(storeOf(given));
  const found = visits.find(({ name }) => name === which) ?? visits.filter(({ head }) => head.meter === which).at(-1);
  if (!found)
    throw new UsageError(`${storeOf(given)} has no visit ${which}; "amiable handheld status" shows those there are.`);
  if (given.json === true) {
    for (const record of found.records) if (record.t === 'message') terminal.out(`${record.json}\n`);
    return;
  }
  const { head, records } = found;
  terminal.out(
    `${head.meter}${head.place ? `, ${harmless(head.place)}` : ''}, visited ${when(head.at)}Z, ${countsOf(records).state}\n`,
  );
  const indian = isIndian(records);
  const rows = numberOption('--rows', given.rows, 1, 1_000_000) ?? 10;
  for (const record of records) {
    if (record.t === 'message' && !record.step.startsWith('profile'))
      showMessage(terminal, record.step, record.json, indian, rows);
    else if (record.t === 'step' && record.state === 'refused')
      terminal.out(`\n${record.step}: ${harmless(plainly(record.words ?? 'refused'))}\n`);
    else if (record.t === 'write' && record.state !== 'begun')
      terminal.out(
        `\nwrite ${record.object} = ${record.wanted}: ${record.state}${record.before === undefined ? '' : ` (was ${record.before})`}${record.words ? `: ${plainly(record.words)}` : ''}\n`,
      );
  }
  showProfiles(terminal, found, indian, rows);
}

/** Whether the meter holds objects of India's own (country 91): only then its events are IS 15959's. */
const isIndian = (records: readonly VisitRecord[]): boolean =>
  records.some((record) => (record.t === 'object' || record.t === 'profile') && /^[01]-0:94\.91\./.test(record.obis));

/** Single values in full, of load survey and events the newest. */
function showMessage(terminal: Terminal, step: string, json: string, indian: boolean, rows: number): void {
  const readings = readingsIn(json);
  const most = /^(load|events) P/.test(step) ? rows : readings.length;
  const shown = readings.slice(-most);
  terminal.out(
    `\n${step}${readings.length > shown.length ? `, the newest ${shown.length} of ${readings.length}` : ''}\n`,
  );
  terminal.out(
    table(
      shown.map(({ obis, address, name, value, unit, time }) => [
        `  ${obis ?? address ?? ''}`,
        (indian && obis && isObject(obis)?.name) || name,
        harmless(value),
        unit ?? '',
        time ?? '',
      ]),
      { right: [2] },
    ),
  );
}

/** The newest rows of each profile. */
function showProfiles(terminal: Terminal, { records }: VisitFile, indian: boolean, most: number): void {
  const profiles = new Map(records.flatMap((r) => (r.t === 'profile' ? [[r.obis, r] as const] : [])));
  for (const [obis, profile] of profiles) {
    const columns = columnsOf(profile);
    const lines: string[][] = [];
    let count = 0;
    for (const record of records) {
      if (record.t !== 'rows' || record.obis !== obis) continue;
      count += record.n;
      const read = readProfile(fromHex(record.buffer), columns, {
        capturePeriod: profile.period,
        newestFirst: profile.newestFirst,
      });
      for (let row = 0; row < read.rows; row++)
        lines.push(
          read.columns.map((values, i) => {
            if (values.kind === 'moment') {
              const wall = values.wall[row] as number;
              return Number.isNaN(wall) ? '' : new Date(wall).toISOString().slice(0, 19).replace('T', ' ');
            }
            const value = values.values[row];
            const code = columns[i]?.logicalName ?? '';
            const event = indian && /:96\.11\./.test(code) && typeof value === 'number' ? eventName(value) : undefined;
            const unit = columns[i]?.scalerUnit;
            if (unit && (typeof value === 'number' || typeof value === 'bigint')) return printQuantity(value, unit);
            return event ? `${value} ${event}` : harmless(String(value ?? ''));
          }),
        );
    }
    const shown = profile.newestFirst ? lines.slice(0, most) : lines.slice(-most);
    terminal.out(
      `\n${obis}  ${(indian && isObject(obis)?.name) || nameOf(bareObject(7, obisToBytes(obis)))}: ${count} rows${count > shown.length ? `, the newest ${shown.length}` : ''}\n`,
    );
    if (shown.length === 0) continue;
    const heads = columns.map((column) => (column.logicalName === '0-0:1.0.0' ? 'clock' : columnHead(column)));
    terminal.out(table([heads, ...shown].map((row) => [`  ${row[0] ?? ''}`, ...row.slice(1)])));
  }
}

const columnHead = (column: ProfileColumn): string => {
  const code = column.logicalName.replace(/^[01]-0:/, '');
  return column.attribute === 2 ? code : `${code}:${column.attribute}`;
};

/** Columns of a stored profile with their scalers. */
export function columnsOf(profile: Extract<VisitRecord, { t: 'profile' }>) {
  return profileColumns(fromHex(profile.captureObjects)).map((column, i) => {
    const unit = profile.units[i];
    return unit ? { ...column, scalerUnit: { scaler: unit[0], unit: unit[1] } } : column;
  });
}
