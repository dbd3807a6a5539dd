/**
 * What a channel opens: a pool of modems, or nothing (a network, whose meters have addresses of their own).
 *
 * Decides: the shape in which it is kept (`channel.device`), checked. Leaves out: windows and limits, which the leasing of work holds
 * (package store), and the calls (pool.ts, lines.ts).
 */
import { MisuseError } from '@amiable/bytes';
import { type Link, type ModemLines, parseHostPort, type SerialLink, serialLink, tcpClient } from '@amiable/io';
import { z } from 'zod';

const command = z
  .string()
  .regex(/^[\x20-\x7e]{1,120}$/, 'up to 120 printable characters')
  // Settings are shown to who may see channels, and stand in backups.
  .refine((text) => !/\+CPIN/i.test(text), 'no PIN is kept here: use a SIM card that asks for none')
  .describe('A command of the modem, such as AT&F or AT+IPR=9600.');

export const modemPort = z.object({
  port: z
    .string()
    .max(200)
    .regex(/^(\/\S{1,160}(@\d{2,7})?|COM\d{1,3}(@\d{2,7})?|tcp:\/\/\S{3,180})$/, '/dev/ttyUSB0@9600 or tcp://host:port')
    .describe('Serial port with its speed (9600 unless said), or tcp://host:port of a modem server.'),
  init: z.array(command).max(16).optional().describe('Sent before dialling.'),
  bearer: z
    .object({
      speed: z.number().int().min(0).max(255),
      name: z.number().int().min(0).max(255),
      element: z.number().int().min(0).max(255),
    })
    .optional()
    .describe('Circuit-switched data of GSM (+CBST).'),
  dialling: z.enum(['tone', 'pulse']).optional().describe("The modem's own way unless said."),
});

/** `channel.device`. */
export const channelDevice = z.object({
  modems: z.array(modemPort).min(1).max(64),
  dialTimeout: z
    .number()
    .int()
    .min(5000)
    .max(300_000)
    .optional()
    .describe('ms until the other modem has connected; 75000 unless said.'),
  pause: z
    .number()
    .int()
    .min(0)
    .max(3_600_000)
    .optional()
    .describe('ms between two calls of one modem; it doubles with each call that fails. 2000 unless said.'),
  hold: z
    .number()
    .int()
    .min(0)
    .max(60_000)
    .optional()
    .describe('ms that a call stays for the next meter behind the number; 2000 unless said.'),
});

export type ModemPort = z.infer<typeof modemPort>;
export type ChannelDevice = z.infer<typeof channelDevice>;

/** A modem's port, not open yet. */
export interface OpenPort {
  readonly link: Link;
  readonly lines?: ModemLines;
}

/** @throws MisuseError for a port that is none */
export function portOf({ port }: Pick<ModemPort, 'port'>): OpenPort {
  if (port.startsWith('tcp://')) {
    const where = parseHostPort(port);
    if (!where) throw new MisuseError(`${port}: no port of a modem; write tcp://host:port`);
    return { link: tcpClient(where) };
  }
  const [path = '', baud = '9600'] = port.split('@');
  const link: SerialLink = serialLink({ path, baud: Number(baud), parity: 'N' });
  return { link, lines: { carrier: () => link.carrier(), dtr: (on) => link.setSignals({ dtr: on }) } };
}
