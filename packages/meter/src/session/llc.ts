/**
 * APDUs over power line carrier (S-FSK profile: IEC 61334-4-32 connectionless LLC): destination and source address, control
 * (90: unnumbered information, pass-all), then the APDU.
 *
 * Decides: the LLC octets, and whose PDUs are taken. Leaves out: the MAC and physical layers below, which are the
 * caller's, as `MacService`.
 */
import { TransportLink } from './transport-link.ts';
import type { ApduTransport, SessionLink } from './types.ts';

/** What is wanted of a MAC layer that is already bound to one station: LLC PDUs out and in. */
export type MacService = SessionLink;

export interface LlcTransportOptions {
  /** L-SAP of the client, source; 16 unless said. */
  readonly client?: number;
  /** L-SAP of the server, destination; 1 unless said. */
  readonly server?: number;
}

const UI = 0x90;
const HEADER = 3;

export function llcTransport(mac: MacService, { client = 16, server = 1 }: LlcTransportOptions = {}): ApduTransport {
  const inner = new TransportLink(mac);
  let strays = 0;
  return {
    describe: mac.describe,
    open: (events) =>
      inner.start(events, (pdu) => {
        const ours = pdu.length > HEADER && pdu[0] === client && pdu[1] === server && pdu[2] === UI;
        if (ours) inner.apdu(pdu.slice(HEADER));
        else strays++;
      }),
    send(apdu) {
      const pdu = new Uint8Array(HEADER + apdu.length);
      pdu.set([server, client, UI]);
      pdu.set(apdu, HEADER);
      inner.write(pdu);
    },
    trouble: () => (strays > 0 ? `${strays} PDUs not for us came` : ''),
    close: () => inner.close(),
  };
}
