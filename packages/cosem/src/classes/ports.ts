/**
 * Interface classes for local ports, modems and the internet (IEC 62056-6-2 clauses 4.6 to 4.9): IEC local port, HDLC,
 * twisted pair, modem, auto answer and connect, TCP-UDP, IPv4, IPv6, MAC address, PPP, GPRS, SMTP, GSM, NTP, LTE, CoAP.
 */
import { baud, timeWindow, zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  binary,
  bool,
  choiceOf,
  dateTimeItself,
  doubleLongUnsigned,
  each,
  enumOf,
  integer,
  inUnit,
  ipv6Address,
  logicalName,
  longUnsigned,
  octetString,
  structureOf,
  unsigned,
  visibleString,
} from './type.ts';

export const IEC_LOCAL_PORT_SETUP = defineClass({
  id: 19,
  version: 1,
  name: 'IEC local port setup',
  attributes: {
    default_mode: enumOf({
      0: 'IEC_62056-21',
      1: 'IEC_62056-46',
      2: 'not_specified',
    }),
    default_baud: baud,
    prop_baud: baud,
    response_time: enumOf({ 0: '20_ms', 1: '200_ms' }),
    device_addr: octetString,
    pass_p1: octetString,
    pass_p2: octetString,
    pass_w5: octetString,
  },
});

export const IEC_HDLC_SETUP = defineClass({
  id: 23,
  version: 1,
  name: 'IEC HDLC setup',
  attributes: {
    comm_speed: baud,
    window_size_transmit: unsigned,
    window_size_receive: unsigned,
    max_info_field_length_transmit: longUnsigned,
    max_info_field_length_receive: longUnsigned,
    inter_octet_time_out: inUnit(longUnsigned, 'ms'),
    inactivity_time_out: inUnit(longUnsigned, 's'),
    device_address: longUnsigned,
  },
});

export const IEC_TWISTED_PAIR_SETUP = defineClass({
  id: 24,
  version: 1,
  name: 'IEC twisted pair (1) setup',
  attributes: {
    mode: enumOf({ 0: 'inactive', 1: 'active' }),
    speed: baud,
    primary_address_list: arrayOf(unsigned),
    tabi_list: arrayOf(integer),
  },
});

const modem = <const D extends Readonly<Record<string, typeof longUnsigned>>>(delay: D) => ({
  comm_speed: baud,
  initialization_string: arrayOf(structureOf({ request: octetString, response: octetString, ...delay })),
  modem_profile: arrayOf(octetString),
});

export const MODEM_CONFIGURATION_0 = defineClass({
  id: 27,
  version: 0,
  name: 'Modem configuration',
  attributes: modem({}),
});

export const MODEM_CONFIGURATION_1 = defineClass({
  id: 27,
  version: 1,
  name: 'Modem configuration',
  attributes: modem({ delay_after_response: inUnit(longUnsigned, 'ms') }),
});

const autoAnswer = {
  mode: enumOf({
    0: 'line_dedicated_to_the_device',
    1: 'shared_line_limited_number_of_calls',
    2: 'shared_line_limited_number_of_successful_calls',
    3: 'no_modem_connected',
  }),
  listening_window: arrayOf(timeWindow),
  status: enumOf({ 0: 'inactive', 1: 'active', 2: 'locked' }),
  number_of_calls: unsigned,
  number_of_rings: structureOf({ nr_rings_in_window: unsigned, nr_rings_out_of_window: unsigned }),
} as const;

export const AUTO_ANSWER_0 = defineClass({
  id: 28,
  version: 0,
  name: 'Auto answer',
  attributes: autoAnswer,
  dynamic: ['status'],
});

export const AUTO_ANSWER_2 = defineClass({
  id: 28,
  version: 2,
  name: 'Auto answer',
  attributes: {
    ...autoAnswer,
    list_of_allowed_callers: arrayOf(
      structureOf({ caller_id: octetString, call_type: enumOf({ 0: 'normal_CSD_call', 1: 'wake-up_request' }) }),
    ),
  },
  dynamic: ['status'],
});

