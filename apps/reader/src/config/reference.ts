/** The reference of all settings as Markdown, out of the schema: docs/reader.md holds it, a test holds the two equal. */
import type { Kind } from './kinds.ts';
import { sizeText, spanText } from './kinds.ts';
import { environmentName, GROUPS, type Group, groupOf, SETTINGS } from './schema.ts';

function values(kind: Kind): string {
  switch (kind.is) {
    case 'yesNo':
      return 'yes, no';
    case 'choice':
      return kind.values.join(', ');
    case 'number':
      return `${kind.least} to ${kind.most}`;
    case 'span':
      return `${kind.live ? 'live or ' : ''}${spanText(kind.least)} to ${spanText(kind.most)}`;
    case 'size':
      return `${sizeText(kind.least)} to ${sizeText(kind.most)}`;
    case 'password':
      return `${kind.least} letters or more`;
    case 'text':
    case 'name':
    case 'folder':
      return 'text';
    case 'pem':
      return 'PEM text, or @ and a path';
    case 'keys':
      return '[METER=]HEX …';
    case 'meters':
      return 'addresses, primary, secondary';
    case 'hosts':
      return 'names';
    case 'group':
      return 'group:port';
    case 'header':
      return 'text without blanks';
    default:
      return kind.is;
  }
}

export function settingsReference(): string {
  const out: string[] = [];
  for (const [group, title] of Object.entries(GROUPS) as [Group, string][]) {
    out.push(`### ${title}`, '', '| setting | value | default | what it does |', '|---|---|---|---|');
    for (const setting of SETTINGS.filter(({ name }) => groupOf(name) === group))
      out.push(
        `| \`${setting.name.replace('#', 'N')}\` | ${values(setting.kind)}${setting.secret ? ' (secret)' : ''} | ${setting.default ?? ''} | ${setting.label}. ${setting.explanation.replaceAll('|', '\\|')} |`,
      );
    out.push('');
  }
  out.push(
    `In the environment \`port.N.auth-key\` of the first port is \`${environmentName('port.1.auth-key')}\`, and so on.`,
  );
  return out.join('\n');
}
