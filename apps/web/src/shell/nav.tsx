/**
 * The pages there are, in the bar where there is room and behind one button where there is none, and who is logged in. What one may not
 * look at is not offered.
 */
import type { Privilege } from '@amiable/model';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { logOut, useMay, useMe } from '../access/session.ts';
import { type Key, useSpeech } from '../i18n/index.tsx';
import { LogInLink } from '../ui/notice.tsx';

const PAGES: readonly { readonly href: string; readonly key: Key; readonly needs?: Privilege }[] = [
  { href: '/', key: 'street', needs: 'meter:view' },
  { href: '/completeness', key: 'completeness', needs: 'reading:view' },
  { href: '/log', key: 'transactionLog', needs: 'transaction:view' },
  { href: '/explain', key: 'explainTitle' },
  { href: '/api', key: 'apiShort' },
];

const isOn = (path: string, href: string): boolean =>
  href === '/' ? path === '/' || path.startsWith('/meter/') : path === href || path.startsWith(`${href}/`);

function UserSign(): ReactNode {
  return (
    <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true" className="user-sign">
      <circle cx="8" cy="5" r="3" />
      <path d="M2 14.5a6 6 0 0 1 12 0" />
    </svg>
  );
}

export function Navigation(): ReactNode {
  const { t } = useSpeech();
  const [path] = useLocation();
  const me = useMe();
  const may = useMay();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: who went elsewhere is done with the menu
  useEffect(() => setOpen(false), [path]);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    document.addEventListener('keydown', key);
    return () => {
      document.removeEventListener('keydown', key);
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [open]);
  const user = me?.kind === 'user';
  return (
    <div className="nav-box" ref={box}>
      <button
        ref={button}
        type="button"
        className="icon-button nav-button"
        aria-label={t('menu')}
        aria-expanded={open}
        aria-controls="nav"
        onClick={() => setOpen(!open)}
      >
        <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
          <path d="M2 4h12M2 8h12M2 12h12" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" />
        </svg>
      </button>
      <div id="nav" className={open ? 'nav nav-open' : 'nav'}>
        <nav aria-label={t('pages')}>
          <ul className="nav-pages">
            {PAGES.map((page) =>
              page.needs && !may(page.needs) ? null : (
                <li key={page.href}>
                  <Link href={page.href} aria-current={isOn(path, page.href) ? 'page' : undefined}>
                    {t(page.key)}
                  </Link>
                </li>
              ),
            )}
          </ul>
        </nav>
        {user && (
          <div className="nav-user">
            <Link
              href="/account"
              className="nav-name"
              title={`${t('loggedInAs', { name: me.name })}. ${t('account')}`}
              aria-current={path === '/account' ? 'page' : undefined}
            >
              <UserSign />
              <span className="unseen">{t('account')}: </span>
              <span>{me.name}</span>
            </Link>
            <button type="button" className="button small" onClick={() => void logOut()}>
              {t('logOut')}
            </button>
          </div>
        )}
        {me && !user && path !== '/login' && path !== '/first' && (
          <div className="nav-user">
            <LogInLink small />
          </div>
        )}
      </div>
    </div>
  );
}

/** Told to who is not logged in and may look. */
export function GuestBanner(): ReactNode {
  const { t } = useSpeech();
  const me = useMe();
  const [path] = useLocation();
  if (me?.kind !== 'guest' || me.privileges.length === 0 || path === '/login' || path === '/first') return null;
  return (
    <aside className="guest" aria-label={t('account')}>
      <p>{t(me.firstNeeded ? 'firstBanner' : 'guestBanner')}</p>
      {me.firstNeeded ? (
        <Link href="/first" className="button small">
          {t('firstGo')}
        </Link>
      ) : (
        <LogInLink small />
      )}
    </aside>
  );
}
