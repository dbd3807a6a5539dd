/**
 * `amiable handheld visit`: from meter to meter, as the list says.
 *
 * Decides: a meter that was visited within a day is passed over unless it is named; a visit that broke off goes on in its file; the
 * line is tried again three times, a refused log-in never (meters lock); a meter that is not the one of the list is left
 * alone. What goes over the line is kept as evidence, with the secrets struck out.
 */
import type { OpticalSession } from '@amiable/iec62056-21';
import { sleep } from '@amiable/io';
import { createProgress, type Progress, type Terminal, table } from '@amiable/io/terminal';
import { type Meter, withMeter } from '../dlms/connect.ts';
import { type Settings, settingsOf } from '../dlms/settings.ts';
import { Failed, UsageError } from '../dlms/usage.ts';
import { openSession, tell } from '../optical/open.ts';
import { type OpticalSettings, opticalSettings, type Password } from '../optical/settings.ts';
import { openCredentials } from './credentials.ts';
import { type VisitWork, visitDlms } from './dlms-visit.ts';
import { visitIec } from './iec-visit.ts';
import { type Given, type Planned, parseRead, readList } from './list.ts';
import { type WriteWork, writeDlms, writeIec } from './parameters.ts';
import {
  continueVisit,
  countsOf,
  createVisit,
  lockStore,
  readVisits,
  storedUntil,
  type VisitFile,
  type VisitRecord,
  type VisitWriter,
} from './store.ts';

export const STORE = 'visits';
/** A meter that was visited within it is done; a visit that broke off within it goes on. */
const RECENT = 86_400_000;
const TRIES = 3;
const FIRST_WAIT = 2000;
/** A meter in programming mode that hears nothing leaves it after 60 to 120 s. */
const PROGRAMMING = 65_000;

/** The meter under the head is another one. */
class WrongMeter extends Error {
  override readonly name = 'WrongMeter';
}

type Line =
  | { readonly protocol: 'dlms'; readonly settings: Settings; readonly secrets: readonly Uint8Array[] }
  | {
      readonly protocol: 'iec62056-21';
      readonly settings: OpticalSettings;
      readonly password: Password | undefined;
      readonly secrets: readonly Uint8Array[];
    };

interface Plan {
  readonly planned: Planned;
  readonly line: Line;
}

const storeOf = (given: Given): string => String(given.store ?? STORE);

export { storeOf };

/** Everything that can be wrong with a list is told before the first meter. @throws UsageError */
async function plansOf(terminal: Terminal, path: string, names: readonly string[], given: Given): Promise<Plan[]> {
  const list = await readList(path);
  for (const name of names)
    if (!list.some(({ meter }) => meter === name)) throw new UsageError(`${path} has no meter ${name}.`);
  const credentials = await openCredentials(
    given.credentials === undefined ? undefined : String(given.credentials),
    process.env,
    (text) => terminal.err(`amiable: ${text}\n`),
  );
  const read =
    given.read === undefined
      ? undefined
      : parseRead(
          String(given.read)
            .split(/[\s,+]+/)
            .filter(Boolean),
          '--read',
        );
  const plans: Plan[] = [];
  for (const planned of list) {
    if (names.length > 0 && !names.includes(planned.meter)) continue;
    const wanted = read ? { ...planned, read } : planned;
    try {
      plans.push({ planned: wanted, line: await lineOf(wanted, credentials(planned.credentials, planned.meter)) });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`meter ${planned.meter}: ${error.message}`);
    }
  }
  return plans;
}

