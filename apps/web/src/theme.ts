/** Light, dark, or as the device says; remembered. theme.js applies it before the first paint. */
export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'amiable.theme';
/** Told to the window when the colours changed, for what is drawn on a canvas. */
export const THEME_CHANGED = 'amiable:theme';

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

export function currentTheme(): Theme {
  const theme = remembered(KEY);
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}

export function setTheme(theme: Theme): void {
  remember(KEY, theme === 'auto' ? null : theme);
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event(THEME_CHANGED));
}

if (typeof matchMedia !== 'undefined')
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
    window.dispatchEvent(new Event(THEME_CHANGED)),
  );

/** A colour of the style sheet, for canvases. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
