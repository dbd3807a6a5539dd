/**
 * One meter read over DLMS/COSEM, by the groups that the list names.
 *
 * Decides: what of the meter's own object list belongs to a group (IS 15959 first, then the codes' value groups); that identity
 * comes first, then single values, then profiles by days, so that an interruption costs a day of a load survey at most; that a
 * refusal of one thing is noted and the rest still read. Scalers come from the registers, else from IS 15959's scaler
 * profiles. Leaves out: the line, and trying again (visit.ts).
 */

import { toHex } from '@amiable/bytes';
import { localToUtc } from '@amiable/calendar';
import {
  interfaceClass,
  isClock,
  obisFromBytes,
  obisToBytes,
  type ProfileColumn,
  profileColumns,
  readPlain,
  readProfile,
} from '@amiable/cosem';
import {
  type AttributeDescriptor,
  type Data,
  DlmsPeerError,
  dataAccessWords,
  dateTimeBytes,
  octetString,
} from '@amiable/dlms';
import type { ProfileRows, ProfileSelection, Session } from '@amiable/meter';
import { messageToJson } from '@amiable/model';
import { meterTime } from '../dlms/times.ts';
import { decoded, scalerUnitOf } from '../dlms/values.ts';
import { GROUPS, type Group, IS_OBJECTS, isObject, SCALER_PROFILES } from './is15959.ts';
import type { WantedGroup } from './list.ts';
import {
  clockWords,
  type MessageHead,
  messageOfAttributes,
  messagesOfProfile,
  type ReadAttribute,
} from './messages.ts';
import { groupOf, knownObjects, type Listed } from './select.ts';
import { doneSteps, storedUntil, type VisitWriter } from './store.ts';

export interface VisitWork {
  readonly writer: VisitWriter;
  readonly wanted: readonly WantedGroup[];
  readonly zone: string;
  now(): number;
  readonly head: Omit<MessageHead, 'receivedAt' | 'meterId'>;
  /** Our name of the meter, where it does not say its own. */
  readonly fallbackId: string;
  /** Newest stored moment of a step in earlier visits. */
  earlier(step: string): number | undefined;
  /** Told what the meter calls itself, and all that it may be known by. @throws to end the visit: it is another meter */
  identified(serial: string, names: readonly string[]): void;
  progress(text: string): void;
  note(text: string): void;
}

/** Attributes worth reading by class; the last one of a register is its scaler and unit. */
const ATTRIBUTES: Readonly<Record<number, readonly number[]>> = {
  1: [2],
  3: [2, 3],
  4: [2, 3, 4, 5],
  5: [2, 3, 4, 5, 6, 8],
  8: [2],
};
const SCALER_AT: Readonly<Record<number, number>> = { 3: 3, 4: 3, 5: 4 };
const CLOCK = { classId: 8, instanceId: Uint8Array.of(0, 0, 1, 0, 0, 255), attributeId: 2 };
/** Where meters say who they are, the best first. */
const SERIALS = ['0-0:96.1.0', '1-0:96.1.0', '1-0:0.0.0', '0-0:42.0.0'];
const BATCH = 30;
const DAY = 86_400_000;
/** Windows of one profile at most: beyond it they are longer than a day. */
const WINDOWS = 100;
/** Codes by which meters say that they cannot select so. */
const NO_SELECTION = new Set([2, 4, 9, 11, 12, 13, 250]);

/** Reads what is still to be read. @throws LinkError and the like when the line breaks; what came before is stored */
export async function visitDlms(session: Session, work: VisitWork): Promise<void> {
  const { writer } = work;
  const listed = await objectsOf(session, work);
  const meterId = await identify(session, listed, work);
  const head = (): MessageHead => ({ ...work.head, meterId, receivedAt: work.now() });
  for (const { group } of work.wanted) {
    const step = group;
    if (doneSteps(writer.records).has(step)) continue;
    const objects = listed.filter((o) => o.classId !== 7 && groupOf(o.obis, o.classId) === group);
    if (objects.length === 0) continue;
    await readScalars(session, work, group, objects, head);
  }
  for (const { group, since } of work.wanted) {
    for (const object of listed.filter((o) => o.classId === 7 && groupOf(o.obis, o.classId) === group)) {
      const step = `profile ${object.obis}`;
      if (doneSteps(writer.records).has(step)) continue;
      try {
        await readRows(session, work, object, { group, since }, head, listed);
      } catch (error) {
        if (!(error instanceof DlmsPeerError) && (error as Error).name !== 'DecodeError') throw error;
        const words = (error as Error).message;
        work.note(`${object.obis} ${isObject(object.obis)?.name ?? 'profile'}: ${words}`);
        writer.append({ t: 'step', step, state: 'refused', n: 0, words });
      }
    }
  }
}

