/** A bar on stderr where somebody looks on, and nothing where nobody does. */
import type { Terminal } from '@amiable/io/terminal';

export interface Bar {
  /** @param total undefined while it is not known: then only the count is shown */
  set(done: number, total: number | undefined, words?: string): void;
  /** Takes the bar away; to be called before anything else is written. */
  clear(): void;
}

const PAUSE = 100;
const WIDTH = 30;
const EIGHTHS = ' ▏▎▍▌▋▊▉';

/** `███▌      ` */
export function barOf(share: number, width = WIDTH): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const whole = Math.floor(eighths / 8);
  const part = eighths % 8;
  return '█'.repeat(whole) + (part > 0 ? EIGHTHS[part] : '') + ' '.repeat(width - whole - (part > 0 ? 1 : 0));
}

/** `about 40 s left`; empty while that would be a guess. */
function remaining(done: number, total: number, took: number): string {
  if (took < 2000 || done < total / 100 || done >= total) return '';
  const seconds = Math.round(((total - done) * took) / done / 1000);
  if (seconds < 90) return `, about ${seconds} s left`;
  return `, about ${Math.round(seconds / 60)} min left`;
}

export function createBar(terminal: Terminal): Bar {
  if (!terminal.watched) return { set() {}, clear() {} };
  const begun = terminal.clock.now();
  let shown = false;
  let last = 0;
  return {
    set(done, total, words = '') {
      const now = terminal.clock.now();
      if (shown && now - last < PAUSE && done !== total) return;
      last = now;
      shown = true;
      const text =
        total === undefined
          ? `${done.toLocaleString('en')} ${words}`
          : `▕${barOf(total === 0 ? 1 : done / total)}▏ ${done.toLocaleString('en')} of ${total.toLocaleString('en')}${words === '' ? '' : ` ${words}`}${remaining(done, total, now - begun)}`;
      terminal.err(`\r\x1b[K${[...text].slice(0, (terminal.columns ?? 100) - 1).join('')}`);
    },
    clear() {
      if (shown) terminal.err('\r\x1b[K');
      shown = false;
    },
  };
}
