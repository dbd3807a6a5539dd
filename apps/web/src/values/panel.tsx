/**
 * What bills are made of: the validated values of a house with their qualities, what validation found, and how what lacked was estimated.
 * A house of which nothing was validated yet has no panel.
 */
import '../style/desk.css';
import '../style/values.css';
import { type Period, type PeriodUnit, periodRange } from '@amiable/calendar';
import { type Meter, QUALITIES } from '@amiable/model';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { useMay } from '../access/session.ts';
import { useNow } from '../clock.ts';
import { type DeskKey, useDesk } from '../i18n/desk.ts';
import { Fault } from '../ui/notice.tsx';
import { estimatesQuery, exceptionsQuery, intervalsQuery, meteringsQuery } from './api.ts';
import { type BinUnit, binsOf } from './bins.ts';
import { ValuesChart } from './chart.tsx';

const MINUTE = 60_000;
const BINS: Record<PeriodUnit, BinUnit> = { day: 'interval', week: 'hour', month: 'day', year: 'month' };
/** The first few; there is more in the API and on the command line. */
const SHOWN = 20;
const QUANTITY = 'energyImport';

function Found({ meter, from, to }: { meter: Meter; from: number; to: number }): ReactNode {
  const { t, format } = useDesk();
  const found = useQuery({
    ...exceptionsQuery(meter.id, QUANTITY, from, to, SHOWN),
    placeholderData: keepPreviousData,
  });
  if (found.isError) return <Fault fault={found.error} retry={() => void found.refetch()} small />;
  const list = found.data?.exceptions ?? [];
  if (list.length === 0) return null;
  return (
    <div className="values-found">
      <h3 className="chart-title">{t('valuesFound')}</h3>
      <ul>
        {list.map((one) => (
          <li key={one.id}>
            <span className={`values-severity values-${one.severity}`}>{t(`weight_${one.severity}`)}</span>
            <span className="values-when">{format.instant(Date.parse(one.from), meter.timeZone)}</span>
            <span className="values-sentence" lang="en">
              {one.sentence}
            </span>
            <span className="values-state">{t(`exception_${one.state}` as DeskKey)}</span>
          </li>
        ))}
      </ul>
      {found.data?.next && <p className="values-more">{t('valuesMore')}</p>}
    </div>
  );
}

function Estimated({ meter, from, to }: { meter: Meter; from: number; to: number }): ReactNode {
  const { t, format } = useDesk();
  const [open, setOpen] = useState(false);
  const made = useQuery({ ...estimatesQuery(meter.id, QUANTITY, from, to, SHOWN), enabled: open });
  return (
    <details className="values-estimates" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('valuesHow')}</summary>
      {made.isError && <Fault fault={made.error} retry={() => void made.refetch()} small />}
      {made.data?.estimates.length === 0 && <p className="values-more">{t('valuesHowNone')}</p>}
      <ul>
        {made.data?.estimates.map((one) => (
          <li key={`${one.from} ${one.method}`}>
            <span className="values-when">
              {format.instant(Date.parse(one.from), meter.timeZone)} –{' '}
              {format.clock(Date.parse(one.to), meter.timeZone)}
            </span>
            <strong>{t(`method_${one.method}` as DeskKey)}</strong>
            <span className="values-sentence" lang="en">
              {one.sentence}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

export default function ValuesPanel({ meter, period }: { meter: Meter; period: Period }): ReactNode {
  const { t, format } = useDesk();
  const may = useMay();
  const minute = Math.floor(useNow() / MINUTE) * MINUTE;
  const zone = meter.timeZone;
  const { from, to } = useMemo(() => periodRange(period, zone, minute), [period, zone, minute]);
  const found = useQuery({ ...intervalsQuery(meter.id, QUANTITY, from, to), placeholderData: keepPreviousData });
  const known = useQuery(meteringsQuery(meter.id));
  const { data } = found;
  const begun = known.data?.meterings.find((one) => one.quantity === QUANTITY)?.first;
  const bins = useMemo(
    () =>
      data?.start && data.period && begun !== undefined
        ? binsOf(
            { ...data, start: Date.parse(data.start), step: data.period * 1000 },
            BINS[period.unit],
            zone,
            minute,
            Date.parse(begun),
          )
        : [],
    [data, period.unit, zone, minute, begun],
  );
  const whole = bins.reduce((sum, bin) => sum + bin.expected, 0);
  if (found.isError)
    return (
      <section className="panel values">
        <Fault fault={found.error} retry={() => void found.refetch()} small />
      </section>
    );
  if (!data || whole === 0) return null;
  const counts = { ...data.counts, missing: bins.reduce((sum, bin) => sum + bin.missing, 0) };
  const energy = data.unit === 'Wh';
  const amount = (value: number): string => {
    const shown = energy ? format.energy(value) : { value: format.number(value, 3), unit: data.unit ?? '' };
    return `${shown.value} ${shown.unit}`;
  };
  return (
    <section className="panel values" aria-labelledby="values-title">
      <div className="panel-head">
        <h2 id="values-title">{t('valuesTitle')}</h2>
        <p className="values-sum">
          <strong>{amount(Number(data.sum))}</strong>
        </p>
      </div>
      <ul className="values-legend">
        {QUALITIES.filter((quality) => (counts[quality] ?? 0) > 0).map((quality) => (
          <li key={quality}>
            <i className={`values-key values-key-${quality}`} aria-hidden="true" />
            {t(`quality_${quality}`)} <b>{format.number((100 * (counts[quality] ?? 0)) / whole, 1)} %</b>
          </li>
        ))}
      </ul>
      <div className={found.isPlaceholderData ? 'charts-loading' : undefined}>
        <ValuesChart
          bins={bins}
          unit={BINS[period.unit]}
          zone={zone}
          title={t('valuesTitle')}
          amount={amount}
          axis={
            energy
              ? { unit: 'kWh', scale: (value) => value / 1000 }
              : { unit: data.unit ?? '', scale: (value) => value }
          }
        />
      </div>
      {may('exception:view') && <Found meter={meter} from={from} to={to} />}
      {(counts.estimated ?? 0) > 0 && <Estimated meter={meter} from={from} to={to} />}
    </section>
  );
}
