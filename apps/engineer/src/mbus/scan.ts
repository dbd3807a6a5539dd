/**
 * `amiable mbus scan`: who is on the bus. By secondary address (a search with wildcards that descends where slaves collide), or by
 * primary address.
 */
import { hostname } from 'node:os';
import { createProgress, processTerminal, type Terminal, table } from '@amiable/io/terminal';
import { type Found, MEDIA, type SlaveIdentity } from '@amiable/mbus';
import { messageToJson } from '@amiable/model';
import {
  type BusSettings,
  busSettings,
  isSerial,
  messagesOf,
  numberOf,
  secondaryAddress,
  told,
  withBus,
} from './bus.ts';
import { UsageError } from './decode.ts';

export async function runScan(device: string, given: Record<string, unknown>): Promise<number> {
  const terminal = processTerminal();
  try {
    return await scan(terminal, device, given);
  } finally {
    terminal.release();
  }
}

/** @returns the exit code: 0 when somebody was found, 3 when nobody was */
export function scan(terminal: Terminal, device: string, given: Record<string, unknown>): Promise<number> {
  return told(terminal, 'scan', async () => {
    const settings = busSettings(device, given);
    const range = rangeOf(given.primary);
    if (range && given.secondary !== undefined) throw new UsageError('either --primary or --secondary');
    const pattern = typeof given.secondary === 'string' ? secondaryAddress(given.secondary) : undefined;
    const line = createProgress(terminal, !settings.trace);
    const found = await search(
      terminal,
      settings,
      (shown) => line.show(shown),
      (session) => (range ? session.scanPrimary(range[0], range[1]) : session.scanSecondary(pattern)),
    );
    line.clear();
    report(terminal, settings, found, given.json === true);
    if (found.length > 0) return 0;
    terminal.err(
      range
        ? 'amiable mbus scan: nobody answered. Is the bus powered, and is the rate right (--baud 300, 2400, 9600)?\n'
        : 'amiable mbus scan: nobody answered. Is the bus powered, and is the rate right (--baud 300, 2400, 9600)? Old meters know no secondary addresses: try --primary.\n',
    );
    return 3;
  });
}

/** `true` is all of them, `1-20` some. */
function rangeOf(value: unknown): readonly [number, number] | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return [0, 250];
  const [first, last = first] = String(value).split('-');
  const from = numberOf('--primary', first, 0, 250) ?? 0;
  const to = numberOf('--primary', last, 0, 250) ?? 250;
  if (to < from) throw new UsageError(`--primary ${value}: write the smaller address first, e.g. 1-20`);
  return [from, to];
}

type Use = Parameters<typeof withBus<Found[]>>[3];

/** With even parity as the standard says; where a serial adapter brings nobody, without. */
async function search(
  terminal: Terminal,
  settings: BusSettings,
  show: (text: string) => void,
  use: Use,
): Promise<Found[]> {
  const progress = ({ at, found }: { at: string; found: readonly Found[] }) =>
    show(`asking ${at}; ${found.length} found`);
  const found = await withBus(terminal, settings, progress, use);
  if (found.some((f) => f.telegram) || !isSerial(settings.device) || settings.parity !== undefined) return found;
  const again = await withBus(terminal, settings, progress, use, 'N');
  return again.some((f) => f.telegram) ? again : found;
}

function report(terminal: Terminal, settings: BusSettings, found: readonly Found[], json: boolean): void {
  if (json) {
    for (const { telegram } of found) {
      if (!telegram) continue;
      const options = {
        reader: hostname(),
        port: settings.device,
        zone: undefined,
        keys: undefined,
        now: () => terminal.clock.now(),
      };
      for (const m of messagesOf([telegram], options, () => {})) terminal.out(`${messageToJson(m)}\n`);
    }
  } else if (found.length > 0) {
    const rows = found.map((f) => [
      f.primary === undefined ? '' : String(f.primary),
      ...identityCells(f.secondary),
      f.trouble === 'collision' ? 'several slaves at one address' : f.trouble === 'noData' ? 'has no data' : '',
    ]);
    terminal.out(table([['Primary', 'Number', 'Maker', 'Version', 'Medium', ''], ...rows], { right: [0, 3] }));
  }
  for (const f of found)
    if (f.trouble && json)
      terminal.err(
        `amiable mbus scan: ${f.primary ?? f.secondary?.identification}: ${f.trouble === 'collision' ? 'several slaves at one address' : 'no data'}\n`,
      );
}

const identityCells = (of: SlaveIdentity | undefined): string[] =>
  of
    ? [of.identification, of.manufacturer, String(of.version), MEDIA[of.medium] ?? String(of.medium)]
    : ['', '', '', ''];
