/**
 * Interface classes for access control and management (IEC 62056-6-2 clause 4.4): Association SN and LN in their
 * versions, SAP assignment, Image transfer. Security, push and data protection stand in security.ts.
 */
import { CONFORMANCE, type ConformanceBit } from '@amiable/dlms';
import { objectId, valueDefinition, zero } from './common.ts';
import { defineClass } from './define.ts';
import {
  any,
  arrayOf,
  binary,
  bitString,
  bitsOf,
  bool,
  choiceOf,
  doubleLongUnsigned,
  enumOf,
  flags,
  integer,
  inUnit,
  logicalName,
  long,
  longUnsigned,
  nothing,
  octetString,
  structureOf,
  unsigned,
  utf8String,
  visibleString,
} from './type.ts';

/** The bits of the conformance block in the standard's order, the leading one first; '' where one is reserved. */
export const CONFORMANCE_NAMES: readonly (ConformanceBit | '')[] = Array.from({ length: 24 }, (_, i) => {
  const names = Object.keys(CONFORMANCE) as ConformanceBit[];
  return names.find((name) => CONFORMANCE[name] === 0x800000 >>> i) ?? '';
});

const ACCESS_0 = { 0: 'no_access', 1: 'read_only', 2: 'write_only', 3: 'read_and_write' } as const;
const ACCESS_1 = {
  ...ACCESS_0,
  4: 'authenticated_read_only',
  5: 'authenticated_write_only',
  6: 'authenticated_read_and_write',
} as const;
const PROTECTION_BITS = [
  'authenticated_request',
  'encrypted_request',
  'digitally_signed_request',
  'authenticated_response',
  'encrypted_response',
  'digitally_signed_response',
] as const;
const ATTRIBUTE_ACCESS_3 = ['read_access', 'write_access', ...PROTECTION_BITS] as const;
const METHOD_ACCESS_3 = ['access', '', ...PROTECTION_BITS] as const;

/** Selectors that may be used with the attribute. */
const accessSelectors = choiceOf(nothing, arrayOf(integer));

const attributeAccess0 = arrayOf(
  structureOf({ attribute_id: integer, access_mode: enumOf(ACCESS_0), access_selectors: accessSelectors }),
);
const attributeAccess1 = arrayOf(
  structureOf({ attribute_id: integer, access_mode: enumOf(ACCESS_1), access_selectors: accessSelectors }),
);
const attributeAccess3 = arrayOf(
  structureOf({
    attribute_id: integer,
    access_mode: flags('enum', ATTRIBUTE_ACCESS_3),
    access_selectors: accessSelectors,
  }),
);
const methodAccess0 = arrayOf(structureOf({ method_id: integer, access_mode: bool }));
const methodAccess1 = arrayOf(
  structureOf({
    method_id: integer,
    access_mode: enumOf({ 0: 'no_access', 1: 'access', 2: 'authenticated_access' }),
  }),
);
const methodAccess3 = arrayOf(structureOf({ method_id: integer, access_mode: flags('enum', METHOD_ACCESS_3) }));

const objectHead = { class_id: longUnsigned, version: unsigned, logical_name: logicalName } as const;
const objectElement0 = structureOf({
  ...objectHead,
  access_rights: structureOf({ attribute_access: attributeAccess0, method_access: methodAccess0 }),
});
const objectElement1 = structureOf({
  ...objectHead,
  access_rights: structureOf({ attribute_access: attributeAccess1, method_access: methodAccess1 }),
});
const objectElement3 = structureOf({
  ...objectHead,
  access_rights: structureOf({ attribute_access: attributeAccess3, method_access: methodAccess3 }),
});

/** Short arcs of an object identifier, {2 16 756 5 8 …}; version 1 also takes it encoded. */
const nameArcs = {
  joint_iso_ctt_element: unsigned,
  country_element: unsigned,
  country_name_element: longUnsigned,
  identified_organization_element: unsigned,
  DLMS_UA_element: unsigned,
} as const;
const contextName = choiceOf(
  structureOf({ ...nameArcs, application_context_element: unsigned, context_id_element: unsigned }),
  binary,
);
const mechanismName = choiceOf(
  structureOf({ ...nameArcs, authentication_mechanism_name_element: unsigned, mechanism_id_element: unsigned }),
  binary,
);

const associationBody = {
  associated_partners_id: structureOf({ client_SAP: integer, server_SAP: longUnsigned }),
  application_context_name: contextName,
  xDLMS_context_info: structureOf({
    conformance: bitsOf(CONFORMANCE_NAMES),
    max_receive_pdu_size: longUnsigned,
    max_send_pdu_size: longUnsigned,
    dlms_version_number: unsigned,
    quality_of_service: integer,
    cyphering_info: binary,
  }),
  authentication_mechanism_name: mechanismName,
} as const;
const associationStatus = enumOf({ 0: 'non-associated', 1: 'association-pending', 2: 'associated' });
const userEntry = structureOf({ user_id: unsigned, user_name: choiceOf(visibleString, utf8String, octetString) });

