/**
 * MQTT uplink (MQTT 3.1.1): each message published with QoS 1 in order, at most a window of them unacknowledged; a message
 * leaves the queue when its PUBACK is there. The status topic is retained: `online` at each connection, `offline` at the
 * end or by the last will. Reconnects for ever; wrong credentials or certificates end the run.
 */
import { type BackOff, backOff, type Clock, PortError, portError, sleep } from '@amiable/io';
import type { MqttClient } from 'mqtt';
import type { MqttOptions } from './options.ts';
import { createQueue, type QueueLimits } from './queue.ts';
import { createBell, type Uplink, waitUntil } from './uplink.ts';

const WINDOW = 64;
const BACK_OFF: BackOff = { first: 500, longest: 30_000 };

/** CONNACK codes that no repetition changes (MQTT 3.1.1 clause 3.2.2.3). */
const REFUSALS: Record<number, string> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'it refuses the client id; choose another with --mqtt-client-id',
  4: 'it refuses the user or the password',
  5: 'it does not let this user in; are user and password right?',
};

export interface MqttUplinkOptions {
  readonly mqtt: MqttOptions;
  readonly reader: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly tell: (line: string) => void;
  readonly limits?: QueueLimits;
}

export async function mqttUplink({ mqtt, reader, clock, random, tell, limits }: MqttUplinkOptions): Promise<Uplink> {
  const { connect } = await import('mqtt');
  const secure = mqtt.url.protocol === 'mqtts:';
  const port = Number(mqtt.url.port || (secure ? 8883 : 1883));
  const host = mqtt.url.hostname.replace(/^\[|\]$/g, '');
  const name = `broker ${mqtt.url.hostname}:${port}`;
  const queue = createQueue(limits);
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
  let lost = 0;
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
  let flight: { acknowledged: boolean }[] = [];
  let connected = false;

  const pump = () => {
    while (client && connected && !ended && flight.length < WINDOW) {
      const [line] = queue.look(flight.length, 1, Number.MAX_SAFE_INTEGER);
      if (line === undefined) return;
      const mark = { acknowledged: false };
      flight.push(mark);
      client.publish(mqtt.topic, line, { qos: 1, retain: false }, (error) => {
        // Of a connection that is gone: the line is published again on the next.
        if (error || !flight.includes(mark)) return;
        mark.acknowledged = true;
        let done = 0;
        while (flight[done]?.acknowledged) done++;
        flight.splice(0, done);
        queue.drop(done);
        delivered += done;
        if (done > 0) bell.ring();
        pump();
      });
    }
  };
  queue.onPut = pump;

  let cancelRetry = () => {};
  let said = '';
  const down = (error: PortError) => {
    fault = error.message;
    const final = error.reason === 'credentials' || error.reason === 'certificate';
    if (said === '' || final) tell(final ? error.message : `${error.message}. Trying again; messages wait in memory`);
    said = error.message;
    if (final && !ended) {
      ended = true;
      gaveUp = true;
      queue.close();
      giveUp(error);
    }
    bell.ring();
  };

  /** Each connection is a new client of the library, which thus has nothing of its own to send again. */
  const open = () => {
    const own = connect({
      protocol: secure ? 'mqtts' : 'mqtt',
      host,
      port,
      clientId: mqtt.clientId,
      ...(mqtt.user === undefined ? {} : { username: mqtt.user }),
      ...(mqtt.password === undefined ? {} : { password: mqtt.password }),
      ...mqtt.tls,
      ...(secure ? { servername: host } : {}),
      will: { topic: mqtt.statusTopic, payload: Buffer.from(status('offline', 'lost')), qos: 1, retain: true },
      keepalive: 30,
      connectTimeout: 10_000,
      reconnectPeriod: 0,
      clean: true,
    });
    client = own;
    own.on('connect', () => {
      if (client !== own) return;
      connected = true;
      if (said) tell(`${name}: connected`);
      said = '';
      fault = undefined;
      failures = 0;
      own.publish(mqtt.statusTopic, status('online'), { qos: 1, retain: true }, () => {});
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
      cancelRetry = clock.after(backOff(BACK_OFF, failures, random), open);
    });
  };
  open();

  const report = () => ({
    name,
    delivered,
    refused: 0,
    lost,
    gaveUp,
    waiting: queue.length,
    ...(fault === undefined ? {} : { fault }),
  });
  return {
    name,
    put: (line) => queue.put(line),
    lose() {
      lost++;
    },
    room: () => queue.room(),
    release: () => queue.wake(),
    hopeless,
    report,
    async finish(ms, cut) {
      await waitUntil(() => queue.length === 0 || ended, bell.next, clock, ms, cut);
      const result = report();
      cancelRetry();
      ended = true;
      queue.close();
      const last = client;
      if (!last) return result;
      // A broker that is there answers at once; one that hangs must not hold the program.
      let late = false;
      const patience = new AbortController();
      const goodbye = new Promise<void>((resolve) => {
        if (!connected) resolve();
        else last.publish(mqtt.statusTopic, status('offline', 'ended'), { qos: 1, retain: true }, () => resolve());
      });
      await Promise.race([goodbye, sleep(clock, 2000, patience.signal).then(() => (late = true))]);
      patience.abort();
      await new Promise<void>((resolve) => last.end(late || !connected, {}, () => resolve()));
      return result;
    },
  };
}
