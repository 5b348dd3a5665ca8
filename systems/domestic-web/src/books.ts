import { certificateCheck } from './certificate.ts';
import type { CertificateCheck, Demand, SignedCertificate } from './certificate.ts';
import type { Asset, Client, Registry } from './config.ts';
import { closureOf } from './awaited.ts';
import type { Booking, Journal, Terms, TradeKey } from './journal.ts';
import { refuse } from './refusal.ts';
import type { Refused, Result } from './refusal.ts';

export type HoldRequest = Terms & { id: string; settlement: string };
export type TransferRequest = Terms & { id: string; trade: string | undefined };
export type ClosingVerb = 'execute' | 'deliver' | 'release';
export type CloseRequest = { hold: string; operation: string | undefined; certificate: SignedCertificate | undefined };
export type FenceRequest = { operation: string; reason: string; certificate: SignedCertificate | undefined };

/** What a request came to: a booking, and whether this very request made it. */
export type Booked = { booking: Booking; isNew: boolean };

/**
 * The rules of the system. Every method is to run inside one transaction of the journal; a refusal is returned before
 * anything is written.
 */
export class Books {
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

  /** Earmarks free amount of an account for a beneficiary, until a certificate executes or releases it. */
  hold(client: Client, request: HoldRequest): Result<Booked> {
    if (!isExecutor(client)) return refuse('role-missing', 'Only an executor may hold.');
    const used = this.#journal.byOperation(request.id);
    if (used !== undefined) return repeated(used, isSameHold(used, request));
    const blocked = this.#whyNotDebited(client, request);
    if (blocked !== undefined) return blocked;
    const { id, settlement } = request;
    const terms = termsOf(request);
    const epoch = this.#journal.latestEpoch();
    const booking = this.#journal.book(
      { verb: 'hold', operation: id, settlement, terms, epoch, timeMs: this.#now() },
      { from: { account: terms.from, bucket: 'free' }, to: { account: terms.from, bucket: 'held' } },
    );
    return { ok: true, value: { booking, isNew: true } };
  }

  /** Moves free amount at once. Executors' ids are operation ids; a participant's are known under its own name only. */
  transfer(client: Client, request: TransferRequest): Result<Booked> {
    const executor = isExecutor(client);
    if (!executor && !client.roles.has('participant')) return refuse('role-missing', 'Readers may not transfer.');
    const used = executor ? this.#journal.byOperation(request.id) : this.#journal.byReference(client.id, request.id);
    if (used !== undefined) return repeated(used, isSameTransfer(used, request));
    const blocked = this.#whyNotDebited(client, request);
    if (blocked !== undefined) return blocked;
    const key = transferKey(request);
    const closure = key && closureOf(this.#journal, key);
    if (closure !== undefined) return tradeClosed(closure);
    const terms = termsOf(request);
    const ids = executor ? { operation: request.id } : { client: client.id, reference: request.id };
    const booking = this.#journal.book(
      { verb: 'transfer', ...ids, ...(key && { key }), terms, timeMs: this.#now() },
      { from: { account: terms.from, bucket: 'free' }, to: { account: terms.to, bucket: 'free' } },
    );
    return { ok: true, value: { booking, isNew: true } };
  }

  /**
   * Ends a hold: cash is executed and securities are delivered under a commit certificate, either is released under an
   * abort certificate, which must name the hold: else the certificate of a settlement that is decided would end holds that
   * are made under it later. Anyone may bring it; only executors may key it by an operation id.
   */
  close(client: Client, verb: ClosingVerb, request: CloseRequest): Result<Booked> {
    const { operation, certificate } = request;
    if (operation !== undefined && !isExecutor(client)) {
      return refuse('role-missing', 'Only an executor may use an operation id; leave it out.');
    }
    const used = operation === undefined ? undefined : this.#journal.byOperation(operation);
    if (used !== undefined) return repeated(used, used.verb === verb && used.hold === request.hold);
    const hold = this.#journal.byOperation(request.hold);
    if (hold?.verb !== 'hold' || hold.terms === undefined || hold.settlement === undefined) {
      return verb === 'release' ? this.#releaseUnknown(request, hold) : unknownHold(request.hold);
    }
    const { settlement, terms } = hold;
    const mismatch = whyNotVerb(verb, this.#registry.assets.get(terms.asset));
    if (mismatch !== undefined) return mismatch;
    const kinds = [verb === 'release' ? ('abort' as const) : ('commit' as const)];
    const oldestEpoch = hold.epoch ?? 0;
    const check = this.#demand(certificate, {
      network: this.#network,
      kinds,
      settlement,
      oldestEpoch,
      names: request.hold,
    });
    if (!check.ok) return check;
    const closing = this.#journal.closingOf(request.hold);
    if (closing !== undefined) return alreadyClosed(closing, verb, operation);
    const keys = { ...(operation === undefined ? {} : { operation }), hold: request.hold, settlement };
    const taker = verb === 'release' ? terms.from : terms.to;
    const booking = this.#journal.book(
      { verb, ...keys, terms, timeMs: this.#now() },
      { from: { account: terms.from, bucket: 'held' }, to: { account: taker, bucket: 'free' } },
    );
    return { ok: true, value: { booking, isNew: true } };
  }

