import { readdirSync, readFileSync } from 'node:fs';
import { fromHex, toHex } from '@amiable/bytes';
import { nodeCrypto } from '@amiable/io';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConversationOptions, type ExplainedPart, explainConversation, parsePaste } from '../src/index.ts';

interface Recording {
  readonly security?: { readonly suite: number; readonly unicastKey: string; readonly authenticationKey: string };
  readonly frames: readonly string[];
}
const folder = new URL('../../../vectors/dlms/', import.meta.url);
const recordings = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Recording] as const)
  .filter(([, recording]) => Array.isArray(recording.frames));

function keysOf({ security }: Recording): ConversationOptions {
  if (!security) return {};
  return {
    crypto: nodeCrypto,
    keys: { unicast: fromHex(security.unicastKey), authentication: fromHex(security.authenticationKey) },
  };
}

/** Every byte of every layer belongs to exactly one field. */
function covers(part: ExplainedPart): void {
  for (const layer of part.layers) {
    let at = 0;
    for (const field of [...layer.fields].sort((a, b) => a.offset - b.offset || a.length - b.length)) {
      expect(field.offset, `${part.title}: ${layer.name} ${field.path}`).toBe(at);
      at += field.length;
    }
    expect(at, `${part.title}: end of ${layer.name}`).toBe(layer.bytes.length);
  }
}

describe('explaining a conversation', () => {
  it('has recordings to go by', () => {
    expect(recordings.length).toBeGreaterThan(5);
  });

  for (const [name, recording] of recordings)
    it(`says of every byte of ${name} what it is`, () => {
      const conversation = explainConversation(keysOf(recording));
      let opened = 0;
      let ciphered = 0;
      for (const frame of recording.frames.slice(0, 60)) {
        for (const part of conversation.add(fromHex(frame.slice(2)), frame[0] === '>' ? 'out' : 'in')) {
          expect(part.title, frame).not.toBe('unknown');
          covers(part);
          opened += Number(part.layers.some((layer) => layer.name.includes('deciphered')));
          ciphered += Number(/cipher/.test(part.title));
          // One peer sends an envelope round a byte that is no APDU, and a response with bytes behind its end.
          const foreign = name.startsWith('java-o') && /begin with 00|168 bytes follow/.test(part.hint ?? '');
          if (recording.security && !foreign) expect(part.hint, frame).toBeUndefined();
        }
      }
      if (recording.security && ciphered > 0) expect(opened).toBeGreaterThan(0);
    });

  it('knows the sender of a general envelope by his title, without keys', () => {
    const [, recording] = recordings.find(([name]) => name === 'java-j-ln-wrapper-gmac.json') ?? [];
    const silent = explainConversation();
    const frames = (recording as Recording).frames.slice(0, 5);
    const ways = frames.map((frame) => silent.add(fromHex(frame.slice(2)))[0]);
    expect(ways.map((part) => part?.direction)).toEqual(['out', 'in', 'out', 'in', 'out']);
    expect(ways.at(-1)?.title).toBe('general-glo-ciphering');
  });

  it('tells the directions by itself, and what keys would help', () => {
    const found = recordings.find(([name]) => name === 'c2-c-ln-wrapper-gmac.json');
    expect(found).toBeDefined();
    const [, recording] = found as (typeof recordings)[number];
    const silent = explainConversation();
    const hints: (string | undefined)[] = [];
    for (const frame of recording.frames.slice(0, 12)) {
      const [part] = silent.add(fromHex(frame.slice(2)));
      expect(part?.direction).toBe(frame[0] === '>' ? 'out' : 'in');
      hints.push(part?.hint);
    }
    expect(hints.filter((hint) => hint?.includes('Give the encryption key')).length).toBeGreaterThan(5);
    // In mid conversation nobody has said his system title.
    const late = explainConversation(keysOf(recording));
    const [part] = late.add(fromHex((recording.frames[6] as string).slice(2)));
    expect(part?.hint).toContain('system title');
    // Without an authentication key the text comes unchecked, and says so.
    const { crypto, keys } = keysOf(recording) as Required<ConversationOptions>;
    const unchecked = explainConversation({ crypto, keys: { unicast: keys.unicast } });
    const parts = recording.frames.slice(0, 8).flatMap((frame) => unchecked.add(fromHex(frame.slice(2))));
    expect(parts.at(-1)?.hint).toContain('not checked');
    expect(parts.at(-1)?.title).toContain('get-re');
    const wrong = explainConversation({ crypto, keys: { ...keys, unicast: new Uint8Array(16) } });
    const refused = recording.frames.slice(0, 4).flatMap((frame) => wrong.add(fromHex(frame.slice(2))));
    expect(refused.at(-1)?.hint).toContain('Not opened');
  });

  it('explains single things: a value, an APDU, an M-Bus frame, noise between frames', () => {
    const one = (hex: string) => explainConversation().add(fromHex(hex));
    expect(one('0203 06000003e8 0f00 161e').map((p) => p.title)).toEqual(['value']);
    expect(one('c001c1000301000108 00ff0200').map((p) => p.title)).toEqual([
      'get-request-normal 1-0:1.8.0 attribute 2',
    ]);
    const [noise, frame] = one('0102 7ea0070321930f017e');
    expect([noise?.title, noise?.length]).toEqual(['unknown', 2]);
    expect([frame?.offset, frame?.title]).toEqual([2, 'SNRM, set normal response mode, poll/final']);
    // A frame whose end is missing.
    const [cut] = one('7ea0070321930f');
    expect([cut?.title, cut?.hint]).toEqual([
      'unknown',
      expect.stringContaining('an HDLC frame has at least 7 octets'),
    ]);
  });

  it('takes any bytes in any pieces without a fault', () => {
    const pool = recordings.flatMap(([, r]) => r.frames.slice(0, 40).map((frame) => fromHex(frame.slice(2))));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(pool.length - 1), fc.nat(400), fc.nat(255), fc.nat(400), fc.boolean()), {
          maxLength: 12,
        }),
        (picks) => {
          const conversation = explainConversation({
            crypto: nodeCrypto,
            keys: { unicast: new Uint8Array(16), authentication: new Uint8Array(16) },
          });
          for (const [which, at, value, cut, damaged] of picks) {
            const bytes = (pool[which] as Uint8Array).slice();
            if (damaged && at < bytes.length) bytes[at] = value;
            const piece = bytes.subarray(0, Math.max(1, bytes.length - (cut % bytes.length)));
            const parts = conversation.add(piece);
            expect(parts.reduce((n, p) => n + p.length, 0)).toBe(piece.length);
            for (const part of parts) covers(part);
          }
        },
      ),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        for (const part of explainConversation().add(bytes)) covers(part);
      }),
    );
  });

  it('reads a pasted log', () => {
    const { pieces } = parsePaste('TX: 7E A0 07 03 21 93 0F 01 7E\nRX: 7EA007210373739A7E');
    const conversation = explainConversation();
    const titles = pieces
      .flatMap((p) => conversation.add(p.bytes, p.direction))
      .map((p) => `${p.direction} ${p.title}`);
    expect(titles[0]).toBe('out SNRM, set normal response mode, poll/final');
    expect(titles[1]).toMatch(/^in /);
    expect(toHex(pieces[1]!.bytes)).toBe('7ea007210373739a7e');
  });
});
