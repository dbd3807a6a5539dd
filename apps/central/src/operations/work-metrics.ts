/** What waits in the queue of work, and what each worker had of it: out of the database, so the same from whichever process is asked. */
import type { MetricSource } from '@amiable/model';
import type { Store } from '@amiable/store';

const COUNTED = {
  leases: 'Leases taken.',
  meters: 'Meters leased.',
  conflicts: 'Times that a worker had to wait for another, or met locked meters.',
  finished: 'Outcomes of jobs taken.',
  refused: 'Outcomes refused, as another worker had the meter by then.',
  lost: 'Leases that ended without a word of their worker.',
} as const;

export async function workMetrics({ work }: Pick<Store, 'work'>, now: number): Promise<MetricSource> {
  const [ways, workers] = await Promise.all([work.channels.use(now), work.workers()]);
  return (add) => {
    const sum = (of: (way: (typeof ways)[number]) => number): number => ways.reduce((all, way) => all + of(way), 0);
    add(
      'amiable_work_meters',
      'gauge',
      'Meters with open jobs.',
      sum((way) => way.meters),
    );
    add(
      'amiable_work_queued',
      'gauge',
      'Meters that could be called now.',
      sum((way) => way.queued),
    );
    add(
      'amiable_work_leased',
      'gauge',
      'Meters that workers hold.',
      sum((way) => way.leased),
    );
    for (const [name, help] of Object.entries(COUNTED))
      for (const one of workers)
        add(`amiable_work_${name}_total`, 'counter', help, one[name as keyof typeof COUNTED], { worker: one.worker });
  };
}
