/**
 * A meter read by a plan over DLMS/COSEM (IEC 62056-5-3, -6-2): one association for everything.
 *
 * Decides: the order: who are you, and what is your configuration (one request, with the clock); then the items of the plan. A meter
 * that says another number is a stranger: it is asked nothing more and nothing of it is given on. An item that fails leaves the
 * others be, unless the line is gone. Leaves out: retries over associations (whoever plans), where values go (the sink).
 */
import { DecodeError, LinkError, MisuseError } from '@amiable/bytes';
import { quantityOf } from '@amiable/cosem';
import { type AttributeDescriptor, CONFORMANCE, type DataResult, DlmsPeerError, type EncodedData } from '@amiable/dlms';
import { hdlcTransport } from '../session/hdlc.ts';
import { openSession } from '../session/open.ts';
import type { Session, SessionOptions } from '../session/types.ts';
import { wrapperTransport } from '../session/wrapper.ts';
import { decideClock, measureClock } from './clock.ts';
import { type Fetched, fetchRows, standardRange } from './dlms-profile.ts';
import { attribute, captureObjectsOf, isNotThere, learnObjects, learnProfile, refused } from './dlms-shape.ts';
import {
  absence,
  failure,
  fingerprintOf,
  isOurs,
  outcomeOf,
  rowsResult,
  scalarOf,
  strangerOf,
  textOf,
  verifiedOf,
  words,
} from './dlms-words.ts';
import { decodeMoment, encodeMoment } from './moment.ts';
import { eventsOf, rowsOf } from './rows.ts';
import { hashOf, type ProfileShape, profileKey, type TypeShape } from './shape.ts';
import { requestSpans } from './spans.ts';
import type {
  AcquireAuthentication,
  AcquiredRegister,
  AcquireResult,
  AcquireSink,
  ClockAction,
  ClockItem,
  ClockMeasure,
  ClockResult,
  DlmsAccess,
  ItemResult,
  LogItem,
  OpenMeter,
  ProfileItem,
  ReadPlan,
  RegistersItem,
  Span,
} from './types.ts';

const DEADLINE = 900_000;
const DAY = 86_400_000;
/** Before any entry of a log. */
const EPOCH = Date.UTC(2000, 0, 1);
/** Octets of rows that come along with the first request at most, and what rows and logs take about. */
const BUNDLE = 24_000;
const ROW_BYTES = 48;
const LOG_BYTES = 4000;
const LOGICAL_DEVICE_NAME = '0-0:42.0.0';
const CLOCK: AttributeDescriptor = attribute(8, '0-0:1.0.0', 2);
const SHIFT_TIME = { classId: 8, instanceId: CLOCK.instanceId, methodId: 6 } as const;
/** Seconds that shift_time takes. */
const MOST_SHIFT = 900;
const MECHANISM: Readonly<Record<AcquireAuthentication, 0 | 1 | 3 | 4 | 5 | 6 | 7>> = {
  none: 0,
  low: 1,
  md5: 3,
  sha1: 4,
  gmac: 5,
  sha256: 6,
  ecdsa: 7,
};

export async function acquireDlms(plan: ReadPlan, access: DlmsAccess, sink: AcquireSink): Promise<AcquireResult> {
  const began = nowOf(access);
  let meter: OpenMeter;
  try {
    meter = await openDlms(access);
  } catch (error) {
    return notOpened(plan, error as Error, began, nowOf(access));
  }
  try {
    return await meter.read(plan, sink);
  } finally {
    await meter.close();
  }
}

/** What `acquire` gives when there was no association. @throws what no meter and no line can cause */
export function notOpened(plan: ReadPlan, error: Error, began: number, ended: number): AcquireResult {
  if (error instanceof MisuseError || !(error instanceof LinkError || error.name === 'PeerError')) throw error;
  const outcome = error instanceof LinkError ? 'unreachable' : 'refused';
  const reason = words(error);
  const items = plan.items.map(({ id }): ItemResult => ({ id, state: 'skipped', count: 0, reason, again: true }));
  return { outcome, items, identity: {}, error, requests: 0, began, ended };
}

/** Connects and associates. @throws LinkError, PeerError, MisuseError as `openSession` */
export async function openDlms(access: DlmsAccess): Promise<OpenMeter> {
  await access.reserve?.();
  try {
    return new DlmsMeter(access, await openSession(optionsOf(access)));
  } catch (error) {
    const expected = error instanceof DlmsPeerError ? error.expectedCounter : undefined;
    if (expected === undefined || !(await access.raise?.(expected))) throw error;
    return new DlmsMeter(access, await openSession(optionsOf(access)));
  }
}

