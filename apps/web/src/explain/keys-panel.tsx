/** Fields for the keys, folded away. What is typed lives as long as the page does, and nowhere else. */
import { type ReactNode, useId } from 'react';
import { type Key, useSpeech } from '../i18n/index.tsx';
import { digitsOf, faultOf, KEY_FIELDS, type KeyField, type KeyTexts, keysOf } from './keys.ts';

const LABELS: Record<KeyField, Key> = {
  unicast: 'keyUnicast',
  authentication: 'keyAuthentication',
  dedicated: 'keyDedicated',
  master: 'keyMaster',
  clientSystemTitle: 'keyClientTitle',
  serverSystemTitle: 'keyMeterTitle',
};
/** What a conversation tells by itself. */
const LEARNT: ReadonlySet<KeyField> = new Set(['dedicated', 'clientSystemTitle', 'serverSystemTitle']);

interface FieldProps {
  readonly field: KeyField;
  readonly text: string;
  change(text: string): void;
}

function KeyInput({ field, text, change }: FieldProps): ReactNode {
  const { t, format } = useSpeech();
  const note = useId();
  const fault = faultOf(field, text);
  const [a, b] = digitsOf(field).map((n) => format.number(n));
  const digits = b === undefined ? (a as string) : t('keyOr', { a: a as string, b });
  const said =
    fault?.kind === 'digits'
      ? t('keyBadDigit')
      : fault
        ? t('keyDigits', { digits, n: fault.n })
        : LEARNT.has(field)
          ? t('keyLearnt')
          : '';
  return (
    <div className="field">
      <label htmlFor={`explain-${field}`}>{t(LABELS[field])}</label>
      <input
        id={`explain-${field}`}
        className="mono"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={text}
        aria-invalid={fault !== undefined}
        aria-describedby={said ? note : undefined}
        onChange={(event) => change(event.target.value)}
      />
      {said && (
        <p id={note} className={fault ? 'field-fault' : 'field-hint'}>
          {said}
        </p>
      )}
    </div>
  );
}

export function KeysPanel({
  keys,
  open,
  setOpen,
  change,
}: {
  keys: KeyTexts;
  open: boolean;
  setOpen(open: boolean): void;
  change(keys: KeyTexts): void;
}): ReactNode {
  const { t } = useSpeech();
  const given = KEY_FIELDS.filter((field) => (keys[field] ?? '').trim() !== '').length;
  return (
    <details className="explain-keys" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {t('keys')}
        {given > 0 && <span className="explain-given">{t('keysGiven', { n: given })}</span>}
      </summary>
      <p className="field-hint">{t('keysText')}</p>
      <div className="explain-key-fields">
        {KEY_FIELDS.map((field) => (
          <KeyInput
            key={field}
            field={field}
            text={keys[field] ?? ''}
            change={(text) => change({ ...keys, [field]: text })}
          />
        ))}
      </div>
      {given > 0 && (keys.unicast ?? '') === '' && keysOf(keys) === undefined && (
        <p className="form-fault">{t('keyFirst')}</p>
      )}
    </details>
  );
}
