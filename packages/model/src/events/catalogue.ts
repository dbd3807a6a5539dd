/**
 * One catalogue of what meters tell in their logs (AMI system description §7.4.6, §7.4.7), whoever made them: the same thing has the
 * same word, category and weight.
 *
 * Decides: the words; what begins and what ends something, and what it is that ends. Leaves out: the makers' numbers (sources.ts).
 */
export const EVENT_CATEGORIES = [
  'power',
  'voltage',
  'clock',
  'tamper',
  'disconnecter',
  'communication',
  'firmware',
  'error',
  'tariff',
  'load',
  'configuration',
  'media',
  'other',
] as const;
export type EventCategory = (typeof EVENT_CATEGORIES)[number];

/** 0 for the record, 1 worth knowing, 2 needs somebody soon, 3 needs somebody now. */
export type Severity = 0 | 1 | 2 | 3;
export const SEVERITIES: readonly string[] = ['record', 'notice', 'warning', 'alarm'];

export interface CatalogueEvent {
  /** Its word, as it stands in the database and the API. */
  readonly event: string;
  readonly category: EventCategory;
  readonly severity: Severity;
  /** In English. */
  readonly name: string;
  /** Something lasts from here on. */
  readonly begins?: boolean;
  /** What ends here. */
  readonly ends?: readonly string[];
  readonly phase?: 1 | 2 | 3;
  /** Channel of the meter behind the meter. */
  readonly channel?: number;
}

type Row = readonly [event: string, severity: Severity, name: string, more?: 'begins' | string];

/** `begins`, or what it ends (several by blanks). */
function rows(category: EventCategory, list: readonly Row[], more: Partial<CatalogueEvent> = {}): CatalogueEvent[] {
  return list.map(([event, severity, name, edge]) => ({
    event,
    category,
    severity,
    name,
    ...(edge === undefined ? {} : edge === 'begins' ? { begins: true } : { ends: edge.split(' ') }),
    ...more,
  }));
}

const PHASES = [1, 2, 3] as const;
const CHANNELS = [1, 2, 3, 4] as const;

