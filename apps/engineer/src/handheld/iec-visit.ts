/**
 * One meter read over IEC 62056-21: a read-out for single values, programming mode for load survey, events and codes.
 *
 * Decides: a read-out is taken once and what is not wanted of it is left out; P.01 is read by days, P.98 whole; each code of the list
 * is read by itself. A code that the meter refuses is noted and the rest still read. Leaves out: the line, and trying
 * again (visit.ts).
 */
import { toLocal } from '@amiable/calendar';
import { type DataSet, loadProfiles, type OpticalSession, utcOf } from '@amiable/iec62056-21';
import { isClockWrong, type Message, messageToJson, withFlag } from '@amiable/model';
import type { Password } from '../optical/settings.ts';
import type { VisitWork } from './dlms-visit.ts';
import { GROUPS, type Group } from './is15959.ts';
import { clockWords, READER, split } from './messages.ts';
import { groupOfCode, isClockCode } from './select.ts';
import { doneSteps, storedUntil } from './store.ts';

const DAY = 86_400_000;
/** An answer that was cut is gone on with; more often than this no meter cuts. */
const MOST_PARTS = 400;

export interface IecWork extends VisitWork {
  readonly codes: readonly string[];
  readonly password: Password | undefined;
}

/** @throws LinkError and the like when the line breaks; what came before is stored */
export async function visitIec(session: OpticalSession, work: IecWork): Promise<void> {
  const { writer, wanted } = work;
  const done = doneSteps(writer.records);
  const has = (group: Group): boolean => wanted.some((w) => w.group === group);
  const scalars = GROUPS.filter((group) => has(group) && group !== 'load' && group !== 'events');
  let meterId = knownSerial(work);
  if (scalars.length > 0 && !done.has('readout')) {
    work.progress('read-out');
    const readout = await session.readout();
    const names = serialsOf(readout.sets);
    const [own] = names;
    if (own !== undefined) {
      work.identified(own, names);
      meterId = own;
    }
    const sets = readout.sets.filter(
      ({ address }) => isClockCode(address) || (scalars as readonly Group[]).includes(groupOfCode(address)),
    );
    const options = { reader: READER, port: work.head.port, zone: work.zone, receivedAt: work.now() };
    const message = sets.length === readout.sets.length ? readout.message(options) : session.message(sets, options);
    store(work, 'readout', message, meterId);
    writer.append({ t: 'step', step: 'readout', state: 'done', n: message.items.length });
  }
  const steps = [
    ...(has('load') ? ['load P.01'] : []),
    ...(has('events') ? ['events P.98'] : []),
    ...work.codes.map((code) => `code ${code}`),
  ].filter((step) => !done.has(step));
  if (steps.length === 0) return;
  work.progress('programming mode');
  await session.program();
  if (work.password) await session.logIn(work.password.text, work.password.level);
  for (const step of steps) {
    const code = step.slice(step.indexOf(' ') + 1);
    try {
      const n =
        code === 'P.01'
          ? await readLoad(session, work, step, meterId)
          : await readOne(session, work, step, code, meterId);
      writer.append({ t: 'step', step, state: 'done', n });
    } catch (error) {
      if ((error as Error).name !== 'PeerError') throw error;
      const words = (error as Error).message;
      work.note(words);
      writer.append({ t: 'step', step, state: 'refused', n: 0, words });
      // Some meters end the mode with a refusal.
      if (!session.programming) {
        await session.program();
        if (work.password) await session.logIn(work.password.text, work.password.level);
      }
    }
  }
  await session.leave();
}

/** Of the read-out of an earlier attempt. */
function knownSerial(work: IecWork): string {
  for (const record of work.writer.records) if (record.t === 'identity') return record.serial;
  return work.fallbackId;
}

const SERIALS = [
  /^(?:0-0:96\.1\.(?:0|255)|0-0:C\.1\.0|C\.1\.0|96\.1\.0)(?:\*255)?$/i,
  /^(?:\d-\d:)?0\.0\.0(?:\*255)?$/,
  /^(?:\d-\d:)?0\.0\.[1-9](?:\*255)?$/,
];

