/**
 * `amiable dlms scan`: which clients and servers answer at an address, over which transport, with which names, and what
 * log-in they want.
 *
 * Decides: the order (transports, then servers as public client, then clients of the servers that are there), the pace, and
 * how many attempts at most. Every attempt is an association without authentication: no password is ever tried, so no meter
 * is locked by it. Leaves out lines of several meters: name their physical addresses with --physicals.
 */
import { DlmsPeerError } from '@amiable/dlms';
import { sleep } from '@amiable/io';
import { createProgress, type Terminal, table } from '@amiable/io/terminal';
import { openSession } from '@amiable/meter';
import { printAddress } from './address.ts';
import { aareOf, loginOption, mechanismWords } from './advice.ts';
import { linkOf, transportFor } from './connect.ts';
import { type Given, numberOption, type Settings, settingsOf } from './settings.ts';
import { Failed, UsageError } from './usage.ts';

/** Public, management, reading, and what makers use for installers and consumers. */
const CLIENTS = [16, 1, 2, 3, 4, 17, 18, 32, 48, 64, 80, 96, 112];
const WRAPPER_SERVERS = [1, 16, 17];
/** Logical and physical address, and octets of both. */
const HDLC_SERVERS: readonly (readonly [logical: number, physical: number | undefined, size: 1 | 2 | 4])[] = [
  [1, undefined, 1],
  [16, undefined, 1],
  [17, undefined, 1],
  [1, 16, 2],
  [1, 17, 2],
  [1, 1, 2],
  [1, 16, 4],
  [1, 17, 4],
  [1, 1, 4],
];

/** application-context-name-not-supported. */
const CONTEXT = 2;

interface Candidate {
  readonly transport: Settings['transport'];
  readonly client: number;
  readonly server: number;
  readonly physical?: number;
  readonly addressSize?: 1 | 2 | 4;
  readonly shortNames: boolean;
}

type Answer =
  /** Nobody there: no line, no answer. `line`: not even the line. */
  | { readonly kind: 'none'; readonly why: string; readonly line: boolean }
  | { readonly kind: 'open' }
  | {
      readonly kind: 'refused';
      readonly code: number | undefined;
      readonly mechanism: number | undefined;
      readonly why: string;
    };

/** `1-5,16`. @throws UsageError */
export function listOption(name: string, value: unknown, most: number): number[] | undefined {
  if (value === undefined) return undefined;
  const numbers: number[] = [];
  for (const part of String(value).split(',')) {
    const found = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    const from = Number(found?.[1]);
    const to = Number(found?.[2] ?? found?.[1]);
    if (!found || to < from || to > most || to - from > 1000)
      throw new UsageError(`${name} ${value}: write numbers up to ${most}, e.g. 1-5,16.`);
    for (let n = from; n <= to; n++) numbers.push(n);
  }
  return numbers;
}

export async function runScan(terminal: Terminal, address: string, given: Given): Promise<void> {
  const settings = await settingsOf(address, { timeout: '2', ...given });
  if (settings.authentication || settings.security)
    throw new UsageError('scan tries no passwords and no keys: leave them away.');
  const limit = numberOption('--limit', given.limit, 1, 10_000) ?? 150;
  const pause = numberOption('--pace', given.pace, 0, 60_000) ?? 100;
  const clients = listOption('--clients', given.clients, settings.transport === 'hdlc' ? 127 : 65_535) ?? CLIENTS;
  const servers = listOption('--servers', given.servers, 65_535);
  const physicals = listOption('--physicals', given.physicals, 16_383);
  const progress = createProgress(terminal, settings.trace === undefined);
  const scan = new Scan(terminal, settings, limit, pause, (text) => progress.show(text));
  try {
    for (const transport of transports(settings, given))
      await scan.transport(transport, clients, serversOf(transport, servers, physicals));
  } finally {
    progress.clear();
  }
  report(terminal, settings, scan, given);
}

function transports(settings: Settings, given: Given): readonly Settings['transport'][] {
  if (given.hdlc || given.wrapper || settings.address.kind === 'udp' || settings.address.transport)
    return [settings.transport];
  return settings.address.kind === 'serial' ? ['hdlc'] : ['wrapper', 'hdlc'];
}

type Server = Pick<Candidate, 'server' | 'physical' | 'addressSize'>;

