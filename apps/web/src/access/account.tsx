/** What belongs to whoever is logged in: password, language, log-out. */
import '../style/access.css';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { ApiError } from '../api.ts';
import { useDesk } from '../i18n/desk.ts';
import { queryClient } from '../queries.ts';
import { TextField } from '../ui/field.tsx';
import { Fault, faultText } from '../ui/notice.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { accessApi, type Me } from './api.ts';
import { LanguageField } from './first.tsx';
import { isChosen, NewPassword, NONE } from './new-password.tsx';
import { logOut, meQuery } from './session.ts';

function PasswordForm({ me }: { me: Me }): ReactNode {
  const { t } = useDesk();
  const [old, setOld] = useState('');
  const [chosen, setChosen] = useState(NONE);
  const [done, setDone] = useState(false);
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    setDone(false);
    try {
      await accessApi.password(old, chosen.password);
      setOld('');
      setChosen(NONE);
      setDone(true);
      void queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
    } catch (thrown) {
      setFault(thrown instanceof ApiError && thrown.message ? thrown.message : faultText(t, thrown).text);
    }
    setBusy(false);
  };
  return (
    <form className="panel form" onSubmit={send}>
      <h2>{t('changePassword')}</h2>
      <input type="text" name="username" autoComplete="username" value={me.name} readOnly hidden />
      <TextField
        label={t('oldPassword')}
        value={old}
        change={(text) => {
          setOld(text);
          setDone(false);
        }}
        type="password"
        autoComplete="current-password"
        maxLength={200}
        required
      />
      <NewPassword name={me.name} value={chosen} change={setChosen} />
      <div className="form-actions">
        <p className={fault ? 'form-fault' : 'form-done'} role="status">
          {fault || (done ? t('passwordChanged') : '')}
        </p>
        <button type="submit" className="button primary" disabled={busy || old === '' || !isChosen(chosen)}>
          {t(busy ? 'saving' : 'changePassword')}
        </button>
      </div>
    </form>
  );
}

export default function AccountPage(): ReactNode {
  const { t, language, setLanguage } = useDesk();
  const me = useQuery(meQuery);
  useEffect(() => {
    document.title = `${t('account')} · Amiable`;
  }, [t]);
  if (me.isPending) return <PageSkeleton />;
  if (me.data?.kind !== 'user')
    return (
      <div className="page">
        <Fault fault={me.error ?? new ApiError('unauthorized', '')} />
      </div>
    );
  return (
    <div className="page access-account">
      <h1>{t('account')}</h1>
      {me.data.mustChangePassword && <p className="hint">{t('mustChange')}</p>}
      <section className="panel form" aria-labelledby="account-you">
        <h2 id="account-you">{me.data.name}</h2>
        <LanguageField
          language={language}
          choose={(chosen) => {
            setLanguage(chosen);
            accessApi.language(chosen).catch(() => {});
          }}
        />
        {me.data.groups.length > 0 && (
          <p className="field-hint">
            {t('groups')}: {me.data.groups.join(', ')}
          </p>
        )}
        <div className="form-actions">
          <button type="button" className="button" onClick={() => void logOut(true)}>
            {t('logOutEverywhere')}
          </button>
          <button type="button" className="button" onClick={() => void logOut()}>
            {t('logOut')}
          </button>
        </div>
      </section>
      <PasswordForm me={me.data} />
    </div>
  );
}
