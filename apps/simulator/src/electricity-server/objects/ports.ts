/**
 * Communication ports: optical port, HDLC, TCP and UDP, IPv4, GPRS and GSM, M-Bus port, and the S-FSK PLC stack (IEC 62056-6-2
 * clauses 4.6 to 4.10; §4.3, §7.5 and §7.6 of the system description).
 *
 * Decides: what may be written is kept and shown; it does not reconfigure the sockets that the simulator listens on. Counters
 * and addresses of the PLC stack follow the engine's line. Leaves out: PPP authentication, SIM and modem commands.
 */
import { RESULT } from '@amiable/dlms';
import type { MeterConfig } from '../../electricity/index.ts';
import { signalValue } from '../../electricity/index.ts';
import { type MeterObject, object } from '../define.ts';
import { moment, octets } from '../values.ts';

const BAUD_9600 = { type: 'enum', value: 5 } as const;

export const localPorts = (): MeterObject[] => [
  object({
    classId: 19,
    version: 1,
    obis: '0-0:20.0.0',
    meaning: 'Optical port: IEC 62056-21, mode E leads to HDLC; passwords are written, never read',
    level: 'secret',
    attributes: {
      default_mode: { is: { type: 'enum', value: 0 } },
      default_baud: { is: { type: 'enum', value: 0 } },
      prop_baud: { kept: BAUD_9600 },
      response_time: { kept: { type: 'enum', value: 1 } },
      device_addr: { get: (m) => octets(m.engine.identification('meter-serial')) },
      pass_p1: { set: (_, m) => void m.changed() },
      pass_p2: { set: (_, m) => void m.changed() },
      pass_w5: { set: (_, m) => void m.changed() },
    },
  }),
  object({
    classId: 23,
    version: 1,
    obis: '0-0:22.0.0',
    meaning: 'HDLC on the local and the GSM port; device_address is the lower address',
    level: 'secret',
    attributes: {
      comm_speed: { kept: BAUD_9600 },
      window_size_transmit: { kept: 1, check: (n) => (n >= 1 && n <= 7 ? undefined : RESULT.otherReason) },
      window_size_receive: { kept: 1, check: (n) => (n >= 1 && n <= 7 ? undefined : RESULT.otherReason) },
      max_info_field_length_transmit: { kept: 512 },
      max_info_field_length_receive: { kept: 512 },
      inter_octet_time_out: { kept: 25 },
      inactivity_time_out: { kept: 120 },
      device_address: { get: (m) => m.lower },
    },
  }),
  object({
    classId: 74,
    obis: '0-0:24.6.0',
    meaning: 'M-Bus port: master for up to four slaves',
    level: 'set',
    attributes: { comm_speed: { kept: { type: 'enum', value: 3 } } },
  }),
];

/** TCP and UDP, IPv4. */
export const ipPorts = (): MeterObject[] => [
  object({
    classId: 41,
    obis: '0-0:25.0.0',
    meaning: 'TCP and UDP port of the wrapper',
    level: 'secret',
    attributes: {
      'TCP-UDP_port': { kept: 4059 },
      IP_reference: { is: '0-0:25.1.0' },
      MSS: { kept: 576 },
      nb_of_sim_conn: { is: 4 },
      inactivity_time_out: { kept: 180 },
    },
  }),
  object({
    classId: 42,
    obis: '0-0:25.1.0',
    meaning: 'IPv4 address, as the network gives it',
    level: 'secret',
    attributes: {
      DL_reference: { is: '0-0:25.3.0' },
      IP_address: { is: '127.0.0.1' },
      multicast_IP_address: { is: [] },
      IP_options: { is: [] },
      subnet_mask: { is: '255.0.0.0' },
      gateway_IP_address: { kept: '0.0.0.0' },
      use_DHCP_flag: { kept: true },
      primary_DNS_address: { kept: '0.0.0.0' },
      secondary_DNS_address: { kept: '0.0.0.0' },
    },
  }),
];

const QOS = { precedence: 0, delay: 0, reliability: 0, peak_throughput: 0, mean_throughput: 0 };

const GSM_STATUS = (ready: boolean, sim: string): number => (sim !== 'ok' ? 3 : ready ? 1 : 2);

/** Of GPRS/GSM modules. */
const gprsPorts = (): MeterObject[] => [
  ...ipPorts(),
  object({
    classId: 44,
    obis: '0-0:25.3.0',
    meaning: 'PPP to the network; PAP or CHAP, user name and password are written, never read',
    level: 'secret',
    attributes: {
      PHY_reference: { is: '0-0:2.0.0' },
      LCP_options: { kept: [] },
      IPCP_options: { kept: [] },
      PPP_authentication: { set: () => undefined },
    },
  }),
  object({
    classId: 45,
    obis: '0-0:25.4.0',
    meaning: 'GPRS modem: access point, PIN, quality of service',
    level: 'secret',
    attributes: {
      APN: { kept: octets('') },
      PIN_code: { set: () => undefined },
      quality_of_service: { kept: { default: QOS, requested: QOS } },
    },
  }),
  object({
    classId: 47,
    version: 1,
    obis: '0-0:25.6.0',
    meaning: 'GSM diagnostic: registration, attachment, signal (receive signal value 0 to 63)',
    level: 'data',
    attributes: {
      operator: { is: 'Amiable' },
      status: { get: (m) => ({ type: 'enum', value: GSM_STATUS(m.engine.radio.ready, m.engine.radio.sim) }) },
      cs_attachment: {
        get: (m) => ({ type: 'enum', value: m.engine.radio.call ? 2 : m.engine.radio.gsm === 'connected' ? 2 : 0 }),
      },
      ps_status: { get: (m) => ({ type: 'enum', value: m.engine.radio.gprs === 'off' ? 0 : 1 }) },
      cell_info: {
        get: (m) => ({
          cell_ID: 1,
          location_ID: 1,
          signal_quality: signalValue(m.engine.radio.signal),
          ber: 99,
          mcc: 242,
          mnc: 99,
          channel_number: 0,
        }),
      },
      adjacent_cells: { is: [] },
      capture_time: {
        encoded: (m) => {
          // As date-time itself, not in an octet-string.
          const octet = moment(m.engine.config.zone, m.engine.clock.utc);
          const out = octet.slice(1);
          out[0] = 0x19;
          return out;
        },
      },
    },
  }),
  object({
    classId: 27,
    version: 1,
    obis: '0-0:2.0.0',
    meaning: 'Modem configuration of the GSM port',
    level: 'secret',
    attributes: {
      comm_speed: { kept: BAUD_9600 },
      initialization_string: { kept: [] },
      modem_profile: { kept: [] },
    },
  }),
  object({
    classId: 28,
    version: 2,
    obis: '0-0:2.2.0',
    meaning: 'Auto answer: when GSM calls are taken',
    level: 'secret',
    attributes: {
      mode: { kept: { type: 'enum', value: 0 } },
      listening_window: { kept: [] },
      status: { get: (m) => ({ type: 'enum', value: m.engine.radio.gsm === 'off' ? 0 : 1 }) },
      number_of_calls: { kept: 0 },
      number_of_rings: { kept: { nr_rings_in_window: 1, nr_rings_out_of_window: 0 } },
      list_of_allowed_callers: { kept: [] },
    },
  }),
];

