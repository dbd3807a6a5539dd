/**
 * How complete the readings are: days across, areas or meters down, from regions down to the meter and what it lacks. What is looked at stands
 * in the address.
 */
import '../style/desk.css';
import '../style/completeness.css';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import { now } from '../clock.ts';
import { useDesk } from '../i18n/desk.ts';
import { DataTable } from '../meter/table.tsx';
import { statusQuery } from '../queries.ts';
import { Choice } from '../ui/choice.tsx';
import { Fault } from '../ui/notice.tsx';
import { Bone, PageSkeleton } from '../ui/skeleton.tsx';
import { LEVELS, type Level, type Row, reportQuery } from './api.ts';
import { MeterGaps } from './gaps.tsx';
import { HeatGrid, type Spot } from './grid.tsx';
import { addDays, below, CLASSES, dayOf, isDay, noonOf } from './model.ts';
import { cellText, shareText } from './words.ts';

const SPANS = ['7', '14', '30', '90'] as const;
type Span = (typeof SPANS)[number];

const isSpan = (text: string | null): text is Span => SPANS.includes(text as Span);
const isLevel = (text: string | null): text is Level => LEVELS.includes(text as Level);

/** Names of areas that were seen on the way down, for the way back. */
const names = new Map<string, { name: string; kind: Row['kind'] }>();

export default function CompletenessPage(): ReactNode {
  const status = useQuery(statusQuery);
  // Which day it is, the server's clock and zone tell.
  if (status.isPending) return <PageSkeleton />;
  return <HeatMap zone={status.data?.timeZone ?? 'UTC'} />;
}

function Legend(): ReactNode {
  const { t } = useDesk();
  return (
    <ul className="heat-legend" aria-label={t('legend')}>
      {[...CLASSES, 'none' as const, 'unknown' as const].map((one) => (
        <li key={one}>
          <span className={`heat-swatch heat-${one}`} aria-hidden="true" />
          {t(`class_${one}`)}
        </li>
      ))}
    </ul>
  );
}