function optionsOf(access: DlmsAccess): SessionOptions {
  const { link, clock, transport, referencing, client, server, physical, authentication = 'none' } = access;
  const { password, security, crypto, timeouts, trace } = access;
  const address = { ...(client !== undefined && { client }), ...(server !== undefined && { server }) };
  const mechanism = MECHANISM[authentication];
  return {
    transport:
      transport === 'hdlc'
        ? hdlcTransport(link, clock, { ...address, ...(physical !== undefined && { physical }) })
        : wrapperTransport(link, address),
    clock,
    ...(referencing && { referencing }),
    authentication: mechanism === 0 ? { mechanism } : mechanism === 1 ? lowest(password) : high(mechanism, password),
    ...(security && { security }),
    ...(crypto && { crypto }),
    ...(timeouts && { timeouts }),
    ...(trace && { trace }),
    ...(access.maxPduSize !== undefined && { maxPduSize: access.maxPduSize }),
  };
}

const lowest = (password: Uint8Array = new Uint8Array(0)) => ({ mechanism: 1, password }) as const;
const high = (mechanism: 3 | 4 | 5 | 6 | 7, secret: Uint8Array | undefined) =>
  ({ mechanism, ...(secret && { secret }) }) as SessionOptions['authentication'] & object;

const nowOf = (access: DlmsAccess): number => (access.now ?? access.clock.now)();

const isRows = (item: ReadPlan['items'][number]): item is ProfileItem | LogItem =>
  item.kind === 'profile' || item.kind === 'log';

interface Introduction {
  readonly identity: Readonly<Record<string, string>>;
  readonly stranger: string | undefined;
  readonly configuration: string;
  readonly clock: ClockMeasure | undefined;
  /** capture_objects that were read along, by logical name of the profile. */
  readonly captured: Map<string, DataResult>;
  /** Rows that were read along, by item. */
  readonly held: Map<string, DataResult>;
}

