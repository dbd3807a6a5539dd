/** One route in full: what it takes, what it gives, an example, and where nothing is changed a try. */
import { type ReactNode, useId, useMemo, useState } from 'react';
import { useDesk } from '../i18n/desk.ts';
import { CopyButton } from '../ui/copy.tsx';
import { addressOf, curlOf, type Description, exampleOf, type Json, linesOf, type Operation } from './openapi.ts';
import { TryIt } from './try.tsx';

function SchemaTable(props: {
  description: Description;
  schema: { readonly [key: string]: Json } | undefined;
}): ReactNode {
  const { t } = useDesk();
  const { lines, more } = useMemo(() => linesOf(props.description, props.schema), [props.description, props.schema]);
  if (lines.length === 0) return null;
  return (
    <>
      <ul className="schema">
        {lines.map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of a schema never move
          <li key={i} style={{ marginInlineStart: `${line.depth * 18}px` }}>
            {line.name && (
              <code className="schema-name">
                {line.name}
                {!line.required && (
                  <span className="schema-optional" title={t('optional')}>
                    ?
                  </span>
                )}
              </code>
            )}
            <span className="schema-type">{line.type}</span>
            {line.note && <span className="schema-note">{line.note}</span>}
            {line.text && <span className="schema-text">{line.text}</span>}
          </li>
        ))}
      </ul>
      {more && <p className="reference-text">{t('schemaCut', { n: lines.length })}</p>}
    </>
  );
}

function Example({ title, text }: { title: string; text: string }): ReactNode {
  const id = useId();
  return (
    <div className="example">
      <div className="panel-head">
        <h4 id={id}>{title}</h4>
        <CopyButton text={text} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard */}
      <section className="code" tabIndex={0} aria-labelledby={id}>
        <pre>{text}</pre>
      </section>
    </div>
  );
}

export function OperationDetail({
  operation,
  description,
}: {
  operation: Operation;
  description: Description;
}): ReactNode {
  const { t } = useDesk();
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const address = addressOf(operation, values);
  const { body, parameters, answers } = operation;
  const bodyExample = useMemo(
    () => (body?.schema ? exampleOf(description, body.schema) : undefined),
    [body, description],
  );
  const good = answers.find((answer) => answer.code.startsWith('2'));
  const example = useMemo(
    () => (good?.schema ? JSON.stringify(exampleOf(description, good.schema), null, 2) : ''),
    [good, description],
  );
  return (
    <div className="route-detail">
      {operation.description && (
        <p className="reference-text">
          {operation.description
            .split(/`([^`]+)`/)
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a sentence never move
            .map((piece, i) => (i % 2 === 1 ? <code key={i}>{piece}</code> : piece))}
        </p>
      )}
      {parameters.length > 0 && (
        <section>
          <h3>{t('parameters')}</h3>
          <ul className="schema">
            {parameters.map((parameter) => {
              const line = linesOf(description, { type: 'object', properties: { [parameter.name]: parameter.schema } })
                .lines[0];
              return (
                <li key={`${parameter.place} ${parameter.name}`}>
                  <code className="schema-name">
                    {parameter.name}
                    {!parameter.required && (
                      <span className="schema-optional" title={t('optional')}>
                        ?
                      </span>
                    )}
                  </code>
                  <span className="schema-type">
                    {parameter.place}, {line?.type}
                  </span>
                  {line?.note && <span className="schema-note">{line.note}</span>}
                  {parameter.description && <span className="schema-text">{parameter.description}</span>}
                </li>
              );
            })}
          </ul>
        </section>
      )}
      {body && (
        <section>
          <h3>
            {t('body')} <small>{body.type}</small>
          </h3>
          <SchemaTable description={description} schema={body.schema} />
        </section>
      )}
      <section>
        <h3>{t('answers')}</h3>
        <dl className="answers">
          {answers.map((answer) => (
            <div key={answer.code}>
              <dt>
                <span className={`answer-code answer-${answer.code[0]}`}>{answer.code}</span>{' '}
                <small>{answer.type}</small>
              </dt>
              <dd>
                {answer.description && <p className="reference-text">{answer.description}</p>}
                {answer.code.startsWith('2') && <SchemaTable description={description} schema={answer.schema} />}
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <section className="examples">
        <Example title={t('exampleAsked')} text={curlOf(operation, address, location.origin, bodyExample)} />
        {example && <Example title={t('exampleAnswer')} text={example} />}
      </section>
      {operation.method === 'GET' && (
        <TryIt
          operation={operation}
          values={values}
          change={(name, value) => setValues((before) => ({ ...before, [name]: value }))}
          address={address}
        />
      )}
    </div>
  );
}
