/** What stands in place of content: faults in words, unknown addresses. */
import type { ReactNode } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import { loginAddress } from '../access/address.ts';
import { ApiError } from '../api.ts';
import { type Translate, useSpeech } from '../i18n/index.tsx';

export function faultText(t: Translate, fault: unknown): { title: string; text: string; detail: string } {
  const kind = fault instanceof ApiError ? fault.kind : 'shape';
  const detail = fault instanceof Error ? fault.message : String(fault);
  if (kind === 'offline') return { title: t('errorTitle'), text: t('errorOffline'), detail: '' };
  if (kind === 'unauthorized') return { title: t('errorUnknown'), text: t('errorUnknownText'), detail: '' };
  if (kind === 'forbidden') return { title: t('errorForbidden'), text: t('errorForbiddenText'), detail };
  if (kind === 'missing') return { title: t('errorMissing'), text: detail, detail: '' };
  if (kind === 'shape') return { title: t('errorTitle'), text: t('errorShape'), detail };
  return { title: t('errorTitle'), text: t('errorServer'), detail };
}

/** Leads to the log-in and back to here. */
export function LogInLink({ small }: { small?: boolean }): ReactNode {
  const { t } = useSpeech();
  const [path] = useLocation();
  const search = useSearch();
  return (
    <Link
      href={loginAddress(search ? `${path}?${search}` : path)}
      className={small ? 'button small' : 'button primary'}
    >
      {t('logIn')}
    </Link>
  );
}

export function Fault({ fault, retry, small }: { fault: unknown; retry?: () => void; small?: boolean }): ReactNode {
  const { t } = useSpeech();
  const said = faultText(t, fault);
  const Heading = small ? 'h3' : 'h1';
  return (
    <section className={small ? 'notice notice-small' : 'notice'} role="alert">
      {!small && (
        <svg viewBox="0 0 64 64" width="72" height="72" aria-hidden="true" className="notice-sign">
          <path d="M10 33 32 13l22 20v18a3 3 0 0 1-3 3H13a3 3 0 0 1-3-3z" />
          <path d="m34 25-8 12h12l-8 12" />
        </svg>
      )}
      <Heading>{said.title}</Heading>
      <p>{said.text}</p>
      {said.detail && <p className="notice-detail">{said.detail}</p>}
      {fault instanceof ApiError && fault.kind === 'unauthorized' ? (
        <LogInLink />
      ) : (
        retry && (
          <button type="button" className="button" onClick={retry}>
            {t('tryAgain')}
          </button>
        )
      )}
    </section>
  );
}

export function NotFound(): ReactNode {
  const { t } = useSpeech();
  const [path] = useLocation();
  return (
    <section className="notice">
      <svg viewBox="0 0 64 64" width="72" height="72" aria-hidden="true" className="notice-sign">
        <path d="M10 33 32 13l22 20v18a3 3 0 0 1-3 3H13a3 3 0 0 1-3-3z" strokeDasharray="5 4" />
        <path d="M27 33a5 5 0 1 1 7 4.6c-1.5.7-2 1.6-2 3.4M32 46v.5" />
      </svg>
      <h1>{t('notFoundTitle')}</h1>
      <p className="breakable">{t('notFoundText', { path })}</p>
      <Link href="/" className="button">
        {t('backToStreet')}
      </Link>
    </section>
  );
}
