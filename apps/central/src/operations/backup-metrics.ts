/** How the backups fare, for Prometheus: an alarm wants the age of the last one whose restore was tried. */
import type { MetricSource } from '@amiable/model';
import type { Backups } from './backups.ts';

export function backupMetrics(backups: Backups, now: () => number): MetricSource {
  return (add) => {
    const { last, checked } = backups.newest;
    const age = (at: number): number => Math.max(0, Math.round((now() - at) / 1000));
    if (last !== undefined) add('amiable_backup_age_seconds', 'gauge', 'Since the last backup.', age(last));
    if (checked !== undefined)
      add(
        'amiable_backup_checked_age_seconds',
        'gauge',
        'Since the last backup whose restore was tried and good.',
        age(checked),
      );
    add(
      'amiable_backup_failed',
      'gauge',
      'Whether the last backup or its check failed.',
      backups.fault === undefined ? 0 : 1,
    );
  };
}