function HeatMap({ zone }: { zone: string }): ReactNode {
  const { t, format } = useDesk();
  const [parameters, setParameters] = useSearchParams();
  const set = useCallback(
    (changes: Record<string, string>) =>
      setParameters((before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes))
          if (value === '') next.delete(name);
          else next.set(name, value);
        return next;
      }),
    [setParameters],
  );
  const [today] = useState(() => dayOf(now(), zone));
  const asked = parameters.get('days');
  const [roomy] = useState(() => window.innerWidth >= 700);
  const span: Span = isSpan(asked) ? asked : roomy ? '30' : '14';
  const end = parameters.get('to');
  const to = isDay(end) && end < today ? end : today;
  const from = addDays(to, -Number(span));
  const trail = useMemo(
    () => (parameters.get('under') ?? '').split('.').filter((id) => /^\d{1,19}$/.test(id)),
    [parameters],
  );
  const under = trail.at(-1) ?? '';
  const level = parameters.get('rows');
  const chosen = isLevel(level) ? level : undefined;
  /** Levels that this place has none of are passed over. */
  const [passed, setPassed] = useState<{ readonly under: string; readonly level: Level }>();
  const first = under === '' ? 'region' : below(names.get(under)?.kind ?? 'all');
  const rowsOf: Level = chosen ?? (passed?.under === under ? passed.level : first);
  const profile = parameters.get('profile') ?? '';

  const query = useInfiniteQuery({
    ...reportQuery({ profile, from, to, rows: rowsOf, under }),
    placeholderData: (before) => before,
    refetchInterval: 60_000,
  });
  const report = query.data?.pages[0];
  const rows = useMemo(
    () => (report ? [report.total, ...(query.data?.pages.flatMap((page) => page.rows) ?? [])] : []),
    [query.data, report],
  );
  const none = rows.length === 1 && !query.isPlaceholderData;
  useEffect(() => {
    if (none && chosen === undefined && rowsOf !== 'meter') setPassed({ under, level: below(rowsOf) });
  }, [none, chosen, rowsOf, under]);
  useEffect(() => {
    document.title = `${t('completeness')} · Amiable`;
  }, [t]);
  if (report && under !== '' && !names.has(under) && report.total.kind !== 'all' && !query.isPlaceholderData)
    names.set(under, { name: report.total.name, kind: report.total.kind });

  const [spot, point] = useState<Spot>();
  const nameOf = useCallback((row: Row) => (row.kind === 'all' ? t('allMeters') : row.name || row.id), [t]);
  const meter = parameters.get('meter');
  const activate = ({ row, column }: Spot) => {
    const found = rows[row];
    if (!found || row === 0) return;
    if (found.kind === 'meter') {
      const day = column > 0 ? (report?.days[column - 1] ?? '') : '';
      set({ meter: found.id, day });
      return;
    }
    names.set(found.id, { name: found.name, kind: found.kind });
    set({ under: [...trail, found.id].join('.'), rows: '', meter: '', day: '' });
  };
  const period = `${format.day(noonOf(from), 'UTC')} – ${format.day(noonOf(addDays(to, -1)), 'UTC')}`;

  return (
    <div className="page">
      <div className="heat-head">
        <h1>{t('completenessTitle')}</h1>
        <nav aria-label={t('place')}>
          <ol className="crumbs">
            {['', ...trail].map((id, i) => {
              const here = i === trail.length;
              const name = id === '' ? t('allMeters') : (names.get(id)?.name ?? `… ${id}`);
              return (
                <li key={id}>
                  <button
                    type="button"
                    aria-current={here ? 'page' : undefined}
                    disabled={here}
                    onClick={() => set({ under: trail.slice(0, i).join('.'), rows: '', meter: '', day: '' })}
                  >
                    {name}
                  </button>
                </li>
              );
            })}
          </ol>
        </nav>
      </div>
      <div className="tools">
        <Choice
          label={t('period')}
          value={span}
          choose={(value) => set({ days: value })}
          // Ninety columns are too narrow for a phone, and the choice too wide.
          options={SPANS.filter((value) => roomy || value !== '90' || value === span).map((value) => ({
            value,
            label: t('days', { n: Number(value) }),
          }))}
        />
        <div className="period-steps">
          <button type="button" className="button" onClick={() => set({ to: from })}>
            {t('earlier')}
          </button>
          <button
            type="button"
            className="button"
            disabled={to >= today}
            onClick={() => set({ to: addDays(to, Number(span)) >= today ? '' : addDays(to, Number(span)) })}
          >
            {t('later')}
          </button>
        </div>
        <label className="pick">
          <span>{t('rowsOf')}</span>
          <select value={rowsOf} onChange={(event) => set({ rows: event.target.value, meter: '', day: '' })}>
            {LEVELS.map((one) => (
              <option key={one} value={one}>
                {t(`level_${one}`)}
              </option>
            ))}
          </select>
        </label>
        {report && report.profiles.length > 0 && (
          <label className="pick">
            <span>{t('profile')}</span>
            <select value={report.profile} onChange={(event) => set({ profile: event.target.value })}>
              {report.profiles.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
        )}
        <p className="tools-count">{period}</p>
      </div>
      {query.isError && !report ? (
        <Fault fault={query.error} retry={() => void query.refetch()} />
      ) : !report ? (
        <section className="panel heat-panel" aria-busy="true">
          <p className="unseen" role="status">
            {t('loading')}
          </p>
          <Bone height={22} />
          {Array.from({ length: 12 }, (_, i) => i).map((i) => (
            <Bone key={i} height={26} />
          ))}
        </section>
      ) : report.total.cells.every((cell) => cell === null || cell.expected === 0) && rows.length === 1 ? (
        <section className="notice">
          <svg viewBox="0 0 64 64" width="72" height="72" aria-hidden="true" className="notice-sign">
            <path d="M10 12h44v40H10zM10 25h44M10 38h44M25 12v40M40 12v40" strokeDasharray="4 4" />
          </svg>
          <h2>{t('heatEmpty')}</h2>
          <p>{t('heatEmptyText')}</p>
        </section>
      ) : (
        <>
          <section className="panel heat-panel" aria-labelledby="heat-spot">
            <div className="heat-top">
              <SpotLine spot={spot} rows={rows} days={report.days} nameOf={nameOf} />
              <Legend />
            </div>
            <HeatGrid
              key={`${under} ${rowsOf}`}
              label={t('completenessTitle')}
              days={report.days}
              rows={rows}
              more={query.hasNextPage && !query.isFetchingNextPage && !query.isPlaceholderData}
              fetchMore={() => void query.fetchNextPage()}
              point={point}
              activate={activate}
              nameOf={nameOf}
            />
            {none && <p className="heat-none">{t(rowsOf === 'meter' ? 'heatAllThere' : 'heatNoRows')}</p>}
            {query.isFetchNextPageError && <Fault fault={query.error} retry={() => void query.fetchNextPage()} small />}
            <p className="heat-keys">
              {t('heatKeys')}
              {report.computedAt && ` ${t('countedAt', { time: format.instant(Date.parse(report.computedAt), zone) })}`}
            </p>
          </section>
          {meter && /^\d{1,19}$/.test(meter) && (
            <MeterGaps
              meter={meter}
              name={rows.find((row) => row.kind === 'meter' && row.id === meter)?.name ?? ''}
              profile={report.profile}
              from={from}
              to={to}
              day={parameters.get('day') ?? ''}
              today={today}
              close={() => set({ meter: '', day: '' })}
            />
          )}
          <DataTable
            caption={t('completenessTitle')}
            columns={[t('name'), ...report.days.map((day) => format.day(noonOf(day), 'UTC'))]}
            count={rows.length}
            row={(index) => {
              const row = rows[index] as Row;
              return [
                nameOf(row),
                ...report.days.map((_, i) => {
                  const cell = row.cells[i] ?? null;
                  return cell && cell.expected > 0 ? shareText(format, cell) : cellText(t, format, cell);
                }),
              ];
            }}
          />
        </>
      )}
    </div>
  );
}

/** The numbers of what is pointed at; of the sum over all days when nothing is. */
function SpotLine(props: {
  spot: Spot | undefined;
  rows: readonly Row[];
  days: readonly string[];
  nameOf(row: Row): string;
}): ReactNode {
  const { t, format } = useDesk();
  const { spot, rows, days, nameOf } = props;
  const row = rows[spot?.row ?? 0];
  if (!row) return <p id="heat-spot" className="heat-spot" />;
  const column = spot?.column ?? 0;
  const cells = column > 0 ? [row.cells[column - 1] ?? null] : row.cells;
  const sum = cells.reduce((a, b) => {
    if (!a || !b) return a ?? b;
    return {
      expected: a.expected + b.expected,
      present: a.present + b.present,
      missing: a.missing + b.missing,
      estimated: a.estimated + b.estimated,
      givenUp: a.givenUp + b.givenUp,
      // Meters are the same ones each day.
      meters: 0,
      complete: 0,
    };
  }, null);
  const day = days[column - 1];
  return (
    <p id="heat-spot" className="heat-spot">
      <b>{nameOf(row)}</b>
      <span>{day ? format.date(noonOf(day), 'UTC') : t('days', { n: days.length })}</span>
      <span>{cellText(t, format, sum)}</span>
    </p>
  );
}
