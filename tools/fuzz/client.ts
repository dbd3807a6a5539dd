/**
 * The client association among the fuzz targets: an operation is started, then odd answers come, some with the invoke id
 * that is due, some in blocks. It must never throw, never keep more than its limits, and give one outcome for an operation.
 */
import {
  type ClientAssociation,
  createClientAssociation,
  LN_CONFORMANCE,
  octetString,
  SN_CONFORMANCE,
  type Step,
} from '@amiable/dlms';
import type { Dice } from './inputs.ts';

const LN = Uint8Array.of(1, 0, 1, 8, 0, 255);
const ATTRIBUTE = { classId: 3, instanceId: LN, attributeId: 2 };
const METHOD = { classId: 9, instanceId: LN, methodId: 1 };
const NAME = { kind: 'variable-name', name: 0x1000 } as const;
const LONG = octetString(new Uint8Array(300));

const STARTS_LN: readonly ((a: ClientAssociation) => Step)[] = [
  (a) => a.get(ATTRIBUTE),
  (a) => a.getList([ATTRIBUTE, ATTRIBUTE]),
  (a) => a.set(ATTRIBUTE, LONG),
  (a) => a.setList([ATTRIBUTE, ATTRIBUTE], [LONG, LONG]),
  (a) => a.action(METHOD, LONG),
  (a) => a.actionList([METHOD, METHOD], [LONG, LONG]),
  (a) => a.access([{ kind: 'get', ...ATTRIBUTE }], [Uint8Array.of(0)]),
  (a) => a.release(),
];
const STARTS_SN: readonly ((a: ClientAssociation) => Step)[] = [
  (a) => a.read([NAME]),
  (a) => a.read([NAME, { kind: 'parameterised-access', name: 8, selector: 1, parameters: LONG }]),
  (a) => a.write([NAME], [LONG]),
];

/** One input is an answer; a few turns of the same operation get it again, changed. */
export function fuzzClient(input: Uint8Array, roll: Dice, count: (what: string) => void): void {
  const sn = roll(4) === 0;
  const starts = sn ? STARTS_SN : STARTS_LN;
  const opening = roll(8) === 0;
  const a = createClientAssociation({
    ...(sn && { referencing: 'SN' }),
    ...(!opening && { preEstablished: { conformance: sn ? SN_CONFORMANCE : LN_CONFORMANCE, maxPduSize: 120 } }),
    limits: { maxBytes: 2000, maxBlocks: 20 },
  });
  let step = opening ? a.associate() : (starts[roll(starts.length)] as (a: ClientAssociation) => Step)(a);
  for (let turn = 0; turn < 6 && !step.done; turn++) {
    const answer = input.slice();
    // Past the first checks: the invoke id that is due, and the block number of this turn.
    if (roll(3) && answer.length > 2) answer[2] = 0xc1;
    if (roll(2) && answer.length > 7 && (answer[1] as number) === 2) answer[7] = turn + 1;
    step = a.receive(answer);
    for (const apdu of step.send)
      if (apdu.length > 120) throw new Error(`${apdu.length} bytes are sent, 120 are taken`);
    if (step.done && a.busy) throw new Error('an outcome, and still busy');
  }
  count(!step.done ? 'waiting' : step.done.ok ? 'done' : 'refused');
}
