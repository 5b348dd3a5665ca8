import type { Books, Hold, Token } from './books.ts';
import { checkEpoch, checkSigned, epochProblem, misfitOf } from './certificate.ts';
import type { Demand, SignedCertificate, SignedEpoch } from './certificate.ts';
import { refuse } from './refusal.ts';
import type { Refused, Result } from './refusal.ts';
import type { CloseRequest, FenceRequest, HoldRequest, Request } from './requests.ts';
import type { Epoch } from './typed-data.ts';

/** One request of one transaction. */
export type Call = {
  readonly books: Books;
  /** Who signed the proposal. */
  readonly caller: string;
  /** The member service whose clients may start the token. */
  readonly issuerMsp: string;
  readonly transaction: string;
  /** Takes what happened, for the transaction's event. */
  readonly tell: (change: Change) => void;
};

/** What an event says of a change; `operation` is missing where a stranger brought the certificate. */
export type Change =
  | { type: 'held'; operation: string; settlement: string; from: string; to: string; amount: string }
  | {
      type: 'executed' | 'released';
      operation?: string;
      hold: string;
      settlement: string;
      from: string;
      to: string;
      amount: string;
    }
  | { type: 'fenced'; operation: string; reason: string }
  | { type: 'started' | 'epoch-installed'; epoch: number }
  | { type: 'account-opened'; account: string; owner: string }
  | { type: 'executor-registered' | 'executor-removed'; identity: string }
  | { type: 'operator-authorised' | 'operator-revoked'; account: string; operator: string }
  | { type: 'issued'; account: string; amount: string }
  | { type: 'transferred'; from: string; to: string; amount: string };

/** `now` where the request changed something, `before` where it had its effect already. A fence also says what became of the id. */
export type Done = { done: 'now' | 'before'; operation?: 'effective' | 'fenced' };

const NOW: Result<Done> = { ok: true, value: { done: 'now' } };
const BEFORE: Result<Done> = { ok: true, value: { done: 'before' } };

/**
 * The rules of a cash token whose balances can be held for a settlement. A hold stays until a certificate of its settlement that names it ends
 * it: `commit` executes, `abort` releases, and anyone may bring either. There is no pause, freeze, expiry, payee release or forced transfer
 * of an open hold. Operation ids are one namespace, for registered executors only; each has at most one effect, for ever.
 */
export async function apply(call: Call, request: Request): Promise<Result<Done>> {
  const token = await call.books.get('token', '');
  if (request.type === 'start') return start(call, token, request);
  if (token === undefined) return refuse('not-started', 'The token has not been started.');
  switch (request.type) {
    case 'install-epoch':
      return installEpoch(call, token, request.epoch);
    case 'hold':
      return hold(call, token, request);
    case 'execute':
    case 'release':
      return close(call, token, request);
    case 'fence':
      return fence(call, token, request);
    case 'authorise':
    case 'revoke':
      return authorise(call, request.type, request.account, request.operator);
    case 'transfer':
      return transfer(call, request.from, request.to, request.amount);
    default:
      return asIssuer(call, token, request);
  }
}

function start(call: Call, token: Token | undefined, { network, epoch, quorum, signers }: Epoch): Result<Done> {
  const { books, caller, issuerMsp, tell } = call;
  if (token !== undefined) return refuse('started-already', 'The token has been started.');
  if (!caller.startsWith(`${issuerMsp}:`))
    return refuse('not-issuer', `Only a client of ${issuerMsp} starts the token.`);
  const first = { network, epoch, quorum, signers };
  const problem = epochProblem(first);
  if (problem !== undefined) return refuse('epoch-invalid', problem);
  books.put('token', '', { network, issuer: caller, latestEpoch: epoch });
  books.put('epoch', String(epoch), first);
  tell({ type: 'started', epoch });
  return NOW;
}

/** Anyone may bring the next epoch, under a quorum of the latest one. */
async function installEpoch({ books, tell }: Call, token: Token, next: SignedEpoch): Promise<Result<Done>> {
  const latest = await books.get('epoch', String(token.latestEpoch));
  if (latest === undefined) throw new Error('the token has no epoch');
  if (next.epoch !== token.latestEpoch + 1)
    return refuse('epoch-not-next', `The next epoch is ${token.latestEpoch + 1}.`);
  const check = checkEpoch(next, latest);
  if (!check.ok) return check;
  const { network, epoch, quorum, signers } = next;
  books.put('epoch', String(epoch), { network, epoch, quorum, signers });
  books.put('token', '', { ...token, latestEpoch: epoch });
  tell({ type: 'epoch-installed', epoch });
  return NOW;
}

type IssuerRequest = Extract<Request, { type: 'open-account' | 'register-executor' | 'remove-executor' | 'issue' }>;

