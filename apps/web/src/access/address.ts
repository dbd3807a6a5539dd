/** Addresses of the log-in page: where it leads back to. */

/** Where the log-in leads back to: an address of this page, never another's. */
export function safeNext(next: string | null): string {
  return next?.startsWith('/') && !/^\/[/\\]/.test(next) && !/^\/(login|first)\b/.test(next) ? next : '/';
}

export function loginAddress(from = location.pathname + location.search): string {
  const next = safeNext(from);
  return next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`;
}
