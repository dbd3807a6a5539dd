/**
 * Interface classes for S-FSK PLC, the ISO/IEC 8802-2 LLC and PRIME (IEC 62056-6-2 clauses 4.10 to 4.12).
 *
 * Leaves out: version 0 of the S-FSK Phy&MAC set-up, which the standard no longer recommends.
 */
import { zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  arrayOf,
  binary,
  bool,
  doubleLongUnsigned,
  each,
  enumOf,
  flags,
  integer,
  inUnit,
  long,
  longUnsigned,
  octetString,
  structureOf,
  unsigned,
} from './type.ts';

export const SFSK_PHY_MAC_SETUP = defineClass({
  id: 50,
  version: 1,
  name: 'S-FSK Phy&MAC set-up',
  attributes: {
    initiator_electrical_phase: enumOf({ 0: 'not_defined', 1: 'phase_1', 2: 'phase_2', 3: 'phase_3' }),
    delta_electrical_phase: enumOf({
      0: 'not_defined',
      1: 'same_phase',
      2: '60_degrees',
      3: '120_degrees',
      4: '180_degrees',
      5: 'minus_120_degrees',
      6: 'minus_60_degrees',
    }),
    max_receiving_gain: inUnit(unsigned, 'dB'),
    max_transmitting_gain: inUnit(unsigned, 'dB'),
    search_initiator_threshold: inUnit(unsigned, 'dB'),
    frequencies: structureOf({
      mark_frequency: inUnit(doubleLongUnsigned, 'Hz'),
      space_frequency: inUnit(doubleLongUnsigned, 'Hz'),
    }),
    mac_address: longUnsigned,
    mac_group_addresses: arrayOf(longUnsigned),
    repeater: enumOf({ 0: 'never', 1: 'always', 2: 'dynamic' }),
    repeater_status: bool,
    min_delta_credit: unsigned,
    initiator_mac_address: longUnsigned,
    synchronization_locked: bool,
    transmission_speed: enumOf({
      0: '300_baud',
      1: '600_baud',
      2: '1200_baud',
      3: '2400_baud',
      4: '4800_baud',
      5: '9600_baud',
      6: '19200_baud',
      7: '38400_baud',
    }),
  },
  dynamic: [
    'delta_electrical_phase',
    'mac_address',
    'repeater_status',
    'min_delta_credit',
    'initiator_mac_address',
    'synchronization_locked',
  ],
});

export const SFSK_ACTIVE_INITIATOR = defineClass({
  id: 51,
  version: 0,
  name: 'S-FSK Active initiator',
  attributes: {
    active_initiator: structureOf({ system_title: binary, MAC_address: longUnsigned, L_SAP_selector: unsigned }),
  },
  dynamic: ['active_initiator'],
  methods: { reset_NEW_not_synchronized: structureOf({ submitter_MAC_address: longUnsigned, system_title: binary }) },
  methodsAt: 0x10,
});

export const SFSK_SYNCHRONIZATION_TIMEOUTS = defineClass({
  id: 52,
  version: 0,
  name: 'S-FSK MAC synchronization timeouts',
  attributes: {
    search_initiator_timeout: inUnit(longUnsigned, 's'),
    synchronization_confirmation_timeout: inUnit(longUnsigned, 's'),
    time_out_not_addressed: inUnit(longUnsigned, 'min'),
    time_out_frame_not_OK: inUnit(longUnsigned, 's'),
  },
});

export const SFSK_MAC_COUNTERS = defineClass({
  id: 53,
  version: 0,
  name: 'S-FSK MAC counters',
  attributes: {
    synchronization_register: arrayOf(
      structureOf({ mac_address: longUnsigned, synchronizations_counter: doubleLongUnsigned }),
    ),
    desynchronization_listing: structureOf(
      each(
        doubleLongUnsigned,
        'nb_physical_layer_desynchronization',
        'nb_time_out_not_addressed_desynchronization',
        'nb_time_out_frame_not_OK_desynchronization',
        'nb_write_request_desynchronization',
        'nb_wrong_initiator_desynchronization',
      ),
    ),
    broadcast_frames_counter: arrayOf(
      structureOf({ source_mac_address: longUnsigned, broadcast_frames: doubleLongUnsigned }),
    ),
    ...each(
      doubleLongUnsigned,
      'repetitions_counter',
      'transmissions_counter',
      'CRC_OK_frames_counter',
      'CRC_NOK_frames_counter',
    ),
  },
  dynamic: [
    'synchronization_register',
    'desynchronization_listing',
    'broadcast_frames_counter',
    'repetitions_counter',
    'transmissions_counter',
    'CRC_OK_frames_counter',
    'CRC_NOK_frames_counter',
  ],
  methods: { reset: zero },
  methodsAt: 0x50,
});

