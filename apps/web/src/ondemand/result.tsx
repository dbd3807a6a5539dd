/** What a read brought, as a table. */
import '../style/table.css';
import type { ReactNode } from 'react';
import { type DeskTranslate, useDesk } from '../i18n/desk.ts';
import { en } from '../i18n/en.ts';
import type { Key } from '../i18n/index.tsx';
import { plainName } from '../messages/text.ts';
import { shortObis } from '../power.ts';
import type { ReadResult } from './api.ts';

/** In the reader's language where the page has a word for it. */
function nameIn(t: DeskTranslate, column: { readonly obis: string; readonly name: string }): string {
  const key = `q_${shortObis(column.obis).replaceAll('.', '_')}`;
  if (key in en) return t(key as Key);
  return column.name ? plainName(column.name) : column.obis;
}

/** Rows that are shown; all of them are in the store. */
const MOST = 200;

export function ResultTable({ result, zone }: { result: ReadResult; zone: string }): ReactNode {
  const { t, format } = useDesk();
  const at = (time: string) => format.instant(Date.parse(time), zone);
  const nameOf = (column: { readonly obis: string; readonly name: string }) => nameIn(t, column);
  const columns: string[] = [];
  const rows: string[][] = [];
  if (result.registers) {
    columns.push(t('name'), t('value'), t('unit'), 'OBIS', t('time'));
    for (const one of result.registers) rows.push([nameOf(one), one.value, one.unit ?? '', one.obis, at(one.time)]);
  } else if (result.profile) {
    columns.push(t('time'), ...result.profile.columns.map((one) => `${nameOf(one)}${one.unit ? `, ${one.unit}` : ''}`));
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
