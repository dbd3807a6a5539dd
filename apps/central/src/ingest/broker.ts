/**
 * The embedded MQTT broker. Readers publish `amiable/<reader>/message`; the PUBACK of QoS 1 leaves only after the message
 * is committed, so a reader that was not acknowledged sends again and nothing is lost. A message that can never be taken
 * (no JSON, wrong form) is acknowledged and counted, since sending it again would not mend it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { type Message, messageToJson } from '@amiable/model';
import { MessageFormatError, messageFromJson } from '@amiable/model/schemas';
import { Aedes } from 'aedes';
import { createQuietLog } from '../log/quiet.ts';
import {
  createRetainedBound,
  createSessions,
  MAX_BACKLOG,
  MAX_STATUS,
  MAX_SUBSCRIPTIONS,
  type Outgoing,
} from './broker-bounds.ts';
import type { Ingest } from './ingest.ts';
import { guarded } from './mqtt-guard.ts';

const TOPIC = /^amiable\/([^/+#]{1,100})\/(message|status)$/;
const MAX_PACKET = 512 * 1024;

export interface BrokerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly ingest: Ingest;
  /** Without it anybody who reaches the port may publish, which is why it binds to loopback. */
  readonly login?: { readonly user: string; readonly password: string };
  readonly log: (line: string) => void;
}

export interface Broker {
  readonly port: number;
  readonly clients: number;
  readonly refused: number;
  /** Messages that slow subscribers did not get. */
  readonly passedBy: number;
  /** Gives committed messages of readers in this process to those who subscribed. */
  publish(messages: readonly Message[]): void;
  close(): Promise<void>;
}

const digest = (text: string | Uint8Array): Buffer => createHash('sha256').update(text).digest();
const same = (a: string | Uint8Array, b: string): boolean => timingSafeEqual(digest(a), digest(b));

export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { ingest, login } = options;
  const tell = createQuietLog(options.log);
  const sessions = createSessions();
  const mayRetain = createRetainedBound();
  const subscribed = new WeakMap<object, Set<string>>();
  let refused = 0;
  let passedBy = 0;
  /** Messages that came over this broker: their subscribers have them from their sender. */
  const own = new WeakSet<Message>();
  const aedes = await Aedes.createBroker({
    // No queue between publishers and subscribers: a slow subscriber is passed by (authorizeForward), not waited for.
    concurrency: 0,
    preConnect: (_client, packet, done) => {
      const long = (packet.will?.payload.length ?? 0) > MAX_STATUS;
      done(long ? new Error(`a will of more than ${MAX_STATUS} bytes`) : null, !long);
    },
    authenticate: (client, user, password, done) => {
      const good = !login || (same(user ?? '', login.user) && same(password ?? '', login.password));
      if (!good) return done(Object.assign(new Error('bad user or password'), { returnCode: 4 }), false);
      if (sessions.admit(client.id, client.clean)) return done(null, true);
      done(Object.assign(new Error('too many sessions are kept; connect with a clean one'), { returnCode: 3 }), false);
    },
    authorizeSubscribe: (client, subscription, done) => {
      const topics = subscribed.get(client) ?? new Set<string>();
      subscribed.set(client, topics.add(subscription.topic));
      // No subscription: the client is told so in its SUBACK.
      done(null, topics.size <= MAX_SUBSCRIPTIONS && subscription.topic.length <= 300 ? subscription : null);
    },
    authorizeForward: (client, packet) => {
      if (client.conn.writableLength <= MAX_BACKLOG) return packet;
      passedBy++;
      tell('mqtt, slow subscriber', `${client.id} does not read what it subscribed to; messages pass it by`);
      return null;
    },
    authorizePublish: (client, packet, done) => {
      const topic = TOPIC.exec(packet.topic);
      // Without a client it is this program itself, passing on what is already stored.
      if (!client) return done(null);
      if (!topic) return done(new Error(`topic ${packet.topic} is not taken here`));
      if (topic[2] === 'status') {
        if (packet.payload.length > MAX_STATUS)
          return done(new Error(`a status has at most ${MAX_STATUS} bytes, not ${packet.payload.length}`));
        if (packet.retain && !mayRetain(packet.topic, packet.payload.length === 0)) packet.retain = false;
        return done(null);
      }
      // Messages are kept in the database, not in the broker.
      packet.retain = false;
      let message: Message;
      try {
        message = messageFromJson(JSON.parse(packet.payload.toString()));
      } catch (error) {
        refused++;
        const why = error instanceof MessageFormatError ? error.message : 'no JSON';
        tell('mqtt, refused', `message of ${topic[1]}: ${why}`);
        // Kept away from those who rely on the form of what they subscribed to, and shown to those who look for it.
        packet.topic = `amiable/${topic[1]}/refused`;
        return done(null);
      }
      own.add(message);
      ingest([message]).then(
        () => done(null),
        (error: Error) => {
          tell('mqtt, not acknowledged', `message of ${topic[1]}: ${error.message}`);
          done(error);
        },
      );
    },
  });
  Object.assign((aedes as unknown as { persistence: Outgoing }).persistence, sessions);
  aedes.on('clientError', (client, error) => tell('mqtt, client', `${client?.id}: ${error.message}`));
  aedes.on('connectionError', (_client, error) => tell('mqtt, connection', `refused: ${error.message}`));

  const server: Server = createServer((socket) => {
    aedes.handle(
      guarded(socket, MAX_PACKET, () => {
        refused++;
        tell('mqtt, connection', `a packet of more than ${MAX_PACKET} bytes was announced; ended`);
      }),
    );
  });
  server.maxConnections = 10_000;
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => resolve((server.address() as { port: number }).port));
  });
  return {
    port,
    get clients() {
      return aedes.connectedClients;
    },
    get refused() {
      return refused;
    },
    get passedBy() {
      return passedBy;
    },
    publish(messages) {
      if (aedes.connectedClients === 0) return;
      for (const message of messages) {
        if (own.has(message)) continue;
        aedes.publish(
          {
            cmd: 'publish',
            topic: `amiable/${message.reader.replace(/[^\p{L}\p{N}_. -]/gu, '_')}/message`,
            payload: messageToJson(message, { raw: true }),
            qos: 0,
            dup: false,
            retain: false,
          },
          () => {},
        );
      }
    },
    close: () =>
      new Promise((resolve) => {
        aedes.close(() => server.close(() => resolve()));
      }),
  };
}
