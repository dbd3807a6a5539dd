/** The address of a PostgreSQL server, as an option or in DATABASE_URL. */
import { InvalidArgumentError } from 'commander';

/** Empty is none: a variable that was never filled in. */
export function serverUrl(text: string): string {
  if (text.trim() === '') return '';
  if (!/^postgres(ql)?:\/\/./.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('an address is wanted such as postgres://user:password@host:5432/database.');
  return text;
}
