/** The bar above every page: where one is, whether the values are live, language and theme. */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { accessApi } from '../access/api.ts';
import { useMe } from '../access/session.ts';
import { LANGUAGES, type Language, useSpeech } from '../i18n/index.tsx';
import { reconnect, useConnection } from '../live.ts';
import { statusQuery } from '../queries.ts';
import { currentTheme, setTheme, type Theme } from '../theme.ts';
import { GuestBanner, Navigation } from './nav.tsx';

function Brand(): ReactNode {
  return (
    <Link href="/" className="brand" aria-label="Amiable">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <rect width="32" height="32" rx="8" className="brand-back" />
        <path d="M6.5 16.2 16 7.5l9.5 8.7V24a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 24z" className="brand-house" />
        <path d="M9.5 19.5h3l2-4.5 3 7 2-4h3" className="brand-pulse" />
      </svg>
      <span>Amiable</span>
    </Link>
  );
}

function ConnectionState(): ReactNode {
  const { t, format } = useSpeech();
  const connection = useConnection();
  // Asked by the page; here it is only told.
  const status = useQuery({ ...statusQuery, enabled: false });
  const simulated = status.data?.simulated === true;
  if (connection === 'lost')
    return (
      <span className="connection connection-lost" role="status">
        <span className="dot" aria-hidden="true" />
        <span className="connection-text">{t('connectionLost')}</span>
        <button type="button" className="button small" onClick={reconnect}>
          {t('tryNow')}
        </button>
      </span>
    );
  const speed = status.data?.speed ?? 1;
  return (
    <span className="connection" role="status">
      {connection !== 'idle' && (
        <>
          <span className={`dot dot-${connection}`} aria-hidden="true" />
          <span className="connection-text">{t(connection === 'open' ? 'live' : 'connecting')}</span>
        </>
      )}
      {simulated && (
        <span className="connection-note">
          {speed === 1 ? t('simulated') : t('simulatedSpeed', { n: format.number(speed) })}
        </span>
      )}
    </span>
  );
}

const THEME_SIGNS: Record<Theme, ReactNode> = {
  auto: <path d="M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1m0 1.6a5.4 5.4 0 0 1 0 10.8z" fillRule="evenodd" />,
  light: (
    <path d="M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M7.3 0h1.4v2.6H7.3zm0 13.4h1.4V16H7.3zM0 7.3h2.6v1.4H0zm13.4 0H16v1.4h-2.6zM1.9 2.9l1-1 1.8 1.8-1 1zm9.4 9.4 1-1 1.8 1.8-1 1zm0-8.6 1.8-1.8 1 1-1.8 1.8zM1.9 13.1l1.8-1.8 1 1-1.8 1.8z" />
  ),
  dark: <path d="M6 1.2a6.8 6.8 0 1 0 8.8 8.8A5.8 5.8 0 0 1 6 1.2" />,
};
const NEXT: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };
const THEME_KEYS = { auto: 'themeAuto', light: 'themeLight', dark: 'themeDark' } as const;

function ThemeButton(): ReactNode {
  const { t } = useSpeech();
  const [theme, choose] = useState(currentTheme);
  const label = `${t('theme')}: ${t(THEME_KEYS[theme])}`;
  return (
    <button
      type="button"
      className="icon-button"
      title={label}
      aria-label={label}
      onClick={() => {
        setTheme(NEXT[theme]);
        choose(NEXT[theme]);
      }}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="currentColor">
        {THEME_SIGNS[theme]}
      </svg>
    </button>
  );
}

function LanguageChoice(): ReactNode {
  const { t, language, setLanguage } = useSpeech();
  const me = useMe();
  return (
    <select
      className="language"
      aria-label={t('language')}
      value={language}
      onChange={(event) => {
        const chosen = event.target.value as Language;
        setLanguage(chosen);
        // Whoever is logged in finds it again elsewhere; that it could not be kept is no reason to disturb.
        if (me?.kind === 'user') accessApi.language(chosen).catch(() => {});
      }}
    >
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}

export function Header(): ReactNode {
  const { t } = useSpeech();
  return (
    <>
      <a className="skip" href="#main">
        {t('skip')}
      </a>
      <header className="header">
        <div className="header-in">
          <Brand />
          <ConnectionState />
          <span className="spacer" />
          <Navigation />
          <LanguageChoice />
          <ThemeButton />
        </div>
      </header>
      <GuestBanner />
    </>
  );
}
