/** What the scheduler and the queue count, for GET /metrics: of this process, as nothing is asked of the database for it. */
import type { MetricSource } from '@amiable/model';
import type { Scheduler } from './scheduler.ts';

export const schedulerMetrics =
  (scheduler: Pick<Scheduler, 'counts'>): MetricSource =>
  (add) => {
    const { turns, failures, runs, lost } = scheduler.counts;
    add('amiable_scheduler_turns_total', 'counter', 'Times that the scheduler looked what is due.', turns);
    add('amiable_scheduler_failures_total', 'counter', 'Turns that broke off, as the database was away.', failures);
    add('amiable_scheduler_runs_total', 'counter', 'Runs made by schedules.', runs);
    add('amiable_scheduler_overtaken_total', 'counter', 'Occurrences that another process dealt with first.', lost);
  };
