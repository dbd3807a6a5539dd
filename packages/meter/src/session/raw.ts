/**
 * APDUs without anything around them, where each piece that the link gives is one whole APDU: datagrams, gateways that
 * unwrap, tests.
 */
import { TransportLink } from './transport-link.ts';
import type { ApduTransport, SessionLink } from './types.ts';

export function rawTransport(link: SessionLink): ApduTransport {
  const inner = new TransportLink(link);
  return {
    describe: link.describe,
    open: (events) => inner.start(events, (bytes) => inner.apdu(bytes.slice())),
    send: (apdu) => inner.write(apdu),
    close: () => inner.close(),
  };
}
