/** What became of everything that came in, as a sentence for a person or an object for a program. */
import type { UplinkReport } from './uplinks/uplink.ts';

export interface Counts {
  files: number;
  /** Bytes of the line, hex text counted as the bytes it stands for. */
  bytes: number;
  good: number;
  /** Frames that no key opened, by reason; they are not lost, uplinks carry them. */
  readonly closed: Record<string, number>;
  /** Refused frames by reason. */
  readonly dropped: Record<string, number>;
  /** Bytes between frames. */
  noise: number;
  /** Good messages by flag. */
  readonly flags: Record<string, number>;
}

export const newCounts = (): Counts => ({ files: 0, bytes: 0, good: 0, closed: {}, dropped: {}, noise: 0, flags: {} });

export const add = (record: Record<string, number>, key: string, n = 1): void => {
  record[key] = (record[key] ?? 0) + n;
};

const WORDS: Record<string, string> = {
  fcs: 'check sum wrong',
  hcs: 'header check sum wrong',
  length: 'impossible length',
  address: 'impossible address',
  truncated: 'cut short',
  checksum: 'check sum wrong',
  bcc: 'check character wrong',
  parity: 'parity wrong',
  noAnswer: 'no answer',
  noData: 'nothing to say',
  refused: 'the meter refused',
  tag: 'authentication failed',
  noKey: 'no key',
  wrongKey: 'wrong key',
  message: 'no message of this version',
  overrun: 'came faster than they could be taken',
};

const total = (record: Record<string, number>): number => Object.values(record).reduce((a, b) => a + b, 0);
const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
const byReason = (record: Record<string, number>): string =>
  Object.entries(record)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, n]) => `${n} ${WORDS[reason] ?? reason}`)
    .join(', ');

/** `kept`: what was not delivered is on disk. */
export function countersText(counts: Counts, uplinks: readonly UplinkReport[], kept = false): string {
  const parts = [
    `${count(counts.good, 'good message')} from ${count(counts.bytes, 'byte')}${counts.files > 1 ? ` of ${counts.files} files` : ''}`,
  ];
  const dropped = total(counts.dropped);
  if (dropped > 0) parts.push(`${count(dropped, 'frame')} refused (${byReason(counts.dropped)})`);
  const closed = total(counts.closed);
  if (closed > 0) parts.push(`${count(closed, 'frame')} not opened (${byReason(counts.closed)})`);
  if (counts.noise > 0) parts.push(`${count(counts.noise, 'byte')} of noise`);
  const lines = [`${parts.join('; ')}.`];
  for (const u of uplinks) {
    const more = [
      u.waiting > 0 ? `${u.waiting} NOT delivered${kept ? ' yet (kept in the spool)' : ''}` : '',
      u.refused > 0 ? `${u.refused} refused` : '',
      u.lost > 0 ? `${u.lost} lost because its queue was full` : '',
    ].filter(Boolean);
    lines.push(
      `${u.name}: ${u.delivered} delivered${more.length > 0 ? `, ${more.join(', ')}` : ''}${u.fault && u.waiting > 0 ? ` (${u.fault.replace(`${u.name}: `, '')})` : ''}.`,
    );
  }
  return lines.join('\n');
}

export function countersJson(counts: Counts, uplinks: readonly UplinkReport[]): string {
  return JSON.stringify({ ...counts, uplinks });
}
