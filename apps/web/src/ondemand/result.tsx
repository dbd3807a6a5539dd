/** What a read brought, as a table. */
import '../style/table.css';
import type { ReactNode } from 'react';
import { useDesk } from '../i18n/desk.ts';
import type { ReadResult } from './api.ts';

/** Rows that are shown; all of them are in the store. */
const MOST = 200;

export function ResultTable({ result, zone }: { result: ReadResult; zone: string }): ReactNode {
  const { t, format } = useDesk();
  const at = (time: string) => format.instant(Date.parse(time), zone);
  const columns: string[] = [];
  const rows: string[][] = [];
  if (result.registers) {
    columns.push(t('name'), t('value'), t('unit'), 'OBIS', t('time'));
    for (const one of result.registers)
      rows.push([one.name || one.obis, one.value, one.unit ?? '', one.obis, at(one.time)]);
  } else if (result.profile) {
    columns.push(
      t('time'),
      ...result.profile.columns.map((one) => `${one.name || one.obis}${one.unit ? `, ${one.unit}` : ''}`),
    );
    for (const row of result.profile.rows) rows.push([at(row.time), ...row.values.map((value) => value ?? '–')]);
  } else if (result.events) {
    columns.push(t('time'), t('eventName'), t('eventCode'));
    for (const one of result.events) rows.push([at(one.time), one.event, String(one.code)]);
  }
  if (columns.length === 0) return null;
  if (rows.length === 0) return <p className="read-more">{t('readNothing')}</p>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label={t('readResult')}>
        <table>
          <thead>
            <tr>
              {columns.map((column, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: two registers may have one name
                <th key={i} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST).map((cells, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of an answer never move
              <tr key={i}>
                {cells.map((cell, column) =>
                  column === 0 ? (
                    <th key={columns[column]} scope="row">
                      {cell}
                    </th>
                  ) : (
                    // biome-ignore lint/suspicious/noArrayIndexKey: two registers may have one name
                    <td key={column}>{cell}</td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {rows.length > MOST && <p className="read-more">{t('tableCut', { n: MOST, all: rows.length })}</p>}
    </>
  );
}
