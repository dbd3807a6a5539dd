/**
 * The settings page: every setting of the schema as a field in its group, with what is set, what is usual and what is wrong.
 * Works as a plain form; the script only adds the tests and asks before leaving.
 *
 * Decides: a secret is never written into the page, only whether it is set. What the environment or the command line sets is shown
 * and cannot be changed.
 */
import { networkInterfaces } from 'node:os';
import type { Fault } from '../config/faults.ts';
import type { Loaded } from '../config/load.ts';
import {
  FAMILIES,
  type Family,
  GROUPS,
  type Group,
  groupOf,
  memberOf,
  SETTINGS,
  type Setting,
} from '../config/schema.ts';
import { html, type Markup } from './html.ts';
import type { PageKey, Speech } from './i18n/index.ts';

export interface FormState {
  readonly loaded: Loaded;
  /** What was sent and not saved; wins over what is loaded. */
  readonly sent?: ReadonlyMap<string, string>;
  /** Members to show, also those without a setting yet. */
  readonly members: Readonly<Record<Family, readonly number[]>>;
  readonly removed: readonly string[];
  /** Faults of what was sent, or of the file. */
  readonly faults: readonly Fault[];
  readonly note?: { readonly kind: 'good' | 'bad'; readonly text: string };
  readonly token: string;
  readonly first: boolean;
  /** Serial ports seen on this machine. */
  readonly devices: readonly string[];
  /** The page is open to the network. */
  readonly open: boolean;
  /** Secrets that were typed and are kept for the next sending, as the page does not show them. */
  readonly pending?: ReadonlySet<string>;
}

const fieldId = (name: string): string => `f-${name.replaceAll('.', '-')}`;
const MASTERS: Partial<Record<Group, string>> = {
  homeassistant: 'homeassistant.enabled',
  modbus: 'modbus.enabled',
  multicast: 'multicast.enabled',
};
const WORDS = new Set(['yes', 'no', 'auto', 'none', 'both']);

