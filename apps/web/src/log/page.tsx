/** The transaction log as it happens: what the central system does, from flows down to single APDUs. The filter stands in the address. */
import '../style/desk.css';
import '../style/log.css';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useState } from 'react';
import { useSearchParams } from 'wouter';
import { useDesk } from '../i18n/desk.ts';
import { statusQuery } from '../queries.ts';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { KINDS, type LogFilter, STATES } from './api.ts';
import { EntryDetail } from './detail.tsx';
import { TreeView } from './tree-view.tsx';
import { isFiltered, type LogFeed, useLog, useRested } from './use-log.ts';

const oneOf = <V extends string>(values: readonly V[], text: string | null): V | '' =>
  values.includes(text as V) ? (text as V) : '';
const numberOf = (text: string | null): string => (text !== null && /^\d{1,19}$/.test(text) ? text : '');

function Connection({ feed }: { feed: LogFeed }): ReactNode {
  const { t } = useDesk();
  if (feed.connection === 'lost')
    return (
      <span className="connection connection-lost" role="status">
        <span className="dot" aria-hidden="true" />
        <span>{t('connectionLost')}</span>
        <button type="button" className="button small" onClick={() => feed.retry()}>
          {t('tryNow')}
        </button>
      </span>
    );
  return (
    <span className="connection" role="status">
      <span className={feed.paused ? 'dot' : `dot dot-${feed.connection}`} aria-hidden="true" />
      {feed.paused
        ? feed.waiting > 0
          ? t('logWaiting', { n: feed.waiting })
          : t('logPaused')
        : t(feed.connection === 'open' ? 'live' : 'connecting')}
    </span>
  );
}

export default function LogPage(): ReactNode {
  const { t } = useDesk();
  const [parameters, setParameters] = useSearchParams();
  const zone = useQuery(statusQuery).data?.timeZone ?? 'UTC';
  const set = useCallback(
    (changes: Record<string, string>) =>
      setParameters(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(changes))
            if (value === '') next.delete(name);
            else next.set(name, value);
          return next;
        },
        { replace: true },
      ),
    [setParameters],
  );
  const [words, setWords] = useState(parameters.get('q') ?? '');
  const rested = useRested(words, 250);
  const asked = parameters.get('q') ?? '';
  useEffect(() => {
    if (rested.trim() !== asked) set({ q: rested.trim() });
  }, [rested, asked, set]);
  const filter: LogFilter = {
    q: asked.slice(0, 200),
    state: oneOf(STATES, parameters.get('state')),
    kind: oneOf(KINDS, parameters.get('kind')),
    meter: numberOf(parameters.get('meter')),
    run: numberOf(parameters.get('run')),
  };
  const feed = useLog(filter);
  const selected = numberOf(parameters.get('id'));
  useEffect(() => {
    document.title = `${t('logTitle')} · Amiable`;
  }, [t]);
  const select = useCallback((id: string) => set({ id }), [set]);
  const fold = useCallback((id: string, open: boolean) => feed.fold(id, open), [feed]);
  const more = useCallback((parent: string | undefined) => void feed.more(parent), [feed]);

  const { tree } = feed;
  const lines = tree.lines();
  const filtered = isFiltered(filter);
  return (
    <div className="page log-page">
      <h1>{t('logTitle')}</h1>
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
            placeholder={t('logSearch')}
            value={words}
            maxLength={200}
            onChange={(event) => setWords(event.target.value)}
          />
        </div>
        <label className="pick">
          <span>{t('logState')}</span>
          <select value={filter.state} onChange={(event) => set({ state: event.target.value })}>
            <option value="">{t('filterAll')}</option>
            {STATES.map((one) => (
              <option key={one} value={one}>
                {t(`state_${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label className="pick">
          <span>{t('logKind')}</span>
          <select value={filter.kind} onChange={(event) => set({ kind: event.target.value })}>
            <option value="">{t('filterAll')}</option>
            {KINDS.map((one) => (
              <option key={one} value={one}>
                {t(`kind_${one}`)}
              </option>
            ))}
          </select>
        </label>
        {(filter.meter || filter.run) && (
          <button type="button" className="button small" onClick={() => set({ meter: '', run: '' })}>
            {filter.meter ? t('logOfMeter', { id: filter.meter }) : t('logOfRun', { id: filter.run })}
            <span aria-hidden="true">✕</span>
            <span className="unseen">{t('clearSearch')}</span>
          </button>
        )}
        <span className="spacer" />
        <Connection feed={feed} />
        <button
          type="button"
          className="button"
          aria-pressed={feed.paused}
          onClick={() => feed.setPaused(!feed.paused)}
        >
          {t(feed.paused ? 'logGoOn' : 'logPause')}
        </button>
      </search>
      {feed.fault !== undefined && tree.loaded && (
        <Fault
          fault={feed.fault}
          retry={() => {
            feed.dismiss();
            feed.retry();
          }}
          small
        />
      )}
      {!tree.loaded && feed.fault !== undefined ? (
        <Fault fault={feed.fault} retry={() => feed.retry()} />
      ) : (
        <div className={selected ? 'log log-split' : 'log'}>
          <section className="panel log-panel" aria-label={t('logTitle')}>
            {!tree.loaded ? (
              <div className="log-bones" aria-busy="true">
                <p className="unseen" role="status">
                  {t('loading')}
                </p>
                {Array.from({ length: 10 }, (_, i) => i).map((i) => (
                  <Bone key={i} height={22} />
                ))}
              </div>
            ) : lines.length === 0 ? (
              <div className="notice notice-small">
                <h2>{t(filtered ? 'logNothingFits' : 'logEmpty')}</h2>
                <p>{filtered ? '' : t('logEmptyText')}</p>
                {filtered && (
                  <button
                    type="button"
                    className="button"
                    onClick={() => {
                      setWords('');
                      set({ q: '', state: '', kind: '', meter: '', run: '' });
                    }}
                  >
                    {t('clearSearch')}
                  </button>
                )}
              </div>
            ) : (
              <TreeView
                lines={lines}
                zone={zone}
                selected={selected}
                busy={false}
                select={select}
                fold={fold}
                more={more}
              />
            )}
            <p className="log-keys">{t('logKeys')}</p>
          </section>
          {selected && (
            <EntryDetail
              id={selected}
              zone={zone}
              state={tree.get(selected)?.state ?? ''}
              open={select}
              close={() => set({ id: '' })}
            />
          )}
        </div>
      )}
    </div>
  );
}
