// Before the first paint, so that a remembered theme never flashes. A file of its own: no inline script is needed.
try {
  const theme = localStorage.getItem('amiable.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  // The wall display is dark unless its address asks otherwise.
  if (/^\/display(\/|$)/.test(location.pathname))
    document.documentElement.dataset.theme = /[?&]theme=light(&|$)/.test(location.search) ? 'light' : 'dark';
} catch (_) {}
// The server forbids the page to make code out of text. Zod would try, once, and the browser report it; told here, before any
// module runs, it does not.
globalThis.__zod_globalConfig = { jitless: true };
