/**
 * The bill of a month: what was billed, or what it comes to so far, line by line with the reason for each. A house without a contract has
 * no panel.
 */
import '../style/desk.css';
import '../style/values.css';
import { add, type Period, periodRange, startOf } from '@amiable/calendar';
import { type Meter, QUALITIES } from '@amiable/model';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { useNow } from '../clock.ts';
import { useDesk } from '../i18n/desk.ts';
import { Fault } from '../ui/notice.tsx';
import { type Bill, type BillLine, billQuery, houseBillQuery, type Preview } from './api.ts';
import { addAmounts, money } from './money.ts';

const MINUTE = 60_000;

function Shares({ intervals }: { intervals: Preview['intervals'] }): ReactNode {
  const { t, format } = useDesk();
  const whole = QUALITIES.reduce((sum, quality) => sum + intervals[quality], 0);
  if (whole === 0) return null;
  const parts = QUALITIES.filter((quality) => intervals[quality] > 0).map((quality) => ({
    quality,
    share: (100 * intervals[quality]) / whole,
  }));
  const words = parts.map(({ quality, share }) => `${t(`quality_${quality}`)} ${format.number(share, 1)} %`);
  return (
    <div className="bill-shares" role="img" aria-label={words.join(', ')} title={words.join(', ')}>
      {parts.map(({ quality, share }) => (
        <span key={quality} className={`values-key-${quality}`} style={{ width: `${share}%` }} />
      ))}
    </div>
  );
}

function Lines({
  lines,
  currency,
  total,
}: {
  lines: readonly { readonly [K in keyof BillLine]?: BillLine[K] | undefined }[];
  currency: string | null;
  total: string | null;
}): ReactNode {
  const { t, language } = useDesk();
  const [why, setWhy] = useState(false);
  const plain = (text: string | null | undefined): string => (text == null ? '–' : money(text, null, language));
  return (
    <>
      <table className="bill-lines">
        <caption className="unseen">{t('billLines')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('billWhat')}</th>
            <th scope="col" className="bill-n">
              {t('billQuantity')}
            </th>
            <th scope="col" className="bill-n bill-price">
              {t('billPrice')}
            </th>
            <th scope="col" className="bill-n">
              {t('billAmount')}
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of a bill stand in its order and never move
            <tr key={i}>
              <th scope="row">
                {line.title}
                {line.rate ? ` · ${line.rate}` : ''}
                {why && line.sentence && (
                  <span className="bill-why" lang="en">
                    {line.sentence}
                  </span>
                )}
              </th>
              <td className="bill-n">
                {plain(line.quantity)} {line.unit}
              </td>
              <td className="bill-n bill-price">
                {line.price == null && line.meanPrice != null ? `⌀ ${plain(line.meanPrice)}` : plain(line.price)}
              </td>
              <td className="bill-n">{money(line.amount ?? '0', null, language)}</td>
            </tr>
          ))}
        </tbody>
        {total !== null && (
          <tfoot>
            <tr>
              <th scope="row">{t('billTotal')}</th>
              <td />
              <td className="bill-price" />
              <td className="bill-n">{money(total, currency, language)}</td>
            </tr>
          </tfoot>
        )}
      </table>
      <label className="bill-why-choice">
        <input type="checkbox" checked={why} onChange={(event) => setWhy(event.currentTarget.checked)} /> {t('billWhy')}
      </label>
    </>
  );
}

function PreviewPart({ preview, zone }: { preview: Preview; zone: string }): ReactNode {
  const { t, format, language } = useDesk();
  return (
    <article className="bill-contract">
      <div className="bill-head">
        <div>
          <h3>{preview.tariff}</h3>
          <p>
            {preview.product} · {format.day(Date.parse(preview.from), zone)} –{' '}
            {format.day(Date.parse(preview.to) - 1, zone)} · {t('billSoFar')}
          </p>
        </div>
        {preview.total !== null && <p className="bill-amount">{money(preview.total, preview.currency, language)}</p>}
      </div>
      <Shares intervals={preview.intervals} />
      {preview.reason !== null && (
        <p className="values-more" lang="en">
          {preview.reason}
        </p>
      )}
      {preview.held !== null && (
        <p className="bill-held" lang="en">
          {preview.held}
        </p>
      )}
      {preview.lines.length > 0 && (
        <details>
          <summary>{t('billShow')}</summary>
          <Lines lines={preview.lines} currency={preview.currency} total={preview.total} />
          {preview.marks.map(({ sentence }) => (
            <p key={sentence} className="values-more" lang="en">
              {sentence}
            </p>
          ))}
        </details>
      )}
    </article>
  );
}

