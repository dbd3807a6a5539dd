/**
 * How fast lines of a wireless M-Bus receiver become canonical JSON, on one core: line, frame, deciphering, records, names, base
 * units, exact decimals, id and JSON text. The lines are those of rtl_wmbus, which sticks and peers know.
 *
 * Telegrams of five real meters are taken apart and sent again with other access numbers and values, so that nobody reads the same
 * octets twice. They stand in ../shared/data (their licence keeps them out of the repository); without it only made ones are read.
 * The peer is measured in the same run when AMIABLE_PEER_WMBUSMETERS names its program: the same lines on its standard input,
 * one meter, JSON out. Both are measured in processor time, start-up taken off, for both run on a machine that does other things.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DecodeError, fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import {
  createWmbusDecoder,
  decodeRecords,
  encodeRecords,
  encodeTelegram,
  type MbusCrypto,
  openTelegram,
  softwareAes,
  type WirelessSecurity,
} from '@amiable/mbus';
import { type Message, messageToJson } from '@amiable/model';
import type { Figure } from './figure.ts';

const FILE = new URL('../../../shared/data/wmbus/telegrams.jsonl', import.meta.url);
const PEER = 'wmbusmeters';
const NO_KEY = 'NOKEY';
/** By the driver that the peer reads them with, and what it is. */
const CASES: readonly (readonly [string, string])[] = [
  ['iperl', 'a water meter, plain'],
  ['kaden', 'a heat cost allocator, security mode 5'],
  ['amiplus', 'an electricity meter, plain behind mode 5'],
  ['sensostar', 'a heat meter with 26 stored values, plain'],
];

interface Sample {
  readonly driver: string;
  readonly title: string;
  readonly id: string;
  readonly key: string | undefined;
  readonly lines: Uint8Array;
  readonly count: number;
  readonly size: number;
}

export async function benchWmbus({ smoke = false }: { smoke?: boolean } = {}): Promise<Figure[]> {
  const figures: Figure[] = [];
  const count = smoke ? 200 : 20_000;
  for (const sample of samples(count)) {
    const ours = rate(sample, nodeCrypto, smoke);
    const theirs = peerRate(sample);
    const name = `wireless M-Bus: ${sample.title} (${sample.size} B), line to JSON`;
    figures.push({ name, value: ours, unit: 'telegrams/s', ...(theirs && { peer: PEER, ratio: ours / theirs }) });
    if (theirs) figures.push({ name: `  ${PEER} on it`, value: theirs, unit: 'telegrams/s' });
    if (sample.key)
      figures.push({
        name: '  the same with AES in software',
        value: rate(sample, softwareAes, smoke),
        unit: 'telegrams/s',
        ...(theirs && { peer: PEER, ratio: rate(sample, softwareAes, smoke) / theirs }),
      });
  }
  return figures;
}

function* samples(count: number): Generator<Sample> {
  const records = encodeRecords([
    { vif: [0x13], data: { type: 'integer', octets: 4, value: 7704 } },
    { vif: [0x3b], data: { type: 'integer', octets: 2, value: 0 } },
    { vif: [0x6d], data: { type: 'dateTime', value: '2026-05-31T23:50' } },
  ]);
  const meter = { identification: '12345678', manufacturer: 'SEN', version: 0x68, medium: 7 };
  yield made('iperl', 'a made water meter, plain', meter, records, { mode: 'none' }, undefined, count);
  if (!existsSync(FILE)) return;
  const all = readFileSync(FILE, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Telegram);
  for (const [driver, title] of CASES) {
    const found = all.find((t) => t.driver === driver);
    if (!found) continue;
    const key = found.key ? fromHex(found.key) : undefined;
    const t = openTelegram(fromHex(found.telegram), { keys: { candidates: () => (key ? [key] : []) } });
    const { identification, manufacturer, version, medium } = t;
    const security: WirelessSecurity = key ? { mode: 5, key } : { mode: 'none' };
    const address = { identification, manufacturer, version, medium };
    yield made(driver, title, address, t.bytes.slice(t.start), security, found.key ?? undefined, count);
  }
}

interface Telegram {
  readonly driver: string;
  readonly key: string | null;
  readonly telegram: string;
}

