/** Small pictures: the house with its arrow, the gauge, the phase bars. Direction is told by shape as well as colour. */
import type { Live, Meter } from '@amiable/model';
import type { CSSProperties, ReactNode } from 'react';
import { useSpeech } from '../i18n/index.tsx';
import { liveNumber } from '../power.ts';
import type { Direction } from './condition.ts';

/** A house that a wire reaches: the arrow points in for import and out, with panels on the roof, for export. */
export function HouseSign({ direction, dim }: { direction: Direction; dim: boolean }): ReactNode {
  return (
    <svg viewBox="0 0 52 40" className={`sign sign-${dim ? 'unknown' : direction}`} aria-hidden="true">
      <path className="sign-house" d="M18 20 33.5 6 49 20v14a2.5 2.5 0 0 1-2.5 2.5h-26A2.5 2.5 0 0 1 18 34z" />
      {direction === 'export' && !dim && <path className="sign-panel" d="m38.2 6 8.2 7.4" />}
      <path className="sign-window" d="M25 22h6v6h-6zm11 0h6v6h-6z" />
      {!dim && direction === 'import' && <path className="sign-arrow" d="M2 29h10m-4.5-4.5L12 29l-4.5 4.5" />}
      {!dim && direction === 'export' && <path className="sign-arrow" d="M13 29H3m4.5-4.5L3 29l4.5 4.5" />}
      {(dim || direction === 'none' || direction === 'unknown') && <path className="sign-wire" d="M2 29h12" />}
    </svg>
  );
}

/** Where zero stands on a gauge, in parts of its width: export rarely reaches a third of import. */
const ZERO = 0.25;

export function Gauge({ power, scale }: { power: number | null; scale: number }): ReactNode {
  const part = power === null ? 0 : Math.min(1, power > 0 ? power / scale : (-power * 3) / scale);
  const out = power !== null && power < 0;
  const style: CSSProperties = out
    ? { right: `${(1 - ZERO) * 100}%`, width: `${part * ZERO * 100}%` }
    : { left: `${ZERO * 100}%`, width: `${part * (1 - ZERO) * 100}%` };
  return (
    <span className="gauge" aria-hidden="true">
      <span className={out ? 'gauge-bar gauge-out' : 'gauge-bar gauge-in'} style={style} />
      <span className="gauge-zero" style={{ left: `${ZERO * 100}%` }} />
    </span>
  );
}

export const PHASES = [
  { name: 'L1', line: 'L1–L2', voltage: '32.7.0', current: '31.7.0' },
  { name: 'L2', line: 'L1–L3', voltage: '52.7.0', current: '51.7.0' },
  { name: 'L3', line: 'L2–L3', voltage: '72.7.0', current: '71.7.0' },
] as const;

/** EN 50160: 230 V and a tenth either way. */
export const VOLTAGE_LOW = 207;
export const VOLTAGE_HIGH = 253;
/** A usual main fuse; the bars end there. */
const FUSE = 25;

export function voltageVerdict(volts: number | undefined): 'none' | 'low' | 'high' | 'good' {
  if (volts === undefined || volts < 20) return 'none';
  return volts < VOLTAGE_LOW ? 'low' : volts > VOLTAGE_HIGH ? 'high' : 'good';
}

export function PhaseBars({ meter, live, dim }: { meter: Meter; live: Live | null; dim: boolean }): ReactNode {
  const { t, format } = useSpeech();
  const shown = PHASES.filter(
    (phase, i) =>
      (meter.phases !== 1 || i === 0) &&
      (liveNumber(live, phase.voltage) ?? liveNumber(live, phase.current)) !== undefined,
  );
  if (shown.length === 0) return <div className="phases" />;
  return (
    <ul className={dim ? 'phases phases-dim' : 'phases'} aria-label={t('phases')}>
      {shown.map((phase) => {
        const volts = liveNumber(live, phase.voltage);
        const amps = liveNumber(live, phase.current);
        const verdict = voltageVerdict(volts);
        return (
          <li key={phase.name} className="phase">
            <span className="phase-name">{phase.name}</span>
            <span className="phase-track" aria-hidden="true">
              <span className="phase-bar" style={{ width: `${Math.min(100, (Math.abs(amps ?? 0) / FUSE) * 100)}%` }} />
            </span>
            <span className="phase-amps">{amps === undefined ? '–' : `${format.fixed(amps, 1)} A`}</span>
            <span className={`phase-volts phase-${verdict}`} title={meter.lineVoltage ? phase.line : undefined}>
              {verdict === 'low' && <span title={t('voltageLow')}>▾</span>}
              {verdict === 'high' && <span title={t('voltageHigh')}>▴</span>}
              {volts === undefined || verdict === 'none' ? '– V' : `${format.fixed(volts, 0)} V`}
              {verdict !== 'good' && verdict !== 'none' && (
                <span className="unseen"> {t(verdict === 'low' ? 'voltageLow' : 'voltageHigh')}</span>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** The compact form for rows: one column a phase, its height the current, its foot the verdict on the voltage. */
export function PhaseColumns({ meter, live }: { meter: Meter; live: Live | null }): ReactNode {
  const { t, format } = useSpeech();
  const shown = PHASES.filter(
    (phase, i) => (meter.phases !== 1 || i === 0) && liveNumber(live, phase.voltage) !== undefined,
  );
  const text = shown
    .map((phase) => `${phase.name} ${format.fixed(liveNumber(live, phase.voltage) ?? 0, 0)} V`)
    .join(', ');
  return (
    <span className="columns" title={text}>
      <span className="unseen">
        {t('phases')}: {text}
      </span>
      {shown.map((phase) => {
        const volts = liveNumber(live, phase.voltage);
        const amps = Math.abs(liveNumber(live, phase.current) ?? 0);
        return (
          <span key={phase.name} className={`column column-${voltageVerdict(volts)}`} aria-hidden="true">
            <span className="column-track">
              <span className="column-bar" style={{ height: `${Math.min(100, (amps / FUSE) * 100)}%` }} />
            </span>
            <span className="column-volts">{volts === undefined || volts < 20 ? '–' : format.fixed(volts, 0)}</span>
          </span>
        );
      })}
    </span>
  );
}