function serversOf(
  transport: Settings['transport'],
  servers: readonly number[] | undefined,
  physicals: readonly number[] | undefined,
): Server[] {
  if (transport === 'wrapper') return (servers ?? WRAPPER_SERVERS).map((server) => ({ server }));
  if (!servers && !physicals)
    return HDLC_SERVERS.map(([server, physical, addressSize]) => ({
      server,
      addressSize,
      ...(physical !== undefined && { physical }),
    }));
  const out: Server[] = [];
  for (const server of servers ?? [1]) {
    if (!physicals)
      for (const addressSize of [1, 2, 4] as const)
        out.push({ server, addressSize, ...(addressSize > 1 && { physical: 16 }) });
    for (const physical of physicals ?? [])
      for (const addressSize of [2, 4] as const)
        if (addressSize === 4 || (physical < 128 && server < 128)) out.push({ server, physical, addressSize });
  }
  return out;
}

export interface Found {
  readonly candidate: Candidate;
  readonly answer: Exclude<Answer, { kind: 'none' }>;
}

class Scan {
  readonly found: Found[] = [];
  attempts = 0;
  /** Why the last one brought nothing. */
  silence = '';
  readonly #terminal: Terminal;
  readonly #settings: Settings;
  readonly #limit: number;
  readonly #pause: number;
  readonly #show: (text: string) => void;

  constructor(terminal: Terminal, settings: Settings, limit: number, pause: number, show: (text: string) => void) {
    this.#terminal = terminal;
    this.#settings = settings;
    this.#limit = limit;
    this.#pause = pause;
    this.#show = show;
  }

  get over(): boolean {
    return this.attempts >= this.#limit || this.#terminal.signal.aborted;
  }

  async transport(
    transport: Settings['transport'],
    clients: readonly number[],
    servers: readonly Server[],
  ): Promise<void> {
    const there: Server[] = [];
    const first = clients.includes(16) ? 16 : (clients[0] as number);
    let silent = 0;
    for (const server of servers) {
      if (this.over) return;
      const answer = await this.try({ transport, client: first, ...server, shortNames: false });
      if (answer.kind === 'none') {
        // Nobody at this port, or a closed one: other addresses will not change that.
        if (answer.line) return;
        // Servers that say nothing take their time each: three such, and it is not this transport.
        if (++silent >= 3 && transport === 'wrapper' && there.length === 0) return;
        continue;
      }
      there.push(server);
      await this.shortNames(transport, first, server, answer);
    }
    // Meters that do not look at the lower address answer to many: one of each is enough.
    const distinct = there.filter((server, i) => there.findIndex((s) => s.server === server.server) === i);
    for (const server of distinct)
      for (const client of clients) {
        if (client === first) continue;
        if (this.over) return;
        const answer = await this.try({ transport, client, ...server, shortNames: false });
        if (answer.kind !== 'none') await this.shortNames(transport, client, server, answer);
      }
  }

  /** A meter that knows no logical names says so; then the same with short ones. */
  async shortNames(transport: Settings['transport'], client: number, server: Server, answer: Answer): Promise<void> {
    if (answer.kind !== 'refused' || answer.code !== CONTEXT || this.over) return;
    const before = this.found.length;
    const other = await this.try({ transport, client, ...server, shortNames: true });
    // What has the same names refused for another reason is no answer of its own; what does not is the better one.
    if (other.kind === 'refused' && other.code === CONTEXT) this.found.length = before;
    else if (other.kind !== 'none') this.found.splice(before - 1, 1);
  }

  async try(candidate: Candidate): Promise<Answer> {
    if (this.attempts++ > 0) await sleep(this.#terminal.clock, this.#pause, this.#terminal.signal);
    this.#show(
      `attempt ${this.attempts}: ${candidate.transport}, client ${candidate.client}, server ${serverText(candidate)}; ${this.found.length} answered`,
    );
    const answer = await this.#ask(candidate);
    if (answer.kind === 'none') this.silence = answer.why;
    else this.found.push({ candidate, answer });
    return answer;
  }

  async #ask(candidate: Candidate): Promise<Answer> {
    const terminal = this.#terminal;
    const { physical: _p, addressSize: _a, ...rest } = this.#settings;
    const settings: Settings = { ...rest, ...candidate };
    const { timeout } = settings;
    const link = linkOf(settings, terminal);
    const leave = () => void link.close();
    try {
      terminal.signal.addEventListener('abort', leave, { once: true });
      const session = await openSession({
        transport: transportFor(settings, link, terminal, { retries: 0, connect: timeout }),
        clock: terminal.clock,
        referencing: candidate.shortNames ? 'SN' : 'LN',
        timeouts: {
          connect: timeout * 1.5 + (settings.modeE ? 12_000 : 0),
          answer: timeout,
          release: Math.min(timeout, 1000),
        },
      });
      await session.release();
      return { kind: 'open' };
    } catch (error) {
      if (error instanceof DlmsPeerError) {
        const aare = aareOf(error);
        return {
          kind: 'refused',
          code: aare && aare.resultSourceDiagnostic.source === 'user' ? error.code : undefined,
          mechanism: aare?.mechanism,
          why: reason(error),
        };
      }
      if (!(error instanceof Error) || error.name === 'MisuseError') throw error;
      const why = error.message;
      return {
        kind: 'none',
        why,
        line: /nobody listens|cannot be reached|no host|not open it|no such|is using it|no connection|name cannot/.test(
          why,
        ),
      };
    } finally {
      terminal.signal.removeEventListener('abort', leave);
    }
  }
}

