/** Answers kept by what was asked: bounded by number and by octets, since a picture may take a few hundred or two million. */
export interface Kept<T> {
  get(key: string): T | undefined;
  /** Puts `value` in; the oldest make room. @returns `value` */
  put(key: string, value: T): T;
  readonly octets: number;
}

export function createKept<T extends { readonly body: { readonly length: number } }>(
  most: number,
  mostOctets: number,
): Kept<T> {
  const all = new Map<string, T>();
  let octets = 0;
  const remove = (key: string): void => {
    octets -= all.get(key)?.body.length ?? 0;
    all.delete(key);
  };
  return {
    get: (key) => all.get(key),
    put(key, value) {
      remove(key);
      for (const oldest of all.keys()) {
        if (all.size < most && octets + value.body.length <= mostOctets) break;
        remove(oldest);
      }
      if (value.body.length <= mostOctets) {
        all.set(key, value);
        octets += value.body.length;
      }
      return value;
    },
    get octets() {
      return octets;
    },
  };
}
