/** The languages of the pages: those of the main page, chosen by cookie, else by the browser's wishes. */
import { type Fault, filled } from '../../config/faults.ts';
import { type Setting, schemaName } from '../../config/schema.ts';
import { de } from './de.ts';
import { type Dictionary, en, type PageKey } from './en.ts';
import { nb } from './nb.ts';
import { nl } from './nl.ts';

export type { Dictionary, PageKey } from './en.ts';

export const LANGUAGES = { en: 'English', nb: 'Norsk', de: 'Deutsch', nl: 'Nederlands' } as const;
export type Language = keyof typeof LANGUAGES;
export const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { en, nb, de, nl };

export const isLanguage = (text: string | undefined): text is Language =>
  text !== undefined && Object.hasOwn(LANGUAGES, text);

/** `accepted`: the Accept-Language header, whose order is taken as it stands. Norwegian of any kind reads bokmål. */
export function chooseLanguage(cookie: string | undefined, accepted = ''): Language {
  if (isLanguage(cookie)) return cookie;
  for (const tag of accepted.slice(0, 200).split(',')) {
    const base = tag.trim().toLowerCase().split(/[-;]/)[0];
    if (base === 'no' || base === 'nn') return 'nb';
    if (isLanguage(base)) return base;
  }
  return 'en';
}

export interface Speech {
  readonly language: Language;
  readonly dictionary: Dictionary;
  t(key: PageKey, values?: Readonly<Record<string, string | number>>): string;
  fault(fault: Fault): string;
  /** Label and explanation. */
  setting(setting: Setting): readonly [string, string];
  /** Of a canonical name, for faults that speak of another setting. */
  number(n: number): string;
}

export function speechOf(language: Language): Speech {
  const dictionary = DICTIONARIES[language];
  const format = new Intl.NumberFormat(language);
  const printed = (values?: Readonly<Record<string, string | number>>) =>
    values &&
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, typeof value === 'number' ? format.format(value) : value]),
    );
  return {
    language,
    dictionary,
    t(key, values) {
      const one = values?.n === 1 ? dictionary.page[`${key}_one` as PageKey] : undefined;
      return filled(one ?? dictionary.page[key], printed(values));
    },
    fault: ({ key, values }) => filled(dictionary.faults[key], values),
    setting({ name }) {
      const own = schemaName(name);
      return dictionary.settings[own] ?? dictionary.settings[own.slice(own.lastIndexOf('.') + 1)] ?? [own, ''];
    },
    number: (n) => format.format(n),
  };
}
