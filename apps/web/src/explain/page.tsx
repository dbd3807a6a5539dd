/**
 * The engineers' page: bytes of any layer in, what each of them is out. All of it happens in the browser, in a worker.
 */
import '../style/explain.css';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { useSpeech } from '../i18n/index.tsx';
import { askedText } from './address.ts';
import type { ExplainRequest } from './engine.ts';
import { EMPTY_INPUT, type Input, InputPanel } from './input.tsx';
import { keysOf } from './keys.ts';
import { Outcome } from './outcome.tsx';
import { useExplanation } from './use-explanation.ts';

export default function ExplainPage(): ReactNode {
  const { t } = useSpeech();
  const search = useSearch();
  const [, navigate] = useLocation();
  const [input, setInput] = useState<Input>(() => ({ ...EMPTY_INPUT, text: askedText(search, history.state) }));
  const [keysOpen, openKeys] = useState(false);
  useEffect(() => {
    document.title = `${t('explainTitle')} · Amiable`;
  }, [t]);
  useEffect(() => {
    const asked = askedText(search, history.state);
    if (asked !== '')
      setInput((before) => (before.text === asked ? before : { ...before, text: asked, file: undefined }));
  }, [search]);
  const request = useMemo<ExplainRequest>(
    () => ({ text: input.text, file: input.file?.bytes, kind: input.kind, keys: keysOf(input.keys) }),
    [input],
  );
  const explaining = useExplanation(request);
  const change = (next: Input) => {
    setInput(next);
    // The address names what was asked for; after a change that is something else.
    if (search !== '' && next.text !== input.text) navigate('/explain', { replace: true });
  };
  return (
    <div className="page explain-page">
      <div className="explain-head">
        <h1>{t('explainTitle')}</h1>
        <p>{t('explainText')}</p>
      </div>
      <InputPanel input={input} change={change} keysOpen={keysOpen} openKeys={openKeys} />
      <Outcome
        explaining={explaining}
        enterKeys={() => {
          openKeys(true);
          requestAnimationFrame(() => document.getElementById('explain-unicast')?.focus());
        }}
      />
    </div>
  );
}
