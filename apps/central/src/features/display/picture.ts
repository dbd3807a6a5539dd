/**
 * A display as a picture: head, figures, bars, foot, fitted to whatever size and number of greys the screen has. Flat screens
 * (a label of 296 × 128) have figures at the left and bars at the right, others have them one above the other.
 */
import { Canvas, DARK, fitted, INK, LIGHT, PAPER, type TextStyle, textWidth } from './canvas.ts';
import type { Display } from './content.ts';
import type { Speech } from './words.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly greys: number;
}

interface Figure {
  readonly label: string;
  readonly value: string;
  readonly unit: string;
}

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const BOLD = 1.5;

/** Where the parts came to lie; what tests of a picture look into. */
export interface Layout {
  readonly head: Frame;
  readonly figures: Frame;
  readonly chart: Frame;
  /** Bars of the chart, import upwards and export downwards; heights in pixels. */
  readonly bars: readonly {
    readonly x: number;
    readonly width: number;
    readonly zero: number;
    readonly up: number;
    readonly down: number;
  }[];
}

export interface Picture {
  readonly canvas: Canvas;
  readonly layout: Layout;
}

export function drawDisplay(display: Display, speech: Speech, size: PictureSize): Picture {
  const canvas = new Canvas(size.width, size.height, size.greys);
  const scale = Math.min(size.width / 480, size.height / 280);
  const pad = Math.max(2, Math.round(9 * scale));
  const flat = size.height < 190 && size.width > size.height * 1.6;
  const inner: Frame = { x: pad, y: pad, width: size.width - 2 * pad, height: size.height - 2 * pad };
  const head = drawHead(canvas, display, inner, flat ? Math.max(9, 14 * scale) : Math.max(8, 15 * scale), pad);
  const below = inner.y + head.height;
  const room: Frame = { x: inner.x, y: below, width: inner.width, height: inner.y + inner.height - below };
  const figures = figuresOf(display, speech);
  const small = Math.max(8, Math.round((flat ? 15 : 10) * scale));
  const bare = display.bars.length === 0 && display.media.length === 0;
  if (bare || figures.length === 0) {
    drawNote(canvas, display.note ?? '', room, Math.max(9, 17 * scale));
    return { canvas, layout: { head, figures: { ...room, height: 0 }, chart: { ...room, height: 0 }, bars: [] } };
  }
  if (flat) {
    // Too narrow for bars: figures alone.
    const left: Frame = { ...room, width: room.width < 200 ? room.width : Math.round(room.width * 0.4) };
    const right: Frame = { ...room, x: left.x + left.width + pad, width: room.width - left.width - pad };
    drawColumn(canvas, display, figures, left, scale, small);
    return {
      canvas,
      layout: { head, figures: left, chart: right, bars: drawChart(canvas, display, speech, right, small) },
    };
  }
  const band = Math.round(Math.min(room.height * 0.34, 74 * scale * (size.height > size.width ? 1.5 : 1)));
  const row: Frame = { ...room, height: band };
  drawRow(canvas, figures, row, small, pad);
  const foot = drawFoot(canvas, display, room, small);
  const chart: Frame = { ...room, y: room.y + band, height: room.height - band - foot };
  return { canvas, layout: { head, figures: row, chart, bars: drawChart(canvas, display, speech, chart, small) } };
}

function drawHead(canvas: Canvas, display: Display, inner: Frame, size: number, pad: number): Frame {
  const name: TextStyle = { size: Math.round(size), weight: BOLD };
  const when: TextStyle = { size: Math.round(size * 0.88), align: 'right' };
  const base = inner.y + Math.round(size) + Math.max(1, Math.round(size * 0.14));
  // A name may be long; the date is needed whole.
  const roomy = textWidth(display.title, when) + textWidth(display.meter?.name ?? '', name) + pad * 2 <= inner.width;
  const title = roomy || textWidth(display.title, when) < inner.width * 0.4 ? display.title : display.titleShort;
  const width = textWidth(title, when);
  canvas.text(inner.x + inner.width, base, title, when);
  canvas.text(inner.x, base, fitted(display.meter?.name ?? 'Amiable', name, inner.width - width - pad * 1.5), name);
  const rule = base + Math.max(3, Math.round(size * 0.42));
  const thick = Math.max(1, Math.round(size / 14));
  canvas.box(inner.x, rule, inner.width, thick, INK);
  return { x: inner.x, y: inner.y, width: inner.width, height: rule + thick - inner.y };
}

