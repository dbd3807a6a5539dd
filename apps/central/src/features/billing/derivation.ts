/**
 * The derivation of a bill as it is kept: with nothing written down twice.
 *
 * Decides: what each line of a bill has in common with the bill (its time, its version), what is null, and the shares of a quantity that is of
 * one quality throughout are left out and come back when it is read. Nothing is rounded or guessed: a share that does not follow from the
 * line stays as it is. Leaves out: where it is stored (the store compresses it besides).
 */
import type { Determinant, Line, QualityShares, Rated } from '@amiable/compute';

type QualityName = QualityShares['worst'];
const NAMES = ['measured', 'calculated', 'edited', 'estimated', 'missing'] as const satisfies readonly QualityName[];

/** Of one quality throughout: which, and how many intervals. */
type Shares = readonly [QualityName, number];
/** What of a line or determinant may be left out. */
type Left = 'from' | 'to' | 'version' | 'rate' | 'step' | 'group' | 'price' | 'meanPrice' | 'share' | 'quality';
type Kept<T> = Omit<T, Left> & Partial<Omit<T, 'quality'>> & { readonly quality?: QualityShares | Shares };

export interface KeptRated extends Omit<Rated, 'determinants' | 'lines'> {
  readonly determinants: readonly Kept<Determinant>[];
  readonly lines: readonly Kept<Line>[];
}

interface Common {
  readonly from: number;
  readonly to: number;
  readonly version: string;
}
const commonOf = ({ from, to, versions }: Pick<Rated, 'from' | 'to' | 'versions'>): Common => ({
  from,
  to,
  version: versions.at(-1)?.version ?? '',
});

function packShares(shares: QualityShares, quantity: string): QualityShares | Shares {
  const { worst } = shares;
  for (const name of NAMES) {
    const own = name === worst;
    if (shares.quantity[name] !== (own ? quantity : '0') || (!own && shares.intervals[name] !== 0)) return shares;
  }
  return [worst, shares.intervals[worst]];
}

function unpackShares([worst, intervals]: Shares, quantity: string): QualityShares {
  const counts = {} as Record<QualityName, number>;
  const parts = {} as Record<QualityName, string>;
  for (const name of NAMES) {
    counts[name] = name === worst ? intervals : 0;
    parts[name] = name === worst ? quantity : '0';
  }
  return { intervals: counts, quantity: parts, worst };
}

function pack<T extends Determinant | Line>(item: T, common: Common): Kept<T> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(item))
    if (value !== null && common[name as keyof Common] !== value) out[name] = value;
  if (item.quality) out.quality = packShares(item.quality, item.quantity);
  return out as unknown as Kept<T>;
}

const isShort = (quality: QualityShares | Shares | null | undefined): quality is Shares => Array.isArray(quality);

function unpack<T extends Determinant | Line>(kept: Kept<T>, empty: Partial<T>, common: Common): T {
  const { quality } = kept;
  return {
    ...common,
    ...empty,
    ...kept,
    quality: isShort(quality) ? unpackShares(quality, (kept as unknown as T).quantity) : (quality ?? null),
  } as unknown as T;
}

export function packRated(rated: Rated): KeptRated {
  const common = commonOf(rated);
  return {
    ...rated,
    determinants: rated.determinants.map((item) => pack(item, common)),
    lines: rated.lines.map((item) => pack(item, common)),
  };
}

const DETERMINANT: Partial<Determinant> = { rate: null };
const LINE: Partial<Line> = { group: null, rate: null, step: null, price: null, meanPrice: null, share: null };

/** What `packRated` was given; what was written whole stays as it is. */
export function unpackRated(kept: KeptRated): Rated {
  const common = commonOf(kept);
  return {
    ...kept,
    determinants: kept.determinants.map((item) => unpack<Determinant>(item, DETERMINANT, common)),
    lines: kept.lines.map((item) => unpack<Line>(item, LINE, common)),
  };
}