  /** Makes sure that an operation id never takes effect, or finds that it already has. Moves nothing. */
  fence(client: Client, request: FenceRequest): Result<Booked> {
    const { operation, reason } = request;
    if (!isExecutor(client)) {
      const kinds = ['abort', 'fence'] as const;
      const check = this.#demand(request.certificate, { network: this.#network, kinds, names: operation });
      if (!check.ok) return check;
    }
    return { ok: true, value: this.#fenced(operation, reason) };
  }

  /** A hold that never was can still be released: then its id is dead, which must be named in the certificate. */
  #releaseUnknown(request: CloseRequest, found: Booking | undefined): Result<Booked> {
    if (found !== undefined && found.verb !== 'fence') return unknownHold(request.hold);
    const demand = { network: this.#network, kinds: ['abort'] as const, names: request.hold };
    const check = this.#demand(request.certificate, demand);
    return check.ok ? { ok: true, value: this.#fenced(request.hold, UNNAMED_REASON) } : check;
  }

  #fenced(operation: string, reason: string): Booked {
    const found = this.#journal.byOperation(operation);
    if (found !== undefined) return { booking: found, isNew: false };
    const booking = this.#journal.book({ verb: 'fence', operation, reason, timeMs: this.#now() });
    return { booking, isNew: true };
  }

  #demand(certificate: SignedCertificate | undefined, demand: Demand): Result<undefined> {
    if (certificate !== undefined) return this.#checkCertificate(certificate, demand);
    return refuse('certificate-missing', `A certificate of kind ${demand.kinds.join(' or ')} is needed.`);
  }

  #whyNotDebited(client: Client, request: Terms): Refused | undefined {
    const { from, to, asset, amount } = request;
    const debited = this.#registry.accounts.get(from);
    const known = this.#registry.assets.get(asset);
    if (debited === undefined) return refuse('account-unknown', `There is no account ${from}.`);
    if (!this.#registry.accounts.has(to)) return refuse('account-unknown', `There is no account ${to}.`);
    if (known === undefined) return unknownAsset(asset);
    if (from === to) return refuse('accounts-equal', 'The debited and the credited account are the same.');
    if (!debited.operators.has(client.id)) {
      return refuse('not-operator', `The owner of ${from} has not made this client an operator.`);
    }
    const { free } = this.#journal.position(from, asset);
    if (free >= amount) return undefined;
    const code = known.kind === 'cash' ? 'cash-short' : 'securities-short';
    return refuse(code, `Account ${from} has ${free} of ${asset} free, ${amount} are needed.`);
  }
}

/** NARR, ISO 20022's reason for "none of the listed ones": a release names no reason for the fence it becomes. */
const UNNAMED_REASON = 'NARR';

export function isExecutor(client: Client): boolean {
  return client.roles.has('executor');
}

function termsOf({ from, to, asset, amount }: Terms): Terms {
  return { from, to, asset, amount };
}

export function hasTerms({ terms }: Pick<Booking, 'terms'>, wanted: Terms): boolean {
  return (
    terms !== undefined &&
    terms.from === wanted.from &&
    terms.to === wanted.to &&
    terms.asset === wanted.asset &&
    terms.amount === wanted.amount
  );
}

function transferKey({ trade, from, to }: TransferRequest): TradeKey | undefined {
  return trade === undefined ? undefined : { filter: 'cash-transfer', trade, from, to };
}

function isSameTransfer(used: Booking, request: TransferRequest): boolean {
  return used.verb === 'transfer' && used.key?.trade === request.trade && hasTerms(used, request);
}

function isSameHold(used: Booking, request: HoldRequest): boolean {
  return used.verb === 'hold' && used.settlement === request.settlement && hasTerms(used, request);
}

/** Nothing happens under a closed key any more, so that whoever was told so was told the truth. */
export function tradeClosed({ reason, booking }: Booking): Refused {
  return refuse('trade-closed', `Nothing may happen for this trade any more since booking ${booking}.`, {}, reason);
}

/** A used id: the same request is answered as done, a fenced id stays dead, other content is refused. */
export function repeated(used: Booking, isSame: boolean): Result<Booked> {
  if (isSame) return { ok: true, value: { booking: used, isNew: false } };
  if (used.verb === 'fence') {
    const detail = 'This id was fenced and can never take effect.';
    return refuse('operation-dead', detail, { outcome: 'dead' }, used.reason);
  }
  return refuse('id-used', 'This id is already used with other content.');
}

function alreadyClosed(closing: Booking, verb: ClosingVerb, operation: string | undefined): Result<Booked> {
  if (operation === undefined && closing.verb === verb) return { ok: true, value: { booking: closing, isNew: false } };
  const detail = `The hold is already closed by booking ${closing.booking} (${closing.verb}).`;
  return refuse('hold-closed', detail, { closedBy: closing.verb, booking: closing.booking });
}

function whyNotVerb(verb: ClosingVerb, asset: Asset | undefined): Refused | undefined {
  const fitting = asset?.kind === 'securities' ? 'deliver' : 'execute';
  if (verb === 'release' || verb === fitting) return undefined;
  return refuse('verb-mismatch', `A hold of ${asset?.kind ?? 'cash'} is closed by ${fitting}, not by ${verb}.`);
}

function unknownHold(hold: string): Refused {
  return refuse('hold-unknown', `There is no hold ${hold}.`, { outcome: 'unknown' });
}

/** DSEC is ISO 20022's reason for an unknown security, AM03 for a currency that is not processed. */
export function unknownAsset(asset: string): Refused {
  const looksLikeIsin = /^[A-Z]{2}[A-Z0-9]{9}[0-9]$/.test(asset);
  return refuse('asset-unknown', `There is no asset ${asset}.`, {}, looksLikeIsin ? 'DSEC' : 'AM03');
}
