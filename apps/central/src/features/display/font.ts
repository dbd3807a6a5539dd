/**
 * The lettering of the pictures: glyphs as strokes of a round pen on a grid (capitals 7 high, small letters 5), drawn for this
 * program. Strokes have no size of their own: the same letter serves a caption of 8 pixels, where its lines are laid on whole
 * pixels, and a figure of 100. Left out: scripts other than Latin, whose letters show as an empty box.
 *
 * A glyph is `width|path;path…`. A path is a point and then steps: `x,y` a straight line, `hx,y` a quarter of an ellipse that leaves
 * level, `vx,y` one that leaves upright, `qa,b x,y` a bend towards a,b. A path of one point is a dot.
 */

export interface Segment {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Grid units of capitals, of what hangs below the line, and of capitals with accents. */
export const CAPITAL = 7;
export const DESCENT = 2;
export const ACCENTED = 9.5;

const BOWL = '0,2.5 v2,5 h4,2.5 v2,0 h0,2.5';
const BOWL_RIGHT = '4,2.5 v2,5 h0,2.5 v2,0 h4,2.5';
const ROUND = '0,4.5 v2.3,7 h4.6,4.5 4.6,2.5 v2.3,0 h0,2.5 0,4.5';

const GLYPHS: Readonly<Record<string, string>> = {
  ' ': '1|',
  '0': '4|0,5 v2,7 h4,5 4,2 v2,0 h0,2 0,5',
  '1': '4|0.8,5.4 2.5,7 2.5,0',
  '2': '4|0,5.3 v2,7 h4,5.2 q4,4.2 3.2,3.3 0,0 4,0',
  '3': '4|0.1,5.8 q0.7,7 2,7 h3.8,5.3 v2,3.7 1.3,3.7;2,3.7 h4,1.9 v2,0 q0.6,0 0,1.2',
  '4': '4.2|3.2,0 3.2,7 0,2 4.2,2',
  '5': '4|3.7,7 0.5,7 0.2,3.8 q1,4.5 2,4.5 h4,2.2 v2,0 q0.6,0 0,1.1',
  '6': '4|3.6,6.2 q3.1,7 2.1,7 h0,4.2 0,2.2 v2,0 h4,2.2 v2,4.3 h0,2.2',
  '7': '4|0,7 4,7 1.4,0',
  '8': '4|2,3.7 h0.2,5.4 v2,7 h3.8,5.4 v2,3.7 h0,1.9 v2,0 h4,1.9 v2,3.7',
  '9': '4|0.4,0.8 q0.9,0 1.9,0 h4,2.8 4,4.8 v2,7 h0,4.8 v2,2.7 h4,4.8',
  A: '4.6|0,0 2.3,7 4.6,0;0.8,2.2 3.8,2.2',
  B: '4|0,3.7 2.2,3.7 h3.7,5.4 v2.2,7 0,7 0,0 2.3,0 h4,1.9 v2.3,3.7',
  C: '4.2|4.2,5.5 q3.7,7 2.3,7 h0,4.5 0,2.5 v2.3,0 q3.7,0 4.2,1.5',
  D: '4.2|0,0 0,7 1.8,7 h4.2,4.5 4.2,2.5 v1.8,0 0,0',
  E: '3.6|3.6,7 0,7 0,0 3.6,0;0,3.7 3.1,3.7',
  F: '3.5|3.5,7 0,7 0,0;0,3.6 3,3.6',
  G: '4.2|4.2,5.5 q3.7,7 2.3,7 h0,4.5 0,2.5 v2.3,0 h4.2,1.8 4.2,3.4 2.6,3.4',
  H: '4.2|0,0 0,7;4.2,0 4.2,7;0,3.7 4.2,3.7',
  I: '0|0,0 0,7',
  J: '2.6|2.6,7 2.6,2 v1.2,0 q0.3,0 0,0.7',
  K: '4.1|0,0 0,7;4,7 0,2.7;1.4,4.2 4.1,0',
  L: '3.4|0,7 0,0 3.4,0',
  M: '5.2|0,0 0,7 2.6,2.4 5.2,7 5.2,0',
  N: '4.2|0,0 0,7 4.2,0 4.2,7',
  O: `4.6|${ROUND}`,
  P: '4|0,0 0,7 2.2,7 h4,5.1 v2.2,3.2 0,3.2',
  Q: `4.6|${ROUND};2.9,1.8 4.8,-0.5`,
  R: '4.1|0,0 0,7 2.2,7 h4,5.1 v2.2,3.2 0,3.2;2.2,3.2 4.1,0',
  S: '4|3.7,5.7 q3.3,7 2,7 h0.2,5.3 q0.2,4.1 2,3.6 q4,3.1 4,1.8 v2,0 q0.5,0 0,1.4',
  T: '4.4|0,7 4.4,7;2.2,7 2.2,0',
  U: '4.2|0,7 0,2.3 v2.1,0 h4.2,2.3 4.2,7',
  V: '4.4|0,7 2.2,0 4.4,7',
  W: '6.4|0,7 1.6,0 3.2,6 4.8,0 6.4,7',
  X: '4.2|0,7 4.2,0;4.2,7 0,0',
  Y: '4.4|0,7 2.2,3.2 4.4,7;2.2,3.2 2.2,0',
  Z: '4|0,7 4,7 0,0 4,0',
  a: '3.6|0.3,4.3 q0.9,5 1.8,5 h3.6,3.3 3.6,0;3.6,2.8 1.7,2.8 h0,1.4 v1.5,0 q2.9,0 3.6,1.2',
  b: `4|0,7 0,0;${BOWL}`,
  c: '3.5|3.5,4 q3,5 2,5 h0,2.5 v2,0 q3,0 3.5,1',
  d: `4|4,7 4,0;${BOWL_RIGHT}`,
  e: '3.9|0,2.6 3.9,2.6 v1.9,5 h0,2.5 v2,0 q3.1,0 3.7,0.9',
  f: '2.3|2.4,7 1.9,7 h0.8,5.8 0.8,0;0,5 2.2,5',
  g: `4|4,5 4,0 v2,-2 q0.9,-2 0.4,-1.6;${BOWL_RIGHT}`,
  h: '3.8|0,7 0,0;0,3 q0.4,5 2.1,5 h3.8,3.2 3.8,0',
  i: '0|0,5 0,0;0,7',
  j: '1|1,5 1,-0.9 q1,-2 -0.2,-2;1,7',
  k: '3.6|0,7 0,0;3.4,5 0,1.9;1.3,3.1 3.6,0',
  l: '1|0,7 0,1 q0,0 1,0',
  m: '5.8|0,5 0,0;0,3.2 q0.3,5 1.6,5 h2.9,3.5 2.9,0;2.9,3.2 q3.2,5 4.5,5 h5.8,3.5 5.8,0',
  n: '3.8|0,5 0,0;0,3 q0.4,5 2.1,5 h3.8,3.2 3.8,0',
  o: `4|${BOWL}`,
  p: `4|0,5 0,-2;${BOWL}`,
  q: `4|4,5 4,-2;${BOWL_RIGHT}`,
  r: '2.3|0,5 0,0;0,3 q0.3,5 2.3,5',
  s: '3.4|3.2,4.1 q2.8,5 1.7,5 h0.2,3.8 q0.2,2.9 1.7,2.6 q3.4,2.2 3.4,1.3 v1.7,0 q0.5,0 0,1',
  t: '2.3|0.8,6.6 0.8,1.3 q0.8,0 2.3,0;0,5 2.3,5',
  u: '3.8|0,5 0,1.8 v1.7,0 q3.4,0 3.8,2;3.8,5 3.8,0',
  v: '3.7|0,5 1.85,0 3.7,5',
  w: '5.4|0,5 1.35,0 2.7,4.4 4.05,0 5.4,5',
  x: '3.6|0,5 3.6,0;3.6,5 0,0',
  y: '3.8|0,5 1.9,0;3.8,5 1.3,-1.5 q1,-2 0.1,-2',
  z: '3.4|0,5 3.4,5 0,0 3.4,0',
  æ: '6.4|0.3,4.3 q0.9,5 1.7,5 h3.2,3.4 3.2,1.5 v1.5,0 h0,1.4 v1.6,2.7 6.4,2.7 v4.8,5 h3.2,3.4;3.2,1.6 v4.8,0 q5.7,0 6.2,0.9',
  ø: `4|${BOWL};0,-0.6 4,5.6`,
  ß: '3.8|0,0 0,5.3 v1.7,7 h3.3,5.5 q3.3,4.4 2.1,3.9 q3.8,3.3 3.8,1.8 v2.2,0 1.4,0',
  Æ: '6.4|0,0 2.8,7 6.4,7;3.4,7 3.4,0 6.4,0;3.4,3.7 5.9,3.7;0.9,2.2 3.4,2.2',
  Ø: `4.6|${ROUND};0.1,-0.6 4.5,7.6`,
  '.': '0|0,0',
  ',': '0.4|0.4,0 0,-1.5',
  ':': '0|0,0.3;0,4.2',
  ';': '0.4|0.4,0.3 0,-1.3;0.4,4.2',
  '!': '0|0,7 0,2.3;0,0',
  '?': '3.4|0,5.6 q0.5,7 1.7,7 h3.4,5.4 q3.4,4.4 2.4,3.8 q1.7,3.3 1.7,2.2;1.7,0',
  '-': '2|0,2.7 2,2.7',
  '–': '3.4|0,2.7 3.4,2.7',
  '−': '4|0,2.9 4,2.9',
  '+': '4|0,2.9 4,2.9;2,4.9 2,0.9',
  '=': '4|0,3.9 4,3.9;0,1.9 4,1.9',
  '/': '2.8|0,-0.6 2.8,7.4',
  '(': '1.5|1.5,7.6 q0,6 0,3 q0,0 1.5,-1.6',
  ')': '1.5|0,7.6 q1.5,6 1.5,3 q1.5,0 0,-1.6',
  '%': '5.4|0,5.6 v1.1,7 h2.2,5.6 v1.1,4.2 h0,5.6;3.2,1.4 v4.3,2.8 h5.4,1.4 v4.3,0 h3.2,1.4;4.6,7 0.8,0',
  '·': '0|0,2.9',
  '°': '1.8|0,6.1 v0.9,7 h1.8,6.1 v0.9,5.2 h0,6.1',
  "'": '0|0,7 0,5.5',
  '"': '1.5|0,7 0,5.5;1.5,7 1.5,5.5',
  '&': '4.6|4.6,0 1.1,4.4 q0.4,7 2,7 q3.6,7 2.9,4.9 q0,3.4 0,1.7 v1.8,0 q4,0 4.4,3',
  '#': '4|0.4,0 1.4,7;2.6,0 3.6,7;0,4.8 4,4.8;0,2.2 4,2.2',
  _: '4|0,-1 4,-1',
  '*': '3|1.5,7 1.5,3.6;0,6.2 3,4.4;3,6.2 0,4.4',
  '×': '3.2|0,4.3 3.2,1.1;3.2,1.1 3.2,1.1;0,1.1 3.2,4.3',
  '<': '3.4|3.4,5 0,2.8 3.4,0.6',
  '>': '3.4|0,5 3.4,2.8 0,0.6',
  '€': '4.4|4.4,6 q3.8,7 2.8,7 h0.7,3.5 v2.8,0 q3.8,0 4.4,1;0,4.3 3.4,4.3;0,2.7 3.4,2.7',
  '²': '2.2|0,6.3 v1.1,7.2 h2.2,6.2 q2.2,5.6 1.7,5.1 0,3.6 2.2,3.6',
  '³': '2.2|0,7 q0.5,7.2 1.1,7.2 h2,6.4 v1.1,5.6 0.8,5.6;1.1,5.6 h2.2,4.6 v1.1,3.6 q0.4,3.6 0,3.8',
  '…': '4|0,0;2,0;4,0',
  '↑': '3.6|1.8,0 1.8,6.6;0,4.6 1.8,6.8 3.6,4.6',
  '↓': '3.6|1.8,6.8 1.8,0.2;0,2.2 1.8,0 3.6,2.2',
};

/** Accents, centred on x = 0 over small letters; over capitals they stand two units higher. */
const ACCENTS: Readonly<Record<string, string>> = {
  '\u0300': '-0.8,7.4 0.4,6.4',
  '\u0301': '0.8,7.4 -0.4,6.4',
  '\u0302': '-1.2,6.4 0,7.5 1.2,6.4',
  '\u0303': '-1.4,6.5 q-0.7,7.6 0,6.9 q0.7,6.3 1.4,7.3',
  '\u0304': '-1.2,6.8 1.2,6.8',
  '\u0306': '-1.2,7.4 q0,5.8 1.2,7.4',
  '\u0307': '0,7',
  '\u0308': '-1,7;1,7',
  '\u030a': '-0.9,7.2 v0,8 h0.9,7.2 v0,6.4 h-0.9,7.2',
  '\u030b': '-0.2,7.4 -1,6.4;1.4,7.4 0.6,6.4',
  '\u030c': '-1.2,7.5 0,6.4 1.2,7.5',
  '\u0327': '0,0 0,-1 q0.8,-1 0.8,-1.6 q0.8,-2.2 -0.5,-2.2',
  '\u0328': '0.8,0 q0,-1 0.3,-1.7 q0.6,-2.2 1.4,-1.8',
};
const BELOW = new Set(['\u0327', '\u0328']);

/** What is written with other letters here. */
const INSTEAD: Readonly<Record<string, string>> = {
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '—': '–',
  '‑': '-',
  '\u00a0': ' ',
  '\u202f': ' ',
  '\u2009': ' ',
  '\t': ' ',
  '\n': ' ',
  ı: 'i',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  œ: 'oe',
  Œ: 'OE',
  ĳ: 'ij',
  ẞ: 'SS',
};
const BOX = '3.6|0,0 0,7 3.6,7 3.6,0 0,0';

export interface Glyph {
  readonly width: number;
  readonly paths: readonly string[];
  readonly accents: readonly { readonly path: string; readonly x: number; readonly y: number }[];
}

/** The characters of a text as they are drawn here: accents beside their letters, at most `most`. */
export function lettersOf(text: string, most = 200): string[] {
  const letters: string[] = [];
  for (const part of text.normalize('NFC').slice(0, most)) for (const one of INSTEAD[part] ?? part) letters.push(one);
  return letters;
}

const known = new Map<string, Glyph>();

export function glyphOf(letter: string): Glyph {
  let glyph = known.get(letter);
  if (glyph === undefined) {
    if (known.size > 2000) known.clear();
    glyph = lookUp(letter);
    known.set(letter, glyph);
  }
  return glyph;
}

function lookUp(letter: string): Glyph {
  const direct = GLYPHS[letter];
  const [base = '', ...marks] = direct === undefined ? letter.normalize('NFD') : [letter];
  // An i that wears an accent loses its dot.
  const form = marks.length > 0 && base === 'i' ? '0|0,5 0,0' : (GLYPHS[base] ?? BOX);
  const bar = form.indexOf('|');
  const width = Number(form.slice(0, bar));
  const high = base !== base.toLowerCase();
  return {
    width,
    paths: form
      .slice(bar + 1)
      .split(';')
      .filter((path) => path !== ''),
    accents: marks.flatMap((mark) => {
      const path = ACCENTS[mark];
      return path === undefined ? [] : [{ path, x: width / 2, y: high && !BELOW.has(mark) ? 2 : 0 }];
    }),
  };
}

/** A little squarer than an ellipse (0.552), which reads better where there are few pixels. */
const ROUNDNESS = 0.62;
const pair = (text: string): [number, number] => {
  const comma = text.indexOf(',');
  return [Number(text.slice(0, comma)), Number(text.slice(comma + 1))];
};

/**
 * Straight pieces of a path.
 * @param place where a point of the grid lies, pixels
 * @param steps pieces of a bend
 */
export function tracePath(
  path: string,
  place: (x: number, y: number) => readonly [number, number],
  steps: number,
  out: Segment[],
): void {
  const tokens = path.split(' ');
  let [x, y] = place(...pair(tokens[0] as string));
  if (tokens.length === 1) out.push({ x0: x, y0: y, x1: x, y1: y });
  const line = (toX: number, toY: number): void => {
    out.push({ x0: x, y0: y, x1: toX, y1: toY });
    x = toX;
    y = toY;
  };
  for (let i = 1; i < tokens.length; i++) {
    const token = tokens[i] as string;
    const kind = token[0] as string;
    if (kind !== 'h' && kind !== 'v' && kind !== 'q') {
      line(...place(...pair(token)));
      continue;
    }
    const [fromX, fromY] = [x, y];
    const near = place(...pair(token.slice(1)));
    const [toX, toY] = kind === 'q' ? place(...pair(tokens[++i] as string)) : near;
    const [cornerX, cornerY] = kind === 'q' ? near : kind === 'h' ? [toX, fromY] : [fromX, toY];
    const pull = kind === 'q' ? 2 / 3 : ROUNDNESS;
    for (let step = 1; step <= steps; step++) {
      const t = step / steps;
      const s = 1 - t;
      const a = s * s * s + 3 * s * s * t * (1 - pull);
      const b = t * t * t + 3 * s * t * t * (1 - pull);
      const c = 3 * s * t * pull;
      line(a * fromX + c * cornerX + b * toX, a * fromY + c * cornerY + b * toY);
    }
  }
}
