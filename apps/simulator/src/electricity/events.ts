/**
 * Event numbers and the two status words. The seed system shows numbers (23, 24, 11) without their meaning; these are ours,
 * chosen so that 11 is the adjusted clock and 23, 24 a power failure and its end.
 *
 * Decides numbers, texts, in which log an event goes, and which events belong to the quality of supply (whose registration
 * can be turned off).
 */
export const EVENTS = {
  fatalError: 1,
  criticalError: 2,
  errorCleared: 3,
  /** At the old time. */
  clockAdjusted: 11,
  /** The same, at the new time. */
  clockAdjustedTo: 12,
  clockInvalid: 13,
  clockSynchronised: 14,
  smallShiftsRefused: 15,
  dstOn: 16,
  dstOff: 17,
  logCleared: 18,
  profileCleared: 19,
  parametersChanged: 20,
  touActivated: 21,
  parameterisationIdChanged: 22,
  powerDown: 23,
  shortPowerUp: 24,
  longPowerUp: 25,
  undervoltageL1: 26,
  undervoltageL2: 27,
  undervoltageL3: 28,
  undervoltageEndL1: 29,
  undervoltageEndL2: 30,
  undervoltageEndL3: 31,
  overvoltageL1: 32,
  overvoltageL2: 33,
  overvoltageL3: 34,
  overvoltageEndL1: 35,
  overvoltageEndL2: 36,
  overvoltageEndL3: 37,
  phaseOutageL1: 38,
  phaseOutageL2: 39,
  phaseOutageL3: 40,
  phaseRestoredL1: 41,
  phaseRestoredL2: 42,
  phaseRestoredL3: 43,
  overDemand: 44,
  overDemandEnd: 45,
  powerQualityOn: 46,
  powerQualityOff: 47,
  firmwareTransfer: 50,
  firmwareVerified: 51,
  firmwareRefused: 52,
  firmwareActivated: 53,
  firmwareNotActivated: 54,
  alert: 60,
  alertEnd: 61,
  slaveSilent1: 70,
  slaveSilent2: 71,
  slaveSilent3: 72,
  slaveSilent4: 73,
  slaveBack1: 74,
  slaveBack2: 75,
  slaveBack3: 76,
  slaveBack4: 77,
  disconnectedRemotely: 80,
  disconnectedLocally: 81,
  connectedLocally: 82,
  localConnectionEnabled: 83,
  localConnectionWithdrawn: 84,
  localMode: 85,
  remoteMode: 86,
} as const;

export type EventName = keyof typeof EVENTS;
export type EventNumber = (typeof EVENTS)[EventName];

export const EVENT_TEXTS: Readonly<Record<EventNumber, string>> = {
  1: 'Fatal error in the module',
  2: 'Critical error in the module',
  3: 'Error cleared',
  11: 'Clock adjusted (old time)',
  12: 'Clock adjusted (new time)',
  13: 'Clock invalid',
  14: 'Clock synchronised',
  15: 'Clock not set: many small shifts in place of a large one',
  16: 'Daylight saving begins',
  17: 'Daylight saving ends',
  18: 'Event log cleared',
  19: 'Profile cleared',
  20: 'Parameters changed',
  21: 'Switching table activated',
  22: 'Parameterisation ID changed',
  23: 'Power down, all phases',
  24: 'Power restored after a short power down',
  25: 'Power restored after a long power down',
  26: 'Undervoltage L1',
  27: 'Undervoltage L2',
  28: 'Undervoltage L3',
  29: 'Return to nominal voltage L1 (from undervoltage)',
  30: 'Return to nominal voltage L2 (from undervoltage)',
  31: 'Return to nominal voltage L3 (from undervoltage)',
  32: 'Overvoltage L1',
  33: 'Overvoltage L2',
  34: 'Overvoltage L3',
  35: 'Return to nominal voltage L1 (from overvoltage)',
  36: 'Return to nominal voltage L2 (from overvoltage)',
  37: 'Return to nominal voltage L3 (from overvoltage)',
  38: 'Single phase outage L1',
  39: 'Single phase outage L2',
  40: 'Single phase outage L3',
  41: 'Phase L1 restored',
  42: 'Phase L2 restored',
  43: 'Phase L3 restored',
  44: 'Maximum demand exceeded',
  45: 'Demand below its maximum again',
  46: 'Registration of power quality enabled',
  47: 'Registration of power quality disabled',
  50: 'Firmware download begun',
  51: 'Firmware image verified',
  52: 'Firmware image refused',
  53: 'Firmware updated',
  54: 'Firmware not activated',
  60: 'Alert input active',
  61: 'Alert input inactive',
  70: 'Slave 1 gives no data',
  71: 'Slave 2 gives no data',
  72: 'Slave 3 gives no data',
  73: 'Slave 4 gives no data',
  74: 'Slave 1 gives data again',
  75: 'Slave 2 gives data again',
  76: 'Slave 3 gives data again',
  77: 'Slave 4 gives data again',
  80: 'Disconnected remotely',
  81: 'Disconnected by the local button',
  82: 'Connected by the local button',
  83: 'Local connection enabled',
  84: 'Local connection no longer enabled',
  85: 'Local operation mode set',
  86: 'Remote operation mode set',
};

/** 80 and up go into the disconnecter log. */
export const isDisconnecterEvent = (event: EventNumber): boolean => event >= EVENTS.disconnectedRemotely;

/** Power failures, voltages, phases: 23 to 43. */
export const isQualityEvent = (event: EventNumber): boolean =>
  event >= EVENTS.powerDown && event <= EVENTS.phaseRestoredL3;

/**
 * Status word of profile rows. The low byte alone is the 8-bit form; its bits 0-3, 5 and 7 lie where European AMR profiles
 * have them.
 */
export const PROFILE_STATUS = {
  criticalError: 0x0001,
  clockInvalid: 0x0002,
  /** The value is not of this instant: a slave did not answer. */
  dataNotActual: 0x0004,
  dst: 0x0008,
  clockDesynchronised: 0x0010,
  /** The clock was set by more than sync_limit in this period. */
  timeChanged: 0x0020,
  powerUp: 0x0040,
  powerDown: 0x0080,
  /** Captured after its instant: that fell into a power failure or was jumped over by the clock. */
  late: 0x0100,
  disconnected: 0x0200,
  overDemand: 0x0400,
  parametersChanged: 0x0800,
  /** The slave itself reports an alarm. */
  slaveAlarm: 0x1000,
} as const;

/** Device status of log entries. */
export const DEVICE_STATUS = {
  fatalError: 0x0001,
  criticalError: 0x0002,
  clockInvalid: 0x0004,
  clockDesynchronised: 0x0008,
  dst: 0x0010,
  disconnected: 0x0020,
  localConnectionEnabled: 0x0040,
  remoteMode: 0x0080,
  rate2: 0x0100,
  controlOutput: 0x0200,
  phase1Missing: 0x0400,
  phase2Missing: 0x0800,
  phase3Missing: 0x1000,
  overDemand: 0x2000,
  alert: 0x4000,
  powerDown: 0x8000,
} as const;