function figuresOf(display: Display, speech: Speech): Figure[] {
  const figures: Figure[] = [];
  const put = (label: string, amount: { value: string; unit: string }): void => {
    figures.push({ label, ...amount });
  };
  if (display.power !== null) {
    const doing = display.power > 0 ? 'importing' : 'exporting';
    const label = display.power === 0 ? speech.say('now') : `${speech.say('now')} · ${speech.say(doing)}`;
    put(label, speech.power(Math.abs(display.power)));
  }
  if (display.import !== null) put(speech.say('import'), speech.energy(display.import));
  if (display.export !== null && display.export > 0) put(speech.say('export'), speech.energy(display.export));
  for (const medium of display.media)
    if (medium.total !== null) put(medium.label, speech.amount(medium.total, medium.unit));
    else if (display.asOf !== null) put(medium.label, { value: '–', unit: speech.amount(0, medium.unit).unit });
  return figures;
}

/** Figures beside each other, the first one large. */
function drawRow(canvas: Canvas, figures: readonly Figure[], frame: Frame, small: number, pad: number): void {
  const label: TextStyle = { size: small };
  const gap = pad * 2;
  // The largest that fits; then with fewer figures.
  for (let count = Math.min(figures.length, 6); count > 0; count--)
    for (const part of [1, 0.88, 0.76, 0.66, 0.58]) {
      const high = frame.height - small * 2.9;
      const sizes = Array.from({ length: count }, (_, i) => Math.round(high * (i === 0 ? 1 : 0.7) * part));
      const widths = sizes.map((size, i) => figureWidth(figures[i] as Figure, size, label));
      if (widths.reduce((sum, w) => sum + w + gap, -gap) > frame.width) continue;
      if (sizes.some((size) => size < small)) continue;
      const spare = (frame.width - widths.reduce((sum, w) => sum + w, 0)) / Math.max(1, count - 1 || 1);
      let x = frame.x;
      // Words and figures lie together, in the middle of what is left.
      const block = small * 1.8 + (sizes[0] as number);
      const top = Math.round(frame.y + Math.max(small * 0.7, (frame.height - block) / 2) + small);
      const base = Math.round(top + small * 0.8 + (sizes[0] as number));
      sizes.forEach((size, i) => {
        const figure = figures[i] as Figure;
        const width = widths[i] as number;
        canvas.text(x, top, figure.label, label);
        drawFigure(canvas, figure, x, base, size);
        x += width + Math.min(spare, i === 0 ? gap * 2.4 : gap * 1.6);
      });
      return;
    }
}

const unitSize = (size: number): number => Math.max(8, Math.round(size * 0.5));
const figureStyle = (size: number): TextStyle => ({ size, weight: size > 26 ? 1.25 : BOLD });

function figureWidth(figure: Figure, size: number, label: TextStyle): number {
  const amount =
    textWidth(figure.value, figureStyle(size)) + unitGap(size) + textWidth(figure.unit, { size: unitSize(size) });
  return Math.max(amount, textWidth(figure.label, label));
}

const unitGap = (size: number): number => Math.max(3, Math.round(size * 0.2));

function drawFigure(canvas: Canvas, figure: Figure, x: number, base: number, size: number): void {
  const width = canvas.text(x, base, figure.value, figureStyle(size));
  canvas.text(x + width + unitGap(size), base, figure.unit, { size: unitSize(size) });
}