const objectListSelectors = [
  { selector: 1, name: 'without_access_rights', type: nothing },
  { selector: 2, name: 'class_list', type: arrayOf(longUnsigned) },
  { selector: 3, name: 'object_Id_list', type: arrayOf(objectId) },
  { selector: 4, name: 'object_Id', type: objectId },
] as const;

export const ASSOCIATION_LN_0 = defineClass({
  id: 15,
  version: 0,
  name: 'Association LN',
  attributes: {
    object_list: arrayOf(objectElement0),
    ...associationBody,
    LLS_secret: octetString,
    association_status: associationStatus,
  },
  dynamic: ['association_status'],
  methods: {
    reply_to_HLS_authentication: binary,
    change_HLS_secret: binary,
    add_object: objectElement0,
    remove_object: objectElement0,
  },
  returns: { reply_to_HLS_authentication: binary },
  selectors: { object_list: objectListSelectors },
});

const association1 = {
  object_list: arrayOf(objectElement1),
  ...associationBody,
  secret: octetString,
  association_status: associationStatus,
  security_setup_reference: logicalName,
} as const;
const methods1 = {
  reply_to_HLS_authentication: binary,
  change_HLS_secret: binary,
  add_object: objectElement1,
  remove_object: objectElement1,
} as const;
const users = { user_list: arrayOf(userEntry), current_user: userEntry } as const;
const userMethods = { add_user: userEntry, remove_user: userEntry } as const;

export const ASSOCIATION_LN_1 = defineClass({
  id: 15,
  version: 1,
  name: 'Association LN',
  attributes: association1,
  dynamic: ['association_status'],
  methods: methods1,
  returns: { reply_to_HLS_authentication: binary },
  selectors: { object_list: objectListSelectors },
});

export const ASSOCIATION_LN_2 = defineClass({
  id: 15,
  version: 2,
  name: 'Association LN',
  attributes: { ...association1, ...users },
  dynamic: ['association_status', 'current_user'],
  methods: { ...methods1, ...userMethods },
  returns: { reply_to_HLS_authentication: binary },
  selectors: { object_list: objectListSelectors },
});

export const ASSOCIATION_LN_3 = defineClass({
  id: 15,
  version: 3,
  name: 'Association LN',
  attributes: { ...association1, object_list: arrayOf(objectElement3), ...users },
  dynamic: ['association_status', 'current_user'],
  methods: { ...methods1, add_object: objectElement3, remove_object: objectElement3, ...userMethods },
  returns: { reply_to_HLS_authentication: binary },
  selectors: { object_list: objectListSelectors },
});

const snObject = structureOf({
  base_name: long,
  class_id: longUnsigned,
  version: unsigned,
  logical_name: logicalName,
});
const snAccess0 = structureOf({
  base_name: long,
  attribute_access: attributeAccess1,
  method_access: methodAccess1,
});
const snAccess4 = structureOf({
  base_name: long,
  attribute_access: attributeAccess3,
  method_access: methodAccess3,
});

/** Class, logical name and attribute or method whose value or short name is asked for. */
const snReference = structureOf({ class_id: longUnsigned, logical_name: logicalName, attribute_index: integer });
const snMethods0 = {
  getlist_by_classid: longUnsigned,
  getobj_by_logicalname: objectId,
  read_by_logicalname: arrayOf(snReference),
  'get_attributes&methods': arrayOf(objectId),
  change_LLS_secret: binary,
  change_HLS_secret: binary,
  reply_to_HLS_authentication: binary,
} as const;
const snMethods2 = {
  read_by_logicalname: arrayOf(snReference),
  change_secret: binary,
  reply_to_HLS_authentication: binary,
} as const;

/** Methods 1 and 2, 4, 6 and 7 are reserved from version 2 on, so that attributes 5 and 6 have room at 0x20 and 0x28. */
const snIndexes = { read_by_logicalname: 3, change_secret: 5, reply_to_HLS_authentication: 8 } as const;

export const ASSOCIATION_SN_0 = defineClass({
  id: 12,
  version: 0,
  name: 'Association SN',
  attributes: { object_list: arrayOf(snObject) },
  methods: snMethods0,
  methodIndexes: { reply_to_HLS_authentication: 8 },
  methodsAt: 0x20,
  returns: { reply_to_HLS_authentication: binary },
});

export const ASSOCIATION_SN_1 = defineClass({
  id: 12,
  version: 1,
  name: 'Association SN',
  attributes: { object_list: arrayOf(snObject), access_rights_list: arrayOf(snAccess0) },
  methods: snMethods0,
  methodIndexes: { reply_to_HLS_authentication: 8 },
  methodsAt: 0x20,
  returns: { reply_to_HLS_authentication: binary },
});

const association2 = {
  object_list: arrayOf(snObject),
  access_rights_list: arrayOf(snAccess0),
  security_setup_reference: logicalName,
} as const;

export const ASSOCIATION_SN_2 = defineClass({
  id: 12,
  version: 2,
  name: 'Association SN',
  attributes: association2,
  methods: snMethods2,
  methodIndexes: snIndexes,
  methodsAt: 0x20,
  returns: { reply_to_HLS_authentication: binary },
});

