/**
 * Reading a meter by a plan over IEC 62056-21: the read-out for registers and billing history, programming mode for load profiles, logs
 * and the clock. One sign-on into each of the two that the plan needs.
 *
 * Decides: which mode serves which item; that the right meter answers before anything of it is given on; when a password is
 * said (only when the meter asks for it by a refusal, once: meters lock after a few wrong ones). Leaves out: what is due and where
 * values go; the rates of a line that changes none.
 */
import { LinkError, PeerError } from '@amiable/bytes';
import { toLocal } from '@amiable/calendar';
import {
  createOpticalSession,
  type DataSet,
  isLoadProfile,
  type OpticalSession,
  parseMoment,
  utcOf,
} from '@amiable/iec62056-21';
import { workClock } from './iec-clock.ts';
import { firstOf, iecValue, meaningOfCode, plainCode, SERIAL_CODES, sourceOf } from './iec-codes.ts';
import { historyRows, type IecRows, logEvents, profileRows } from './iec-rows.ts';
import { requestSpans } from './spans.ts';
import type {
  AcquiredRegister,
  AcquireResult,
  AcquireSink,
  ClockItem,
  ClockResult,
  IdentityCheck,
  IecAccess,
  ItemResult,
  LogItem,
  OpenMeter,
  ProfileItem,
  ReadItem,
  ReadPlan,
  RegistersItem,
} from './types.ts';

const DEADLINE = 15 * 60_000;
const DAY = 86_400_000;
/** One request of a load profile: an answer is one block with one check, so it is kept short. */
const REQUEST_DAYS = 2;
/** A cut answer is gone on with; more often than this for one stretch no meter cuts. */
const MOST_PARTS = 100;

/** Opens nothing yet: the line is opened by the first `read`. */
export function openIec(access: IecAccess): OpenMeter {
  return new IecMeter(access);
}

/** One plan, one call. Throws nothing that a meter or a line may cause. */
export async function acquireIec(plan: ReadPlan, access: IecAccess, sink: AcquireSink): Promise<AcquireResult> {
  const meter = new IecMeter(access);
  try {
    return await meter.read(plan, sink);
  } finally {
    await meter.close();
  }
}

/** What one plan has come to. */
interface Work {
  readonly plan: ReadPlan;
  readonly sink: AcquireSink;
  readonly results: Map<string, ItemResult>;
  readonly identity: Record<string, string>;
  readonly until: number;
  clock?: ClockResult;
  /** The read-out, once it was taken. */
  sets?: readonly DataSet[];
  checked: boolean;
}

class Stranger extends PeerError {}
/** Time is up: what was not begun is left. */
class Late extends LinkError {}

class IecMeter implements OpenMeter {
  readonly #access: IecAccess;
  #session: OpticalSession | undefined;
  #requests = 0;
  #loggedIn = false;
  #refused: PeerError | undefined;
  /** 5, or 6 where the meter gives profiles in partial blocks only. */
  #profileType = '5';

  constructor(access: IecAccess) {
    this.#access = access;
  }

  get open(): boolean {
    return this.#session !== undefined;
  }

  #now(): number {
    return (this.#access.now ?? this.#access.clock.now)();
  }

  async read(plan: ReadPlan, sink: AcquireSink): Promise<AcquireResult> {
    const began = this.#now();
    const before = this.#requests;
    const { clock, deadline = DEADLINE } = this.#access;
    const work: Work = {
      plan,
      sink,
      results: new Map(),
      identity: {},
      until: clock.now() + deadline,
      checked: false,
    };
    let error: Error | undefined;
    let outcome: AcquireResult['outcome'] | undefined;
    let begun = false;
    try {
      this.#session ??= await this.#open();
      await this.#identify(work);
      begun = true;
      for (const item of plan.items) await this.#item(work, item);
      await this.#session.leave();
    } catch (caught) {
      if (!isExpected(caught)) throw caught;
      error = caught;
      if (caught instanceof Stranger) outcome = 'stranger';
      else if (!begun && !(caught instanceof Late)) outcome = caught instanceof PeerError ? 'refused' : 'unreachable';
      // After a failure nobody knows in which state the meter is.
      await this.close();
    }
    const items = plan.items.map(
      (item): ItemResult =>
        work.results.get(item.id) ?? {
          id: item.id,
          state: 'skipped',
          count: 0,
          reason: error?.message ?? 'not begun',
          again: true,
        },
    );
    return {
      outcome: outcome ?? outcomeOf(items),
      items,
      identity: work.identity,
      ...(work.clock && { clock: work.clock }),
      ...(error && { error }),
      requests: this.#requests - before,
      began,
      ended: this.#now(),
    };
  }