async function asIssuer({ books, caller, tell }: Call, token: Token, request: IssuerRequest): Promise<Result<Done>> {
  if (caller !== token.issuer) return refuse('not-issuer', 'Only the issuer does that.');
  switch (request.type) {
    case 'open-account': {
      const { account, owner } = request;
      const known = await books.get('account', account);
      if (known) return known.owner === owner ? BEFORE : refuse('account-used', `${account} is another's.`);
      books.put('account', account, { owner, balance: '0', held: '0' });
      tell({ type: 'account-opened', account, owner });
      return NOW;
    }
    case 'register-executor':
      if (await books.get('executor', request.identity)) return BEFORE;
      books.put('executor', request.identity, true);
      tell({ type: 'executor-registered', identity: request.identity });
      return NOW;
    case 'remove-executor':
      if (!(await books.get('executor', request.identity))) return BEFORE;
      books.remove('executor', request.identity);
      tell({ type: 'executor-removed', identity: request.identity });
      return NOW;
    case 'issue': {
      const { account, amount } = request;
      if (!(await books.get('account', account))) return accountUnknown(account);
      await move(books, account, amount, 0n);
      tell({ type: 'issued', account, amount: String(amount) });
      return NOW;
    }
    default:
      return request satisfies never;
  }
}

/** Open holds stay when an operator is revoked. */
async function authorise(
  { books, caller, tell }: Call,
  type: 'authorise' | 'revoke',
  account: string,
  operator: string,
): Promise<Result<Done>> {
  const known = await books.get('account', account);
  if (!known) return accountUnknown(account);
  if (known.owner !== caller) return refuse('not-owner', `Only the owner of ${account} does that.`);
  const id = `${account}/${operator}`;
  const isOne = (await books.get('operator', id)) !== undefined;
  if (isOne === (type === 'authorise')) return BEFORE;
  if (isOne) books.remove('operator', id);
  else books.put('operator', id, true);
  tell({ type: isOne ? 'operator-revoked' : 'operator-authorised', account, operator });
  return NOW;
}

async function transfer(
  { books, caller, tell }: Call,
  from: string,
  to: string,
  amount: bigint,
): Promise<Result<Done>> {
  const problem = await movementProblem(books, from, to, amount);
  if (problem) return problem;
  if ((await books.get('account', from))?.owner !== caller)
    return refuse('not-owner', `Only the owner of ${from} does that.`);
  await move(books, from, -amount, 0n);
  await move(books, to, amount, 0n);
  tell({ type: 'transferred', from, to, amount: String(amount) });
  return NOW;
}

/** Earmarks an amount. Beneficiary, amount, settlement and epoch are fixed from here on; the operation's id is the hold's. */
async function hold(call: Call, token: Token, request: HoldRequest): Promise<Result<Done>> {
  const { books, caller, transaction, tell } = call;
  const { operation, settlement, from, to } = request;
  const amount = String(request.amount);
  const used = await usedByExecutor(call, operation);
  if (used) {
    if (!used.ok) return used;
    const made = used.value.kind === 'hold' ? await books.get('hold', operation) : undefined;
    const isSame = made?.settlement === settlement && made.from === from && made.to === to && made.amount === amount;
    return isSame ? BEFORE : idUsed(operation);
  }
  const problem = await movementProblem(books, from, to, 0n);
  if (problem) return problem;
  if (!(await books.get('operator', `${from}/${caller}`)))
    return refuse('not-operator', `${caller} is no operator of ${from}.`);
  const short = await movementProblem(books, from, to, request.amount);
  if (short) return short;
  await move(books, from, 0n, request.amount);
  books.put('hold', operation, { status: 'held', epoch: token.latestEpoch, settlement, from, to, amount });
  books.put('operation', operation, { status: 'effective', kind: 'hold', hold: operation, transaction });
  tell({ type: 'held', operation, settlement, from, to, amount });
  return NOW;
}

async function close(call: Call, token: Token, request: CloseRequest): Promise<Result<Done>> {
  const { books, transaction } = call;
  const { type, operation, hold: id } = request;
  if (operation !== undefined) {
    const used = await usedByExecutor(call, operation);
    if (used) {
      if (!used.ok) return used;
      return used.value.kind === type && used.value.hold === id ? BEFORE : idUsed(operation);
    }
  }
  const found = await books.get('hold', id);
  if (!found && type === 'release') return releaseOfNothing(call, token, request);
  if (!found) return refuse('hold-unknown', `There is no hold ${id}.`);
  if (found.status !== 'held') return refuse('hold-closed', `The hold is ${found.status} already.`);
  const kind = type === 'execute' ? 'commit' : 'abort';
  const { network } = token;
  const demand: Demand = { network, kinds: [kind], settlement: found.settlement, oldestEpoch: found.epoch, names: id };
  const check = await checkCertificate(books, request.certificate, demand);
  if (!check.ok) return check;
  await end(call, found, request);
  if (operation !== undefined)
    books.put('operation', operation, { status: 'effective', kind: type, hold: id, transaction });
  return NOW;
}

