/** Edits that stand: what nothing but another edit undoes. */
import type { Client } from '../pg/database.ts';
import { intervalSql } from '../sql/intervals.ts';
import type { MeterId } from '../types.ts';

type State = 'value' | 'gone' | undefined;

export interface Standing {
  /** Of a time in epoch ms; undefined where the metering has no edits. */
  of(meter: MeterId, register: number): ((time: number) => State) | undefined;
}

interface EditRow {
  readonly meter: MeterId;
  readonly register: number;
  readonly from_ms: string;
  readonly to_ms: string;
  readonly mantissas: readonly (string | null)[];
}

export async function standingEdits(
  client: Client,
  meters: readonly MeterId[],
  registers: readonly number[],
  from: number,
  to: number,
): Promise<Standing> {
  const { rows } = await client.query(intervalSql.standing, [
    meters,
    registers,
    new Date(from).toISOString(),
    new Date(to).toISOString(),
  ]);
  const found = new Map<string, EditRow[]>();
  for (const row of rows as EditRow[]) {
    const key = `${row.meter} ${row.register}`;
    const list = found.get(key);
    if (list) list.push(row);
    else found.set(key, [row]);
  }
  return {
    of(meter, register) {
      const edits = found.get(`${meter} ${register}`);
      return edits && ((time) => stateOf(edits, time));
    },
  };
}

/** By the last edit of the time. */
function stateOf(edits: readonly EditRow[], time: number): State {
  for (let k = edits.length - 1; k >= 0; k--) {
    const { from_ms, to_ms, mantissas } = edits[k] as EditRow;
    const from = Number(from_ms);
    const to = Number(to_ms);
    if (time < from || time >= to) continue;
    const place = mantissas.length === 1 ? 0 : Math.floor(((time - from) / (to - from)) * mantissas.length);
    return mantissas[place] === null ? 'gone' : 'value';
  }
  return undefined;
}
