/**
 * Where a meter is, as people write it: `tcp://host:port`, `tls://host:port`, `udp://host:port`,
 * `hdlc+tcp://host:port`, a serial device.
 *
 * Decides: port 4059 unless said (IANA's for DLMS); TCP and UDP carry the wrapper, serial lines HDLC, unless told otherwise.
 */
import { UsageError } from './usage.ts';

export type Address =
  | {
      readonly kind: 'tcp' | 'udp';
      /** TLS over TCP. */
      readonly tls?: true;
      readonly host: string;
      readonly port: number;
      readonly transport: Transport | undefined;
    }
  | { readonly kind: 'serial'; readonly path: string; readonly transport: Transport | undefined };

export type Transport = 'wrapper' | 'hdlc';

const PORT = 4059;
const FORMS =
  'Write tcp://192.0.2.7:4059, hdlc+tcp://192.0.2.7:4059, tls://192.0.2.7:4059, udp://192.0.2.7:4059, or a serial port such as /dev/ttyUSB0.';
const URL_FORM = /^(?:(hdlc|wrapper)\+)?(tcp|tls|udp|serial):(?:\/\/)?(.+)$/i;
const HOST_FORM = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/[\]]*))(?::(\d{1,5}))?\/?$/;

/** @throws UsageError */
export function parseAddress(text: string): Address {
  const found = URL_FORM.exec(text);
  const transport = found?.[1]?.toLowerCase() as Transport | undefined;
  const scheme = found?.[2]?.toLowerCase() as 'tcp' | 'tls' | 'udp' | 'serial' | undefined;
  const rest = found?.[3] ?? text;
  if (scheme === 'serial') return { kind: 'serial', path: rest, transport };
  if (!scheme && (text.startsWith('/') || text.startsWith('./') || /^COM\d+$/i.test(text)))
    return { kind: 'serial', path: text, transport: undefined };
  const host = HOST_FORM.exec(rest);
  // A bare word may as well be a forgotten address: without a scheme the port, or a dot, must be there.
  if (!host || (!scheme && host[3] === undefined && !/[.:]/.test(rest)))
    throw new UsageError(`${JSON.stringify(text)} is no address of a meter. ${FORMS}`);
  const port = host[3] === undefined ? PORT : Number(host[3]);
  if (port < 1 || port > 65_535) throw new UsageError(`${port} is no port: 1 to 65535. ${FORMS}`);
  const name = host[1] ?? host[2] ?? '';
  if (scheme === 'udp' && transport === 'hdlc')
    throw new UsageError('HDLC does not go over UDP: use the wrapper, udp://…');
  const where = { host: name === '' ? '127.0.0.1' : name, port, transport };
  return scheme === 'tls' ? { kind: 'tcp', tls: true, ...where } : { kind: scheme ?? 'tcp', ...where };
}

/** The address as one would write it. */
export function printAddress(address: Address): string {
  const prefix = address.transport === undefined ? '' : `${address.transport}+`;
  if (address.kind === 'serial') return prefix === '' ? address.path : `${prefix}serial:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${prefix}${address.tls ? 'tls' : address.kind}://${host}:${address.port}`;
}

export function transportOf(address: Address): Transport {
  return address.transport ?? (address.kind === 'serial' ? 'hdlc' : 'wrapper');
}
