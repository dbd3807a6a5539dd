/** Addresses of the page that explains: short bytes stand in the address, longer ones travel with the history entry. */

/** Characters of an address that every mail program and chat lets through. */
export const LONGEST_LINK = 2000;

const PAGE = '/explain';

/** What to hand to a link. */
export interface ExplainAddress {
  readonly href: string;
  readonly state?: { readonly hex: string };
}

export function explainAddress(hex: string): ExplainAddress {
  return linkOf(hex) ?? { href: PAGE, state: { hex } };
}

/** @returns undefined when the text is too long to share that way */
export function linkOf(text: string): { readonly href: string } | undefined {
  const href = `${PAGE}?hex=${encodeURIComponent(text.trim())}`;
  return href.length <= LONGEST_LINK ? { href } : undefined;
}

/** What the address or the history entry asks to be explained. */
export function askedText(search: string, state: unknown): string {
  const asked = new URLSearchParams(search).get('hex');
  if (asked !== null) return asked;
  if (typeof state === 'object' && state !== null && 'hex' in state && typeof state.hex === 'string') return state.hex;
  return '';
}