/** Figures below each other, for flat screens. */
function drawColumn(
  canvas: Canvas,
  display: Display,
  figures: readonly Figure[],
  frame: Frame,
  scale: number,
  small: number,
): void {
  const label: TextStyle = { size: small };
  const [first, ...others] = figures;
  if (!first) return;
  let y = frame.y + Math.round(small * 1.6);
  canvas.text(frame.x, y, fitted(first.label, label, frame.width), label);
  let big = Math.round(Math.min(frame.height * 0.34, 70 * scale));
  while (big > small && figureWidth(first, big, { size: 1 }) > frame.width) big--;
  y += Math.round(small * 0.6) + big;
  drawFigure(canvas, first, frame.x, y, big);
  const note = display.note ?? display.asOfText;
  const step = Math.round(small * 1.65);
  const last = frame.y + frame.height - (note === null ? 0 : step);
  y += Math.round(small * 0.9);
  for (const figure of others) {
    if (y + small > last) break;
    y += small;
    const amount = `${figure.value} ${figure.unit}`;
    const right = textWidth(amount, { size: small, weight: BOLD });
    canvas.text(frame.x, y, fitted(figure.label, label, frame.width - right - small * 0.6), label);
    canvas.text(frame.x + frame.width, y, amount, { size: small, weight: BOLD, align: 'right' });
    y += step - small;
  }
  if (note !== null) drawTelling(canvas, note, isBad(display), frame.x, frame.y + frame.height - 1, frame.width, small);
}

/** That it is early in the day is no bad news. */
const isBad = (display: Display): boolean => display.note !== null && display.state !== 'ok';

/** A line at the foot; bad news is white on black. */
function drawTelling(
  canvas: Canvas,
  text: string,
  bad: boolean,
  x: number,
  base: number,
  room: number,
  small: number,
): void {
  const style: TextStyle = { size: small };
  const shown = fitted(text, style, room - (bad ? small : 0));
  if (bad) {
    const above = Math.round(small * 1.4);
    canvas.box(x, base - above, textWidth(shown, style) + small, above + Math.round(small * 0.45), INK);
  }
  canvas.text(x + (bad ? small / 2 : 0), base, shown, { ...style, tone: bad ? PAPER : DARK });
}

/** What the bars mean, and how new they are. @returns its height */
function drawFoot(canvas: Canvas, display: Display, room: Frame, small: number): number {
  const text = display.note ?? display.asOfText;
  if (text === null) return 0;
  const base = room.y + room.height - Math.max(1, Math.round(small * 0.25));
  const bad = isBad(display);
  const width = Math.min(room.width, textWidth(text, { size: small }) + (bad ? small : 0));
  drawTelling(canvas, text, bad, room.x + room.width - width, base, width, small);
  return Math.round(small * 1.7);
}

/** A sentence in the middle, in as many lines as it needs. */
function drawNote(canvas: Canvas, text: string, frame: Frame, wished: number): void {
  for (let size = Math.round(wished); size >= 8; size--) {
    const style: TextStyle = { size, align: 'centre' };
    const lines: string[] = [];
    for (const word of text.split(' ')) {
      const joined = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
      if (lines.length > 0 && textWidth(joined, style) <= frame.width) lines[lines.length - 1] = joined;
      else lines.push(word);
    }
    const step = Math.round(size * 1.8);
    if (size > 8 && (lines.length * step > frame.height || lines.some((line) => textWidth(line, style) > frame.width)))
      continue;
    let y = Math.round(frame.y + frame.height / 2 - ((lines.length - 1) * step) / 2 + size / 2);
    for (const line of lines) {
      canvas.text(frame.x + frame.width / 2, y, fitted(line, style, frame.width), style);
      y += step;
    }
    return;
  }
}

/** Round values from at or below `low` to at or above `high`. */
export function marksOf(low: number, high: number, most: number): number[] {
  const raw = Math.max(high - low, 1e-6) / Math.max(1, most);
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * decade).find((s) => s >= raw * (1 - 1e-9)) as number;
  const marks: number[] = [];
  for (let k = Math.floor(low / step + 1e-9); k <= Math.max(1, Math.ceil(high / step - 1e-9)); k++)
    marks.push(k * step);
  return marks;
}

