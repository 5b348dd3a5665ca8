import type { Hash } from './hash.ts';
import type { AccountRecord, InstrumentRecord, PartyRecord, SystemRecord } from './records.ts';
import type { ScenarioDocument } from './scenario-document.ts';

/** A scenario as the network knows it. */
export type RegisteredScenario = {
  readonly document: ScenarioDocument;
  readonly hash: Hash;
  readonly proposedBy: string;
  /** Organisations that approved exactly this hash. A settlement needs the owners of all systems that it touches. */
  readonly approvals: readonly string[];
  /** It takes no new instructions; what began under it goes on. */
  readonly retired?: boolean;
};

/** What an instruction is checked against: everything that the network has registered. */
export interface Register {
  party(lei: string): PartyRecord | undefined;
  account(id: string): AccountRecord | undefined;
  instrument(isin: string): InstrumentRecord | undefined;
  system(id: string): SystemRecord | undefined;
  scenario(reference: string): RegisteredScenario | undefined;
  /** Whether a settlement among these organisations has used the trade id. */
  tradeIdUsed(tradeId: string, lodgers: readonly string[]): boolean;
}
