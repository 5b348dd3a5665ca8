export { applyCalls } from './apply-calls.ts';
export { keysOfCall } from './keys-of-call.ts';
export {
  MAXIMUM_PAGE,
  type Queries,
  type QueryType,
  type RegisterView,
  runQuery,
  type SettlementSummary,
  type SettlementView,
} from './queries.ts';
export { certificateKeysOf, currentEpoch, epochsInForce } from './epochs.ts';
export type { ChangeView, EpochView, NetworkView } from './network-queries.ts';
export { peopleNeeded } from './settlements.ts';
export { NotFetched, type Reader, type Stored, type World } from './world.ts';
