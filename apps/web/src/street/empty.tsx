/** The street before its first meter: what to do. */
import type { ReactNode } from 'react';
import { type Key, useSpeech } from '../i18n/index.tsx';
import { CopyButton } from '../ui/copy.tsx';

const WAYS: readonly { readonly key: Key; readonly command: string }[] = [
  { key: 'emptyStreet', command: 'npm start' },
  {
    key: 'emptyMeter',
    command: 'npx --no-install amiable read -d /dev/ttyUSB0 --mqtt mqtt://localhost:1883',
  },
  { key: 'emptyFile', command: 'npx --no-install amiable read -f FILE --mqtt mqtt://localhost:1883' },
];

export function EmptyStreet(): ReactNode {
  const { t } = useSpeech();
  return (
    <section className="notice notice-wide">
      <svg viewBox="0 0 220 72" width="264" height="86" aria-hidden="true" className="notice-sign">
        <path d="M4 66h212" />
        <path d="M20 66V40l18-15 18 15v26M76 66V46l16-13 16 13v20M128 66V36l21-17 21 17v30" strokeDasharray="4 4" />
        <path d="M186 66V44m0-6v-.5m0-9a13 13 0 0 1 13 13m-13-20a20 20 0 0 1 20 20" />
      </svg>
      <h1>{t('emptyTitle')}</h1>
      <p>{t('emptyText')}</p>
      <ul className="ways">
        {WAYS.map((way) => (
          <li key={way.key}>
            <p>{t(way.key)}</p>
            <div className="command">
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long command scrolls, by keyboard too */}
              <code tabIndex={0}>{way.command}</code>
              <CopyButton text={way.command} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
