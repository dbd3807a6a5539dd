/**
 * A house over a day, week, month or year: energy as bars, power, voltages and currents as curves. The period stands in
 * the address; buttons, arrow keys and swipes step through it. Drawing of the power curve is marked with performance
 * marks (`amiable:answer`, `amiable:drawn`), which the tests of the page hold against their limit.
 */
import { type Period, type PeriodUnit, periodRange } from '@amiable/calendar';
import type { Energy, Meter, Series } from '@amiable/model';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, type TouchEvent, useEffect, useMemo, useRef } from 'react';
import { useLocation } from 'wouter';
import { api } from '../api.ts';
import { useNow } from '../clock.ts';
import { type Key, useSpeech } from '../i18n/index.tsx';
import { curveOf, netPower } from '../power.ts';
import { PHASES, VOLTAGE_HIGH, VOLTAGE_LOW } from '../street/signs.tsx';
import { Choice } from '../ui/choice.tsx';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { isOnlyAsked } from './asked.ts';
import { EnergyBars } from './bars.tsx';
import { CurveChart, type Line } from './curve.tsx';
import { addressOf, BUCKET, offsetOf, stepText, titleOf, UNITS } from './period.ts';

/** A month of quarters is 2,976 points, one with the long hour 2,980; a year is read by days, with their extremes. */
const POINTS: Record<PeriodUnit, number> = { day: 3200, week: 3200, month: 3200, year: 400 };
const MINUTE = 60_000;
const POWER = ['1.7.0', '2.7.0'];
const QUALITY = PHASES.flatMap((phase) => [phase.voltage, phase.current]);

const BAR_TITLE: Record<PeriodUnit, Key> = {
  day: 'energyHourly',
  week: 'energyDaily',
  month: 'energyDaily',
  year: 'energyMonthly',
};

