/**
 * From settings to an association with a meter, and its end: the link, the counters of the keys, the trace, the capture.
 *
 * Decides: where the first invocation counter comes from (what the user says; the file; the meter's counter object, read
 * as public client; else 0, and the meter's refusal says better); that every way out releases the association; what the
 * user is told when it fails.
 */

import { Reader } from '@amiable/bytes';
import { obisToBytes } from '@amiable/cosem';
import { decodeData, type InvocationCounter, memoryCounter } from '@amiable/dlms';
import { type Link, nodeCrypto, serialLink, tcpClient, udpClient } from '@amiable/io';
import { createProgress, type Progress, type Terminal } from '@amiable/io/terminal';
import {
  hdlcTransport,
  openSession,
  type Session,
  type SessionOptions,
  type SessionSecurity,
  type SessionTrace,
  wrapperTransport,
} from '@amiable/meter';
import { adviceFor } from './advice.ts';
import { type CaptureFile, openCapture } from './capture.ts';
import { defaultStateFile, fingerprintOf, openCounter, type StoredCounter } from './counters.ts';
import { modeELink } from './mode-e-link.ts';
import type { Settings } from './settings.ts';
import { createTrace } from './trace.ts';
import { Failed } from './usage.ts';

/** Signing on at 300 Bd takes its time. */
const SIGN_ON = 12_000;
const RELEASE = 2000;
const PUBLIC = 16;

export interface Meter {
  readonly session: Session;
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly progress: Progress;
  /** Says something on stderr. */
  note(text: string): void;
}

/** What is shared by the sessions of one run. */
interface Run {
  readonly settings: Settings;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly capture: CaptureFile | undefined;
  /** Sees every APDU besides. */
  readonly witness?: ((apdu: SessionTrace) => void) | undefined;
  doing: string;
}

/** The link of an address; opened by the transport. */
export function linkOf(settings: Settings, terminal: Terminal, capture?: CaptureFile): Link {
  const { address } = settings;
  const bare: Link =
    address.kind === 'serial'
      ? serialLink({
          path: address.path,
          // The port begins with the sign-on where there is one.
          baud: settings.modeE ? 300 : (settings.baud ?? 9600),
          parity: settings.parity ?? 'N',
        })
      : address.kind === 'udp'
        ? udpClient(address)
        : tcpClient(address, { timeout: settings.timeout, ...(settings.tls && { tls: settings.tls }) });
  const link = capture ? capture.watch(bare, address) : bare;
  if (!settings.modeE) return link;
  return modeELink(link, {
    clock: terminal.clock,
    ...(settings.modeEAddress !== undefined && { address: settings.modeEAddress }),
    ...(settings.baud !== undefined && { maxBaud: settings.baud }),
  });
}

export function transportFor(
  settings: Settings,
  link: Link,
  terminal: Terminal,
  patience: { retries?: number; connect?: number } = {},
) {
  const { client, server, physical, addressSize, maxInfo, window, timeout } = settings;
  if (settings.transport === 'wrapper') return wrapperTransport(link, { client, server });
  const limits =
    maxInfo !== undefined || window !== undefined
      ? {
          maxInfoTransmit: maxInfo ?? 2030,
          maxInfoReceive: maxInfo ?? 2030,
          windowTransmit: window ?? 7,
          windowReceive: window ?? 7,
        }
      : undefined;
  return hdlcTransport(link, terminal.clock, {
    client,
    server,
    ...(physical !== undefined && { physical }),
    ...(addressSize !== undefined && { addressLength: addressSize }),
    ...(limits && { limits }),
    responseTimeout: patience.connect ?? Math.max(50, Math.round(timeout / 3)),
    retries: patience.retries ?? 2,
  });
}

/**
 * Associates, lets `use` work, releases. Whatever fails is told with advice. @throws Failed when the meter or the line said no
 */