const autoConnect = {
  mode: enumOf({
    0: 'no_auto_connect',
    1: 'auto_dialling_any_time',
    2: 'auto_dialling_within_window',
    3: 'regular_auto_dialling_within_window_alarm_any_time',
    4: 'SMS_via_PLMN',
    5: 'SMS_via_PSTN',
    6: 'email',
    101: 'permanently_connected',
    102: 'permanently_connected_within_window',
    103: 'permanently_connected_within_window_or_on_connect',
    104: 'disconnected_connect_on_connect',
  }),
  repetitions: unsigned,
  repetition_delay: inUnit(longUnsigned, 's'),
  calling_window: arrayOf(timeWindow),
  destination_list: arrayOf(octetString),
} as const;

export const AUTO_CONNECT_1 = defineClass({
  id: 29,
  version: 1,
  name: 'Auto connect',
  attributes: autoConnect,
});

export const AUTO_CONNECT_2 = defineClass({
  id: 29,
  version: 2,
  name: 'Auto connect',
  attributes: autoConnect,
  methods: { connect: zero },
  methodsAt: 0x30,
});

export const TCP_UDP_SETUP = defineClass({
  id: 41,
  version: 0,
  name: 'TCP-UDP setup',
  attributes: {
    'TCP-UDP_port': longUnsigned,
    IP_reference: logicalName,
    MSS: longUnsigned,
    nb_of_sim_conn: unsigned,
    inactivity_time_out: inUnit(longUnsigned, 's'),
  },
});

/** Printed as four numbers. */
const ipv4 = inUnit(doubleLongUnsigned, 'IPv4');

export const IPV4_SETUP = defineClass({
  id: 42,
  version: 0,
  name: 'IPv4 setup',
  attributes: {
    DL_reference: logicalName,
    IP_address: ipv4,
    multicast_IP_address: arrayOf(ipv4),
    IP_options: arrayOf(structureOf({ IP_Option_Type: unsigned, IP_Option_Length: unsigned, IP_Option_Data: binary })),
    subnet_mask: ipv4,
    gateway_IP_address: ipv4,
    use_DHCP_flag: bool,
    primary_DNS_address: ipv4,
    secondary_DNS_address: ipv4,
  },
  methods: { add_mc_IP_address: ipv4, delete_mc_IP_address: ipv4, get_nbof_mc_IP_addresses: zero },
  methodsAt: 0x60,
  returns: { get_nbof_mc_IP_addresses: longUnsigned },
});

export const MAC_ADDRESS_SETUP = defineClass({
  id: 43,
  version: 0,
  name: 'MAC address setup',
  attributes: { MAC_address: binary },
});

export const PPP_SETUP = defineClass({
  id: 44,
  version: 0,
  name: 'PPP setup',
  attributes: {
    PHY_reference: logicalName,
    LCP_options: arrayOf(structureOf({ LCP_Option_Type: unsigned, LCP_Option_Length: unsigned, LCP_Option_Data: any })),
    IPCP_options: arrayOf(
      structureOf({ IPCP_Option_Type: unsigned, IPCP_Option_Length: unsigned, IPCP_Option_Data: any }),
    ),
    /** A structure of user name and password, or what the kind of authentication asks for. */
    PPP_authentication: any,
  },
});

const qosElement = structureOf(
  each(unsigned, 'precedence', 'delay', 'reliability', 'peak_throughput', 'mean_throughput'),
);

export const GPRS_MODEM_SETUP = defineClass({
  id: 45,
  version: 0,
  name: 'GPRS modem setup',
  attributes: {
    APN: octetString,
    PIN_code: longUnsigned,
    quality_of_service: structureOf({ default: qosElement, requested: qosElement }),
  },
});

export const SMTP_SETUP = defineClass({
  id: 46,
  version: 0,
  name: 'SMTP setup',
  attributes: {
    server_port: longUnsigned,
    user_name: octetString,
    login_password: octetString,
    server_address: octetString,
    sender_address: octetString,
  },
});

