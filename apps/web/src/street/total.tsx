/** The whole street as one figure and one curve. */
import type { Meter } from '@amiable/model';
import { useQueries, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { fillRecent, latestOf, RECENT_SPAN, recentOf, useLiveVersion } from '../live.ts';
import { sumOf } from '../power.ts';
import { recentQuery, totalQuery } from '../queries.ts';
import { SparkShape } from './spark.tsx';

/** Up to here the curve is summed from everybody's past; above it there is none, since a part of a street is no street. */
const SUMMED = 60;
const STEP = 5000;
/** A value stands for a meter until this much later. */
const HOLD = 60_000;
/** A screen reader hears the figure this often. */
const SPOKEN_EVERY = 30_000;

export function useTotal(meters: readonly Meter[]) {
  const version = useLiveVersion();
  return useMemo(() => {
    let imported = 0;
    let exported = 0;
    let speaking = 0;
    let latest = 0;
    const lives = meters.flatMap((meter) => {
      const live = latestOf(meter.id) ?? meter.live;
      if (!live) return [];
      const at = Date.parse(live.time);
      latest = Math.max(latest, at);
      return [{ at, power: live.power }];
    });
    for (const { at, power } of lives) {
      // Whoever fell silent no longer counts.
      if (power === null || at < latest - 5 * HOLD) continue;
      speaking++;
      if (power > 0) imported += power;
      else exported -= power;
    }
    return { imported, exported, net: imported - exported, speaking, latest, version };
  }, [meters, version]);
}

function Spoken({ text }: { text: string }): ReactNode {
  const [said, say] = useState('');
  const newest = useRef(text);
  newest.current = text;
  useEffect(() => {
    const timer = setInterval(() => say(newest.current), SPOKEN_EVERY);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="unseen" aria-live="polite">
      {said}
    </p>
  );
}

interface TotalProps {
  readonly meters: readonly Meter[];
  /** `meters` are all that were asked for. */
  readonly all: boolean;
  /** Nothing was searched or filtered: the street itself is meant. */
  readonly street: boolean;
}

export function Total({ meters, all, street }: TotalProps): ReactNode {
  const { t, format } = useSpeech();
  const shown = useTotal(meters);
  // A street too long to be here whole is summed by the server.
  const { data: whole } = useQuery({ ...totalQuery, enabled: street && !all });
  const total =
    street && !all && whole
      ? {
          imported: whole.import,
          exported: whole.export,
          net: whole.import - whole.export,
          speaking: whole.meters,
          latest: Date.parse(whole.time),
          version: shown.version,
        }
      : shown;
  const few = useMemo(() => (all && meters.length <= SUMMED ? meters : []), [all, meters]);
  const histories = useQueries({ queries: few.map((meter) => recentQuery(meter.id)) });
  const filled = histories.filter((history) => history.data).length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: histories are a new array each time; how many came tells
  useEffect(() => {
    few.forEach((meter, i) => {
      const curve = histories[i]?.data;
      if (curve && recentOf(meter.id).time.length < 3) fillRecent(meter.id, curve);
    });
  }, [filled]);
  const to = Math.floor(total.latest / STEP) * STEP;
  const from = to - RECENT_SPAN;
  const { version } = total;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the live store tells by its version that it changed
  const summed = useMemo(
    () =>
      sumOf(
        few.map((meter) => recentOf(meter.id)),
        from,
        to,
        STEP,
        HOLD,
      ),
    [few, from, to, version],
  );
  const curve = street && !all && whole ? whole.recent : summed;
  const net = format.power(Math.abs(total.net));
  const parts = [
    { name: 'in', label: t('streetImport'), amount: format.power(total.imported), sign: '→' },
    { name: 'out', label: t('streetExport'), amount: format.power(total.exported), sign: '←' },
  ];
  const direction = t(total.net > 0 ? 'importing' : total.net < 0 ? 'exporting' : 'idle');
  return (
    <section className="total" aria-labelledby="total-title">
      <div className="total-figure">
        <h1 id="total-title">{t('streetTitle')}</h1>
        <p className="total-net">
          <span className={total.net < 0 ? 'figure figure-out' : 'figure figure-in'}>
            {total.net < 0 && '−'}
            {net.value}
            <small> {net.unit}</small>
          </span>
        </p>
        <p className="total-note">{t(all || total !== shown ? 'sumOfAll' : 'sumOfShown', { n: total.speaking })}</p>
      </div>
      <dl className="total-parts">
        {parts.map((part) => (
          <div key={part.name} className={`total-part total-${part.name}`}>
            <dt>
              <span aria-hidden="true">{part.sign}</span> {part.label}
            </dt>
            <dd>
              {part.amount.value} <small>{part.amount.unit}</small>
            </dd>
          </div>
        ))}
      </dl>
      {(few.length > 0 || curve !== summed) && (
        <figure className="total-curve">
          <SparkShape curve={curve} from={from} to={to} height={84} hold={HOLD} />
          <figcaption>{t('lastMinutes')}</figcaption>
        </figure>
      )}
      <Spoken text={t('spoken', { direction, power: `${net.value} ${net.unit}` })} />
    </section>
  );
}
