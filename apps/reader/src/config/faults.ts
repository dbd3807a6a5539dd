/**
 * What may be wrong with a configuration, as keys with their words in English; the page has them in its own languages. A fault
 * never carries the value of a secret.
 */
export const FAULTS = {
  noEquals: 'a line is name=value, a comment begins with #',
  openQuote: 'a quote is not closed, or something stands behind it',
  controlCharacter: 'a control character stands in it',
  unknownName: 'there is no such setting{hint}',
  twice: 'it stands in line {first} already',
  tooLong: 'at most {most} letters',
  refusedLetters: '{refused} cannot stand in it',
  notNumber: 'a number from {least} to {most} is wanted',
  notWhole: 'a whole number from {least} to {most} is wanted',
  notChoice: 'it can be {values}',
  notYesNo: 'it can be yes or no',
  notSpan: 'a span of time is wanted from {least} to {most}, such as 10s, 5m or 1h30m',
  notSize: 'a size is wanted from {least} to {most}, such as 500MB or 2GB',
  notHost: 'a host name or an IP address is wanted',
  notAddress: 'an IP address of this machine is wanted, such as 127.0.0.1, or 0.0.0.0 for all',
  notGroup: 'a multicast group and port is wanted, such as 239.192.77.1:7701',
  notUrl: 'an address such as {example} is wanted',
  urlSecret: 'a name or password does not belong into the address; there are settings for them',
  notZone: 'no such time zone; they look like Europe/Oslo',
  notDevice: 'a serial port such as /dev/ttyUSB0 is wanted, or host:port with a port from 1 to 65535',
  notKey: 'a key is 32 hex digits, with METER= before it when it is for one meter only',
  notMeters:
    'addresses from 0 to 250 or numbers of meters are wanted, such as {example}; or primary or secondary, for a search',
  notAsked: 'it is for meters that are asked: {other} must be {values}',
  notPem: 'it is neither PEM text (with a -----BEGIN line) nor @ and the path of a file that has it',
  fileFault: 'the file cannot be read: {why}',
  notTopic: 'a topic to publish on is not empty and has no + or #',
  notHeader: 'a key has no blanks and no letters beyond ASCII',
  typeAgain: 'it was given for another address ({other} is a new one): type it once more',
  passwordShort: 'a password has at least {least} letters',
  needs: '{other} is needed with it',
  needsSecure: 'certificates are for encrypted connections; {other} is wanted with it',
  sameName: '{other} has the same name',
  sameDevice: '{other} reads the same device',
  authAlone: 'an authentication key alone opens nothing; the encryption key of the same meter is needed',
  noBroker: 'no broker is named: {other}, or a first broker among the uplinks',
  tooMany: 'at most {most} of a kind',
} as const;
export type FaultKey = keyof typeof FAULTS;

export interface Fault {
  /** Canonical name of the setting, where one is known. */
  readonly name?: string;
  /** Where it stands: a line of the file (from 1) … */
  readonly line?: number;
  /** … or elsewhere, e.g. `environment AMIABLE_READER`. */
  readonly source?: string;
  readonly key: FaultKey;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** Thrown by the kinds of values. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
  readonly key: FaultKey;
  readonly values: Readonly<Record<string, string | number>>;
  constructor(key: FaultKey, values: Readonly<Record<string, string | number>> = {}) {
    super(filled(FAULTS[key], values));
    this.key = key;
    this.values = values;
  }
}

/** `{name}` replaced. */
export function filled(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

/** One line for the console: where, which setting, what is wrong. */
export function faultText(fault: Fault, file?: string): string {
  const where = fault.line !== undefined ? `${file ?? 'line'}${file ? ':' : ' '}${fault.line}` : fault.source;
  return [where, fault.name, filled(FAULTS[fault.key], fault.values)].filter((part) => part !== undefined).join(': ');
}
