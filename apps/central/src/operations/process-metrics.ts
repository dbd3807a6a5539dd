/** What every process of ours tells of itself to Prometheus, by the names that its own libraries use. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricSource } from '@amiable/model';

const delay = monitorEventLoopDelay({ resolution: 20 });
delay.enable();

export const processMetrics: MetricSource = (add) => {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  add('process_cpu_seconds_total', 'counter', 'Processor time, user and system.', (user + system) / 1e6);
  add('process_resident_memory_bytes', 'gauge', 'Resident memory.', rss);
  add('nodejs_heap_size_used_bytes', 'gauge', 'Heap in use.', heapUsed);
  add('process_start_time_seconds', 'gauge', 'When it was started.', Math.round(Date.now() / 1000 - process.uptime()));
  // Of the time since the last scrape; NaN before anything was measured.
  const late = delay.percentile(99) / 1e9;
  add('nodejs_eventloop_lag_p99_seconds', 'gauge', 'How late the program came to what was due, 99th percentile.', late);
  delay.reset();
};
