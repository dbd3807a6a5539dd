/**
 * Interface classes for time- and event-bound control (IEC 62056-6-2 clause 4.5): Clock, Script table, Schedule, Special
 * days, Activity calendar, Register monitor, Single action schedule, Disconnect control, Limiter, Parameter monitor,
 * Sensor manager, Arbitrator.
 */
import { actionItem, actionSet, scalerUnit, valueDefinition, zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  binary,
  bitString,
  bool,
  date,
  dateTime,
  dateTimeItself,
  doubleLongUnsigned,
  enumOf,
  flags,
  integer,
  inUnit,
  logicalName,
  long,
  longUnsigned,
  octetString,
  simple,
  structureOf,
  time,
  unnamedEnum,
  unsigned,
} from './type.ts';

/** Bits of the status of a clock, also the last byte of a date-time (clause 4.1.6.1). */
export const CLOCK_STATUS = [
  'invalid_value',
  'doubtful_value',
  'different_clock_base',
  'invalid_clock_status',
  '',
  '',
  '',
  'daylight_saving_active',
] as const;

export const CLOCK_CLASS = defineClass({
  id: 8,
  version: 0,
  name: 'Clock',
  attributes: {
    time: dateTime,
    time_zone: inUnit(long, 'min'),
    status: flags('unsigned', CLOCK_STATUS),
    daylight_savings_begin: dateTime,
    daylight_savings_end: dateTime,
    daylight_savings_deviation: inUnit(integer, 'min'),
    daylight_savings_enabled: bool,
    clock_base: enumOf({
      0: 'not_defined',
      1: 'internal_crystal',
      2: 'mains_frequency_50_Hz',
      3: 'mains_frequency_60_Hz',
      4: 'GPS',
      5: 'radio_controlled',
    }),
  },
  dynamic: ['time', 'status'],
  methods: {
    adjust_to_quarter: zero,
    adjust_to_measuring_period: zero,
    adjust_to_minute: zero,
    adjust_to_preset_time: zero,
    preset_adjusting_time: structureOf({
      preset_time: dateTime,
      validity_interval_start: dateTime,
      validity_interval_end: dateTime,
    }),
    shift_time: inUnit(long, 's'),
  },
  methodsAt: 0x60,
});

const script = structureOf({
  script_identifier: longUnsigned,
  actions: arrayOf(
    structureOf({
      service_id: enumOf({ 1: 'write', 2: 'execute' }),
      class_id: longUnsigned,
      logical_name: logicalName,
      index: integer,
      parameter: any,
    }),
  ),
});

export const SCRIPT_TABLE = defineClass({
  id: 9,
  version: 0,
  name: 'Script table',
  attributes: { scripts: arrayOf(script) },
  methods: { execute: longUnsigned },
  methodsAt: 0x20,
});

const scheduleEntry = structureOf({
  index: longUnsigned,
  enable: bool,
  script_logical_name: logicalName,
  script_selector: longUnsigned,
  switch_time: time,
  validity_window: inUnit(longUnsigned, 'min'),
  /** Seven bits, Monday first. */
  exec_weekdays: bitString,
  /** Bit n is day_id n of the special days table. */
  exec_specdays: bitString,
  begin_date: date,
  end_date: date,
});

export const SCHEDULE = defineClass({
  id: 10,
  version: 0,
  name: 'Schedule',
  attributes: { entries: arrayOf(scheduleEntry) },
  methods: {
    'enable/disable': structureOf({
      first_index_disable: longUnsigned,
      last_index_disable: longUnsigned,
      first_index_enable: longUnsigned,
      last_index_enable: longUnsigned,
    }),
    insert: scheduleEntry,
    delete: structureOf({ first_index: longUnsigned, last_index: longUnsigned }),
  },
  methodsAt: 0x20,
});

const specialDay = structureOf({ index: longUnsigned, specialday_date: date, day_id: unsigned });

export const SPECIAL_DAYS_TABLE = defineClass({
  id: 11,
  version: 0,
  name: 'Special days table',
  attributes: { entries: arrayOf(specialDay) },
  methods: { insert: specialDay, delete: longUnsigned },
  methodsAt: 0x10,
});

const season = structureOf({ season_profile_name: octetString, season_start: dateTime, week_name: octetString });
const weekProfile = structureOf({
  week_profile_name: octetString,
  monday: unsigned,
  tuesday: unsigned,
  wednesday: unsigned,
  thursday: unsigned,
  friday: unsigned,
  saturday: unsigned,
  sunday: unsigned,
});
const dayProfile = structureOf({
  day_id: unsigned,
  day_schedule: arrayOf(
    structureOf({ start_time: time, script_logical_name: logicalName, script_selector: longUnsigned }),
  ),
});

export const ACTIVITY_CALENDAR = defineClass({
  id: 20,
  version: 0,
  name: 'Activity calendar',
  attributes: {
    calendar_name_active: octetString,
    season_profile_active: arrayOf(season),
    week_profile_table_active: arrayOf(weekProfile),
    day_profile_table_active: arrayOf(dayProfile),
    calendar_name_passive: octetString,
    season_profile_passive: arrayOf(season),
    week_profile_table_passive: arrayOf(weekProfile),
    day_profile_table_passive: arrayOf(dayProfile),
    activate_passive_calendar_time: dateTime,
  },
  methods: { activate_passive_calendar: zero },
  methodsAt: 0x50,
});

