/** The page's languages. English is part of the first load; the others come as files of their own when chosen. */
import { createContext, type ReactNode, startTransition, useContext, useEffect, useMemo, useState } from 'react';
import { createFormat, type Format } from '../format.ts';
import { remember, remembered } from '../theme.ts';
import { type Dictionary, en, type Key } from './en.ts';

export const LANGUAGES = { en: 'English', nb: 'Norsk', de: 'Deutsch', nl: 'Nederlands' } as const;
export type Language = keyof typeof LANGUAGES;
export type { Key } from './en.ts';

const STORED = 'amiable.language';

export function isLanguage(text: string | null | undefined): text is Language {
  return text !== null && text !== undefined && text in LANGUAGES;
}

/** The remembered language, else the first of the browser's that is there; Norwegian of any kind reads bokmål. */
export function chooseLanguage(stored: string | null, wished: readonly string[]): Language {
  if (isLanguage(stored)) return stored;
  for (const tag of wished) {
    const base = tag.toLowerCase().split('-')[0];
    if (base === 'no' || base === 'nn') return 'nb';
    if (isLanguage(base)) return base;
  }
  return 'en';
}

export async function loadDictionary(language: Language): Promise<Dictionary> {
  if (language === 'nb') return (await import('./nb.ts')).nb;
  if (language === 'de') return (await import('./de.ts')).de;
  if (language === 'nl') return (await import('./nl.ts')).nl;
  return en;
}

export type Parameters = Readonly<Record<string, string | number>>;
export type Translate = (key: Key, parameters?: Parameters) => string;

/** With `n: 1` the form `key_one` is taken where there is one. */
export function createTranslate(dictionary: Readonly<Record<string, string>>, format: Format): Translate {
  const table = dictionary;
  return (key, parameters) => {
    const one = parameters?.n === 1 ? table[`${key}_one`] : undefined;
    const text = one ?? table[key] ?? key;
    if (!parameters) return text;
    return text.replace(/\{(\w+)\}/g, (all, name: string) => {
      const value = parameters[name];
      return value === undefined ? all : typeof value === 'number' ? format.number(value) : value;
    });
  };
}

export interface Speech {
  readonly language: Language;
  readonly t: Translate;
  readonly format: Format;
  setLanguage(language: Language): void;
}

const Context = createContext<Speech | undefined>(undefined);

export function useSpeech(): Speech {
  const speech = useContext(Context);
  if (!speech) throw new Error('outside of the language provider');
  return speech;
}

export interface Initial {
  readonly language: Language;
  readonly dictionary: Dictionary;
}

export async function initialLanguage(): Promise<Initial> {
  // A screen on a wall has nobody who chooses; its address may.
  const asked = new URLSearchParams(location.search).get('lang');
  const language = chooseLanguage(isLanguage(asked) ? asked : remembered(STORED), navigator.languages);
  return { language, dictionary: await loadDictionary(language) };
}

export function LanguageProvider({ initial, children }: { initial: Initial; children: ReactNode }): ReactNode {
  const [current, setCurrent] = useState(initial);
  useEffect(() => {
    document.documentElement.lang = current.language;
  }, [current.language]);
  const speech = useMemo<Speech>(() => {
    const format = createFormat(current.language);
    return {
      language: current.language,
      format,
      t: createTranslate(current.dictionary, format),
      setLanguage(language) {
        remember(STORED, language);
        // A transition: a page whose own words are still on their way stays as it is until they are there.
        loadDictionary(language).then((dictionary) => startTransition(() => setCurrent({ language, dictionary })));
      },
    };
  }, [current]);
  return <Context.Provider value={speech}>{children}</Context.Provider>;
}
