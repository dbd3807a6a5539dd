/** Sentences that are put together: what went wrong may end in a question of its own. */

/** `words` as a whole sentence, and what becomes of it. */
export const andThen = (words: string, then: string): string => `${words}${/[.?!]$/.test(words) ? '' : '.'} ${then}`;
