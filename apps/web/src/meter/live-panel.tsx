/** Now: the power, the phases, and the curve of the last ten minutes as it grows. */
import type { Meter } from '@amiable/model';
import { type ReactNode, useMemo } from 'react';
import { Link } from 'wouter';
import { useMay } from '../access/session.ts';
import { useNow } from '../clock.ts';
import { useSpeech } from '../i18n/index.tsx';
import { RECENT_SPAN, recentOf, useRecentVersion } from '../live.ts';
import { niceScale } from '../street/condition.ts';
import { Gauge, HouseSign, PhaseBars } from '../street/signs.tsx';
import { useRecent } from '../street/spark.tsx';
import { PowerFigure, useHouse } from '../street/tile.tsx';
import { CurveChart } from './curve.tsx';

export function LivePanel({ meter }: { meter: Meter }): ReactNode {
  const { t, format } = useSpeech();
  const may = useMay();
  useRecent(meter.id, 0);
  const house = useHouse(meter);
  const now = useNow();
  const recent = recentOf(meter.id);
  const newest = recent.time.at(-1);
  // A silent meter's curve wanders off to the left, as on a paper recorder.
  const to = newest === undefined ? now : Math.max(newest, house.dim ? now : newest);
  const version = useRecentVersion(meter.id);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the ring buffer is the same object; its version tells
  const data = useMemo(
    () => ({
      time: recent.time.slice(),
      lines: [{ label: t('power'), values: recent.values.slice(), colour: 'signed' }],
    }),
    [recent, version, t],
  );
  const scale = niceScale(
    Math.max(...data.lines.flatMap((line) => line.values.map(Math.abs)), Math.abs(house.power ?? 0)),
  );
  const locked = house.condition.kind === 'locked';
  return (
    <section className="panel live" aria-labelledby="live-title">
      <div className="live-now">
        <h2 id="live-title">{t('powerNow')}</h2>
        <div className="live-figure">
          <HouseSign direction={house.direction} dim={house.dim} />
          <PowerFigure power={house.power} dim={house.dim} />
        </div>
        <p className="live-direction">
          {house.power === null || house.dim
            ? ''
            : t(house.power > 0 ? 'streetImport' : house.power < 0 ? 'streetExport' : 'idle')}
        </p>
        <Gauge power={house.dim ? null : house.power} scale={scale} />
        <PhaseBars meter={meter} live={house.live} dim={house.dim} />
      </div>
      <div className="live-curve">
        {locked ? (
          <div className="notice notice-small">
            <p>{t('lockedHint')}</p>
            {may('key:modify') && (
              <Link href={`/meter/${meter.id}/settings`} className="button primary">
                {t('enterKey')}
              </Link>
            )}
          </div>
        ) : (
          <>
            <h3 className="chart-title">{t('powerLive')}</h3>
            <CurveChart
              title={t('powerLive')}
              time={data.time}
              lines={data.lines}
              from={to - RECENT_SPAN}
              to={to}
              zone={meter.timeZone}
              height={212}
              seconds
              streaming
              atLeast={[0, 500]}
              show={(value) => {
                const amount = format.power(value);
                return `${amount.value} ${amount.unit}`;
              }}
              axis={(value) => `${format.number(value / 1000, 2)}${value === 0 ? ' kW' : ''}`}
            />
          </>
        )}
      </div>
    </section>
  );
}
