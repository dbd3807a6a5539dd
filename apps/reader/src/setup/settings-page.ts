/**
 * The settings form as it is shown and as it is sent.
 *
 * Decides: nothing is saved while a setting is wrong; secrets that were typed and not saved yet stay here, by session, and are not
 * written into the page again; a new password ends all other sessions.
 */
import { listSerialPorts } from '@amiable/io';
import type { Fault, FaultKey } from '../config/faults.ts';
import type { Loaded } from '../config/load.ts';
import { FAMILIES, type Family, memberOf } from '../config/schema.ts';
import { type FormState, readForm, type Sent, settingsForm } from './form.ts';
import type { PageHost } from './host.ts';
import { dataElement } from './html.ts';
import { redirect } from './http.ts';
import type { PageKey } from './i18n/index.ts';
import { sendPage, type Visit } from './layout.ts';
import { hashPassword, type Session, type Sessions } from './password.ts';
import { secretsToRetype } from './retype.ts';

const TEST_TEXTS: readonly PageKey[] = ['testing', 'testEnded', 'unsaved'];

/** Faults that another setting mends. */
const RELATIONS: ReadonlySet<FaultKey> = new Set(['needs', 'needsSecure', 'authAlone']);

/** Ports and uplinks that something is set of, by number. */
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

/** A form that was sent, with the secrets that were typed before. */
export interface SentForm {
  readonly loaded: Loaded;
  readonly sent: Sent;
  /** Undefined: back to what is usual. */
  readonly changes: Map<string, string | undefined>;
}

export interface SettingsPage {
  show(visit: Visit, session: Session, saved: boolean): Promise<void>;
  read(form: URLSearchParams, session: Session): Promise<SentForm>;
  save(visit: Visit, session: Session, form: URLSearchParams): Promise<void>;
  /** What was typed and not saved is let go. */
  forget(session: Session): void;
}

export function createSettingsPage(host: PageHost, sessions: Sessions): SettingsPage {
  const { store, tell } = host;
  /** Secrets typed into a form that was not saved yet, by session. */
  const pending = new Map<string, Map<string, string>>();

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
    sendPage(host, visit, status, speech.t('settings'), form, {
      script: '/settings.js',
      data: dataElement('texts', texts),
      dirty,
    });
  };
  const sentOf = async (form: URLSearchParams, session: Session): Promise<SentForm> => {
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
    faults: readonly Fault[],
  ) => {
    const secrets = new Map<string, string>();
    // One that is wrong in itself would be wrong again.
    const wrong = (name: string) => faults.some((fault) => fault.name === name && !RELATIONS.has(fault.key));
    for (const [name, text] of changes)
      if (text !== undefined && !shown.has(name) && !wrong(name)) secrets.set(name, text);
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
      keep(session, changes, sent.shown, faults);
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
    const faults = [...preview.faults, ...secretsToRetype(changes, loaded.origins)];
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
    if (password !== undefined) sessions.closeOthers(session.id, changes.get('page.password'));
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

  return {
    show: async (visit, session, saved) => {
      pending.delete(session.id);
      await showSettings(visit, 200, session, {
        loaded: await store.load(),
        ...(saved ? { note: { kind: 'good', text: visit.speech.t('saved') } as const } : {}),
      });
    },
    read: sentOf,
    save: saveSettings,
    forget: (session) => void pending.delete(session.id),
  };
}
