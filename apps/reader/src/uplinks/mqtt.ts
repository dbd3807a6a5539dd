/**
 * MQTT uplink (MQTT 3.1.1): each message published with QoS 1 in order, at most a window of them unacknowledged; a message
 * leaves the outbox when its PUBACK is there. The status topic is retained: `online` at each connection, `offline` at the
 * end or by the last will. Reconnects for ever; wrong credentials or certificates end it, or make it slow where it is patient.
 */
import { type BackOff, backOff, PortError, portError, sleep } from '@amiable/io';
import type { MqttClient } from 'mqtt';
import type { MqttConnection } from '../config/types.ts';
import { andThen } from '../words.ts';
import { createBell, SLOWLY, type Uplink, type UplinkCommon, type UplinkReport, waitUntil } from './uplink.ts';

/** Unacknowledged at a time: at first, at least, at most. */
const WINDOW = { first: 64, least: 16, most: 6144 };
/** An acknowledgement within so many ms lets the window grow; one that takes longer than `late` halves it: the line is slow, and
 * what fills it would hold back the signs of life of the connection. */
const PROMPT = { soon: 1500, late: 6000 };
const BACK_OFF: BackOff = { first: 500, longest: 30_000 };

/** CONNACK codes that no repetition changes (MQTT 3.1.1 clause 3.2.2.3). */
const REFUSALS: Record<number, string> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'it refuses the client id; choose another one',
  4: 'it refuses the user or the password',
  5: 'it does not let this user in; are user and password right?',
};

export interface MqttUplinkOptions extends UplinkCommon {
  readonly connection: MqttConnection;
  readonly topic: string;
  readonly statusTopic: string;
  readonly reader: string;
}

export async function mqttUplink(options: MqttUplinkOptions): Promise<Uplink> {
  const { outbox, connection, topic, statusTopic, reader, clock, random, tell, patient = false } = options;
  const { connect } = await import('mqtt');
  const { host, port, secure } = connection;
  const name = `broker ${host.includes(':') ? `[${host}]` : host}:${port}`;
  const bell = createBell();
  const status = (state: 'online' | 'offline', reason?: string) =>
    JSON.stringify({
      v: 1,
      reader,
      state,
      ...(state === 'online' ? { at: new Date(clock.now()).toISOString() } : {}),
      ...(reason ? { reason } : {}),
    });

  let delivered = 0;
  let lastDelivery: number | undefined;
  let fault: string | undefined;
  let failures = 0;
  let ended = false;
  let gaveUp = false;
  let giveUp: (error: PortError) => void = () => {};
  const hopeless = new Promise<PortError>((resolve) => {
    giveUp = resolve;
  });

  let client: MqttClient | undefined;
  /** Published and not yet acknowledged, counted from the head of the queue. */
  let flight: { acknowledged: boolean; readonly at: number }[] = [];
  let window = WINDOW.first;
  let connected = false;

  const pump = () => {
    if (!client || !connected || ended || flight.length > window * 0.8) return;
    const own = flight;
    const at = clock.now();
    for (const line of outbox.look(flight.length, window - flight.length, Number.MAX_SAFE_INTEGER)) {
      const mark = { acknowledged: false, at };
      own.push(mark);
      client.publish(topic, line, { qos: 1, retain: false }, (error) => {
        // Of a connection that is gone: the line is published again on the next.
        if (error || flight !== own) return;
        mark.acknowledged = true;
        let done = 0;
        while (own[done]?.acknowledged) done++;
        if (done === 0) return;
        own.splice(0, done);
        outbox.drop(done);
        delivered += done;
        lastDelivery = clock.now();
        const took = lastDelivery - at;
        if (took < PROMPT.soon) window = Math.min(WINDOW.most, window + done);
        else if (took > PROMPT.late) window = Math.max(WINDOW.least, window >> 1);
        bell.ring();
        pump();
      });
    }
  };
  outbox.onPut = pump;

  let cancelRetry = () => {};
  let said = '';
  /** The last fault is one that time does not mend. */
  let hard = false;
  const down = (error: PortError) => {
    fault = error.message;
    const final = error.reason === 'credentials' || error.reason === 'certificate';
    hard = final;
    // A patient one tells each thing once, however often it is tried.
    if (final ? !patient || said !== error.message : said === '')
      tell(final && !patient ? error.message : andThen(error.message, 'Trying again; messages wait'));
    said = error.message;
    if (final && !ended && !patient) {
      ended = true;
      gaveUp = true;
      outbox.close();
      giveUp(error);
    }
    bell.ring();
  };

  /** Each connection is a new client of the library, which thus has nothing of its own to send again. */
  const open = () => {
    const { clientId, user, password, tls } = connection;
    const own = connect({
      protocol: secure ? 'mqtts' : 'mqtt',
      host,
      port,
      clientId,
      ...(user === undefined ? {} : { username: user }),
      ...(password === undefined ? {} : { password }),
      ...tls,
      ...(secure ? { servername: host } : {}),
      will: { topic: statusTopic, payload: Buffer.from(status('offline', 'lost')), qos: 1, retain: true },
      keepalive: 30,
      connectTimeout: 10_000,
      reconnectPeriod: 0,
      clean: true,
    });
    client = own;
    own.on('connect', () => {
      if (client !== own) return;
      connected = true;
      hard = false;
      window = WINDOW.first;
      outbox.again();
      if (said) tell(`${name}: connected`);
      said = '';
      fault = undefined;
      failures = 0;
      own.publish(statusTopic, status('online'), { qos: 1, retain: true }, () => {});
      pump();
      bell.ring();
    });
    own.on('error', (error: Error & { code?: unknown }) => {
      const refusal = typeof error.code === 'number' ? REFUSALS[error.code] : undefined;
      if (client === own)
        down(refusal ? new PortError('credentials', `${name}: ${refusal}`, error) : portError(name, error));
    });
    own.on('close', () => {
      if (client !== own) return;
      client = undefined;
      const was = connected;
      connected = false;
      flight = [];
      if (ended) return;
      if (was) down(new PortError('closed', `${name}: the connection is lost`));
      else if (!said) down(new PortError('timeout', `${name}: no answer`));
      failures++;
      cancelRetry = clock.after(hard ? SLOWLY : backOff(BACK_OFF, failures, random), open);
    });
  };
  open();

  const report = (): UplinkReport => ({
    name,
    delivered,
    refused: 0,
    lost: outbox.lost,
    gaveUp,
    waiting: outbox.length,
    state: connected ? 'up' : fault === undefined ? 'connecting' : 'down',
    ...(fault === undefined ? {} : { fault }),
    ...(lastDelivery === undefined ? {} : { lastDelivery }),
  });
  return {
    name,
    hopeless,
    report,
    async finish(ms, cut) {
      outbox.hurry();
      await waitUntil(() => outbox.length === 0 || ended, bell.next, clock, ms, cut);
      const result = report();
      cancelRetry();
      ended = true;
      outbox.close();
      const last = client;
      if (!last) return result;
      // A broker that is there answers at once; one that hangs must not hold the program.
      let late = false;
      const patience = new AbortController();
      const goodbye = new Promise<void>((resolve) => {
        if (!connected) resolve();
        else last.publish(statusTopic, status('offline', 'ended'), { qos: 1, retain: true }, () => resolve());
      });
      await Promise.race([goodbye, sleep(clock, 2000, patience.signal).then(() => (late = true))]);
      patience.abort();
      await new Promise<void>((resolve) => last.end(late || !connected, {}, () => resolve()));
      return result;
    },
  };
}
