/**
 * What to do about a failure, where that is known: a sentence after the error that names options of this command.
 *
 * Decides: from the codes of the standard, from what a refusing AARE offers, and from what the line did. Leaves out
 * guessing: where nothing is known, nothing is said.
 */
import { LinkError } from '@amiable/bytes';
import { type Aare, DlmsPeerError, decodeApdu, MECHANISM } from '@amiable/dlms';
import { PortError } from '@amiable/io';
import { printAddress } from './address.ts';
import { MECHANISMS, type Settings } from './settings.ts';

/** How a log-in of this mechanism is written here. */
export function loginOption(mechanism: number): string {
  if (mechanism === 0) return 'no authentication';
  if (mechanism === 1) return '--password …';
  if (mechanism === 5) return '--hls gmac --key … --auth-key …';
  if (mechanism === 7) return '--hls ecdsa --signing-key … --peer-key …';
  const name = Object.entries(MECHANISMS).find(([, n]) => n === mechanism)?.[0];
  return name ? `--hls ${name} --secret …` : `mechanism ${mechanism}`;
}

export function mechanismWords(mechanism: number): string {
  const name = Object.entries(MECHANISM).find(([, n]) => n === mechanism)?.[0] ?? 'unknown';
  return mechanism === 0 ? 'none' : mechanism === 1 ? 'low level (password)' : `high level ${name} (${mechanism})`;
}

/** The AARE in an error of the association, where it is one. */
export function aareOf(error: DlmsPeerError): Aare | undefined {
  try {
    const apdu = decodeApdu(error.bytes);
    return apdu.type === 'aare' ? apdu : undefined;
  } catch {
    return undefined;
  }
}

/** @returns a sentence, or nothing */
export function adviceFor(error: unknown, settings: Settings): string {
  if (error instanceof DlmsPeerError) return peerAdvice(error, settings);
  if (error instanceof LinkError && /^(?:GET|SET|ACTION|ACCESS|Read|Write|associated)\b/.test(error.message))
    return 'The association was open: try again, with a longer --timeout, a smaller --max-pdu, or fewer rows at a time.';
  if (error instanceof PortError && /\bCA\b|another name/.test(error.message))
    return 'Say --ca FILE.pem (its certificate, or that of who issued it), and --tls-name where it is for another name than the address.';
  if (error instanceof PortError) return error.reason === 'closed' ? closedAdvice(settings) : '';
  if (error instanceof LinkError) return lineAdvice(error, settings);
  return '';
}

function scanLine(settings: Settings): string {
  return `amiable dlms scan ${printAddress(settings.address)}`;
}

function peerAdvice(error: DlmsPeerError, settings: Settings): string {
  switch (error.kind) {
    case 'association':
      return associationAdvice(error, settings);
    case 'security':
      return /challenge|proved|secret/.test(error.message)
        ? 'Both ends must have the same secret or keys: compare --key and --auth-key (they are easily exchanged), --secret, and --title.'
        : 'Compare --key, --auth-key (they are easily exchanged), --suite and --policy with the letter of the meter.';
    case 'exception':
      if (error.expectedCounter !== undefined)
        return `The meter waits for the invocation counter ${error.expectedCounter}: say --counter ${error.expectedCounter + 1}.`;
      if (error.code === 5 || /deciphering/.test(error.message))
        return 'The meter could not decipher the request: compare --key, --auth-key, --title, --suite and --policy, and whether it wants --general or --dedicated.';
      if (error.state === 'association')
        return `Perhaps it takes no association so: see what answers with ${scanLine(settings)}`;
      return '';
    case 'service-error':
      return /context|initiate/.test(error.message)
        ? `Try --sn (short names), a smaller --max-pdu, or ${scanLine(settings)}`
        : '';
    case 'data-access':
    case 'action':
      return accessAdvice(error.code, settings);
    default:
      return '';
  }
}

function accessAdvice(code: number | undefined, settings: Settings): string {
  switch (code) {
    case 3:
      return `Client ${settings.client} has no right to it; "amiable dlms ls" shows the rights. Another --client, with its password or keys, may have.`;
    case 4:
      return `Client ${settings.client} has no such object or attribute at server ${settings.server}; "amiable dlms ls" shows what there is. Another --client, with its --password or keys, or another --server may have it.`;
    case 9:
      return 'The object is of another class: "amiable dlms ls" shows which; without a class before its code it is found in the object list.';
    case 12:
      return 'The meter wants another type: write it before the value, as in long-unsigned:5, or see what type is there with get --raw.';
    case 2:
      return 'The meter cannot do it now, or has begun and is not done yet (image_verify and image_activate answer so; image_transfer_status tells how it goes).';
    case 250:
      return 'Meters say so of values beyond their limits, and of what their state does not allow now: see its manual (of the simulated meter, docs/simulate-meter.md).';
    default:
      return '';
  }
}

/** Codes of acse-service-user: what was wrong with the AARQ. */
function associationAdvice(error: DlmsPeerError, settings: Settings): string {
  const aare = aareOf(error);
  const offers = aare?.mechanism;
  const named =
    offers !== undefined && offers > 0 && offers !== settings.authentication?.mechanism
      ? `It offers ${mechanismWords(offers)}: try ${loginOption(offers)}. `
      : '';
  const user = aare?.resultSourceDiagnostic.source !== 'provider';
  switch (user ? error.code : -1) {
    case 1:
      return `${named}Often this client is not allowed, or not with this log-in: try another --client (1 is management, 16 public), or ${scanLine(settings)}`;
    case 2:
      return `${named}The meter takes another kind of association: try ${settings.shortNames ? 'logical names (without --sn)' : '--sn (short names)'}${settings.security?.protection ? ', or --policy none' : ', or ciphering (--key and --auth-key)'}.`;
    case 11:
    case 12:
    case 14:
      return `The meter wants another log-in. ${named || 'Try --password, or --hls gmac with --key and --auth-key. '}${scanLine(settings)} shows what it takes.`;
    case 13:
      return `${named}${settings.authentication ? 'The password, secret or key is not the one of this client; mind that meters lock after a few wrong ones.' : 'It wants a log-in: try --password, or --hls gmac with --key and --auth-key.'}`;
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      return 'The meter does not know our system title: give the one it knows with --title.';
    default:
      return `${named}See what answers with ${scanLine(settings)}`;
  }
}

function closedAdvice(settings: Settings): string {
  if (settings.address.kind === 'serial') return '';
  return settings.transport === 'wrapper'
    ? 'A meter that hangs up may speak HDLC here: try --hdlc. It may also have another client on the line.'
    : 'A meter that hangs up may want the wrapper here: leave --hdlc away, or write --wrapper.';
}

function lineAdvice(error: LinkError, settings: Settings): string {
  const { address, transport } = settings;
  if (/closed|hung up|reset/.test(error.message)) return closedAdvice(settings);
  if (/mode E|signing on/.test(error.message))
    return 'Is the optical head in place, over the port and the right way round? Some heads want --mode-e left away.';
  if (!/no answer|no connection|not answered|nothing came|came nothing|expected UA|was expected/.test(error.message))
    return '';
  if (address.kind === 'serial')
    return settings.modeE
      ? 'Try another --server or --client, or --address-size 4 with --physical.'
      : `Try --mode-e (optical heads), another --baud (now ${settings.baud ?? 9600}), or ${scanLine(settings)}`;
  return transport === 'wrapper'
    ? `Try --hdlc, another --server or --client, or ${scanLine(settings)}`
    : `Try --wrapper, another --server, --physical or --address-size, or ${scanLine(settings)}`;
}
