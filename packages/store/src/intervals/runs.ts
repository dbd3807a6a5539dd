/**
 * When values came to a day that was there already: runs of 20 bytes, as `amiable.arrival` keeps them. A run also says which change
 * was the last before it, so that arrivals and changes of one value stay in order, whatever the clock said.
 */

export interface ArrivalRun {
  /** Epoch ms. */
  readonly at: number;
  /** The highest change_log.id before. */
  readonly after: number;
  /** First and last time, ms of the day. */
  readonly from: number;
  readonly to: number;
}

const BYTES = 20;

/**
 * Times that came together, as runs: neighbours are joined where nothing else stands between them.
 * @param all every time of the day as it is now, rising; `arrived` are some of them
 */
export function packRuns(arrived: readonly number[], all: ArrayLike<number>, at: number, after: number): Buffer {
  const runs: [number, number][] = [];
  let i = 0;
  let place = -2;
  for (const time of arrived) {
    while (i < all.length && (all[i] as number) < time) i++;
    const last = runs.at(-1);
    if (last && i === place + 1) last[1] = time;
    else runs.push([time, time]);
    place = i;
  }
  const out = Buffer.alloc(runs.length * BYTES);
  runs.forEach(([from, to], k) => {
    out.writeUIntBE(at, k * BYTES, 6);
    out.writeUIntBE(after, k * BYTES + 6, 6);
    out.writeUInt32BE(from, k * BYTES + 12);
    out.writeUInt32BE(to, k * BYTES + 16);
  });
  return out;
}

/** The newest first, as they are taken back. */
export function unpackRuns(packed: Buffer): ArrivalRun[] {
  const runs: ArrivalRun[] = [];
  for (let k = 0; k + BYTES <= packed.length; k += BYTES)
    runs.push({
      at: packed.readUIntBE(k, 6),
      after: packed.readUIntBE(k + 6, 6),
      from: packed.readUInt32BE(k + 12),
      to: packed.readUInt32BE(k + 16),
    });
  return runs.reverse();
}
