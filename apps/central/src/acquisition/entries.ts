/**
 * What a reading leaves in the transaction log (AMI system description §5.2.5): an entry of the meter for each run that it is read for, one of the
 * association below the first of them, and APDUs below that where a job wants them.
 *
 * Decides: words; that nothing of an address or a secret stands in them. Leaves out: how APDUs are made harmless (package meter).
 */
import { type AcquireResult, apduDetail, type SessionTrace } from '@amiable/meter';
import type { Connection, Journal } from '@amiable/store';
import type { ReadTask } from './read-one.ts';

export interface ReadingLog {
  /** One for each run; the first is the parent of the association. To be ended by the caller. */
  meter(started: number): string[];
  association<T extends readonly [AcquireResult, ...unknown[]]>(
    parent: string | undefined,
    connection: Connection,
    use: (association: string) => Promise<T>,
  ): Promise<T>;
  /** Undefined where no job wants them. */
  apdus(parent: string): ((trace: SessionTrace) => void) | undefined;
}

/** How one associates, without where and with what secrets. */
const wordsOf = ({ protocol, referencing = 'LN', transport, client, authentication, ciphered }: Connection): string =>
  protocol === 'dlms'
    ? `DLMS over ${transport}, ${referencing}${client === undefined ? '' : `, client ${client}`}, ${authentication ?? 'no'} log-in${ciphered ? ', ciphered' : ''}`
    : 'IEC 62056-21';

export function logOf(journal: Journal, now: () => number, { leased, target }: ReadTask): ReadingLog {
  const { meter, jobs } = leased;
  return {
    meter(started) {
      const runs = new Map(jobs.map((job) => [job.transaction, job]));
      return [...runs].map(([parent, { run }]) =>
        journal.begin({
          kind: 'meter',
          ...(parent !== '' && { parent }),
          run,
          meter,
          started,
          text: `${target.serial}: ${jobs.map(({ kind }) => kind).join(', ')}`,
        }),
      );
    },
    async association(parent, connection, use) {
      const run = jobs[0]?.run;
      const id = journal.begin({
        kind: 'association',
        ...(parent !== undefined && { parent }),
        ...(run !== undefined && { run }),
        meter,
        started: now(),
        text: wordsOf(connection),
      });
      try {
        const answer = await use(id);
        const [{ outcome, requests, error }] = answer;
        const state = outcome === 'done' || outcome === 'partial' ? outcome : 'failed';
        journal.end(id, { ended: now(), state, detail: { requests, ...(error && { reason: error.message }) } });
        return answer;
      } catch (error) {
        journal.end(id, { ended: now(), state: 'failed', detail: { reason: (error as Error).message } });
        throw error;
      }
    },
    apdus(parent) {
      if (!jobs.some(({ parameters }) => parameters.apdus === true)) return undefined;
      return ({ direction, apdu, plain }) => {
        const at = now();
        journal.add({
          kind: 'apdu',
          parent,
          meter,
          started: at,
          ended: at,
          state: 'done',
          text: `${direction === 'out' ? 'to' : 'from'} the meter: ${apdu.length} bytes`,
          detail: apduDetail(direction === 'out' ? 'sent' : 'received', plain ?? apdu, plain && apdu),
        });
      };
    },
  };
}
