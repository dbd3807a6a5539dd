/**
 * The rows of one profile or log (IEC 62056-6-2 clause 4.3.6, selective access).
 *
 * Decides: by time; where the meter refuses that by number, from the newest backwards; where it refuses that too all of them. What
 * worked is remembered for the type. Whole rows of a reading that broke off are given on. Rows that do not fit the shape are not:
 * `misfit` says that the capture objects have to be looked at again.
 */
import { DecodeError } from '@amiable/bytes';
import { type Profile, plainValue, readProfile } from '@amiable/cosem';
import { type AttributeDescriptor, CONFORMANCE, type DataResult, DlmsPeerError, type EncodedData } from '@amiable/dlms';
import { profileAccess } from '../session/profile.ts';
import type { ProfileRows, ProfileSelection, Session } from '../session/types.ts';
import { attribute, isNotThere, logicalName, refused } from './dlms-shape.ts';
import { encodeMoment } from './moment.ts';
import { utcIn } from './rows.ts';
import type { ProfileShape } from './shape.ts';
import { requestSpans } from './spans.ts';
import type { Span } from './types.ts';

/** Rows that are read by number in one request. */
const CHUNK = 500;
/** Requests by number at most: 500,000 rows. */
const CHUNKS = 1000;
const TEMPORARY_FAILURE = 2;

export interface Fetch {
  readonly session: Session;
  readonly zone: string;
  readonly now: number;
  readonly obis: string;
  readonly shape: ProfileShape;
  /** Before each request: counters, the deadline. False: no more. */
  readonly proceed: () => Promise<boolean>;
  readonly take: (profile: Profile) => void;
  /** What came along with another request: the answer to `standardRange` of the only span. */
  readonly held?: DataResult | undefined;
}

export interface Fetched {
  readonly complete: boolean;
  readonly misfit: boolean;
  readonly error?: Error;
}

const DONE: Fetched = { complete: true, misfit: false };

/** Reads what lies in the ranges. @throws DlmsPeerError when the meter refuses the profile itself */
export async function fetchRows(fetch: Fetch, ranges: readonly Span[], period: number): Promise<Fetched> {
  const { session, shape } = fetch;
  const selective = (session.negotiated.conformance & SELECTIVE[session.referencing]) !== 0;
  let access = selective ? shape.access : 'all';
  for (;;) {
    try {
      const done = await BY[access](fetch, ranges, period);
      if (selective) shape.access = access;
      return done;
    } catch (error) {
      if (access === 'all' || !isRefusedSelection(error)) throw error;
      access = access === 'range' ? 'entry' : 'all';
    }
  }
}

const SELECTIVE = { LN: CONFORMANCE['selective-access'], SN: CONFORMANCE['parameterized-access'] };

/** The meter may give the same rows when they are asked for otherwise. */
function isRefusedSelection(error: unknown): boolean {
  if (!(error instanceof DlmsPeerError)) return false;
  if (error.kind === 'exception' || error.kind === 'service-error') return true;
  return error.kind === 'data-access' && error.code !== TEMPORARY_FAILURE && !isNotThere(error.code);
}

const BY: Readonly<
  Record<ProfileShape['access'], (fetch: Fetch, ranges: readonly Span[], period: number) => Promise<Fetched>>
> = { range: byTime, entry: byNumber, all: everything };

const bounds = new Map<string, EncodedData>();

/** All meters of a zone are asked for the same days. Shared, not to be changed. */
function bound(zone: string, utc: number): EncodedData {
  const key = `${zone} ${utc}`;
  let moment = bounds.get(key);
  if (!moment) {
    moment = encodeMoment(zone, utc);
    if (bounds.size >= 1000) bounds.clear();
    bounds.set(key, moment);
  }
  return moment;
}

// Both ends belong to the range; clocks of meters know no less than a second.
const rangeOf = (zone: string, { from, to }: Span) =>
  ({ kind: 'range', from: bound(zone, from), to: bound(zone, Math.ceil(to / 1000) * 1000 - 1000) }) as const;

/** The rows of a span by the clock that nearly all profiles have, as an attribute for a list. */
export function standardRange(obis: string, span: Span, zone: string): AttributeDescriptor {
  const access = profileAccess(rangeOf(zone, span));
  return { ...attribute(7, obis, 2), ...(access && { access }) };
}

const isStandard = ({ columns, clock }: ProfileShape): boolean => {
  const column = columns[clock];
  return column?.classId === 8 && column.logicalName === '0-0:1.0.0' && column.dataIndex === 0;
};