export function settingsForm(state: FormState, speech: Speech): Markup {
  const { t } = speech;
  const { loaded, sent } = state;
  // What is missing is told where it is missing.
  const faults = state.faults.map((fault) =>
    fault.key === 'needs'
      ? { ...fault, name: String(fault.values?.other), missing: true }
      : { ...fault, missing: false },
  );
  const textOf = (name: string) => sent?.get(name) ?? loaded.origins.get(name)?.text ?? '';

  const field = (setting: Setting, name: string): Markup => {
    const [label, explanation] = speech.setting(setting);
    const id = fieldId(name);
    const origin = loaded.origins.get(name);
    const fixed = origin !== undefined && origin.from !== 'file';
    const wrong = faults.filter((fault) => fault.name === name);
    const described = `${id}-x${wrong.length > 0 ? ` ${id}-w` : ''}`;
    const value = textOf(name);
    const { kind } = setting;
    const required = /\.(device|url)$|^mqtt\.\d+\.host$/.test(name) || (name === 'page.password' && state.first);
    const common = (type: string): Markup =>
      html`id="${id}" name="${name}" aria-describedby="${described}"${wrong.length > 0 ? html` aria-invalid="true"` : ''}${fixed ? html` disabled` : ''}${required ? html` aria-required="true"` : ''}${type === '' ? '' : html` type="${type}"`}`;
    const options = kind.is === 'choice' ? kind.values : kind.is === 'yesNo' ? ['yes', 'no'] : undefined;
    const shown = value === '' ? (setting.default ?? '') : value.toLowerCase();
    const secretState = t(
      (origin === undefined || origin.text === '') && !state.pending?.has(name) ? 'isUnset' : 'isSet',
    );
    const input = options
      ? html`<select ${common('')}>${options.map((option) => html`<option value="${option}"${option.toLowerCase() === shown.toLowerCase() ? html` selected` : ''}>${WORDS.has(option) ? t(option as PageKey) : option}</option>`)}${options.some((option) => option.toLowerCase() === shown.toLowerCase()) ? '' : html`<option value="${value}" selected>${value}</option>`}</select>`
      : setting.secret && kind.is === 'pem'
        ? html`<textarea ${common('')} rows="3" spellcheck="false" autocomplete="off" placeholder="${secretState}"></textarea>`
        : setting.secret
          ? html`<input ${common('password')} autocomplete="${name === 'page.password' ? 'new-password' : 'off'}" placeholder="${secretState}" spellcheck="false">`
          : kind.is === 'pem'
            ? html`<textarea ${common('')} rows="3" spellcheck="false" autocomplete="off">${value}</textarea>`
            : html`<input ${common('text')} value="${value}" autocomplete="off" spellcheck="false"${kind.is === 'number' ? html` inputmode="numeric"` : ''}${kind.is === 'device' ? html` list="devices"` : ''}${setting.default === undefined ? '' : html` placeholder="${setting.default}"`}>`;
    return html`<div class="field${wrong.length > 0 ? ' wrong' : ''}${kind.is === 'pem' || kind.is === 'device' || kind.is === 'url' || name === 'page.host' ? ' wide' : ''}"${setting.protocols && !setting.expert ? html` data-protocols="${setting.protocols.join(' ')}"` : ''}>
<label for="${id}">${label}</label>${input}
${wrong.length === 0 ? '' : html`<p class="fault" id="${id}-w">${wrong.map((fault) => (fault.missing ? t('needed') : speech.fault(fault))).join('. ')}</p>`}
<p class="soft" id="${id}-x">${fixed ? t('fixed', { where: origin.where }) : explanation}${setting.default !== undefined && !options ? html` ${t('usual', { value: setting.default })}.` : ''} <code>${name}</code></p>
${setting.secret && !fixed && origin !== undefined && origin.text !== '' && name !== 'page.password' ? html`<label class="tick"><input type="checkbox" name="clear" value="${name}"> ${t('takeAway')}</label>` : ''}</div>`;
  };

  const fields = (settings: readonly Setting[], number?: number): Markup => {
    const named = settings.map((setting) => ({ setting, name: setting.name.replace('#', String(number ?? '')) }));
    const protocol = (textOf(`port.${number ?? ''}.protocol`) || 'auto').toLowerCase();
    const folded = ({ expert, protocols }: Setting) =>
      expert === true || protocols?.some((one) => one === protocol) === false;
    const plain = named.filter(({ setting }) => !folded(setting));
    const expert = named.filter(({ setting }) => folded(setting));
    // What is set or wrong is not hidden.
    const wanted = expert.some(
      ({ name, setting }) =>
        !['', setting.default].includes(textOf(name)) || faults.some((fault) => fault.name === name),
    );
    return html`<div class="fields">${plain.map(({ setting, name }) => field(setting, name))}</div>
${expert.length === 0 ? '' : html`<details${wanted ? html` open` : ''}><summary>${t('more')}</summary><div class="fields">${expert.map(({ setting, name }) => field(setting, name))}</div></details>`}`;
  };

  const test = (what: string, label: string): Markup =>
    html`<div class="test"><button type="button" class="quiet" data-test="${what}" hidden>${label}</button><div role="status"><ol class="steps"></ol></div></div>`;

  const section = (group: Group): Markup => {
    const [title, intro] = speech.dictionary.groups[group];
    const settings = SETTINGS.filter(({ name }) => groupOf(name) === group);
    const id = `g-${group}`;
    const family = FAMILIES.find((one) => one === group);
    if (!family) {
      const master = MASTERS[group];
      const head = settings.filter(({ name }) => name === master);
      const rest = settings.filter(({ name }) => name !== master);
      return html`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${intro === '' ? '' : html`<p class="soft">${intro}</p>`}
${group === 'page' && state.open ? html`<p class="warn">${t('openPage')}</p>` : ''}
${master === undefined ? fields(settings) : html`<div class="fields">${head.map((setting) => field(setting, setting.name))}</div><div class="dependent" data-master="${fieldId(master)}">${fields(rest)}${group === 'homeassistant' ? test('homeassistant', t('testMqtt')) : ''}</div>`}
${group === 'reader' ? html`<p class="soft">${t('network')}. ${t('networkHint', { addresses: addresses().join(', ') || '–' })}</p>` : ''}</section>`;
    }
    const suffix = family === 'port' ? 'Port' : family === 'mqtt' ? 'Mqtt' : 'Post';
    return html`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${title}</h2><p class="soft">${intro}</p>
${state.members[family].length === 0 ? html`<p>${t(`none${suffix}` as PageKey)}</p>` : ''}
${state.members[family].map(
  (
    n,
  ) => html`<fieldset><legend>${t(`${family}N` as PageKey, { n })}</legend><input type="hidden" name="member" value="${family}.${n}">
${fields(settings, n)}${test(`${family}.${n}`, t(`test${suffix}` as PageKey))}
<button class="quiet bad" name="do" value="remove.${family}.${n}" formnovalidate>${t(`remove${suffix}` as PageKey)}</button></fieldset>`,
)}
<button class="quiet" name="do" value="add.${family}" formnovalidate>${t(`add${suffix}` as PageKey)}</button></section>`;
  };

  const elsewhere = faults.filter(
    (fault) => fault.name === undefined || !SETTINGS.some(({ name }) => name === fault.name?.replace(/\.\d+\./, '.#.')),
  );
  // What a first visit needs stands first.
  const order: Group[] = state.first
    ? ['page', 'port', 'reader', 'mqtt', 'post', 'homeassistant', 'modbus', 'multicast']
    : ['port', 'mqtt', 'post', 'homeassistant', 'modbus', 'multicast', 'reader', 'page'];
  return html`<h1>${t('settings')}</h1>
${state.first ? html`<p class="lead">${t('welcome')}</p>` : ''}
${state.note ? html`<p class="note ${state.note.kind}" role="${state.note.kind === 'bad' ? 'alert' : 'status'}" id="note" tabindex="-1">${state.note.text}</p>` : ''}
${elsewhere.length === 0 ? '' : html`<div class="note bad"><p>${t('fileFaults')}</p><ul>${elsewhere.map((fault) => html`<li>${[fault.line === undefined ? fault.source : t('lineOf', { line: fault.line }), fault.name, speech.fault(fault)].filter(Boolean).join(': ')}</li>`)}</ul></div>`}
<form method="post" action="/settings" id="settings" novalidate>
<button class="hide" name="do" value="save" tabindex="-1" aria-hidden="true"></button>
<input type="hidden" name="token" value="${state.token}">${state.removed.map((one) => html`<input type="hidden" name="removed" value="${one}">`)}
<datalist id="devices">${state.devices.map((device) => html`<option value="${device}"></option>`)}</datalist>
${order.map(section)}
<div class="bar"><p class="soft" id="unsaved" role="status"></p><button name="do" value="save">${t('save')}</button></div>
</form>`;
}

