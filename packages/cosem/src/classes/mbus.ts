/**
 * Interface classes for M-Bus (IEC 62056-6-2 clause 4.8; EN 13757-1): slave port, client, wireless mode Q, master port,
 * DLMS server port, diagnostic.
 */
import { baud, timeWindow, zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  binary,
  dateTimeItself,
  doubleLongUnsigned,
  enumOf,
  inUnit,
  logicalName,
  longUnsigned,
  structureOf,
  unsigned,
} from './type.ts';

const addressState = enumOf({ 0: 'not_assigned', 1: 'assigned' });

export const MBUS_SLAVE_PORT_SETUP = defineClass({
  id: 25,
  version: 0,
  name: 'M-Bus slave port setup',
  attributes: { default_baud: baud, avail_baud: baud, addr_state: addressState, bus_address: unsigned },
});

const client0 = {
  mbus_port_reference: logicalName,
  capture_definition: arrayOf(structureOf({ data_information_block: binary, value_information_block: binary })),
  capture_period: inUnit(doubleLongUnsigned, 's'),
  primary_address: unsigned,
  identification_number: doubleLongUnsigned,
  manufacturer_id: longUnsigned,
  version: unsigned,
  device_type: unsigned,
  access_number: unsigned,
  status: unsigned,
  alarm: unsigned,
} as const;
const client1 = {
  ...client0,
  configuration: longUnsigned,
  encryption_key_status: enumOf({
    0: 'no_encryption_key',
    1: 'encryption_key_set',
    2: 'encryption_key_transferred',
    3: 'encryption_key_set_and_transferred',
    4: 'encryption_key_in_use',
  }),
} as const;
const clientMethods = {
  slave_install: unsigned,
  slave_deinstall: zero,
  capture: zero,
  reset_alarm: zero,
  synchronize_clock: zero,
  data_send: arrayOf(structureOf({ data_information_block: binary, value_information_block: binary, data: any })),
  set_encryption_key: binary,
  transfer_key: binary,
} as const;
const CLIENT_DYNAMIC = ['access_number', 'status', 'alarm'] as const;

export const MBUS_CLIENT_0 = defineClass({
  id: 72,
  version: 0,
  name: 'M-Bus client',
  attributes: client0,
  dynamic: CLIENT_DYNAMIC,
  methods: clientMethods,
  methodsAt: 0x60,
});

export const MBUS_CLIENT_1 = defineClass({
  id: 72,
  version: 1,
  name: 'M-Bus client',
  attributes: client1,
  dynamic: [...CLIENT_DYNAMIC, 'configuration', 'encryption_key_status'],
  methods: clientMethods,
  methodsAt: 0x70,
});

export const WIRELESS_MODE_Q = defineClass({
  id: 73,
  version: 1,
  name: 'Wireless Mode Q channel',
  attributes: { addr_state: addressState, device_address: binary, address_mask: binary },
});

export const MBUS_MASTER_PORT_SETUP = defineClass({
  id: 74,
  version: 0,
  name: 'M-Bus master port setup',
  attributes: { comm_speed: baud },
});

export const MBUS_PORT_SETUP = defineClass({
  id: 76,
  version: 0,
  name: 'DLMS server M-Bus port setup',
  attributes: {
    'M-Bus_profile_selection': logicalName,
    'M-Bus_port_communication_state': enumOf({
      0: 'no_access',
      1: 'temporary_no_access',
      2: 'limited_access',
      3: 'unlimited_access',
    }),
    'M-Bus_Data_Header_Type': enumOf({ 0: 'no_header', 1: 'short_header', 2: 'long_header' }),
    primary_address: unsigned,
    identification_number: doubleLongUnsigned,
    manufacturer_id: longUnsigned,
    'M-Bus_version': unsigned,
    device_type: unsigned,
    max_pdu_size: longUnsigned,
    listening_window: arrayOf(timeWindow),
  },
  dynamic: ['M-Bus_port_communication_state'],
});

export const MBUS_DIAGNOSTIC = defineClass({
  id: 77,
  version: 0,
  name: 'M-Bus diagnostic',
  attributes: {
    received_signal_strength: unsigned,
    channel_Id: unsigned,
    link_status: enumOf({
      0: 'no_data_received',
      1: 'normal_operation',
      2: 'link_temporarily_interrupted',
      3: 'link_permanently_interrupted',
    }),
    broadcast_frames_counter: arrayOf(
      structureOf({ client_id: unsigned, counter: doubleLongUnsigned, timestamp: dateTimeItself }),
    ),
    transmissions_counter: doubleLongUnsigned,
    received_frames_counter: doubleLongUnsigned,
    failed_received_frames_counter: doubleLongUnsigned,
    capture_time: structureOf({ attribute_id: unsigned, timestamp: dateTimeItself }),
  },
  dynamic: [
    'received_signal_strength',
    'channel_Id',
    'link_status',
    'broadcast_frames_counter',
    'transmissions_counter',
    'received_frames_counter',
    'failed_received_frames_counter',
    'capture_time',
  ],
  methods: { reset: zero },
});
