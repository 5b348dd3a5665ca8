import { awaitedUnder, closureOf, eventsUnder } from './awaited.ts';
import type { Awaited } from './awaited.ts';
import { hasTerms, isExecutor, repeated, tradeClosed, unknownAsset } from './books.ts';
import { certificateCheck } from './certificate.ts';
import type { CertificateCheck, Demand, SignedCertificate } from './certificate.ts';
import type { AssetKind, Client, Registry } from './config.ts';
import type { Booking, Details, Journal, Terms, TradeKey } from './journal.ts';
import { refuse } from './refusal.ts';
import type { Refused, Result } from './refusal.ts';

export type LodgeRequest = { id: string; trade: string; security: Terms; cash: Terms; hold: boolean };
export type TryRequest = Omit<TradeKey, 'filter'> & {
  operation: string;
  settlement: string;
  certificate: SignedCertificate | undefined;
};
export type WithdrawRequest = {
  operation: string;
  key: TradeKey;
  reason: string;
  certificate: SignedCertificate | undefined;
};

/** A participant's instruction as it stands after it was lodged. */
export type Lodged = { booking: Booking; status: LodgedStatus; isNew: boolean };
export type LodgedStatus = 'unmatched' | 'on-hold' | 'settled' | 'dead';

/** Delivery versus payment among participants, and everything that is awaited under a business key. */
export class TradeBooks {
  readonly #registry: Registry;
  readonly #journal: Journal;
  readonly #now: () => number;
  readonly #network: string;
  readonly #checkCertificate: CertificateCheck;

  constructor(registry: Registry, journal: Journal, now: () => number) {
    this.#registry = registry;
    this.#journal = journal;
    this.#now = now;
    this.#network = registry.firstEpoch.network;
    this.#checkCertificate = certificateCheck((epoch) => journal.epochAt(this.#network, epoch));
  }

