/** Every case of the data folder, where it stands: values as the case says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decimal, type Message } from '@amiable/model';
import { describe, expect, test } from 'vitest';
import { createReadoutDecoder } from '../src/index.ts';

const FOLDERS = [
  new URL('../../../vectors/iec62056-21/', import.meta.url).pathname,
  new URL('../../../../shared/data/iec62056-21/', import.meta.url).pathname,
];
const BASE: Record<string, number> = { kWh: 1000, MWh: 1e6, kW: 1000, kvar: 1000, kvarh: 1000, GJ: 1e9 };

interface Expected {
  readonly kind: string;
  readonly objects: readonly { address: string; values: readonly { raw: string; num?: number; unit?: string }[] }[];
}

function read(bytes: Uint8Array, bad: boolean): Message[] {
  const messages: Message[] = [];
  const decoder = createReadoutDecoder(
    { reader: 'test', port: 'd0', now: () => 0, bad },
    { message: (m) => void messages.push(m), drop: () => {} },
  );
  decoder.push(bytes);
  decoder.end();
  return messages;
}

for (const folder of FOLDERS.filter((path) => existsSync(path))) {
  const cases = readdirSync(folder).filter((name) => name.endsWith('.expected.json'));
  describe(folder.includes('shared') ? 'data folder' : 'vectors', () => {
    test.each(cases)('%s', (name) => {
      const expected = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Expected;
      const bytes = new Uint8Array(readFileSync(join(folder, name.replace('.expected.json', '.txt'))));
      const messages = read(bytes, expected.kind === 'bcc_bad');
      expect(messages.length).toBeGreaterThan(0);
      if (expected.kind !== 'bcc_bad') expect(messages.every((m) => m.error === undefined)).toBe(true);
      const got = messages.flatMap((m) =>
        m.items.map((item, i) => ({ ...item, value: m.values[i] as number | bigint | string })),
      );
      for (const { address, values } of expected.objects) {
        for (const { raw, num, unit } of values) {
          if (raw === '') continue;
          const here = got.filter((r) => r.address === address);
          const texts = here.map((r) => (typeof r.value === 'string' ? r.value : decimal(r.value, r.scaler)));
          if (num === undefined) expect(texts.join(' '), address).toContain(raw);
          else expect(texts.map(Number), address).toContainEqual(num * (BASE[unit ?? ''] ?? 1));
        }
      }
    });
  });
}
