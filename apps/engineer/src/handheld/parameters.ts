/**
 * Parameters of the list that are written into a meter: asked for, written, read back, logged.
 *
 * Decides: what is there is read first and shown in the question; without an answer (nobody there and no --yes) nothing is written;
 * before the write a line in the store says that it was begun, so that after an interruption the meter is asked what it has
 * rather than written twice. Clocks go on, so they are not compared.
 */
import { encodedData } from '@amiable/cosem';
import type { OpticalSession } from '@amiable/iec62056-21';
import { harmless } from '@amiable/io/terminal';
import { nameOf } from '../dlms/catalog.ts';
import type { Meter } from '../dlms/connect.ts';
import { attributeFor, Lookup, parseReference, printTarget } from '../dlms/target.ts';
import { meterTime } from '../dlms/times.ts';
import { UsageError } from '../dlms/usage.ts';
import { decoded, printEncoded, readAttributes, typeOf } from '../dlms/values.ts';
import { dataFromText } from '../dlms/write-text.ts';
import { isObject } from './is15959.ts';
import type { Parameter } from './list.ts';
import { isClockCode } from './select.ts';
import type { VisitRecord, VisitWriter } from './store.ts';

type Outcome = Extract<VisitRecord, { t: 'write' }>;

export interface WriteWork {
  readonly writer: VisitWriter;
  now(): number;
  /** @returns whether it is to be written */
  confirm(question: string): Promise<boolean>;
  note(text: string): void;
}

/** Of a parameter in earlier attempts of this visit. */
function lastOf(writer: VisitWriter, object: string): Outcome | undefined {
  let last: Outcome | undefined;
  for (const record of writer.records) if (record.t === 'write' && record.object === object) last = record;
  return last;
}

const isSettled = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && outcome.state !== 'begun' && outcome.state !== 'declined';

interface Step {
  readonly object: string;
  readonly label: string;
  /** As text. */
  readonly wanted: string;
  readonly before: string | undefined;
  readonly compares: boolean;
  write(): Promise<void>;
  readBack(): Promise<string | undefined>;
}

async function perform(step: Step, work: WriteWork): Promise<void> {
  const { object, label, wanted, before, compares } = step;
  const log = (state: Outcome['state'], more: { after?: string; words?: string } = {}): void =>
    work.writer.append({
      t: 'write',
      object,
      wanted,
      state,
      ...(before !== undefined && { before }),
      ...more,
      at: work.now(),
    });
  if (compares && lastOf(work.writer, object)?.state === 'begun' && before === wanted) {
    log('done', { after: before, words: 'written before the interruption' });
    work.note(`${label} is ${wanted}: it was written before the interruption.`);
    return;
  }
  if (!(await work.confirm(`Write ${label} from ${before ?? 'not readable'} to ${wanted}?`))) {
    log('declined');
    work.note(`${label} was not written.`);
    return;
  }
  log('begun');
  try {
    await step.write();
  } catch (error) {
    if ((error as Error).name !== 'PeerError') throw error;
    log('refused', { words: (error as Error).message });
    work.note(`${label}: ${(error as Error).message}`);
    return;
  }
  const after = await step.readBack();
  const same = !compares || after === wanted;
  log(same ? 'done' : 'differs', { ...(after !== undefined && { after }) });
  work.note(
    same
      ? `${label} is ${after ?? wanted} now (was ${before ?? 'not readable'}).`
      : `${label}: written ${wanted}, but the meter shows ${after ?? 'nothing'}.`,
  );
}

/** @throws LinkError when the line breaks */
export async function writeDlms(meter: Meter, parameters: readonly Parameter[], work: WriteWork): Promise<void> {
  const { session, settings } = meter;
  const lookup = new Lookup(session, work.note, settings);
  for (const { object: text, value } of parameters) {
    if (isSettled(lastOf(work.writer, text))) continue;
    try {
      const reference = parseReference(text);
      const object = await lookup.object(reference);
      const attribute = attributeFor(object, reference.member);
      const target = { object, attribute };
      const type = typeOf(target);
      const [present] = await readAttributes(session, [target]);
      const bytes = present && 'data' in present.result ? present.result.data : undefined;
      const like = bytes && decoded(bytes);
      const scalerUnit = present?.scalerUnit;
      const encoded = encodedData(
        dataFromText(type, value, {
          now: meterTime(work.now(), settings.zone),
          ...(like && { like }),
          ...(scalerUnit && { scalerUnit }),
        }),
      );
      const show = (data: Uint8Array): string => harmless(printEncoded(type, data, scalerUnit));
      await perform(
        {
          object: text,
          label: `${printTarget(object, attribute)} ${isObject(object.obis)?.name ?? nameOf(object)}`,
          wanted: show(encoded),
          before: bytes && show(bytes),
          compares: object.classId !== 8,
          write: () =>
            session.set({ classId: object.classId, instanceId: object.instanceId, attributeId: attribute }, encoded),
          async readBack() {
            const [after] = await readAttributes(session, [target]);
            return after && 'data' in after.result ? show(after.result.data) : undefined;
          },
        },
        work,
      );
    } catch (error) {
      if (
        !(error instanceof UsageError) &&
        (error as Error).name !== 'NotThere' &&
        (error as Error).name !== 'PeerError'
      )
        throw error;
      refused(work, text, value, error as Error);
    }
  }
}

function refused(work: WriteWork, object: string, wanted: string, error: Error): void {
  work.writer.append({ t: 'write', object, wanted, state: 'refused', words: error.message, at: work.now() });
  work.note(`${object}: ${error.message}`);
}

/** In programming mode, logged in. @throws LinkError when the line breaks */
export async function writeIec(
  session: OpticalSession,
  parameters: readonly Parameter[],
  work: WriteWork,
): Promise<void> {
  for (const { object, value } of parameters) {
    if (isSettled(lastOf(work.writer, object))) continue;
    const read = async (): Promise<string | undefined> => {
      try {
        const [set] = await session.read(object);
        return set?.values.map(({ value: v, unit }) => (unit === undefined ? v : `${v}*${unit}`)).join(' ');
      } catch (error) {
        if ((error as Error).name !== 'PeerError') throw error;
        return undefined;
      }
    };
    try {
      await perform(
        {
          object,
          label: object,
          wanted: value,
          before: await read(),
          compares: !isClockCode(object),
          write: () => session.write(object, value),
          async readBack() {
            const after = await read();
            // `5` is written, `5*kW` comes back.
            return after?.startsWith(`${value}*`) ? value : after;
          },
        },
        work,
      );
    } catch (error) {
      if ((error as Error).name !== 'PeerError' && (error as Error).name !== 'MisuseError') throw error;
      refused(work, object, value, error as Error);
    }
  }
}
