/**
 * The reader's own pages: log-in, settings, status, and for machines /health and /metrics. One small server without a framework, so
 * that a reader stays small.
 *
 * Guards: it answers only to names of this machine (a page elsewhere cannot reach it by rebinding a name); changes come only from its own
 * page (SameSite cookie, Origin, and a token in each form); no script or style from anywhere but itself; bodies, sessions and listeners
 * are bounded; guesses are slowed. It speaks plain HTTP: what opening it to a network means stands beside that setting.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { type Clock, listSerialPorts, portError } from '@amiable/io';
import { buildConfig } from '../config/build.ts';
import type { Fault } from '../config/faults.ts';
import type { ConfigStore, Loaded } from '../config/load.ts';
import { FAMILIES, type Family, memberOf } from '../config/schema.ts';
import type { PageConfig, ReaderConfig } from '../config/types.ts';
import type { Gateways } from '../gateways/index.ts';
import { healthCauses, metricsText } from '../gateways/prometheus.ts';
import type { ReaderMachine, ReaderService } from '../service/types.ts';
import { type FormState, readForm, type Sent, settingsForm } from './form.ts';
import { dataElement, html, type Markup, scriptElement } from './html.ts';
import {
  chooseLanguage,
  isLanguage,
  LANGUAGES,
  type Language,
  type PageKey,
  type Speech,
  speechOf,
} from './i18n/index.ts';
import {
  createGuard,
  createSessions,
  hashPassword,
  type Session,
  sameCode,
  sameText,
  verifyPassword,
} from './password.ts';
import { COMMON_SCRIPT, SETTINGS_SCRIPT, STATUS_SCRIPT } from './scripts.ts';
import { type Curves, statusView } from './status-view.ts';
import { STYLE } from './style.ts';
import { type Step, testBroker, testPort, testServer } from './test-connection.ts';

const LARGEST_BODY = 512 * 1024;
const MOST_LISTENERS = 16;
const BEAT = 5000;
const LEAST_BEAT = 1000;
const COOKIE = 'amiable_reader';
const YEAR = 365 * 86_400;

export interface PageHost {
  readonly store: ConfigStore;
  readonly clock: Clock;
  readonly machine: ReaderMachine;
  readonly hostName: string;
  readonly version: string;
  readonly tell: (line: string) => void;
  /** What a first visitor types when no password is set; undefined: there is one. */
  code(): string | undefined;
  page(): PageConfig;
  service(): ReaderService | undefined;
  gateways(): Gateways | undefined;
  curves(): Curves | undefined;
  /** Puts a saved configuration into force. Resolves with the new address when the page moves. @throws Error in words */
  apply(config: ReaderConfig): Promise<string | undefined>;
  /** Called after the answer that told the new address. */
  move(): void;
  /** How long a port is listened to in a test, ms. */
  readonly listen?: number;
}

export interface Pages {
  readonly url: string;
  close(): Promise<void>;
}

const POLICY =
  "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";
const PATHS = ['/', '/settings', '/login'];
const TEST_TEXTS: readonly PageKey[] = ['testing', 'testEnded', 'unsaved'];

class Refusal extends Error {
  readonly status: number;
  readonly key: PageKey;
  constructor(status: number, key: PageKey) {
    super(key);
    this.status = status;
    this.key = key;
  }
}

