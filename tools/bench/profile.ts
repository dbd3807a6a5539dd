/**
 * How fast the buffer of a load profile becomes columns, on one core: a clock and four registers, 96 rows, one day of
 * quarters. The same bytes every time, so that another library can be given them:
 *
 *     npx tsx tools/bench/profile.ts --hex        the GET response, one response a line
 *     npx tsx tools/bench/profile.ts --hex --null with null-data
 *
 * Beside it the generic way through the same bytes, which is what the fast way is tested against.
 */
import { pathToFileURL } from 'node:url';
import { toHex } from '@amiable/bytes';
import { type ProfileColumn, readProfile, writeProfileRows } from '@amiable/cosem';
import { type Data, dateTimeBytes, dateTimeOf } from '@amiable/dlms';
import type { Figure } from './figure.ts';

const ROWS = 96;
const REGISTERS = ['1-0:1.8.0', '1-0:2.8.0', '1-0:3.8.0', '1-0:4.8.0'] as const;
const PERIOD = 900;
const ROUND_MS = 10;
/** Get-response-normal, invoke 1, high priority and confirmed, data. */
const HEAD = [0xc4, 0x01, 0xc1, 0x00];

export const PROFILE_COLUMNS: readonly ProfileColumn[] = [
  { classId: 8, logicalName: '0-0:1.0.0', attribute: 2, dataIndex: 0 },
  ...REGISTERS.map((logicalName) => ({ classId: 3, logicalName, attribute: 2, dataIndex: 0 })),
];

/** Day `day` of the meter: 96 rows whose registers grow unevenly but always alike. */
export function profileBuffer(day: number, nullData = false): Uint8Array {
  const start = Date.UTC(2026, 0, 1) + day * 86_400_000;
  let seed = 0x2545f491 ^ day;
  const registers = [12_345_678, 2_345_678, 345_678, 45_678];
  const rows: Data[][] = [];
  for (let row = 0; row < ROWS; row++) {
    const time = dateTimeOf(start + row * PERIOD * 1000, { deviation: -60, status: 0 });
    const cells: Data[] = [{ type: 'octet-string', value: dateTimeBytes(time) }];
    for (let r = 0; r < registers.length; r++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      // Two of the registers stand still most of the time, as those of export and reactive energy do.
      registers[r] = (registers[r] as number) + (r < 2 || seed % 16 === 0 ? (seed >> 8) % 500 : 0);
      cells.push({ type: 'double-long-unsigned', value: registers[r] as number });
    }
    rows.push(cells);
  }
  return writeProfileRows(rows, { nullData, clock: 0, capturePeriod: PERIOD });
}

/** The whole response as an APDU. */
export function profileResponse(day: number, nullData = false): Uint8Array {
  return Uint8Array.of(...HEAD, ...profileBuffer(day, nullData));
}

/** Best of many short rounds: what else runs on the machine only makes a round slower. */
function best(buffers: readonly Uint8Array[], rounds: number, generic: boolean): number {
  let fastest = 0;
  let sum = 0;
  for (let r = 0; r < rounds; r++) {
    let n = 0;
    let took = 0;
    const start = performance.now();
    do {
      for (const buffer of buffers) {
        const profile = readProfile(buffer, PROFILE_COLUMNS, { capturePeriod: PERIOD, generic });
        sum += profile.rows;
        n++;
      }
      took = performance.now() - start;
    } while (took < ROUND_MS);
    fastest = Math.max(fastest, (n / took) * 1000);
  }
  if (sum % ROWS !== 0) throw new Error('a profile was not read whole');
  return fastest;
}

export async function benchProfile({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const rounds = smoke ? 2 : 150;
  const values = ROWS * PROFILE_COLUMNS.length;
  const figures: Figure[] = [];
  for (const nullData of [false, true]) {
    const buffers = Array.from({ length: 32 }, (_, day) => profileBuffer(day, nullData));
    const size = Math.round(buffers.reduce((sum, b) => sum + b.length, 0) / buffers.length);
    const what = `profile: clock and 4 registers × 96 rows${nullData ? ', null-data' : ''} (${size} B)`;
    const rate = best(buffers, rounds, false);
    figures.push(
      { name: `${what} to columns`, value: rate * values, unit: 'values/s' },
      { name: `${what}, one response`, value: 1e6 / rate, unit: 'µs' },
      { name: `${what}, value by value`, value: 1e6 / best(buffers, Math.ceil(rounds / 5), true), unit: 'µs' },
    );
  }
  return figures;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href && process.argv.includes('--hex'))
  for (let day = 0; day < 32; day++)
    process.stdout.write(`${toHex(profileResponse(day, process.argv.includes('--null')))}\n`);
