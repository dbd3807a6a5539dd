/** Telegrams of real meters, where their folder stands: their licence keeps them out of this repository. */
import { existsSync, readFileSync } from 'node:fs';
import { fromHex } from '@amiable/bytes';
import type { Message } from '@amiable/model';
import { describe, expect, it } from 'vitest';
import { createMbusDecoder, createWmbusDecoder, explainWireless, framesOfLine } from '../src/index.ts';

const FILE = new URL('../../../../shared/data/wmbus/telegrams.jsonl', import.meta.url).pathname;

interface Case {
  readonly driver: string;
  readonly key: string | null;
  readonly telegram: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** What the expected values' units may be to ours. */
const FACTORS = [1, 1000, 1e6, 3.6e6, 3600, 1e9, 0.001];

function same(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-4 * Math.max(Math.abs(a), Math.abs(b));
}

function decode(c: Case): Message[] {
  const messages: Message[] = [];
  const key = c.key ? [fromHex(c.key)] : [];
  const options = { reader: 'r', port: 'p', now: () => 0, keys: { candidates: () => key } };
  const sink = { message: (m: Message) => void messages.push(m), drop() {} };
  const wired = createMbusDecoder(options, sink);
  const wireless = createWmbusDecoder(options, sink);
  for (const { bytes } of framesOfLine(c.telegram) ?? []) {
    if (bytes[0] === 0x68 && bytes[3] === 0x68) wired.push(bytes);
    else {
      wireless.frame(bytes);
      explainWireless(bytes, options);
    }
  }
  return messages;
}

describe.skipIf(!existsSync(FILE))('telegrams of real meters', () => {
  const cases = existsSync(FILE)
    ? readFileSync(FILE, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Case)
    : [];

  it('are all opened and read, and nearly all give every value that others found in them', () => {
    let complete = 0;
    for (const c of cases) {
      const messages = decode(c);
      expect(messages.filter((m) => m.error === undefined).length, c.telegram).toBeGreaterThan(0);
      const got = messages.flatMap((m) =>
        m.values.map((value, i) =>
          typeof value === 'string' ? Number.NaN : Number(value) * 10 ** (m.items[i]?.scaler ?? 0),
        ),
      );
      const wanted = Object.entries(c.expected).filter(([name, value]) => typeof value === 'number' && name !== 'id');
      const missing = wanted.filter(
        ([, value]) => value !== 0 && !got.some((g) => FACTORS.some((f) => same(g, (value as number) * f))),
      );
      if (missing.length <= 0.2 * Math.max(1, wanted.length)) complete++;
    }
    expect(complete / cases.length).toBeGreaterThanOrEqual(0.95);
  });
});
