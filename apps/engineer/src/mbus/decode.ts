/** `amiable mbus decode`: frames in hex text to canonical messages. */

export async function runDecode(_files: readonly string[], _given: Record<string, unknown>): Promise<number> {
  throw new Error('mbus decode is being built.');
}
