/** One entry in full: times, what it belongs to, its facts; an APDU leads on to its explanation. */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef } from 'react';
import { Link } from 'wouter';
import { explainAddress } from '../explain/address.ts';
import { useDesk } from '../i18n/desk.ts';
import { CopyButton } from '../ui/copy.tsx';
import { Fault } from '../ui/notice.tsx';
import { Bone } from '../ui/skeleton.tsx';
import { logApi, type SingleEntry } from './api.ts';
import { StateSign } from './signs.tsx';
import { durationText } from './words.ts';

/** Names under which bytes stand in a detail. */
const HEX = /^(?:[0-9a-f]{2}){2,}$/i;

/** The bytes in a detail: what was sent in the clear first. */
export function bytesOf(detail: unknown): readonly { readonly name: string; readonly hex: string }[] {
  if (typeof detail !== 'object' || detail === null) return [];
  const found = Object.entries(detail).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    const hex = value.replaceAll(' ', '');
    return HEX.test(hex) && /apdu|plain|cipher|hex|bytes|frame|request|response/i.test(name) ? [{ name, hex }] : [];
  });
  return found.sort((a, b) => Number(/cipher/i.test(a.name)) - Number(/cipher/i.test(b.name)));
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Facts({ entry, zone, open }: { entry: SingleEntry; zone: string; open(id: string): void }): ReactNode {
  const { t, format } = useDesk();
  const took = durationText(format, entry);
  return (
    <dl className="log-facts">
      <Fact name={t('logKind')}>{t(`kind_${entry.kind}`)}</Fact>
      <Fact name={t('logState')}>{t(`state_${entry.state}`)}</Fact>
      <Fact name={t('logStarted')}>{format.instant(Date.parse(entry.started), zone)}</Fact>
      <Fact name={t('logEnded')}>
        {entry.ended === null ? t('logRunsStill') : format.instant(Date.parse(entry.ended), zone)}
      </Fact>
      {took && <Fact name={t('logTook')}>{took}</Fact>}
      {entry.meter !== null && (
        <Fact name={t('wallMeter')}>
          <Link href={`/meter/${entry.meter}`}>{t('toMeterPage')}</Link>
        </Fact>
      )}
      {entry.ancestors.length > 0 && (
        <Fact name={t('logAbove')}>
          <ol className="log-above">
            {entry.ancestors.map((one) => (
              <li key={one.id}>
                <button type="button" onClick={() => open(one.id)}>
                  {one.text}
                </button>
              </li>
            ))}
          </ol>
        </Fact>
      )}
    </dl>
  );
}

export interface DetailProps {
  readonly id: string;
  readonly zone: string;
  /** Changes when the entry did in the tree: it is asked for again. */
  readonly state: string;
  open(id: string): void;
  close(): void;
}

export function EntryDetail({ id, zone, state, open, close }: DetailProps): ReactNode {
  const { t } = useDesk();
  const query = useQuery({
    queryKey: ['transaction', id, state],
    queryFn: ({ signal }) => logApi.entry(id, signal),
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
  });
  const heading = useRef<HTMLHeadingElement>(null);
  const narrow = () => window.matchMedia('(max-width: 980px)').matches;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another entry was chosen
  useEffect(() => {
    if (narrow()) heading.current?.scrollIntoView({ block: 'nearest' });
  }, [id]);
  const entry = query.data;
  const detail = entry?.detail ?? null;
  const text = detail === null ? '' : JSON.stringify(detail, null, 2);
  return (
    <section className="panel log-detail" aria-labelledby="log-detail-title">
      <div className="panel-head">
        <h2 id="log-detail-title" ref={heading}>
          {entry ? (
            <>
              <StateSign state={entry.state} />
              <span>{entry.text}</span>
            </>
          ) : (
            t('loading')
          )}
        </h2>
        <button type="button" className="button small" onClick={close}>
          {t('close')}
        </button>
      </div>
      {query.isError && <Fault fault={query.error} retry={() => void query.refetch()} small />}
      {query.isPending && <Bone height={120} />}
      {entry && (
        <>
          <Facts entry={entry} zone={zone} open={open} />
          {bytesOf(detail).map(({ name, hex }) => {
            const address = explainAddress(hex);
            return (
              <div key={name} className="log-bytes">
                <div className="panel-head">
                  <h3>
                    {name} <small>{t('bytes', { n: hex.length / 2 })}</small>
                  </h3>
                  <span className="actions">
                    <Link
                      href={address.href}
                      {...(address.state ? { state: address.state } : {})}
                      className="button small"
                    >
                      {t('explainTitle')}
                    </Link>
                    <CopyButton text={hex} />
                  </span>
                </div>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard */}
                <section className="log-hex" tabIndex={0} aria-label={name}>
                  {hex.toUpperCase().replace(/(..)(?=.)/g, '$1 ')}
                </section>
              </div>
            );
          })}
          {text && (
            <div className="log-bytes">
              <div className="panel-head">
                <h3>{t('logFacts')}</h3>
                <CopyButton text={text} />
              </div>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard */}
              <section className="log-json" tabIndex={0} aria-label={t('logFacts')}>
                <pre>{text}</pre>
              </section>
            </div>
          )}
        </>
      )}
    </section>
  );
}
