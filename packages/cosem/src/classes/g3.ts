/**
 * Interface classes for G3-PLC and its hybrid with radio (IEC 62056-6-2 clauses 4.13 and 4.13a; G3-PLC Alliance).
 *
 * Decides: version 1 of the MAC setup and 6LoWPAN classes as their first attributes say, version 4 as it stands today.
 * Leaves out: versions 2 and 3, which lie between; the elements of neighbour and POS tables, which changed with each.
 */
import { zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  binary,
  bitString,
  bool,
  doubleLongUnsigned,
  each,
  enumOf,
  longUnsigned,
  structureOf,
  unnamedEnum,
  unsigned,
} from './type.ts';

const MAC_COUNTERS = [
  'mac_Tx_data_packet_count',
  'mac_Rx_data_packet_count',
  'mac_Tx_cmd_packet_count',
  'mac_Rx_cmd_packet_count',
  'mac_CSMA_fail_count',
  'mac_CSMA_no_ACK_count',
  'mac_bad_CRC_count',
  'mac_Tx_data_broadcast_count',
  'mac_Rx_data_broadcast_count',
] as const;

export const G3_MAC_LAYER_COUNTERS = defineClass({
  id: 90,
  version: 1,
  name: 'G3-PLC MAC layer counters',
  attributes: each(doubleLongUnsigned, ...MAC_COUNTERS),
  dynamic: MAC_COUNTERS,
  methods: { reset: zero },
});

const macHead = {
  mac_short_address: longUnsigned,
  mac_RC_coord: longUnsigned,
  mac_PAN_id: longUnsigned,
  mac_key_table: arrayOf(structureOf({ key_id: unsigned, key: binary })),
  mac_frame_counter: doubleLongUnsigned,
  mac_tone_mask: bitString,
  mac_TMR_TTL: unsigned,
  mac_max_frame_retries: unsigned,
} as const;
const macMiddle = {
  mac_neighbour_table: arrayOf(any),
  ...each(
    unsigned,
    'mac_high_priority_window_size',
    'mac_CSMA_fairness_limit',
    'mac_beacon_randomization_window_length',
    'mac_A',
    'mac_K',
    'mac_min_CW_attempts',
    'mac_cenelec_legacy_mode',
    'mac_FCC_legacy_mode',
    'mac_max_BE',
    'mac_max_CSMA_backoffs',
    'mac_min_BE',
  ),
} as const;
const MAC_DYNAMIC = [
  'mac_short_address',
  'mac_RC_coord',
  'mac_PAN_id',
  'mac_key_table',
  'mac_frame_counter',
  'mac_neighbour_table',
] as const;

export const G3_MAC_SETUP_1 = defineClass({
  id: 91,
  version: 1,
  name: 'G3-PLC MAC setup',
  attributes: { ...macHead, mac_neighbour_table_entry_TTL: unsigned, ...macMiddle },
  dynamic: MAC_DYNAMIC,
  methods: { mac_get_neighbour_table_entry: longUnsigned },
  returns: { mac_get_neighbour_table_entry: any },
});

export const G3_MAC_SETUP_4 = defineClass({
  id: 91,
  version: 4,
  name: 'G3-PLC MAC setup',
  attributes: {
    ...macHead,
    mac_POS_table_entry_TTL: unsigned,
    ...macMiddle,
    mac_broadcast_max_CW_enabled: bool,
    mac_transmit_atten: unsigned,
    mac_POS_table: arrayOf(any),
    mac_duplicate_detection_TTL: unsigned,
    mac_POS_recent_entry_threshold: unsigned,
    mac_POS_recent_entries: longUnsigned,
    mac_preamble_length: unsigned,
  },
  dynamic: [...MAC_DYNAMIC, 'mac_POS_table'],
  methods: { mac_get_neighbour_table_entry: longUnsigned, mac_get_POS_table_entry: longUnsigned },
  returns: { mac_get_neighbour_table_entry: any, mac_get_POS_table_entry: any },
});

