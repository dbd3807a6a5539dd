/**
 * Dates in files, both ways, by a pattern (model mdm/format.ts): yyyy-MM-dd HH:mm and the like, iso, epoch, epoch-ms.
 *
 * Decides: a time without offset is told in the zone of the pattern; the repeated hour of autumn is read in order, the skipped one of
 * spring is refused. Leaves out: which zone a meter is in.
 */
import { localToUtc, toLocal, zoneOffset } from '@amiable/calendar';

export interface DateForm {
  print(ms: number, meterZone: string): string;
  /**
   * @param after the time of the value before, of the same series: decides in the repeated hour
   * @returns epoch ms, or a sentence
   */
  parse(text: string, meterZone: string, after?: number): number | string;
}

const MINUTE = 60_000;
const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`);
const DIGITS: Readonly<Record<string, number>> = { yyyy: 4, yy: 2, MM: 2, dd: 2, HH: 2, mm: 2, ss: 2, SSS: 3 };
const EARLIEST = Date.UTC(1980, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

function offsetText(ms: number, colon: boolean): string {
  if (ms === 0 && colon) return 'Z';
  const minutes = Math.abs(ms) / MINUTE;
  return `${ms < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${colon ? ':' : ''}${two(minutes % 60)}`;
}

const ISO = "yyyy-MM-dd'T'HH:mm:ssXXX";

const bounded = (ms: number, text: string): number | string =>
  ms >= EARLIEST && ms < LATEST ? ms : `${JSON.stringify(text)} is no time from 1980 to 2199`;

export function dateForm(pattern: string, zone: string): DateForm {
  const zoneFor = (meterZone: string): string => (zone === 'local' ? meterZone : zone === 'utc' ? 'UTC' : zone);
  if (pattern === 'epoch' || pattern === 'epoch-ms') {
    const unit = pattern === 'epoch' ? 1000 : 1;
    return {
      print: (ms) => String(Math.floor(ms / unit)),
      parse: (text) =>
        /^\d{1,14}$/.test(text)
          ? bounded(Number(text) * unit, text)
          : `${JSON.stringify(text.slice(0, 40))} is no time in ${unit === 1 ? 'milliseconds' : 'seconds'} since 1970`,
    };
  }
  const tokens = (pattern === 'iso' ? ISO : pattern).match(/'[^']*'|yyyy|yy|MM|dd|HH|mm|ss|SSS|XXX|xx|[\s\S]/g) ?? [];
  const names: string[] = [];
  const regexp = new RegExp(
    `^${tokens
      .map((token) => {
        const digits = DIGITS[token];
        if (digits !== undefined) {
          names.push(token);
          return `(\\d{${digits}})`;
        }
        if (token === 'XXX' || token === 'xx') {
          names.push('offset');
          return '(Z|[+-]\\d{2}:?\\d{2})';
        }
        const literal = token.startsWith("'") && token.length > 1 ? token.slice(1, -1) : token;
        return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
      })
      .join('')}$`,
  );
  // A tolerant second way for iso: a blank for the T, no seconds, no offset.
  const tolerant =
    /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{3})\d{0,6})?)?(Z|[+-]\d{2}:?\d{2})?$/;

  return {
    print(ms, meterZone) {
      const at = zoneFor(meterZone);
      const offset = at === 'UTC' ? 0 : zoneOffset(at, ms);
      const wall = new Date(at === 'UTC' ? ms : toLocal(at, ms));
      let out = '';
      for (const token of tokens) {
        switch (token) {
          case 'yyyy':
            out += String(wall.getUTCFullYear()).padStart(4, '0');
            break;
          case 'yy':
            out += two(wall.getUTCFullYear() % 100);
            break;
          case 'MM':
            out += two(wall.getUTCMonth() + 1);
            break;
          case 'dd':
            out += two(wall.getUTCDate());
            break;
          case 'HH':
            out += two(wall.getUTCHours());
            break;
          case 'mm':
            out += two(wall.getUTCMinutes());
            break;
          case 'ss':
            out += two(wall.getUTCSeconds());
            break;
          case 'SSS':
            out += String(wall.getUTCMilliseconds()).padStart(3, '0');
            break;
          case 'XXX':
            out += offsetText(offset, true);
            break;
          case 'xx':
            out += offsetText(offset, false);
            break;
          default:
            out += token.startsWith("'") && token.length > 1 ? token.slice(1, -1) : token;
        }
      }
      return out;
    },
    parse(text, meterZone, after) {
      const parts: Record<string, string | undefined> = {};
      const found = regexp.exec(text);
      if (found) for (let i = 0; i < names.length; i++) parts[names[i] as string] = found[i + 1];
      else {
        const loose = pattern === 'iso' ? tolerant.exec(text) : null;
        if (!loose)
          return `${JSON.stringify(text.slice(0, 40))} is no time as ${pattern === 'iso' ? '2026-11-20T14:30:00Z' : pattern}`;
        [, parts.yyyy, parts.MM, parts.dd, parts.HH, parts.mm, parts.ss, parts.SSS, parts.offset] = loose;
      }
      const year = parts.yyyy !== undefined ? Number(parts.yyyy) : 2000 + Number(parts.yy);
      const [month, day, hour, minute, second, milli] = [
        Number(parts.MM),
        Number(parts.dd),
        Number(parts.HH ?? 0),
        Number(parts.mm ?? 0),
        Number(parts.ss ?? 0),
        Number(parts.SSS ?? 0),
      ] as [number, number, number, number, number, number];
      // 24:00 is the end of a day in many countries' files.
      const wall = Date.UTC(year, month - 1, day, hour, minute, second, milli);
      const civil = new Date(Date.UTC(year, month - 1, day));
      const midnight = hour === 24 && minute === 0 && second === 0 && milli === 0;
      if (
        civil.getUTCMonth() !== month - 1 ||
        civil.getUTCDate() !== day ||
        (hour > 23 && !midnight) ||
        minute > 59 ||
        second > 59
      )
        return `${JSON.stringify(text.slice(0, 40))} is no day and time that there is`;
      if (parts.offset !== undefined) {
        const sign = parts.offset.startsWith('-') ? -1 : 1;
        const offset =
          parts.offset === 'Z'
            ? 0
            : sign * (Number(parts.offset.slice(1, 3)) * 60 + Number(parts.offset.slice(-2))) * MINUTE;
        return bounded(wall - offset, text);
      }
      const at = zoneFor(meterZone);
      if (at === 'UTC') return bounded(wall, text);
      const ms = localToUtc(at, wall, after === undefined ? {} : { after: after + 1 });
      if (toLocal(at, ms) !== wall)
        return `${JSON.stringify(text.slice(0, 40))} is skipped by the clocks of ${at} when summer time begins`;
      return bounded(ms, text);
    },
  };
}
