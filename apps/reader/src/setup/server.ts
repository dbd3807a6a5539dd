/**
 * The reader's own pages: log-in, settings, status, and for machines /health and /metrics. One small server without a framework, so
 * that a reader stays small.
 *
 * Decides: which path is for whom. Guards: http.ts; a token in each form besides; sessions, connections and times are bounded. It
 * speaks plain HTTP: what opening it to a network means stands beside that setting.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { portError } from '@amiable/io';
import type { PageHost } from './host.ts';
import { html } from './html.ts';
import { body, cookie, cookiesOf, knownHost, ownOrigin, Refusal, redirect, send } from './http.ts';
import { chooseLanguage, isLanguage, speechOf } from './i18n/index.ts';
import { PATHS, sendPage, type Visit } from './layout.ts';
import { COOKIE, createLogin } from './login.ts';
import { createSessions, sameText } from './password.ts';
import { COMMON_SCRIPT, SETTINGS_SCRIPT, STATUS_SCRIPT } from './scripts.ts';
import { createSettingsPage } from './settings-page.ts';
import { createStatusPage } from './status-page.ts';
import { STYLE } from './style.ts';
import { sendTest } from './test-answer.ts';

const YEAR = 365 * 86_400;

export interface Pages {
  readonly url: string;
  close(): Promise<void>;
}

export async function startPages(host: PageHost, at: { host: string; port: number }): Promise<Pages> {
  const { tell } = host;
  const sessions = createSessions(
    () => host.clock.now(),
    () => host.page().passwordHash,
  );
  const login = createLogin(host, sessions);
  const settings = createSettingsPage(host, sessions);
  const status = createStatusPage(host);

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://reader');
    const path = url.pathname;
    const method = request.method ?? 'GET';
    const reading = method === 'GET' || method === 'HEAD';
    if (!knownHost(request.headers.host ?? '', host))
      return send(
        response,
        421,
        'text/plain; charset=utf-8',
        'this is not a name of this reader; page.names allows more\n',
      );
    if (!reading && !ownOrigin(request))
      return send(response, 403, 'text/plain; charset=utf-8', 'changes are taken from this page only\n');

    if (reading && path === '/health') return status.health(response);
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
        if (method === 'POST') return await login.enter(visit);
        return session ? redirect(response, '/') : login.page(visit, 200);
      }
      const open = host.page().openStatus;
      if (reading && path === '/metrics')
        return status.metrics(response, session !== undefined || open || (await login.mayScrape(request)));
      const wanted = ['/', '/state', '/events'].includes(path);
      if (reading && wanted && (session || open) && (host.code() === undefined || path !== '/' || open)) {
        if (path === '/') return status.show(visit);
        if (path === '/events') return status.events(visit);
        return status.state(visit);
      }
      if (!session) {
        if (reading && (path === '/' || path === '/settings')) return redirect(response, '/login');
        return send(response, 401, 'text/plain; charset=utf-8', 'log in first\n');
      }
      if (path === '/' && reading) return redirect(response, '/settings');
      if (path === '/settings' && reading) return await settings.show(visit, session, url.searchParams.has('saved'));
      if (method === 'POST' && ['/settings', '/test', '/logout'].includes(path)) {
        const form = await body(request);
        if (!sameText(form.get('token') ?? '', session.token)) throw new Refusal(403, 'stale');
        if (path === '/settings') return await settings.save(visit, session, form);
        if (path === '/test') return await sendTest(host, visit, form, await settings.read(form, session));
        sessions.close(session.id);
        settings.forget(session);
        return redirect(response, '/login', [cookie(COOKIE, '', 0)]);
      }
      throw new Refusal(404, 'pageLost');
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'failed');
      if (!(error instanceof Refusal)) tell(`page: ${(error as Error).message}`);
      sendPage(
        host,
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
