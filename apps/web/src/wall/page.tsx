/**
 * The wall display, `/display`: one house on a whole screen, driven by keys or a rotary encoder (see turn.ts), always dark unless the
 * address asks otherwise. It refreshes itself, and when the server is away it says since when and shows what it has.
 */
import '../style/meter.css';
import '../style/wall.css';
import { type PeriodUnit, periodRange } from '@amiable/calendar';
import type { Energy, Media, Meter } from '@amiable/model';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { ApiError, api } from '../api.ts';
import { useNow } from '../clock.ts';
import { type Key, useSpeech } from '../i18n/index.tsx';
import { takeLive, useConnection, useWanted } from '../live.ts';
import { mediumWord } from '../meter/media.ts';
import { BUCKET, titleOf as periodTitle, UNITS } from '../meter/period.ts';
import { titleOf, useHouse } from '../street/tile.tsx';
import { faultText } from '../ui/notice.tsx';
import { WallBars } from './bars.tsx';
import { KNOBS, type Knob, readAddress, turn, type WallState, writeAddress } from './turn.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const KNOB_WORDS: Record<Knob, Key> = { time: 'time', period: 'period', meter: 'wallMeter' };

/** Asked for again and again, kept for a day: a wall display has nobody who reloads it. */
const STANDING = { refetchInterval: MINUTE, gcTime: DAY, retry: false } as const;

/** Dark, whatever the device wishes; as before when one goes elsewhere. */
function useDark(light: boolean): void {
  useEffect(() => {
    const root = document.documentElement;
    const before = root.dataset.theme;
    root.dataset.theme = light ? 'light' : 'dark';
    return () => {
      if (before === undefined) delete root.dataset.theme;
      else root.dataset.theme = before;
    };
  }, [light]);
}

function useWallKeys(press: (key: string) => boolean): void {
  const latest = useRef(press);
  latest.current = press;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const at = event.target instanceof Element ? event.target : undefined;
      if (at?.closest('select, input')) return;
      // Buttons keep their own keys for those who go by Tab.
      if (at?.closest('button') && (event.key === 'Enter' || event.key === ' ')) return;
      if (latest.current(event.key)) event.preventDefault();
    };
    // A knob on a Pi's pins, or of a small keypad, may come as a mouse wheel: one notch, one step.
    const onWheel = (event: WheelEvent) => {
      if (event.ctrlKey || event.deltaY === 0) return;
      latest.current(event.deltaY > 0 ? 'ArrowRight' : 'ArrowLeft');
    };
    window.addEventListener('keydown', onKey);
    window.addEventListener('wheel', onWheel, { passive: true });
    return () => {
      window.removeEventListener('keydown', onKey);
      window.removeEventListener('wheel', onWheel);
    };
  }, []);
}

/** Since when the server has been away, ms of the page's clock; undefined while it answers. */
function useAwaySince(away: boolean): number | undefined {
  const now = useNow();
  const since = useRef<number>(undefined);
  if (away) since.current ??= now;
  else since.current = undefined;
  return since.current;
}

