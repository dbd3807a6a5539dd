/** Markup as template strings in which every value is text unless it is markup itself. */
export interface Markup {
  readonly markup: string;
}

type Part = string | number | undefined | false | Markup | readonly Part[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => ESCAPES[c] as string);

function print(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return String(part);
  if ('markup' in part) return part.markup;
  return part.map(print).join('');
}

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let markup = strings[0] as string;
  parts.forEach((part, i) => {
    markup += print(part) + strings[i + 1];
  });
  return { markup };
}

/** Apart from the templates: a bundler rewrites a tagged one that ends a script. @param path of this server, never from outside */
export const scriptElement = (path: string): Markup => ({ markup: `<script src="${path}"></script>` });

/** JSON that cannot end the element it stands in. */
export const dataElement = (id: string, data: unknown): Markup => ({
  markup: `<script type="application/json" id="${id}">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`,
});