async function objectsOf(session: Session, work: VisitWork): Promise<Listed[]> {
  work.progress('reading the object list');
  try {
    const entries = await session.objects();
    return entries.map(({ classId, version, instanceId }) => ({
      classId,
      version,
      instanceId,
      obis: obisFromBytes(instanceId),
    }));
  } catch (error) {
    if (!(error instanceof DlmsPeerError)) throw error;
    work.note(`the object list cannot be read (${error.message}); the objects of IS 15959 are tried.`);
    return GROUPS.flatMap((group) => knownObjects(group, IS_OBJECTS));
  }
}

async function identify(session: Session, listed: readonly Listed[], work: VisitWork): Promise<string> {
  const names: string[] = [];
  const objects = SERIALS.flatMap(
    (obis) => listed.find((o) => o.obis === obis && (o.classId === 1 || o.classId === 3)) ?? [],
  );
  if (objects.length > 0) {
    const results = await session.getList(
      objects.map(({ classId, instanceId }) => ({ classId, instanceId, attributeId: 2 })),
    );
    for (const result of results) {
      const data = 'data' in result ? decoded(result.data) : undefined;
      const plain = data && readPlain({ kind: 'any' }, data);
      const name =
        typeof plain === 'string' || typeof plain === 'number' ? String(plain).replace(/\0/g, '').trim() : '';
      if (name !== '' && name !== "''") names.push(name);
    }
  }
  const [serial] = names;
  if (serial === undefined) return work.fallbackId;
  work.identified(serial, names);
  return serial;
}

// ---------------------------------------------------------------- single values

async function readScalars(
  session: Session,
  work: VisitWork,
  group: Group,
  objects: readonly Listed[],
  head: () => MessageHead,
): Promise<void> {
  const asked: AttributeDescriptor[] = [CLOCK];
  const places: { object: Listed; attribute: number }[] = [];
  for (const object of objects)
    for (const attribute of ATTRIBUTES[object.classId] ?? [2]) {
      places.push({ object, attribute });
      asked.push({ classId: object.classId, instanceId: object.instanceId, attributeId: attribute });
    }
  const results: Awaited<ReturnType<Session['getList']>>[number][] = [];
  for (let at = 0; at < asked.length; at += BATCH) {
    work.progress(`${group}, ${at} of ${asked.length} attributes`);
    results.push(...(await session.getList(asked.slice(at, at + BATCH))));
  }
  const time = clockOf(results[0], work.zone);
  const off = group === 'identity' ? clockWords(time, work.now()) : undefined;
  if (off) work.note(off);
  const found = new Map<Listed, Map<number, Uint8Array>>();
  let refusal: string | undefined;
  places.forEach(({ object, attribute }, i) => {
    const result = results[i + 1];
    if (!result || 'error' in result) {
      if (result && attribute === 2) refusal = `${object.obis}: ${dataAccessWords(result.error)}`;
      return;
    }
    const attributes = found.get(object) ?? new Map<number, Uint8Array>();
    found.set(object, attributes.set(attribute, result.data));
  });
  const read: ReadAttribute[] = [];
  for (const [object, attributes] of found) {
    const { classId, version, obis } = object;
    const scalerAt = SCALER_AT[classId];
    const scaler = scalerAt === undefined ? undefined : attributes.get(scalerAt);
    const unit = scaler && scalerUnitOf({ data: scaler });
    const table = interfaceClass(classId);
    for (const [attribute, data] of attributes) {
      // Status of a maximum and length of its period are of the object, no readings.
      if (
        attribute === scalerAt ||
        (classId === 4 && attribute === 4) ||
        (classId === 5 && attribute !== 2 && attribute !== 3)
      )
        continue;
      const type = table?.attributes[attribute - 1]?.type ?? { kind: 'any' };
      read.push({ obis, classId, attribute, type, data, ...(unit && attribute <= 3 && { scalerUnit: unit }) });
    }
    work.writer.append({
      t: 'object',
      class: classId,
      version,
      obis,
      attributes: Object.fromEntries([...attributes].map(([n, data]) => [n, toHex(data)])),
    });
  }
  const message = messageOfAttributes(head(), group, read, time);
  if (message) work.writer.append({ t: 'message', step: group, json: messageToJson(message) });
  const words = found.size === 0 ? refusal : undefined;
  work.writer.append({
    t: 'step',
    step: group,
    state: words === undefined ? 'done' : 'refused',
    n: message?.items.length ?? 0,
    ...(words !== undefined && { words }),
  });
}