  async #open(): Promise<OpticalSession> {
    const { link, clock, deviceAddress, setBaud, timeouts, trace } = this.#access;
    const own = setBaud ? { ...linkOf(link), setBaud } : link;
    return createOpticalSession({
      link: own,
      clock,
      ...(deviceAddress !== undefined && { address: deviceAddress }),
      ...(timeouts?.answer !== undefined && { timeout: timeouts.answer }),
      ...(trace && {
        trace: ({ direction, time, bytes }) => {
          if (!isSecret(bytes)) trace({ direction, time, apdu: bytes });
        },
      }),
    });
  }

  /** @throws LinkError, PeerError */
  async #identify(work: Work): Promise<void> {
    const { identity, items } = work.plan;
    const wanted = identity.from ?? SERIAL_CODES;
    // The read-out tells it along the way; where the plan needs none it is asked for by itself.
    if (items.some((item) => needsReadout(item))) await this.#readout(work);
    if (work.sets) {
      for (const code of [...wanted, ...(identity.configuration ?? [])]) {
        const text = firstOf(work.sets, code)?.value.trim();
        if (text) work.identity[code] = text;
      }
    }
    const missing = !wanted.some((code) => work.identity[code] !== undefined);
    if (missing && (identity.expected.length > 0 || !work.sets)) {
      await this.#program(work);
      for (const code of wanted) {
        const text = await this.#codeText(work, code);
        if (text === undefined) continue;
        work.identity[code] = text;
        // One that fits is enough; else the next may be the number by which it is known.
        if (identity.expected.length === 0 || fits(identity, text)) break;
      }
    }
    work.checked = true;
    if (identity.expected.length === 0) return;
    const said = Object.values(work.identity);
    if (said.some((text) => fits(identity, text))) return;
    throw new Stranger(
      said.length === 0
        ? `the meter does not say who it is; ${identity.expected.join(' or ')} was expected`
        : `another meter answers: it says ${said.slice(0, 4).join(', ')}; ${identity.expected.join(' or ')} was expected`,
    );
  }

  async #codeText(work: Work, code: string): Promise<string | undefined> {
    try {
      const text = (await this.#readCode(work, code))[0]?.values[0]?.value.trim();
      return text === '' ? undefined : text;
    } catch (error) {
      if (error instanceof PeerError) return undefined;
      throw error;
    }
  }

  async #item(work: Work, item: ReadItem): Promise<void> {
    const set = (state: ItemResult['state'], count: number, again: boolean, reason?: string): void => {
      work.results.set(item.id, { id: item.id, state, count, again, ...(reason !== undefined && { reason }) });
    };
    const count = { value: 0 };
    try {
      const note = await this.#fetch(work, item, count);
      set(
        note ? 'partial' : count.value > 0 || item.kind === 'clock' ? 'done' : 'none',
        count.value,
        note !== undefined,
        note,
      );
    } catch (error) {
      if (!isExpected(error)) throw error;
      const refused = error instanceof PeerError;
      if (error instanceof Late && count.value === 0) set('skipped', 0, true, error.message);
      else set(count.value > 0 ? 'partial' : 'failed', count.value, !refused, error.message);
      if (!refused) throw error;
    }
  }

  /** @returns in words what lacks, where something does */
  async #fetch(work: Work, item: ReadItem, count: { value: number }): Promise<string | undefined> {
    if (item.kind === 'registers') return this.#registers(work, item, count);
    if (item.kind === 'clock') return this.#clock(work, item);
    const source = sourceOf(item.obis);
    if (!source || (item.kind === 'log') !== (source.kind === 'log'))
      throw new PeerError(`${item.obis} is no ${item.kind} that is read over IEC 62056-21 (P.01 to P.99, 98.1.0)`);
    if (item.kind === 'log' && source.kind === 'log') return this.#log(work, item, source.address, count);
    if (item.kind !== 'profile') return undefined;
    return source.kind === 'history'
      ? this.#history(work, item, count)
      : this.#profile(work, item, (source as { address: string }).address, count);
  }

  async #registers(work: Work, item: RegistersItem, count: { value: number }): Promise<string | undefined> {
    const sets = await this.#readout(work);
    const found: AcquiredRegister[] = [];
    const lacking: string[] = [];
    for (const code of item.registers) {
      let own: readonly DataSet[] = sets.filter(({ address }) => plainCode(address) === plainCode(code));
      if (own.length === 0) {
        try {
          own = await this.#readCode(work, code);
        } catch (error) {
          if (!(error instanceof PeerError)) throw error;
        }
      }
      const register = own.map((set) => registerOf(set, code, this.#access.timeZone)).find((r) => r !== undefined);
      if (register) found.push(register);
      else lacking.push(code);
    }
    if (found.length > 0) work.sink.registers(item, found, this.#now());
    count.value = found.length;
    if (lacking.length === 0 || found.length === 0) return undefined;
    return `the meter has no ${lacking.slice(0, 8).join(', ')}`;
  }

  async #history(work: Work, item: ProfileItem, count: { value: number }): Promise<string | undefined> {
    const rows = historyRows(
      await this.#readout(work),
      this.#access.timeZone,
      item.period,
      item.ranges,
      item.registers,
    );
    this.#give(work, item, rows, count);
    return undefined;
  }

  async #profile(
    work: Work,
    item: ProfileItem,
    address: string,
    count: { value: number },
  ): Promise<string | undefined> {
    const { timeZone } = this.#access;
    const step = Math.max(60, item.period) * 1000;
    let undated = 0;
    for (const span of requestSpans(item.ranges, item.period)) {
      for (let from = span.from; from < span.to; ) {
        const to = Math.min(span.to, from + REQUEST_DAYS * DAY);
        let at = from;
        for (let part = 0; part < MOST_PARTS && at < to; part++) {
          const value = `${stampText(timeZone, at)};${stampText(timeZone, to - 1)}`;
          const sets = await this.#readProfile(work, address, value);
          const rows = profileRows(sets, timeZone, item.ranges, item.registers, item.status ?? 'amr');
          undated += rows.undated;
          this.#give(work, item, rows, count);
          // A meter that gives what was not asked for gives it again and again.
          if (rows.came === 0 || rows.last < at || rows.last + step >= to) break;
          at = rows.last + 1;
        }
        from = to;
      }
    }
    return undated > 0 ? `${undated} rows have no time` : undefined;
  }

  #give(work: Work, item: ProfileItem, { tables }: IecRows, count: { value: number }): void {
    for (const table of tables) {
      if (table.columns.length === 0) continue;
      work.sink.rows(item, table);
      count.value += table.times.length;
    }
  }

  async #log(work: Work, item: LogItem, address: string, count: { value: number }): Promise<string | undefined> {
    const { timeZone } = this.#access;
    const since = item.since ?? Number.NEGATIVE_INFINITY;
    let sets: DataSet[];
    try {
      sets = await this.#readProfile(work, address, item.since === undefined ? '' : `${stampText(timeZone, since)};`);
    } catch (error) {
      // Logs are read whole by some.
      if (!(error instanceof PeerError) || item.since === undefined) throw error;
      sets = await this.#readProfile(work, address, '');
    }
    const { events, undated } = logEvents(sets, timeZone, since);
    if (events.length > 0) work.sink.events(item, events);
    count.value = events.length;
    return undated > 0 ? `${undated} entries have no time` : undefined;
  }

  async #clock(work: Work, item: ClockItem): Promise<string | undefined> {
    const session = await this.#program(work);
    const { words, ...result } = await workClock(
      {
        session,
        zone: this.#access.timeZone,
        now: () => this.#now(),
        read: (code) => this.#readCode(work, code),
        logIn: () => this.#logIn(),
      },
      item,
    );
    work.clock = result;
    return words;
  }

  // --- the exchange ---------------------------------------------------------------------------------------------

  #alive(work: Work): OpticalSession {
    if (this.#access.clock.now() >= work.until) throw new Late('time is up; the rest is left for another time');
    if (!this.#session) throw new LinkError('the line is closed');
    return this.#session;
  }

  async #readout(work: Work): Promise<readonly DataSet[]> {
    if (work.sets) return work.sets;
    const session = this.#alive(work);
    this.#requests++;
    work.sets = (await session.readout()).sets;
    this.#loggedIn = false;
    return work.sets;
  }

  async #program(work: Work): Promise<OpticalSession> {
    const session = this.#alive(work);
    if (session.programming) return session;
    this.#requests++;
    await session.program();
    this.#loggedIn = false;
    return session;
  }

  async #logIn(): Promise<void> {
    const { password } = this.#access;
    if (this.#refused) throw this.#refused;
    if (this.#loggedIn) return;
    if (password === undefined) throw new PeerError('the meter wants a password, and none is known');
    try {
      this.#requests++;
      await this.#session?.logIn(password);
      this.#loggedIn = true;
    } catch (error) {
      if (error instanceof PeerError) this.#refused = error;
      throw error;
    }
  }

  async #readCode(work: Work, code: string): Promise<DataSet[]> {
    return this.#ask(work, wireCode(code), '1', '');
  }

  async #readProfile(work: Work, address: string, value: string): Promise<DataSet[]> {
    const sets = await this.#asked(work, address, value);
    // P.01() and P.01(ERROR): there is nothing.
    return sets.filter(({ values, address: own }) => !isLoadProfile(own) || values.some((v) => v.value.trim() !== ''));
  }

  async #asked(work: Work, address: string, value: string): Promise<DataSet[]> {
    try {
      return await this.#ask(work, address, this.#profileType, value);
    } catch (error) {
      if (!(error instanceof PeerError) || this.#profileType !== '5') throw error;
      const sets = await this.#ask(work, address, '6', value).catch((second) => {
        // The first refusal says more.
        throw second instanceof PeerError ? error : second;
      });
      this.#profileType = '6';
      return sets;
    }
  }

  /** Reads one address; a refusal for want of rights is answered with the password, once. */
  async #ask(work: Work, address: string, type: string, value: string): Promise<DataSet[]> {
    let session = await this.#program(work);
    this.#requests++;
    try {
      return await session.read(address, { type, value });
    } catch (error) {
      const wants = error instanceof PeerError && /ER0?[67]\b|no right|access denied/i.test(error.message);
      if (!wants || this.#loggedIn || this.#refused || this.#access.password === undefined) throw error;
      // Some meters end the mode with a refusal.
      session = await this.#program(work);
      await this.#logIn();
      this.#requests++;
      return session.read(address, { type, value });
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close().catch(() => {});
  }
}

