/** Reports on what validation found and what was billed. */
import { decimal } from '@amiable/model';
import { z } from 'zod';
import { kind, spanOf, spanShape, spanWords, whereShape, whereWords } from '../kind.ts';
import { MOST_ROWS, type ReportCell } from '../table.ts';

const PAGE = 1000;

export const validation = kind({
  name: 'validation',
  title: 'What validation found',
  summary: 'findings by rule: how often, how many are open, how many meters',
  needs: ['exception:view'],
  parameters: z.strictObject({
    ...spanShape,
    under: whereShape.under,
    severity: z.enum(['info', 'warning', 'error']).optional().describe('this weight and above'),
  }),
  async make(call, given) {
    const span = spanOf(given, call);
    const counts = await call.context.store.validation.exceptions.summary({
      from: span.from,
      to: span.to,
      scope: call.caller.scope,
      ...(given.under === undefined ? {} : { under: given.under }),
      ...(given.severity === undefined ? {} : { severity: given.severity }),
    });
    const rules = new Map<
      string,
      { row: [string, string, string]; all: number; open: number; accepted: number; days: Set<string> }
    >();
    for (const { rule, check, severity, day, state, count } of counts) {
      const key = JSON.stringify([rule, check, severity]);
      const known = rules.get(key) ?? {
        row: [rule, check, severity],
        all: 0,
        open: 0,
        accepted: 0,
        days: new Set<string>(),
      };
      known.all += count;
      if (state === 'open') known.open += count;
      if (state === 'accepted' || state === 'corrected') known.accepted += count;
      known.days.add(day);
      rules.set(key, known);
    }
    const rows = [...rules.values()]
      .sort((a, b) => b.all - a.all)
      .map(({ row, all, open, accepted, days }): ReportCell[] => [...row, all, open, accepted, days.size]);
    const sum = (i: number): number => rows.reduce((total, row) => total + Number(row[i]), 0);
    return {
      asked: [spanWords(span, call), ...(await whereWords(given, call))],
      columns: [
        { name: 'rule', label: 'Rule', type: 'text' },
        { name: 'check', label: 'Check', type: 'text' },
        { name: 'severity', label: 'Weight', type: 'text' },
        { name: 'found', label: 'Found', type: 'integer', bar: true },
        { name: 'open', label: 'Open', type: 'integer' },
        { name: 'accepted', label: 'Accepted or corrected', type: 'integer' },
        { name: 'days', label: 'On days', type: 'integer' },
      ],
      rows: rows.slice(0, MOST_ROWS),
      totals: ['Together', null, null, sum(3), sum(4), sum(5), null],
      notes: [],
    };
  },
});

export const bills = kind({
  name: 'bills',
  title: 'Bills',
  summary: 'bills that touch a period: amount, what of it was not measured, and what was held back',
  needs: ['bill:view'],
  parameters: z.strictObject({
    ...spanShape,
    product: z.string().min(1).max(40).optional(),
    state: z.enum(['billed', 'blocked', 'failed']).optional(),
    run: z
      .string()
      .regex(/^\d{1,18}$/, 'the number of a billing run')
      .optional(),
  }),
  async make(call, given) {
    const span = spanOf(given, call);
    const { store } = call.context;
    const rows: ReportCell[][] = [];
    const sums = new Map<string, { mantissa: bigint; scaler: number; n: number }>();
    let after: string | undefined;
    let cut = false;
    for (;;) {
      const page = await store.billing.bills.list({
        from: span.from,
        to: span.to,
        limit: PAGE,
        scope: call.caller.scope,
        ...(given.product === undefined ? {} : { product: given.product }),
        ...(given.state === undefined ? {} : { state: given.state }),
        ...(given.run === undefined ? {} : { run: given.run }),
        ...(after === undefined ? {} : { after }),
      });
      for (const bill of page) {
        const whole = bill.counts.reduce((a, b) => a + b, 0);
        if (bill.amount !== null && bill.currency !== null) {
          const known = sums.get(bill.currency) ?? { mantissa: 0n, scaler: bill.scaler, n: 0 };
          const scaler = Math.min(known.scaler, bill.scaler);
          sums.set(bill.currency, {
            mantissa:
              known.mantissa * 10n ** BigInt(known.scaler - scaler) + bill.amount * 10n ** BigInt(bill.scaler - scaler),
            scaler,
            n: known.n + 1,
          });
        }
        if (rows.length >= MOST_ROWS) cut = true;
        else
          rows.push([
            bill.code,
            bill.product,
            bill.tariff,
            bill.from,
            bill.to,
            bill.kind,
            bill.state,
            bill.amount === null ? null : decimal(bill.amount, bill.scaler),
            bill.currency,
            whole === 0 ? null : ((bill.counts[2] ?? 0) + (bill.counts[3] ?? 0)) / whole,
            whole === 0 ? null : (bill.counts[4] ?? 0) / whole,
            bill.reason,
          ]);
      }
      if (page.length < PAGE) break;
      after = page.at(-1)?.id;
    }
    return {
      asked: [spanWords(span, call), ...(given.product === undefined ? [] : [['Product', given.product] as const])],
      columns: [
        { name: 'point', label: 'Metering point', type: 'text' },
        { name: 'product', label: 'Product', type: 'text' },
        { name: 'tariff', label: 'Tariff', type: 'text' },
        { name: 'from', label: 'From', type: 'time' },
        { name: 'to', label: 'To', type: 'time' },
        { name: 'kind', label: 'Kind', type: 'text' },
        { name: 'state', label: 'State', type: 'text' },
        { name: 'amount', label: 'Amount', type: 'money' },
        { name: 'currency', label: 'Currency', type: 'text' },
        { name: 'replaced', label: 'Estimated or edited', type: 'percent' },
        { name: 'missing', label: 'Missing', type: 'percent' },
        { name: 'reason', label: 'Why', type: 'text' },
      ],
      rows,
      notes: [
        ...[...sums].map(
          ([currency, { mantissa, scaler, n }]) => `${n} bills: ${decimal(mantissa, scaler)} ${currency} together.`,
        ),
        ...(cut ? [`Cut after ${MOST_ROWS} rows; the sums are of all.`] : []),
      ],
    };
  },
});
