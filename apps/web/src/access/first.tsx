/**
 * The first administrator: made once, by whoever holds the link that the central system printed when it was started without any
 * user. The code stands behind `#`, so that no server and no proxy sees it in an address, and leaves the address bar at once.
 */
import '../style/access.css';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useDesk } from '../i18n/desk.ts';
import { LANGUAGES, type Language } from '../i18n/index.tsx';
import { TextField } from '../ui/field.tsx';
import { faultText } from '../ui/notice.tsx';
import { accessApi } from './api.ts';
import { isChosen, NewPassword, NONE } from './new-password.tsx';
import { take } from './session.ts';

/** Read when the file is, before the address loses it. */
function codeOfAddress(): string {
  const behind = location.hash.slice(1);
  return new URLSearchParams(behind).get('code') ?? decodeURIComponent(behind);
}

export default function FirstPage(): ReactNode {
  const { t, language, setLanguage } = useDesk();
  const [, goTo] = useLocation();
  const [code, setCode] = useState(codeOfAddress);
  const [byLink] = useState(code !== '');
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState(NONE);
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = `${t('firstTitle')} · Amiable`;
  }, [t]);
  useEffect(() => {
    if (location.hash !== '') history.replaceState(null, '', location.pathname);
  }, []);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      take(await accessApi.first({ code: code.trim(), name: name.trim(), password: chosen.password, language }));
      goTo('/', { replace: true });
    } catch (thrown) {
      const said = faultText(t, thrown);
      setFault(thrown instanceof Error && thrown.message ? thrown.message : said.text);
      setBusy(false);
    }
  };
  return (
    <div className="page access">
      <section className="panel access-panel" aria-labelledby="access-title">
        <h1 id="access-title">{t('firstTitle')}</h1>
        <p className="access-text">{t('firstText')}</p>
        <form className="form" onSubmit={send}>
          {!byLink && (
            <TextField
              label={t('firstCode')}
              hint={t('firstCodeHint')}
              className="mono"
              value={code}
              change={setCode}
              maxLength={100}
              autoComplete="off"
              spellCheck={false}
              required
              autoFocus
            />
          )}
          <TextField
            label={t('userName')}
            hint={t('userNameHint')}
            value={name}
            change={setName}
            maxLength={100}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            autoFocus={byLink}
          />
          <NewPassword name={name} value={chosen} change={setChosen} />
          <LanguageField language={language} choose={setLanguage} />
          {fault && (
            <p className="form-fault" role="alert">
              {fault}
            </p>
          )}
          <div className="form-actions">
            <button
              type="submit"
              className="button primary"
              disabled={busy || code.trim() === '' || name.trim() === '' || !isChosen(chosen)}
            >
              {t(busy ? 'saving' : 'firstMake')}
            </button>
          </div>
        </form>
        <p className="access-foot">
          <Link href="/login">{t('firstElse')}</Link>
        </p>
      </section>
    </div>
  );
}

export function LanguageField(props: { language: Language; choose(language: Language): void }): ReactNode {
  const { t } = useDesk();
  return (
    <div className="field">
      <label htmlFor="access-language">{t('language')}</label>
      <select
        id="access-language"
        value={props.language}
        onChange={(event) => props.choose(event.target.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([key, name]) => (
          <option key={key} value={key} lang={key}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}
