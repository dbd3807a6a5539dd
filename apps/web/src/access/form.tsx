/** The two fields of a log-in, on its page and in the dialog of an ended session. */
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { ApiError } from '../api.ts';
import { type DeskTranslate, useDesk } from '../i18n/desk.ts';
import { TextField } from '../ui/field.tsx';
import { faultText } from '../ui/notice.tsx';
import { accessApi, type Me } from './api.ts';

export interface LogInFormProps {
  readonly name: string;
  /** Absent where it must stay who it was. */
  change?(name: string): void;
  done(me: Me): void;
  readonly children?: ReactNode;
}

function whyNot(t: DeskTranslate, thrown: unknown): string {
  if (thrown instanceof ApiError) {
    if (thrown.kind === 'unauthorized') return t('wrongPassword');
    if (thrown.retryAfter !== undefined) return t('tooManyTries', { n: Math.ceil(thrown.retryAfter) });
  }
  const said = faultText(t, thrown);
  return said.detail || said.text;
}

export function LogInForm({ name, change, done, children }: LogInFormProps): ReactNode {
  const { t } = useDesk();
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const again = useRef<HTMLInputElement>(null);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      const me = await accessApi.logIn(name.trim(), password);
      setPassword('');
      done(me);
    } catch (thrown) {
      setFault(whyNot(t, thrown));
      setPassword('');
      again.current?.focus();
    }
    setBusy(false);
  };
  return (
    <form className="form" onSubmit={send}>
      <TextField
        label={t('userName')}
        value={name}
        change={change ?? (() => {})}
        readOnly={!change}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={100}
        required
        autoFocus={change !== undefined}
      />
      <TextField
        label={t('password')}
        value={password}
        change={setPassword}
        input={again}
        type="password"
        autoComplete="current-password"
        maxLength={200}
        required
        autoFocus={!change}
      />
      {fault && (
        <p className="form-fault" role="alert">
          {fault}
        </p>
      )}
      <div className="form-actions">
        {children}
        <button type="submit" className="button primary" disabled={busy || name.trim() === '' || password === ''}>
          {t(busy ? 'loggingIn' : 'logIn')}
        </button>
      </div>
    </form>
  );
}