/** CENELEC A band, the frequencies of IEC 61334-5-1 most used. */
const FREQUENCIES = { mark_frequency: 63_300, space_frequency: 74_000 };
const NO_INITIATOR = 0x0c00;

/** Of PLC modules. */
const plcPorts = (): MeterObject[] => [
  object({
    classId: 50,
    version: 1,
    obis: '0-0:26.0.0',
    meaning: 'S-FSK physical and MAC layer: addresses, repeater, synchronisation',
    level: 'set',
    attributes: {
      initiator_electrical_phase: { is: { type: 'enum', value: 1 } },
      delta_electrical_phase: { is: { type: 'enum', value: 1 } },
      max_receiving_gain: { kept: 60 },
      max_transmitting_gain: { kept: 60 },
      search_initiator_threshold: { kept: 98 },
      frequencies: { is: FREQUENCIES },
      // FFE: NEW, not registered.
      mac_address: { get: (m) => (m.engine.plcState === 'registered' ? (m.number % 0xbff) + 1 : 0xffe) },
      mac_group_addresses: { is: [0xfff] },
      repeater: { kept: { type: 'enum', value: 2 } },
      repeater_status: { is: true },
      min_delta_credit: { is: 0 },
      initiator_mac_address: { get: (m) => (m.engine.plcState === 'new-unlocked' ? 0 : NO_INITIATOR) },
      synchronization_locked: { get: (m) => m.engine.plcLine.mains && m.engine.plcLine.concentrator },
      transmission_speed: { is: { type: 'enum', value: 3 } },
    },
  }),
  object({
    classId: 51,
    obis: '0-0:26.1.0',
    meaning: 'S-FSK active initiator: the concentrator that the module is registered at',
    level: 'data',
    attributes: {
      active_initiator: {
        get: (m) => ({
          system_title: m.engine.plcState === 'new-unlocked' ? new Uint8Array(6) : new TextEncoder().encode('AMIDC1'),
          MAC_address: m.engine.plcState === 'new-unlocked' ? 0 : NO_INITIATOR,
          L_SAP_selector: 1,
        }),
      },
    },
  }),
  object({
    classId: 52,
    obis: '0-0:26.2.0',
    meaning: 'S-FSK MAC synchronisation timeouts; time_out_not_addressed is the time until the module is NEW (6 h)',
    level: 'set',
    attributes: {
      search_initiator_timeout: { kept: 600 },
      synchronization_confirmation_timeout: { kept: 3 },
      time_out_not_addressed: {
        get: (m) => Math.round(m.engine.parameters.plcLostAfter / 60),
        set: (minutes, m) => m.engine.setParameters({ plcLostAfter: minutes * 60 }),
      },
      time_out_frame_not_OK: { kept: 45 },
    },
  }),
  object({
    classId: 53,
    obis: '0-0:26.3.0',
    meaning: 'S-FSK MAC counters (the simulated line loses no frames: they stay 0)',
    level: 'set',
    attributes: {
      synchronization_register: { is: [] },
      desynchronization_listing: {
        is: {
          nb_physical_layer_desynchronization: 0,
          nb_time_out_not_addressed_desynchronization: 0,
          nb_time_out_frame_not_OK_desynchronization: 0,
          nb_write_request_desynchronization: 0,
          nb_wrong_initiator_desynchronization: 0,
        },
      },
      broadcast_frames_counter: { is: [] },
      repetitions_counter: { is: 0 },
      transmissions_counter: { is: 0 },
      CRC_OK_frames_counter: { is: 0 },
      CRC_NOK_frames_counter: { is: 0 },
    },
    methods: { reset: () => undefined },
  }),
  object({
    classId: 55,
    version: 1,
    obis: '0-0:26.5.0',
    meaning: 'IEC 61334-4-32 LLC: longest frame, L-SAPs',
    level: 'data',
    attributes: {
      max_frame_length: { is: 134 },
      reply_status_list: { is: [{ L_SAP_selector: 1, length_of_waiting_L_SDU: 0 }] },
    },
  }),
];

export const portObjects = (config: MeterConfig): MeterObject[] => [
  ...localPorts(),
  ...(config.module === 'gprs' ? gprsPorts() : [...ipPorts(), ...plcPorts()]),
];
