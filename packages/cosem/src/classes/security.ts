/**
 * Interface classes that protect and that push (IEC 62056-6-2 clauses 4.4.7 to 4.4.9): Security setup, COSEM data
 * protection and Push setup, in their versions.
 */
import { captureObject, columnedObject, restrictedObject, timeWindow, zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  binary,
  choiceOf,
  dateTimeItself,
  doubleLongUnsigned,
  enumOf,
  flags,
  integer,
  inUnit,
  logicalName,
  longUnsigned,
  octetString,
  structureOf,
  unsigned,
} from './type.ts';

const securityPolicy0 = enumOf({
  0: 'nothing',
  1: 'all_messages_authenticated',
  2: 'all_messages_encrypted',
  3: 'all_messages_authenticated_and_encrypted',
});
/** Bits 0 and 1 are unused, so that version 0's values cannot be taken for these. */
export const SECURITY_POLICY_BITS = [
  '',
  '',
  'authenticated_request',
  'encrypted_request',
  'digitally_signed_request',
  'authenticated_response',
  'encrypted_response',
  'digitally_signed_response',
] as const;
const securityPolicy1 = flags('enum', SECURITY_POLICY_BITS);

const KEYS_0 = {
  0: 'global_unicast_encryption_key',
  1: 'global_broadcast_encryption_key',
  2: 'authentication_key',
} as const;
const KEYS_1 = { ...KEYS_0, 3: 'master_key' } as const;

export const SECURITY_SETUP_0 = defineClass({
  id: 64,
  version: 0,
  name: 'Security setup',
  attributes: {
    security_policy: securityPolicy0,
    security_suite: enumOf({ 0: 'AES-GCM-128' }),
    client_system_title: binary,
    server_system_title: binary,
  },
  dynamic: ['client_system_title'],
  methods: {
    security_activate: securityPolicy0,
    global_key_transfer: arrayOf(structureOf({ key_id: enumOf(KEYS_0), key_wrapped: binary })),
  },
});

const certificateEntity = enumOf({ 0: 'server', 1: 'client', 2: 'certification_authority', 3: 'other' });
const certificateType = enumOf({ 0: 'digital_signature', 1: 'key_agreement', 2: 'TLS', 3: 'other' });
const keyAgreement = arrayOf(structureOf({ key_id: enumOf(KEYS_1), key_data: binary }));
const keyPair = enumOf({ 0: 'digital_signature_key_pair', 1: 'key_agreement_key_pair', 2: 'TLS_key_pair' });
const certificateIdentification = structureOf({
  certificate_identification_type: enumOf({
    0: 'certificate_identification_entity',
    1: 'certificate_identification_serial',
  }),
  certification_identification_options: choiceOf(
    structureOf({ certificate_entity: certificateEntity, certificate_type: certificateType, system_title: binary }),
    structureOf({ serial_number: binary, issuer: octetString }),
  ),
});

export const SECURITY_SETUP_1 = defineClass({
  id: 64,
  version: 1,
  name: 'Security setup',
  attributes: {
    security_policy: securityPolicy1,
    security_suite: enumOf({
      0: 'AES-GCM-128',
      1: 'ECDH-ECDSA-AES-GCM-128-SHA-256',
      2: 'ECDH-ECDSA-AES-GCM-256-SHA-384',
    }),
    client_system_title: binary,
    server_system_title: binary,
    certificates: arrayOf(
      structureOf({
        certificate_entity: certificateEntity,
        certificate_type: certificateType,
        serial_number: binary,
        issuer: octetString,
        subject: octetString,
        subject_alt_name: octetString,
      }),
    ),
  },
  dynamic: ['client_system_title', 'certificates'],
  methods: {
    security_activate: securityPolicy1,
    key_transfer: arrayOf(structureOf({ key_id: enumOf(KEYS_1), key_wrapped: binary })),
    key_agreement: keyAgreement,
    generate_key_pair: keyPair,
    generate_certificate_request: keyPair,
    import_certificate: binary,
    export_certificate: certificateIdentification,
    remove_certificate: certificateIdentification,
  },
  returns: { key_agreement: keyAgreement, generate_certificate_request: binary, export_certificate: binary },
});