const routingConfiguration = arrayOf(
  structureOf({
    adp_net_traversal_time: unsigned,
    adp_routing_table_entry_TTL: longUnsigned,
    ...each(unsigned, 'adp_Kr', 'adp_Km', 'adp_Kc', 'adp_Kq', 'adp_Kh', 'adp_Krt', 'adp_RREQ_retries', 'adp_RREQ_wait'),
    adp_blacklist_table_entry_TTL: longUnsigned,
    adp_unicast_RREQ_gen_enable: bool,
    adp_RLC_enabled: bool,
    adp_add_rev_link_cost: unsigned,
  }),
);
const routingTable = arrayOf(
  structureOf({
    destination_address: longUnsigned,
    next_hop_address: longUnsigned,
    route_cost: longUnsigned,
    hop_count: unsigned,
    weak_link_count: unsigned,
    valid_time: longUnsigned,
  }),
);
const blacklistTable = arrayOf(structureOf({ blacklisted_neighbour_address: longUnsigned, valid_time: longUnsigned }));

const adaptation1 = {
  adp_max_hops: unsigned,
  adp_weak_LQI_value: unsigned,
  adp_security_level: unsigned,
  adp_prefix_table: arrayOf(any),
  adp_routing_configuration: routingConfiguration,
  adp_broadcast_log_table_entry_TTL: longUnsigned,
  adp_routing_table: routingTable,
  adp_context_information_table: arrayOf(
    structureOf({ CID: bitString, context_length: unsigned, context: binary, C: bool, valid_lifetime: longUnsigned }),
  ),
  adp_blacklist_table: blacklistTable,
  adp_broadcast_log_table: arrayOf(
    structureOf({ source_address: longUnsigned, sequence_number: unsigned, valid_time: longUnsigned }),
  ),
  adp_group_table: arrayOf(longUnsigned),
  adp_max_join_wait_time: longUnsigned,
  adp_path_discovery_time: unsigned,
  adp_active_key_index: unsigned,
  adp_metric_type: unsigned,
  adp_coord_short_address: longUnsigned,
  adp_disable_default_routing: bool,
  adp_device_type: enumOf({ 0: 'PAN_device', 1: 'PAN_coordinator', 2: 'not_defined' }),
} as const;
const ADAPTATION_DYNAMIC = [
  'adp_prefix_table',
  'adp_routing_table',
  'adp_context_information_table',
  'adp_blacklist_table',
  'adp_broadcast_log_table',
  'adp_group_table',
] as const;

export const G3_6LOWPAN_1 = defineClass({
  id: 92,
  version: 1,
  name: 'G3-PLC 6LoWPAN adaptation layer setup',
  attributes: adaptation1,
  dynamic: ADAPTATION_DYNAMIC,
});

export const G3_6LOWPAN_4 = defineClass({
  id: 92,
  version: 4,
  name: 'G3-PLC 6LoWPAN adaptation layer setup',
  attributes: {
    ...adaptation1,
    adp_default_coord_route_enabled: bool,
    adp_destination_address_set: arrayOf(longUnsigned),
    adp_low_LQI_value: unsigned,
    adp_high_LQI_value: unsigned,
    adp_delay_low_LQI: longUnsigned,
    adp_delay_high_LQI: longUnsigned,
    adp_RREQ_jitter_low_LQI: unsigned,
    adp_RREQ_jitter_high_LQI: unsigned,
    adp_trickle_data_enabled: bool,
    adp_trickle_LQI_threshold_low: unsigned,
    adp_trickle_step: unsigned,
    adp_trickle_Imin: longUnsigned,
    adp_trickle_max_Ki: unsigned,
    adp_trickle_adaptive_Imin: bool,
    adp_trickle_adaptive_Ki: bool,
    adp_cluster_trickle_enabled: bool,
    adp_cluster_min_LQI: unsigned,
    adp_cluster_trickle_K: unsigned,
    adp_cluster_RREQ_route_cost_deviation: unsigned,
    adp_cluster_trickle_I: longUnsigned,
    adp_trickle_LQI_threshold_high: unsigned,
  },
  dynamic: [...ADAPTATION_DYNAMIC, 'adp_destination_address_set'],
});

const RF_COUNTERS = [
  'mac_retry_count_RF',
  'mac_multiple_retry_count_RF',
  'mac_Tx_fail_count_RF',
  'mac_Tx_success_count_RF',
  'mac_fcs_error_count_RF',
  'mac_security_failure_count_RF',
  'mac_duplicate_frame_count_RF',
  'mac_Rx_success_count_RF',
] as const;

