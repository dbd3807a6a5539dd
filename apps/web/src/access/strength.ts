/**
 * How hard a password is to guess, in four words. An estimate for people who choose one; what is taken is decided by the server.
 *
 * Counts the characters that are worth something: repeats, runs (`abcd`, `4321`, rows of a keyboard), the own name and the usual words are
 * worth one character each. Leaves out dictionaries: they would weigh more than the page.
 */

/** The server takes nothing shorter. */
export const LEAST = 12;
export const MOST = 200;

export type Strength = 'short' | 'weak' | 'fair' | 'good';

const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'qwertzuiop',
  'asdfghjkl',
  'zxcvbnm',
  'yxcvbnm',
];
const USUAL = [
  'password',
  'passwort',
  'passord',
  'wachtwoord',
  'amiable',
  'welcome',
  'admin',
  'letmein',
  'sommer',
  'winter',
];

function follows(a: string, b: string): boolean {
  if (a === b) return true;
  return ROWS.some((row) => {
    const at = row.indexOf(a);
    return at >= 0 && (row[at + 1] === b || (at > 0 && row[at - 1] === b));
  });
}

/** Characters that a guesser does not get for nothing. */
export function worth(password: string, name: string): number {
  let text = password.toLowerCase();
  for (const word of [name.toLowerCase(), ...USUAL]) if (word.length > 2) text = text.replaceAll(word, '\u0000');
  let count = 0;
  let before = '';
  for (const letter of text) {
    if (before === '' || !follows(before, letter)) count++;
    before = letter;
  }
  const kinds = [/[a-zæøåäöüß]/, /[A-ZÆØÅÄÖÜ]/, /\d/, /[^\p{L}\d]/u].filter((kind) => kind.test(password)).length;
  const different = new Set(text).size;
  return Math.min(count, different * 2) + (kinds > 2 ? kinds - 2 : 0) * 2;
}

export function strengthOf(password: string, name = ''): Strength {
  if ([...password].length < LEAST) return 'short';
  const points = worth(password, name);
  return points < 9 ? 'weak' : points < 14 ? 'fair' : 'good';
}