async function byTime(fetch: Fetch, ranges: readonly Span[], period: number): Promise<Fetched> {
  const { zone, shape, held, obis } = fetch;
  const clock = shape.columns[shape.clock] as ProfileShape['columns'][number];
  const by = {
    classId: clock.classId,
    instanceId: logicalName(clock.logicalName),
    attributeId: clock.attribute,
    dataIndex: clock.dataIndex,
  };
  const spans = requestSpans(ranges, period || shape.capturePeriod);
  if (held && spans.length === 1 && isStandard(shape)) {
    if ('error' in held) throw refused(`rows of ${obis}`, held.error);
    return taken(fetch, { buffer: held.data, complete: true }).fetched;
  }
  for (const span of spans) {
    const selection = { ...rangeOf(zone, span), by };
    const { fetched } = await one(fetch, selection);
    if (fetched !== DONE) return fetched;
  }
  return DONE;
}

async function byNumber(fetch: Fetch, ranges: readonly Span[]): Promise<Fetched> {
  const { session, obis, shape } = fetch;
  const from = Math.min(...ranges.map((r) => r.from));
  const inUse = Number(plainValue(await session.get(attribute(7, obis, 7))));
  if (!Number.isInteger(inUse) || inUse < 0) throw new DecodeError('value', `${obis}: entries_in_use is no number`, 0);
  for (let read = 0, chunk = 0; read < inUse && chunk < CHUNKS; read += CHUNK, chunk++) {
    const count = Math.min(CHUNK, inUse - read);
    const first = shape.newestFirst ? read + 1 : inUse - read - count + 1;
    const { fetched, oldest } = await one(fetch, { kind: 'entry', from: first, to: first + count - 1 });
    if (fetched !== DONE) return fetched;
    if (oldest <= from) break;
  }
  return DONE;
}

async function everything(fetch: Fetch): Promise<Fetched> {
  return (await one(fetch, { kind: 'all' })).fetched;
}

/** One request. */
async function one(fetch: Fetch, selection: ProfileSelection): Promise<{ fetched: Fetched; oldest: number }> {
  const { session, obis } = fetch;
  const nothing = Number.POSITIVE_INFINITY;
  if (!(await fetch.proceed()))
    return { fetched: { complete: false, misfit: false, error: new Error('no time left') }, oldest: nothing };
  return taken(fetch, await session.getBuffer(logicalName(obis), selection));
}

/** Gives on what came, when it fits the shape. */
function taken(
  fetch: Fetch,
  { buffer, complete, error }: Omit<ProfileRows, 'rows'>,
): { fetched: Fetched; oldest: number } {
  const { shape, zone } = fetch;
  const profile = decoded(buffer, shape, zone);
  const wrong = profile instanceof DecodeError ? profile : misfitOf(profile, shape);
  if (wrong) return { fetched: { complete: false, misfit: true, error: wrong }, oldest: Number.POSITIVE_INFINITY };
  const rows = profile as Profile;
  fetch.take(rows);
  const failure = error ?? rows.stopped?.error;
  return {
    fetched: complete && !failure ? DONE : { complete: false, misfit: false, ...(failure && { error: failure }) },
    oldest: oldestOf(rows),
  };
}

function decoded(buffer: EncodedData, shape: ProfileShape, zone: string): Profile | DecodeError {
  try {
    return readProfile(buffer, shape.columns, {
      capturePeriod: shape.capturePeriod,
      newestFirst: shape.newestFirst,
      utcOf: utcIn(zone),
    });
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/** Whether rows are such as the shape says: as many columns, clocks and numbers where they should be. */
function misfitOf(profile: Profile, shape: ProfileShape): DecodeError | undefined {
  const { rows, columns, stopped } = profile;
  if (stopped && stopped.row === 0) return stopped.error;
  if (rows === 0) return undefined;
  if (columns.length !== shape.columns.length)
    return new DecodeError('value', `rows of ${columns.length} columns, ${shape.columns.length} expected`, 0);
  for (const [c, column] of columns.entries()) {
    const expected = shape.columns[c] as ProfileShape['columns'][number];
    if ((c === shape.clock) !== (column.kind === 'moment') && (c === shape.clock || expected.value))
      return new DecodeError('value', `column ${c + 1} is ${column.kind}`, 0);
  }
  return undefined;
}

function oldestOf(profile: Profile): number {
  const clock = profile.columns[profile.clock];
  let oldest = Number.POSITIVE_INFINITY;
  if (clock?.kind === 'moment') for (const time of clock.utc) if (time < oldest) oldest = time;
  return oldest;
}
