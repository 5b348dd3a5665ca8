export { CallWriter } from './call-writer.ts';
export type { Clock, Log } from './clock.ts';
export type { Coordinator, GatheredCertificate, Peers } from './coordinator.ts';
export { createCoordinator, type CoordinatorOptions } from './create-coordinator.ts';
export { openSigningJournal, type SigningJournal } from './journal.ts';
export type { OrganisationSigners } from './network-state.ts';
export { ranking, TAKE_OVER_AFTER_MS } from './ranking.ts';
