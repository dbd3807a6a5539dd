/**
 * Draws a waveform as SVG: staves of a few characters each, like music, with levels, bits, octets, fields and faults.
 *
 * Decides: a stave begins with a character and ends with room for a few; idle time between staves is said, not drawn. Each pixel
 * column shows the lowest and highest sample in it, so noise is seen as it is. Colours follow the reader's light or
 * dark setting, by plain classes, so that programs which know no CSS variables draw it as well. Leaves out interaction, but for
 * the browser's own tooltips.
 */
import type { Field } from '@amiable/bytes';
import type { WaveCharacter, WaveFault, WaveReading } from './decode.ts';
import { bitsOf, timeOf, type Waveform } from './types.ts';

export interface WaveDrawing {
  readonly title?: string;
  /** What octets mean: offsets into the reading's octets. */
  readonly fields?: readonly Field[];
  /** Characters on a stave; default 8, fewer where there are no more. */
  readonly perRow?: number;
  /** px. Default 1240. */
  readonly width?: number;
}

/** More characters are not drawn; nobody looks at them. */
const MOST_CHARACTERS = 600;
/** A pause of so many bits begins a new stave. */
const PAUSE = 11;
const LEFT = 74;
const RIGHT = 60;
const HEAD = 92;
const PLOT = 104;
/** Heights within a stave: fields, octets, plot, bits, times. */
const FIELDS = 22;
const OCTETS = 22;
const BITS = 18;
const TIMES = 22;
const STAVE = FIELDS + OCTETS + PLOT + BITS + TIMES + 20;

const STYLE = `
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:12px}
.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.paper{fill:#fff}.ink{fill:#1c2330}.soft{fill:#5b6675}.bad{fill:#b3261e}.badline{stroke:#b3261e;fill:none;stroke-width:2}
.wave{fill:none;stroke:#0b57a4;stroke-width:1.4;stroke-linejoin:round}.grid{stroke:#d7dde5;stroke-width:1}
.level{stroke:#8b97a8;stroke-width:1;stroke-dasharray:5 4}.axis{stroke:#8b97a8;stroke-width:1}
.start{fill:#ffe2b8}.data{fill:#eef3f9}.data2{fill:#e2eaf4}.parity{fill:#d9efdc}.stop{fill:#ecdff5}.wrong{fill:#f9cfca}
.f0{fill:#cfe2f7}.f1{fill:#fbe3c0}.f2{fill:#d5eeda}.f3{fill:#ead9f3}.f4{fill:#f7d6dd}.f5{fill:#dfe5ec}
@media (prefers-color-scheme:dark){
.paper{fill:#12161c}.ink{fill:#e8edf4}.soft{fill:#9fabba}.bad{fill:#ff8a80}.badline{stroke:#ff8a80}
.wave{stroke:#6cb6ff}.grid{stroke:#2a323d}.level{stroke:#6a7687}.axis{stroke:#6a7687}
.start{fill:#4a3714}.data{fill:#1a212b}.data2{fill:#202935}.parity{fill:#1c3a25}.stop{fill:#37264a}.wrong{fill:#5c2320}
.f0{fill:#17395e}.f1{fill:#523c10}.f2{fill:#1b4528}.f3{fill:#422a58}.f4{fill:#57222f}.f5{fill:#303a46}
}`;

interface Stave {
  /** First character, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** s at its left edge. */
  readonly begin: number;
}

