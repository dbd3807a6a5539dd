/** What came out: the conversation beside its chosen part, or what is in the way of it. */
import { type ReactNode, useEffect, useId, useMemo, useState } from 'react';
import { type LayerMap, mapLayer } from '../bytes/fields.ts';
import { TwoSided } from '../bytes/two-sided.tsx';
import { type Translate, useSpeech } from '../i18n/index.tsx';
import { CopyButton } from '../ui/copy.tsx';
import { Bone } from '../ui/skeleton.tsx';
import type { Explanation, PartLine } from './engine.ts';
import { hintOf } from './hints.ts';
import type { Remark } from './sources.ts';
import { Talk, timeText, wayText } from './talk.tsx';
import type { Explaining } from './use-explanation.ts';

const NONE: readonly string[] = [];
/** Characters of XML-like text that are drawn. */
const MAX_XML = 40_000;

function remarkText(t: Translate, remark: Remark): string {
  switch (remark.kind) {
    case 'skipped':
      return t('remarkSkipped', { n: remark.n });
    case 'odd':
      return t('remarkOdd');
    case 'damaged':
      return t('remarkDamaged', { n: remark.n });
    case 'missing':
      return t('remarkMissing', { n: remark.n });
    case 'cutText':
      return t('cutText', { n: remark.n });
    case 'noStreams':
      return t('remarkNoStreams');
  }
}

function Remarks({ explanation: { remarks, cut } }: { explanation: Explanation }): ReactNode {
  const { t } = useSpeech();
  const said = remarks.map((remark) => remarkText(t, remark));
  if (cut) said.push(t(cut.by === 'parts' ? 'cutParts' : cut.by === 'bytes' ? 'cutBytes' : 'cutTime', { n: cut.n }));
  if (said.length === 0) return null;
  return (
    <ul className="explain-remarks">
      {said.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

function Note({ title, text }: { title: string; text?: string }): ReactNode {
  return (
    <section className="panel explain-note" role="status">
      <p>{title}</p>
      {text && <p className="field-hint">{text}</p>}
    </section>
  );
}

interface Shown {
  /** What it belongs to: version of the explanation and place in it. */
  readonly key: string;
  readonly layers: readonly LayerMap[];
  readonly text: string | undefined;
  readonly textless: boolean;
}

export function Outcome({ explaining, enterKeys }: { explaining: Explaining; enterKeys(): void }): ReactNode {
  const { t } = useSpeech();
  const { state, busy, part } = explaining;
  const [chosen, choose] = useState(0);
  const [tab, setTab] = useState('fields');
  const [shown, show] = useState<Shown>();
  const explanation = state.kind === 'done' ? state.explanation : undefined;
  const version = state.kind === 'done' ? state.version : 0;
  const count = explanation?.parts.length ?? 0;
  const at = Math.min(chosen, Math.max(0, count - 1));
  const key = `${version}/${at}`;
  useEffect(() => {
    if (count === 0) return;
    let current = true;
    void part(at).then((detail) => {
      if (current && detail) {
        const { layers, text, textless } = detail;
        show({ key, layers: layers.map(mapLayer), text, textless });
      }
    });
    return () => {
      current = false;
    };
  }, [part, at, count, key]);

  if (state.kind === 'empty') return busy ? <Working /> : <Note title={t('explainEmpty')} />;
  if (state.kind === 'stopped') return <Note title={t('explainStopped')} />;
  if (state.kind === 'failed') return <Note title={t('explainFailed', { reason: state.reason })} />;
  const line = state.explanation.parts[at];
  if (!line)
    return (
      <>
        <Note title={t('explainNone')} text={t('explainNoneText')} />
        <Remarks explanation={state.explanation} />
      </>
    );
  return (
    <>
      <Remarks explanation={state.explanation} />
      <div className={count > 1 ? 'explain-outcome explain-talk' : 'explain-outcome'} aria-busy={busy}>
        {count > 1 && <Talk explanation={state.explanation} chosen={at} choose={choose} />}
        <section className="panel explain-part" aria-labelledby="explain-part">
          <PartHead line={line} at={at} count={count} enterKeys={enterKeys} />
          {shown ? <Part key={shown.key} shown={shown} tab={tab} setTab={setTab} /> : <Bone height={240} />}
        </section>
      </div>
    </>
  );
}

/** Grey only when it lasts. */
function Working(): ReactNode {
  const { t } = useSpeech();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 500);
    return () => clearTimeout(timer);
  }, []);
  return late ? <Note title={t('explainWorking')} /> : <div className="bone explain-soon" />;
}

function PartHead({
  line,
  at,
  count,
  enterKeys,
}: {
  line: PartLine;
  at: number;
  count: number;
  enterKeys(): void;
}): ReactNode {
  const { t, format } = useSpeech();
  const hint = line.hint ? hintOf(t, line.hint) : undefined;
  const facts = [
    count > 1 ? t('partOf', { n: at + 1, all: count }) : '',
    wayText(t, line.direction),
    timeText(format, line.time),
    t('bytes', { n: line.length }),
  ].filter((fact) => fact !== '');
  return (
    <>
      <h2 id="explain-part" className="breakable">
        {line.title}
      </h2>
      <p className="explain-facts">{facts.join(' · ')}</p>
      {hint && (
        <p className="explain-hint">
          <span lang={hint.language}>{hint.text}</span>
          {hint.keysHelp && (
            <button type="button" className="button small" onClick={enterKeys}>
              {t('enterKeys')}
            </button>
          )}
        </p>
      )}
    </>
  );
}

function Part({ shown, tab, setTab }: { shown: Shown; tab: string; setTab(tab: string): void }): ReactNode {
  const { t } = useSpeech();
  const xml = useMemo(() => ({ value: 'xml', label: 'XML', body: () => <Xml text={shown.text} /> }), [shown.text]);
  return (
    <TwoSided
      layers={shown.layers}
      readings={NONE}
      hint={t('pointBytes')}
      tab={tab}
      setTab={setTab}
      after={shown.textless ? undefined : xml}
    />
  );
}

function Xml({ text }: { text: string | undefined }): ReactNode {
  const { t } = useSpeech();
  const label = useId();
  if (text === undefined) return <p className="chart-none">{t('xmlNone')}</p>;
  return (
    <div className="explain-xml">
      <div className="explain-bar">
        <span id={label} className="field-hint">
          {text.length > MAX_XML ? t('xmlCut') : 'XML'}
        </span>
        <CopyButton text={text} label={t('copyXml')} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section tabIndex={0} aria-labelledby={label}>
        <pre>{text.slice(0, MAX_XML)}</pre>
      </section>
    </div>
  );
}
