/** The uplinks of the service: each with its cursor, begun by its configuration, replaced when that changes. */
import type { UplinkConfig } from '../config/types.ts';
import type { Cursor } from '../spool/cursor.ts';
import type { Spool } from '../spool/spool.ts';
import type { Uplink } from '../uplinks/uplink.ts';
import type { InProcess, ReaderMachine, UplinkStatus } from './types.ts';

export interface ServiceUplink {
  readonly name: string;
  status(): UplinkStatus;
  /** Gives it `ms` to deliver what waits; where it is stays known. */
  stop(ms: number): Promise<void>;
}

async function connect(
  config: UplinkConfig,
  reader: string,
  outbox: Cursor,
  machine: Pick<ReaderMachine, 'clock' | 'random' | 'tell'>,
): Promise<Uplink> {
  const shared = { outbox, clock: machine.clock, random: machine.random, tell: machine.tell, patient: true };
  if (config.type === 'mqtt') {
    const { mqttUplink } = await import('../uplinks/mqtt.ts');
    const { connection, topic, statusTopic } = config;
    return mqttUplink({ connection, topic, statusTopic, reader, ...shared });
  }
  const { postUplink } = await import('../uplinks/post.ts');
  const { url, apiKey, tls } = config;
  return postUplink({ post: { url: new URL(url), ...(apiKey === undefined ? {} : { apiKey }), tls }, ...shared });
}

export async function startUplink(
  config: UplinkConfig,
  reader: string,
  spool: Spool,
  machine: ReaderMachine,
): Promise<ServiceUplink> {
  const { name, type, interval, thin } = config;
  const cursor = spool.cursor({ name, from: 'oldest', interval, thin, newestFirst: true });
  try {
    return serviceUplink(name, type, spool, cursor, await connect(config, reader, cursor, machine));
  } catch (error) {
    await spool.detach(cursor);
    throw error;
  }
}

export async function startInProcess(to: InProcess, spool: Spool, machine: ReaderMachine): Promise<ServiceUplink> {
  const { inProcessUplink } = await import('../uplinks/in-process.ts');
  const cursor = spool.cursor({ name: to.name, from: 'oldest', interval: 0, thin: false, newestFirst: true });
  const { clock, random, tell } = machine;
  return serviceUplink(to.name, 'central', spool, cursor, inProcessUplink({ outbox: cursor, to, clock, random, tell }));
}

function serviceUplink(
  name: string,
  type: UplinkStatus['type'],
  spool: Spool,
  cursor: Cursor,
  uplink: Uplink,
): ServiceUplink {
  return {
    name,
    status() {
      const { delivered, refused, refusal, waiting, state, fault, lastDelivery } = uplink.report();
      return {
        name,
        type,
        target: uplink.name,
        state,
        ...(fault === undefined ? {} : { fault }),
        cursor: cursor.next,
        waiting,
        delivered,
        refused,
        ...(refusal === undefined ? {} : { refusal }),
        thinned: cursor.thinned,
        ...(lastDelivery === undefined ? {} : { lastDelivery }),
      };
    },
    async stop(ms) {
      await uplink.finish(ms);
      await spool.detach(cursor);
    },
  };
}