export default function WallPage(): ReactNode {
  const { t } = useSpeech();
  const [path, go] = useLocation();
  const search = useSearch();
  const asked = useMemo(() => readAddress(path, search), [path, search]);
  const [hand, setHand] = useState<Pick<WallState, 'knob' | 'typed' | 'refused'>>({
    knob: 'time',
    typed: '',
    refused: '',
  });
  useDark(new URLSearchParams(search).get('theme') === 'light');
  useEffect(() => {
    document.title = `${t('wallTitle')} · Amiable`;
  }, [t]);

  const list = useQuery({
    ...STANDING,
    queryKey: ['wall'],
    queryFn: ({ signal }) => api.meters({ limit: 200 }, signal),
  });
  const listed = list.data?.meters;
  const first = asked.meter || listed?.[0]?.id || '';
  const one = useQuery({
    ...STANDING,
    queryKey: ['meter', first],
    queryFn: ({ signal }) => api.meter(first, signal),
    enabled: first !== '',
  });
  const meter = one.data ?? listed?.find((m) => m.id === first);
  useWanted(useMemo(() => (first ? [first] : []), [first]));
  const live = meter?.live;
  useEffect(() => {
    if (live) takeLive([live]);
  }, [live]);

  const state: WallState = { ...asked, meter: first, ...hand };
  const apply = (next: WallState) => {
    setHand({ knob: next.knob, typed: next.typed, refused: next.refused });
    const address = writeAddress(
      { period: next.period, meter: next.meter === first && !asked.meter ? '' : next.meter },
      search,
    );
    if (address !== (search ? `${path}?${search}` : path)) go(address, { replace: true });
  };
  const around = { meters: listed?.map((m) => m.id) ?? [], words: UNITS.map((unit) => t(unit)) };
  const press = (key: string): boolean => {
    const next = turn(state, key, around);
    if (next) apply(next);
    return next !== undefined;
  };
  useWallKeys(press);

  const fault = one.error ?? list.error;
  const connection = useConnection();
  const gone = fault instanceof ApiError && (fault.kind === 'missing' || fault.kind === 'refused');
  const away = useAwaySince(connection === 'lost' || (fault !== null && !gone));
  return (
    <div className="wall">
      {meter ? (
        <House key={meter.id} meter={meter} state={state} away={away} />
      ) : (
        <section className="wall-note" role={fault ? 'alert' : undefined}>
          <h1>
            {fault
              ? faultText(t, fault).title
              : list.data?.meters.length === 0 && !asked.meter
                ? t('emptyTitle')
                : t('loading')}
          </h1>
          {fault && <p>{faultText(t, fault).text}</p>}
        </section>
      )}
      <Controls state={state} apply={apply} press={press} meters={listed ?? []} />
    </div>
  );
}

function Amount({
  label,
  amount,
  kind,
}: {
  label: string;
  amount: { value: string; unit: string } | undefined;
  kind: string;
}): ReactNode {
  return (
    <div className={`wall-amount wall-${kind}`}>
      <dt>{label}</dt>
      <dd>
        {amount?.value ?? '–'}
        <small> {amount?.unit ?? ''}</small>
      </dd>
    </div>
  );
}

function House({ meter, state, away }: { meter: Meter; state: WallState; away: number | undefined }): ReactNode {
  const speech = useSpeech();
  const { t, format } = speech;
  const now = useNow();
  const minute = Math.floor(now / MINUTE) * MINUTE;
  const house = useHouse(meter);
  const { period } = state;
  const zone = meter.timeZone;
  const { from, to } = useMemo(() => periodRange(period, zone, minute), [period, zone, minute]);
  const bucket = BUCKET[period.unit];
  const standing = {
    ...STANDING,
    placeholderData: keepPreviousData,
    staleTime: period.offset === 0 ? 20_000 : 600_000,
  };
  const energy = useQuery<Energy>({
    ...standing,
    queryKey: ['energy', meter.id, bucket, from, to],
    queryFn: ({ signal }) => api.energy(meter.id, bucket, from, to, signal),
  });
  const media = useQuery<Media>({
    ...standing,
    queryKey: ['media', meter.id, bucket, from, to],
    queryFn: ({ signal }) => api.media(meter.id, bucket, from, to, signal),
  });
  const title = periodTitle(format, t('week'), period.unit, zone, from, to);
  const lost = away ?? (energy.isError ? minute : undefined);
  const heard = house.live ? Date.parse(house.live.time) : undefined;
  const known = energy.data?.buckets.some((b) => b.import !== null || b.export !== null);
  // It speaks, and it is too early for a difference of two readings.
  const early = period.offset === 0 && heard !== undefined && heard >= from;
  const power = house.power === null ? undefined : format.power(Math.abs(house.power));
  const stale = house.dim && heard !== undefined;
  const moment = (at: number) => (now - at < 20 * 3_600_000 ? format.clock(at, zone) : format.day(at, zone));
  return (
    <>
      <header className="wall-head">
        <h1>{titleOf(meter, speech)}</h1>
        <h2 aria-live="polite">{title}</h2>
        <time className="wall-clock">{format.clock(now, zone)}</time>
      </header>
      {lost !== undefined ? (
        <p className="wall-lost" role="alert">
          {t('wallLost', { time: moment(lost) })}
        </p>
      ) : (
        house.condition.kind === 'locked' && <p className="wall-lost">{t('lockedHint')}</p>
      )}
      <div className="wall-figures">
        <dl>
          <div className={`wall-power wall-power-${house.direction}${stale ? ' wall-stale' : ''}`}>
            <dt>
              {stale && heard !== undefined
                ? t('silent', { time: moment(heard) })
                : power
                  ? t(
                      house.direction === 'export'
                        ? 'streetExport'
                        : house.direction === 'import'
                          ? 'streetImport'
                          : 'idle',
                    )
                  : t('unknownPower')}
            </dt>
            <dd>
              {power?.value ?? '–'}
              <small> {power?.unit ?? 'W'}</small>
            </dd>
          </div>
        </dl>
        <dl className="wall-amounts">
          <Amount
            kind="in"
            label={t('import')}
            amount={energy.data?.import == null ? undefined : format.energy(energy.data.import)}
          />
          {(energy.data?.export ?? 0) > 0 && (
            <Amount kind="out" label={t('export')} amount={format.energy(energy.data?.export ?? 0)} />
          )}
          {media.data?.media.map((m) => (
            <Amount
              key={`${m.obis ?? ''} ${m.name} ${m.channel ?? ''}`}
              kind="medium"
              label={t(mediumWord(m))}
              amount={m.total === null ? undefined : format.medium(m.total, m.unit)}
            />
          ))}
        </dl>
      </div>
      <section
        className={energy.isPlaceholderData ? 'wall-chart charts-loading' : 'wall-chart'}
        aria-busy={energy.isPlaceholderData}
      >
        {energy.data && known ? (
          <WallBars energy={energy.data} title={title} now={minute} />
        ) : (
          <p className="wall-none">
            {energy.isPending ? t('loading') : from > minute ? t('future') : t(early ? 'noHour' : 'noData')}
          </p>
        )}
      </section>
    </>
  );
}