async function lineOf(planned: Planned, secrets: Given): Promise<Line> {
  const bytes = (text: unknown): Uint8Array => new TextEncoder().encode(String(text));
  if (planned.protocol === 'dlms') {
    const settings = await settingsOf(planned.device, { ...planned.options, ...secrets });
    const { authentication } = settings;
    return {
      protocol: 'dlms',
      settings,
      secrets:
        authentication && 'password' in authentication
          ? [authentication.password]
          : authentication && 'secret' in authentication && authentication.secret
            ? [authentication.secret]
            : [],
    };
  }
  const settings = opticalSettings(planned.device, planned.options);
  const level = String(secrets.level ?? '1');
  if (level !== '1' && level !== '2') throw new UsageError(`level ${level}: 1 (P1) or 2 (P2).`);
  if (planned.write.length > 0 && settings.mode === 'D')
    throw new UsageError('a meter in mode D cannot be written to.');
  const text = secrets.password;
  return {
    protocol: 'iec62056-21',
    settings,
    password: text === undefined ? undefined : { text: String(text), level },
    secrets: text === undefined ? [] : [bytes(text)],
  };
}

/** @throws UsageError, Failed */
export async function runVisit(
  terminal: Terminal,
  path: string,
  names: readonly string[],
  given: Given,
): Promise<void> {
  const plans = await plansOf(terminal, path, names, given);
  const folder = storeOf(given);
  const release = lockStore(folder);
  const outcomes: string[][] = [];
  let failed = false;
  try {
    const shared = new Set(plans.map((p) => p.planned.device).filter((d, i, all) => all.indexOf(d) !== i));
    for (const plan of plans) {
      if (terminal.signal.aborted) break;
      const { meter, place = '', device } = plan.planned;
      const before = readVisits(folder).filter(({ head }) => head.meter === meter);
      const last = before.at(-1);
      const recent = last !== undefined && terminal.clock.now() - last.head.at < RECENT;
      const state = last && countsOf(last.records).state;
      if (recent && state !== 'interrupted' && names.length === 0 && given.again !== true) {
        outcomes.push([meter, place, `visited ${ago(terminal, last)}`]);
        continue;
      }
      const serial = plan.line.protocol !== 'dlms' || plan.line.settings.address.kind === 'serial';
      if (serial && shared.has(device) && terminal.interactive && given.yes !== true)
        if (!(await terminal.ask(`${meter}${place && `, ${place}`}: is the head on this meter? [y/N] `))) {
          outcomes.push([meter, place, 'left out']);
          failed = true;
          continue;
        }
      terminal.err(`${meter}${place && `, ${place}`} (${device})\n`);
      const goesOn = recent && state === 'interrupted' && given.again !== true;
      const writer = goesOn ? continueVisit(folder, last.name) : newVisit(folder, plan.planned, terminal.clock.now());
      if (goesOn) terminal.err('  goes on where it was.\n');
      try {
        const outcome = await visitMeter(terminal, plan, writer, before, given);
        outcomes.push([meter, place, outcome.words]);
        if (!outcome.whole) failed = true;
      } finally {
        writer.close();
      }
    }
  } finally {
    release();
  }
  terminal.out(table([['METER', 'PLACE', 'OUTCOME'], ...outcomes]));
  if (terminal.signal.aborted) throw new Failed(130);
  if (failed) throw new Failed(1);
}

function newVisit(folder: string, planned: Planned, now: number): VisitWriter {
  const { meter, place, device, protocol, zone, read } = planned;
  return createVisit(folder, {
    t: 'visit',
    v: 1,
    id: `${meter}/${now}`,
    meter,
    ...(place !== undefined && { place }),
    device,
    protocol,
    zone,
    read,
    at: now,
  });
}

const ago = (terminal: Terminal, { head }: VisitFile): string => {
  const minutes = Math.round((terminal.clock.now() - head.at) / 60_000);
  return minutes < 60 ? `${minutes} min ago` : `${Math.round(minutes / 60)} h ago`;
};

interface Outcome {
  readonly words: string;
  readonly whole: boolean;
}