function BilledPart({ bill, zone }: { bill: Bill; zone: string }): ReactNode {
  const { t, format, language } = useDesk();
  const [open, setOpen] = useState(false);
  const found = useQuery({ ...billQuery(bill.id), enabled: open });
  const lines = found.data?.detail?.lines ?? [];
  return (
    <article className="bill-contract">
      <div className="bill-head">
        <div>
          <h3>{bill.tariff}</h3>
          <p>
            {bill.product} · {format.day(Date.parse(bill.from), zone)} – {format.day(Date.parse(bill.to) - 1, zone)} ·{' '}
            {t(bill.state === 'billed' ? (bill.kind === 'difference' ? 'billDifference' : 'billBilled') : 'billNot')}
          </p>
        </div>
        {bill.amount !== null && <p className="bill-amount">{money(bill.amount, bill.currency, language)}</p>}
      </div>
      <Shares intervals={bill.intervals} />
      {bill.reason !== null && (
        <p className={bill.state === 'billed' ? 'values-more' : 'bill-held'} lang="en">
          {bill.reason}
        </p>
      )}
      {bill.state === 'billed' && (
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>{t('billShow')}</summary>
          {found.isError && <Fault fault={found.error} retry={() => void found.refetch()} small />}
          {lines.length > 0 && <Lines lines={lines} currency={bill.currency} total={bill.amount} />}
        </details>
      )}
    </article>
  );
}

export default function BillPanel({ meter, period }: { meter: Meter; period: Period }): ReactNode {
  const { t, format, language } = useDesk();
  const minute = Math.floor(useNow() / MINUTE) * MINUTE;
  const zone = meter.timeZone;
  const span = useMemo(() => periodRange(period, zone, minute), [period, zone, minute]);
  // The month in which the period begins; of a year, all of it.
  const from = period.unit === 'year' ? span.from : startOf('month', zone, span.from);
  const to = period.unit === 'year' ? span.to : add('month', zone, from, 1);
  const found = useQuery({ ...houseBillQuery(meter.id, from, to), placeholderData: keepPreviousData });
  if (found.isError)
    return (
      <section className="panel bill">
        <Fault fault={found.error} retry={() => void found.refetch()} small />
      </section>
    );
  if (!found.data) return null;
  const { bills } = found.data;
  // Of what was billed there is no need for a preview.
  const billed = new Set(bills.filter((bill) => bill.state === 'billed').map((bill) => bill.product));
  const previews = found.data.preview.filter((one) => !billed.has(one.product));
  if (bills.length === 0 && previews.length === 0) return null;
  const sums = addAmounts([
    ...bills.filter((bill) => bill.state === 'billed').map((bill) => [bill.amount, bill.currency] as const),
    ...previews.map((one) => [one.total, one.currency] as const),
  ]);
  return (
    <section className="panel bill" aria-labelledby="bill-title">
      <div className="panel-head">
        <h2 id="bill-title">
          {t('billTitle')} · {period.unit === 'year' ? format.year(from, zone) : format.month(from, zone)}
        </h2>
        {sums.map(([amount, currency]) => (
          <p key={currency} className="bill-amount bill-whole">
            {money(amount, currency, language)}
          </p>
        ))}
      </div>
      {bills.map((bill) => (
        <BilledPart key={bill.id} bill={bill} zone={zone} />
      ))}
      {previews.map((one) => (
        <PreviewPart key={one.contract} preview={one} zone={zone} />
      ))}
    </section>
  );
}
