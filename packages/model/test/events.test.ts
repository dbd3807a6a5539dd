import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withTables } from '../../../tools/event-docs.ts';
import {
  CATALOGUE,
  EVENT_CATEGORIES,
  EVENT_SOURCES,
  eventOf,
  eventsOfMbusStatus,
  eventsOfStatusWord,
} from '../src/events/index.ts';

describe('the catalogue of events', () => {
  it('says each word once, and ends only what begins', () => {
    for (const [word, entry] of CATALOGUE) {
      expect(entry.event).toBe(word);
      expect(word).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(EVENT_CATEGORIES).toContain(entry.category);
      for (const ended of entry.ends ?? [])
        expect(CATALOGUE.get(ended), `${word} ends ${ended}`).toMatchObject({ begins: true });
    }
    for (const category of EVENT_CATEGORIES)
      expect(
        [...CATALOGUE.values()].some((entry) => entry.category === category),
        category,
      ).toBe(true);
  });

  it('is what every number leads to', () => {
    for (const [source, numbers] of Object.entries(EVENT_SOURCES))
      for (const [code, word] of Object.entries(numbers)) {
        expect(CATALOGUE.has(word), `${source} ${code}: ${word}`).toBe(true);
        expect(eventOf(source, Number(code)).event).toBe(word);
      }
  });

  it('knows what the companion specifications number', () => {
    expect(eventOf('dlms', 1).event).toBe('power-down');
    expect(eventOf('dlms', 62).event).toBe('disconnected');
    expect(eventOf('dlms', 78)).toMatchObject({ event: 'undervoltage-l3', phase: 3 });
    expect(eventOf('dlms', 86).ends).toContain('overvoltage-l2');
    expect(eventOf('dlms', 131)).toMatchObject({ event: 'slave-back-4', channel: 4 });
  });

  it('gives unknown for what is in none', () => {
    for (const [source, code] of [
      ['dlms', 39],
      ['dlms', -1],
      ['nobody', 1],
      ['__proto__', 1],
      ['dlms', 1.5],
    ] as const)
      expect(eventOf(source, code).event).toBe('unknown');
  });

  it('takes status words apart', () => {
    expect(eventsOfStatusWord(0x80a0).map((bit) => eventOf('p98', bit).event)).toEqual([
      'clock-adjusted',
      'power-down',
      'unknown',
    ]);
    expect(eventsOfStatusWord(0xffffffff)).toHaveLength(32);
    expect(eventsOfMbusStatus(0b111).map((code) => eventOf('mbus', code).event)).toEqual(['abnormal', 'battery-low']);
    expect(eventsOfMbusStatus(0xe0)).toEqual([]);
  });
});

it('docs/events.md holds the whole catalogue as it is', () => {
  // After a change: node --import tsx tools/event-docs.ts
  const page = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8');
  expect(page).toBe(withTables(page));
  for (const word of CATALOGUE.keys()) expect(page).toContain(`| ${word} |`);
});