/** Groups without a title would be nobody's. */
export const groupCount: number = Object.keys(GROUPS).length;

function addresses(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? [])
      .filter(({ internal, address }) => !internal && !/^fe80/i.test(address))
      .map(({ address }) => `${address} (${name})`),
  );
}

export interface Sent {
  /** What to change in the file: undefined takes the setting out. */
  readonly changes: ReadonlyMap<string, string | undefined>;
  /** What the fields said, secrets left out, to show again. */
  readonly shown: ReadonlyMap<string, string>;
  readonly members: Readonly<Record<Family, readonly number[]>>;
  readonly removed: readonly string[];
  readonly action: string;
}

const sentMember = (text: string) => memberOf(`${text}.x`);

/** The fields of a form as changes against what is loaded. Unknown fields are left out. */
export function readForm(form: URLSearchParams, loaded: Loaded): Sent {
  const changes = new Map<string, string | undefined>();
  const shown = new Map<string, string>();
  const members: Record<Family, number[]> = { port: [], mqtt: [], post: [] };
  let action = form.get('do') ?? 'save';
  const removed = form.getAll('removed').filter((text) => sentMember(text));
  const gone = /^remove\.(.*)$/.exec(action)?.[1];
  if (gone !== undefined && sentMember(gone) && !removed.includes(gone)) removed.push(gone);
  for (const text of form.getAll('member').slice(0, 200)) {
    const member = sentMember(text);
    if (member && !removed.includes(text) && !members[member.family].includes(member.number))
      members[member.family].push(member.number);
  }
  const added = /^add\.(port|mqtt|post)$/.exec(action)?.[1] as Family | undefined;
  if (added) {
    const taken = [
      ...members[added],
      ...removed.map(sentMember).flatMap((member) => (member?.family === added ? [member.number] : [])),
    ];
    members[added].push(Math.max(0, ...taken) + 1);
  }
  const known = (name: string) => {
    const member = memberOf(name);
    if (member && !members[member.family].includes(member.number)) return undefined;
    return SETTINGS.find((setting) => setting.name === (member ? name.replace(/\.\d+\./, '.#.') : name));
  };
  const inFile = (name: string) =>
    loaded.origins.get(name)?.from === 'file' ? loaded.origins.get(name)?.text : undefined;
  const clear = new Set(form.getAll('clear'));
  for (const [name, raw] of form) {
    const setting = known(name);
    if (!setting || (loaded.origins.has(name) && inFile(name) === undefined)) continue;
    const text = setting.secret && setting.kind.is !== 'pem' ? raw : raw.replaceAll('\r\n', '\n').trim();
    if (setting.secret) {
      // What a page says in a secret is the secret itself: files are named in config.txt by who may edit it.
      if (text !== '') changes.set(name, text.startsWith('@') && setting.kind.is !== 'pem' ? `@${text}` : text);
      else if (clear.has(name)) changes.set(name, undefined);
      continue;
    }
    shown.set(name, text);
    const before = inFile(name);
    if (text === '' || (before === undefined && text === setting.default)) {
      if (before !== undefined && text === '') changes.set(name, undefined);
    } else if (text !== before) changes.set(name, text);
  }
  for (const text of removed)
    for (const name of loaded.origins.keys())
      if (name.startsWith(`${text}.`) && inFile(name) !== undefined) changes.set(name, undefined);
  if (gone !== undefined) action = 'remove';
  for (const family of FAMILIES) members[family].sort((a, b) => a - b);
  return { changes, shown, members, removed, action };
}