export const REGISTER_MONITOR = defineClass({
  id: 21,
  version: 0,
  name: 'Register monitor',
  attributes: { thresholds: arrayOf(simple), monitored_value: valueDefinition, actions: arrayOf(actionSet) },
});

export const SINGLE_ACTION_SCHEDULE = defineClass({
  id: 22,
  version: 0,
  name: 'Single action schedule',
  attributes: {
    executed_script: actionItem,
    type: enumOf({
      1: 'one_time_wildcard_date_allowed',
      2: 'several_times_all_times_equal_wildcard_date_not_allowed',
      3: 'several_times_all_times_equal_wildcard_date_allowed',
      4: 'several_times_wildcard_date_not_allowed',
      5: 'several_times_wildcard_date_allowed',
    }),
    execution_time: arrayOf(structureOf({ time, date })),
  },
});

const controlMode = {
  0: 'none',
  1: 'manual_reconnection_after_remote_disconnection',
  2: 'remote_reconnection_manual_disconnection',
  3: 'manual_reconnection_no_local_reconnection',
  4: 'remote_reconnection_no_manual_disconnection',
  5: 'manual_or_local_reconnection',
  6: 'manual_or_local_reconnection_no_manual_disconnection',
} as const;

export const DISCONNECT_CONTROL = defineClass({
  id: 70,
  version: 0,
  name: 'Disconnect control',
  attributes: {
    /** True is connected. */
    output_state: bool,
    control_state: enumOf({ 0: 'disconnected', 1: 'connected', 2: 'ready_for_reconnection' }),
    control_mode: enumOf(controlMode),
  },
  dynamic: ['output_state', 'control_state'],
  methods: { remote_disconnect: zero, remote_reconnect: zero },
  methodsAt: 0x20,
});

export const LIMITER = defineClass({
  id: 71,
  version: 0,
  name: 'Limiter',
  attributes: {
    monitored_value: valueDefinition,
    threshold_active: simple,
    threshold_normal: simple,
    threshold_emergency: simple,
    min_over_threshold_duration: inUnit(doubleLongUnsigned, 's'),
    min_under_threshold_duration: inUnit(doubleLongUnsigned, 's'),
    emergency_profile: structureOf({
      emergency_profile_id: longUnsigned,
      emergency_activation_time: dateTime,
      emergency_duration: inUnit(doubleLongUnsigned, 's'),
    }),
    emergency_profile_group_id_list: arrayOf(longUnsigned),
    emergency_profile_active: bool,
    actions: structureOf({ action_over_threshold: actionItem, action_under_threshold: actionItem }),
  },
  dynamic: ['threshold_active', 'emergency_profile_active'],
});

const monitoredParameter = structureOf({
  class_id: longUnsigned,
  logical_name: logicalName,
  attribute_index: integer,
});

export const PARAMETER_MONITOR_0 = defineClass({
  id: 65,
  version: 0,
  name: 'Parameter monitor',
  attributes: {
    changed_parameter: structureOf({ ...monitoredParameter.fields, attribute_value: any }),
    capture_time: dateTimeItself,
    parameter_list: arrayOf(monitoredParameter),
  },
  dynamic: ['changed_parameter', 'capture_time'],
  methods: { add_parameter: monitoredParameter, delete_parameter: monitoredParameter },
  methodsAt: 0x20,
});

export const PARAMETER_MONITOR_1 = defineClass({
  id: 65,
  version: 1,
  name: 'Parameter monitor',
  attributes: {
    changed_parameter: structureOf({ ...monitoredParameter.fields, attribute_value: any }),
    capture_time: dateTimeItself,
    parameter_list: arrayOf(monitoredParameter),
    parameter_list_name: octetString,
    hash_algorithm_id: unnamedEnum,
    parameter_value_digest: binary,
    /** One element for each parameter of the list. */
    parameter_values: any,
  },
  dynamic: ['changed_parameter', 'capture_time', 'parameter_value_digest', 'parameter_values'],
  methods: { add_parameter: monitoredParameter, delete_parameter: monitoredParameter },
});

export const SENSOR_MANAGER = defineClass({
  id: 67,
  version: 0,
  name: 'Sensor manager',
  attributes: {
    serial_number: octetString,
    metrological_identification: octetString,
    output_type: unnamedEnum,
    adjustment_method: octetString,
    sealing_method: unnamedEnum,
    raw_value: simple,
    scaler_unit: scalerUnit,
    status: simple,
    capture_time: dateTime,
    raw_value_thresholds: arrayOf(simple),
    raw_value_actions: arrayOf(actionSet),
    processed_value: valueDefinition,
    processed_value_thresholds: arrayOf(simple),
    processed_value_actions: arrayOf(actionSet),
  },
  dynamic: ['raw_value', 'status', 'capture_time'],
  methods: { reset: zero },
  methodsAt: 0x80,
});

export const ARBITRATOR = defineClass({
  id: 68,
  version: 0,
  name: 'Arbitrator',
  attributes: {
    actions: arrayOf(actionItem),
    permissions_table: arrayOf(bitString),
    weightings_table: arrayOf(arrayOf(longUnsigned)),
    most_recent_requests_table: arrayOf(bitString),
    last_outcome: unsigned,
  },
  dynamic: ['most_recent_requests_table', 'last_outcome'],
  methods: {
    request_action: structureOf({ request_actor: unsigned, request_action_list: bitString }),
    reset: zero,
  },
});
