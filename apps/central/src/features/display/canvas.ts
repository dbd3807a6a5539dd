/**
 * A canvas of grey pixels for screens that know few greys: boxes, hatched boxes, lines and text. Flat greys that the screen does
 * not have become a regular pattern of dots; edges of letters are smoothed only where there are greys for it.
 */
import { ACCENTED, CAPITAL, DESCENT, glyphOf, lettersOf, type Segment, tracePath } from './font.ts';

export const INK = 0;
export const DARK = 85;
export const LIGHT = 170;
export const PAPER = 255;

export interface TextStyle {
  /** Height of capitals, pixels. */
  readonly size: number;
  /** Width of the pen in parts of a grid unit; 1 is regular, 1.5 bold. */
  readonly weight?: number;
  readonly tone?: number;
  readonly align?: 'left' | 'centre' | 'right';
}

interface Mask {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly cover: Uint8Array;
}

/** 4 × 4 ordered dither. */
const ORDER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
const masks = new Map<string, Mask>();

export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly greys: number;
  /** 0 black … 255 white, row by row. */
  readonly pixels: Uint8Array;

  constructor(width: number, height: number, greys: number) {
    this.width = width;
    this.height = height;
    this.greys = greys;
    this.pixels = new Uint8Array(width * height).fill(PAPER);
  }

  /** What of a tone a pixel of this screen shows. */
  private shade(tone: number, x: number, y: number): number {
    const most = this.greys - 1;
    const level = (tone * most) / 255;
    const low = Math.floor(level + 1e-6);
    const threshold = ((ORDER[(y & 3) * 4 + (x & 3)] as number) + 0.5) / 16;
    return Math.round(((level - low > threshold ? low + 1 : low) * 255) / most);
  }

  box(x: number, y: number, width: number, height: number, tone: number): void {
    const left = Math.max(0, Math.round(x));
    const top = Math.max(0, Math.round(y));
    const right = Math.min(this.width, Math.round(x) + Math.round(width));
    const bottom = Math.min(this.height, Math.round(y) + Math.round(height));
    const flat = tone === INK || tone === PAPER;
    for (let row = top; row < bottom; row++)
      for (let column = left; column < right; column++)
        this.pixels[row * this.width + column] = flat ? tone : this.shade(tone, column, row);
  }

  /** The edge of a box, `line` pixels wide, inside of it. */
  frame(x: number, y: number, width: number, height: number, line: number, tone: number): void {
    this.box(x, y, width, line, tone);
    this.box(x, y + height - line, width, line, tone);
    this.box(x, y, line, height, tone);
    this.box(x + width - line, y, line, height, tone);
  }

  /** A dotted level line. */
  dots(x: number, y: number, width: number, every: number, tone: number): void {
    const dot = this.greys < 4 ? INK : tone;
    for (let at = Math.round(x); at < x + width; at += every) this.box(at, y, 1, 1, dot);
  }

  /** Draws text with its baseline at `y`. @returns its width, pixels */
  text(x: number, y: number, text: string, style: TextStyle): number {
    const { scale, pen } = measure(style);
    const width = textWidth(text, style);
    const tone = style.tone ?? INK;
    let at = Math.round(x - (style.align === 'right' ? width : style.align === 'centre' ? width / 2 : 0));
    for (const letter of lettersOf(text)) {
      const glyph = glyphOf(letter);
      if (glyph.paths.length > 0) this.stamp(maskOf(letter, scale, pen), at, Math.round(y), tone);
      at += advance(glyph.width, scale, pen);
    }
    return width;
  }

  private stamp(mask: Mask, x: number, y: number, tone: number): void {
    const sharp = this.greys < 4;
    for (let row = 0; row < mask.height; row++) {
      const py = y + mask.top + row;
      if (py < 0 || py >= this.height) continue;
      for (let column = 0; column < mask.width; column++) {
        const px = x + mask.left + column;
        const cover = mask.cover[row * mask.width + column] as number;
        if (cover === 0 || px < 0 || px >= this.width) continue;
        const at = py * this.width + px;
        const ground = this.pixels[at] as number;
        if (!sharp) this.pixels[at] = Math.round(ground + ((tone - ground) * cover) / 255);
        // Without greys a letter is black or white, whatever its tone: dots would tear it apart.
        else if (cover >= 120) this.pixels[at] = tone > 200 ? PAPER : INK;
      }
    }
  }

  /** The level of each pixel, 0 black … greys - 1 white. */
  levels(): Uint8Array {
    const most = this.greys - 1;
    return this.pixels.map((value) => Math.round((value * most) / 255));
  }
}

function measure(style: TextStyle): { scale: number; pen: number } {
  // A pen of the weight stands out by half of itself above and below.
  const weight = style.weight ?? 1;
  const scale = style.size / (CAPITAL + weight);
  const pen = scale * weight;
  return { scale, pen: pen < 4 ? Math.max(1, Math.round(pen)) : pen };
}

