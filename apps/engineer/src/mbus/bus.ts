/**
 * What `amiable mbus scan`, `read` and `write` share: the line to the bus, the addresses as people write them, and how failures
 * are told.
 *
 * Decides: 8E1 unless said; a serial adapter that gives nothing but damage is tried without parity, for some put their own in. Leaves out the
 * protocol (package mbus).
 */
import { LinkError, MisuseError, PeerError, toHex } from '@amiable/bytes';
import { type Link, type Parity, parseHostPort, serialLink, tcpClient } from '@amiable/io';
import type { Terminal } from '@amiable/io/terminal';
import {
  createMbusDecoder,
  createMbusSession,
  encodeSecondary,
  type LongFrame,
  type MbusKeys,
  type MbusSession,
  type Progress,
  type SecondaryAddress,
  type SlaveAddress,
} from '@amiable/mbus';
import type { Message } from '@amiable/model';
import { UsageError } from './decode.ts';

export interface BusSettings {
  readonly device: string;
  readonly baud: number;
  readonly parity: Parity | undefined;
  readonly latency: number | undefined;
  readonly repeats: number;
  readonly trace: boolean;
}

const PARITIES: Readonly<Record<string, Parity>> = { even: 'E', none: 'N', odd: 'O', E: 'E', N: 'N', O: 'O' };
const BAUDS = [300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400];

/** A whole number of an option. @throws UsageError */
export function numberOf(name: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isInteger(number) || number < least || number > most)
    throw new UsageError(`${name} ${value}: a whole number from ${least} to ${most} is wanted`);
  return number;
}

/** @throws UsageError */
export function busSettings(device: string, given: Record<string, unknown>): BusSettings {
  const baud = Number(given.baud ?? 2400);
  if (!BAUDS.includes(baud)) throw new UsageError(`--baud ${given.baud}: M-Bus has ${BAUDS.join(', ')}`);
  const parity = given.parity === undefined ? undefined : PARITIES[String(given.parity)];
  if (given.parity !== undefined && parity === undefined)
    throw new UsageError(`--parity ${given.parity}: even, none or odd is wanted`);
  return {
    device,
    baud,
    parity,
    latency: numberOf('--latency', given.latency, 0, 60_000),
    repeats: numberOf('--repeats', given.repeats, 0, 10) ?? 2,
    trace: given.trace === true,
  };
}

const SECONDARY = /^([0-9A-Fa-f]{8})(?:[-.:]([A-Za-z@*]{3}|\*)(?:[-.:](\d{1,3}|\*)(?:[-.:](\d{1,3}|\*))?)?)?$/;

/** `12345678`, `12345678-KAM-1-7`, `1234FFFF`, `*` for any part. @throws UsageError */
export function secondaryAddress(text: string): SecondaryAddress {
  const found = SECONDARY.exec(text.trim());
  if (!found)
    throw new UsageError(`${text}: a secondary address is 8 digits (F for any), e.g. 12345678 or 12345678-KAM-1-7`);
  const [, identification = '', maker, version, medium] = found;
  const part = (value: string | undefined) => (value === undefined || value === '*' ? undefined : Number(value));
  const address: SecondaryAddress = {
    identification: identification.toUpperCase(),
    ...(maker !== undefined && !maker.includes('*') && { manufacturer: maker.toUpperCase() }),
    version: part(version),
    medium: part(medium),
  };
  if ((address.version ?? 0) > 255 || (address.medium ?? 0) > 255)
    throw new UsageError(`${text}: version and medium are at most 255`);
  encodeSecondary(address);
  return address;
}

/** A primary address, or a secondary one by its eight digits. @throws UsageError */
export function slaveAddress(text: string): SlaveAddress {
  if (!/^\d{1,3}$/.test(text)) return secondaryAddress(text);
  const primary = Number(text);
  if (primary > 250 && primary !== 253 && primary !== 254)
    throw new UsageError(`${text}: a primary address is 0 to 250 (254: the only slave there is)`);
  return primary;
}

export const addressText = (address: SlaveAddress): string =>
  typeof address === 'number' ? String(address) : address.identification;

function linkTo(settings: BusSettings, parity: Parity): Link {
  const address = parseHostPort(settings.device);
  return address ? tcpClient(address) : serialLink({ path: settings.device, baud: settings.baud, parity });
}

export const isSerial = (device: string): boolean => parseHostPort(device) === undefined;

/** Opens the bus, lets `use` work, closes it. @throws LinkError, PeerError */
export async function withBus<T>(
  terminal: Terminal,
  settings: BusSettings,
  progress: ((progress: Progress) => void) | undefined,
  use: (session: MbusSession) => Promise<T>,
  parity: Parity = settings.parity ?? 'E',
): Promise<T> {
  const session = await createMbusSession({
    link: linkTo(settings, parity),
    clock: terminal.clock,
    baud: settings.baud,
    // An adapter on USB holds octets back for some 16 ms, a network for longer.
    latency: settings.latency ?? (isSerial(settings.device) ? 60 : 300),
    repeats: settings.repeats,
    signal: terminal.signal,
    ...(progress && { progress }),
    ...(settings.trace && {
      trace: (direction, bytes) => terminal.err(`${direction === 'sent' ? '>' : '<'} ${toHex(bytes, ' ')}\n`),
    }),
  });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** Canonical messages of telegrams; what cannot be read is told to `strange`. */
export function messagesOf(
  telegrams: readonly LongFrame[],
  options: {
    readonly reader: string;
    readonly port: string;
    readonly zone: string | undefined;
    readonly keys: MbusKeys | undefined;
    readonly now: () => number;
    readonly bad?: boolean;
  },
  strange: (reason: string) => void,
): Message[] {
  const messages: Message[] = [];
  const decoder = createMbusDecoder(
    { ...options, live: true },
    { message: (m) => messages.push(m), drop: (d) => strange(d.reason) },
  );
  for (const telegram of telegrams) {
    decoder.push(telegram.raw);
    decoder.idle();
  }
  decoder.end();
  return messages;
}

/** Runs a command and tells what went wrong in a sentence. @returns the exit code */
export async function told(terminal: Terminal, name: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const say = (text: string, code: number): number => {
      terminal.err(`amiable mbus ${name}: ${text}\n`);
      return code;
    };
    if (error instanceof UsageError || error instanceof MisuseError) return say(error.message, 2);
    if (terminal.signal.aborted) return say('called off', 130);
    if (error instanceof LinkError || error instanceof PeerError) return say(error.message, 1);
    throw error;
  }
}
