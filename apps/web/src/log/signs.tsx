/** How an entry stands, told by shape as well as by colour, and how far a running one is. */
import type { ReactNode } from 'react';
import { useDesk } from '../i18n/desk.ts';
import type { Progress, State } from './api.ts';
import { tallyOf } from './words.ts';

const SHAPES: Record<State, ReactNode> = {
  running: <path d="M8 2a6 6 0 1 1-6 6" />,
  done: <path d="m3 8.5 3.4 3.4L13 4.8" />,
  partial: <path d="m2 9 2.8 2.8L9 6.6M12.5 4v5m0 2.6v.4" />,
  failed: <path d="m4 4 8 8m0-8-8 8" />,
  cancelled: <path d="M3.5 8h9" />,
};

export function StateSign({ state }: { state: State }): ReactNode {
  const { t } = useDesk();
  const name = t(`state_${state}`);
  return (
    <span className={`log-sign log-sign-${state}`} title={name}>
      <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
        {SHAPES[state]}
      </svg>
      <span className="unseen">{name}: </span>
    </span>
  );
}

export function ProgressBar(props: { progress: Progress; detail: unknown; name: string }): ReactNode {
  const { t, format } = useDesk();
  const tally = tallyOf(props.progress, props.detail);
  if (tally.total === 0) return <span className="log-took" />;
  const part = (n: number) => ({ width: `${(n / tally.total) * 100}%` });
  const text = `${format.number(tally.ended)} / ${format.number(tally.total)}`;
  const failed = tally.failed > 0 ? t('progressFailed', { n: tally.failed }) : '';
  return (
    <span className="log-progress">
      <span
        className="log-bar"
        role="progressbar"
        aria-label={props.name}
        aria-valuemin={0}
        aria-valuemax={tally.total}
        aria-valuenow={tally.ended}
        aria-valuetext={failed ? `${text}, ${failed}` : text}
        title={failed}
      >
        <span className="log-bar-done" style={part(tally.done)} />
        <span className="log-bar-partial" style={part(tally.partial)} />
        <span className="log-bar-failed" style={part(tally.failed)} />
      </span>
      <span className="log-tally" aria-hidden="true">
        {text}
      </span>
    </span>
  );
}
