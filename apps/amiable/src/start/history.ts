/** `--history`: writes the street's past straight into day-blocks, as the retention policy would have left it. */
import { history, type Street } from '@amiable/simulator';
import type { MeterId, SeriesData, Store } from '@amiable/store';

/** Series held in memory before they are written. */
const BATCH = 64;

export interface HistoryTask {
  readonly street: Street;
  readonly ids: ReadonlyMap<string, MeterId>;
  readonly store: Store;
  readonly from: number;
  readonly to: number;
}

export async function writeHistory({ street, ids, store, from, to }: HistoryTask): Promise<void> {
  const meters = street.meters.filter((meter) => meter.han);
  const begun = Date.now();
  const bar = process.stderr.isTTY;
  const tell = (done: number): void => {
    if (!bar) return;
    const width = 30;
    const full = Math.round((done / meters.length) * width);
    process.stderr.write(
      `\rwriting the past  ${'█'.repeat(full)}${'░'.repeat(width - full)}  ${done} of ${meters.length} houses`,
    );
  };
  let values = 0;
  let pending: Promise<unknown> = Promise.resolve();
  for (const [i, meter] of meters.entries()) {
    tell(i);
    let batch: SeriesData[] = [];
    const flush = async (): Promise<void> => {
      const series = batch;
      batch = [];
      // One batch is written while the next is worked out.
      await pending;
      pending = store.writeBlocks(series, { source: 'simulated history' }).then((r) => {
        values += r.values;
      });
      pending.catch(() => {});
    };
    for (const series of history(meter.han as NonNullable<typeof meter.han>, from, to)) {
      batch.push({ meter: ids.get(meter.serial) as MeterId, ...series });
      if (batch.length >= BATCH) await flush();
    }
    await flush();
  }
  await pending;
  tell(meters.length);
  if (bar) process.stderr.write('\n');
  process.stderr.write(
    `wrote ${values.toLocaleString('en')} values of the past in ${((Date.now() - begun) / 1000).toFixed(1)} s\n`,
  );
}