export const ASSOCIATION_SN_3 = defineClass({
  id: 12,
  version: 3,
  name: 'Association SN',
  attributes: { ...association2, ...users },
  dynamic: ['current_user'],
  methods: { ...snMethods2, ...userMethods },
  methodIndexes: snIndexes,
  methodsAt: 0x20,
  returns: { reply_to_HLS_authentication: binary },
});

export const ASSOCIATION_SN_4 = defineClass({
  id: 12,
  version: 4,
  name: 'Association SN',
  attributes: { ...association2, access_rights_list: arrayOf(snAccess4), ...users },
  dynamic: ['current_user'],
  methods: { ...snMethods2, ...userMethods },
  methodIndexes: snIndexes,
  methodsAt: 0x20,
  returns: { reply_to_HLS_authentication: binary },
});

const sapEntry = structureOf({ SAP: longUnsigned, logical_device_name: octetString });

export const SAP_ASSIGNMENT = defineClass({
  id: 17,
  version: 0,
  name: 'SAP assignment',
  attributes: { SAP_assignment_list: arrayOf(sapEntry) },
  methods: { connect_logical_device: sapEntry },
  methodsAt: 0x20,
});

export const IMAGE_TRANSFER = defineClass({
  id: 18,
  version: 0,
  name: 'Image transfer',
  attributes: {
    image_block_size: doubleLongUnsigned,
    image_transferred_blocks_status: bitString,
    image_first_not_transferred_block_number: doubleLongUnsigned,
    image_transfer_enabled: bool,
    image_transfer_status: enumOf({
      0: 'image_transfer_not_initiated',
      1: 'image_transfer_initiated',
      2: 'image_verification_initiated',
      3: 'image_verification_successful',
      4: 'image_verification_failed',
      5: 'image_activation_initiated',
      6: 'image_activation_successful',
      7: 'image_activation_failed',
    }),
    image_to_activate_info: arrayOf(
      structureOf({
        image_to_activate_size: doubleLongUnsigned,
        image_to_activate_identification: octetString,
        image_to_activate_signature: octetString,
      }),
    ),
  },
  dynamic: [
    'image_transferred_blocks_status',
    'image_first_not_transferred_block_number',
    'image_transfer_status',
    'image_to_activate_info',
  ],
  methods: {
    image_transfer_initiate: structureOf({ image_identifier: octetString, image_size: doubleLongUnsigned }),
    image_block_transfer: structureOf({ image_block_number: doubleLongUnsigned, image_block_value: binary }),
    image_verify: zero,
    image_activate: zero,
  },
  methodsAt: 0x40,
});

const functionStatus = structureOf({ function_name: octetString, function_status: bool });
const functionEntry = structureOf({ function_name: octetString, function_objects: arrayOf(objectId) });

export const FUNCTION_CONTROL = defineClass({
  id: 122,
  version: 0,
  name: 'Function control',
  attributes: { activation_status: arrayOf(functionStatus), function_list: arrayOf(functionEntry) },
  dynamic: ['activation_status'],
  methods: {
    set_function_status: arrayOf(functionStatus),
    add_function: functionEntry,
    remove_function: functionEntry,
  },
  methodsAt: 0x20,
});

const arrayEntry = structureOf({ index: longUnsigned, entry: any });
const arrayRange = structureOf({ from_index: longUnsigned, to_index: longUnsigned });

export const ARRAY_MANAGER = defineClass({
  id: 123,
  version: 0,
  name: 'Array manager',
  attributes: {
    array_object_list: arrayOf(structureOf({ array_object_id: unsigned, array_object: valueDefinition })),
  },
  methods: {
    retrieve_number_of_entries: unsigned,
    retrieve_entries: structureOf({ array_object_id: unsigned, range: arrayRange }),
    insert_entry: structureOf({ array_object_id: unsigned, entry: arrayEntry }),
    update_entry: structureOf({ array_object_id: unsigned, entry: arrayEntry }),
    remove_entries: structureOf({ array_object_id: unsigned, range: arrayRange }),
  },
  methodsAt: 0x20,
  returns: { retrieve_number_of_entries: longUnsigned, retrieve_entries: arrayOf(any) },
});

export const COMMUNICATION_PORT_PROTECTION = defineClass({
  id: 124,
  version: 0,
  name: 'Communication port protection',
  attributes: {
    protection_mode: enumOf({ 0: 'locked', 1: 'locked_on_failed_attempts', 2: 'unlocked' }),
    allowed_failed_attempts: longUnsigned,
    initial_lockout_time: inUnit(doubleLongUnsigned, 's'),
    steepness_factor: unsigned,
    max_lockout_time: inUnit(doubleLongUnsigned, 's'),
    port_reference: logicalName,
    protection_status: enumOf({ 0: 'unlocked', 1: 'temporarily_locked', 2: 'locked' }),
    failed_attempts: doubleLongUnsigned,
    cumulative_failed_attempts: doubleLongUnsigned,
  },
  dynamic: ['protection_status', 'failed_attempts', 'cumulative_failed_attempts'],
  methods: { reset: zero },
});
