/** What all gateways have in common. */
export interface GatewayStatus {
  /** For a person, without password. */
  readonly name: string;
  readonly state: 'up' | 'down';
  readonly fault?: string;
  /** Messages sent or requests answered since the start. */
  readonly count: number;
  /** Connected now, where others connect to us. */
  readonly clients?: number;
}

export interface Gateway {
  readonly name: string;
  status(): GatewayStatus;
  /** `gone`: it is switched off for good, not for a restart. */
  close(gone?: boolean): Promise<void>;
}