  /**
   * Lodges a DvP for the sides that the client speaks for: delivering for the operator of the debited securities account, receiving for
   * the operator of the credited one and of the cash that pays. When both sides have lodged equal terms it is settled at once, unless one
   * of them lodged it on hold; then it waits for `attempt`.
   */
  lodge(client: Client, request: LodgeRequest): Result<Lodged> {
    if (!client.roles.has('participant')) return refuse('role-missing', 'Only a participant lodges instructions.');
    const { security, cash, hold, trade } = request;
    const used = this.#journal.byReference(client.id, request.id);
    if (used !== undefined) {
      const same = repeated(used, isSameLodging(used, request));
      return same.ok ? { ok: true, value: { ...same.value, status: this.#statusOf(used) } } : same;
    }
    const side = this.#sideOf(client, request);
    if (!side.ok) return side;
    const wrong = this.#whyNotLodged(request, side.value);
    if (wrong !== undefined) return wrong;
    const key: TradeKey = { filter: 'dvp', trade, from: security.from, to: security.to };
    const details = { side: side.value, hold, cash };
    const ids = { client: client.id, reference: request.id };
    const booking = this.#journal.book({ verb: 'lodge', ...ids, key, terms: security, details, timeMs: this.#now() });
    this.#settleMatched(key);
    return { ok: true, value: { booking, status: this.#statusOf(booking), isNew: true } };
  }

  /**
   * Lets a DvP that was lodged on hold be settled, under a `proceed` certificate of the settlement that waits for it. It settles or is dead
   * for ever with its reason; before both sides match, the leave stands until it is withdrawn.
   */
  attempt(client: Client, request: TryRequest): Result<Awaited> {
    const { operation, settlement, trade, from, to } = request;
    if (!isExecutor(client)) return refuse('role-missing', 'Only an executor may have a DvP tried.');
    for (const account of [from, to]) {
      const operators = this.#registry.accounts.get(account)?.operators;
      if (operators === undefined) return refuse('account-unknown', `There is no account ${account}.`);
      if (!operators.has(client.id)) return refuse('not-operator', `This client is no operator of ${account}.`);
    }
    const key: TradeKey = { filter: 'dvp', trade, from, to };
    const used = this.#journal.byOperation(operation);
    if (used !== undefined && !isSameKey(used.key, key)) {
      const other = repeated(used, false);
      if (!other.ok) return other;
    }
    const demand = { network: this.#network, kinds: ['proceed'] as const, settlement };
    const check = this.#demand(request.certificate, demand);
    if (!check.ok) return check;
    const before = awaitedUnder(this.#journal, key, operation);
    const stands = this.#journal
      .byKey(key)
      .some(({ verb, details }) => verb === 'try' && details?.awaited === operation);
    if (before.status === 'open' && !stands) {
      this.#journal.book({ verb: 'try', settlement, key, details: { awaited: operation }, timeMs: this.#now() });
    }
    this.#settleMatched(key);
    return { ok: true, value: awaitedUnder(this.#journal, key, operation) };
  }

  /**
   * After this nothing more happens under the key, or it is known that it has happened. By executors; by anyone else with a certificate that
   * names the operation, once an executor has bound the operation to this key.
   */
  withdraw(client: Client, request: WithdrawRequest): Result<Awaited> {
    const { operation, key, reason } = request;
    if (!isExecutor(client)) {
      if (!this.#isBound(operation, key)) return refuse('role-missing', 'Only an executor may withdraw this.');
      const demand = { network: this.#network, kinds: ['abort', 'fence'] as const, names: operation };
      const check = this.#demand(request.certificate, demand);
      if (!check.ok) return check;
    }
    const used = this.#journal.byOperation(operation);
    if (used !== undefined && used.verb !== 'fence' && !isSameKey(used.key, key)) {
      return refuse('id-used', 'This id is already used with other content.');
    }
    if (
      closureOf(this.#journal, key) === undefined &&
      (key.filter !== 'dvp' || eventsUnder(this.#journal, key).length === 0)
    ) {
      // After a payment the key is closed as well: its number must stay what was said.
      const happened = eventsUnder(this.#journal, key).length > 0;
      const verb = used === undefined && !happened ? { verb: 'fence' as const, operation } : { verb: 'close' as const };
      this.#journal.book({ ...verb, key, reason, details: { awaited: operation }, timeMs: this.#now() });
    }
    return { ok: true, value: awaitedUnder(this.#journal, key, operation) };
  }

  /** Settles what both sides have lodged equally, if it need not wait or somebody has given leave; otherwise does nothing. */
  #settleMatched(key: TradeKey): void {
    const matched = this.#matched(key);
    if (matched === undefined || closureOf(this.#journal, key) !== undefined) return;
    if (eventsUnder(this.#journal, key).length > 0) return;
    const leave = this.#journal.byKey(key).find((each) => each.verb === 'try' && this.#isAlive(each.details?.awaited));
    if (matched.hold && leave === undefined) return;
    const { security, cash } = matched;
    const operation = leave?.details?.awaited;
    const reason = this.#whyShort(security, cash);
    const timeMs = this.#now();
    if (reason !== undefined) {
      const verb = operation === undefined ? { verb: 'fail' as const } : { verb: 'fence' as const, operation };
      this.#journal.book({ ...verb, key, reason, timeMs });
      return;
    }
    const ids = operation === undefined ? {} : { operation, settlement: leave?.settlement };
    const booking = this.#journal.book(
      { verb: 'dvp', ...ids, key, terms: security, details: { cash }, timeMs },
      moveOf(security),
    );
    this.#journal.moveAlso(booking, cash, moveOf(cash));
  }

  /** The terms on which both sides agree, and whether one of them wants to wait. */
  #matched(key: TradeKey): { security: Terms; cash: Terms; hold: boolean } | undefined {
    const lodged = this.#journal.byKey(key).filter(({ verb }) => verb === 'lodge');
    const [deliver, receive] = [sideIn(lodged, 'deliver'), sideIn(lodged, 'receive')];
    const [security, cash] = [deliver?.terms, deliver?.details?.cash];
    if (deliver === undefined || receive === undefined || security === undefined || cash === undefined)
      return undefined;
    const agree = hasTerms(receive, security) && hasTerms({ terms: receive.details?.cash }, cash);
    if (!agree) return undefined;
    return { security, cash, hold: deliver.details?.hold === true || receive.details?.hold === true };
  }

  #whyShort(security: Terms, cash: Terms): string | undefined {
    const isShort = ({ from, asset, amount }: Terms) => this.#journal.position(from, asset).free < amount;
    if (isShort(security)) return 'LACK';
    return isShort(cash) ? 'MONY' : undefined;
  }

  #isAlive(operation: string | undefined): boolean {
    return operation !== undefined && this.#journal.byOperation(operation) === undefined;
  }

  #isBound(operation: string, key: TradeKey): boolean {
    return this.#journal
      .byKey(key)
      .some((each) => each.details?.awaited === operation || (each.verb === 'dvp' && each.operation === operation));
  }

  #statusOf({ key }: Booking): LodgedStatus {
    if (key === undefined) return 'unmatched';
    if (eventsUnder(this.#journal, key).length > 0) return 'settled';
    if (closureOf(this.#journal, key) !== undefined) return 'dead';
    return this.#matched(key) === undefined ? 'unmatched' : 'on-hold';
  }

  #sideOf(client: Client, { security, cash }: LodgeRequest): Result<Side> {
    const operates = (account: string) => this.#registry.accounts.get(account)?.operators.has(client.id) ?? false;
    const delivers = operates(security.from);
    const receives = operates(security.to) && operates(cash.from);
    if (delivers) return { ok: true, value: receives ? 'both' : 'deliver' };
    if (receives) return { ok: true, value: 'receive' };
    return refuse('not-operator', 'This client speaks for neither side of the trade.');
  }

  #whyNotLodged({ security, cash, trade }: LodgeRequest, side: Side): Refused | undefined {
    const wrong = this.#whyNotLeg(security, 'securities') ?? this.#whyNotLeg(cash, 'cash');
    if (wrong !== undefined) return wrong;
    const key: TradeKey = { filter: 'dvp', trade, from: security.from, to: security.to };
    if (eventsUnder(this.#journal, key).length > 0) return refuse('trade-settled', `${trade} is settled already.`);
    const closure = closureOf(this.#journal, key);
    if (closure !== undefined) return tradeClosed(closure);
    const lodged = this.#journal.byKey(key).filter(({ verb }) => verb === 'lodge');
    const sides = side === 'both' ? (['deliver', 'receive'] as const) : [side];
    if (!sides.some((each) => sideIn(lodged, each) !== undefined)) return undefined;
    return refuse('side-lodged', `This side has lodged ${trade} before.`);
  }

  #whyNotLeg({ from, to, asset }: Terms, kind: AssetKind): Refused | undefined {
    for (const account of [from, to]) {
      if (!this.#registry.accounts.has(account)) return refuse('account-unknown', `There is no account ${account}.`);
    }
    const known = this.#registry.assets.get(asset);
    if (known === undefined) return unknownAsset(asset);
    if (known.kind !== kind) return refuse('asset-kind-wrong', `${asset} is no asset of the kind ${kind}.`);
    if (from === to) return refuse('accounts-equal', 'The debited and the credited account are the same.');
    return undefined;
  }

  #demand(certificate: SignedCertificate | undefined, demand: Demand): Result<undefined> {
    if (certificate !== undefined) return this.#checkCertificate(certificate, demand);
    return refuse('certificate-missing', `A certificate of kind ${demand.kinds.join(' or ')} is needed.`);
  }
}

type Side = 'deliver' | 'receive' | 'both';

function sideIn(lodged: readonly Booking[], side: 'deliver' | 'receive'): Booking | undefined {
  return lodged.find(({ details }) => details?.side === side || details?.side === 'both');
}

function moveOf({ from, to }: Terms) {
  return { from: { account: from, bucket: 'free' as const }, to: { account: to, bucket: 'free' as const } };
}

function isSameKey(key: TradeKey | undefined, wanted: TradeKey): boolean {
  return (
    key?.filter === wanted.filter && key.trade === wanted.trade && key.from === wanted.from && key.to === wanted.to
  );
}

function isSameLodging(used: Booking, { trade, security, cash, hold }: LodgeRequest): boolean {
  const { details }: { details: Details | undefined } = used;
  return (
    used.verb === 'lodge' &&
    used.key?.trade === trade &&
    details?.hold === hold &&
    hasTerms(used, security) &&
    hasTerms({ terms: details.cash }, cash)
  );
}