const LIST: readonly CatalogueEvent[] = [
  ...rows('power', [
    ['power-down', 1, 'Power down, all phases', 'begins'],
    ['power-up', 0, 'Power restored', 'power-down'],
    ['power-up-short', 0, 'Power restored after a short power down', 'power-down'],
    ['power-up-long', 1, 'Power restored after a long power down', 'power-down'],
    ['power-failure-long', 1, 'A long power failure, told after it was over'],
  ]),
  ...PHASES.flatMap((phase) =>
    rows(
      'power',
      [
        [`phase-outage-l${phase}`, 2, `Phase L${phase} without voltage`, 'begins'],
        [`phase-restored-l${phase}`, 0, `Phase L${phase} restored`, `phase-outage-l${phase}`],
      ],
      { phase },
    ),
  ),
  ...PHASES.flatMap((phase) =>
    rows(
      'voltage',
      [
        [`undervoltage-l${phase}`, 1, `Undervoltage L${phase}`, 'begins'],
        [`undervoltage-end-l${phase}`, 0, `Undervoltage L${phase} is over`, `undervoltage-l${phase}`],
        [`overvoltage-l${phase}`, 1, `Overvoltage L${phase}`, 'begins'],
        [`overvoltage-end-l${phase}`, 0, `Overvoltage L${phase} is over`, `overvoltage-l${phase}`],
        [
          `voltage-normal-l${phase}`,
          0,
          `Voltage L${phase} normal again`,
          `undervoltage-l${phase} overvoltage-l${phase} phase-outage-l${phase}`,
        ],
        [`voltage-quality-bad-l${phase}`, 1, `Bad voltage quality L${phase}`],
      ],
      { phase },
    ),
  ),
  ...rows('voltage', [
    ['phase-sequence-reversed', 2, 'Phase sequence reversed'],
    ['neutral-missing', 3, 'Neutral missing'],
    ['phase-asymmetry', 1, 'Phases loaded unevenly'],
  ]),
  ...rows('clock', [
    ['clock-adjusted-from', 0, 'Clock adjusted (old time)'],
    ['clock-adjusted', 0, 'Clock adjusted (new time)'],
    ['clock-invalid', 2, 'Clock invalid', 'begins'],
    ['clock-synchronised', 0, 'Clock synchronised', 'clock-invalid'],
    ['clock-shifts-refused', 1, 'Clock not set: many small shifts in place of a large one'],
    ['dst-changed', 0, 'Daylight saving begins or ends'],
    ['dst-begins', 0, 'Daylight saving begins'],
    ['dst-ends', 0, 'Daylight saving ends'],
  ]),
  ...rows('tamper', [
    ['terminal-cover-removed', 3, 'Terminal cover removed', 'begins'],
    ['terminal-cover-closed', 1, 'Terminal cover closed', 'terminal-cover-removed'],
    ['meter-cover-removed', 3, 'Meter cover removed', 'begins'],
    ['meter-cover-closed', 1, 'Meter cover closed', 'meter-cover-removed'],
    ['magnetic-field', 3, 'Strong magnetic field', 'begins'],
    ['magnetic-field-end', 1, 'Strong magnetic field gone', 'magnetic-field'],
    ['authentication-failed', 2, 'Log-in failed several times'],
    ['decryption-failed', 2, 'Deciphering or authentication failed several times'],
    ['replay', 2, 'Message replayed (old invocation counter)'],
    ['current-reversed', 2, 'Current reversed'],
    ['unexpected-consumption', 2, 'Consumption where there should be none'],
    ['fraud-attempt', 3, 'Fraud attempt'],
    ['alert', 2, 'Alert input active', 'begins'],
    ['alert-end', 0, 'Alert input inactive', 'alert'],
  ]),
  ...rows('disconnecter', [
    ['disconnected', 1, 'Disconnected remotely', 'begins'],
    ['disconnected-locally', 1, 'Disconnected by the meter itself', 'begins'],
    ['disconnected-manually', 1, 'Disconnected by hand', 'begins'],
    ['connected', 0, 'Connected remotely', 'disconnected disconnected-locally disconnected-manually'],
    [
      'connected-locally',
      0,
      'Connected by the meter itself',
      'disconnected disconnected-locally disconnected-manually',
    ],
    ['connected-manually', 0, 'Connected by hand', 'disconnected disconnected-locally disconnected-manually'],
    ['connection-enabled', 0, 'Connection by hand enabled'],
    ['connection-withdrawn', 0, 'Connection by hand no longer enabled'],
    ['disconnecter-failed', 3, 'Disconnecter did not switch'],
    ['mode-local', 0, 'Local operation mode set'],
    ['mode-remote', 0, 'Remote operation mode set'],
  ]),
  ...rows('load', [
    ['over-demand', 1, 'Maximum demand or limiter threshold exceeded', 'begins'],
    ['over-demand-end', 0, 'Demand below its threshold again', 'over-demand'],
    ['limiter-changed', 0, 'Limiter threshold changed'],
    ['monitor-1', 1, 'Supervision monitor 1: threshold exceeded', 'begins'],
    ['monitor-1-end', 0, 'Supervision monitor 1: below its threshold', 'monitor-1'],
    ['monitor-2', 1, 'Supervision monitor 2: threshold exceeded', 'begins'],
    ['monitor-2-end', 0, 'Supervision monitor 2: below its threshold', 'monitor-2'],
    ['monitor-3', 1, 'Supervision monitor 3: threshold exceeded', 'begins'],
    ['monitor-3-end', 0, 'Supervision monitor 3: below its threshold', 'monitor-3'],
  ]),
  ...rows('communication', [
    ['no-connection', 1, 'No connection for too long'],
    ['modem-failed', 2, 'Modem could not be started'],
    ['sim-failed', 2, 'SIM card failure', 'begins'],
    ['sim-ok', 0, 'SIM card works', 'sim-failed'],
    ['network-refused', 1, 'Registration with the mobile network failed'],
    ['packet-refused', 1, 'Registration for packet data failed'],
    ['context-established', 0, 'Packet data context established'],
    ['context-destroyed', 0, 'Packet data context ended'],
    ['context-failed', 1, 'Packet data context failed'],
    ['modem-reset', 0, 'Modem restarted'],
    ['call-out', 0, 'Call to the outside'],
    ['call-in', 0, 'Call from the outside'],
    ['hang-up', 0, 'Call ended'],
    ['diagnosis-failed', 1, 'Diagnosis of the modem failed'],
    ['signal-low', 1, 'Signal quality low'],
    ['calls-exceeded', 1, 'Too many calls answered'],
    ['local-communication', 0, 'Somebody read or tried at the local port'],
    ['communication-module-failed', 2, 'Communication module failed'],
  ]),
  ...rows('firmware', [
    ['firmware-transfer', 0, 'Firmware download begun'],
    ['firmware-ready', 0, 'Firmware image verified, ready for activation'],
    ['firmware-refused', 2, 'Firmware image refused'],
    ['firmware-activated', 1, 'Firmware activated'],
    ['firmware-not-activated', 2, 'Firmware not activated'],
  ]),
  ...rows('error', [
    ['fatal-error', 3, 'Fatal error', 'begins'],
    ['critical-error', 3, 'Critical error', 'begins'],
    ['temporary-error', 1, 'Temporary error'],
    ['application-error', 1, 'Application error'],
    ['error-cleared', 0, 'Error cleared', 'fatal-error critical-error'],
    ['alarm-cleared', 0, 'Alarm register cleared'],
    ['battery-replace', 2, 'Battery has to be replaced'],
    ['battery-low', 2, 'Battery voltage low'],
    ['program-memory-error', 3, 'Program memory error'],
    ['ram-error', 3, 'RAM error'],
    ['nv-memory-error', 3, 'Non-volatile memory error'],
    ['watchdog', 2, 'Watchdog error'],
    ['measurement-error', 3, 'Measurement system error'],
    ['value-disturbed', 1, 'Measured value disturbed'],
    ['busy', 0, 'Application busy'],
    ['abnormal', 2, 'Abnormal condition or alarm'],
  ]),
  ...rows('tariff', [
    ['tariff-activated', 0, 'Switching table activated'],
    ['tariff-programmed', 0, 'Passive switching table programmed'],
    ['billing-reset', 0, 'Billing period ended'],
  ]),
  ...rows('configuration', [
    ['log-cleared', 1, 'Event log cleared'],
    ['profile-cleared', 1, 'Profile cleared'],
    ['parameters-changed', 0, 'Parameters changed'],
    ['parameterisation-changed', 0, 'Parameterisation ID changed'],
    ['keys-changed', 1, 'Global keys changed'],
    ['capture-1-on', 0, 'Load profile 1 captures'],
    ['capture-1-off', 0, 'Load profile 1 captures no more'],
    ['capture-2-on', 0, 'Load profile 2 captures'],
    ['capture-2-off', 0, 'Load profile 2 captures no more'],
    ['quality-registration-on', 0, 'Registration of power quality enabled'],
    ['quality-registration-off', 0, 'Registration of power quality disabled'],
  ]),
  ...CHANNELS.flatMap((channel) =>
    rows(
      'media',
      [
        [`slave-silent-${channel}`, 2, `Meter on channel ${channel} gives no data`, 'begins'],
        [`slave-back-${channel}`, 0, `Meter on channel ${channel} gives data again`, `slave-silent-${channel}`],
        [`slave-battery-${channel}`, 2, `Meter on channel ${channel}: battery has to be replaced`],
        [`slave-fraud-${channel}`, 3, `Meter on channel ${channel}: fraud attempt`],
        [`slave-clock-${channel}`, 0, `Meter on channel ${channel}: clock adjusted`],
        [`slave-installed-${channel}`, 0, `New meter on channel ${channel}`],
        [`slave-error-${channel}`, 2, `Meter on channel ${channel}: permanent error`],
        [`slave-disconnected-manually-${channel}`, 1, `Channel ${channel} disconnected by hand`],
        [`slave-connected-manually-${channel}`, 0, `Channel ${channel} connected by hand`],
        [`slave-disconnected-${channel}`, 1, `Channel ${channel} disconnected remotely`],
        [`slave-connected-${channel}`, 0, `Channel ${channel} connected remotely`],
        [`slave-valve-${channel}`, 3, `Channel ${channel}: valve alarm`],
      ],
      { channel },
    ),
  ),
  ...rows('other', [['unknown', 1, 'Not in the catalogue']]),
];

export const CATALOGUE: ReadonlyMap<string, CatalogueEvent> = new Map(LIST.map((entry) => [entry.event, entry]));

export const UNKNOWN_EVENT: CatalogueEvent = CATALOGUE.get('unknown') as CatalogueEvent;