function made(
  driver: string,
  title: string,
  meter: { identification: string; manufacturer: string; version: number; medium: number },
  records: Uint8Array,
  security: WirelessSecurity,
  key: string | undefined,
  count: number,
): Sample {
  const first = firstValue(records);
  const begins = records[0] === 0x2f && records[1] === 0x2f && security.mode !== 'none' ? 2 : 0;
  const out: string[] = [];
  let size = 0;
  for (let i = 0; i < count; i++) {
    const varied = records.slice(begins);
    if (first >= begins) varied[first - begins] = i & 0x7f;
    const frame = encodeTelegram({ meter, accessNumber: i & 0xff, records: varied, security });
    size = frame.length;
    out.push(`T1;1;1;2026-11-20 12:00:00.000;97;148;${meter.identification};0x${toHex(frame)}\n`);
  }
  const lines = new TextEncoder().encode(out.join(''));
  return { driver, title, id: meter.identification, key, lines, count, size };
}

/** Where the lowest octet of the first integer of two to four octets stands. */
function firstValue(records: Uint8Array): number {
  try {
    for (const r of decodeRecords(records, 0, records.length).records) {
      const octets = r.dif & 0x0f;
      if (octets >= 2 && octets <= 4) return r.offset + r.length - octets;
    }
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
  }
  return -1;
}

const CHUNK = 1 << 16;

/** Telegrams in a second of processor time. */
function rate(sample: Sample, crypto: MbusCrypto, smoke: boolean): number {
  let best = 0;
  for (let round = 0; round < (smoke ? 1 : 5); round++) {
    let good = 0;
    let length = 0;
    const keys = sample.key ? [fromHex(sample.key)] : [];
    const decoder = createWmbusDecoder(
      { reader: 'bench', port: 'mbus0', now: Date.now, crypto, keys: { candidates: () => keys } },
      {
        message(m: Message) {
          if (m.error) throw new Error(`a telegram was not read: ${m.error.reason}`);
          good++;
          length += messageToJson(m).length;
        },
        drop(d) {
          throw new Error(`a telegram was dropped: ${d.reason}`);
        },
      },
    );
    const before = process.cpuUsage();
    for (let at = 0; at < sample.lines.length; at += CHUNK) decoder.push(sample.lines.subarray(at, at + CHUNK));
    decoder.end();
    const { user, system } = process.cpuUsage(before);
    if (good !== sample.count || length === 0) throw new Error(`${good} of ${sample.count} telegrams came out`);
    best = Math.max(best, (good / (user + system)) * 1e6);
  }
  return best;
}

/** The same of the peer: the time for all lines less that for one. */
function peerRate(sample: Sample): number | undefined {
  const program = process.env.AMIABLE_PEER_WMBUSMETERS;
  if (!program) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bench-wmbus-'));
  try {
    const all = join(folder, 'all.txt');
    const one = join(folder, 'one.txt');
    writeFileSync(all, sample.lines);
    writeFileSync(one, sample.lines.subarray(0, sample.lines.indexOf(10) + 1));
    const took = processorTime(program, sample, all, sample.count) - processorTime(program, sample, one, 1);
    return (sample.count - 1) / took;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Seconds, user and system. */
function processorTime(program: string, { driver, id, key }: Sample, file: string, count: number): number {
  const words = [
    program,
    '--format=json',
    '--ignoreduplicates=false',
    'stdin:rtlwmbus',
    'Bench',
    driver,
    id,
    key ?? NO_KEY,
  ];
  const script = `TIMEFORMAT='%U %S'; time ("$@" < "${file}" > "${file}.out" 2>/dev/null)`;
  const ran = spawnSync('bash', ['-c', script, 'bench', ...words], { encoding: 'utf8' });
  const [user = Number.NaN, system = Number.NaN] =
    ran.stderr.trim().split('\n').slice(-1)[0]?.split(' ').map(Number) ?? [];
  const printed = readFileSync(`${file}.out`, 'utf8').split('"_"').length - 1;
  if (printed < count || !(user >= 0))
    throw new Error(`AMIABLE_PEER_WMBUSMETERS=${program}: ${printed} of ${count} telegrams came out of it`);
  return user + system;
}