function clockOf(
  result: { readonly data: Uint8Array } | { readonly error: number } | undefined,
  zone: string,
): number | undefined {
  if (!result || !('data' in result)) return undefined;
  // A profile of one row knows how to read a clock, whatever the meter leaves open in it.
  const column: ProfileColumn = { classId: 8, logicalName: '0-0:1.0.0', attribute: 2, dataIndex: 0 };
  const buffer = Uint8Array.of(1, 1, 2, 1, ...result.data);
  const profile = readProfile(buffer, [column], { utcOf: utcIn(zone) });
  const [values] = profile.columns;
  const utc = values?.kind === 'moment' ? (values.utc[0] ?? Number.NaN) : Number.NaN;
  return Number.isNaN(utc) ? undefined : utc;
}

const utcIn =
  (zone: string) =>
  (wall: number, dst: boolean | undefined): number =>
    localToUtc(zone, wall, dst === undefined ? {} : { dst });

// ---------------------------------------------------------------- profiles

async function readRows(
  session: Session,
  work: VisitWork,
  object: Listed,
  { group, since }: { readonly group: Group; readonly since: WantedGroup['since'] },
  head: () => MessageHead,
  listed: readonly Listed[],
): Promise<void> {
  const { writer, zone } = work;
  const { obis, instanceId } = object;
  const step = `profile ${obis}`;
  const label = isObject(obis)?.name ?? obis;
  work.progress(`${label}, its columns`);
  const at = (attributeId: number): AttributeDescriptor => ({ classId: 7, instanceId, attributeId });
  const captured = await session.get(at(3));
  const [period, sort] = await session.getList([at(4), at(5)]);
  const capturePeriod = numberOf(period) ?? 0;
  const newestFirst = numberOf(sort) === 2;
  const columns = await withUnits(session, profileColumns(captured), obis, listed);
  writer.append({
    t: 'profile',
    obis,
    captureObjects: toHex(captured),
    period: capturePeriod,
    newestFirst,
    units: columns.map(({ scalerUnit: u }) => (u ? [u.scaler, Number(u.unit)] : null)),
  });
  const options = { capturePeriod, newestFirst, utcOf: utcIn(zone) };
  let count = 0;
  /** Stores what came. @returns the end of the newest row */
  const keep = (rows: ProfileRows): void => {
    if (rows.rows.length === 0) return;
    const profile = readProfile(rows.buffer, columns, options);
    const clock = profile.columns[profile.clock];
    let until: number | undefined;
    if (clock?.kind === 'moment') for (const utc of clock.utc) if (utc > (until ?? 0)) until = utc;
    for (const message of messagesOfProfile(head(), obis, columns, profile, rows.rows))
      writer.append({ t: 'message', step, json: messageToJson(message) });
    // The rows come last: where they stand, their messages do.
    writer.append({
      t: 'rows',
      obis,
      n: rows.rows.length,
      buffer: toHex(rows.buffer),
      ...(until !== undefined && { until }),
    });
    count += rows.rows.length;
  };
  const finish = (): void => writer.append({ t: 'step', step, state: 'done', n: count });
  const read = async (selection: ProfileSelection): Promise<void> => {
    const rows = await session.getProfile(instanceId, selection);
    keep(rows);
    if (!rows.complete) throw rows.error ?? new Error(`${obis} broke off`);
  };
  // Name plate and instantaneous profile are one row each.
  const single = group === 'identity' || group === 'instantaneous';
  const restricting = single ? undefined : columns.find(isClock);
  const begin = restricting && (await beginning(session, work, object, columns, options, since, step));
  if (!restricting || begin === undefined) {
    await read({ kind: 'all' });
    finish();
    return;
  }
  const end = work.now() + DAY;
  const window = Math.max(DAY, Math.ceil((end - begin) / WINDOWS / DAY) * DAY);
  const moment = (utc: number) => octetString(dateTimeBytes(meterTime(utc, zone)));
  const by = {
    classId: restricting.classId,
    instanceId: obisToBytes(restricting.logicalName),
    attributeId: restricting.attribute,
    dataIndex: restricting.dataIndex,
  };
  try {
    for (let from = begin; from < end; from += window) {
      const to = Math.min(end, from + window) - 1000;
      work.progress(`${label}, ${count} rows, ${new Date(from).toISOString().slice(0, 10)}`);
      await read({ kind: 'range', from: moment(from), to: moment(to), by });
    }
  } catch (error) {
    const unable =
      count === 0 &&
      error instanceof DlmsPeerError &&
      error.kind === 'data-access' &&
      NO_SELECTION.has(error.code ?? -1);
    if (!unable) throw error;
    work.note(`${label}: the meter does not select by time; reading all of it.`);
    await read({ kind: 'all' });
  }
  finish();
}

