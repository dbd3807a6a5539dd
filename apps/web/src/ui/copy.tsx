/** A button that copies text and says so. */
import { type ReactNode, useEffect, useState } from 'react';
import { useSpeech } from '../i18n/index.tsx';

/** The old way works where the new one is forbidden: pages that are not on localhost or TLS. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.setAttribute('readonly', '');
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

export function CopyButton({ text, label }: { text: string; label?: string }): ReactNode {
  const { t } = useSpeech();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1800);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button type="button" className="button small" onClick={async () => setDone(await copyText(text))}>
      <span aria-live="polite">{done ? t('copied') : (label ?? t('copy'))}</span>
    </button>
  );
}
