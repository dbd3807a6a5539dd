/**
 * How an exchange and its data look on a screen: the exchange as it goes, a direction and then what was said, control characters by
 * their names; the data as a table with the names of the codes.
 */
import { objectName, parseObis } from '@amiable/cosem';
import {
  ACK,
  CR,
  type DataSet,
  DEL,
  EOT,
  ETX,
  isHeatCode,
  LF,
  type LoadProfile,
  loadProfiles,
  meaningOf,
  NAK,
  NUL,
  type OpticalTrace,
  SOH,
  STX,
  unitOfText,
} from '@amiable/iec62056-21';
import { harmless, table } from '@amiable/io/terminal';

const NAMES: Readonly<Record<number, string>> = {
  [SOH]: 'SOH',
  [STX]: 'STX',
  [ETX]: 'ETX',
  [EOT]: 'EOT',
  [ACK]: 'ACK',
  [NAK]: 'NAK',
};

export interface ExchangePrinter {
  trace(trace: OpticalTrace): void;
  /** What has no line end yet. */
  flush(): void;
}

/** Passwords are not shown: what a P1 or P2 command carries becomes dots. */
export function exchangePrinter(write: (text: string) => void): ExchangePrinter {
  let direction: OpticalTrace['direction'] | undefined;
  let line = '';
  let nuls = 0;
  /** The character to come is a block check. */
  let check = false;
  /** Within the data of a password command. */
  let secret = false;
  let head = '';
  let hide = false;
  const flush = (): void => {
    if (nuls > 0) write(`NUL × ${nuls}\n`);
    nuls = 0;
    if (line !== '') write(`${line}\n`);
    line = '';
  };
  return {
    flush,
    trace(trace) {
      if (trace.direction !== direction) {
        flush();
        direction = trace.direction;
        write(direction === 'out' ? '>\n' : '<\n');
        check = false;
      }
      for (const c of trace.bytes) {
        if (check) {
          check = false;
          line += hide ? 'BCC' : `BCC ${c.toString(16).toUpperCase().padStart(2, '0')}`;
          flush();
        } else if (NAMES[c] !== undefined) {
          const begins: boolean = c === STX && direction === 'out' && /^P[12]$/.test(head);
          const hidden = secret && (c === ETX || c === EOT);
          flush();
          head = '';
          secret = begins;
          line = NAMES[c];
          if (c === ETX || c === EOT) {
            check = true;
            // The check over a password would tell of it.
            hide = hidden;
            line += ' ';
          } else flush();
        } else if (c === NUL || c === DEL) nuls++;
        else if (c === LF) flush();
        else if (c !== CR) {
          if (nuls > 0) flush();
          head = head.length < 2 ? head + String.fromCharCode(c) : head;
          line += secret && c !== 0x28 && c !== 0x29 ? '•' : String.fromCharCode(c);
        }
      }
    },
  };
}

/** The name of a code for a person: `Active energy import`. */
export function nameOf(address: string, unit: string | undefined, heat: boolean): string {
  const meaning = meaningOf(address, unit === undefined ? undefined : unitOfText(unit)?.unit, heat);
  const obis = meaning.obis ?? (address.includes(':') ? parseObis(address) : undefined);
  const name = obis === undefined ? undefined : objectName(obis);
  if (name !== undefined) return name;
  if (/^(?:code|obis)/.test(meaning.name)) return '';
  const words = meaning.name.replace(/([a-z])([A-Z0-9])/g, '$1 $2').toLowerCase();
  return (words[0] as string).toUpperCase() + words.slice(1);
}

/** Rows of code, name, value and what else stands beside it; load profiles as tables of their own. */
export function dataTable(sets: readonly DataSet[]): string {
  const heat = sets.some(({ address }) => isHeatCode(address));
  const profiles = loadProfiles(sets);
  const rows = sets
    .filter(({ address }) => !profiles.some((profile) => profile.address === address))
    .map(({ address, values }) => {
      const [first, ...rest] = values;
      return [
        harmless(address),
        nameOf(address, first?.unit, heat),
        harmless(first?.value ?? ''),
        harmless(first?.unit ?? ''),
        harmless(rest.map(({ value, unit }) => (unit ? `${value} ${unit}` : value)).join('  ')),
      ];
    });
  const plain = rows.length === 0 ? '' : table([['CODE', 'PARAMETER', 'VALUE', 'UNIT', ''], ...rows], { right: [2] });
  return [plain, ...profiles.map(profileTable)].filter((text) => text !== '').join('\n');
}

function profileTable({ address, columns, period, rows }: LoadProfile): string {
  const heads = columns.map(({ code, unit }) => `${harmless(code)} ${harmless(unit)}`);
  const lines = rows.map(({ moment, status, values }) => [
    new Date(moment.wall).toISOString().slice(0, 16).replace('T', ' '),
    harmless(status),
    ...values.map(harmless),
  ]);
  const right = columns.map((_, i) => i + 2);
  return `${harmless(address)}  Load profile, ${period} minutes\n${table([['TIME', 'STATUS', ...heads], ...lines], { right })}`;
}
