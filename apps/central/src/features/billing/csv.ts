/** Bills of a run as CSV: one row a bill, or one a line. Text that a spreadsheet would take for a formula is made plain. */
import { isoTime, type Scope } from '@amiable/model';
import type { BillQuery, Store, WholeBill } from '@amiable/store';
import { keptOf } from './bill.ts';
import { money } from './shapes.ts';

const PAGE = 500;
const BILL_COLUMNS =
  'bill,metering_point,meter,product,kind,state,tariff,version,from,to,currency,amount,total,measured,calculated,edited,estimated,missing,previous_run,reason';
const LINE_COLUMNS =
  'bill,metering_point,product,kind,tariff,version,component,title,rate,from,to,quantity,unit,price,amount,currency,why';

function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  // A number below zero is one; anything else that begins so would be run.
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) || safe.trim() !== safe ? `"${safe.replaceAll('"', '""')}"` : safe;
}
const row = (cells: readonly (string | number | null | undefined)[]): string => `${cells.map(cell).join(',')}\r\n`;

const billRow = (b: WholeBill): string =>
  row([
    b.id,
    b.code,
    b.meter,
    b.product,
    b.kind,
    b.state,
    b.tariff,
    b.tariffVersion,
    isoTime(b.from),
    isoTime(b.to),
    b.currency,
    money(b.amount, b.scaler),
    money(b.total, b.scaler),
    ...b.counts,
    b.previousRun,
    b.reason,
  ]);

/** Of a difference its lines that changed, so that the rows of a run add up to what it bills. */
function lineRows(b: WholeBill): string {
  const kept = keptOf(b);
  if (!kept) return '';
  const common = [b.id, b.code, b.product, b.kind, b.tariff] as const;
  if (b.kind === 'difference')
    return (kept.differences ?? [])
      .map((d) =>
        row([
          ...common,
          b.tariffVersion,
          d.component,
          d.title,
          d.rate,
          isoTime(b.from),
          isoTime(b.to),
          null,
          null,
          null,
          d.difference,
          b.currency,
          `was ${d.was}, is ${d.is}`,
        ]),
      )
      .join('');
  return kept.rated.lines
    .map((l) =>
      row([
        ...common,
        l.version,
        l.component,
        l.title,
        l.rate,
        isoTime(l.from),
        isoTime(l.to),
        l.quantity,
        l.unit,
        l.price ?? l.meanPrice,
        l.amount,
        b.currency,
        l.sentence,
      ]),
    )
    .join('');
}

export async function* billsCsv(
  store: Store,
  run: string,
  rows: 'bills' | 'lines',
  scope: Scope,
): AsyncGenerator<string> {
  yield `${rows === 'bills' ? BILL_COLUMNS : LINE_COLUMNS}\r\n`;
  for (let after: string | undefined; ; ) {
    const query: BillQuery = { run, limit: PAGE, scope, ...(after === undefined ? {} : { after }) };
    const bills = await store.billing.bills.whole(query);
    if (bills.length > 0) yield bills.map(rows === 'bills' ? billRow : lineRows).join('');
    if (bills.length < PAGE) return;
    after = bills.at(-1)?.id;
  }
}
