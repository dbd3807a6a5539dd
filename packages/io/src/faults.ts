/**
 * What went wrong with a line, in words a person can act on: which thing, what happened, what to do.
 * Maps the operating system's and OpenSSL's codes; what it does not know keeps its own message, never its stack.
 */
import { LinkError } from '@amiable/bytes';

export type PortReason =
  | 'notFound'
  | 'permission'
  | 'busy'
  | 'refused'
  | 'unreachable'
  | 'unknownHost'
  | 'timeout'
  | 'closed'
  | 'certificate'
  | 'credentials'
  | 'isDirectory'
  | 'full'
  | 'tool'
  | 'other';

export class PortError extends LinkError {
  readonly reason: PortReason;
  constructor(reason: PortReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

const CERTIFICATE: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; is the clock of this machine right?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; give the certificate itself as CA',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority this machine does not know; give that CA',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an authority this machine does not know; give that CA',
  UNABLE_TO_GET_ISSUER_CERT: 'the issuer of its certificate is not known; give that CA',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the issuer of its certificate is not known; give that CA',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name; use the name in the certificate as host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port; use the plain scheme or the TLS port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on this port; use the plain scheme or the TLS port',
};

/** The alerts by which a TLS server says that it wants a client certificate, or another one. */
const ALERT = /ERR_SSL_.*(ALERT|CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)/;

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return cause ? codeOf(cause) : '';
}

/** `subject` is the thing as the user named it, e.g. `/dev/ttyUSB0` or `broker.example:8883`. */
export function portError(subject: string, error: unknown): PortError {
  if (error instanceof PortError) return error;
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const say = (reason: PortReason, words: string) => new PortError(reason, `${subject}: ${words}`, error);
  if (CERTIFICATE[code]) return say('certificate', CERTIFICATE[code]);
  if (ALERT.test(code))
    return say('certificate', `it refused the TLS connection (${text}); does it ask for a client certificate?`);
  // The serial binding has no codes, only the operating system's sentences.
  if (code === 'ENOENT' || /No such (file|device)|File not found/i.test(text))
    return say('notFound', 'there is no such file or device');
  if (code === 'EACCES' || code === 'EPERM' || /Permission denied|Access denied/i.test(text))
    return say('permission', 'this user may not open it');
  if (code === 'EBUSY' || /cannot lock port|Resource busy|device busy/i.test(text))
    return say('busy', 'another program is using it; end that one first');
  if (/Input\/output error|ENXIO|No such device or address/i.test(`${code} ${text}`))
    return say('closed', 'the device does not answer; is it plugged in?');
  if (/Inappropriate ioctl|not a (tty|typewriter)|ENOTTY/i.test(`${code} ${text}`))
    return say('other', 'it is no serial port');
  switch (code) {
    case 'EISDIR':
      return say('isDirectory', 'it is a folder, not a file');
    case 'ENOTDIR':
      return say('notFound', 'a part of the path is no folder');
    case 'ENOSPC':
    case 'EDQUOT':
      return say('full', 'the disk is full');
    case 'EROFS':
      return say('permission', 'the file system is read-only');
    case 'ECONNREFUSED':
      return say('refused', 'nobody listens there; is it running, and is the port right?');
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return say('closed', 'the other side closed the connection');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return say('unreachable', 'it cannot be reached from here; is the network up?');
    case 'ENODEV':
      return say('unreachable', 'no network interface takes this; name one, or is the network down?');
    case 'ETIMEDOUT':
      return say('timeout', 'no answer');
    case 'ENOTFOUND':
      return say('unknownHost', 'there is no host of this name');
    case 'EAI_AGAIN':
      return say('unknownHost', 'the name cannot be looked up now; is the network up?');
    case 'EADDRINUSE':
      return say('busy', 'this port is already in use; choose another or end the other program');
    case 'EADDRNOTAVAIL':
      return say('unreachable', 'this machine has no such address');
    default:
      return say('other', text || code || 'unknown fault');
  }
}