/** Never fails for a live hold: its amount and both accounts are there. */
async function end(
  { books, transaction, tell }: Call,
  found: Hold,
  { type, operation, hold: id }: CloseRequest,
): Promise<void> {
  const { settlement, from, to, amount } = found;
  const isExecuted = type === 'execute';
  await move(books, from, isExecuted ? -BigInt(amount) : 0n, -BigInt(amount));
  if (isExecuted) await move(books, to, BigInt(amount), 0n);
  books.put('hold', id, { ...found, status: isExecuted ? 'executed' : 'released', closedBy: transaction });
  const by = operation === undefined ? {} : { operation };
  tell({ type: isExecuted ? 'executed' : 'released', ...by, hold: id, settlement, from, to, amount });
}

/** The release of a hold that was never made is its fence; the certificate must name that, too. */
async function releaseOfNothing(call: Call, token: Token, request: CloseRequest): Promise<Result<Done>> {
  const { books, transaction } = call;
  const { operation, hold: id, certificate } = request;
  // An id that took effect, or takes effect by this very request, as something else than a hold names none.
  if (operation === id || (await books.get('operation', id))?.status === 'effective')
    return refuse('hold-unknown', `There is no hold ${id}.`);
  const check = await checkCertificate(books, certificate, { network: token.network, kinds: ['abort'], names: id });
  if (!check.ok) return check;
  const fenced = await kill(call, id, 'NARR');
  if (operation !== undefined)
    books.put('operation', operation, { status: 'effective', kind: 'release', hold: id, transaction });
  return operation === undefined ? fenced : NOW;
}

/** Kills an id unless it has taken effect: by executors at any time, by anybody else under a certificate that names it. */
async function fence(
  call: Call,
  token: Token,
  { operation, reason, certificate }: FenceRequest,
): Promise<Result<Done>> {
  const { books, caller } = call;
  if (!(await books.get('executor', caller))) {
    if (!certificate) return refuse('not-executor', `${caller} is no executor.`);
    const demand: Demand = { network: token.network, kinds: ['abort', 'fence'], names: operation };
    const check = await checkCertificate(books, certificate, demand);
    if (!check.ok) return check;
  }
  return kill(call, operation, reason);
}

async function kill({ books, transaction, tell }: Call, operation: string, reason: string): Promise<Result<Done>> {
  const known = await books.get('operation', operation);
  if (known) return { ok: true, value: { done: 'before', operation: known.status } };
  books.put('operation', operation, { status: 'fenced', reason, transaction });
  tell({ type: 'fenced', operation, reason });
  return { ok: true, value: { done: 'now', operation: 'fenced' } };
}

/** Whether an executor may use an id: undefined, or what it was used for before, or a refusal. */
async function usedByExecutor(
  { books, caller }: Call,
  operation: string,
): Promise<Result<{ kind: string; hold: string }> | undefined> {
  if (!(await books.get('executor', caller))) return refuse('not-executor', `${caller} is no executor.`);
  const used = await books.get('operation', operation);
  if (used?.status === 'fenced') return refuse('operation-dead', 'The operation is fenced.', used.reason);
  return used ? { ok: true, value: used } : undefined;
}

async function checkCertificate(books: Books, signed: SignedCertificate, demand: Demand): Promise<Result<undefined>> {
  const misfit = misfitOf(signed.certificate, demand);
  if (misfit) return misfit;
  const epoch = await books.get('epoch', String(signed.certificate.epoch));
  if (!epoch) return refuse('certificate-epoch-unknown', `Epoch ${signed.certificate.epoch} is not installed.`);
  return checkSigned(signed, epoch);
}

async function movementProblem(books: Books, from: string, to: string, amount: bigint): Promise<Refused | undefined> {
  const [payer, payee] = [await books.get('account', from), await books.get('account', to)];
  if (!payer) return accountUnknown(from);
  if (!payee) return accountUnknown(to);
  if (from === to) return refuse('accounts-equal', 'Payer and payee are one account.');
  const free = BigInt(payer.balance) - BigInt(payer.held);
  return free < amount ? refuse('cash-short', `${from} has ${free} free, ${amount} are needed.`) : undefined;
}

async function move(books: Books, account: string, balance: bigint, held: bigint): Promise<void> {
  const known = await books.get('account', account);
  if (!known) throw new Error(`the account ${account} is gone`);
  const after = { balance: BigInt(known.balance) + balance, held: BigInt(known.held) + held };
  if (after.held < 0n || after.balance < after.held) throw new Error(`the books of ${account} do not add up`);
  books.put('account', account, { ...known, balance: String(after.balance), held: String(after.held) });
}

function accountUnknown(account: string): Refused {
  return refuse('account-unknown', `There is no account ${account}.`);
}

function idUsed(operation: string): Refused {
  return refuse('id-used', `${operation} was used with other content.`);
}
