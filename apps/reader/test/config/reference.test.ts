import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { settingsReference } from '../../src/config/reference.ts';

const FILE = fileURLToPath(new URL('../../../../docs/reader.md', import.meta.url));
const BEGIN = '<!-- settings: written by apps/reader/src/config/reference.ts, held true by a test -->\n';
const END = '\n<!-- end of settings -->';

it('docs/reader.md lists every setting as it is (UPDATE_DOCS=1 writes it)', () => {
  const text = readFileSync(FILE, 'utf8');
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.lastIndexOf(END)];
  if (process.env.UPDATE_DOCS)
    writeFileSync(FILE, `${text.slice(0, from)}${settingsReference()}${text.slice(Math.max(to, from - 1))}`);
  else expect(text.slice(from, to)).toBe(settingsReference());
});
