/**
 * Who is let in: by the password, by the one-time code of the first start, or for /metrics by `Authorization: Basic`.
 *
 * Guards: guesses are slowed, by address, whichever way they come.
 */
import type { IncomingMessage } from 'node:http';
import type { PageHost } from './host.ts';
import { html } from './html.ts';
import { addressOf, body, cookie, redirect } from './http.ts';
import { sendPage, type Visit } from './layout.ts';
import { createGuard, type Sessions, sameCode, sameText, verifyPassword } from './password.ts';

export const COOKIE = 'amiable_reader';

export interface Login {
  page(visit: Visit, status: number): void;
  /** The form was sent. */
  enter(visit: Visit): Promise<void>;
  mayScrape(request: IncomingMessage): Promise<boolean>;
}

export function createLogin(host: PageHost, sessions: Sessions): Login {
  const guard = createGuard(() => host.clock.now());
  /** A log-in by `Authorization: Basic` for /metrics, so that argon2 does not run at every scrape. */
  let basicSeen: { given: string; hash: string } | undefined;

  const loginPage = (visit: Visit, status: number, fault?: string, more: Record<string, string> = {}) => {
    const { t } = visit.speech;
    const first = host.code() !== undefined;
    const [label, title] = [t(first ? 'code' : 'password'), t(first ? 'setUpTitle' : 'logIn')];
    const content = html`<section class="card"><h1>${title}</h1>${first ? html`<p>${t('codeHint')}</p>` : ''}
${fault === undefined ? '' : html`<p class="note bad" role="alert" id="w">${fault}</p>`}
<form method="post" action="/login"><div class="field"><label for="secret">${label}</label>
<input id="secret" name="secret" type="${first ? 'text' : 'password'}" autocomplete="${first ? 'one-time-code' : 'current-password'}" required autofocus${fault === undefined ? '' : html` aria-invalid="true" aria-describedby="w"`} spellcheck="false" autocapitalize="${first ? 'characters' : 'off'}"></div>
<p><button>${t(first ? 'goOn' : 'logIn')}</button></p></form>${first ? '' : html`<p class="soft">${t('forgotten')}</p>`}</section>`;
    sendPage(host, visit, status, title, content, { narrow: true }, more);
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

  return { page: loginPage, enter: logIn, mayScrape };
}