const llcSetup = (frameLength: typeof unsigned | typeof longUnsigned) => ({
  max_frame_length: frameLength,
  reply_status_list: arrayOf(structureOf({ L_SAP_selector: unsigned, length_of_waiting_L_SDU: unsigned })),
});

export const IEC_61334_4_32_LLC_SETUP_0 = defineClass({
  id: 55,
  version: 0,
  name: 'IEC 61334-4-32 LLC setup',
  attributes: llcSetup(unsigned),
  dynamic: ['reply_status_list'],
});

export const IEC_61334_4_32_LLC_SETUP_1 = defineClass({
  id: 55,
  version: 1,
  name: 'IEC 61334-4-32 LLC setup',
  attributes: llcSetup(longUnsigned),
  dynamic: ['reply_status_list'],
});

export const SFSK_REPORTING_SYSTEM_LIST = defineClass({
  id: 56,
  version: 0,
  name: 'S-FSK Reporting system list',
  attributes: { reporting_system_list: arrayOf(binary) },
  dynamic: ['reporting_system_list'],
});

export const LLC_TYPE_1_SETUP = defineClass({
  id: 57,
  version: 0,
  name: 'ISO/IEC 8802-2 LLC Type 1 setup',
  attributes: { max_octets_ui_pdu: longUnsigned },
});

export const LLC_TYPE_2_SETUP = defineClass({
  id: 58,
  version: 0,
  name: 'ISO/IEC 8802-2 LLC Type 2 setup',
  attributes: {
    transmit_window_size_k: unsigned,
    receive_window_size_rw: unsigned,
    max_octets_i_pdu_n1: longUnsigned,
    max_number_transmissions_n2: unsigned,
    acknowledgement_timer: inUnit(longUnsigned, 's'),
    p_bit_timer: inUnit(longUnsigned, 's'),
    reject_timer: inUnit(longUnsigned, 's'),
    busy_state_timer: inUnit(longUnsigned, 's'),
  },
});

export const LLC_TYPE_3_SETUP = defineClass({
  id: 59,
  version: 0,
  name: 'ISO/IEC 8802-2 LLC Type 3 setup',
  attributes: {
    max_octets_acn_pdu_n3: longUnsigned,
    max_number_transmissions_n4: unsigned,
    acknowledgement_time_t1: inUnit(longUnsigned, 's'),
    receive_lifetime_var_t2: inUnit(longUnsigned, 's'),
    transmit_lifetime_var_t3: inUnit(longUnsigned, 's'),
  },
});

export const LLC_SSCS_SETUP = defineClass({
  id: 80,
  version: 0,
  name: '61334-4-32 LLC SSCS setup',
  attributes: { service_node_address: longUnsigned, base_node_address: longUnsigned },
  dynamic: ['service_node_address', 'base_node_address'],
  methods: { reset: zero },
  methodsAt: 0x20,
});

const PHY_COUNTERS = [
  'phy_stats_crc_incorrect_count',
  'phy_stats_crc_fail_count',
  'phy_stats_tx_drop_count',
  'phy_stats_rx_drop_count',
] as const;

export const PRIME_PHYSICAL_LAYER_COUNTERS = defineClass({
  id: 81,
  version: 0,
  name: 'PRIME NB OFDM PLC Physical layer counters',
  attributes: each(longUnsigned, ...PHY_COUNTERS),
  dynamic: PHY_COUNTERS,
  methods: { reset: zero },
});

