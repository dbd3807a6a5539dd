/** What one meter lacks, day by day, and the way to the meter. */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { useDesk } from '../i18n/desk.ts';
import { meterQuery } from '../queries.ts';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { type MeterReport, meterReportQuery } from './api.ts';
import { daysBetween, noonOf } from './model.ts';
import { cellText } from './words.ts';

/** Gaps of a day that are named; more are counted. */
const MOST = 12;

export interface MeterGapsProps {
  readonly meter: string;
  readonly name: string;
  readonly profile: string;
  readonly from: string;
  readonly to: string;
  /** The day that was clicked, shown first; empty for none. */
  readonly day: string;
  readonly today: string;
  close(): void;
}

type Day = MeterReport['days'][number];

function DayGaps({ day, zone, meter, today }: { day: Day; zone: string; meter: string; today: string }): ReactNode {
  const { t, format } = useDesk();
  const rest = day.gaps.length - MOST;
  return (
    <li className="gaps-day">
      <Link href={`/meter/${meter}/day/-${daysBetween(day.day, today)}`} className="gaps-date">
        {format.day(noonOf(day.day), 'UTC')}
      </Link>
      <span>
        {cellText(t, format, { ...day, meters: 1, complete: 0 })}
        {day.reason && <span className="gaps-reason"> {day.reason}</span>}
      </span>
      {day.gaps.length > 0 && (
        <ul className="gaps-times">
          {day.gaps.slice(0, MOST).map((gap) => (
            <li key={gap.from}>
              {format.clock(Date.parse(gap.from), zone)}–{format.clock(Date.parse(gap.to), zone)}
            </li>
          ))}
          {rest > 0 && <li>{t('gapsMore', { n: rest })}</li>}
        </ul>
      )}
    </li>
  );
}

export function MeterGaps(props: MeterGapsProps): ReactNode {
  const { meter, profile, from, to, day, today } = props;
  const { t } = useDesk();
  const query = useQuery(meterReportQuery(meter, profile, from, to));
  const about = useQuery(meterQuery(meter));
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another meter or day was chosen: the reading goes on here
  useEffect(() => {
    heading.current?.focus();
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, [meter, day]);
  const lacking = query.data?.days.filter((one) => one.missing > 0 || one.givenUp > 0 || one.estimated > 0) ?? [];
  const ordered = [...lacking.filter((one) => one.day === day), ...lacking.filter((one) => one.day !== day)];
  const name = props.name || about.data?.name || about.data?.serial || meter;
  return (
    <section className="panel gaps" aria-labelledby="gaps-title">
      <div className="panel-head">
        <h2 id="gaps-title" ref={heading} tabIndex={-1}>
          {t('gapsTitle', { name })}
        </h2>
        <span className="actions">
          <Link href={`/meter/${meter}`} className="button small">
            {t('toMeterPage')}
          </Link>
          <button type="button" className="button small" onClick={props.close}>
            {t('close')}
          </button>
        </span>
      </div>
      {query.isError ? (
        <Fault fault={query.error} retry={() => void query.refetch()} small />
      ) : query.isPending ? (
        <Bone height={70} />
      ) : ordered.length === 0 ? (
        <p>{t('gapsNone')}</p>
      ) : (
        <ul className="gaps-days">
          {ordered.map((one) => (
            <DayGaps key={one.day} day={one} zone={about.data?.timeZone ?? 'UTC'} meter={meter} today={today} />
          ))}
        </ul>
      )}
    </section>
  );
}