/** Where to begin: behind what is stored, where the list says, or at the first row that the meter has. */
async function beginning(
  session: Session,
  work: VisitWork,
  { instanceId }: Listed,
  columns: readonly ProfileColumn[],
  options: Parameters<typeof readProfile>[2],
  since: WantedGroup['since'],
  step: string,
): Promise<number | undefined> {
  const stored = storedUntil(work.writer.records, step) ?? (since === 'new' ? work.earlier(step) : undefined);
  if (stored !== undefined) return stored + 1000;
  if (typeof since === 'number') return Math.floor((work.now() - since) / 1000) * 1000;
  const used = options?.newestFirst
    ? numberOf((await session.getList([{ classId: 7, instanceId, attributeId: 7 }]))[0])
    : 1;
  if (used === undefined || used === 0) return undefined;
  try {
    const { buffer, rows } = await session.getProfile(instanceId, { kind: 'entry', from: used, to: used });
    if (rows.length === 0) return undefined;
    const profile = readProfile(buffer, columns, options);
    const clock = profile.columns[profile.clock];
    const utc = clock?.kind === 'moment' ? (clock.utc[0] ?? Number.NaN) : Number.NaN;
    return Number.isNaN(utc) ? undefined : utc;
  } catch (error) {
    if (!(error instanceof DlmsPeerError) && (error as Error).name !== 'MisuseError') throw error;
    return undefined;
  }
}

/** Scaler and unit of each register among the columns: its own, else by the scaler profile. */
async function withUnits(
  session: Session,
  columns: readonly ProfileColumn[],
  obis: string,
  listed: readonly Listed[],
): Promise<ProfileColumn[]> {
  const registers = columns.filter(
    (c) =>
      c.dataIndex === 0 &&
      SCALER_AT[c.classId] !== undefined &&
      (c.attribute === 2 || (c.classId === 5 && c.attribute === 3)),
  );
  const units = new Map<string, { scaler: number; unit: number }>();
  if (registers.length > 0) {
    const results = await session.getList(
      registers.map(({ classId, logicalName }) => ({
        classId,
        instanceId: obisToBytes(logicalName),
        attributeId: SCALER_AT[classId] as number,
      })),
    );
    registers.forEach(({ logicalName }, i) => {
      const unit = scalerUnitOf(results[i]);
      if (unit) units.set(logicalName, { scaler: unit.scaler, unit: Number(unit.unit) });
    });
  }
  const other = SCALER_PROFILES[obis];
  if (registers.some((c) => !units.has(c.logicalName)) && other && listed.some((o) => o.obis === other)) {
    for (const [name, unit] of await scalersOf(session, other)) if (!units.has(name)) units.set(name, unit);
  }
  return columns.map((column) => {
    const unit = registers.includes(column) ? units.get(column.logicalName) : undefined;
    return unit ? { ...column, scalerUnit: unit } : column;
  });
}

async function scalersOf(session: Session, obis: string): Promise<Map<string, { scaler: number; unit: number }>> {
  const found = new Map<string, { scaler: number; unit: number }>();
  try {
    const instanceId = obisToBytes(obis);
    const definitions = await session.captureObjects(instanceId);
    const { rows } = await session.getProfile(instanceId);
    const row: Data | undefined = rows[0] && decoded(rows[0]);
    if (row?.type !== 'structure') return found;
    definitions.forEach((definition, i) => {
      const cell = row.value[i];
      const [scaler, unit] = cell?.type === 'structure' ? cell.value : [];
      if (scaler?.type === 'integer' && unit?.type === 'enum')
        found.set(obisFromBytes(definition.instanceId), { scaler: scaler.value, unit: unit.value });
    });
  } catch (error) {
    // Without it the values go without a unit.
    if (!(error instanceof DlmsPeerError) && (error as Error).name !== 'DecodeError') throw error;
  }
  return found;
}

function numberOf(result: { readonly data: Uint8Array } | { readonly error: number } | undefined): number | undefined {
  const data = result && 'data' in result ? decoded(result.data) : undefined;
  return data && 'value' in data && typeof data.value === 'number' ? data.value : undefined;
}