function useKeys(step: (by: number | 'now') => void): void {
  const latest = useRef(step);
  latest.current = step;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      const at = event.target;
      if (at instanceof Element && at.closest('input, select, textarea, dialog, [role="slider"], .table-scroll'))
        return;
      const by = { ArrowLeft: -1, ArrowRight: 1, Home: 'now' }[event.key] as number | 'now' | undefined;
      if (by === undefined) return;
      event.preventDefault();
      latest.current(by);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

/** A swipe is long, quick and level; what scrolls sideways keeps its own. */
function useSwipe(step: (by: number) => void) {
  const start = useRef<{ x: number; y: number; at: number }>(undefined);
  return {
    onTouchStart(event: TouchEvent) {
      const touch = event.touches[0];
      const scrolls = event.target instanceof Element && event.target.closest('.table-scroll');
      start.current =
        touch && !scrolls && event.touches.length === 1
          ? { x: touch.clientX, y: touch.clientY, at: event.timeStamp }
          : undefined;
    },
    onTouchEnd(event: TouchEvent) {
      const begun = start.current;
      const touch = event.changedTouches[0];
      start.current = undefined;
      if (!begun || !touch || event.timeStamp - begun.at > 700) return;
      const dx = touch.clientX - begun.x;
      if (Math.abs(dx) > 60 && Math.abs(touch.clientY - begun.y) < 40) step(dx > 0 ? -1 : 1);
    },
  };
}

function Totals({ energy }: { energy: Energy }): ReactNode {
  const { t, format } = useSpeech();
  const net = energy.import === null && energy.export === null ? null : (energy.import ?? 0) - (energy.export ?? 0);
  const parts = [
    { name: 'in', label: t('import'), value: energy.import },
    { name: 'out', label: t('export'), value: energy.export },
    { name: 'net', label: t('net'), value: net },
  ];
  return (
    <dl className="sums">
      {parts.map((part) => {
        const amount = part.value === null ? undefined : format.energy(part.value);
        return (
          <div key={part.name} className={`total-part total-${part.name}`}>
            <dt>{part.label}</dt>
            <dd>
              {amount ? amount.value : '–'} <small>{amount?.unit ?? 'kWh'}</small>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Net of the extremes: most import with least export, and the other way round. */
function band(series: Series): Pick<Line, 'min' | 'max'> {
  const into = curveOf(series, '1.7.0');
  const out = curveOf(series, '2.7.0');
  if (!into?.min || !into.max) return {};
  return {
    min: into.min.map((value, i) => (value === null ? null : value - (out?.max?.[i] ?? 0))),
    max: into.max.map((value, i) => (value === null ? null : value - (out?.min?.[i] ?? 0))),
  };
}

const DASHES = [undefined, [7, 3], [2, 3]] as const;

function phaseLines(series: Series, what: 'voltage' | 'current', meter: Meter): Line[] {
  return PHASES.flatMap((phase, i) => {
    const curve = curveOf(series, phase[what]);
    if (!curve || (meter.phases === 1 && i > 0)) return [];
    // Three-wire meters may report the voltage that they do not have as zero.
    const values = what === 'voltage' ? curve.values.map((v) => (v !== null && v < 20 ? null : v)) : curve.values;
    if (!values.some((v) => v !== null)) return [];
    const dash = DASHES[i];
    return [
      {
        label: what === 'voltage' && meter.lineVoltage ? phase.line : phase.name,
        values,
        colour: `l${i + 1}`,
        ...(dash ? { dash } : {}),
      },
    ];
  });
}

export function PeriodPanel({ meter, period }: { meter: Meter; period: Period }): ReactNode {
  const { t, format } = useSpeech();
  const [, go] = useLocation();
  const minute = Math.floor(useNow() / MINUTE) * MINUTE;
  const zone = meter.timeZone;
  const { from, to } = useMemo(() => periodRange(period, zone, minute), [period, zone, minute]);
  const current = period.offset === 0;
  const bucket = BUCKET[period.unit];
  const fresh = {
    placeholderData: keepPreviousData,
    staleTime: current ? 20_000 : 600_000,
    refetchInterval: current ? 60_000 : (false as const),
  };
  const energy = useQuery({
    ...fresh,
    queryKey: ['energy', meter.id, bucket, from, to],
    queryFn: ({ signal }) => api.energy(meter.id, bucket, from, to, signal),
  });
  const power = useQuery({
    ...fresh,
    queryKey: ['series', meter.id, 'power', from, to],
    queryFn: ({ signal }) => api.series(meter.id, POWER, from, to, POINTS[period.unit], signal, 'amiable:answer'),
  });
  const quality = useQuery({
    ...fresh,
    queryKey: ['series', meter.id, 'quality', from, to],
    queryFn: ({ signal }) => api.series(meter.id, QUALITY, from, to, POINTS[period.unit], signal),
  });

  const step = (by: number | 'now') => {
    const offset = by === 'now' ? 0 : Math.min(0, period.offset + by);
    if (offset !== period.offset) go(addressOf(meter.id, { unit: period.unit, offset }));
  };
  useKeys(step);
  const swipe = useSwipe(step);
  const choose = (unit: PeriodUnit) => {
    // The new unit is the one that holds the middle of what was looked at, or now when now was looked at.
    const at = current ? minute : Math.min(minute, (from + to) / 2);
    go(addressOf(meter.id, { unit, offset: Math.min(0, offsetOf(unit, zone, at, minute)) }));
  };
  const enter =
    bucket === 'hour'
      ? undefined
      : (inside: Energy['buckets'][number]) => {
          const unit = bucket === 'day' ? 'day' : 'month';
          const offset = offsetOf(unit, zone, inside.start, minute);
          if (offset <= 0) go(addressOf(meter.id, { unit, offset }));
        };

  const powerLine = useMemo(
    () => (power.data ? [{ label: t('power'), colour: 'signed', ...band(power.data), ...netPower(power.data) }] : []),
    [power.data, t],
  );
  const voltages = useMemo(
    () => (quality.data ? phaseLines(quality.data, 'voltage', meter) : []),
    [quality.data, meter],
  );
  const currents = useMemo(
    () => (quality.data ? phaseLines(quality.data, 'current', meter) : []),
    [quality.data, meter],
  );

  const title = titleOf(format, t('week'), period.unit, zone, from, to);
  const hours = Math.round((to - from) / 3_600_000);
  const shifted = period.unit === 'day' && hours !== 24;
  // It speaks, and it is too early for a difference of two readings.
  const early = current && meter.live !== null && Date.parse(meter.live.time) >= from;
  const loading = energy.isPlaceholderData || power.isPlaceholderData;
  const empty = (series: Series | undefined) =>
    series !== undefined && !series.curves.some((c) => c.values.some((v) => v !== null));
  const watts = (value: number) => {
    const amount = format.power(value);
    return `${amount.value} ${amount.unit}`;
  };
  // Who is only asked may tell energy and no power: that is no gap.
  const asked = isOnlyAsked(meter);
  const dated = period.unit !== 'day';
  const fault = energy.error ?? power.error ?? quality.error;
  const step2 = power.data ? stepText(t, power.data.period) : '';
  return (
    <section className="panel period" aria-labelledby="period-title" aria-busy={loading} {...swipe}>
      <div className="period-head">
        <Choice
          label={t('period')}
          value={period.unit}
          choose={choose}
          options={UNITS.map((unit) => ({ value: unit, label: t(unit) }))}
        />
        <fieldset className="period-steps" aria-label={title} aria-describedby="period-keys">
          <button type="button" className="button" onClick={() => step(-1)}>
            <span aria-hidden="true">‹</span> {t('earlier')}
          </button>
          <button type="button" className="button" disabled={current} onClick={() => step('now')}>
            {t('now')}
          </button>
          <button type="button" className="button" disabled={period.offset >= 0} onClick={() => step(1)}>
            {t('later')} <span aria-hidden="true">›</span>
          </button>
        </fieldset>
        <p id="period-keys" className="unseen">
          {t('periodKeys')}
        </p>
      </div>
      <div className="period-title">
        <h2 id="period-title" aria-live="polite">
          {title}
        </h2>
        {energy.data && <Totals energy={energy.data} />}
      </div>
      {shifted && <p className="hint">{t(hours > 24 ? 'dstLong' : 'dstShort', { n: hours })}</p>}
      {fault && (
        <Fault
          fault={fault}
          small
          retry={() => void Promise.all([energy.refetch(), power.refetch(), quality.refetch()])}
        />
      )}
      {from > minute ? (
        <p className="notice notice-small">{t('future')}</p>
      ) : (
        <div className={loading ? 'charts charts-loading' : 'charts'}>
          <div className="chart-wide">
            <h3 className="chart-title">{t(BAR_TITLE[period.unit])}</h3>
            {energy.data?.buckets.some((b) => b.import !== null || b.export !== null) ? (
              <EnergyBars energy={energy.data} title={t(BAR_TITLE[period.unit])} now={minute} enter={enter} />
            ) : (
              !fault &&
              (energy.data ? <p className="chart-none">{t(early ? 'noHour' : 'noData')}</p> : <Bone height={230} />)
            )}
          </div>
          <div className="chart-wide" hidden={asked && empty(power.data)}>
            <h3 className="chart-title">
              {power.data && power.data.period > 0 ? t('powerMean', { n: step2 }) : t('power')}
            </h3>
            {asked && empty(power.data) ? null : empty(power.data) ? (
              <p className="chart-none">{t('noData')}</p>
            ) : power.data ? (
              <CurveChart
                title={t('power')}
                time={power.data.time}
                lines={powerLine}
                from={power.data.from}
                to={power.data.to}
                zone={zone}
                height={220}
                dated={dated}
                atLeast={[0, 500]}
                show={watts}
                axis={(value) => `${format.number(value / 1000, 2)}${value === 0 ? ' kW' : ''}`}
                drawn={() => performance.mark('amiable:drawn', { detail: power.data?.from })}
              />
            ) : (
              !fault && <Bone height={220} />
            )}
          </div>
          {quality.data === undefined && !fault && (
            <div className="chart-wide">
              <Bone height={170} />
            </div>
          )}
          {quality.data && voltages.length > 0 && (
            <div>
              <h3 className="chart-title">{t('voltages')}</h3>
              <CurveChart
                title={t('voltages')}
                time={quality.data.time}
                lines={voltages}
                from={quality.data.from}
                to={quality.data.to}
                zone={zone}
                height={170}
                dated={dated}
                atLeast={[225, 240]}
                limits={[VOLTAGE_LOW, VOLTAGE_HIGH]}
                show={(value) => `${format.fixed(value, 1)} V`}
                axis={(value) => `${format.number(value, 1)} V`}
              />
            </div>
          )}
          {quality.data && currents.length > 0 && (
            <div>
              <h3 className="chart-title">{t('currents')}</h3>
              <CurveChart
                title={t('currents')}
                time={quality.data.time}
                lines={currents}
                from={quality.data.from}
                to={quality.data.to}
                zone={zone}
                height={170}
                dated={dated}
                atLeast={[0, 5]}
                show={(value) => `${format.fixed(value, 2)} A`}
                axis={(value) => `${format.number(value, 1)} A`}
              />
            </div>
          )}
        </div>
      )}
    </section>
  );
}