export const PRIME_MAC_SETUP = defineClass({
  id: 82,
  version: 0,
  name: 'PRIME NB OFDM PLC MAC setup',
  attributes: each(
    unsigned,
    'mac_min_switch_search_time',
    'mac_max_promotion_pdu',
    'mac_promotion_pdu_tx_period',
    'mac_beacons_per_frame',
    'mac_scp_max_tx_attempts',
    'mac_ctl_re_tx_timer',
    'mac_max_ctl_re_tx',
  ),
});

export const PRIME_MAC_FUNCTIONAL_PARAMETERS = defineClass({
  id: 83,
  version: 0,
  name: 'PRIME NB OFDM PLC MAC functional parameters',
  attributes: {
    mac_LNID: long,
    mac_LSID: unsigned,
    mac_SID: unsigned,
    mac_SNA: binary,
    mac_state: enumOf({ 0: 'disconnected', 1: 'terminal', 2: 'switch', 3: 'base' }),
    mac_scp_length: long,
    ...each(
      unsigned,
      'mac_node_hierarchy_level',
      'mac_beacon_slot_count',
      'mac_beacon_rx_slot',
      'mac_beacon_tx_slot',
      'mac_beacon_rx_frequency',
      'mac_beacon_tx_frequency',
    ),
    mac_capabilities: flags('long-unsigned', [
      'switch_capable',
      'packet_aggregation',
      'contention_free_period',
      'direct_connection',
      'multicast',
      'PHY_robustness_management',
      'ARQ',
      '',
      'direct_connection_switching',
      'multicast_switching',
      'PHY_robustness_management_switching',
      'ARQ_buffering_switching',
    ]),
  },
});

const PRIME_COUNTERS = [
  'mac_tx_data_pkt_count',
  'mac_rx_data_pkt_count',
  'mac_tx_ctrl_pkt_count',
  'mac_rx_ctrl_pkt_count',
  'mac_csma_fail_count',
  'mac_csma_ch_busy_count',
] as const;

export const PRIME_MAC_COUNTERS = defineClass({
  id: 84,
  version: 0,
  name: 'PRIME NB OFDM PLC MAC counters',
  attributes: each(doubleLongUnsigned, ...PRIME_COUNTERS),
  dynamic: PRIME_COUNTERS,
  methods: { reset: zero },
  methodsAt: 0x40,
});

export const PRIME_NETWORK_ADMINISTRATION = defineClass({
  id: 85,
  version: 0,
  name: 'PRIME NB OFDM PLC MAC network administration data',
  attributes: {
    mac_list_multicast_entries: arrayOf(structureOf({ mcast_entry_LCID: integer, mcast_entry_members: long })),
    mac_list_switch_table: arrayOf(long),
    mac_list_direct_table: arrayOf(
      structureOf({
        dconn_entry_src_SID: long,
        dconn_entry_src_LNID: long,
        dconn_entry_src_LCID: long,
        dconn_entry_dst_SID: long,
        dconn_entry_dst_LNID: long,
        dconn_entry_dst_LCID: long,
        dconn_entry_did: binary,
      }),
    ),
    mac_list_available_switches: arrayOf(
      structureOf({
        slist_entry_SNA: binary,
        slist_entry_LSID: long,
        slist_entry_level: integer,
        slist_entry_rx_lvl: integer,
        slist_entry_rx_snr: integer,
      }),
    ),
    mac_list_phy_comm: arrayOf(
      structureOf({
        phy_comm_EUI: binary,
        phy_comm_tx_pwr: integer,
        phy_comm_tx_cod: integer,
        phy_comm_rx_cod: integer,
        phy_comm_rx_lvl: integer,
        phy_comm_SNR: integer,
        phy_comm_tx_pwr_mod: integer,
        phy_comm_tx_cod_mod: integer,
        phy_comm_rx_lvl_mod: integer,
      }),
    ),
  },
  dynamic: [
    'mac_list_multicast_entries',
    'mac_list_switch_table',
    'mac_list_direct_table',
    'mac_list_available_switches',
    'mac_list_phy_comm',
  ],
  methods: { reset: zero },
});

export const PRIME_APPLICATION_IDENTIFICATION = defineClass({
  id: 86,
  version: 0,
  name: 'PRIME NB OFDM PLC Application identification',
  attributes: { firmware_version: octetString, vendor_Id: longUnsigned, product_Id: longUnsigned },
});
