/**
 * A secret goes only where it was given for. Secrets are never shown back; but who may change the address that one is sent to could
 * have it sent to himself, by a test or by saving. So with another address the secret must be typed again.
 */
import type { Fault } from '../config/faults.ts';
import type { Origin } from '../config/load.ts';

/** Where a secret of a family goes, and the secret. */
const BOUND: readonly (readonly [RegExp, readonly string[], readonly string[]])[] = [
  [/^(mqtt\.\d+\.)/, ['host', 'port', 'tls', 'ca'], ['password']],
  [/^(post\.\d+\.)/, ['url', 'ca'], ['api-key']],
  [/^(homeassistant\.)/, ['host', 'port', 'tls', 'ca'], ['password']],
];

/**
 * @param changes what the page sends, by canonical name; undefined takes away
 * @param origins what is set now
 * @returns a fault for each secret that was kept from another address
 */
export function secretsToRetype(
  changes: ReadonlyMap<string, string | undefined>,
  origins: ReadonlyMap<string, Origin>,
): Fault[] {
  const faults = new Map<string, Fault>();
  for (const [name, text] of changes) {
    if ((text ?? '') === (origins.get(name)?.text ?? '')) continue;
    for (const [family, addresses, secrets] of BOUND) {
      const prefix = family.exec(name)?.[1];
      if (prefix === undefined || !addresses.includes(name.slice(prefix.length))) continue;
      for (const secret of secrets) {
        const kept = `${prefix}${secret}`;
        if ((origins.get(kept)?.text ?? '') !== '' && !changes.has(kept))
          faults.set(kept, { name: kept, key: 'typeAgain', values: { other: name } });
      }
    }
  }
  return [...faults.values()];
}