export function drawWave(wave: Waveform, reading: WaveReading, drawing: WaveDrawing = {}): string {
  const { fields = [], width = 1240, title = 'M-Bus waveform' } = drawing;
  const perRow = drawing.perRow ?? Math.max(4, Math.min(8, reading.characters.length));
  const bits = bitsOf(reading.parity);
  const bit = 1 / reading.measuredBaud;
  const shown = reading.characters.slice(0, MOST_CHARACTERS);
  const staves = layout(shown, perRow, bits, bit);
  const scale = (width - LEFT - RIGHT) / ((perRow * bits + 4) * bit);
  const range = verticalRange(wave, reading);
  const notes = footnotes(reading, shown.length);
  const height = HEAD + staves.length * STAVE + notes.length * 18 + 26;
  const out: string[] = [];
  out.push(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${quoted(title)}</title><desc>${quoted(describe(reading))}</desc><style>${STYLE}</style>`,
    `<rect class="paper" width="${width}" height="${height}"/>`,
    heading(title, reading, wave),
  );
  const place = fieldPlaces(fields);
  staves.forEach((stave, row) => {
    const y = HEAD + row * STAVE;
    out.push(`<g transform="translate(0 ${y})">`);
    drawStave({ out, wave, reading, stave, next: staves[row + 1], scale, bit, bits, range, width, place, shown });
    out.push('</g>');
  });
  const below = HEAD + staves.length * STAVE + 8;
  notes.forEach((note, i) => {
    out.push(
      `<text class="${note.bad ? 'bad' : 'soft'}" x="${LEFT}" y="${below + i * 18 + 8}">${quoted(note.text)}</text>`,
    );
  });
  out.push('</svg>\n');
  return out.join('\n');
}

function layout(characters: readonly WaveCharacter[], perRow: number, bits: number, bit: number): Stave[] {
  const staves: Stave[] = [];
  let from = 0;
  for (let i = 1; i <= characters.length; i++) {
    const first = characters[from] as WaveCharacter;
    const here = characters[i];
    const before = characters[i - 1] as WaveCharacter;
    // A character belongs to the stave as long as all of it fits.
    if (here && here.at - before.at < (bits + PAUSE) * bit && here.at - first.at <= ((perRow - 1) * bits + 1.5) * bit)
      continue;
    staves.push({ from, to: i, begin: first.at - 2 * bit });
    from = i;
  }
  return staves;
}

const quoted = (text: string): string =>
  text
    .replace(/\p{Cc}/gu, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');

const hex = (v: number): string => v.toString(16).toUpperCase().padStart(2, '0');
const fixed = (v: number, digits = 1): string => v.toFixed(digits).replace(/\.?0+$/, '');
const unitOf = (wave: Waveform): string => (wave.quantity === 'voltage' ? 'V' : 'mA');
const letterOf = (reading: WaveReading): string => ({ even: 'E', odd: 'O', none: 'N' })[reading.parity];

function describe(reading: WaveReading): string {
  const { characters, faults } = reading;
  return `${characters.length} characters at ${reading.baud} baud 8${letterOf(reading)}1, ${faults.length} faults`;
}

const LEGEND = [
  ['start', 'start bit'],
  ['data', 'data bits, least significant first'],
  ['parity', 'parity bit'],
  ['stop', 'stop bit'],
  ['wrong', 'wrong'],
] as const;

function heading(title: string, reading: WaveReading, wave: Waveform): string {
  const unit = unitOf(wave);
  const facts = [
    wave.quantity === 'voltage' ? 'master to slave (voltage)' : 'slave to master (current)',
    `${reading.baud} baud 8${letterOf(reading)}1, measured ${fixed(reading.measuredBaud)}`,
    `mark ${fixed(reading.mark, 2)} ${unit}, space ${fixed(reading.space, 2)} ${unit}`,
    reading.levels.noise > 0 ? `noise ${reading.levels.noise.toPrecision(2)} ${unit}` : '',
    reading.inverted ? 'inverted' : '',
  ].filter(Boolean);
  const parts = [
    `<text class="ink" x="24" y="32" style="font-size:18px;font-weight:600">${quoted(title)}</text>`,
    `<text class="soft" x="24" y="54">${quoted(facts.join('  ·  '))}</text>`,
  ];
  let x = 24;
  for (const [name, text] of LEGEND) {
    parts.push(
      `<rect class="${name}" x="${x}" y="66" width="14" height="14" rx="2"/><text class="soft" x="${x + 20}" y="77">${text}</text>`,
    );
    x += 44 + text.length * 6.3;
  }
  return parts.join('\n');
}

interface Range {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

function verticalRange({ values }: Waveform, { levels }: WaveReading): Range {
  let low = Infinity;
  let high = -Infinity;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  // A spike does not make everything else flat.
  const swing = levels.high - levels.low;
  low = Math.max(low, levels.low - 0.6 * swing) - 0.08 * swing;
  high = Math.min(high, levels.high + 0.6 * swing) + 0.08 * swing;
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((m) => m * power >= rough) as number) * power;
  const ticks: number[] = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) ticks.push(Number(v.toPrecision(10)));
  return { low, high, ticks };
}

interface FieldPlace {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly colour: number;
}

/** Fields that do not lie within a later, finer one; colours go round. */
function fieldPlaces(fields: readonly Field[]): FieldPlace[] {
  const sorted = [...fields].filter((f) => f.length > 0).sort((a, b) => a.offset - b.offset || b.length - a.length);
  const fine = sorted.filter((f, i) => {
    const next = sorted[i + 1];
    return !next || next.offset >= f.offset + f.length;
  });
  return fine.map((f, i) => ({ from: f.offset, to: f.offset + f.length, text: f.text, colour: i % 6 }));
}

interface StaveDrawing {
  readonly out: string[];
  readonly wave: Waveform;
  readonly reading: WaveReading;
  readonly stave: Stave;
  readonly next: Stave | undefined;
  readonly scale: number;
  readonly bit: number;
  readonly bits: number;
  readonly range: Range;
  readonly width: number;
  readonly place: readonly FieldPlace[];
  readonly shown: readonly WaveCharacter[];
}

function drawStave(s: StaveDrawing): void {
  const { out, wave, reading, stave, scale, bit, bits, range, width } = s;
  const top = FIELDS + OCTETS;
  const bottom = top + PLOT;
  const x = (t: number): number => LEFT + (t - stave.begin) * scale;
  const y = (v: number): number =>
    bottom - ((Math.min(range.high, Math.max(range.low, v)) - range.low) / (range.high - range.low)) * PLOT;
  const n = (v: number): string => fixed(v, 1);

  // Bits: their places as the character's own start edge says.
  for (let i = stave.from; i < stave.to; i++) {
    const character = s.shown[i] as WaveCharacter;
    for (let b = 0; b < bits; b++) {
      const at = x(character.at + b * bit);
      const kind =
        b === 0
          ? 'start'
          : b <= 8
            ? b % 2
              ? 'data'
              : 'data2'
            : b === bits - 1
              ? character.stopGood
                ? 'stop'
                : 'wrong'
              : character.parityGood
                ? 'parity'
                : 'wrong';
      out.push(`<rect class="${kind}" x="${n(at)}" y="${top}" width="${n(bit * scale)}" height="${PLOT + BITS}"/>`);
      const level = b === 0 ? 0 : b <= 8 ? (character.value >> (b - 1)) & 1 : undefined;
      const drawn = level ?? (b === bits - 1 ? (character.stopGood ? 1 : 0) : parityDrawn(character, reading));
      out.push(
        `<text class="${kind === 'wrong' ? 'bad' : 'soft'} mono" x="${n(at + (bit * scale) / 2)}" y="${bottom + 13}" text-anchor="middle" style="font-size:10px">${drawn}</text>`,
      );
    }
  }
  drawGrid(s, y, x, bottom);
  out.push(`<path class="wave" d="${curve(wave, stave.begin, stave.begin + (width - LEFT - RIGHT) / scale, x, y)}"/>`);
  drawOctets(s, x);
  drawFaults(s, x, y);
}

/** What stood in the parity bit: what it should be, or the other. */
function parityDrawn(character: WaveCharacter, reading: WaveReading): number {
  let ones = 0;
  for (let v = character.value; v; v >>= 1) ones += v & 1;
  const right = (ones & 1) ^ (reading.parity === 'odd' ? 1 : 0);
  return character.parityGood ? right : 1 - right;
}

function drawGrid(s: StaveDrawing, y: (v: number) => number, x: (t: number) => number, bottom: number): void {
  const { out, reading, wave, range, width, stave, scale } = s;
  const right = width - RIGHT;
  const unit = unitOf(wave);
  const levels = [reading.mark, reading.space];
  for (const tick of range.ticks) {
    out.push(`<line class="grid" x1="${LEFT}" x2="${right}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"/>`);
    out.push(
      `<text class="soft" x="${LEFT - 10}" y="${fixed(y(tick) + 4)}" text-anchor="end">${fixed(tick, 3)} ${unit}</text>`,
    );
  }
  for (const [i, level] of levels.entries()) {
    out.push(`<line class="level" x1="${LEFT}" x2="${right}" y1="${fixed(y(level))}" y2="${fixed(y(level))}"/>`);
    out.push(
      `<text class="soft" x="${right + 8}" y="${fixed(y(level) + 4)}" style="font-size:11px">${i === 0 ? 'mark' : 'space'}</text>`,
    );
  }
  out.push(`<line class="axis" x1="${LEFT}" x2="${LEFT}" y1="${bottom - PLOT}" y2="${bottom + BITS}"/>`);
  const base = bottom + BITS;
  out.push(`<line class="axis" x1="${LEFT}" x2="${right}" y1="${base}" y2="${base}"/>`);
  // Times of the whole capture, in round steps.
  const seconds = (right - LEFT) / scale;
  const power = 10 ** Math.floor(Math.log10(seconds / 8));
  const step = ([1, 2, 5, 10].find((m) => m * power >= seconds / 8) as number) * power;
  for (let k = Math.ceil(stave.begin / step); k * step <= stave.begin + seconds; k++) {
    const at = x(k * step);
    out.push(`<line class="axis" x1="${fixed(at)}" x2="${fixed(at)}" y1="${base}" y2="${base + 4}"/>`);
    out.push(
      `<text class="soft" x="${fixed(at)}" y="${base + 16}" text-anchor="middle" style="font-size:11px">${fixed(k * step * 1000, 3)} ms</text>`,
    );
  }
  const last = s.shown[stave.to - 1] as WaveCharacter;
  const pause = s.next ? (s.shown[s.next.from] as WaveCharacter).at - last.at - s.bits * s.bit : 0;
  if (pause > PAUSE * s.bit)
    out.push(
      `<text class="soft" x="${fixed(Math.min(right - 4, x(last.at + (s.bits + 1) * s.bit) + 8))}" y="${bottom - PLOT / 2}" ${x(last.at + (s.bits + 1) * s.bit) > right - 130 ? 'text-anchor="end"' : ''}>then ${fixed(pause * 1000, 1)} ms idle</text>`,
    );
}

/** Lowest and highest sample of each half pixel, joined. */
function curve(wave: Waveform, from: number, to: number, x: (t: number) => number, y: (v: number) => number): string {
  const { values } = wave;
  const points: string[] = [];
  let column = Number.NaN;
  let low = 0;
  let high = 0;
  let lowFirst = true;
  let last = '';
  let held = '';
  const put = (at: number, v: number): void => {
    const height = y(v).toFixed(1);
    const point = `${at.toFixed(1)} ${height}`;
    // Of a level only both ends.
    if (height === last) {
      held = point;
      return;
    }
    if (held) points.push(held);
    points.push(point);
    held = '';
    last = height;
  };
  const flush = (): void => {
    if (Number.isNaN(column)) return;
    put(column / 2, lowFirst ? low : high);
    if (high !== low) put(column / 2, lowFirst ? high : low);
  };
  let before = Number.NaN;
  for (let i = firstAt(wave, from); i < values.length; i++) {
    const t = timeOf(wave, i);
    if (t > to) break;
    const v = values[i] as number;
    const here = Math.round(x(t) * 2);
    if (here !== column) {
      flush();
      // Where only changes were recorded the level holds until the change.
      if (wave.times && !Number.isNaN(before)) put(here / 2, before);
      column = here;
      low = high = v;
      lowFirst = true;
    } else if (v < low) {
      low = v;
      lowFirst = false;
    } else if (v > high) {
      high = v;
      lowFirst = true;
    }
    before = v;
  }
  flush();
  if (wave.times && !Number.isNaN(before)) put(x(to), before);
  if (held) points.push(held);
  return points.length ? `M${points.join('L')}` : '';
}

function firstAt(wave: Waveform, from: number): number {
  let low = 0;
  let high = wave.values.length - 1;
  while (low < high) {
    const half = (low + high) >> 1;
    if (timeOf(wave, half) < from) low = half + 1;
    else high = half;
  }
  // With changes only, the one before says what level the stave begins with.
  return wave.times && low > 0 ? low - 1 : low;
}

function drawOctets(s: StaveDrawing, x: (t: number) => number): void {
  const { out, stave, bit, bits, scale, shown, place } = s;
  const wide = bits * bit * scale;
  for (let i = stave.from; i < stave.to; i++) {
    const character = shown[i] as WaveCharacter;
    const at = x(character.at);
    const bad = !character.parityGood || !character.stopGood;
    out.push(
      `<text class="${bad ? 'bad' : 'ink'} mono" x="${fixed(at + wide / 2)}" y="${FIELDS + 15}" text-anchor="middle" style="font-size:14px;font-weight:600">${hex(character.value)}</text>`,
      `<text class="soft" x="${fixed(at + wide - 3)}" y="${FIELDS + 14}" text-anchor="end" style="font-size:9px">${i}</text>`,
    );
  }
  for (const field of place) {
    const from = Math.max(field.from, stave.from);
    const to = Math.min(field.to, stave.to);
    if (from >= to) continue;
    const left = x((shown[from] as WaveCharacter).at) + 1;
    const right = x((shown[to - 1] as WaveCharacter).at) + wide - 1;
    const text = from > field.from ? `… ${field.text}` : field.text;
    const fits = Math.floor((right - left - 10) / 5.9);
    const short = text.length > fits ? `${text.slice(0, Math.max(1, fits - 1))}…` : text;
    out.push(
      `<g><title>${quoted(field.text)}</title><rect class="f${field.colour}" x="${fixed(left)}" y="2" width="${fixed(right - left)}" height="${FIELDS - 3}" rx="3"/><text class="ink" x="${fixed(left + 5)}" y="16" style="font-size:11px">${quoted(short)}</text></g>`,
    );
  }
}

function drawFaults(s: StaveDrawing, x: (t: number) => number, y: (v: number) => number): void {
  const { out, reading, wave, width, stave } = s;
  for (const fault of reading.faults) {
    const at = x(fault.at) + (isBit(fault) ? (s.bit * s.scale) / 2 : 0);
    if (
      fault.character !== undefined
        ? fault.character < stave.from || fault.character >= stave.to
        : at < LEFT || at > width - RIGHT
    )
      continue;
    const value = wave.values[fault.sample] as number;
    out.push(
      `<g><title>${quoted(fault.message)}</title><circle class="badline" cx="${fixed(at)}" cy="${fixed(y(value))}" r="8"/></g>`,
    );
  }
}

const isBit = (fault: WaveFault): boolean => fault.kind === 'parity' || fault.kind === 'framing';

function footnotes(reading: WaveReading, shown: number): { text: string; bad: boolean }[] {
  const notes: { text: string; bad: boolean }[] = [];
  for (const fault of reading.faults.slice(0, 12))
    notes.push({ bad: true, text: `${fixed(fault.at * 1000, 3)} ms, sample ${fault.sample}: ${fault.message}` });
  if (reading.faults.length > 12) notes.push({ bad: true, text: `and ${reading.faults.length - 12} more faults` });
  if (shown < reading.characters.length)
    notes.push({ bad: false, text: `${reading.characters.length - shown} more characters are not drawn` });
  return notes;
}