interface ControlsProps {
  readonly state: WallState;
  apply(next: WallState): void;
  press(key: string): boolean;
  readonly meters: readonly Meter[];
}

/** What is turned now, and the same for fingers. */
function Controls({ state, apply, press, meters }: ControlsProps): ReactNode {
  const speech = useSpeech();
  const { t } = speech;
  /** A finger leaves no focus behind that would take the next Enter. */
  const touched = (act: () => void) => (event: MouseEvent<HTMLButtonElement>) => {
    if (event.detail > 0) event.currentTarget.blur();
    act();
  };
  const unit = (to: PeriodUnit) => apply({ ...state, period: { unit: to, offset: 0 }, typed: '', refused: '' });
  const offset = (by: number) =>
    apply({ ...state, period: { ...state.period, offset: Math.min(0, state.period.offset + by) } });
  return (
    <footer className="wall-controls">
      <fieldset className={state.knob === 'time' ? 'wall-knob' : undefined} aria-label={t('time')}>
        <button type="button" className="button" onClick={touched(() => offset(-1))} aria-label={t('earlier')}>
          ‹
        </button>
        <button
          type="button"
          className="button"
          onClick={touched(() => void press('Home'))}
          disabled={state.period.offset === 0}
        >
          {t('now')}
        </button>
        <button
          type="button"
          className="button"
          onClick={touched(() => offset(1))}
          disabled={state.period.offset === 0}
          aria-label={t('later')}
        >
          ›
        </button>
      </fieldset>
      <fieldset className={state.knob === 'period' ? 'wall-knob' : undefined} aria-label={t('period')}>
        {UNITS.map((one) => (
          <button
            key={one}
            type="button"
            className="button"
            aria-pressed={one === state.period.unit}
            onClick={touched(() => unit(one))}
          >
            {t(one)}
          </button>
        ))}
      </fieldset>
      {meters.length > 1 && (
        <fieldset className={state.knob === 'meter' ? 'wall-knob' : undefined} aria-label={t('wallMeter')}>
          <select
            className="language"
            aria-label={t('wallMeter')}
            value={state.meter}
            onChange={(event) => {
              apply({ ...state, meter: event.target.value });
              event.target.blur();
            }}
          >
            {!meters.some((m) => m.id === state.meter) && <option value={state.meter}>{state.meter}</option>}
            {meters.map((m) => (
              <option key={m.id} value={m.id}>
                {titleOf(m, speech)}
              </option>
            ))}
          </select>
        </fieldset>
      )}
      <output className={state.refused ? 'wall-typed wall-refused' : 'wall-typed'}>
        {state.refused
          ? t('wallRefused', { text: state.refused })
          : state.typed
            ? `${state.typed}▏`
            : `${t(KNOB_WORDS[state.knob])} ${KNOBS.indexOf(state.knob) + 1}/${KNOBS.length}`}
      </output>
      <p className="unseen">{t('wallKeys')}</p>
    </footer>
  );
}