const gsmStatus = {
  0: 'not_registered',
  1: 'registered_home_network',
  2: 'not_registered_searching',
  3: 'registration_denied',
  4: 'unknown',
  5: 'registered_roaming',
} as const;
const csAttachment = enumOf({ 0: 'inactive', 1: 'incoming_call', 2: 'active' });
const PS_STATUS_0 = { 0: 'inactive', 1: 'GPRS', 2: 'EDGE', 3: 'UMTS', 4: 'HSDPA' } as const;
const PS_STATUS_1 = { ...PS_STATUS_0, 5: 'LTE', 6: 'CDMA' } as const;
const PS_STATUS_2 = { ...PS_STATUS_1, 7: 'LTE_Cat_M1', 8: 'LTE_Cat_NB1', 9: 'LTE_Cat_NB2' } as const;
const cell1 = structureOf({
  cell_ID: doubleLongUnsigned,
  location_ID: longUnsigned,
  signal_quality: unsigned,
  ber: unsigned,
  mcc: longUnsigned,
  mnc: longUnsigned,
  channel_number: doubleLongUnsigned,
});
const adjacent1 = arrayOf(structureOf({ cell_ID: doubleLongUnsigned, signal_quality: unsigned }));
const GSM_DYNAMIC = [
  'operator',
  'status',
  'cs_attachment',
  'ps_status',
  'cell_info',
  'adjacent_cells',
  'capture_time',
] as const;

export const GSM_DIAGNOSTIC_0 = defineClass({
  id: 47,
  version: 0,
  name: 'GSM diagnostic',
  attributes: {
    operator: visibleString,
    status: enumOf(gsmStatus),
    cs_attachment: csAttachment,
    ps_status: enumOf(PS_STATUS_0),
    cell_info: structureOf({
      cell_ID: longUnsigned,
      location_ID: longUnsigned,
      signal_quality: unsigned,
      ber: unsigned,
    }),
    adjacent_cells: arrayOf(structureOf({ cell_ID: longUnsigned, signal_quality: unsigned })),
    capture_time: dateTimeItself,
  },
  dynamic: GSM_DYNAMIC,
});

export const GSM_DIAGNOSTIC_1 = defineClass({
  id: 47,
  version: 1,
  name: 'GSM diagnostic',
  attributes: {
    operator: visibleString,
    status: enumOf(gsmStatus),
    cs_attachment: csAttachment,
    ps_status: enumOf(PS_STATUS_1),
    cell_info: cell1,
    adjacent_cells: adjacent1,
    capture_time: dateTimeItself,
  },
  dynamic: GSM_DYNAMIC,
});

export const GSM_DIAGNOSTIC_2 = defineClass({
  id: 47,
  version: 2,
  name: 'GSM diagnostic',
  attributes: {
    operator: visibleString,
    status: enumOf(gsmStatus),
    cs_attachment: csAttachment,
    ps_status: enumOf(PS_STATUS_2),
    cell_info: cell1,
    adjacent_cells: adjacent1,
    capture_time: dateTimeItself,
  },
  dynamic: GSM_DYNAMIC,
});

const ipv6Change = structureOf({
  IPv6_address_type: enumOf({ 0: 'unicast', 1: 'multicast', 2: 'gateway' }),
  IPv6_address: ipv6Address,
});

export const IPV6_SETUP = defineClass({
  id: 48,
  version: 0,
  name: 'IPv6 setup',
  attributes: {
    DL_reference: logicalName,
    address_config_mode: enumOf({ 0: 'auto_configuration', 1: 'DHCPv6', 2: 'manual', 3: 'ND' }),
    unicast_IPv6_addresses: arrayOf(ipv6Address),
    multicast_IPv6_addresses: arrayOf(ipv6Address),
    gateway_IPv6_addresses: arrayOf(ipv6Address),
    primary_DNS_address: ipv6Address,
    secondary_DNS_address: ipv6Address,
    traffic_class: unsigned,
    neighbor_discovery_setup: arrayOf(
      structureOf({
        RS_max_retry: unsigned,
        RS_retry_wait_time: inUnit(longUnsigned, 'ms'),
        RA_send_period: inUnit(doubleLongUnsigned, 's'),
      }),
    ),
  },
  methods: { add_IPv6_address: ipv6Change, remove_IPv6_address: ipv6Change },
  methodsAt: 0x60,
});

