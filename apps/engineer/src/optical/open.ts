/** A session on what the command line names, with its exchange on stderr; failures with a word on what to do. */
import { LinkError } from '@amiable/bytes';
import { createOpticalSession, type OpticalSession, type OpticalTrace, type SignedOn } from '@amiable/iec62056-21';
import { PortError } from '@amiable/io';
import type { Terminal } from '@amiable/io/terminal';
import { Failed } from '../dlms/usage.ts';
import { linkOf, type OpticalSettings } from './settings.ts';
import { exchangePrinter } from './show.ts';

export const openSession = (
  settings: OpticalSettings,
  { clock }: Terminal,
  trace?: (trace: OpticalTrace) => void,
): Promise<OpticalSession> => {
  const { mode, address, maxBaud, wakeUp, timeout } = settings;
  return createOpticalSession({ link: linkOf(settings), clock, mode, address, maxBaud, wakeUp, timeout, trace });
};

/** Opens, works, closes. @throws Failed after it has told what went wrong */
export async function withSession(
  settings: OpticalSettings,
  terminal: Terminal,
  exchange: boolean,
  work: (session: OpticalSession) => Promise<void>,
): Promise<void> {
  const printer = exchange ? exchangePrinter((text) => terminal.err(text)) : undefined;
  let session: OpticalSession | undefined;
  const end = (): void => void session?.close();
  terminal.signal.addEventListener('abort', end, { once: true });
  try {
    session = await openSession(settings, terminal, printer?.trace);
    await work(session);
    printer?.flush();
  } catch (error) {
    printer?.flush();
    if (terminal.signal.aborted) throw new Failed(130);
    tell(error, settings, terminal);
    throw new Failed(1);
  } finally {
    terminal.signal.removeEventListener('abort', end);
    await session?.close();
  }
}

/**
 * One sentence of what happened, one of what to do. @throws what is no failure of a meter or a line
 * @param higher how a password of a higher level is given
 */
export function tell(
  error: unknown,
  settings: OpticalSettings,
  terminal: Terminal,
  higher = '--level 2 sends it as P2.',
): void {
  if (!(error instanceof Error) || !['LinkError', 'PeerError', 'PortError', 'MisuseError'].includes(error.name)) {
    if (!(error instanceof LinkError)) throw error;
  }
  terminal.err(`amiable optical: ${(error as Error).message}\n`);
  const advice = adviceFor(error as Error, settings, higher);
  if (advice !== '') terminal.err(`  ${advice}\n`);
}

function adviceFor(error: Error, settings: OpticalSettings, higher: string): string {
  const { message } = error;
  if (error instanceof PortError) return '';
  if (/signing on: .*nothing came/.test(message))
    return settings.address === undefined
      ? 'Is the optical head over the port and the right way round? A battery-powered meter wants --wake-up, one that sends unasked --mode D.'
      : 'Is the address right? Without --address every meter answers.';
  if (/signing on: .* came in/.test(message))
    return 'Something speaks, but not as a meter that is signed on does: perhaps at another rate (--mode D), or another program reads there too.';
  if (/nothing came at (\d+) Bd/.test(message))
    return `After the change of rate the meter was not heard: try --baud-max ${settings.maxBaud > 300 ? 300 : settings.maxBaud}, and see whether the adapter can change its rate.`;
  if (/block check/.test(message))
    return 'Characters are damaged on the way: move the head, keep the light away, or try a lower --baud-max.';
  if (/password/.test(message)) return `Mind that meters lock after a few wrong passwords. ${higher}`;
  if (/ER0?[67]\b|access denied|no right/i.test(message))
    return `It wants a password, or one of a higher level: ${higher}`;
  if (/no answer/.test(message))
    return 'Meters leave programming mode after a minute without a command; --timeout waits longer for an answer.';
  return '';
}

/** `AMI VM3000, mode C at 9600 Bd`. */
export const meterText = ({ maker, identification, inMode, agreed }: SignedOn): string =>
  `${maker} ${identification.trim()}, mode ${inMode} at ${agreed} Bd`;