export async function withMeter<T>(
  terminal: Terminal,
  settings: Settings,
  use: (meter: Meter) => Promise<T>,
  witness?: (apdu: SessionTrace) => void,
): Promise<T> {
  const progress = createProgress(terminal, settings.trace === undefined);
  const capture =
    settings.pcap === undefined
      ? undefined
      : openCapture(settings.pcap, settings.address.kind === 'serial', () => terminal.clock.now());
  const run: Run = { settings, terminal, progress, capture, witness, doing: '' };
  let counter: StoredCounter | undefined;
  try {
    counter = await counterFor(run);
    const session = await associate(run, settings, counter);
    const leave = () => {
      // Politely first; a meter that does not answer is not waited for.
      void session.release();
      terminal.clock.after(RELEASE, () => void session.close());
    };
    terminal.signal.addEventListener('abort', leave, { once: true });
    if (terminal.signal.aborted) leave();
    try {
      run.doing = 'reading';
      return await use({ session, settings, terminal, progress, note: (text) => note(terminal, progress, text) });
    } finally {
      terminal.signal.removeEventListener('abort', leave);
      await session.release();
      progress.clear();
    }
  } catch (error) {
    progress.clear();
    if (terminal.signal.aborted) {
      terminal.err('amiable: stopped.\n');
      throw new Failed(130);
    }
    throw toldFailure(terminal, settings, error, counter);
  } finally {
    counter?.release();
    capture?.close();
  }
}

function note(terminal: Terminal, progress: Progress, text: string): void {
  progress.clear();
  terminal.err(`amiable: ${text}\n`);
}

/** Tells errors of the meter and the line; others are thrown on. */
export function toldFailure(terminal: Terminal, settings: Settings, error: unknown, counter?: StoredCounter): Error {
  if (!(error instanceof Error) || !['PeerError', 'LinkError', 'PortError', 'DecodeError'].includes(error.name))
    return error as Error;
  const advice =
    counter?.refused !== undefined
      ? `It demands to skip to counter ${counter.refused}, far beyond what was used from here; if that is right, say --counter ${counter.refused + 1}.`
      : adviceFor(error, settings);
  terminal.err(
    `amiable: ${/[.?!]$/.test(error.message) ? error.message : `${error.message}.`}\n${advice ? `  ${advice}\n` : ''}`,
  );
  return new Failed(1, error);
}

/** Opens one session: the main one, or that of the public client. */
export async function associate(
  run: Pick<Run, 'settings' | 'terminal' | 'progress' | 'capture'> & Partial<Pick<Run, 'doing' | 'witness'>>,
  settings: Settings,
  counter: (InvocationCounter & { raise?(to: number): void }) | undefined,
): Promise<Session> {
  const { terminal, progress } = run;
  if (terminal.signal.aborted) throw new Failed(130);
  const link = linkOf(settings, terminal, run.capture);
  progress.show(`${link.describe}: ${settings.modeE ? 'signing on' : 'connecting'}`);
  let bytes = 0;
  const printed = settings.trace && createTrace(settings.trace, settings.security, (text) => terminal.err(text));
  const trace = (apdu: SessionTrace) => {
    if (apdu.direction === 'in') bytes += apdu.apdu.length;
    run.witness?.(apdu);
    if (printed) printed(apdu);
    else progress.show(`${link.describe}: ${run.doing || 'associating'}, ${bytes} bytes came`);
  };
  const security = settings.security && counter ? sessionSecurity(settings, counter) : undefined;
  const options: SessionOptions = {
    transport: transportFor(settings, link, terminal),
    clock: terminal.clock,
    referencing: settings.shortNames ? 'SN' : 'LN',
    crypto: nodeCrypto,
    timeouts: {
      connect:
        Math.max(settings.timeout, settings.transport === 'hdlc' ? settings.timeout * 1.2 : 0) +
        (settings.modeE ? SIGN_ON : 0),
      answer: settings.timeout,
      release: Math.min(settings.timeout, 3000),
      operation: 3_600_000,
    },
    trace,
    ...(settings.authentication && { authentication: settings.authentication }),
    ...(security && { security }),
    ...(settings.certificate && { certificate: settings.certificate }),
    ...(settings.maxPdu !== undefined && { maxPduSize: settings.maxPdu }),
    ...(settings.window !== undefined && settings.transport === 'wrapper' && { window: settings.window }),
  };
  // Nobody is associated yet: hanging up is all there is to do.
  const leave = () => void link.close();
  terminal.signal.addEventListener('abort', leave, { once: true });
  try {
    return await openSession(options);
  } finally {
    terminal.signal.removeEventListener('abort', leave);
  }
}

