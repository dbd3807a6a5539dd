/**
 * Ids of transactions: 63-bit numbers in order of time that programs make by themselves. 41 bits of milliseconds since 2020
 * (to 2089), 12 bits of writer, 10 bits of a running number. The writer's number comes from the database, so no two programs
 * that run at once have the same.
 *
 * Decides: an id is never given twice, also when the clock is set back or more than 1,024 are made in a millisecond: then the
 * time in the id runs ahead.
 */
export const ID_EPOCH = Date.UTC(2020, 0, 1);

/** @param clock real time, epoch ms */
export function createIds(writer: number, clock: () => number): () => bigint {
  const low = BigInt(writer & 4095) << 10n;
  let last = 0;
  let sequence = 0;
  return () => {
    const now = Math.max(0, Math.floor(clock()) - ID_EPOCH);
    if (now > last) {
      last = now;
      sequence = 0;
    } else if (++sequence > 1023) {
      last++;
      sequence = 0;
    }
    return (BigInt(last) << 22n) | low | BigInt(sequence);
  };
}

/** The first id of a moment. */
export const firstId = (time: number): bigint => BigInt(Math.max(0, Math.floor(time) - ID_EPOCH)) << 22n;

/** When an id was made, epoch ms. */
export const timeOfId = (id: string | bigint): number => Number(BigInt(id) >> 22n) + ID_EPOCH;
