/** The same data as a table, for those who read rather than look; built only when opened. */
import '../style/table.css';
import { type ReactNode, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';

const MOST = 400;

export interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly count: number;
  row(index: number): readonly string[];
}

export function DataTable({ caption, columns, count, row }: TableProps): ReactNode {
  const { t } = useSpeech();
  const [open, setOpen] = useState(false);
  const shown = Math.min(count, MOST);
  return (
    <details className="as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('asTable')}</summary>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must scroll by keyboard
        <section className="table-scroll" tabIndex={0} aria-label={caption}>
          <table>
            <caption className="unseen">{caption}</caption>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {Array.from({ length: shown }, (_, i) => row(i)).map((cells, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows of a table of values have no other name
                <tr key={i}>
                  {cells.map((cell, column) =>
                    column === 0 ? (
                      <th key={columns[column]} scope="row">
                        {cell}
                      </th>
                    ) : (
                      <td key={columns[column]}>{cell}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
          {count > shown && <p>{t('tableCut', { n: shown, all: count })}</p>}
        </section>
      )}
    </details>
  );
}
