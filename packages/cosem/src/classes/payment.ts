/** Interface classes for payment metering (IEC 62056-6-2 clause 4.6): Account, Credit, Charge, Token gateway, STS attributes. */
import { zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  arrayOf,
  bitString,
  bitsOf,
  dateTime,
  doubleLong,
  doubleLongUnsigned,
  enumOf,
  integer,
  inUnit,
  logicalName,
  long,
  long64Unsigned,
  longUnsigned,
  octetString,
  structureOf,
  unsigned,
  utf8String,
  visibleString,
} from './type.ts';

export const ACCOUNT = defineClass({
  id: 111,
  version: 0,
  name: 'Account',
  attributes: {
    account_mode_and_status: structureOf({
      payment_mode: enumOf({ 1: 'credit_mode', 2: 'prepayment_mode' }),
      account_status: enumOf({ 1: 'new_inactive_account', 2: 'account_active', 3: 'account_closed' }),
    }),
    current_credit_in_use: unsigned,
    current_credit_status: bitsOf([
      'in_credit',
      'low_credit',
      'next_credit_enabled',
      'next_credit_selectable',
      'next_credit_selected',
      'selectable_credit_in_use',
      'out_of_credit',
      '',
    ]),
    available_credit: doubleLong,
    amount_to_clear: doubleLong,
    clearance_threshold: doubleLong,
    aggregated_debt: doubleLong,
    credit_reference_list: arrayOf(logicalName),
    charge_reference_list: arrayOf(logicalName),
    credit_charge_configuration: arrayOf(
      structureOf({
        credit_reference: logicalName,
        charge_reference: logicalName,
        collection_configuration: bitsOf([
          'collect_when_supply_disconnected',
          'collect_in_load_limiting_periods',
          'collect_in_friendly_credit_periods',
        ]),
      }),
    ),
    token_gateway_configuration: arrayOf(structureOf({ credit_reference: logicalName, token_proportion: unsigned })),
    account_activation_time: dateTime,
    account_closure_time: dateTime,
    currency: structureOf({
      currency_name: utf8String,
      currency_scale: integer,
      currency_unit: enumOf({ 0: 'time', 1: 'consumption', 2: 'monetary' }),
    }),
    low_credit_threshold: doubleLong,
    next_credit_available_threshold: doubleLong,
    max_provision: longUnsigned,
    max_provision_period: inUnit(doubleLong, 's'),
  },
  dynamic: [
    'current_credit_in_use',
    'current_credit_status',
    'available_credit',
    'amount_to_clear',
    'aggregated_debt',
    'low_credit_threshold',
    'next_credit_available_threshold',
  ],
  methods: { activate_account: zero, close_account: zero, reset_account: zero },
});

export const CREDIT = defineClass({
  id: 112,
  version: 0,
  name: 'Credit',
  attributes: {
    current_credit_amount: doubleLong,
    credit_type: enumOf({
      0: 'token_credit',
      1: 'reserved_credit',
      2: 'emergency_credit',
      3: 'time-based_credit',
      4: 'consumption-based_credit',
    }),
    priority: unsigned,
    warning_threshold: doubleLong,
    limit: doubleLong,
    credit_configuration: bitsOf([
      'requires_visual_indication',
      'requires_confirmation_before_selection',
      'requires_credit_amount_to_be_paid_back',
      'resettable',
      'able_to_receive_credit_amounts_from_tokens',
    ]),
    credit_status: enumOf({ 0: 'enabled', 1: 'selectable', 2: 'selected_invoked', 3: 'in_use', 4: 'exhausted' }),
    preset_credit_amount: doubleLong,
    credit_available_threshold: doubleLong,
    period: dateTime,
  },
  dynamic: ['current_credit_amount', 'credit_status'],
  methods: { update_amount: doubleLong, set_amount_to_value: doubleLong, invoke_credit: zero },
  returns: { set_amount_to_value: doubleLong },
});

const unitCharge = structureOf({
  charge_per_unit_scaling: structureOf({ commodity_scale: integer, price_scale: integer }),
  commodity_reference: structureOf({ class_id: longUnsigned, logical_name: logicalName, attribute_index: integer }),
  charge_table: arrayOf(structureOf({ index: octetString, charge_per_unit: long })),
});

export const CHARGE = defineClass({
  id: 113,
  version: 0,
  name: 'Charge',
  attributes: {
    total_amount_paid: doubleLong,
    charge_type: enumOf({
      0: 'consumption_based_collection',
      1: 'time_based_collection',
      2: 'payment_event_based_collection',
    }),
    priority: unsigned,
    unit_charge_active: unitCharge,
    unit_charge_passive: unitCharge,
    unit_charge_activation_time: dateTime,
    period: inUnit(doubleLongUnsigned, 's'),
    charge_configuration: bitsOf(['percentage_based_collection', 'continuous_collection']),
    last_collection_time: dateTime,
    last_collection_amount: doubleLong,
    total_amount_remaining: doubleLong,
    proportion: longUnsigned,
  },
  dynamic: ['total_amount_paid', 'last_collection_time', 'last_collection_amount', 'total_amount_remaining'],
  methods: {
    update_unit_charge: unitCharge.fields.charge_table,
    activate_passive_unit_charge: zero,
    collect: zero,
    update_total_amount_remaining: doubleLong,
    set_total_amount_remaining: doubleLong,
  },
  returns: { set_total_amount_remaining: doubleLong },
});

const tokenStatus = structureOf({
  status_code: enumOf({
    0: 'token_format_OK',
    1: 'authentication_OK',
    2: 'validation_OK',
    3: 'token_execution_OK',
    4: 'token_format_failure',
    5: 'authentication_failure',
    6: 'validation_result_failure',
    7: 'token_execution_result_failure',
    8: 'token_received_and_not_yet_processed',
  }),
  data_value: bitString,
});

export const TOKEN_GATEWAY = defineClass({
  id: 115,
  version: 0,
  name: 'Token gateway',
  attributes: {
    token: octetString,
    token_time: dateTime,
    token_description: arrayOf(octetString),
    token_delivery_method: enumOf({ 0: 'remote_communications', 1: 'local_communications', 2: 'manual_entry' }),
    token_status: tokenStatus,
  },
  dynamic: ['token', 'token_time', 'token_description', 'token_delivery_method', 'token_status'],
  methods: { enter: octetString },
  returns: { enter: tokenStatus },
});

export const IEC_62055_41_ATTRIBUTES = defineClass({
  id: 116,
  version: 0,
  name: 'IEC 62055-41 attributes',
  attributes: {
    meter_pan: structureOf({
      issuer_identification_number: doubleLongUnsigned,
      decoder_reference_number: long64Unsigned,
      PAN_check_digit: unsigned,
    }),
    commodity: visibleString,
    token_carrier_types: arrayOf(unsigned),
    encryption_algorithm: unsigned,
    supply_group_code: doubleLongUnsigned,
    tariff_index: unsigned,
    key_revision_number: unsigned,
    key_type: unsigned,
    key_expiry_number: unsigned,
    no_of_kct_supported: unsigned,
    sts_certificate_no: visibleString,
  },
  dynamic: ['supply_group_code', 'tariff_index', 'key_revision_number', 'key_type', 'key_expiry_number'],
});
