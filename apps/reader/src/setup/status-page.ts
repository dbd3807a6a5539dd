/**
 * What the reader says of itself: the status page and the stream of its changes, and for machines /state, /health and /metrics.
 *
 * Decides: listeners are bounded; each is told at once of changes, once a second at most, and every five seconds that it still lives.
 */
import type { ServerResponse } from 'node:http';
import { healthCauses, metricsText } from '../gateways/prometheus.ts';
import type { PageHost } from './host.ts';
import { dataElement, html } from './html.ts';
import { send } from './http.ts';
import { type Language, speechOf } from './i18n/index.ts';
import { sendPage, type Visit } from './layout.ts';
import { statusView } from './status-view.ts';

const MOST_LISTENERS = 16;
const BEAT = 5000;
const LEAST_BEAT = 1000;

export interface StatusPage {
  show(visit: Visit): void;
  /** Server-sent events. */
  events(visit: Visit): void;
  state(visit: Visit): void;
  health(response: ServerResponse): void;
  /** `all`: what was read, too. */
  metrics(response: ServerResponse, all: boolean): void;
}

export function createStatusPage(host: PageHost): StatusPage {
  const { clock } = host;
  const now = () => clock.now();
  const listeners = new Set<ServerResponse>();

  const causes = () => healthCauses(host.service()?.status(), host.gateways()?.status() ?? []);
  const stateOf = (language: Language, since?: number) => {
    const gateways = host.gateways();
    return statusView({
      status: host.service()?.status(),
      values: gateways?.values,
      curves: host.curves(),
      gateways: gateways?.status() ?? [],
      causes: causes(),
      now: now(),
      dictionary: speechOf(language).dictionary,
      since,
    });
  };
  const statusPage = (visit: Visit) => {
    const { speech } = visit;
    const content = html`<p class="top"><span></span><span class="line" id="line" role="status">${speech.t('live')}</span></p><div id="live"></div><noscript><p class="note bad">${speech.t('scriptNeeded')}</p></noscript>`;
    sendPage(host, visit, 200, speech.t('status'), content, {
      script: '/status.js',
      data: html`${dataElement('texts', speech.dictionary.page)}${dataElement('state', stateOf(speech.language))}`,
    });
  };
  const events = ({ response, speech }: Visit) => {
    if (listeners.size >= MOST_LISTENERS)
      return send(response, 503, 'text/plain; charset=utf-8', 'too many pages listen\n', { 'retry-after': '10' });
    listeners.add(response);
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const { passwordHash } = host.page();
    let last: number | undefined;
    let cancel = () => {};
    let due = false;
    const write = () => {
      cancel();
      cancel = clock.after(BEAT, write);
      due = false;
      // The password was changed: who may still see this comes back by itself.
      if (host.page().passwordHash !== passwordHash && !host.page().openStatus) return void response.end();
      // A listener that does not read goes, or its kind would keep all others out; a page that is awake comes back by itself.
      if (response.writableLength > 256 * 1024) return void response.destroy();
      const at = now();
      response.write(`data: ${JSON.stringify(stateOf(speech.language, last))}\n\n`);
      last = at;
    };
    const gateways = host.gateways();
    const end = gateways?.values.onChange(() => {
      if (due) return;
      due = true;
      cancel();
      cancel = clock.after(Math.max(0, (last ?? 0) + LEAST_BEAT - now()), write);
    });
    write();
    response.on('close', () => {
      listeners.delete(response);
      cancel();
      end?.();
    });
  };

  const health = (response: ServerResponse) => {
    const found = causes();
    send(
      response,
      found.length === 0 ? 200 : 503,
      'application/json; charset=utf-8',
      `${JSON.stringify({ ok: found.length === 0, causes: found })}\n`,
    );
  };
  const metrics = (response: ServerResponse, all: boolean) => {
    const service = host.service();
    const values = host.gateways()?.values;
    const text = metricsText({
      ...(service ? { status: service.status() } : {}),
      gateways: host.gateways()?.status() ?? [],
      ...(all && values ? { devices: values.devices.values() } : {}),
      version: host.version,
      causes: causes(),
      resident: process.memoryUsage.rss(),
    });
    send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', text);
  };
  const state = ({ response, speech }: Visit) =>
    send(response, 200, 'application/json; charset=utf-8', JSON.stringify(stateOf(speech.language)));
  return { show: statusPage, events, state, health, metrics };
}
