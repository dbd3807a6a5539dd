/** Asks a route that changes nothing, as whoever is logged in, and shows what came: also of a stream, as it comes. */
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { answerOf, BASE } from '../api.ts';
import { useDesk } from '../i18n/desk.ts';
import { CopyButton } from '../ui/copy.tsx';
import { TextField } from '../ui/field.tsx';
import type { Operation } from './openapi.ts';

/** Characters of an answer that are shown. */
const MOST = 60_000;

interface Outcome {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly size: number;
  readonly took: number;
  readonly running: boolean;
}

function pretty(text: string, type: string): string {
  if (!type.includes('json')) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export interface TryItProps {
  readonly operation: Operation;
  readonly values: Readonly<Record<string, string>>;
  readonly address: string;
  change(name: string, value: string): void;
}

export function TryIt({ operation, values, address, change }: TryItProps): ReactNode {
  const { t, format } = useDesk();
  const [outcome, setOutcome] = useState<Outcome>();
  const [fault, setFault] = useState('');
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const stop = () => running.current?.abort();
  const missing = operation.parameters.some((parameter) => parameter.required && !values[parameter.name]);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    stop();
    const own = new AbortController();
    running.current = own;
    setFault('');
    setOutcome(undefined);
    const began = performance.now();
    let text = '';
    let size = 0;
    let seen = { status: 0, type: '' };
    const show = (still: boolean) => {
      if (running.current !== own) return;
      setOutcome({
        ...seen,
        text: (still ? text : pretty(text, seen.type)).slice(0, MOST),
        size,
        took: performance.now() - began,
        running: still,
      });
    };
    try {
      let response = await fetch(address, { signal: own.signal });
      if (response.status === 401 && address.startsWith(BASE)) {
        // Leads to the log-in where a session ended; the answer is asked for again.
        const again = await answerOf(address.slice(BASE.length), { signal: own.signal });
        response = new Response(again.text, { status: again.response.status, headers: again.response.headers });
      }
      seen = { status: response.status, type: response.headers.get('content-type') ?? '' };
      const reader = response.body?.getReader();
      const decoder = new TextDecoder();
      for (let last = 0; reader; ) {
        const { done, value } = await reader.read();
        if (done) break;
        size += value.length;
        if (text.length < MOST * 2) text += decoder.decode(value, { stream: true });
        if (performance.now() - last > 200) {
          last = performance.now();
          show(true);
        }
      }
      show(false);
    } catch (thrown) {
      if (own.signal.aborted) show(false);
      else setFault(thrown instanceof Error ? thrown.message || t('errorOffline') : t('errorOffline'));
    }
  };
  return (
    <section className="try">
      <h3>{t('tryIt')}</h3>
      <form className="form" onSubmit={send}>
        {operation.parameters.length > 0 && (
          <div className="try-fields">
            {operation.parameters.map((parameter) => (
              <TextField
                key={`${parameter.place} ${parameter.name}`}
                label={parameter.name}
                value={values[parameter.name] ?? ''}
                change={(value) => change(parameter.name, value)}
                required={parameter.required}
                autoComplete="off"
                spellCheck={false}
                className="mono"
              />
            ))}
          </div>
        )}
        <div className="try-send">
          <code className="try-address">GET {address}</code>
          {/* Keys, or the one button would become the other within its own click, and send anew. */}
          {outcome?.running ? (
            <button key="stop" type="button" className="button" onClick={stop}>
              {t('stop')}
            </button>
          ) : (
            <button key="send" type="submit" className="button primary" disabled={missing}>
              {t('send')}
            </button>
          )}
        </div>
      </form>
      {fault && (
        <p className="form-fault" role="alert">
          {fault}
        </p>
      )}
      {outcome && (
        <div className="try-outcome">
          <div className="panel-head">
            <p role="status">
              <span className={`answer-code answer-${String(outcome.status)[0]}`}>{outcome.status}</span>{' '}
              {outcome.type.split(';')[0]} · {t('bytes', { n: outcome.size })} · {format.number(outcome.took, 0)} ms
              {outcome.running && ' …'}
            </p>
            <CopyButton text={outcome.text} />
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard */}
          <section className="code" tabIndex={0} aria-label={`${t('tryIt')}: ${t('exampleAnswer')}`}>
            <pre>{outcome.text}</pre>
          </section>
          {outcome.text.length >= MOST && <p className="reference-text">{t('answerCut', { n: MOST })}</p>}
        </div>
      )}
    </section>
  );
}
