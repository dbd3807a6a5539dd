/** What waits to be written to the transaction log, and what was lost of it. */
import type { MetricSource } from '@amiable/model';
import type { Store } from '@amiable/store';

export function journalMetrics(journal: Pick<Store['journal'], 'waiting' | 'lost'>): MetricSource {
  return (add) => {
    add(
      'amiable_journal_waiting',
      'gauge',
      'Entries of the transaction log that wait for the database.',
      journal.waiting,
    );
    add('amiable_journal_lost_total', 'counter', 'Entries lost, as the database was away too long.', journal.lost);
  };
}