type Expected = LinkError | PeerError;
const isExpected = (error: unknown): error is Expected => error instanceof LinkError || error instanceof PeerError;

const needsReadout = (item: ReadItem): boolean =>
  item.kind === 'registers' || (item.kind === 'profile' && sourceOf(item.obis)?.kind === 'history');

const bare = (text: string): string => text.trim().toLowerCase();
const fits = ({ expected }: IdentityCheck, text: string): boolean => expected.some((one) => bare(one) === bare(text));

function outcomeOf(items: readonly ItemResult[]): AcquireResult['outcome'] {
  if (items.every(({ state }) => state === 'done' || state === 'none')) return 'done';
  return items.some(({ state }) => state === 'done' || state === 'none' || state === 'partial') ? 'partial' : 'failed';
}

/** A link whose methods are its own: the rate is somebody else's to change. */
const linkOf = (link: IecAccess['link']): IecAccess['link'] => ({
  describe: link.describe,
  open: (events) => link.open(events),
  write: (bytes) => link.write(bytes),
  close: () => link.close(),
});

/** SOH P1 … and P2 …: a password goes by. */
const isSecret = (bytes: Uint8Array): boolean => bytes[0] === 0x01 && bytes[1] === 0x50 && bytes[2] !== 0x30;

/** As meters take it: without medium and channel, letters for the abstract groups. */
function wireCode(code: string): string {
  const short = code.replace(/^(?:0-0|1-0):/, '').replace(/\*255$/, '');
  return short.replace(/^96\.(?=[15]\.)/, 'C.').replace(/^97\.97/, 'F.F');
}