async function visitMeter(
  terminal: Terminal,
  { planned, line }: Plan,
  file: VisitWriter,
  before: readonly VisitFile[],
  given: Given,
): Promise<Outcome> {
  const { clock } = terminal;
  const attempts = file.records.filter(({ t }) => t === 'attempt').length;
  const writer = told(file, terminal);
  for (let n = 1; ; n++) {
    file.append({ t: 'attempt', n: attempts + n, at: clock.now() });
    try {
      await attempt(terminal, planned, line, writer, before, given);
      break;
    } catch (error) {
      const cause = error instanceof Failed ? error.cause : error;
      const name = cause instanceof Error ? cause.name : '';
      if (terminal.signal.aborted) {
        file.append({ t: 'trouble', words: 'stopped by the user', at: clock.now() });
        return { words: 'stopped; it goes on with the next visit', whole: false };
      }
      const words = cause instanceof Error ? cause.message : String(cause);
      if (
        !['LinkError', 'PortError', 'PeerError', 'DecodeError', 'MisuseError', 'WrongMeter'].includes(name) &&
        !(error instanceof Failed)
      )
        throw error;
      file.append({ t: 'trouble', words, at: clock.now() });
      const again = name === 'LinkError' || name === 'PortError';
      if (!again || n >= TRIES) {
        if (name === 'WrongMeter') terminal.err(`amiable: ${words}\n`);
        return { words: again ? `interrupted: ${plainly(words)}` : plainly(words), whole: false };
      }
      // A meter whose visit broke off in programming mode hears no sign-on until it has left that mode by itself.
      const busy =
        line.protocol === 'iec62056-21' && /^signing on/.test(words) && heardLately(file.records, clock.now());
      const wait = busy ? PROGRAMMING : FIRST_WAIT * 2 ** (n - 1);
      if (busy) terminal.err('  the meter may still be in programming mode, which it leaves after a minute or two.\n');
      terminal.err(`  trying again in ${wait / 1000} s\n`);
      await sleep(clock, wait, terminal.signal);
    }
  }
  const counts = countsOf(file.records);
  const unwritten = planned.write.filter(
    ({ object }) =>
      file.records.findLast((r): r is Extract<VisitRecord, { t: 'write' }> => r.t === 'write' && r.object === object)
        ?.state !== 'done',
  );
  const whole = counts.refused === 0 && unwritten.length === 0;
  file.append({ t: 'end', state: whole ? 'complete' : 'partial', at: clock.now() });
  const parts = [
    `${counts.messages} message${counts.messages === 1 ? '' : 's'}`,
    ...(counts.refused > 0 ? [`${counts.refused} refused`] : []),
    ...(unwritten.length > 0 ? [`${unwritten.length} not written`] : []),
  ];
  return { words: `${whole ? 'complete' : 'partial'}: ${parts.join(', ')}`, whole };
}

/** Something of the meter came within the last minutes. */
const heardLately = (records: readonly VisitRecord[], now: number): boolean =>
  records.some((record) => record.t === 'exchange' && record.d === 'in' && now - record.at < 2 * PROGRAMMING);

/** Without what only engineers want to see; the store has it all. */
export const plainly = (words: string): string => words.replace(/; expected .*$/s, '');

/** Says each step as it is done. */
function told(writer: VisitWriter, terminal: Terminal): VisitWriter {
  return {
    ...writer,
    append(record) {
      writer.append(record);
      if (record.t !== 'step') return;
      clearLine(terminal);
      terminal.err(
        `  ${record.step}: ${record.state === 'refused' ? 'refused' : `${record.n} ${record.step.startsWith('profile') ? 'rows' : 'values'}`}\n`,
      );
    },
  };
}

const clearLine = (terminal: Terminal): void => {
  if (terminal.watched) terminal.err('\r\x1b[K');
};

/** The secret made unreadable, and the check behind it, which would tell some of it. */
export function withoutSecrets(bytes: Uint8Array, secrets: readonly Uint8Array[]): Uint8Array {
  const at = secrets.flatMap((secret) =>
    secret.length === 0 ? [] : placesOf(bytes, secret).map((from) => ({ from, to: from + secret.length })),
  );
  if (at.length === 0) return bytes;
  const out = bytes.slice();
  for (const { from, to } of at) out.fill(0x2a, from, to);
  // SOH P1 STX (…) ETX BCC
  if (out[0] === 0x01 && out.at(-2) === 0x03) out[out.length - 1] = 0x2a;
  return out;
}