export async function startPages(host: PageHost, at: { host: string; port: number }): Promise<Pages> {
  const { store, clock, tell } = host;
  const now = () => clock.now();
  const sessions = createSessions(now);
  const guard = createGuard(now);
  const listeners = new Set<ServerResponse>();
  /** Secrets typed into a form that was not saved yet, by session. */
  const pending = new Map<string, Map<string, string>>();
  /** A log-in by `Authorization: Basic` for /metrics, so that argon2 does not run at every scrape. */
  let basicSeen: { given: string; hash: string } | undefined;
  const cookiesOf = (request: IncomingMessage): Map<string, string> =>
    new Map(
      (request.headers.cookie ?? '').split(';').map((part) => {
        const cut = part.indexOf('=');
        return [part.slice(0, cut).trim(), part.slice(cut + 1).trim()];
      }),
    );
  const cookie = (name: string, value: string, age?: number) =>
    `${name}=${value}; Path=/; SameSite=Strict; HttpOnly${age === undefined ? '' : `; Max-Age=${age}`}`;

  const knownHost = (header: string): boolean => {
    const name = header.replace(/:\d+$/, '').toLowerCase();
    if (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
    const own = host.hostName.toLowerCase();
    return name === own || name === `${own}.local` || host.page().names.includes(name);
  };
  const ownOrigin = (request: IncomingMessage): boolean => {
    const { origin, host: name } = request.headers;
    const site = request.headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
    return origin === undefined || origin.replace(/^https?:\/\//, '') === name;
  };
  const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';

  const body = async (request: IncomingMessage): Promise<URLSearchParams> => {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of request as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > LARGEST_BODY) throw new Refusal(413, 'tooLarge');
      parts.push(part);
    }
    return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
  };

  const send = (
    response: ServerResponse,
    status: number,
    type: string,
    text: string,
    more: Record<string, string | string[]> = {},
  ) => {
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      ...more,
    });
    response.end(text);
  };
  const redirect = (response: ServerResponse, to: string, cookies: string[] = []) =>
    send(response, 303, 'text/plain; charset=utf-8', '', {
      location: to,
      ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}),
    });

  interface Visit {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly path: string;
    readonly speech: Speech;
    readonly theme: string;
    readonly session: Session | undefined;
  }

  const pageOf = (
    visit: Visit,
    title: string,
    content: Markup,
    options: { narrow?: boolean; script?: string; data?: Markup; dirty?: boolean } = {},
  ): string => {
    const { speech, theme, session, path } = visit;
    const { t } = speech;
    const reader = host.service()?.status().reader ?? host.hostName;
    const here = PATHS.includes(path) ? path : '/';
    const link = (to: string, label: string) =>
      html`<a href="${to}"${path === to ? html` aria-current="page"` : ''}>${label}</a>`;
    const { markup } = html`<!doctype html>
<html lang="${speech.language}"${theme === '' ? '' : html` data-theme="${theme}"`}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title} · ${t('appName')} ${reader}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head>
<body${options.dirty ? html` data-dirty="yes"` : ''}><a class="skip" href="#content">${t('skip')}</a>
<header><p class="brand">${t('appName')} <span>${reader}</span></p>
${session || host.page().openStatus ? html`<nav aria-label="${t('appName')}">${link('/', t('status'))}${link('/settings', t('settings'))}</nav>` : ''}
<div class="look"><form action="/look"><input type="hidden" name="back" value="${here}">
<select name="lang" aria-label="${t('language')}">${(Object.keys(LANGUAGES) as Language[]).map((one) => html`<option value="${one}"${one === speech.language ? html` selected` : ''}>${LANGUAGES[one]}</option>`)}</select>
<select name="theme" aria-label="${t('theme')}">${(['', 'light', 'dark'] as const).map((one) => html`<option value="${one}"${one === theme ? html` selected` : ''}>${t(one === '' ? 'themeAuto' : one === 'light' ? 'themeLight' : 'themeDark')}</option>`)}</select>
<button class="quiet change">${t('change')}</button></form>
${session ? html`<form method="post" action="/logout"><input type="hidden" name="token" value="${session.token}"><button class="quiet">${t('logOut')}</button></form>` : ''}</div></header>
<main id="content"${options.narrow ? html` class="narrow"` : ''}>${content}</main>
${options.data ?? ''}${scriptElement('/common.js')}${options.script === undefined ? '' : scriptElement(options.script)}</body></html>`;
    return markup;
  };
  const sendPage = (
    visit: Visit,
    status: number,
    title: string,
    content: Markup,
    options: Parameters<typeof pageOf>[3] = {},
    more: Record<string, string | string[]> = {},
  ) => send(visit.response, status, 'text/html; charset=utf-8', pageOf(visit, title, content, options), more);

  // ---- log-in
  const loginPage = (visit: Visit, status: number, fault?: string, more: Record<string, string> = {}) => {
    const { t } = visit.speech;
    const first = host.code() !== undefined;
    const [label, title] = [t(first ? 'code' : 'password'), t(first ? 'setUpTitle' : 'logIn')];
    const content = html`<section class="card"><h1>${title}</h1>${first ? html`<p>${t('codeHint')}</p>` : ''}
${fault === undefined ? '' : html`<p class="note bad" role="alert" id="w">${fault}</p>`}
<form method="post" action="/login"><div class="field"><label for="secret">${label}</label>
<input id="secret" name="secret" type="${first ? 'text' : 'password'}" autocomplete="${first ? 'one-time-code' : 'current-password'}" required autofocus${fault === undefined ? '' : html` aria-invalid="true" aria-describedby="w"`} spellcheck="false" autocapitalize="${first ? 'characters' : 'off'}"></div>
<p><button>${t(first ? 'goOn' : 'logIn')}</button></p></form>${first ? '' : html`<p class="soft">${t('forgotten')}</p>`}</section>`;
    sendPage(visit, status, title, content, { narrow: true }, more);
  };
  const logIn = async (visit: Visit) => {
    const { request, response, speech } = visit;
    const form = await body(request);
    const address = addressOf(request);
    const wait = guard.wait(address);
    if (wait > 0) {
      const n = Math.ceil(wait / 1000);
      return loginPage(visit, 429, speech.t('tooOften', { n }), { 'retry-after': String(n) });
    }
    const given = (form.get('secret') ?? '').slice(0, 1000);
    const code = host.code();
    const hash = host.page().passwordHash;
    // Counted before it is checked: guesses sent at once are as many as guesses sent in turn.
    guard.failed(address);
    const right =
      code === undefined ? hash !== undefined && (await verifyPassword(hash, given)) : sameCode(given, code);
    if (!right) return loginPage(visit, 401, speech.t(code === undefined ? 'wrongPassword' : 'wrongCode'));
    guard.succeeded(address);
    const session = sessions.open(code !== undefined);
    redirect(response, code === undefined ? '/' : '/settings', [cookie(COOKIE, session.id)]);
  };

  // ---- settings
  const membersOf = (loaded: Loaded): Record<Family, number[]> => {
    const members: Record<Family, number[]> = { port: [], mqtt: [], post: [] };
    for (const [name, { text }] of loaded.origins) {
      const member = memberOf(name);
      if (member && text !== '' && !members[member.family].includes(member.number))
        members[member.family].push(member.number);
    }
    for (const family of FAMILIES) members[family].sort((a, b) => a - b);
    return members;
  };
  const showSettings = async (
    visit: Visit,
    status: number,
    session: Session,
    state: Partial<FormState> & { loaded: Loaded },
  ) => {
    const { speech } = visit;
    const members = state.members ?? membersOf(state.loaded);
    const first = host.code() !== undefined;
    const shown = first && members.port.length === 0 && !state.members ? { ...members, port: [1] } : members;
    const devices = await listSerialPorts();
    const typed = pending.get(session.id);
    const form = settingsForm(
      {
        removed: [],
        faults: state.loaded.faults,
        token: session.token,
        first,
        devices,
        open: !/^(127\.|::1$)/.test(host.page().host),
        ...state,
        members: shown,
        ...(typed ? { pending: new Set(typed.keys()) } : {}),
      },
      speech,
    );
    const texts = Object.fromEntries(TEST_TEXTS.map((key) => [key, speech.t(key)]));
    const dirty = state.sent !== undefined;
    sendPage(visit, status, speech.t('settings'), form, {
      script: '/settings.js',
      data: dataElement('texts', texts),
      dirty,
    });
  };
  /** The form with the secrets that were typed before. */
  const sentOf = async (
    form: URLSearchParams,
    session: Session,
  ): Promise<{ loaded: Loaded; sent: Sent; changes: Map<string, string | undefined> }> => {
    const loaded = await store.load();
    const sent = readForm(form, loaded);
    const typed = pending.get(session.id) ?? new Map<string, string>();
    const gone = (name: string) => {
      const member = memberOf(name);
      return member !== undefined && !sent.members[member.family].includes(member.number);
    };
    const changes = new Map<string, string | undefined>([...typed].filter(([name]) => !gone(name)));
    for (const [name, text] of sent.changes) changes.set(name, text);
    return { loaded, sent, changes };
  };
  const keep = (
    session: Session,
    changes: ReadonlyMap<string, string | undefined>,
    shown: ReadonlyMap<string, string>,
  ) => {
    const secrets = new Map<string, string>();
    for (const [name, text] of changes) if (text !== undefined && !shown.has(name)) secrets.set(name, text);
    if (secrets.size > 0) pending.set(session.id, secrets);
    else pending.delete(session.id);
    // Sessions end without saying so.
    while (pending.size > 32) pending.delete(pending.keys().next().value as string);
  };
  const saveSettings = async (visit: Visit, session: Session, form: URLSearchParams) => {
    const { speech, response } = visit;
    const { t } = speech;
    const { loaded, sent, changes } = await sentOf(form, session);
    const again = (status: number, faults: readonly Fault[], note?: FormState['note']) => {
      keep(session, changes, sent.shown);
      return showSettings(visit, status, session, {
        loaded,
        sent: sent.shown,
        members: sent.members,
        removed: sent.removed,
        faults,
        ...(note ? { note } : {}),
      });
    };
    if (sent.action !== 'save') return again(200, []);
    const preview = await store.preview(changes);
    const faults = [...preview.faults];
    if (faults.length === 0 && preview.config?.page.passwordHash === undefined)
      faults.push({ name: 'page.password', key: 'passwordShort', values: { least: 8 } });
    // A line of the file that is wrong all the same does not stand in the way of what is right here; one of a setting does.
    if (faults.length > 0 || !preview.config)
      return again(422, faults, { kind: 'bad', text: t('refused', { n: faults.length }) });
    const password = changes.get('page.password');
    if (password !== undefined) changes.set('page.password', await hashPassword(password));
    try {
      await store.save(changes);
    } catch (error) {
      return again(500, [], { kind: 'bad', text: t('notStored', { why: (error as Error).message }) });
    }
    pending.delete(session.id);
    const after = await store.load();
    if (password !== undefined) sessions.closeOthers(session.id);
    let moved: string | undefined;
    try {
      if (after.config) moved = await host.apply(after.config);
    } catch (error) {
      return showSettings(visit, 500, session, {
        loaded: after,
        note: { kind: 'bad', text: t('notApplied', { why: (error as Error).message }) },
      });
    }
    tell('the settings were changed on the set-up page');
    if (moved === undefined) return redirect(response, '/settings?saved');
    response.once('finish', () => host.move());
    return showSettings(visit, 200, session, {
      loaded: after,
      note: { kind: 'good', text: t('moved', { url: moved }) },
    });
  };
  const test = async (visit: Visit, session: Session, form: URLSearchParams) => {
    const { response, speech, request } = visit;
    const what = /^test\.(.*)$/.exec(form.get('do') ?? '')?.[1] ?? '';
    const { changes } = await sentOf(form, session);
    // Everything else may be unfinished: only the member's own settings, and what it takes from others, are looked at.
    const preview = await store.preview(changes);
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
      if (name === 'reader' || name.startsWith(family) || (!member && name.startsWith('mqtt.1.')))
        given.set(name, text);
    if (!member) given.set('homeassistant.enabled', 'yes');
    const { config, faults } = buildConfig(given, { hostName: host.hostName, folder: dirname(store.file) });
    if (!config)
      for (const fault of faults)
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
        else if (uplink?.type === 'post') await testServer(uplink, { ...shared, clock });
        else say({ key: 'testNeeds', result: 'bad' });
      } catch (error) {
        say({ key: 'testFailed', values: { why: portError(what, error).message }, result: 'bad' });
      }
    }
    request.resume();
    response.end();
  };

  // ---- status
  const causes = () => healthCauses(host.service()?.status(), host.gateways()?.status() ?? []);
  const view = (language: Language, since?: number) => {
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
    sendPage(visit, 200, speech.t('status'), content, {
      script: '/status.js',
      data: html`${dataElement('texts', speech.dictionary.page)}${dataElement('state', view(speech.language))}`,
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
    let last: number | undefined;
    let cancel = () => {};
    let due = false;
    const write = () => {
      cancel();
      cancel = clock.after(BEAT, write);
      due = false;
      // A listener that does not read goes, or its kind would keep all others out; a page that is awake comes back by itself.
      if (response.writableLength > 256 * 1024) return void response.destroy();
      const at = now();
      response.write(`data: ${JSON.stringify(view(speech.language, last))}\n\n`);
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
  const mayScrape = async (request: IncomingMessage): Promise<boolean> => {
    const given = /^Basic ([A-Za-z0-9+/=]{1,2000})$/.exec(request.headers.authorization ?? '')?.[1];
    const hash = host.page().passwordHash;
    if (given === undefined || hash === undefined) return false;
    if (basicSeen && basicSeen.hash === hash && sameText(basicSeen.given, given)) return true;
    const address = addressOf(request);
    if (guard.wait(address) > 0) return false;
    guard.failed(address);
    const password = Buffer.from(given, 'base64')
      .toString('utf8')
      .replace(/^[^:]*:/, '');
    if (!(await verifyPassword(hash, password))) return false;
    guard.succeeded(address);
    basicSeen = { given, hash };
    return true;
  };

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://reader');
    const path = url.pathname;
    const method = request.method ?? 'GET';
    const reading = method === 'GET' || method === 'HEAD';
    if (!knownHost(request.headers.host ?? ''))
      return send(
        response,
        421,
        'text/plain; charset=utf-8',
        'this is not a name of this reader; page.names allows more\n',
      );
    if (!reading && !ownOrigin(request))
      return send(response, 403, 'text/plain; charset=utf-8', 'changes are taken from this page only\n');

    if (reading && path === '/health') {
      const found = causes();
      return send(
        response,
        found.length === 0 ? 200 : 503,
        'application/json; charset=utf-8',
        `${JSON.stringify({ ok: found.length === 0, causes: found })}\n`,
      );
    }
    if (reading && path === '/style.css')
      return send(response, 200, 'text/css; charset=utf-8', STYLE, { 'cache-control': 'no-cache' });
    const script = { '/common.js': COMMON_SCRIPT, '/settings.js': SETTINGS_SCRIPT, '/status.js': STATUS_SCRIPT }[path];
    if (reading && script !== undefined)
      return send(response, 200, 'text/javascript; charset=utf-8', script, { 'cache-control': 'no-cache' });

    const cookies = cookiesOf(request);
    const theme = cookies.get('amiable_theme') ?? '';
    const visit: Visit = {
      request,
      response,
      path,
      speech: speechOf(chooseLanguage(cookies.get('amiable_language'), request.headers['accept-language'])),
      theme: theme === 'light' || theme === 'dark' ? theme : '',
      session: sessions.find(cookies.get(COOKIE)),
    };
    const { session } = visit;
    try {
      if (reading && path === '/look') {
        const [lang, look, back] = ['lang', 'theme', 'back'].map((name) => url.searchParams.get(name) ?? '');
        return redirect(response, PATHS.includes(back as string) ? (back as string) : '/', [
          ...(isLanguage(lang) ? [cookie('amiable_language', lang, YEAR)] : []),
          cookie('amiable_theme', look === 'light' || look === 'dark' ? look : '', YEAR),
        ]);
      }
      if (path === '/login') {
        if (method === 'POST') return await logIn(visit);
        return session ? redirect(response, '/') : loginPage(visit, 200);
      }
      const open = host.page().openStatus;
      if (reading && path === '/metrics') {
        const all = session !== undefined || open || (await mayScrape(request));
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
        return send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', text);
      }
      const wanted = ['/', '/state', '/events'].includes(path);
      if (reading && wanted && (session || open) && (host.code() === undefined || path !== '/' || open)) {
        if (path === '/') return statusPage(visit);
        if (path === '/events') return events(visit);
        return send(response, 200, 'application/json; charset=utf-8', JSON.stringify(view(visit.speech.language)));
      }
      if (!session) {
        if (reading && (path === '/' || path === '/settings')) return redirect(response, '/login');
        return send(response, 401, 'text/plain; charset=utf-8', 'log in first\n');
      }
      if (path === '/' && reading) return redirect(response, '/settings');
      if (path === '/settings' && reading) {
        pending.delete(session.id);
        const saved = url.searchParams.has('saved');
        return await showSettings(visit, 200, session, {
          loaded: await store.load(),
          ...(saved ? { note: { kind: 'good', text: visit.speech.t('saved') } as const } : {}),
        });
      }
      if (method === 'POST' && ['/settings', '/test', '/logout'].includes(path)) {
        const form = await body(request);
        if (!sameText(form.get('token') ?? '', session.token)) throw new Refusal(403, 'stale');
        if (path === '/settings') return await saveSettings(visit, session, form);
        if (path === '/test') return await test(visit, session, form);
        sessions.close(session.id);
        pending.delete(session.id);
        return redirect(response, '/login', [cookie(COOKIE, '', 0)]);
      }
      throw new Refusal(404, 'pageLost');
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'failed');
      if (!(error instanceof Refusal)) tell(`page: ${(error as Error).message}`);
      sendPage(
        visit,
        refusal.status,
        visit.speech.t(refusal.key),
        html`<section class="card"><h1>${visit.speech.t(refusal.key)}</h1></section>`,
        { narrow: true },
        refusal.status === 413 ? { connection: 'close' } : {},
      );
    }
  };

  const server: Server = createServer(
    { maxHeaderSize: 16 * 1024, requestTimeout: 60_000, headersTimeout: 15_000 },
    (request, response) => {
      request.on('error', () => {});
      response.on('error', () => {});
      route(request, response).catch((error: Error) => {
        tell(`page: ${error.message}`);
        if (response.headersSent) response.destroy();
        else send(response, 400, 'text/plain; charset=utf-8', 'the request cannot be read\n');
      });
    },
  );
  server.maxConnections = 128;
  const where = `page ${at.host}:${at.port}`;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError(where, error)));
    server.listen(at.port, at.host, resolve);
  });
  server.on('error', () => {});
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : at.port;
  return {
    url: pageUrl(at.host, port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An address for a person: all interfaces are reached by that of this machine. */
export function pageUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}