/** `02611200000`: season digit and local time, as load profiles are asked for (VDEW). */
function stampText(zone: string, utc: number): string {
  const wall = toLocal(zone, utc);
  const year = new Date(utc).getUTCFullYear();
  const offset = (at: number): number => toLocal(zone, at) - at;
  const winter = Math.min(offset(Date.UTC(year, 0, 1)), offset(Date.UTC(year, 6, 1)));
  const text = new Date(wall).toISOString().replace(/[-:T]/g, '').slice(2, 12);
  return `${wall - utc > winter ? 1 : 0}${text}`;
}

function registerOf(set: DataSet, code: string, zone: string): AcquiredRegister | undefined {
  const [first, ...rest] = set.values;
  if (!first || first.value.trim() === '') return undefined;
  const value = iecValue(first.value, first.unit);
  const moment = rest.map((v) => parseMoment(v.value)).find((m) => m !== undefined);
  const time = moment && utcOf(moment, zone);
  const { obis, name, counts } = meaningOfCode(set.address || code, value?.unit);
  const quantity = value && (first.unit !== undefined || counts);
  return {
    obis,
    name,
    ...(value?.unit !== undefined && { unit: value.unit }),
    scaler: quantity ? value.scaler : 0,
    value: quantity ? value.mantissa : first.value.trim(),
    ...(time !== undefined && { time }),
  };
}
