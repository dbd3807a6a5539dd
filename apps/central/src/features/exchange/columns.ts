/**
 * What registry files hold: kinds of records and their columns. From this the reader checks, the writer writes, and docs/import.md
 * and docs/registry.xsd are held to (a test compares).
 */
export type ColumnType =
  | { readonly of: 'text'; readonly most: number }
  | { readonly of: 'integer'; readonly least: number; readonly most: number }
  | { readonly of: 'number'; readonly least: number; readonly most: number }
  | { readonly of: 'boolean' }
  | { readonly of: 'time' }
  | { readonly of: 'zone' }
  | { readonly of: 'segment' }
  | { readonly of: 'choice'; readonly choices: readonly string[] };

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Must be there and not empty. */
  readonly required?: boolean;
  /** Must not be emptied where it is given. */
  readonly filled?: boolean;
  /** Seen and written only by who may see and change personal data. */
  readonly personal?: boolean;
  readonly note: string;
}

export const NODE_FILE_KINDS = [
  'region',
  'substation',
  'transformer',
  'feeder',
  'premises',
  'metering-point',
  'concentrator',
] as const;
/** In the order in which a file has them, so that what is referred to comes first. */
export const FILE_KINDS = [
  'meter-type',
  ...NODE_FILE_KINDS,
  'stay',
  'ratio',
  'meter',
  'installation',
  'slave',
  'serving',
  'connection',
] as const;
export type FileKind = (typeof FILE_KINDS)[number];
export type NodeFileKind = (typeof NODE_FILE_KINDS)[number];
export const isFileKind = (text: string): text is FileKind => (FILE_KINDS as readonly string[]).includes(text);
export const isNodeFileKind = (text: string): text is NodeFileKind =>
  (NODE_FILE_KINDS as readonly string[]).includes(text);

const text = (most: number): ColumnType => ({ of: 'text', most });
const choice = (...choices: string[]): ColumnType => ({ of: 'choice', choices });
const integer = (least: number, most: number): ColumnType => ({ of: 'integer', least, most });
const time: ColumnType = { of: 'time' };
const code: Column = {
  name: 'code',
  type: text(100),
  required: true,
  note: 'the utility’s number, unique in its kind',
};
const since: Column = { name: 'from', type: time, required: true, note: 'start of the stay' };
const until: Column = { name: 'to', type: time, note: 'end of the stay; empty: still' };
const serial: Column = { name: 'meter', type: text(100), required: true, note: 'serial number of the meter' };

const NODE: readonly Column[] = [
  code,
  { name: 'name', type: text(500), note: 'what people call it' },
  { name: 'parent', type: text(100), filled: true, note: 'code of what it stands under' },
  {
    name: 'parent-kind',
    type: choice(...NODE_FILE_KINDS),
    filled: true,
    note: 'kind of what it stands under, see below',
  },
  {
    name: 'from',
    type: time,
    filled: true,
    note: 'since when it stands there; left out: now, if it did not stand there before',
  },
  { name: 'segment', type: { of: 'segment' }, filled: true, note: 'name of its data segment' },
  { name: 'latitude', type: { of: 'number', least: -90, most: 90 }, note: 'degrees north' },
  { name: 'longitude', type: { of: 'number', least: -180, most: 180 }, note: 'degrees east' },
];

