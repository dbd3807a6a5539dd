/** Name and password, and back to where one was. */
import '../style/access.css';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { useDesk } from '../i18n/desk.ts';
import { isLanguage } from '../i18n/index.tsx';
import { safeNext } from './address.ts';
import { LogInForm } from './form.tsx';
import { meQuery, take } from './session.ts';

export default function LogInPage(): ReactNode {
  const { t, setLanguage } = useDesk();
  const [, goTo] = useLocation();
  const next = safeNext(new URLSearchParams(useSearch()).get('next'));
  const me = useQuery(meQuery).data;
  const [name, setName] = useState('');
  useEffect(() => {
    document.title = `${t('logIn')} · Amiable`;
  }, [t]);
  return (
    <div className="page access">
      <section className="panel access-panel" aria-labelledby="access-title">
        <h1 id="access-title">{t('logInTitle')}</h1>
        {next !== '/' && <p className="access-text">{t('logInBack')}</p>}
        <LogInForm
          name={name}
          change={setName}
          done={(found) => {
            if (isLanguage(found.language)) setLanguage(found.language);
            take(found);
            goTo(found.mustChangePassword ? '/account' : next, { replace: true });
          }}
        />
        {me?.kind === 'guest' && me.privileges.includes('meter:view') && (
          <p className="access-foot">
            <Link href="/">{t('asGuest')}</Link>
          </p>
        )}
        {me?.firstNeeded && (
          <p className="access-foot">
            {t('firstNeeded')} <Link href="/first">{t('firstGo')}</Link>
          </p>
        )}
        {me?.kind === 'user' && <p className="access-foot">{t('loggedInAs', { name: me.name })}</p>}
        <p className="access-foot">{t('lostPassword')}</p>
      </section>
    </div>
  );
}
