/**
 * A copy of buf[from, to) that is a plain Uint8Array of its own. `slice` is no such thing for Node's Buffer, which is what
 * sockets hand over: there it is a view.
 */
export function copyBytes(buf: Uint8Array, from = 0, to = buf.length): Uint8Array {
  const out = new Uint8Array(Math.max(0, to - from));
  out.set(from === 0 && to === buf.length ? buf : buf.subarray(from, to));
  return out;
}
