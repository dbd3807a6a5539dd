/** What a meter should have in the store, as numbers that two processes can compare: sums over times and values. */
export interface Digest {
  readonly count: number;
  readonly hash: number;
}

/** Order does not matter, what stands where does. */
export class Summer {
  #count = 0;
  #hash = 0;
  add(a: number, b: number, c: number): void {
    this.#count++;
    let h = Math.imul((a / 10) | 0, 0x9e3779b1) ^ Math.imul((a / 4294967296) | 0, 0x85ebca6b);
    h =
      Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) ^
      Math.imul(b | 0, 0xc2b2ae35) ^
      Math.imul((b / 4294967296) | 0, 0x27d4eb2f);
    h = Math.imul(h ^ (h >>> 13), 0x297a2d39) ^ Math.imul(c | 0, 0x165667b1);
    this.#hash = (this.#hash + (h ^ (h >>> 16))) | 0;
  }
  get digest(): Digest {
    return { count: this.#count, hash: this.#hash };
  }
}

export interface Truth {
  readonly serial: string;
  readonly load: Digest;
  readonly daily: Digest;
  readonly events: Digest;
}

export const COLUMNS = ['1.8.0', '2.8.0', '1.8.1', '1.8.2'] as const;
/** A stable number for a register's code. */
export const columnNumber = (obis: string): number => Number(obis.replace(/^\d+-\d+:/, '').replaceAll('.', ''));

export interface FleetReady {
  readonly port: number;
  readonly meters: readonly {
    readonly serial: string;
    readonly password: string;
    readonly unicast: string;
    readonly authentication: string;
  }[];
}
