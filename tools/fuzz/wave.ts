/** Damaged recordings of an oscilloscope: as text (any CSV) and as samples, through decoding and drawing. */
import { DecodeError } from '@amiable/bytes';
import { decodeWave, drawWave, encodeWave, formatWaveCsv, parseWaveCsv, type Waveform } from '@amiable/mbus';
import { type Dice, mutate } from './inputs.ts';

const OCTETS = [Uint8Array.of(0xe5), Uint8Array.of(0x10, 0x5b, 0x01), Uint8Array.of(0x68, 0x03)];

/** First octet of an input: 0 text, 1 samples. */
export function waves(roll: Dice, count: (what: string) => void): { next(): Uint8Array; run(input: Uint8Array): void } {
  const clean = OCTETS.map((octets) => encodeWave(octets, { rate: 2400 * 4, lead: 4, tail: 4 }));
  const texts = clean.map((wave) => new TextEncoder().encode(formatWaveCsv(wave)));
  const samples = clean.map((wave) => Uint8Array.from(wave.values, (v) => Math.round(v * 4)));
  const pick = (from: readonly Uint8Array[]): Uint8Array => mutate(from[roll(from.length)] as Uint8Array, roll, from);
  return {
    next() {
      const kind = roll(4) === 0 ? 0 : 1;
      return Uint8Array.of(kind, ...pick(kind ? samples : texts));
    },
    run(input) {
      try {
        const wave: Waveform = input[0]
          ? {
              start: 0,
              interval: 1 / 9600,
              values: Float64Array.from(input.subarray(1), (v) => v / 4),
              quantity: roll(4) ? 'voltage' : 'current',
            }
          : parseWaveCsv(Buffer.from(input.subarray(1)).toString('utf8')).wave;
        const reading = decodeWave(wave);
        count('decoded');
        if (reading.bytes.length > input.length) throw new Error('more octets than samples');
        if (roll(50) === 0) drawWave(wave, reading);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        count('refused');
      }
    },
  };
}
