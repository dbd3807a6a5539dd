export {
  type Balance,
  type BalanceGrid,
  type BalanceMember,
  type BalanceRole,
  type BalanceTotals,
  balanceOf,
  type MemberSpan,
  type MissingMeter,
  ROLES as BALANCE_ROLES,
  totalsOf,
} from './balance.ts';
export {
  LOSS_LIMITS,
  type LossDay,
  type LossFinding,
  type LossKind,
  type LossLimits,
  type LossTrend,
  lineThrough,
  lossFindings,
  medianOf,
  scatterOf,
  shareOf,
  trendOf,
} from './persistent.ts';
export { EN50160, tenMinuteMeans, type VoltageLimits, type VoltageWeek, voltageWeek } from './voltage.ts';
