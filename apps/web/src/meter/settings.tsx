/** Name, place, numbers, time zone and key of a meter. The key goes one way: it is set, never shown. */
import { isValidZone } from '@amiable/calendar';
import type { Meter } from '@amiable/model';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { useLocation } from 'wouter';
import { useMay } from '../access/session.ts';
import { api } from '../api.ts';
import { useSpeech } from '../i18n/index.tsx';
import { queryClient } from '../queries.ts';
import { faultText } from '../ui/notice.tsx';
import { Facts } from './facts.tsx';

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly fault?: string;
  readonly value: string;
  readonly maxLength?: number;
  readonly mono?: boolean;
  readonly list?: readonly string[];
  readonly secret?: boolean;
  change(value: string): void;
}

function Field(props: FieldProps): ReactNode {
  const id = useId();
  const described = [props.hint && `${id}h`, props.fault && `${id}f`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        className={props.mono ? 'mono' : undefined}
        value={props.value}
        maxLength={props.maxLength}
        autoComplete="off"
        spellCheck={!props.mono}
        list={props.list ? `${id}l` : undefined}
        aria-describedby={described || undefined}
        aria-invalid={props.fault ? true : undefined}
        onChange={(event) => props.change(event.target.value)}
      />
      {props.list && (
        <datalist id={`${id}l`}>
          {props.list.map((item) => (
            <option key={item} value={item} />
          ))}
        </datalist>
      )}
      {props.hint && (
        <p id={`${id}h`} className="field-hint">
          {props.hint}
        </p>
      )}
      {props.fault && (
        <p id={`${id}f`} className="field-fault" role="alert">
          {props.fault}
        </p>
      )}
    </div>
  );
}

type Outcome = { readonly done: string } | { readonly failed: string } | undefined;

function OutcomeLine({ outcome }: { outcome: Outcome }): ReactNode {
  return (
    <p className={outcome && 'failed' in outcome ? 'form-fault' : 'form-done'} role="status">
      {outcome ? ('failed' in outcome ? outcome.failed : outcome.done) : ''}
    </p>
  );
}

function zones(): readonly string[] {
  return typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf('timeZone') : [];
}

function refresh(): Promise<void> {
  return queryClient.invalidateQueries();
}

function NamesForm({ meter }: { meter: Meter }): ReactNode {
  const { t } = useSpeech();
  const [name, setName] = useState(meter.name ?? '');
  const [place, setPlace] = useState(meter.place ?? '');
  const [serial, setSerial] = useState(meter.utilitySerial ?? '');
  const [zone, setZone] = useState(meter.timeZone);
  const [outcome, setOutcome] = useState<Outcome>();
  const [busy, setBusy] = useState(false);
  const zoneFault = isValidZone(zone) ? undefined : t('timeZoneBad', { zone });
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (zoneFault) return;
    setBusy(true);
    try {
      const empty = (text: string) => text.trim() || null;
      await api.changeMeter(meter.id, {
        name: empty(name),
        place: empty(place),
        utilitySerial: empty(serial),
        timeZone: zone,
      });
      setOutcome({ done: t('saved') });
      await refresh();
    } catch (thrown) {
      const said = faultText(t, thrown);
      setOutcome({ failed: t('saveFailed', { reason: said.detail || said.text }) });
    }
    setBusy(false);
  };
  const touch = (set: (value: string) => void) => (value: string) => {
    setOutcome(undefined);
    set(value);
  };
  return (
    <form className="panel form" onSubmit={save} noValidate>
      <h2>{t('settingsTitle')}</h2>
      <Field label={t('name')} hint={t('nameHint')} value={name} maxLength={200} change={touch(setName)} />
      <Field label={t('place')} hint={t('placeHint')} value={place} maxLength={500} change={touch(setPlace)} />
      <Field
        label={t('utilitySerial')}
        hint={t('utilitySerialHint')}
        value={serial}
        maxLength={64}
        change={touch(setSerial)}
      />
      <Field
        label={t('timeZone')}
        hint={t('timeZoneHint')}
        value={zone}
        maxLength={64}
        list={zones()}
        change={touch(setZone)}
        {...(zoneFault ? { fault: zoneFault } : {})}
      />
      <div className="form-actions">
        <OutcomeLine outcome={outcome} />
        <button type="submit" className="button primary" disabled={busy || zoneFault !== undefined}>
          {t(busy ? 'saving' : 'save')}
        </button>
      </div>
    </form>
  );
}

/** What is wrong with a key, as a person who copied it would want to know; undefined when it is one or not begun. */
export function keyFault(
  text: string,
): { readonly kind: 'length'; readonly n: number } | { readonly kind: 'digit' } | undefined {
  const digits = text.replace(/[\s:-]/g, '');
  if (digits === '') return undefined;
  if (/[^0-9a-f]/i.test(digits)) return { kind: 'digit' };
  return digits.length === 32 ? undefined : { kind: 'length', n: digits.length };
}

function KeyForm({ meter }: { meter: Meter }): ReactNode {
  const { t } = useSpeech();
  const [, goTo] = useLocation();
  const [key, setKey] = useState('');
  const [authKey, setAuthKey] = useState('');
  const [outcome, setOutcome] = useState<Outcome>();
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const say = (text: string) => {
    const fault = keyFault(text);
    if (!fault || !tried) return {};
    return { fault: fault.kind === 'digit' ? t('keyBadDigit') : t('keyBad', { n: fault.n }) };
  };
  const clean = (text: string) => text.replace(/[\s:-]/g, '').toLowerCase();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (key === '' || keyFault(key) || keyFault(authKey)) return;
    setBusy(true);
    try {
      const answer = await api.setKey(meter.id, clean(key), clean(authKey) || null);
      setKey('');
      setAuthKey('');
      setTried(false);
      setOutcome({ done: answer.reprocessed ? t('reprocessed', { n: answer.reprocessed }) : t('keyTaken') });
      await refresh();
      // A sender known by its system title alone has become the meter that it is.
      if (answer.meter !== meter.id) goTo(`/meter/${answer.meter}`, { replace: true });
    } catch (thrown) {
      const said = faultText(t, thrown);
      setOutcome({ failed: t('saveFailed', { reason: said.detail || said.text }) });
    }
    setBusy(false);
  };
  return (
    <form className="panel form" onSubmit={save} noValidate>
      <h2>{t('keyTitle')}</h2>
      <p className={meter.hasKey ? 'key-state key-set' : 'key-state'}>{t(meter.hasKey ? 'keySet' : 'keyNone')}</p>
      <p className="field-hint">{t('keyText')}</p>
      <Field label={t('key')} hint={t('keyHint')} value={key} maxLength={64} mono change={setKey} {...say(key)} />
      <Field
        label={t('authKey')}
        hint={t('keyHint')}
        value={authKey}
        maxLength={64}
        mono
        change={setAuthKey}
        {...say(authKey)}
      />
      <div className="form-actions">
        <OutcomeLine outcome={outcome} />
        <button type="submit" className="button primary" disabled={busy || key === ''}>
          {t(busy ? 'saving' : 'setKey')}
        </button>
      </div>
    </form>
  );
}

export function Settings({ meter }: { meter: Meter }): ReactNode {
  const may = useMay();
  return (
    <div className="settings">
      {may('meter:modify') && <NamesForm meter={meter} />}
      <div className="settings-side">
        {may('key:modify') && <KeyForm meter={meter} />}
        <Facts meter={meter} />
      </div>
    </div>
  );
}
