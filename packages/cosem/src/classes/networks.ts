/**
 * Interface classes for further networks (IEC 62056-6-2 clauses 4.14 to 4.19): Wi-SUN, RPL, MPL, ZigBee, SCHC and LoRaWAN,
 * ISO/IEC 14908, HS-PLC ISO/IEC 12139-1.
 *
 * Decides: numbers, names and types of the attributes. Leaves out: what the elements of tables are made of, and the
 * parameters of methods, where no second source confirms them; they are read as they come.
 */
import { zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  binary,
  bool,
  doubleLongUnsigned,
  each,
  integer,
  inUnit,
  logicalName,
  long,
  long64Unsigned,
  longUnsigned,
  octetString,
  unnamedEnum,
  unsigned,
} from './type.ts';

export const WI_SUN_SETUP = defineClass({
  id: 95,
  version: 0,
  name: 'Wi-SUN setup',
  attributes: {
    network_name: octetString,
    routing_method: unnamedEnum,
    pan_id: longUnsigned,
    ...each(
      unsigned,
      'disc_imin',
      'disc_imax',
      'data_message_imin',
      'data_message_imax',
      'default_dio_interval_min',
      'default_dio_interval_doublings',
    ),
    channel_plan: any,
    channel_function: unnamedEnum,
    excluded_channels: any,
    join_state: unnamedEnum,
    reg_channel_exclusions: any,
  },
  dynamic: ['routing_method', 'pan_id', 'join_state'],
  methods: { reset_join_state: zero },
});

export const WI_SUN_DIAGNOSTIC = defineClass({
  id: 96,
  version: 0,
  name: 'Wi-SUN diagnostic',
  attributes: {
    sysdescr: octetString,
    ifnumber: integer,
    iftable: arrayOf(any),
    neighbour_table_information: arrayOf(any),
    transmission_information: arrayOf(any),
  },
  dynamic: ['sysdescr', 'ifnumber', 'iftable', 'neighbour_table_information', 'transmission_information'],
  methods: { reset: zero },
});

export const RPL_DIAGNOSTIC = defineClass({
  id: 97,
  version: 0,
  name: 'RPL diagnostic',
  attributes: {
    rpl_instance_id: unsigned,
    dodag_version_number: unsigned,
    dodag_rank: long,
    grounded: bool,
    mode_of_operation: unnamedEnum,
    dodag_prf: unsigned,
    dodag_dtsn: unsigned,
    dodag_id: binary,
  },
  dynamic: [
    'rpl_instance_id',
    'dodag_version_number',
    'dodag_rank',
    'grounded',
    'mode_of_operation',
    'dodag_prf',
    'dodag_dtsn',
    'dodag_id',
  ],
  methods: { reset: zero },
});

export const MPL_DIAGNOSTIC = defineClass({
  id: 98,
  version: 0,
  name: 'MPL diagnostic',
  attributes: {
    proactive_forwarding: bool,
    z: unsigned,
    tunit: unsigned,
    se_lifetime: longUnsigned,
    dm_k: unsigned,
    dm_imin: longUnsigned,
    dm_imax: unsigned,
    dm_t_exp: longUnsigned,
    c_k: unsigned,
    c_imin: longUnsigned,
    c_imax: unsigned,
    c_t_exp: longUnsigned,
  },
  dynamic: [
    'proactive_forwarding',
    'z',
    'tunit',
    'se_lifetime',
    'dm_k',
    'dm_imin',
    'dm_imax',
    'dm_t_exp',
    'c_k',
    'c_imin',
    'c_imax',
    'c_t_exp',
  ],
  methods: { reset: zero },
  methodsAt: 0x70,
});

export const ZIGBEE_SAS_STARTUP = defineClass({
  id: 101,
  version: 0,
  name: 'ZigBee SAS startup',
  attributes: {
    short_address: longUnsigned,
    extended_pan_id: binary,
    pan_id: longUnsigned,
    channel_mask: doubleLongUnsigned,
    protocol_version: unsigned,
    stack_profile: unnamedEnum,
    start_up_control: unsigned,
    trust_center_address: binary,
    link_key: binary,
    network_key: binary,
    use_insecure_join: bool,
  },
  dynamic: [
    'short_address',
    'extended_pan_id',
    'pan_id',
    'channel_mask',
    'start_up_control',
    'trust_center_address',
    'link_key',
    'network_key',
  ],
});

