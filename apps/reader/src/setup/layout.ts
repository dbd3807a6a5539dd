/** What stands around every page: names, languages, themes, log-out; and who visits it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PageHost } from './host.ts';
import { html, type Markup, scriptElement } from './html.ts';
import { send } from './http.ts';
import { LANGUAGES, type Language, type Speech } from './i18n/index.ts';
import type { Session } from './password.ts';

/** Pages that a change of language or theme comes back to. */
export const PATHS = ['/', '/settings', '/login'];

/** One request, and what is known of who sent it. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly speech: Speech;
  readonly theme: string;
  readonly session: Session | undefined;
}

interface PageOptions {
  readonly narrow?: boolean;
  readonly script?: string;
  readonly data?: Markup;
  /** What was typed is not saved. */
  readonly dirty?: boolean;
}

const pageOf = (host: PageHost, visit: Visit, title: string, content: Markup, options: PageOptions = {}): string => {
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
export const sendPage = (
  host: PageHost,
  visit: Visit,
  status: number,
  title: string,
  content: Markup,
  options: PageOptions = {},
  more: Record<string, string | string[]> = {},
) => send(visit.response, status, 'text/html; charset=utf-8', pageOf(host, visit, title, content, options), more);