const ntpKey = structureOf({ key_id: doubleLongUnsigned, key: binary });

export const NTP_SETUP = defineClass({
  id: 100,
  version: 0,
  name: 'NTP setup',
  attributes: {
    activated: bool,
    server_address: octetString,
    server_port: longUnsigned,
    authentication_method: enumOf({ 0: 'no_security', 1: 'shared_secrets', 2: 'auto_key_IFF' }),
    authentication_keys: arrayOf(ntpKey),
    client_key: binary,
  },
  methods: { synchronize: zero, add_authentication_key: ntpKey, delete_authentication_key: doubleLongUnsigned },
});

const lteNetwork0 = { T3402: longUnsigned, T3412: longUnsigned } as const;

export const LTE_MONITORING_0 = defineClass({
  id: 151,
  version: 0,
  name: 'LTE monitoring',
  attributes: {
    LTE_network_parameters: structureOf({
      ...lteNetwork0,
      RSRQ: unsigned,
      RSRP: unsigned,
      qRxlevMin: integer,
    }),
  },
  dynamic: ['LTE_network_parameters'],
});

export const LTE_MONITORING_1 = defineClass({
  id: 151,
  version: 1,
  name: 'LTE monitoring',
  attributes: {
    LTE_network_parameters: structureOf({
      ...lteNetwork0,
      T3412ext2: doubleLongUnsigned,
      T3324: longUnsigned,
      TeDRX: doubleLongUnsigned,
      TPTW: longUnsigned,
      qRxlevMin: integer,
      'qRxlevMinCE-r13': integer,
      'qRxLevMinCE1-r13': integer,
    }),
    LTE_quality_of_service: structureOf({
      RSRQ: integer,
      RSRP: integer,
      SNR: integer,
      CE_level: enumOf({
        0: 'coverage_enhancement_level_0',
        1: 'coverage_enhancement_level_1',
        2: 'coverage_enhancement_level_2',
      }),
    }),
  },
  dynamic: ['LTE_network_parameters', 'LTE_quality_of_service'],
});

export const COAP_SETUP = defineClass({
  id: 152,
  version: 0,
  name: 'CoAP setup',
  attributes: {
    UDP_reference: logicalName,
    ...each(
      longUnsigned,
      'ack_timeout',
      'ack_random_factor',
      'max_retransmit',
      'nstart',
      'delay_ack_timeout',
      'exponential_back_off',
      'probing_rate',
    ),
    CoAP_uri_path: octetString,
    transport_mode: enumOf({ 1: 'reliable', 2: 'unreliable', 3: 'reliable_and_unreliable' }),
    version: any,
    token_length: unsigned,
  },
  dynamic: ['version'],
});

const captureTime = structureOf({ attribute_id: unsigned, timestamp: dateTimeItself });

export const COAP_DIAGNOSTIC = defineClass({
  id: 153,
  version: 0,
  name: 'CoAP diagnostic',
  attributes: {
    messages_counter: structureOf(
      each(
        doubleLongUnsigned,
        'tx',
        'rx',
        'tx_resend',
        'tx_reset',
        'rx_reset',
        'tx_ack',
        'rx_ack',
        'rx_drop',
        'tx_non_piggybacked',
        'max_rtx_exceeded',
      ),
    ),
    request_response_counter: structureOf(
      each(
        doubleLongUnsigned,
        'rx_requests',
        'tx_requests',
        'rx_responses',
        'tx_responses',
        'tx_client_errors',
        'rx_client_errors',
        'tx_server_errors',
        'rx_server_errors',
      ),
    ),
    coap_bt_counter: structureOf(each(doubleLongUnsigned, 'bt_started', 'bt_completed', 'bt_timeout')),
    capture_time: choiceOf(captureTime, any),
  },
  dynamic: ['messages_counter', 'request_response_counter', 'coap_bt_counter', 'capture_time'],
  methods: { reset: zero },
  methodsAt: 0x30,
});
