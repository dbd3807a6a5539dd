/**
 * UDP as a link (RFC 768): each `write` is one datagram, each `data` one whole datagram of the peer's. For DLMS over UDP
 * (IEC 62056-47) and whatever else keeps its messages whole.
 *
 * Decides: only what comes from the peer's address and port is handed on (the socket is connected). That nobody listens
 * there may be told by the network, or never. Leaves out: loss, doubles and order, which are the protocols' business.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { PortError, portError } from './faults.ts';
import type { Link } from './link.ts';
import { LARGEST_DATAGRAM } from './multicast.ts';
import type { HostPort } from './tcp.ts';

export interface UdpLink extends Link {
  /** Says to protocols that pieces are whole. */
  readonly datagrams: true;
}

export function udpClient({ host, port }: HostPort): UdpLink {
  const subject = `udp ${host.includes(':') ? `[${host}]` : host}:${port}`;
  let socket: Socket | undefined;
  return {
    describe: subject,
    datagrams: true,
    open(events) {
      return new Promise<void>((resolve, reject) => {
        const s = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
        socket = s;
        let opened = false;
        let failure: PortError | undefined;
        s.on('message', (bytes) => {
          if (socket === s) events.data(bytes);
        });
        s.on('error', (error) => {
          failure ??= portError(subject, error);
          if (opened) s.close();
          else reject(failure);
        });
        s.on('close', () => {
          const wanted = socket !== s;
          if (!wanted) socket = undefined;
          if (opened) events.closed(wanted ? undefined : failure);
        });
        s.connect(port, host, () => {
          opened = true;
          resolve();
        });
      });
    },
    write(bytes) {
      const s = socket;
      if (!s) return Promise.reject(new PortError('closed', `${subject}: not open`));
      if (bytes.length > LARGEST_DATAGRAM)
        return Promise.reject(new PortError('other', `${subject}: ${bytes.length} bytes do not fit in one datagram`));
      return new Promise((resolve, reject) => {
        s.send(bytes, (error) => (error ? reject(portError(subject, error)) : resolve()));
      });
    },
    // There is nothing to hold a sender of datagrams back with.
    pause() {},
    resume() {},
    close() {
      const s = socket;
      socket = undefined;
      return new Promise((resolve) => {
        if (s) s.close(() => resolve());
        else resolve();
      });
    },
  };
}
