/**
 * Words of the pages for those who work here: log-in, completeness, the transaction log, the API. They come with these pages, so that the
 * street's first load has none of them.
 */
import { use, useMemo } from 'react';
import type { DeskDictionary, DeskKey } from './desk/en.ts';
import { createTranslate, type Key, type Language, type Parameters, type Speech, useSpeech } from './index.tsx';

export type { DeskKey } from './desk/en.ts';
export type DeskTranslate = (key: DeskKey | Key, parameters?: Parameters) => string;
export type DeskSpeech = Omit<Speech, 't'> & { readonly t: DeskTranslate };

const loaded = new Map<Language, Promise<DeskDictionary>>();

async function fetchDesk(language: Language): Promise<DeskDictionary> {
  if (language === 'nb') return (await import('./desk/nb.ts')).nb;
  if (language === 'de') return (await import('./desk/de.ts')).de;
  if (language === 'nl') return (await import('./desk/nl.ts')).nl;
  return (await import('./desk/en.ts')).en;
}

function loadDesk(language: Language): Promise<DeskDictionary> {
  let promise = loaded.get(language);
  if (!promise) {
    promise = fetchDesk(language);
    // A chunk that did not come is asked for anew when somebody looks again.
    promise.catch(() => loaded.delete(language));
    loaded.set(language, promise);
  }
  return promise;
}

/** Suspends while the words are on their way. */
export function useDesk(): DeskSpeech {
  const speech = useSpeech();
  const words = use(loadDesk(speech.language));
  return useMemo(() => {
    const own = createTranslate(words, speech.format) as (key: string, parameters?: Parameters) => string;
    return {
      ...speech,
      t: (key, parameters) => (key in words ? own(key, parameters) : speech.t(key as Key, parameters)),
    };
  }, [speech, words]);
}
