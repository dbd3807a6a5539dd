/**
 * `amiable mbus read` and `write`: all telegrams of slaves by primary or secondary address, and what a slave can be told: another address,
 * another rate, an application reset, records.
 */
import { hostname } from 'node:os';
import { fromHex, LinkError } from '@amiable/bytes';
import { isValidZone } from '@amiable/calendar';
import { createProgress, processTerminal, type Terminal } from '@amiable/io/terminal';
import type { MbusKeys, MbusSession, SlaveAddress } from '@amiable/mbus';
import { messageToJson } from '@amiable/model';
import {
  addressText,
  type BusSettings,
  busSettings,
  isSerial,
  messagesOf,
  numberOf,
  slaveAddress,
  told,
  withBus,
} from './bus.ts';
import { keyEntry, keysOf, UsageError } from './decode.ts';
import { messageTable } from './table.ts';

type Given = Record<string, unknown>;

export async function runRead(device: string, addresses: readonly string[], given: Given): Promise<number> {
  const terminal = processTerminal();
  try {
    return await read(terminal, device, addresses, given);
  } finally {
    terminal.release();
  }
}

export async function runWrite(device: string, address: string, given: Given): Promise<number> {
  const terminal = processTerminal();
  try {
    return await write(terminal, device, address, given);
  } finally {
    terminal.release();
  }
}

interface Printing {
  readonly zone: string | undefined;
  readonly keys: MbusKeys;
  readonly reader: string;
  readonly port: string;
  readonly json: boolean;
  readonly bad: boolean;
}

/** @returns the exit code: 0 when every slave was read, 1 when one was not, 3 when none gave anything that could be read */
export function read(terminal: Terminal, device: string, addresses: readonly string[], given: Given): Promise<number> {
  return told(terminal, 'read', async () => {
    const settings = busSettings(device, given);
    const zone = given.tz as string | undefined;
    if (zone !== undefined && !isValidZone(zone))
      throw new UsageError(`--tz ${zone}: no such time zone; e.g. Europe/Oslo`);
    const slaves = addresses.map(slaveAddress);
    const printing: Printing = {
      zone,
      keys: keysOf(((given.key as string[] | undefined) ?? []).map(keyEntry)),
      reader: (given.reader as string | undefined) ?? hostname(),
      port: (given.port as string | undefined) ?? 'mbus0',
      json: given.json === true,
      bad: given.bad === true,
    };
    const line = createProgress(terminal, !settings.trace);
    let good = 0;
    let failed = 0;
    const readOne = async (session: MbusSession, slave: SlaveAddress): Promise<void> => {
      line.show(`reading ${addressText(slave)}`);
      const telegrams =
        given.alarm === true ? [await session.readAlarm(slave)].flatMap((t) => t ?? []) : await session.read(slave);
      line.clear();
      if (telegrams.length === 0) terminal.err(`amiable mbus read: ${addressText(slave)} has nothing to say\n`);
      good += print(terminal, printing, telegrams, addressText(slave));
    };
    const otherParity = isSerial(device) && settings.parity === undefined;
    /** @param last nothing is tried after it: else faults are told only when a slave has shown that the line is right */
    const readAll = async (session: MbusSession, last: boolean): Promise<SlaveAddress[]> => {
      const silent: SlaveAddress[] = [];
      const faults: string[] = [];
      let right = last;
      for (const slave of slaves) {
        try {
          await readOne(session, slave);
          right = true;
        } catch (error) {
          if (!(error instanceof LinkError) || terminal.signal.aborted) throw error;
          line.clear();
          faults.push(`amiable mbus read: ${addressText(slave)}: ${error.message}\n`);
          silent.push(slave);
        }
        if (right) for (const fault of faults.splice(0)) terminal.err(fault);
      }
      return silent;
    };
    const silent = await withBus(terminal, settings, undefined, (session) => readAll(session, !otherParity));
    failed = silent.length;
    if (failed === slaves.length && otherParity) {
      terminal.err('amiable mbus read: nobody answers; once more without parity, as some adapters want it\n');
      failed = (await withBus(terminal, settings, undefined, (session) => readAll(session, true), 'N')).length;
    }
    if (failed > 0)
      terminal.err(
        `amiable mbus read: is the bus powered, and is the rate right (--baud 300, 2400, 9600)? Who is there: amiable mbus scan ${device}\n`,
      );
    return good === 0 ? (failed > 0 ? 1 : 3) : failed > 0 ? 1 : 0;
  });
}

/** @returns how many messages were good */
function print(
  terminal: Terminal,
  printing: Printing,
  telegrams: Parameters<typeof messagesOf>[0],
  who: string,
): number {
  const now = () => terminal.clock.now();
  const strange = (reason: string) =>
    terminal.err(
      `amiable mbus read: ${who}: a telegram was refused (${reason})${printing.bad ? '' : '; --bad shows it'}\n`,
    );
  let good = 0;
  for (const m of messagesOf(telegrams, { ...printing, now }, strange)) {
    if (m.error === undefined) good++;
    else if (m.error.reason === 'noKey' || m.error.reason === 'wrongKey')
      terminal.err(
        `amiable mbus read: ${who} is encrypted, ${m.error.reason === 'noKey' ? 'and no key was given for it; give it with -k' : 'and no key that was given opens it'}\n`,
      );
    terminal.out(printing.json ? `${messageToJson(m)}\n` : messageTable(m));
  }
  return good;
}

/** @returns the exit code */
export function write(terminal: Terminal, device: string, address: string, given: Given): Promise<number> {
  return told(terminal, 'write', async () => {
    const settings: BusSettings = busSettings(device, given);
    const slave = slaveAddress(address);
    const primary = numberOf('--primary', given.primary, 0, 250);
    const rate = numberOf('--set-baud', given.setBaud, 300, 38_400);
    const subcode = given.reset === true ? undefined : numberOf('--reset', given.reset, 0, 255);
    const records = given.records === undefined ? undefined : recordsOf(String(given.records));
    if (primary === undefined && rate === undefined && given.reset === undefined && records === undefined)
      throw new UsageError('say what to write: --primary, --set-baud, --reset or --records');
    await withBus(terminal, settings, undefined, async (session) => {
      const done = (text: string) => terminal.err(`amiable mbus write: ${addressText(slave)}: ${text}\n`);
      if (given.reset !== undefined) {
        await session.applicationReset(slave, subcode);
        done('application reset');
      }
      if (records) {
        await session.write(slave, records);
        done(`${records.length} octets of records taken`);
      }
      if (primary !== undefined) {
        await session.setPrimary(slave, primary);
        done(`has the primary address ${primary} now`);
      }
      if (rate !== undefined) {
        await session.setBaud(primary !== undefined && typeof slave === 'number' ? primary : slave, rate);
        done(`speaks at ${rate} baud now`);
      }
    });
    return 0;
  });
}

function recordsOf(hex: string): Uint8Array {
  try {
    return fromHex(hex);
  } catch {
    throw new UsageError(`--records ${hex}: records are written in hex, e.g. 0C7812345678`);
  }
}
