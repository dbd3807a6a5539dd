/**
 * The tags of APDUs (IEC 62056-5-3 annex A, XDLMS-APDU), and which tag a service has when it is ciphered for itself, under
 * the global or the dedicated key.
 */

export const APDU = {
  initiateRequest: 0x01,
  readRequest: 0x05,
  writeRequest: 0x06,
  initiateResponse: 0x08,
  readResponse: 0x0c,
  writeResponse: 0x0d,
  confirmedServiceError: 0x0e,
  dataNotification: 0x0f,
  dataNotificationConfirm: 0x10,
  unconfirmedWriteRequest: 0x16,
  informationReportRequest: 0x18,
  aarq: 0x60,
  aare: 0x61,
  rlrq: 0x62,
  rlre: 0x63,
  getRequest: 0xc0,
  setRequest: 0xc1,
  eventNotificationRequest: 0xc2,
  actionRequest: 0xc3,
  getResponse: 0xc4,
  setResponse: 0xc5,
  actionResponse: 0xc7,
  exceptionResponse: 0xd8,
  accessRequest: 0xd9,
  accessResponse: 0xda,
  generalGloCiphering: 0xdb,
  generalDedCiphering: 0xdc,
  generalCiphering: 0xdd,
  generalSigning: 0xdf,
  generalBlockTransfer: 0xe0,
} as const;

export interface CipheredTags {
  /** The standard's name of the service, e.g. `get-request`. */
  readonly service: string;
  readonly plain: number;
  /** Under the global key. */
  readonly glo: number;
  /** Under the dedicated key. */
  readonly ded: number;
}

const row = (service: string, plain: number, glo: number, ded: number): CipheredTags => ({ service, plain, glo, ded });

/** Services that have ciphered tags of their own. */
export const CIPHERED_TAGS: readonly CipheredTags[] = [
  row('initiate-request', 0x01, 0x21, 0x41),
  row('read-request', 0x05, 0x25, 0x45),
  row('write-request', 0x06, 0x26, 0x46),
  row('initiate-response', 0x08, 0x28, 0x48),
  row('read-response', 0x0c, 0x2c, 0x4c),
  row('write-response', 0x0d, 0x2d, 0x4d),
  row('confirmed-service-error', 0x0e, 0x2e, 0x4e),
  row('unconfirmed-write-request', 0x16, 0x36, 0x56),
  row('information-report-request', 0x18, 0x38, 0x58),
  row('get-request', 0xc0, 0xc8, 0xd0),
  row('set-request', 0xc1, 0xc9, 0xd1),
  row('event-notification-request', 0xc2, 0xca, 0xd2),
  row('action-request', 0xc3, 0xcb, 0xd3),
  row('get-response', 0xc4, 0xcc, 0xd4),
  row('set-response', 0xc5, 0xcd, 0xd5),
  row('action-response', 0xc7, 0xcf, 0xd7),
];

const BY_PLAIN = new Map(CIPHERED_TAGS.map((tags) => [tags.plain, tags]));
const BY_CIPHERED = new Map(CIPHERED_TAGS.flatMap((tags) => [[tags.glo, tags] as const, [tags.ded, tags] as const]));

/** The tag of a plain APDU when it is ciphered for itself; undefined when the service has none. */
export function cipheredTag(plain: number, key: 'glo' | 'ded'): number | undefined {
  return BY_PLAIN.get(plain)?.[key];
}

/** What a service-specific ciphered tag stands for; undefined when it is none. */
export function serviceOfCiphered(tag: number): (CipheredTags & { readonly key: 'glo' | 'ded' }) | undefined {
  const tags = BY_CIPHERED.get(tag);
  return tags && { ...tags, key: tags.glo === tag ? 'glo' : 'ded' };
}
