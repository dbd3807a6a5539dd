/** The conversation as a sequence of arrows between client and meter; arrow keys walk it. */
import type { Direction } from '@amiable/meter';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';
import type { Format } from '../format.ts';
import { type Translate, useSpeech } from '../i18n/index.tsx';
import type { Explanation, PartLine } from './engine.ts';

/** Parts that Page Up and Page Down go. */
const PAGE = 10;

export function wayText(t: Translate, direction: Direction | undefined): string {
  return direction === undefined ? '' : t(direction === 'out' ? 'toMeter' : 'toClient');
}

export function timeText(format: Format, time: PartLine['time']): string {
  if (typeof time !== 'number') return time ?? '';
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${format.clock(time, zone, true)}.${String(Math.floor(time % 1000)).padStart(3, '0')}`;
}

/** An envelope is named by what is in it, but for those of ACSE (AARQ and so on), which say more than what is in them. */
function namesOf(title: string): { name: string; inside: string } {
  const names = title.split(' > ');
  const at = /^(AAR|RLR)[QE]$/.test(names[0] ?? '') ? 0 : names.length - 1;
  return { name: names[at] ?? title, inside: names.filter((_name, i) => i !== at).join(' > ') };
}

function Row({ line, at, chosen, choose }: { line: PartLine; at: number; chosen: boolean; choose(): void }): ReactNode {
  const { t, format } = useSpeech();
  const { name, inside } = namesOf(line.title);
  const notes = [inside, timeText(format, line.time), t('bytes', { n: line.length })].filter((note) => note !== '');
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the list holds the focus, and names its active option
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list handles the keys
    <div
      id={`talk-${at}`}
      role="option"
      aria-selected={chosen}
      className={`talk-part talk-${line.direction ?? 'none'}${line.hint ? ' talk-hint' : ''}`}
      onClick={choose}
    >
      <span className="talk-name">{name}</span>
      <span className="talk-arrow" aria-hidden="true" />
      <span className="unseen"> {wayText(t, line.direction)} </span>
      <span className="talk-note">{notes.join(' · ')}</span>
    </div>
  );
}

export function Talk({
  explanation: { parts, sources },
  chosen,
  choose,
}: {
  explanation: Explanation;
  chosen: number;
  choose(at: number): void;
}): ReactNode {
  const { t } = useSpeech();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const row = list.current?.querySelector<HTMLElement>(`#talk-${chosen}`);
    const scroller = list.current;
    if (!row || !scroller) return;
    // The list alone scrolls, never the page.
    const a = row.getBoundingClientRect();
    const b = scroller.getBoundingClientRect();
    if (a.top < b.top) scroller.scrollTop -= b.top - a.top;
    else if (a.bottom > b.bottom) scroller.scrollTop += a.bottom - b.bottom;
  }, [chosen]);
  const key = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowDown: chosen + 1,
      ArrowUp: chosen - 1,
      PageDown: chosen + PAGE,
      PageUp: chosen - PAGE,
      Home: 0,
      End: parts.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(parts.length - 1, to)));
  };
  const rows = (source: number): ReactNode[] =>
    parts.flatMap((line, at) =>
      line.source === source
        ? // biome-ignore lint/suspicious/noArrayIndexKey: the place in the conversation is what names a part
          [<Row key={at} line={line} at={at} chosen={at === chosen} choose={() => choose(at)} />]
        : [],
    );
  return (
    <section className="panel talk" aria-labelledby="talk-title">
      <h2 id="talk-title">
        {t('talk')} <small>{t('parts', { n: parts.length })}</small>
      </h2>
      <p className="talk-ends" aria-hidden="true">
        <span>{t('talkClient')}</span>
        <span>{t('talkMeter')}</span>
      </p>
      <div
        ref={list}
        className="talk-list"
        role="listbox"
        tabIndex={0}
        aria-label={`${t('talk')}. ${t('talkHint')}`}
        aria-activedescendant={`talk-${chosen}`}
        onKeyDown={key}
      >
        {sources.length === 1
          ? rows(0)
          : sources.map((name, source) => (
              // biome-ignore lint/a11y/useSemanticElements: options of a listbox are grouped by role
              <div key={name} role="group" aria-label={name}>
                <p className="talk-source" aria-hidden="true">
                  {name}
                </p>
                {rows(source)}
              </div>
            ))}
      </div>
    </section>
  );
}
