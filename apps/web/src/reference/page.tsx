/**
 * The API, described for people: from the server's own OpenAPI document, drawn here, so that nothing of it comes from elsewhere. What can be
 * asked without changing anything can be tried with the session that is logged in.
 */
import '../style/desk.css';
import '../style/reference.css';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { z } from 'zod';
import { ask, BASE, until } from '../api.ts';
import { useDesk } from '../i18n/desk.ts';
import { Fault } from '../ui/notice.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { type Chapter, type Description, find, type Operation, readDescription } from './openapi.ts';
import { OperationDetail } from './operation.tsx';

const descriptionQuery = {
  queryKey: ['openapi'],
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    readDescription(await ask(z.unknown(), '/openapi.json', until(signal))),
  staleTime: Number.POSITIVE_INFINITY,
};

/** The route that the address names behind `#`. */
function useHash(): string {
  const [hash, setHash] = useState(() => decodeURIComponent(location.hash.slice(1)));
  useEffect(() => {
    const changed = () => setHash(decodeURIComponent(location.hash.slice(1)));
    window.addEventListener('hashchange', changed);
    return () => window.removeEventListener('hashchange', changed);
  }, []);
  return hash;
}

export function Need({ needs }: { needs: string }): ReactNode {
  const { t } = useDesk();
  if (needs === '') return null;
  const words = { public: t('needsNothing'), caller: t('needsLogIn'), known: t('needsAny') } as const;
  const text = needs in words ? words[needs as keyof typeof words] : needs;
  return <span className={`need need-${needs === 'public' ? 'public' : 'some'}`}>{text}</span>;
}

function Route(props: { operation: Operation; description: Description; asked: boolean }): ReactNode {
  const { operation, description, asked } = props;
  const [open, setOpen] = useState(asked);
  useEffect(() => {
    if (!asked) return;
    setOpen(true);
    document.getElementById(operation.key)?.scrollIntoView({ block: 'start' });
  }, [asked, operation.key]);
  return (
    <details id={operation.key} className="route" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className={`method method-${operation.method.toLowerCase()}`}>{operation.method}</span>
        <span className="route-path">{operation.path}</span>
        <span className="route-summary">{operation.summary}</span>
        <Need needs={operation.needs} />
      </summary>
      {open && <OperationDetail operation={operation} description={description} />}
    </details>
  );
}

const chapterId = (name: string) => `chapter-${name.replace(/\W+/g, '-')}`;

function Chapters({ chapters }: { chapters: readonly Chapter[] }): ReactNode {
  const { t, format } = useDesk();
  return (
    <nav className="reference-chapters" aria-label={t('chapters')}>
      <ul>
        {chapters.map((chapter) => (
          <li key={chapter.name}>
            <a href={`#${chapterId(chapter.name)}`}>
              <span>{chapter.name || t('noChapter')}</span>
              <span className="reference-count">{format.number(chapter.operations.length)}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const has = (chapters: readonly Chapter[], key: string): boolean =>
  chapters.some((chapter) => chapter.operations.some((operation) => operation.key === key));

function Reference({ description }: { description: Description }): ReactNode {
  const { t } = useDesk();
  const hash = useHash();
  const [words, setWords] = useState('');
  const wanted = useDeferredValue(words);
  const chapters = useMemo(() => find(description.chapters, wanted), [description, wanted]);
  // A route that the address names is shown, whatever was searched before.
  const hidden = hash !== '' && !hash.startsWith('chapter-') && !has(chapters, hash) && has(description.chapters, hash);
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the address changes, not while somebody types
  useEffect(() => {
    if (hidden) setWords('');
  }, [hash]);
  const shown = chapters.reduce((sum, chapter) => sum + chapter.operations.length, 0);
  return (
    <div className="page reference-page">
      <div className="reference-head">
        <h1>{t('apiTitle')}</h1>
        <p>
          {t('apiText')} <a href={`${BASE}/openapi.json`}>openapi.json</a>
        </p>
      </div>
      <search className="tools">
        <div className="search">
          <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
            <path
              d="M7 2a5 5 0 1 1 0 10A5 5 0 0 1 7 2m3.6 8.6L14 14"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.6"
            />
          </svg>
          <input
            type="search"
            aria-label={t('search')}
            placeholder={t('apiSearch')}
            value={words}
            onChange={(event) => setWords(event.target.value)}
          />
        </div>
        <p className="tools-count" aria-live="polite">
          {t('routes', { n: shown })}
        </p>
      </search>
      {shown === 0 && <p className="notice notice-small">{t('apiNone', { q: wanted })}</p>}
      <div className="reference">
        {shown > 0 && <Chapters chapters={chapters} />}
        <div className="reference-routes">
          {chapters.map((chapter) => (
            <section key={chapter.name} aria-labelledby={chapterId(chapter.name)}>
              <h2 id={chapterId(chapter.name)}>{chapter.name || t('noChapter')}</h2>
              {chapter.description && <p className="reference-text">{chapter.description}</p>}
              <div className="panel reference-list">
                {chapter.operations.map((operation) => (
                  <Route
                    key={operation.key}
                    operation={operation}
                    description={description}
                    asked={hash === operation.key}
                  />
                ))}
              </div>
            </section>
          ))}
        </div>
      </div>
    </div>
  );
}

export default function ReferencePage(): ReactNode {
  const { t } = useDesk();
  const query = useQuery(descriptionQuery);
  useEffect(() => {
    document.title = `${t('apiTitle')} · Amiable`;
  }, [t]);
  if (query.isPending) return <PageSkeleton />;
  if (query.isError)
    return (
      <div className="page">
        <Fault fault={query.error} retry={() => void query.refetch()} />
      </div>
    );
  return <Reference description={query.data} />;
}
