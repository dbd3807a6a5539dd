/** A meter's optical port on a socket of this machine. */
import { serveOpticalPort, type TariffDevice } from '@amiable/iec62056-21';
import { type IncomingConnection, type Listener, listenTcp, systemClock } from '@amiable/io';

export const listenOptical = (device: TariffDevice): Promise<Listener> =>
  listenTcp({ host: '127.0.0.1', port: 0 }, (connection: IncomingConnection) => {
    let inner: { data(bytes: Uint8Array): void; closed(error?: Error): void } | undefined;
    void serveOpticalPort({
      link: {
        describe: 'socket',
        open: async (events) => {
          inner = events;
        },
        write: async (bytes) => connection.write(bytes),
        close: async () => connection.close(),
      },
      clock: systemClock,
      maker: 'AMI',
      identification: 'VM',
      baud: 9600,
      device,
    });
    return { data: (bytes) => inner?.data(bytes), closed: () => inner?.closed() };
  });