function reason(error: DlmsPeerError): string {
  const found = /(?:rejected[^:]*\): |refuses:? )(.*?)(?:; expected|$)/.exec(error.message);
  return found?.[1] ?? error.message.slice(0, 60);
}

const serverText = ({ server, physical, addressSize }: Server): string =>
  `${server}${physical === undefined ? '' : ` physical ${physical}`}${addressSize === undefined ? '' : ` (${addressSize} octet${addressSize === 1 ? '' : 's'})`}`;

/** Codes that say that there is such a client: it wants to know who we are. */
const WANTS_LOGIN = new Set([11, 12, 13, 14]);

function words({ answer }: Found): string {
  if (answer.kind === 'open') return 'open without authentication';
  if (answer.mechanism !== undefined && answer.mechanism > 0) return `wants ${mechanismWords(answer.mechanism)}`;
  if (answer.code !== undefined && WANTS_LOGIN.has(answer.code)) return 'wants authentication';
  if (answer.code === CONTEXT) return 'wants ciphered messages (keys)';
  return `refused: ${answer.why}`;
}

function commandLine(settings: Settings, { candidate, answer }: Found): string {
  const { transport, client, server, physical, addressSize, shortNames } = candidate;
  const address =
    settings.address.kind === 'serial'
      ? settings.address
      : { ...settings.address, transport: transport === 'hdlc' ? ('hdlc' as const) : undefined };
  const login =
    answer.kind === 'open'
      ? ''
      : answer.mechanism
        ? ` ${loginOption(answer.mechanism)}`
        : answer.code === CONTEXT
          ? ' --key … --auth-key …'
          : answer.code !== undefined && WANTS_LOGIN.has(answer.code)
            ? ' --password …'
            : '';
  return `amiable dlms ls ${printAddress(address)}${settings.modeE ? ' --mode-e' : ''} --client ${client} --server ${server}${physical === undefined ? '' : ` --physical ${physical}`}${addressSize === undefined || addressSize === 1 ? '' : ` --address-size ${addressSize}`}${shortNames ? ' --sn' : ''}${login}`;
}

function report(terminal: Terminal, settings: Settings, scan: Scan, given: Given): void {
  const useful = scan.found.filter(
    ({ answer }) =>
      answer.kind === 'open' ||
      (answer.code !== undefined && (WANTS_LOGIN.has(answer.code) || answer.code === CONTEXT)) ||
      answer.mechanism,
  );
  const others = scan.found.length - useful.length;
  if (given.json) {
    for (const found of scan.found) {
      const { candidate, answer } = found;
      terminal.out(
        `${JSON.stringify({ ...candidate, names: candidate.shortNames ? 'SN' : 'LN', answer: answer.kind, ...(answer.kind === 'refused' && { code: answer.code ?? null, mechanism: answer.mechanism ?? null }), words: words(found), command: commandLine(settings, found) })}\n`,
      );
    }
  } else if (scan.found.length > 0) {
    const shown = given.all ? scan.found : useful;
    if (shown.length > 0)
      terminal.out(
        table([
          ['transport', 'client', 'server', 'names', 'answer'],
          ...shown.map((found) => [
            found.candidate.transport,
            String(found.candidate.client),
            serverText(found.candidate),
            found.candidate.shortNames ? 'SN' : 'LN',
            words(found),
          ]),
        ]),
      );
    const best = useful.find(({ answer }) => answer.kind === 'open') ?? useful[0];
    if (best) terminal.out(`\nGo on with:\n  ${commandLine(settings, best)}\n`);
    if (others > 0 && !given.all)
      terminal.err(`amiable: ${others} more combinations were answered with a refusal; --all shows them.\n`);
  }
  if (scan.attempts > 0 && scan.over && !terminal.signal.aborted)
    terminal.err(`amiable: stopped after ${scan.attempts} attempts; --limit allows more.\n`);
  if (terminal.signal.aborted) throw new Failed(130);
  if (scan.found.length > 0) return;
  terminal.err(
    `amiable: nothing answered at ${printAddress(settings.address)} in ${scan.attempts} attempts. The last: ${scan.silence}\n  Is it the right port? On a serial line try --mode-e, another --baud, and --physicals with the last four digits of the meter's number; elsewhere --hdlc or --servers.\n`,
  );
  throw new Failed(1);
}