const keyInfo = structureOf({
  key_info_type: enumOf({ 0: 'identified_key', 1: 'wrapped_key', 2: 'agreed_key' }),
  key_info_options: choiceOf(
    structureOf({ key_id: enumOf({ 0: 'global_unicast_encryption_key', 1: 'global_broadcast_encryption_key' }) }),
    structureOf({ kek_id: enumOf({ 0: 'master_key' }), key_ciphered_data: binary }),
    structureOf({ key_parameters: binary, key_ciphered_data: binary }),
  ),
});
const protectionParameters = arrayOf(
  structureOf({
    protection_type: enumOf({
      0: 'authentication',
      1: 'encryption',
      2: 'authenticated_encryption',
      3: 'digital_signature',
    }),
    protection_options: structureOf({
      transaction_id: binary,
      originator_system_title: binary,
      recipient_system_title: binary,
      other_information: binary,
      key_info: keyInfo,
    }),
  }),
);
const requiredProtection = flags('enum', SECURITY_POLICY_BITS);
const protectedRequest = structureOf({
  object_list: arrayOf(restrictedObject),
  protection_parameters: protectionParameters,
  protected_attributes: binary,
});

export const DATA_PROTECTION = defineClass({
  id: 30,
  version: 0,
  name: 'Data protection',
  attributes: {
    protection_buffer: binary,
    protection_object_list: arrayOf(restrictedObject),
    protection_parameters_get: protectionParameters,
    protection_parameters_set: protectionParameters,
    required_protection: requiredProtection,
  },
  dynamic: ['protection_buffer'],
  methods: {
    get_protected_attributes: structureOf({
      object_list: arrayOf(restrictedObject),
      protection_parameters: protectionParameters,
    }),
    set_protected_attributes: protectedRequest,
    invoke_protected_method: structureOf({
      object_method: structureOf({ class_id: longUnsigned, logical_name: logicalName, method_index: integer }),
      protection_parameters: protectionParameters,
      protected_method_invocation_parameters: binary,
    }),
  },
  returns: { get_protected_attributes: any, invoke_protected_method: any },
});

const destination = structureOf({
  transport_service: enumOf({
    0: 'TCP',
    1: 'UDP',
    2: 'FTP',
    3: 'SMTP',
    4: 'SMS',
    5: 'HDLC',
    6: 'M-Bus',
    7: 'ZigBee',
    8: 'DLMS_gateway',
    9: 'reliable_CoAP',
    10: 'unreliable_CoAP',
  }),
  destination: octetString,
  message: enumOf({ 0: 'A-XDR_encoded_xDLMS_APDU', 1: 'XML_encoded_xDLMS_APDU' }),
});
const push0 = {
  push_object_list: arrayOf(captureObject),
  send_destination_and_method: destination,
  communication_window: arrayOf(timeWindow),
  randomisation_start_interval: inUnit(longUnsigned, 's'),
  number_of_retries: unsigned,
  repetition_delay: inUnit(longUnsigned, 's'),
} as const;
const pushPort = {
  port_reference: logicalName,
  push_client_SAP: integer,
  push_protection_parameters: protectionParameters,
} as const;
/** The nth repetition waits min × (exponent / 100)^(n - 1) seconds, at most max. */
const repetitionDelay2 = structureOf({
  repetition_delay_min: inUnit(longUnsigned, 's'),
  repetition_delay_exponent: longUnsigned,
  repetition_delay_max: inUnit(longUnsigned, 's'),
});
const pushConfirmation = {
  push_operation_method: enumOf({
    0: 'unconfirmed_retry_on_supporting_layer_failure',
    1: 'unconfirmed_retry_on_missing_supporting_layer_confirmation',
    2: 'confirmed_retry_on_missing_confirmation',
  }),
  confirmation_parameters: structureOf({
    confirmation_start_date: dateTimeItself,
    confirmation_interval: inUnit(doubleLongUnsigned, 's'),
  }),
  last_confirmation_date_time: dateTimeItself,
} as const;

export const PUSH_SETUP_0 = defineClass({
  id: 40,
  version: 0,
  name: 'Push setup',
  attributes: push0,
  methods: { push: zero },
  methodsAt: 0x38,
});

export const PUSH_SETUP_1 = defineClass({
  id: 40,
  version: 1,
  name: 'Push setup',
  attributes: { ...push0, push_object_list: arrayOf(restrictedObject), ...pushPort },
  methods: { push: zero },
});

export const PUSH_SETUP_2 = defineClass({
  id: 40,
  version: 2,
  name: 'Push setup',
  attributes: {
    ...push0,
    push_object_list: arrayOf(columnedObject),
    repetition_delay: repetitionDelay2,
    ...pushPort,
    ...pushConfirmation,
  },
  dynamic: ['last_confirmation_date_time'],
  methods: { push: zero, reset: zero },
});

export const PUSH_SETUP_3 = defineClass({
  id: 40,
  version: 3,
  name: 'Push setup',
  attributes: {
    ...push0,
    push_object_list: arrayOf(columnedObject),
    repetition_delay: repetitionDelay2,
    ...pushPort,
    ...pushConfirmation,
  },
  dynamic: ['last_confirmation_date_time'],
  methods: { push: zero, reset: zero },
});