export const G3_HYBRID_RF_MAC_COUNTERS = defineClass({
  id: 160,
  version: 0,
  name: 'G3-PLC Hybrid RF MAC layer counters',
  attributes: each(doubleLongUnsigned, ...RF_COUNTERS),
  dynamic: RF_COUNTERS,
  methods: { reset: zero },
  methodsAt: 0x50,
});

export const G3_HYBRID_RF_MAC_SETUP = defineClass({
  id: 161,
  version: 1,
  name: 'G3-PLC Hybrid RF MAC setup',
  attributes: {
    mac_max_BE_RF: unsigned,
    mac_max_CSMA_backoffs_RF: unsigned,
    mac_max_frame_retries_RF: unsigned,
    mac_min_BE_RF: unsigned,
    mac_frame_counter_RF: doubleLongUnsigned,
    mac_duplicate_detection_TTL_RF: unsigned,
    mac_POS_table_RF: arrayOf(any),
    mac_operating_mode_RF: unsigned,
    mac_channel_number_RF: longUnsigned,
    mac_duty_cycle_usage_RF: unsigned,
    mac_duty_cycle_period_RF: longUnsigned,
    mac_duty_cycle_limit_RF: longUnsigned,
    mac_duty_cycle_threshold_RF: unsigned,
    mac_disable_PHY_RF: bool,
    mac_frequency_band_RF: unnamedEnum,
    mac_transmit_atten_RF: unsigned,
    mac_adaptive_power_step_RF: unsigned,
    mac_adaptive_power_high_bound_RF: unsigned,
    mac_adaptive_power_low_bound_RF: unsigned,
    mac_POS_recent_entries_RF: longUnsigned,
    mac_hopping_enabled_RF: bool,
    mac_broadcast_interval_duration_RF: longUnsigned,
    mac_broadcast_slot_duration_RF: unsigned,
    mac_unicast_slot_duration_RF: unsigned,
    mac_extended_bitmap_RF: bitString,
    mac_beacon_randomization_window_length_RF: longUnsigned,
    mac_additional_channel_scan_time_RF: unsigned,
    mac_max_cca_attempts_retries_RF: unsigned,
    mac_min_inter_Tx_interval_RF: longUnsigned,
    mac_initial_retry_time_RF: longUnsigned,
    mac_maximum_retry_time_RF: longUnsigned,
    mac_max_clock_drift_RF: unsigned,
    mac_FH_unicast_schedule_address_RF: longUnsigned,
    mac_FH_unicast_slot_number_RF: longUnsigned,
    mac_FH_unicast_offset_RF: unsigned,
    mac_min_guard_time_RF: unsigned,
    mac_max_bcast_resync_wait_unit_RF: unsigned,
  },
  dynamic: ['mac_frame_counter_RF', 'mac_POS_table_RF', 'mac_duty_cycle_usage_RF', 'mac_POS_recent_entries_RF'],
  methods: { mac_get_POS_table_entry_RF: longUnsigned },
  returns: { mac_get_POS_table_entry_RF: any },
});

export const G3_HYBRID_6LOWPAN = defineClass({
  id: 162,
  version: 1,
  name: 'G3-PLC Hybrid 6LoWPAN adaptation layer setup',
  attributes: {
    adp_routing_table: arrayOf(any),
    adp_blacklist_table: arrayOf(any),
    adp_low_LQI_value_RF: unsigned,
    adp_high_LQI_value_RF: unsigned,
    adp_routing_configuration_RF: arrayOf(any),
    adp_use_backup_media: bool,
    adp_weak_LQI_value_RF: unsigned,
    adp_trickle_LQI_threshold_low_RF: unsigned,
    adp_delay_low_LQI_RF: longUnsigned,
    adp_delay_high_LQI_RF: longUnsigned,
    adp_RREQ_jitter_low_LQI_RF: unsigned,
    adp_RREQ_jitter_high_LQI_RF: unsigned,
    adp_cluster_trickle_I_RF: longUnsigned,
    adp_cluster_trickle_K_RF: unsigned,
    adp_cluster_min_LQI_RF: unsigned,
    adp_last_gasp: bool,
    adp_probing_interval: unsigned,
    adp_trickle_LQI_threshold_high_RF: unsigned,
  },
  dynamic: ['adp_routing_table', 'adp_blacklist_table'],
});
