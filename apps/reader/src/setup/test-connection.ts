/**
 * Tries one connection of the settings before they are saved, and says in steps what happens: a port is opened and listened to, a
 * broker is logged in to, a server is asked with an empty message. Nothing is published or stored by it.
 *
 * Decides: a device that the reader itself has open is watched there, for only one can hold a serial port.
 */
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { type Clock, portError, sleep, systemClock } from '@amiable/io';
import type { MqttConnection, PortConfig, PostUplinkConfig } from '../config/types.ts';
import { startPort } from '../service/port.ts';
import type { ReaderMachine, ReaderService } from '../service/types.ts';
import type { PageKey } from './i18n/index.ts';

/** ms a port is listened to: Kamstrup sends every 10 s, and both parities want their turn. */
const LISTEN = 45_000;
const LOOK = 250;
const ANSWER = 15_000;
const LARGEST_ANSWER = 64 * 1024;

export interface Step {
  readonly key: PageKey;
  readonly values?: Readonly<Record<string, string | number>>;
  /** Of the last step. */
  readonly result?: 'good' | 'bad';
  /** What the line itself said, in English. */
  readonly said?: string;
}
export type Tell = (step: Step) => void;

const failed = (why: string): Step => ({
  key: 'testFailed',
  values: { why: why.replace(/([?!])\.$/, '$1') },
  result: 'bad',
});

/** Ends early when `signal` is aborted. */
export async function testPort(
  config: PortConfig,
  {
    service,
    machine,
    tell,
    signal,
    listen = LISTEN,
  }: { service?: ReaderService | undefined; machine: ReaderMachine; tell: Tell; signal: AbortSignal; listen?: number },
): Promise<void> {
  const { clock } = machine;
  const seconds = Math.round(listen / 1000);
  const own = service?.status().ports.find((port) => port.device === config.device && port.state === 'up');
  let heard = 0;
  let sealed = 0;
  let protocol = '';
  let meter = '';
  const take = (m: { protocol: string; meterId?: string; error?: { reason: string } }) => {
    protocol = m.protocol;
    if (m.error) sealed++;
    else {
      heard++;
      meter = m.meterId ?? meter;
    }
  };
  /** A second message more often names the meter; who has one waits a moment for it. */
  const enough = (since: number) => heard > 0 && (meter !== '' || clock.now() - since > 12_000);
  const verdict = (bytes: number): Step => {
    if (heard > 0) return { key: 'testFound', values: { protocol, n: heard, meter: meter || '–' }, result: 'good' };
    if (sealed > 0) return { key: 'testSealed', values: { protocol }, result: 'bad' };
    if (bytes > 0) return { key: 'testNoise', values: { n: bytes }, result: 'bad' };
    return { key: 'testNothing', values: { n: seconds }, result: 'bad' };
  };
  const begun = clock.now();
  if (own && service) {
    tell({ key: 'testWatching', values: { n: seconds } });
    const before = own.counters.bytes;
    const end = service.onMessage((m) => {
      if (m.port === own.name) take(m);
    });
    try {
      while (!enough(begun) && clock.now() - begun < listen && !signal.aborted) await sleep(clock, LOOK, signal);
    } finally {
      end();
    }
    const now = service.status().ports.find((port) => port.name === own.name);
    tell(verdict((now?.counters.bytes ?? before) - before));
    return;
  }
  tell({ key: 'testOpening', values: { device: config.device } });
  let line: string | undefined;
  const port = startPort({
    reader: 'test',
    config,
    machine: {
      ...machine,
      tell(text) {
        line = text.replace(`${config.name}: `, '');
      },
    },
    message: take,
  });
  try {
    let open = false;
    let told: string | undefined;
    while (!enough(begun) && clock.now() - begun < listen && !signal.aborted) {
      await sleep(clock, LOOK, signal);
      const { state, fault } = port.status();
      if (state === 'down' && fault !== undefined && !open) return tell(failed(`${fault}.`));
      if (state === 'up' && !open) tell({ key: 'testWaiting', values: { n: seconds } });
      open ||= state === 'up';
      if (open && line !== undefined && line !== told && !/^reading /.test(line))
        tell({ key: 'testWaiting', values: { n: seconds }, said: line });
      told = line;
    }
    tell(verdict(port.status().counters.bytes));
  } finally {
    await port.stop(false);
  }
}

