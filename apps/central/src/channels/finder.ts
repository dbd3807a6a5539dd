/**
 * How the acquisition worker gets to meters that have no address of their own: over a modem, or behind another meter.
 *
 * Decides: what is the external meter's own (protocol, lower address, device address) and what is its master's (line, channel).
 */
import type { SessionLink } from '@amiable/meter';
import type { Connection, MeterId, Store } from '@amiable/store';
import { type ChannelDevice, channelDevice } from './device.ts';
import type { Lines } from './lines.ts';
import { reachedBy } from './via.ts';

/** The modems of channels as they are kept; looked up for each call, so that a change holds from the next one on. */
export function channelsOf(store: Pick<Store, 'work'>): (name: string) => Promise<ChannelDevice | undefined> {
  return async (name) => {
    const found = (await store.work.channels.list()).find(
      (channel) => channel.kind === 'channel' && channel.name === name,
    );
    const device = found?.device ? channelDevice.safeParse(found.device) : undefined;
    return device?.success ? device.data : undefined;
  };
}

/** As the worker's option `lines`. */
export function createLineFinder(
  lines: Lines,
  find: (meter: MeterId) => Promise<Connection | undefined>,
): (connection: Connection) => Promise<{ readonly connection: Connection; readonly link: SessionLink }> {
  return async (connection) => {
    const { address, channel, share, order } = await reachedBy(connection, find);
    const whole: Connection = { ...connection, address, ...(channel !== undefined && { channel }) };
    return { connection: whole, link: lines.link({ address, channel, share, order }) };
  };
}
