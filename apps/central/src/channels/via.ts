/**
 * Meters behind meters: `via:METER` is the line of another meter, with an address of one's own on it: the HDLC lower address (`physical`) or the
 * device address of IEC 62056-21, where the master passes its sign-on through.
 *
 * Decides: the line is the master's, all else the external meter's own; at most three levels, no circles. Leaves out: the order on the line
 * (lines.ts).
 */
import { MisuseError } from '@amiable/bytes';
import type { Connection, MeterId } from '@amiable/store';

export interface ReachedBy {
  /** Of the master: where the line goes. */
  readonly address: string;
  readonly channel?: string;
  /** The master, or the meter itself. */
  readonly share: MeterId;
  /** 0 for a meter with a line of its own, else how many stand before it. */
  readonly order: number;
}

const DEEPEST = 3;
const VIA = /^via:(\d{1,18})$/;

/** The meter that this one is behind; undefined when it has a line of its own. @throws MisuseError for `via:` without a meter */
export function masterOf(address: string): MeterId | undefined {
  if (!address.startsWith('via:')) return undefined;
  const found = VIA.exec(address);
  if (!found)
    throw new MisuseError(`${JSON.stringify(address.slice(0, 40))}: write via: and the number of the meter in front`);
  return found[1] as MeterId;
}

/** @throws MisuseError where a master is missing, or the way leads in a circle */
export async function reachedBy(
  connection: Pick<Connection, 'meter' | 'address' | 'channel'>,
  find: (meter: MeterId) => Promise<Pick<Connection, 'meter' | 'address' | 'channel'> | undefined>,
): Promise<ReachedBy> {
  const seen = [connection.meter];
  let at = connection;
  for (let order = 0; ; order++) {
    const master = masterOf(at.address);
    if (master === undefined) {
      const { address, channel } = at;
      return { address, share: at.meter, order, ...(channel !== undefined && { channel }) };
    }
    if (seen.includes(master))
      throw new MisuseError(
        `meter ${connection.meter}: its way leads in a circle (${[...seen, master].join(' via ')})`,
      );
    if (order >= DEEPEST)
      throw new MisuseError(`meter ${connection.meter}: more than ${DEEPEST} meters stand before it`);
    seen.push(master);
    const next = await find(master);
    if (!next)
      throw new MisuseError(`meter ${connection.meter} is reached via meter ${master}, which has no connection`);
    at = next;
  }
}