class DlmsMeter implements OpenMeter {
  readonly #access: DlmsAccess;
  readonly #session: Session;
  #requests = 0;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(access: DlmsAccess, session: Session) {
    this.#access = access;
    this.#session = session;
  }

  get open(): boolean {
    return this.#session.state === 'associated';
  }

  close(): Promise<void> {
    return this.#session.release().catch(() => {});
  }

  async read(plan: ReadPlan, sink: AcquireSink): Promise<AcquireResult> {
    const { clock, deadline = DEADLINE } = this.#access;
    const began = nowOf(this.#access);
    const requests = this.#requests;
    this.#deadline = clock.now() + deadline;
    // What hangs beyond the deadline is cut off.
    const cancel = clock.after(deadline + 1000, () => void this.#session.close());
    const items: ItemResult[] = [];
    const found: { identity: Record<string, string>; fingerprint?: string; clock?: ClockResult; error?: Error } = {
      identity: {},
    };
    let stranger = false;
    try {
      const introduced = await this.#introduce(plan);
      Object.assign(found.identity, introduced.identity);
      if (introduced.stranger !== undefined) {
        stranger = true;
        found.error = new LinkError(introduced.stranger);
      } else await this.#items(plan, introduced, sink, items, found);
    } catch (error) {
      if (error instanceof MisuseError || isOurs(error)) throw error;
      found.error = error as Error;
    } finally {
      cancel();
    }
    const reason = found.error ? words(found.error) : 'not begun';
    const known = new Set(items.map(({ id }) => id));
    for (const { id } of plan.items)
      if (!known.has(id)) items.push({ id, state: 'skipped', count: 0, reason, again: !stranger });
    return {
      outcome: stranger ? 'stranger' : outcomeOf(items),
      items,
      ...found,
      requests: this.#requests - requests,
      began,
      ended: nowOf(this.#access),
    };
  }

  /** Asks who it is, with what else fits into the request. @throws as the session */
  async #introduce(plan: ReadPlan): Promise<Introduction> {
    const { identity, items, known } = plan;
    const { expected, from = [LOGICAL_DEVICE_NAME], configuration = [] } = identity;
    const base = this.#access.shapes.of(plan.type);
    const codes = [...new Set([...from, ...configuration])];
    await this.#learnClasses(base, codes);
    const several = (this.#session.negotiated.conformance & CONFORMANCE['multiple-references']) !== 0;
    const along = several && base.bundles !== false ? this.#along(items) : [];
    const withClock = several && items.some((item) => item.kind === 'clock');
    // Values of one register must never be taken for another's: what stands in the rows is asked every time.
    const asked = items.filter(
      (item) => item.kind === 'profile' || (item.kind === 'log' && (known === undefined || along.length > 0)),
    );
    const profiles = [...new Set(asked.map((item) => (item as ProfileItem | LogItem).obis))];
    const readable = codes.filter((obis) => base.objects.get(obis));
    const wanted = [
      ...readable.map((obis) => attribute(base.objects.get(obis)?.classId ?? 1, obis, 2)),
      ...(withClock ? [CLOCK] : []),
      ...profiles.map(captureObjectsOf),
    ];
    const bundle = along.map(({ obis, span }) => standardRange(obis, span, this.#access.timeZone));
    const sent = nowOf(this.#access);
    const [results, rows] = await this.#bundled(base, wanted, bundle);
    const received = nowOf(this.#access);
    const said: Record<string, string> = {};
    for (const [i, obis] of readable.entries()) {
      const text = textOf(results[i]);
      if (text !== undefined) said[obis] = text;
    }
    const clock = withClock ? results[readable.length] : undefined;
    const captured = new Map(
      profiles.map((obis, i) => [obis, results[readable.length + (withClock ? 1 : 0) + i] as DataResult]),
    );
    return {
      identity: said,
      stranger: strangerOf(expected, from, said),
      configuration: configuration.map((obis) => `${obis}=${said[obis] ?? ''}`).join(';'),
      clock: this.#measured(clock, sent, received),
      captured,
      held: new Map(rows.map((result, i) => [along[i]?.id as string, result])),
    };
  }

  /** Items whose rows are few enough to come along with the first request: a round trip is dearer than they are. */
  #along(items: ReadPlan['items']): { id: string; obis: string; span: Span }[] {
    const { transport, maxPduSize } = this.#access;
    // On lines where an answer may break off in the middle each profile is asked for by itself, so that whole rows are kept.
    if (transport !== 'wrapper' || maxPduSize !== undefined) return [];
    const later = nowOf(this.#access) + DAY;
    let room = BUNDLE;
    return items.flatMap((item) => {
      if (!isRows(item)) return [];
      const spans =
        item.kind === 'log' ? [{ from: item.since ?? EPOCH, to: later }] : requestSpans(item.ranges, item.period);
      const span = spans[0];
      if (!span || spans.length > 1) return [];
      const period = item.kind === 'log' ? 0 : item.period || DAY * 30;
      room -= item.kind === 'log' ? LOG_BYTES : Math.ceil((span.to - span.from) / (period * 1000)) * ROW_BYTES;
      return room < 0 ? [] : [{ id: item.id, obis: item.obis, span }];
    });
  }

  /** One list; two where the meter does not take so much at once, which is remembered. */
  async #bundled(
    base: TypeShape,
    wanted: readonly AttributeDescriptor[],
    bundle: readonly AttributeDescriptor[],
  ): Promise<[readonly DataResult[], readonly DataResult[]]> {
    if (bundle.length === 0) return [await this.#list(wanted), []];
    try {
      const all = await this.#list([...wanted, ...bundle]);
      return [all.slice(0, wanted.length), all.slice(wanted.length)];
    } catch (error) {
      base.bundles = false;
      if (!this.open) throw error;
      return [await this.#list(wanted), []];
    }
  }

  #measured(result: DataResult | undefined, sent: number, received: number): ClockMeasure | undefined {
    if (!result || !('data' in result)) return undefined;
    const moment = decodeMoment(this.#access.timeZone, result.data);
    return moment && measureClock(moment, sent, received);
  }

  /** The classes of who-are-you codes: mostly Data, in some meters Register. */
  async #learnClasses(base: TypeShape, codes: readonly string[]): Promise<void> {
    let unknown = codes.filter((obis) => !base.objects.has(obis));
    for (const classId of [1, 3]) {
      if (unknown.length === 0) return;
      const results = await this.#list(unknown.map((obis) => attribute(classId, obis, 2)));
      const left: string[] = [];
      for (const [i, obis] of unknown.entries()) {
        const result = results[i];
        if (result && 'data' in result) base.objects.set(obis, { classId, scaler: 0 });
        else if (isNotThere(result?.error)) left.push(obis);
      }
      unknown = left;
    }
    for (const obis of unknown) base.objects.set(obis, null);
  }

  async #items(
    plan: ReadPlan,
    introduced: Introduction,
    sink: AcquireSink,
    items: ItemResult[],
    found: { fingerprint?: string; clock?: ClockResult; error?: Error },
  ): Promise<void> {
    const type = this.#access.shapes.of(`${plan.type} ${introduced.configuration}`);
    const verified = verifiedOf(plan.known, introduced.configuration);
    for (const item of plan.items) {
      if (!this.open || !(await this.#proceed())) break;
      let result: ItemResult;
      try {
        if (item.kind === 'clock') {
          const done = await this.#clock(item, introduced.clock);
          found.clock = done;
          result = { id: item.id, state: 'done', count: 1, again: false };
        } else if (item.kind === 'registers') result = await this.#registers(item, type, sink);
        else result = await this.#rows(item, type, verified, introduced, sink);
      } catch (error) {
        if (isOurs(error)) throw error;
        const absent = absence(item, error as Error);
        if (!absent) found.error = error as Error;
        result = absent ?? failure(item.id, error as Error);
      }
      items.push(result);
    }
    found.fingerprint = fingerprintOf(introduced.configuration, verified);
  }

  async #proceed(): Promise<boolean> {
    if (this.#access.clock.now() >= this.#deadline) return false;
    await this.#access.reserve?.();
    return true;
  }

  async #list(attributes: readonly AttributeDescriptor[]): Promise<readonly DataResult[]> {
    if (attributes.length === 0) return [];
    this.#requests++;
    return this.#session.getList(attributes);
  }

  // ---------------------------------------------------------------- rows

  async #rows(
    item: ProfileItem | LogItem,
    type: TypeShape,
    verified: Map<string, string>,
    { captured, held }: Introduction,
    sink: AcquireSink,
  ): Promise<ItemResult> {
    const looked = captured.has(item.obis) || !verified.has(item.obis);
    let shape = await this.#shapeOf(item.obis, type, verified, captured);
    const first = await this.#fetch(item, shape, sink, held.get(item.id));
    if (!first.misfit || looked || !this.open) return first.result;
    // The rows are not such as was learnt: the capture objects tell what they are now.
    verified.delete(item.obis);
    shape = await this.#shapeOf(item.obis, type, verified, captured);
    return (await this.#fetch(item, shape, sink)).result;
  }

  /** The shape of a profile of this meter, by its capture objects where they were read or have to be. */
  async #shapeOf(
    obis: string,
    type: TypeShape,
    verified: Map<string, string>,
    captured: Map<string, DataResult>,
  ): Promise<ProfileShape> {
    const hash = verified.get(obis);
    const known = hash === undefined || captured.has(obis) ? undefined : type.profiles.get(profileKey(obis, hash));
    if (known) return known;
    const [result] = captured.has(obis) ? [captured.get(obis)] : await this.#list([captureObjectsOf(obis)]);
    if (!result || !('data' in result)) throw refused(`capture objects of ${obis}`, result?.error ?? 0);
    const now = hashOf(result.data);
    const shape =
      type.profiles.get(profileKey(obis, now)) ?? (await this.#learn(type, obis, result.data as EncodedData));
    verified.set(obis, shape.hash);
    return shape;
  }

  #learn(type: TypeShape, obis: string, captureObjects: EncodedData): Promise<ProfileShape> {
    this.#requests++;
    return learnProfile(this.#session, type, obis, captureObjects);
  }

  async #fetch(
    item: ProfileItem | LogItem,
    shape: ProfileShape,
    sink: AcquireSink,
    held?: DataResult,
  ): Promise<{ result: ItemResult; misfit: boolean }> {
    const { timeZone } = this.#access;
    const now = nowOf(this.#access);
    const log = item.kind === 'log';
    const ranges = log ? [{ from: item.since ?? 0, to: now + DAY }] : item.ranges;
    let count = 0;
    let undated = 0;
    let first = true;
    const fetched: Fetched = await fetchRows(
      {
        session: this.#session,
        zone: timeZone,
        now,
        obis: item.obis,
        shape,
        held,
        proceed: async () => {
          if (!first && !(await this.#proceed())) return false;
          first = false;
          this.#requests++;
          return true;
        },
        take(profile) {
          if (log) {
            const { events, undated: lost } = eventsOf(profile, shape, item.since ?? Number.NEGATIVE_INFINITY);
            undated += lost;
            count += events.length;
            if (events.length > 0) sink.events(item, events);
            return;
          }
          const converted = rowsOf(profile, shape, item.ranges, item.registers, item.status ?? 'amr');
          undated += converted.undated;
          if (!converted.rows) return;
          count += converted.rows.times.length;
          sink.rows(item, converted.rows);
        },
      },
      log && item.since === undefined ? [{ from: EPOCH, to: now + DAY }] : ranges,
      log ? (ranges[0] as { from: number; to: number }).to / 1000 : item.period,
    );
    return { result: rowsResult(item.id, fetched, count, undated), misfit: fetched.misfit };
  }

  // ---------------------------------------------------------------- registers and the clock

  async #registers(item: RegistersItem, type: TypeShape, sink: AcquireSink): Promise<ItemResult> {
    if (item.registers.some((obis) => !type.objects.has(obis))) {
      this.#requests++;
      await learnObjects(this.#session, type, item.registers);
    }
    const there = item.registers.filter((obis) => type.objects.get(obis));
    const results = await this.#list(there.map((obis) => attribute(type.objects.get(obis)?.classId ?? 3, obis, 2)));
    const values: AcquiredRegister[] = [];
    for (const [i, obis] of there.entries()) {
      const value = scalarOf(results[i]);
      const shape = type.objects.get(obis);
      if (value === undefined || !shape) continue;
      const { scaler, unit } = shape;
      values.push({
        obis,
        name: quantityOf(obis).name,
        ...(unit !== undefined && typeof value !== 'string' && { unit }),
        scaler: typeof value === 'string' ? 0 : scaler,
        value,
      });
    }
    if (values.length > 0) sink.registers(item, values, nowOf(this.#access));
    const lacking = item.registers.length - values.length;
    if (values.length === 0)
      return { id: item.id, state: 'failed', count: 0, reason: 'the meter has none of these registers', again: false };
    return {
      id: item.id,
      state: lacking > 0 ? 'partial' : 'done',
      count: values.length,
      ...(lacking > 0 && { reason: `${lacking} of ${item.registers.length} registers are not there or not readable` }),
      again: false,
    };
  }

  async #clock(item: ClockItem, known: ClockMeasure | undefined): Promise<ClockResult> {
    const measure = known ?? (await this.#readClock());
    const decision = decideClock(measure, item.rule);
    const plain = (action: ClockAction): ClockResult => ({ ...measure, action, moved: 0, crossed: false });
    if (decision.do !== 'adjust' && decision.do !== 'set') return plain(decision.do);
    try {
      const moved = await this.#setClock(measure);
      const action = decision.do === 'set' ? 'set' : 'adjusted';
      return { ...measure, action, moved, crossed: decision.crosses };
    } catch (error) {
      if (!(error instanceof DlmsPeerError)) throw error;
      return plain('refused');
    }
  }

  async #readClock(): Promise<ClockMeasure> {
    const sent = nowOf(this.#access);
    const [result] = await this.#list([CLOCK]);
    if (!result || !('data' in result)) throw refused('the clock', result?.error ?? 0);
    const measure = this.#measured(result, sent, nowOf(this.#access));
    if (!measure) throw new DecodeError('value', 'the clock tells no time', 0);
    return measure;
  }

  /** By shift_time where that reaches, which no slow line falsifies; else the time is written. @returns ms moved */
  async #setClock(measure: ClockMeasure): Promise<number> {
    const seconds = Math.round(-measure.deviation / 1000);
    if (seconds !== 0 && Math.abs(seconds) <= MOST_SHIFT && !measure.invalid) {
      try {
        this.#requests++;
        await this.#session.action(SHIFT_TIME, Uint8Array.of(0x10, (seconds >> 8) & 0xff, seconds & 0xff));
        return seconds * 1000;
      } catch (error) {
        if (!(error instanceof DlmsPeerError)) throw error;
      }
    }
    this.#requests++;
    await this.#session.set(CLOCK, encodeMoment(this.#access.timeZone, nowOf(this.#access)));
    return -measure.deviation;
  }
}
