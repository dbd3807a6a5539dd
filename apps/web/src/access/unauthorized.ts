/**
 * What happens when the server says 401: asked by every request, answered by the session. Apart from both, so that
 * neither needs the other.
 */

/** `again`: somebody is logged in now, ask once more; `no`: nobody is and nobody wants to be. */
export type Regained = 'again' | 'no';

let handler: (() => Promise<Regained>) | undefined;

export function onUnauthorized(handle: () => Promise<Regained>): void {
  handler = handle;
}

export function regain(): Promise<Regained> {
  return handler ? handler() : Promise.resolve('no');
}