export const COLUMNS: Readonly<Record<FileKind, readonly Column[]>> = {
  'meter-type': [
    { name: 'name', type: text(100), required: true, note: 'the type’s name' },
    { name: 'maker', type: text(200), note: 'who makes it' },
    { name: 'description', type: text(500), note: 'for people' },
    {
      name: 'medium',
      type: choice('electricity', 'gas', 'water', 'hot-water', 'heat', 'cooling', 'other'),
      filled: true,
      note: 'what it measures',
    },
    { name: 'readout', type: text(100), note: 'name of the read-out set' },
  ],
  region: NODE,
  substation: NODE,
  transformer: NODE,
  feeder: NODE,
  premises: [
    ...NODE,
    { name: 'customer', type: text(500), personal: true, note: 'name of the customer' },
    { name: 'account', type: text(500), personal: true, note: 'account in the billing system' },
    { name: 'address', type: text(500), personal: true, note: 'postal address' },
    { name: 'contact', type: text(500), personal: true, note: 'telephone or e-mail' },
  ],
  'metering-point': NODE,
  concentrator: NODE,
  stay: [
    { name: 'kind', type: choice(...NODE_FILE_KINDS), required: true, note: 'kind of the node' },
    { name: 'code', type: text(100), required: true, note: 'its code' },
    { name: 'parent', type: text(100), required: true, note: 'code of what it stood under' },
    { name: 'parent-kind', type: choice(...NODE_FILE_KINDS), required: true, note: 'kind of what it stood under' },
    since,
    until,
  ],
  ratio: [
    { name: 'metering-point', type: text(100), required: true, note: 'code of the metering point' },
    { name: 'kind', type: choice('current', 'voltage'), required: true, note: 'which transformer' },
    { name: 'primary', type: integer(1, 2 ** 40), required: true, note: 'rated primary value' },
    { name: 'secondary', type: integer(1, 2 ** 40), required: true, note: 'rated secondary value, same unit' },
    since,
    until,
  ],
  meter: [
    { name: 'serial', type: text(100), required: true, note: 'the meter’s number as it gives it itself' },
    { name: 'utility-serial', type: text(100), note: 'the utility’s number, such as an asset number (8004)' },
    { name: 'name', type: text(500), note: 'what people call it' },
    { name: 'place', type: text(500), note: 'where it is' },
    { name: 'time-zone', type: { of: 'zone' }, filled: true, note: 'IANA time zone of its local days' },
    { name: 'maker', type: text(200), note: 'who made it' },
    { name: 'type', type: text(200), note: 'the maker’s name of its type' },
    { name: 'phases', type: integer(1, 3), note: '1 or 3' },
    { name: 'line-voltage', type: { of: 'boolean' }, filled: true, note: 'true: voltages stand between lines' },
    { name: 'meter-type', type: text(100), note: 'name of its meter type: what is read of it' },
    { name: 'param-id', type: text(100), note: 'parameterisation id' },
    { name: 'config-id', type: text(100), note: 'configuration id' },
    { name: 'segment', type: { of: 'segment' }, filled: true, note: 'name of its data segment' },
    { name: 'metering-point', type: text(100), filled: true, note: 'code of the metering point it is installed at' },
    { name: 'concentrator', type: text(100), filled: true, note: 'code of the concentrator it is reached through' },
    {
      name: 'from',
      type: time,
      filled: true,
      note: 'since when, for these two; left out: now, if it was not there before',
    },
  ],
  installation: [
    serial,
    { name: 'metering-point', type: text(100), required: true, note: 'code of the metering point' },
    since,
    until,
  ],
  slave: [
    serial,
    { name: 'master', type: text(100), required: true, note: 'serial number of the master' },
    { name: 'channel', type: integer(1, 4), required: true, note: 'channel of the master' },
    since,
    until,
  ],
  serving: [
    serial,
    { name: 'concentrator', type: text(100), required: true, note: 'code of the concentrator' },
    since,
    until,
  ],
  connection: [
    serial,
    { name: 'protocol', type: choice('dlms', 'iec62056-21'), filled: true, note: 'protocol' },
    {
      name: 'address',
      type: text(300),
      filled: true,
      note: 'tcp://host:port, tls://host:port, modem:NUMBER or via:METER',
    },
    { name: 'transport', type: choice('wrapper', 'hdlc', 'iec'), filled: true, note: 'what carries it' },
    { name: 'readout', type: text(100), filled: true, note: 'name of the read-out set' },
    { name: 'referencing', type: choice('LN', 'SN'), note: 'logical or short names' },
    { name: 'client', type: integer(0, 65_535), note: 'wPort or HDLC address of the client' },
    { name: 'server', type: integer(0, 65_535), note: 'wPort or upper HDLC address' },
    { name: 'physical', type: integer(0, 16_383), note: 'lower HDLC address' },
    {
      name: 'authentication',
      type: choice('none', 'low', 'gmac', 'sha256', 'ecdsa'),
      note: 'how the client proves itself',
    },
    { name: 'suite', type: integer(0, 2), note: 'security suite' },
    { name: 'ciphered', type: { of: 'boolean' }, note: 'whether requests are encrypted' },
    { name: 'device-address', type: text(32), note: 'device address of IEC 62056-21' },
    { name: 'channel', type: text(100), note: 'channel whose windows and limits hold' },
    { name: 'identity', type: text(100), note: 'what the meter must say of itself' },
  ],
};

/** What a parent is when the file does not say. */
export const DEFAULT_PARENT: Readonly<Record<NodeFileKind, NodeFileKind>> = {
  region: 'region',
  substation: 'region',
  transformer: 'substation',
  feeder: 'transformer',
  premises: 'feeder',
  'metering-point': 'premises',
  concentrator: 'transformer',
};

/** Kinds that have user-defined attributes. */
export const hasAttributes = (kind: FileKind): boolean => kind === 'meter' || isNodeFileKind(kind);