function placesOf(bytes: Uint8Array, part: Uint8Array): number[] {
  const found: number[] = [];
  for (let i = 0; i + part.length <= bytes.length; i++)
    if (part.every((byte, k) => bytes[i + k] === byte)) found.push(i);
  return found;
}

async function attempt(
  terminal: Terminal,
  planned: Planned,
  line: Line,
  writer: VisitWriter,
  before: readonly VisitFile[],
  given: Given,
): Promise<void> {
  const keep = (direction: 'in' | 'out', bytes: Uint8Array): void =>
    writer.append({
      t: 'exchange',
      at: terminal.clock.now(),
      d: direction,
      bytes: Buffer.from(direction === 'out' ? withoutSecrets(bytes, line.secrets) : bytes).toString('hex'),
    });
  const workFor = (progress: Progress): VisitWork & WriteWork => {
    const note = (text: string): void => {
      progress.clear();
      terminal.err(`  ${plainly(text)}\n`);
    };
    return {
      writer,
      wanted: planned.read,
      zone: planned.zone,
      now: () => terminal.clock.now(),
      head: { port: planned.device },
      fallbackId: planned.meter,
      earlier: (step) =>
        before.reduce<number | undefined>((u, { records }) => later(u, storedUntil(records, step)), undefined),
      identified: (serial, names) => identified(planned, serial, names, writer, before, note),
      progress: (text) => progress.show(`${planned.meter}: ${text}`),
      note,
      async confirm(question) {
        progress.clear();
        if (given.yes === true) return true;
        return terminal.interactive ? terminal.ask(`  ${question} [y/N] `) : false;
      },
    };
  };
  if (line.protocol === 'dlms') {
    await withMeter(
      terminal,
      line.settings,
      async (meter: Meter) => {
        const work = workFor(meter.progress);
        await visitDlms(meter.session, work);
        if (planned.write.length > 0) await writeDlms(meter, planned.write, work);
      },
      ({ direction, apdu }) => keep(direction, apdu),
    );
    return;
  }
  const { settings, password } = line;
  const progress = createProgress(terminal, true);
  const work = workFor(progress);
  let session: OpticalSession | undefined;
  const leave = (): void => void session?.close();
  terminal.signal.addEventListener('abort', leave, { once: true });
  try {
    session = await openSession(settings, terminal, ({ direction, bytes }) => keep(direction, bytes));
    await visitIec(session, { ...work, codes: planned.codes, password });
    if (planned.write.length > 0) {
      await session.program();
      if (password) await session.logIn(password.text, password.level);
      await writeIec(session, planned.write, work);
      await session.leave();
    }
  } catch (error) {
    progress.clear();
    if (!terminal.signal.aborted && !(error instanceof WrongMeter)) tell(error, settings, terminal);
    throw error;
  } finally {
    progress.clear();
    terminal.signal.removeEventListener('abort', leave);
    await session?.close();
  }
}

const later = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.max(a, b);

/** @throws WrongMeter */
function identified(
  { meter, serial: wanted }: Planned,
  serial: string,
  names: readonly string[],
  writer: VisitWriter,
  before: readonly VisitFile[],
  note: (text: string) => void,
): void {
  const here = writer.records.find((record) => record.t === 'identity');
  if (wanted !== undefined && !names.includes(wanted))
    throw new WrongMeter(
      `this is meter ${serial}, the list says ${wanted} for ${meter}; nothing was read. Is the head on another meter?`,
    );
  if (here && here.serial !== serial)
    throw new WrongMeter(
      `this is meter ${serial}, but the visit of ${meter} began at ${here.serial}; nothing was read. Say --again for a new visit.`,
    );
  if (here) return;
  const known = before.flatMap(({ records }) => records.find((record) => record.t === 'identity') ?? []).at(-1);
  if (known && known.serial !== serial) note(`it calls itself ${serial}; at the last visit it was ${known.serial}.`);
  writer.append({ t: 'identity', serial, ...(wanted !== undefined && { matches: true }) });
}