function sessionSecurity(settings: Settings, counter: InvocationCounter): SessionSecurity | undefined {
  const { security } = settings;
  if (!security) return undefined;
  const { suite, keys, title, meterTitle, protection, form, keyInfo, dedicated, gurux } = security;
  return {
    suite,
    keys,
    systemTitle: title,
    counter,
    ...(meterTitle && { serverSystemTitle: meterTitle }),
    ...(protection ? { send: protection } : { ciphered: false }),
    ...(form && { form }),
    ...(keyInfo && { keyInfo }),
    ...(dedicated && { dedicatedKey: true }),
    ...(gurux && { dialect: 'gurux' as const }),
  };
}

/** Counters of the encryption key; undefined where none are needed. */
async function counterFor(run: Run): Promise<StoredCounter | undefined> {
  const { settings, terminal } = run;
  const { security, authentication } = settings;
  if (!security) return undefined;
  // Without ciphering only GMAC takes numbers; the rest needs titles alone, and no file.
  if (!security.protection && authentication?.mechanism !== 5) return unused();
  const fingerprint = fingerprintOf(security.title, security.keys.unicast);
  const counter = await openCounter(settings.state ?? defaultStateFile(fingerprint), fingerprint, terminal.clock);
  try {
    if (typeof settings.counter === 'number') {
      if (settings.counter < counter.following)
        terminal.err(
          `amiable: counters up to ${counter.following - 1} were used with this key; going on at ${counter.following}, not ${settings.counter}.\n`,
        );
      counter.startAt(settings.counter);
    } else if (settings.counter !== 'auto' || counter.known === undefined) counter.startAt(await meterCounter(run));
    return counter;
  } catch (error) {
    counter.release();
    throw error;
  }
}

function unused(): StoredCounter {
  const memory = memoryCounter();
  return {
    known: 0,
    following: 0,
    refused: undefined,
    next: () => memory.next(),
    startAt() {},
    raise() {},
    release() {},
  };
}

/** One more than the highest counter that the meter shows to the public client; 0 when it shows none. */
async function meterCounter(run: Run): Promise<number> {
  const { settings, terminal, progress } = run;
  const wanted = settings.counter === 'auto' ? undefined : String(settings.counter);
  const { security: _s, authentication: _a, certificate: _c, ...rest } = settings;
  let session: Session | undefined;
  try {
    run.doing = "reading the meter's invocation counter as public client";
    session = await associate(run, { ...rest, client: PUBLIC }, undefined);
    const objects = wanted
      ? [1, 3].map((classId) => ({ classId, instanceId: obisToBytes(wanted) }))
      : await counterObjects(session);
    let highest = -1;
    for (const { classId, instanceId } of objects) {
      const data = await session.get({ classId, instanceId, attributeId: 2 }).catch((error: Error) => {
        if (error.name !== 'PeerError') throw error;
        return undefined;
      });
      const value = data && decodeData(new Reader(data));
      if (value && 'value' in value && typeof value.value === 'number') highest = Math.max(highest, value.value);
    }
    if (highest >= 0) return highest + 1;
    if (wanted) throw new Error(`${wanted} holds no counter that the public client may read.`);
    if (settings.counter === 'auto') tellUnknown(terminal, progress, 'it shows none');
    return 0;
  } catch (error) {
    if (wanted || terminal.signal.aborted) throw error;
    tellUnknown(terminal, progress, (error as Error).message.slice(0, 120));
    return 0;
  } finally {
    await session?.release();
  }
}

function tellUnknown(terminal: Terminal, progress: Progress, why: string): void {
  note(
    terminal,
    progress,
    `the meter's invocation counter could not be read as public client (${why}); beginning at 0. If the meter refuses, say --counter.`,
  );
}

/** 0-b:43.1.e: Data by the standard, Register in some meters. */
async function counterObjects(session: Session): Promise<{ classId: number; instanceId: Uint8Array }[]> {
  const usual = [{ classId: 1, instanceId: obisToBytes('0-0:43.1.0') }];
  try {
    const found = (await session.objects()).filter(
      ({ classId, instanceId: n }) => (classId === 1 || classId === 3) && n[0] === 0 && n[2] === 43 && n[3] === 1,
    );
    return found.length > 0 ? found.map(({ classId, instanceId }) => ({ classId, instanceId })) : usual;
  } catch {
    return usual;
  }
}
