/**
 * Ingest from a broker that is not ours (Mosquitto and the like): persistent QoS 1 subscriptions whose acknowledgements wait
 * for the commit. While the database is away nothing is acknowledged, and the broker keeps what it has.
 *
 * A client handles one message at a time, and a commit takes milliseconds; so several connections share one subscription
 * (MQTT 5, 4.8.2) and their messages share commits. A broker that refuses shared subscriptions gets one plain connection.
 */
import type { Message } from '@amiable/model';
import { MessageFormatError, messageFromJson } from '@amiable/model/schemas';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { createQuietLog, type QuietLog } from '../log/quiet.ts';
import type { Ingest } from './ingest.ts';

const TOPIC = 'amiable/+/message';
const DEFAULT_CONNECTIONS = 16;
/** How long the broker keeps messages for us while we are away, s. */
const SESSION = 7 * 86_400;

export interface SubscribeOptions {
  /** mqtt://[user:password@]host:port or mqtts://… */
  readonly url: string;
  /** Sessions at the broker go by this name; keep it over restarts so that nothing published meanwhile is missed. */
  readonly clientId: string;
  readonly ingest: (messages: readonly Message[]) => ReturnType<Ingest>;
  readonly tls?: Pick<IClientOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>;
  readonly login?: { readonly user: string; readonly password: string };
  readonly connections?: number;
  /** Pause before a connection is made anew, ms. */
  readonly reconnect?: number;
  readonly log: (line: string) => void;
}

export interface Subscription {
  readonly connections: number;
  close(): Promise<void>;
}

export async function subscribeBroker(options: SubscribeOptions): Promise<Subscription> {
  const { log, connections = DEFAULT_CONNECTIONS } = options;
  const tell = createQuietLog(log);
  const first = await open(options, 0, tell);
  const clients = [first];
  try {
    if (connections > 1 && (await granted(first, `$share/amiable/${TOPIC}`))) {
      for (let i = 1; i < connections; i++) {
        const client = await open(options, i, tell);
        clients.push(client);
        await client.subscribeAsync(`$share/amiable/${TOPIC}`, { qos: 1 });
      }
    } else {
      if (connections > 1) log('mqtt: the broker knows no shared subscriptions; one connection takes all, more slowly');
      await first.subscribeAsync(TOPIC, { qos: 1 });
    }
  } catch (error) {
    await Promise.all(clients.map((client) => client.endAsync(true)));
    throw error;
  }
  return {
    connections: clients.length,
    close: async () => {
      await Promise.all(clients.map((client) => client.endAsync()));
    },
  };
}

async function granted(client: MqttClient, topic: string): Promise<boolean> {
  try {
    const answers = await client.subscribeAsync(topic, { qos: 1 });
    return answers.every((answer) => answer.qos < 128);
  } catch {
    return false;
  }
}

async function open(options: SubscribeOptions, number: number, tell: QuietLog): Promise<MqttClient> {
  const { ingest, reconnect = 2000 } = options;
  const client: MqttClient = await connectAsync(options.url, {
    clientId: `${options.clientId}-${number}`,
    // MQTT 5: the client library leaves acknowledgements to us in this version only.
    protocolVersion: 5,
    clean: false,
    properties: { sessionExpiryInterval: SESSION },
    reconnectPeriod: reconnect,
    resubscribe: true,
    ...options.tls,
    ...(options.login ? { username: options.login.user, password: options.login.password } : {}),
    // Called before PUBACK is sent; the acknowledgement waits for `done`.
    customHandleAcks: (topic, payload, _packet, done) => {
      let message: Message;
      try {
        message = messageFromJson(JSON.parse(payload.toString()));
      } catch (error) {
        tell('mqtt, refused', `${topic}: ${error instanceof MessageFormatError ? error.message : 'no JSON'}`);
        return done(0);
      }
      ingest([message]).then(
        () => done(0),
        (error: Error) => {
          // Not acknowledged, so the broker sends it again when this session comes back.
          tell('mqtt, not acknowledged', `${topic}: ${error.message}; it will be sent again`);
          client.stream.destroy();
        },
      );
    },
  });
  client.on('error', (error) => tell('mqtt, broker', error.message));
  return client;
}