/** All that the meter may be known by, the best first. */
export function serialsOf(sets: readonly DataSet[]): string[] {
  return SERIALS.flatMap((form) =>
    sets.flatMap(({ address, values }) => {
      const text = form.test(address) ? (values[0]?.value ?? '').trim() : '';
      return text === '' ? [] : [text];
    }),
  );
}

function store(work: IecWork, step: string, message: Message, meterId: string, until?: number): void {
  const wrong = isClockWrong({ live: true }, message.time, message.receivedAt);
  const flags = wrong ? withFlag(message.flags, 'clockWrong') : message.flags;
  const off = clockWords(message.time, message.receivedAt);
  if (off) work.note(off);
  const named: Message = { ...message, flags, meterId: message.meterId ?? meterId };
  const parts = split(named);
  parts.forEach((part, i) => {
    // Only where the last part stands is the step stored so far.
    const last = i === parts.length - 1 && until !== undefined;
    work.writer.append({ t: 'message', step, ...(last && { until }), json: messageToJson(part) });
  });
}

async function readOne(
  session: OpticalSession,
  work: IecWork,
  step: string,
  code: string,
  meterId: string,
): Promise<number> {
  work.progress(code);
  const sets = await session.read(code, { type: /^(?:1-\d+:)?P\./i.test(code) ? '5' : '1' });
  const found = sets.filter(({ values }) => values.some(({ value }) => value.trim() !== ''));
  if (found.length === 0) return 0;
  const message = session.message(found, {
    reader: READER,
    port: work.head.port,
    zone: work.zone,
    receivedAt: work.now(),
  });
  store(work, step, message, meterId);
  return found.length;
}

/** `02611200000`: season digit and local time, as load profiles are asked for (VDEW). */
export function spanText(zone: string, utc: number): string {
  const wall = toLocal(zone, utc);
  const year = new Date(utc).getUTCFullYear();
  const offset = (at: number): number => toLocal(zone, at) - at;
  const winter = Math.min(offset(Date.UTC(year, 0, 1)), offset(Date.UTC(year, 6, 1)));
  const digits = new Date(wall).toISOString().replace(/[-:T]/g, '').slice(2, 12);
  return `${wall - utc > winter ? 1 : 0}${digits}`;
}

async function readLoad(session: OpticalSession, work: IecWork, step: string, meterId: string): Promise<number> {
  const { zone } = work;
  const since = work.wanted.find(({ group }) => group === 'load')?.since;
  let from =
    storedUntil(work.writer.records, step) ??
    (since === 'new' ? work.earlier(step) : typeof since === 'number' ? work.now() - since : undefined);
  let count = 0;
  for (let part = 0; part < MOST_PARTS; part++) {
    // A day at a time where we know where to begin; else from the first, until the answer was not cut.
    const to = from === undefined ? undefined : Math.min(work.now() + DAY, from + DAY);
    const value = from === undefined ? '' : `${spanText(zone, from)};${spanText(zone, to as number)}`;
    work.progress(
      `load survey, ${count} rows${from === undefined ? '' : `, ${new Date(from).toISOString().slice(0, 10)}`}`,
    );
    const sets = await session.read('P.01', { type: '5', value });
    const times = loadProfiles(sets).flatMap(({ rows }) => rows.map(({ moment }) => utcOf(moment, zone) ?? Number.NaN));
    const fresh = times.filter((time) => !(from !== undefined && time <= from));
    let until: number | undefined;
    for (const time of times) if (time > (until ?? 0)) until = time;
    if (fresh.length > 0) {
      const message = session.message(sets, { reader: READER, port: work.head.port, zone, receivedAt: work.now() });
      store(work, step, message, meterId, until);
      count += fresh.length;
    }
    const next = fresh.length > 0 ? until : to;
    if (next === undefined || next >= work.now() || (from !== undefined && next <= from)) break;
    from = next;
  }
  return count;
}
