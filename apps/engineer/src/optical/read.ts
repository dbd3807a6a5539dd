/** `amiable optical read`: the data set of a meter, once or again and again. */
import type { OpticalSession } from '@amiable/iec62056-21';
import { sleep } from '@amiable/io';
import type { Terminal } from '@amiable/io/terminal';
import { messageToJson } from '@amiable/model';
import { Failed, UsageError } from '../dlms/usage.ts';
import { meterText, withSession } from './open.ts';
import { type Given, type OpticalSettings, opticalSettings } from './settings.ts';
import { dataTable } from './show.ts';

/** @throws UsageError, Failed */
export async function runRead(terminal: Terminal, device: string, given: Given): Promise<void> {
  const settings = opticalSettings(device, given);
  const live = given.live === undefined ? undefined : Number(given.live);
  if (live !== undefined && !(live >= 0.1 && live <= 86_400))
    throw new UsageError(`--live ${String(given.live)}: seconds, 0.1 to 86400.`);
  const option = given.option === undefined ? undefined : String(given.option);
  if (option !== undefined && !/^[06-9A-Z]$/.test(option))
    throw new UsageError(`--option ${option}: 0, or a maker's own: 6 to 9, A to Z.`);
  const json = given.json === true;
  // A live table is looked at; the exchange would push it off the screen.
  const exchange = settings.trace || (!json && live === undefined);
  if (live === undefined) {
    await withSession(settings, terminal, exchange, (session) => once(session, settings, terminal, json, option));
    return;
  }
  let good = false;
  while (!terminal.signal.aborted) {
    const begun = terminal.clock.now();
    try {
      await withSession(settings, terminal, exchange, async (session) => {
        // The line stays open; the meter is signed on anew each time.
        while (!terminal.signal.aborted) {
          const from = terminal.clock.now();
          await once(session, settings, terminal, json, option, good);
          good = true;
          await sleep(terminal.clock, Math.max(0, from + live * 1000 - terminal.clock.now()), terminal.signal);
        }
      });
    } catch (error) {
      if (terminal.signal.aborted) break;
      // A meter that never answered is told once; one that is gone for a while is asked again.
      if (!good || !(error instanceof Failed)) throw error;
    }
    await sleep(terminal.clock, Math.max(1000, begun + live * 1000 - terminal.clock.now()), terminal.signal);
  }
}

async function once(
  session: OpticalSession,
  settings: OpticalSettings,
  terminal: Terminal,
  json: boolean,
  option: string | undefined,
  again = false,
): Promise<void> {
  const readout = await session.readout(option);
  const { zone, device } = settings;
  if (json) {
    const message = readout.message({ reader: 'optical', port: device, zone, receivedAt: terminal.clock.now() });
    terminal.out(`${messageToJson(message)}\n`);
    return;
  }
  if (terminal.columns !== undefined && again) terminal.out('\x1b[H\x1b[J');
  terminal.out(`${meterText(readout.meter)}\n\n${dataTable(readout.sets)}`);
}
