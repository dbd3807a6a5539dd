/** Each message once as JSON to a multicast group of the LAN, as `amiable read -m` does. Messages too large for one datagram are counted and left out. */
import { multicastSender, PortError } from '@amiable/io';
import { messageToJson } from '@amiable/model';
import type { MulticastConfig } from '../config/types.ts';
import type { ReaderService } from '../service/types.ts';
import type { Gateway } from './types.ts';

/** Datagrams handed to the system and not gone yet; more are left out, for who listens wants the newest. */
const MOST_UNDERWAY = 100;

export async function startMulticast(
  config: MulticastConfig,
  service: Pick<ReaderService, 'onMessage'>,
  tell: (line: string) => void,
): Promise<Gateway> {
  const sender = await multicastSender(config);
  let sent = 0;
  let underway = 0;
  let fault: string | undefined;
  const end = service.onMessage((m) => {
    if (underway >= MOST_UNDERWAY) return;
    underway++;
    sender
      .send(Buffer.from(messageToJson(m)))
      .then(
        () => {
          sent++;
          fault = undefined;
        },
        (error: Error) => {
          const words = error instanceof PortError ? error.message : `${sender.describe}: ${error.message}`;
          if (fault !== words) tell(words);
          fault = words;
        },
      )
      .finally(() => underway--);
  });
  return {
    name: sender.describe,
    status: () => ({
      name: sender.describe,
      state: fault === undefined ? 'up' : 'down',
      count: sent,
      ...(fault === undefined ? {} : { fault }),
    }),
    async close() {
      end();
      await sender.close();
    },
  };
}