export const ZIGBEE_SAS_JOIN = defineClass({
  id: 102,
  version: 0,
  name: 'ZigBee SAS join',
  attributes: {
    scan_attempts: unsigned,
    time_between_scans: longUnsigned,
    rejoin_interval: longUnsigned,
    rejoin_retry_interval: longUnsigned,
  },
});

export const ZIGBEE_SAS_APS_FRAGMENTATION = defineClass({
  id: 103,
  version: 0,
  name: 'ZigBee SAS APS fragmentation',
  attributes: each(longUnsigned, 'aps_interframe_delay', 'aps_max_window_size'),
});

export const ZIGBEE_NETWORK_CONTROL = defineClass({
  id: 104,
  version: 0,
  name: 'ZigBee network control',
  attributes: { enable_disable_joining: bool, join_timeout: inUnit(longUnsigned, 's'), active_devices: arrayOf(any) },
  dynamic: ['active_devices'],
  methods: each(
    any,
    'register_device',
    'unregister_device',
    'unregister_all_devices',
    'backup_PAN',
    'restore_PAN',
    'identify_device',
    'remove_mirror',
    'update_network_key',
    'update_link_key',
    'create_PAN',
    'remove_PAN',
  ),
});

export const ZIGBEE_TUNNEL_SETUP = defineClass({
  id: 105,
  version: 0,
  name: 'ZigBee tunnel setup',
  attributes: {
    maximum_incoming_transfer_size: longUnsigned,
    maximum_outgoing_transfer_size: longUnsigned,
    protocol_address: octetString,
    close_tunnel_timeout: inUnit(longUnsigned, 's'),
  },
});

export const SCHC_LPWAN_SETUP = defineClass({
  id: 126,
  version: 0,
  name: 'SCHC-LPWAN setup',
  attributes: { lpwan_reference: logicalName, schc_cd_rules: arrayOf(any), schc_fr_param: any },
});

const SCHC_COUNTERS = [
  'schc_packets_tx_counter',
  'schc_packets_rx_counter',
  'schc_fragments_tx_counter',
  'schc_fragments_rx_counter',
  'schc_ack_tx_counter',
  'schc_ack_rx_counter',
] as const;

export const SCHC_LPWAN_DIAGNOSTIC = defineClass({
  id: 127,
  version: 0,
  name: 'SCHC-LPWAN diagnostic',
  attributes: each(doubleLongUnsigned, ...SCHC_COUNTERS),
  dynamic: SCHC_COUNTERS,
  methods: { reset: zero },
  methodsAt: 0x40,
});

export const LORAWAN_SETUP = defineClass({
  id: 128,
  version: 0,
  name: 'LoRaWAN setup',
  attributes: {
    class: unnamedEnum,
    state: unnamedEnum,
    max_transmit_EIRP_setting: integer,
    ADR_mode: bool,
    regional_parameters: unnamedEnum,
    device_operation: any,
    modem_versions: any,
    devAddr: doubleLongUnsigned,
    join_strategy: unnamedEnum,
    multicasts_parameters: arrayOf(any),
  },
  dynamic: [
    'class',
    'state',
    'ADR_mode',
    'regional_parameters',
    'device_operation',
    'devAddr',
    'join_strategy',
    'multicasts_parameters',
  ],
  methods: each(any, 'disconnect_from_network', 'change_class', 'change_region'),
  methodsAt: 0x60,
});

const LORA_COUNTERS = [
  'out_frames_u_counter',
  'out_frames_c_counter',
  'in_frames_u_counter',
  'in_frames_c_counter',
  'in_mac_command_counter',
  'in_mac_ans_error_counter',
  'in_mac_ignored_counter',
] as const;
const LORA_SIGNALS = ['in_per', 'in_mean_rssi_rx1', 'in_mean_snr_rx1', 'in_mean_rssi_rx2', 'in_mean_snr_rx2'] as const;