const advance = (width: number, scale: number, pen: number): number =>
  Math.round(width * scale) + Math.ceil(pen) + Math.max(1, Math.round(scale * 1.1));

export function textWidth(text: string, style: TextStyle): number {
  const { scale, pen } = measure(style);
  let width = 0;
  for (const letter of lettersOf(text)) width += advance(glyphOf(letter).width, scale, pen);
  return Math.max(0, width - Math.max(1, Math.round(scale * 1.1)));
}

/** Pixels above and below the baseline that a line of text may need. */
export function lineHeight(style: TextStyle): { above: number; below: number } {
  const { scale, pen } = measure(style);
  return { above: Math.ceil(ACCENTED * scale + pen), below: Math.ceil(DESCENT * scale + pen / 2) };
}

/** The text, cut with an ellipsis to fit. */
export function fitted(text: string, style: TextStyle, width: number): string {
  if (textWidth(text, style) <= width) return text;
  const letters = lettersOf(text);
  let low = 0;
  let high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (textWidth(`${letters.slice(0, middle).join('').trimEnd()}…`, style) <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? '' : `${letters.slice(0, low).join('').trimEnd()}…`;
}

function maskOf(letter: string, scale: number, pen: number): Mask {
  const key = `${letter} ${scale.toFixed(4)} ${pen}`;
  let mask = masks.get(key);
  if (mask === undefined) {
    if (masks.size > 3000) masks.clear();
    mask = render(letter, scale, pen);
    masks.set(key, mask);
  }
  return mask;
}

function render(letter: string, scale: number, pen: number): Mask {
  const glyph = glyphOf(letter);
  // Small letters have their lines on whole pixels; a line of an odd width is centred on one.
  const centre = pen % 2 === 1 || pen !== Math.round(pen) ? 0.5 : 0;
  const half = pen / 2;
  const snap = scale < 5;
  const whole = (value: number): number => (snap ? Math.round(value * scale) : value * scale);
  const side = Math.floor(half - centre + 0.5);
  const place = (x: number, y: number): readonly [number, number] => [
    whole(x) + centre + side,
    -whole(y) - (pen % 2 === 1 ? 0.5 : half),
  ];
  const segments: Segment[] = [];
  const steps = Math.max(4, Math.min(24, Math.round(scale * 3)));
  for (const path of glyph.paths) tracePath(path, place, steps, segments);
  for (const { path, x, y } of glyph.accents) {
    const middle = whole(x);
    const up = whole(y);
    const over = (px: number, py: number): readonly [number, number] => {
      const [gx, gy] = place(px, py);
      return [gx + middle, gy - up];
    };
    for (const part of path.split(';')) tracePath(part, over, steps, segments);
  }
  let [left, top, right, bottom] = [0, 0, 0, 0];
  for (const s of segments) {
    left = Math.min(left, s.x0, s.x1);
    right = Math.max(right, s.x0, s.x1);
    top = Math.min(top, s.y0, s.y1);
    bottom = Math.max(bottom, s.y0, s.y1);
  }
  left = Math.floor(left - half - 1);
  top = Math.floor(top - half - 1);
  const width = Math.ceil(right + half + 1) - left;
  const height = Math.ceil(bottom + half + 1) - top;
  const cover = new Uint8Array(width * height);
  for (const segment of segments) stroke(cover, width, height, left, top, segment, half);
  return { left, top, width, height, cover };
}

/** Covers what lies within `half` of a segment, with smooth edges. */
function stroke(
  cover: Uint8Array,
  width: number,
  height: number,
  left: number,
  top: number,
  { x0, y0, x1, y1 }: Segment,
  half: number,
): void {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const squared = dx * dx + dy * dy;
  const first = Math.max(0, Math.floor(Math.min(y0, y1) - half - 1 - top));
  const last = Math.min(height - 1, Math.ceil(Math.max(y0, y1) + half + 1 - top));
  const from = Math.max(0, Math.floor(Math.min(x0, x1) - half - 1 - left));
  const to = Math.min(width - 1, Math.ceil(Math.max(x0, x1) + half + 1 - left));
  for (let row = first; row <= last; row++) {
    const py = row + top + 0.5 - y0;
    for (let column = from; column <= to; column++) {
      const px = column + left + 0.5 - x0;
      const along = squared === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / squared));
      const ox = px - along * dx;
      const oy = py - along * dy;
      const covered = half + 0.5 - Math.sqrt(ox * ox + oy * oy);
      if (covered <= 0) continue;
      const value = covered >= 1 ? 255 : Math.round(covered * 255);
      const at = row * width + column;
      if (value > (cover[at] as number)) cover[at] = value;
    }
  }
}
