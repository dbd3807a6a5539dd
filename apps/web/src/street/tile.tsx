/** One house of the street, as a tile or as a row. */
import type { Live, Meter } from '@amiable/model';
import { type CSSProperties, memo, type ReactNode } from 'react';
import { Link } from 'wouter';
import { useMay } from '../access/session.ts';
import { clockSpeed, useNow } from '../clock.ts';
import { type Speech, useSpeech } from '../i18n/index.tsx';
import { useLive } from '../live.ts';
import { type Condition, conditionOf, type Direction, directionOf } from './condition.ts';
import { Gauge, HouseSign, PhaseBars, PhaseColumns } from './signs.tsx';
import { Spark } from './spark.tsx';

export interface TileProps {
  readonly meter: Meter;
  readonly index: number;
  readonly total: number;
  readonly scale: number;
  /** Where the list puts it, px. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  name(meter: Meter): void;
}

export function titleOf(meter: Meter, { t }: Speech): string {
  return meter.name ?? t('unnamed', { serial: meter.serial });
}

interface State {
  readonly live: Live | null;
  readonly condition: Condition;
  readonly power: number | null;
  readonly direction: Direction;
  readonly dim: boolean;
}

export function useHouse(meter: Meter): State {
  const now = useNow();
  const live = useLive(meter.id) ?? meter.live;
  const condition = conditionOf(meter, live, now, clockSpeed());
  const power = live?.power ?? null;
  const dim = condition.kind !== 'ok';
  return { live, condition, power, direction: directionOf(power), dim };
}

export function ConditionNote({ condition, meter }: { condition: Condition; meter: Meter }): ReactNode {
  const { t, format } = useSpeech();
  const now = useNow();
  if (condition.kind === 'silent' || condition.kind === 'lost') {
    const time =
      now - condition.since < 20 * 3_600_000
        ? format.clock(condition.since, meter.timeZone)
        : format.day(condition.since, meter.timeZone);
    return (
      <span className={`badge badge-${condition.kind}`}>
        <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
          <path
            d="M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1m0 2v3.5l2 1.2"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.4"
          />
        </svg>
        {t(condition.kind, { time })}
      </span>
    );
  }
  if (condition.kind === 'locked')
    return (
      <span className="badge badge-locked" title={t('lockedHint')}>
        <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
          <path d="M2.5 5.5h7v5.5h-7zM4 5.5V4a2 2 0 0 1 4 0v1.5" fill="none" stroke="currentColor" strokeWidth="1.4" />
        </svg>
        {t('locked')}
      </span>
    );
  return null;
}

export function PowerFigure({ power, dim }: { power: number | null; dim: boolean }): ReactNode {
  const { t, format } = useSpeech();
  if (power === null)
    return (
      <span className="figure figure-none">
        <span aria-hidden="true">–</span>
        <span className="unseen">{t('unknownPower')}</span>
      </span>
    );
  const amount = format.power(Math.abs(power));
  return (
    <span className={`figure ${dim ? 'figure-none' : power < 0 ? 'figure-out' : 'figure-in'}`}>
      <span className="unseen">{t(power < 0 ? 'exporting' : power > 0 ? 'importing' : 'idle')} </span>
      {power < 0 && <span aria-hidden="true">−</span>}
      {amount.value}
      <small> {amount.unit}</small>
    </span>
  );
}

/** Makers and types are how a meter that nobody named is recognised. */
function kindOf(meter: Meter): string {
  return [meter.maker, meter.type].filter(Boolean).join(' ');
}

function Badges({
  meter,
  condition,
  name,
}: {
  meter: Meter;
  condition: Condition;
  name(meter: Meter): void;
}): ReactNode {
  const { t } = useSpeech();
  const may = useMay();
  return (
    <span className="badges">
      <ConditionNote condition={condition} meter={meter} />
      {meter.state === 'new' && may('meter:modify') && (
        <button type="button" className="badge badge-new" title={t('newHint')} onClick={() => name(meter)}>
          {t('isNew')} · {t('nameIt')}
        </button>
      )}
    </span>
  );
}

function place({ x, y, width, height }: TileProps): CSSProperties {
  return { transform: `translate(${x}px, ${y}px)`, width, height };
}

/** Drawn anew only when its house or its place changes: scrolling moves thousands past. */
export const Tile = memo(function Tile(props: TileProps): ReactNode {
  const { meter, index, total, scale, name } = props;
  const speech = useSpeech();
  const { t } = speech;
  const may = useMay();
  const house = useHouse(meter);
  return (
    <li
      className={`slot tile tile-${house.condition.kind}`}
      style={place(props)}
      aria-posinset={index + 1}
      aria-setsize={total}
    >
      <div className="tile-head">
        <HouseSign direction={house.direction} dim={house.dim} />
        <div className="tile-names">
          <h2>
            <Link href={`/meter/${meter.id}`} className="tile-link" data-index={index}>
              {titleOf(meter, speech)}
            </Link>
          </h2>
          <p>{meter.place ?? meter.serial}</p>
        </div>
      </div>
      <div className="tile-power">
        <PowerFigure power={house.power} dim={house.dim} />
        {house.condition.kind === 'locked' && may('key:modify') ? (
          <Link href={`/meter/${meter.id}/settings`} className="button small raised">
            {t('enterKey')}
          </Link>
        ) : (
          <Spark meter={meter.id} />
        )}
      </div>
      <Gauge power={house.dim ? null : house.power} scale={scale} />
      <PhaseBars meter={meter} live={house.live} dim={house.dim} />
      <div className="tile-foot">
        <span className="tile-kind">{kindOf(meter)}</span>
        <Badges meter={meter} condition={house.condition} name={name} />
      </div>
    </li>
  );
});

export const Row = memo(function Row(props: TileProps): ReactNode {
  const { meter, index, total, scale, name } = props;
  const speech = useSpeech();
  const house = useHouse(meter);
  return (
    <li
      className={`slot row row-${house.condition.kind}`}
      style={place(props)}
      aria-posinset={index + 1}
      aria-setsize={total}
    >
      <HouseSign direction={house.direction} dim={house.dim} />
      <div className="row-names">
        <h2>
          <Link href={`/meter/${meter.id}`} className="tile-link" data-index={index}>
            {titleOf(meter, speech)}
          </Link>
        </h2>
        <p>{meter.place ?? kindOf(meter)}</p>
      </div>
      <Badges meter={meter} condition={house.condition} name={name} />
      <Gauge power={house.dim ? null : house.power} scale={scale} />
      <PowerFigure power={house.power} dim={house.dim} />
      <span className="row-spark">
        <Spark meter={meter.id} height={28} />
      </span>
      <PhaseColumns meter={meter} live={house.live} />
    </li>
  );
});