export const LORAWAN_DIAGNOSTIC = defineClass({
  id: 129,
  version: 0,
  name: 'LoRaWAN diagnostic',
  attributes: {
    internal_error_code: unnamedEnum,
    ...each(doubleLongUnsigned, ...LORA_COUNTERS),
    ...each(integer, ...LORA_SIGNALS),
  },
  dynamic: ['internal_error_code', ...LORA_COUNTERS, ...LORA_SIGNALS],
  methods: { reset: zero },
});

export const ISO_14908_IDENTIFICATION = defineClass({
  id: 130,
  version: 0,
  name: 'ISO/IEC 14908 identification',
  attributes: { node_ID: unsigned, subnet_ID: unsigned, domain_ID: binary, program_ID: binary, unique_node_ID: binary },
});

export const ISO_14908_PROTOCOL_SETUP = defineClass({
  id: 131,
  version: 0,
  name: 'ISO/IEC 14908 protocol setup',
  attributes: { inactivity_timeout: longUnsigned },
});

const PROTOCOL_COUNTERS = [
  'transmission_errors',
  'transmit_tx_failure',
  'transmit_tx_retries',
  'receive_tx_full',
  'lost_messages',
  'missed_messages',
  'layer2_received',
  'layer3_received',
] as const;

export const ISO_14908_PROTOCOL_STATUS = defineClass({
  id: 132,
  version: 0,
  name: 'ISO/IEC 14908 protocol status',
  attributes: {
    ...each(longUnsigned, ...PROTOCOL_COUNTERS),
    messages_received: doubleLongUnsigned,
    messages_validated: doubleLongUnsigned,
  },
  dynamic: [...PROTOCOL_COUNTERS, 'messages_received', 'messages_validated'],
  methods: { reset: zero },
  methodsAt: 0x70,
});

const DIAGNOSTIC_COUNTERS = [
  'no_receive_buffer',
  'transmit_no_data',
  'backlog_overflows',
  'late_ack',
  'frequency_invalid',
] as const;

export const ISO_14908_DIAGNOSTIC = defineClass({
  id: 133,
  version: 0,
  name: 'ISO/IEC 14908 diagnostic',
  attributes: {
    plc_signal_quality_status: unnamedEnum,
    com_module_state: unnamedEnum,
    received_message_status: unsigned,
    ...each(longUnsigned, ...DIAGNOSTIC_COUNTERS),
  },
  dynamic: ['plc_signal_quality_status', 'com_module_state', 'received_message_status', ...DIAGNOSTIC_COUNTERS],
  methods: { reset: zero },
  methodsAt: 0x60,
});

export const HS_PLC_MAC_SETUP = defineClass({
  id: 140,
  version: 0,
  name: 'HS-PLC ISO/IEC 12139-1 MAC setup',
  attributes: {
    ...each(long64Unsigned, 'group_id', 'secondary_group_id', 'station_id', 'parent_station_id'),
    repeater_status: bool,
    encryption_mode: unnamedEnum,
    initial_encryption_key: binary,
    'rts/cts': bool,
  },
});

export const HS_PLC_CPAS_SETUP = defineClass({
  id: 141,
  version: 0,
  name: 'HS-PLC ISO/IEC 12139-1 CPAS setup',
  attributes: {
    cpas_address: long64Unsigned,
    cpas_ether_type: longUnsigned,
    master_station_cpas_address: long64Unsigned,
  },
});

export const HS_PLC_IP_SSAS_SETUP = defineClass({
  id: 142,
  version: 0,
  name: 'HS-PLC ISO/IEC 12139-1 IP SSAS setup',
  attributes: { ip_header_comp_type: unnamedEnum, ip_alive_time: longUnsigned },
});

export const HS_PLC_HDLC_SSAS_SETUP = defineClass({
  id: 143,
  version: 0,
  name: 'HS-PLC ISO/IEC 12139-1 HDLC SSAS setup',
  attributes: { master_station_id: long64Unsigned },
});
