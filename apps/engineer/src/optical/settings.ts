/**
 * From the options of `amiable optical` to a session: where the meter is, how it is signed on, passwords.
 *
 * Decides: a serial port is opened at 300 8N1 (2400 in mode D), parity is made in software. Passwords come from the
 * environment, a file or a prompt; no message repeats them.
 */
import { readFile } from 'node:fs/promises';
import { isValidZone } from '@amiable/calendar';
import { RATES } from '@amiable/iec62056-21';
import { type Link, parseHostPort, type SerialLink, serialLink, tcpClient } from '@amiable/io';
import type { Terminal } from '@amiable/io/terminal';
import { UsageError } from '../dlms/usage.ts';

export type Given = Readonly<Record<string, unknown>>;

export interface OpticalSettings {
  readonly device: string;
  readonly mode?: 'A' | 'B' | 'C' | 'D';
  readonly address?: string;
  readonly maxBaud: number;
  readonly wakeUp: boolean;
  /** For an answer, ms. */
  readonly timeout: number;
  readonly zone: string;
  readonly trace: boolean;
}

const FORMS = 'Write a serial port such as /dev/ttyUSB0 or COM3, or host:port of a serial server.';

/** @throws UsageError */
export function opticalSettings(device: string, given: Given): OpticalSettings {
  const mode = given.mode === undefined || given.mode === 'auto' ? undefined : String(given.mode).toUpperCase();
  if (mode === 'E') throw new UsageError('--mode E is HDLC behind the sign-on: use amiable dlms … --mode-e.');
  if (mode !== undefined && !/^[A-D]$/.test(mode))
    throw new UsageError(`--mode ${String(given.mode)}: A, B, C, D or auto.`);
  const maxBaud = Number(given.baudMax ?? 19_200);
  if (!(RATES as readonly number[]).includes(maxBaud))
    throw new UsageError(`--baud-max ${String(given.baudMax)}: one of ${RATES.join(', ')}.`);
  const timeout = Number(given.timeout ?? 2.2);
  if (!(timeout >= 0.1 && timeout <= 120))
    throw new UsageError(`--timeout ${String(given.timeout)}: seconds, 0.1 to 120.`);
  const address = given.address === undefined ? undefined : String(given.address);
  if (address !== undefined && !/^[0-9A-Za-z ]{1,32}$/.test(address))
    throw new UsageError(`--address ${address}: up to 32 digits and letters.`);
  const zone = given.tz === undefined ? Intl.DateTimeFormat().resolvedOptions().timeZone : String(given.tz);
  if (!isValidZone(zone)) throw new UsageError(`--tz ${zone}: an IANA name such as Europe/Oslo is needed.`);
  if (!isSerial(device) && !parseHostPort(device))
    throw new UsageError(`${JSON.stringify(device)} is no device. ${FORMS}`);
  return {
    device,
    ...(mode !== undefined && { mode: mode as 'A' | 'B' | 'C' | 'D' }),
    ...(address !== undefined && { address }),
    maxBaud,
    wakeUp: given.wakeUp === true,
    timeout: timeout * 1000,
    zone,
    trace: given.trace === true,
  };
}

const isSerial = (device: string): boolean =>
  device.startsWith('/') || device.startsWith('./') || /^COM\d+$/i.test(device);

export function linkOf({ device, mode }: OpticalSettings): Link | SerialLink {
  const at = isSerial(device) ? undefined : parseHostPort(device);
  return at
    ? tcpClient({ host: at.host || '127.0.0.1', port: at.port })
    : serialLink({ path: device, baud: mode === 'D' ? 2400 : 300, parity: 'N' });
}

export const PASSWORD_VARIABLE = 'AMIABLE_OPTICAL_PASSWORD';

export interface Password {
  readonly text: string;
  readonly level: '1' | '2';
}

/**
 * From `--password-file`, the environment, or a prompt. Undefined with `--no-password`.
 * @throws UsageError
 */
export async function passwordOf(given: Given, terminal: Terminal, ask = askSecret): Promise<Password | undefined> {
  if (given.password === false) return undefined;
  const level = String(given.level ?? '1');
  if (level !== '1' && level !== '2') throw new UsageError(`--level ${level}: 1 (P1) or 2 (P2).`);
  let text: string | undefined;
  if (given.passwordFile !== undefined) {
    try {
      text = (await readFile(String(given.passwordFile), 'utf8')).replace(/\r?\n$/, '');
    } catch (error) {
      throw new UsageError(`--password-file ${String(given.passwordFile)} cannot be read: ${(error as Error).message}`);
    }
  } else text = process.env[PASSWORD_VARIABLE];
  if (text === undefined) {
    if (!terminal.interactive)
      throw new UsageError(
        `A password is needed: set ${PASSWORD_VARIABLE}, or say --password-file FILE, or --no-password for a meter that wants none.`,
      );
    text = await ask(`Password (P${level}): `);
  }
  if (text === undefined) throw new UsageError('No password was given.');
  if (!/^[\x20-\x27\x2a-\x7e]{0,32}$/.test(text))
    throw new UsageError('The password has characters that cannot be: up to 32 printable ones without brackets.');
  return { text, level };
}

/** Asks on the terminal and shows nothing of the answer. Undefined when it was called off. */
export function askSecret(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode?.(true);
  stdin.resume();
  return new Promise((resolve) => {
    let text = '';
    const end = (answer: string | undefined): void => {
      stdin.off('data', take);
      stdin.setRawMode?.(false);
      stdin.pause();
      stderr.write('\n');
      resolve(answer);
    };
    const take = (data: Buffer): void => {
      for (const c of data.toString('utf8')) {
        if (/[\r\n]/.test(c)) {
          end(text);
          return;
        }
        if (c === '\x03' || c === '\x04') {
          end(undefined);
          return;
        }
        text = c === '\x7f' || c === '\b' ? text.slice(0, -1) : text + c;
      }
    };
    stdin.on('data', take);
  });
}
