import assert from 'node:assert/strict';
import {
  type AccountRecord,
  type CallBody,
  type JsonObject,
  leiCheckDigits,
  type Result,
  type SettlementEvent,
  type SignedCall,
} from '@linkspan/protocol';
import type { Checkpoint, Ledger, LedgerEvent } from './ledger.ts';

/** A network that the suite may speak for: how to begin it, and calls that its contract takes. */
export type ConformanceNetwork = {
  /** Genesis and registrations in an order that can be run in one transaction. */
  readonly setUp: () => readonly SignedCall[];
  readonly call: (organisation: string, body: CallBody, nonce?: string) => SignedCall;
  /** A registered system, its owner, and the LEI of a registered party. */
  readonly system: { readonly id: string; readonly owner: string };
  readonly party: string;
  /** The organisations that must lodge, and the body with which each lodges a trade whose deadline is an hour after `now`. */
  readonly lodgers: readonly [string, string];
  readonly lodge: (tradeId: string, now: number) => CallBody;
  readonly toleranceMs: number;
};

/** One node of a new ledger, on which nothing has been submitted. */
export type LedgerUnderTest = {
  readonly ledger: Ledger;
  readonly network: ConformanceNetwork;
  /** The clock that the host's time must agree with, in UTC milliseconds. */
  now(): number;
  /** Closes the node and opens it again on what it has stored. */
  restart(): Promise<Ledger>;
  close(): Promise<void>;
};

/** No test of the suite waits longer for anything. */
export const LONGEST_WAIT_MS = 30_000;

/** The ledger under test with fresh names: nothing that one test writes is another's. */
export class ConformanceHost {
  readonly under: LedgerUnderTest;
  ledger: Ledger;
  #names = 0;

  constructor(under: LedgerUnderTest) {
    this.under = under;
    this.ledger = under.ledger;
  }

  get network(): ConformanceNetwork {
    return this.under.network;
  }

  submit(...calls: SignedCall[]): Promise<readonly Result<JsonObject>[]> {
    return this.ledger.submit(calls);
  }

  async restart(): Promise<void> {
    this.ledger = await this.under.restart();
  }

  account(): AccountRecord {
    return { id: `${this.network.system.id}:conformance-${this.#names++}`, party: this.network.party, assets: ['JPY'] };
  }

  register(account: AccountRecord, nonce?: string): SignedCall {
    return this.network.call(this.network.system.owner, { type: 'register-account', account }, nonce);
  }

  tradeId(): string {
    return `CONFORMANCE-${this.#names++}`;
  }

  /** Both sides' lodging of a trade: the first opens the proposal, the second completes it. */
  lodges(tradeId: string): [SignedCall, SignedCall] {
    const body = this.network.lodge(tradeId, this.under.now());
    const [first, second] = this.network.lodgers;
    return [this.network.call(first, body), this.network.call(second, body)];
  }

  async accounts(): Promise<readonly AccountRecord[]> {
    const register = await this.ledger.evaluate('register', {});
    assert.ok(register.ok);
    return register.value.accounts;
  }

  async find(id: string): Promise<AccountRecord | undefined> {
    return (await this.accounts()).find((account) => account.id === id);
  }

  /** Every block with events after a checkpoint. A last event of its own marks the end, so that nothing has to be waited out. */
  async blocksUntilMarker(from: Checkpoint): Promise<LedgerEvent[]> {
    const marker = this.tradeId();
    await this.submit(this.lodges(marker)[0]);
    const blocks: LedgerEvent[] = [];
    for await (const block of this.ledger.events(from, AbortSignal.timeout(LONGEST_WAIT_MS))) {
      blocks.push(block);
      if (block.events.some((event) => event.tradeId === marker)) return blocks;
    }
    assert.fail('the marker never came');
  }

  async eventsUntilMarker(from: Checkpoint): Promise<SettlementEvent[]> {
    return (await this.blocksUntilMarker(from)).flatMap(({ events }) => events).slice(0, -1);
  }
}

let leis = 0;

/** The LEI of nobody, right in its check digits and never given before. */
export function newLei(): string {
  const body = `9999CONFORMANCE${String(leis++).padStart(3, '0')}`;
  return body + leiCheckDigits(body);
}