const REFUSED: Readonly<Record<number, string>> = {
  1: 'it does not speak MQTT 3.1.1',
  2: 'it refuses the client id',
  4: 'it refuses the user or the password',
  5: 'it does not let this user in; are user and password right?',
};

export async function testBroker(
  connection: MqttConnection,
  { tell, signal }: { tell: Tell; signal: AbortSignal },
): Promise<void> {
  const { connect } = await import('mqtt');
  const target = `${connection.host}:${connection.port}`;
  tell({ key: 'testConnecting', values: { target } });
  const client = connect({
    protocol: connection.secure ? 'mqtts' : 'mqtt',
    host: connection.host,
    port: connection.port,
    // Not the uplink's own id, for that would throw the uplink out.
    clientId: `${connection.clientId}-test`,
    ...(connection.user === undefined ? {} : { username: connection.user }),
    ...(connection.password === undefined ? {} : { password: connection.password }),
    ...connection.tls,
    ...(connection.secure ? { servername: connection.host } : {}),
    connectTimeout: ANSWER,
    reconnectPeriod: 0,
    clean: true,
  });
  const result = await new Promise<Step>((resolve) => {
    const abort = () => resolve(failed(`${target}: the test was ended.`));
    signal.addEventListener('abort', abort, { once: true });
    client.on('connect', () => resolve({ key: 'testBroker', result: 'good' }));
    client.on('error', (error: Error & { code?: unknown }) => {
      const refusal = typeof error.code === 'number' ? REFUSED[error.code] : undefined;
      resolve(failed(`${refusal ? `${target}: ${refusal}` : portError(target, error).message}.`));
    });
    client.on('close', () => resolve(failed(`${target}: no answer; is it an MQTT broker?`)));
  });
  tell(result);
  await new Promise<void>((resolve) => client.end(true, {}, () => resolve()));
}

export async function testServer(
  { url, apiKey, tls }: PostUplinkConfig,
  { tell, signal, clock = systemClock }: { tell: Tell; signal: AbortSignal; clock?: Clock },
): Promise<void> {
  const to = new URL(url);
  const target = to.host;
  tell({ key: 'testPosting', values: { target } });
  const odd = (why: string): Step => ({ key: 'testServerOdd', values: { why }, result: 'bad' });
  try {
    const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const request = (to.protocol === 'https:' ? secureRequest : plainRequest)(
        to,
        {
          method: 'POST',
          ...tls,
          headers: {
            'content-type': 'application/x-ndjson',
            'content-length': 3,
            ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          },
          timeout: ANSWER,
          signal,
        },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            body += part;
            if (body.length < LARGEST_ANSWER) return;
            // Enough to know what it is.
            response.destroy();
            resolve({ status: response.statusCode ?? 0, body });
          });
          response.on('error', reject);
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      const tooLong = () => request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }));
      request.on('timeout', tooLong);
      // One that answers drop by drop is never silent for so long.
      const end = clock.after(ANSWER, tooLong);
      request.on('close', end);
      request.on('error', reject);
      request.end('{}\n');
    });
    const isJson = /^\s*[{[]/.test(answer.body);
    if (answer.status === 401 || answer.status === 403)
      tell(failed(`${target}: ${apiKey === undefined ? 'it wants an API key' : 'it does not accept this API key'}.`));
    // An empty object is no message: a server for messages reads it, and says so.
    else if ((answer.status === 200 || answer.status === 422 || answer.status === 400) && isJson)
      tell({ key: 'testServer', result: 'good' });
    else if (answer.status === 503 || answer.status === 429)
      tell(failed(`${target}: it answers ${answer.status}: it is there, but takes nothing just now.`));
    else tell(odd(isJson || answer.body === '' ? `answer ${answer.status}` : `answer ${answer.status}, a web page`));
  } catch (error) {
    tell(failed(`${portError(target, error).message}.`));
  }
}