function drawChart(canvas: Canvas, display: Display, speech: Speech, frame: Frame, small: number): Layout['bars'] {
  const electric = display.bars.some((b) => b.import !== null || b.export !== null);
  const medium = electric ? undefined : display.media.find((m) => m.total !== null);
  const divisor = medium ? (medium.unit === 'J' ? 3.6e6 : 1) : 1000;
  // Up to when something could be known: a gap before is one, what comes after is not yet.
  const until = medium?.time ?? display.asOf ?? (display.offset < 0 ? display.to : '');
  const values = display.bars.map((bar, i) => ({
    up: medium ? (medium.bars[i] ?? null) : bar.import,
    down: medium ? null : bar.export,
    label: bar.label,
    quality: medium ? 'measured' : bar.quality,
    past: bar.end <= until,
  }));
  const style: TextStyle = { size: small };
  const most = Math.max(0.1, ...values.map((v) => (v.up ?? 0) / divisor));
  const least = Math.max(0, ...values.map((v) => (v.down ?? 0) / divisor));
  const top = frame.y + Math.round(small * 1.9);
  const bottom = frame.y + frame.height - Math.round(small * 1.9);
  const high = bottom - top;
  if (high < small * 2 || frame.width < 40) return [];
  const marks = marksOf(-least, most, Math.max(1, Math.min(4, Math.floor(high / (small * 2.4)))));
  const digits = marks.some((m) => Math.abs(m - Math.round(m)) > 1e-6)
    ? marks.some((m) => Math.abs(m * 10 - Math.round(m * 10)) > 1e-6)
      ? 2
      : 1
    : 0;
  const textOf = (mark: number): string => speech.number(Math.abs(mark), mark === 0 ? 0 : digits);
  const left = frame.x + Math.max(...marks.map((m) => textWidth(textOf(m), style))) + Math.round(small * 0.7);
  const width = frame.x + frame.width - left;
  const highest = marks.at(-1) as number;
  const lowest = marks[0] as number;
  const y = (value: number): number => Math.round(top + ((highest - value) / (highest - lowest)) * high);
  const zero = y(0);
  for (const mark of marks) {
    const at = y(mark);
    if (mark !== 0) canvas.dots(left, at, width, Math.max(3, Math.round(small / 3)), DARK);
    canvas.text(left - Math.round(small * 0.7), at + Math.round(small / 2), textOf(mark), { ...style, align: 'right' });
  }
  const unit = medium ? speech.amount(0, medium.unit).unit : 'kWh';
  canvas.text(left, top - Math.round(small * 0.45), unit, { ...style, tone: DARK });
  const slot = width / Math.max(1, values.length);
  const bar = Math.max(1, Math.round(Math.min(slot * 0.72, small * 7)));
  const line = Math.max(1, Math.round(small / 10));
  const bars = values.map((value, i) => {
    const x = Math.round(left + slot * i + (slot - bar) / 2);
    const up = value.up === null ? 0 : Math.max(value.up > 0 ? 1 : 0, zero - y(value.up / divisor));
    const down = value.down === null ? 0 : Math.max(value.down > 0 ? 1 : 0, y(-value.down / divisor) - zero);
    if (up > 0) {
      const guessed = value.quality === 'estimated' || value.quality === 'missing';
      canvas.box(x, zero - up, bar, up, guessed && bar > 3 ? LIGHT : INK);
      if (guessed && bar > 3) canvas.frame(x, zero - up, bar, up, line, INK);
    }
    if (down > 0) {
      canvas.box(x, zero + 1, bar, down, LIGHT);
      if (bar > 3 && down > 2) canvas.frame(x, zero + 1, bar, down, line, INK);
      else if (canvas.greys < 4) canvas.box(x, zero + 1, bar, down, INK);
    }
    // Nothing known of a time that is over: a gap that says so.
    if (value.past && value.up === null && value.down === null)
      canvas.dots(x, zero - Math.round(small * 0.6), bar, 2, INK);
    return { x, width: bar, zero, up, down };
  });
  canvas.box(left, zero, width, line, INK);
  // As many words under the bars as fit.
  const widest = Math.max(...values.map((v) => textWidth(v.label, style))) + small * 0.9;
  const steps =
    display.format === 'day' ? [1, 2, 3, 4, 6, 12] : display.format === 'year' ? [1, 2, 3, 4, 6] : [1, 2, 5, 7, 10, 14];
  const every = steps.find((n) => n * slot >= widest) ?? (steps.at(-1) as number);
  const monthly = display.format === 'month';
  values.forEach((value, i) => {
    const place = monthly && every > 1 ? i + 1 : i;
    if (place % every !== 0 && !(monthly && every > 1 && i === 0)) return;
    if (monthly && every > 1 && i > 0 && i < 2) return;
    const half = textWidth(value.label, style) / 2;
    const middle = Math.max(left + half, Math.min(frame.x + frame.width - half, left + slot * (i + 0.5)));
    canvas.text(middle, frame.y + frame.height - Math.round(small * 0.35), value.label, { ...style, align: 'centre' });
  });
  return bars;
}
