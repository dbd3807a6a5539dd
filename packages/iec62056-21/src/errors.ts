/**
 * Error messages of programming mode: `STX (text) ETX BCC`, text free by the standard (clause 6.3.11), at most 32 characters.
 *
 * Decides: which data is an error message, and words for the numbers that most makers share. Leaves out: makers' further numbers;
 * the text is then given as it is.
 */

const FORM = /^\(?\s*(ERROR|ERR|ER|E)\s*(\d*)([^()]*)\)?\s*$/i;

/** Numbers as Iskraemeco, Landis+Gyr, EMH and others use them, with small differences. */
const WORDS: Readonly<Record<number, string>> = {
  0: 'invalid command',
  1: 'unknown command',
  2: 'invalid command',
  3: 'wrong format of the command',
  4: 'this code can only be read',
  5: 'this code can only be written',
  6: 'no right to read or write it',
  7: 'access denied',
  8: 'this code cannot be read with R3',
  9: 'this code is no command',
  10: 'the command was not executed',
  11: 'wrong format of the value',
  12: 'this code is not in the read-out',
  13: 'this code has no unit',
  14: 'wrong previous value',
  15: 'this code cannot be read with partial blocks',
  16: 'wrong command type',
  17: 'the value is out of its range',
  18: 'wrong value',
};

/** The text of an error message, brackets taken off; undefined when the data is none. */
export function errorText(data: string): string | undefined {
  const found = FORM.exec(data);
  if (!found) return undefined;
  // A lone E with more letters is a value.
  if (found[1]?.toUpperCase() === 'E' && found[2] === '') return undefined;
  return data.trim().replace(/^\(/, '').replace(/\)$/, '').trim();
}

/** `ER04: this code can only be read`. */
export function errorWords(text: string): string {
  const number = FORM.exec(text)?.[2];
  const words = number === undefined || number === '' ? undefined : WORDS[Number(number)];
  return words === undefined ? text : `${text}: ${words}`;
}
