/** What a slave that cannot do what it is told reports (EN 13757-3, application errors, CI 70). */
export const APPLICATION_ERRORS: readonly string[] = [
  'unspecified error',
  'CI not implemented',
  'buffer too long',
  'too many records',
  'premature end of record',
  'more than 10 DIFEs',
  'more than 10 VIFEs',
  'reserved',
  'application too busy',
  'too many readouts',
];
