/**
 * What acts: Disconnect control (class 70), Image transfer (18), Script tables (9) and the Single action schedules (22) that
 * execute their scripts (IEC 62056-6-2 clauses 4.4.6, 4.5.2, 4.5.7, 4.5.8; §7.3.5 and §7.4.9 of the system description).
 *
 * Decides: control_mode 1 is local operation mode, 3 remote operation mode, no other is taken. image_verify and
 * image_activate answer temporary-failure while the module works at it, as the standard has it: image_transfer_status
 * tells how it went. Scripts: disconnection, image activation, push.
 */

import { RESULT } from '@amiable/dlms';
import { type Answer, type MeterObject, object } from '../define.ts';
import { executeScript, SCHEDULES, SCRIPT_TABLES } from '../schedules.ts';
import type { ServedMeter } from '../served.ts';
import { hexOctets, octetsOf } from '../values.ts';

const MODES: Readonly<Record<string, 'local' | 'remote'>> = {
  manual_reconnection_after_remote_disconnection: 'local',
  manual_reconnection_no_local_reconnection: 'remote',
};

export const disconnectControl = (): MeterObject =>
  object({
    classId: 70,
    obis: '0-0:96.3.10',
    meaning:
      'Disconnecter; control_mode 1 is local, 3 remote operation mode; remote_reconnect enables the local connection',
    level: 'set',
    attributes: {
      output_state: { get: (m) => m.engine.disconnecter.connected },
      control_state: { get: (m) => ({ type: 'enum', value: m.engine.disconnecter.controlState }) },
      control_mode: {
        get: (m) => ({ type: 'enum', value: m.engine.disconnecter.controlMode }),
        set: (value, m) => {
          const mode = MODES[String(value)];
          return mode ? m.engine.setDisconnecterMode(mode) : RESULT.otherReason;
        },
      },
    },
    methods: {
      remote_disconnect: (m) => m.engine.remoteDisconnect(),
      remote_reconnect: (m) => m.engine.remoteReconnect(),
    },
  });

/** Starts, or tells how it stands. */
function work(m: ServedMeter, busy: number, good: number, start: () => Answer): Answer {
  const { status } = m.engine.image;
  if (status === good) return RESULT.success;
  if (status !== busy) {
    const answer = start();
    if (typeof answer === 'object' && !answer.done) return answer;
  }
  return RESULT.temporaryFailure;
}

const bits = (bytes: Uint8Array, count: number): string =>
  Array.from({ length: count }, (_, i) => (((bytes[i >> 3] as number) >> (7 - (i & 7))) & 1 ? '1' : '0')).join('');

export const imageTransfer = (): MeterObject =>
  object({
    classId: 18,
    obis: '0-0:44.0.0',
    meaning: 'Firmware download: image with keyed hash (HMAC), verified and activated by the module',
    level: 'image',
    attributes: {
      image_block_size: { get: (m) => m.engine.image.blockSize },
      image_transferred_blocks_status: { get: (m) => bits(m.engine.image.transferred, m.engine.image.blocks) },
      image_first_not_transferred_block_number: { get: (m) => m.engine.image.firstNotTransferred },
      image_transfer_enabled: {
        get: (m) => m.engine.image.enabled,
        set: (value, m) => m.engine.imageEnable(value === true),
      },
      image_transfer_status: { get: (m) => ({ type: 'enum', value: m.engine.image.status }) },
      image_to_activate_info: {
        get: (m) => {
          const image = m.engine.image.toActivate;
          if (!image) return [];
          return [
            {
              image_to_activate_size: image.size,
              image_to_activate_identification: image.identification,
              image_to_activate_signature: image.signature,
            },
          ];
        },
      },
    },
    methods: {
      image_transfer_initiate: (m, value) => m.engine.imageInitiate(octetsOf(value.image_identifier), value.image_size),
      image_block_transfer: (m, value) =>
        m.engine.imageBlock(value.image_block_number, hexOctets(value.image_block_value)),
      image_verify: (m) => work(m, 2, 3, () => m.engine.imageVerify()),
      image_activate: (m) => work(m, 5, 6, () => m.engine.imageActivate()),
    },
  });

export const scriptTables = (disconnecter: boolean): MeterObject[] =>
  SCRIPT_TABLES.filter(({ needs }) => !needs || disconnecter).map(({ obis, meaning, scripts, fixed }) =>
    object({
      classId: 9,
      obis,
      meaning,
      level: 'set',
      attributes: { scripts: { is: scripts as never } },
      ...(!fixed && {
        methods: {
          execute: (m: ServedMeter, selector: number): Answer => executeScript(m, obis, selector),
        },
      }),
    }),
  );

export const actionSchedules = (disconnecter: boolean): MeterObject[] =>
  SCHEDULES.filter(({ needs }) => !needs || disconnecter).map(({ obis, meaning, script, table, fixed }) =>
    object({
      classId: 22,
      obis,
      meaning,
      level: 'set',
      attributes: {
        executed_script: fixed
          ? { is: { script_logical_name: table, script_selector: script } }
          : {
              kept: { script_logical_name: table, script_selector: script },
              check: (value) => (value.script_logical_name === table ? undefined : RESULT.otherReason),
            },
        type: { is: { type: 'enum', value: 5 } },
        execution_time: fixed ? { is: fixed as never } : { kept: [] },
      },
    }),
  );
