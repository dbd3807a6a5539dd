/**
 * A test of one port or uplink as it is typed, told line by line while it runs.
 *
 * Decides: everything else in the form may be unfinished; only the member's own settings, and what it takes from others, are looked at.
 */
import { dirname } from 'node:path';
import { portError } from '@amiable/io';
import { buildConfig } from '../config/build.ts';
import { memberOf } from '../config/schema.ts';
import type { PageHost } from './host.ts';
import type { Visit } from './layout.ts';
import { secretsToRetype } from './retype.ts';
import type { SentForm } from './settings-page.ts';
import { type Step, testBroker, testPort, testServer } from './test-connection.ts';

export async function sendTest(
  host: PageHost,
  visit: Visit,
  form: URLSearchParams,
  { loaded, changes }: SentForm,
): Promise<void> {
  const { response, speech, request } = visit;
  const what = /^test\.(.*)$/.exec(form.get('do') ?? '')?.[1] ?? '';
  const preview = await host.store.preview(changes);
  const ending = new AbortController();
  response.on('close', () => ending.abort());
  response.writeHead(200, {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  const say = (step: Step) => {
    if (response.destroyed) return;
    const text = step.said ?? speech.t(step.key, step.values);
    response.write(`${JSON.stringify({ text, ...(step.result ? { result: step.result } : {}) })}\n`);
  };
  const member = memberOf(`${what}.x`);
  const family = member ? `${what}.` : 'homeassistant.';
  const given = new Map<string, string>();
  for (const [name, { text }] of preview.origins)
    if (name === 'reader' || name.startsWith(family) || (!member && name.startsWith('mqtt.1.'))) given.set(name, text);
  if (!member) given.set('homeassistant.enabled', 'yes');
  const { config, faults } = buildConfig(given, { hostName: host.hostName, folder: dirname(host.store.file) });
  const again = secretsToRetype(changes, loaded.origins).filter(({ name }) => name !== undefined && given.has(name));
  if (!config || again.length > 0)
    for (const fault of [...faults, ...again])
      say({ key: 'testNeeds', said: `${fault.name}: ${speech.fault(fault)}`, result: 'bad' });
  else {
    const [port] = config.ports;
    const [uplink] = config.uplinks;
    const shared = { tell: say, signal: ending.signal };
    try {
      if (port)
        await testPort(port, {
          ...shared,
          service: host.service(),
          machine: host.machine,
          ...(host.listen === undefined ? {} : { listen: host.listen }),
        });
      else if (!member && config.gateways.homeAssistant)
        await testBroker(config.gateways.homeAssistant.connection, shared);
      else if (uplink?.type === 'mqtt') await testBroker(uplink.connection, shared);
      else if (uplink?.type === 'post') await testServer(uplink, { ...shared, clock: host.clock });
      else say({ key: 'testNeeds', result: 'bad' });
    } catch (error) {
      say({ key: 'testFailed', values: { why: portError(what, error).message }, result: 'bad' });
    }
  }
  request.resume();
  response.end();
}
