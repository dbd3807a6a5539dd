/**
 * Ports in a word each, for command lines: `DEVICE[,NAME=VALUE…]`, the names being those of config.txt without `port.N.`, e.g.
 * `/dev/ttyUSB1,protocol=mbus,poll=15m,meters=1 5`.
 */
import { UsageError } from '../options.ts';
import { buildConfig } from './build.ts';
import { faultText } from './faults.ts';
import type { PortConfig } from './types.ts';

/** `defaults`: settings by the same names, for ports that do not have them. @throws UsageError for all faults of the first port that has some */
export function portsOfTexts(
  texts: readonly string[],
  defaults: Readonly<Record<string, string>> = {},
): readonly PortConfig[] {
  const given = new Map<string, string>();
  texts.forEach((text, i) => {
    const of = `port.${i + 1}`;
    for (const [name, value] of Object.entries(defaults)) given.set(`${of}.${name}`, value);
    const [device = '', ...settings] = text.split(/,(?=[A-Za-z_-]+=)/);
    given.set(`${of}.device`, device);
    for (const setting of settings) {
      const cut = setting.indexOf('=');
      given.set(`${of}.${setting.slice(0, cut).toLowerCase().replaceAll('_', '-')}`, setting.slice(cut + 1).trim());
    }
  });
  const { config, faults } = buildConfig(given, { hostName: 'reader', folder: '.' });
  const [first] = faults;
  if (!config) {
    const at = /^port\.(\d+)\./.exec(first?.name ?? '')?.[1];
    const own = faults.filter(({ name }) => at === undefined || name?.startsWith(`port.${at}.`));
    const words = own.map((fault) => faultText(fault).replace(/port\.\d+\./g, ''));
    throw new UsageError(`-d ${texts[Number(at ?? 1) - 1]}: ${words.join('; ')}`);
  }
  return config.ports;
}
