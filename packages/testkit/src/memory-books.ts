import { NO_OPERATION, type Observation, type Position, type Submission } from '@linkspan/plugin';
import {
  type CertificateKind,
  type Hash,
  nameInSystem,
  type Operation,
  type SignedCertificate,
  type Terms,
  type Verb,
  type Verify,
} from '@linkspan/protocol';
import { CertificateCheck, type EpochKeys, NO_HOLD } from './certificate-check.ts';
import { type MovedAsset, movedBy, unitsOf } from './moved-asset.ts';

/** Amounts as decimal strings by account and asset, as network definitions write them. */
export type Balances = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type MemoryBooksOptions = {
  readonly system: string;
  readonly network: Hash;
  /** The organisations' certificate keys of the first epoch, and how many must have signed. */
  readonly certificates: EpochKeys;
  readonly verify: Verify;
  readonly balances: Balances;
  /** Called after every change. */
  readonly onChange: () => void;
};

type Hold = {
  readonly terms: Terms;
  readonly settlement: Hash;
  readonly epoch: number;
  readonly from: string;
  readonly to: string;
  readonly moved: MovedAsset;
  status: 'held' | 'executed' | 'released';
  /** The number of the change that ended it. */
  closedBy: number;
};
type OperationRecord = {
  readonly verb: Verb;
  readonly status: 'effective' | 'dead';
  readonly hold: Hash | undefined;
  readonly reason: string;
  readonly number: number;
};
/** One change, and the settlement that it belongs to where there is one. */
export type Changed = { readonly observation: Observation; readonly settlement: Hash | undefined };
type Refusal = Extract<Submission, { readonly status: 'refused' }>;

/**
 * The books of a system in memory, with everything that a real one guarantees: effects keyed by operation id for ever, holds that only
 * certificates end, fences, a record of every change.
 */
export class MemoryBooks {
  readonly #options: MemoryBooksOptions;
  readonly #positions = new Map<string, Map<string, { balance: bigint; held: bigint }>>();
  readonly #operations = new Map<Hash, OperationRecord>();
  readonly #holds = new Map<Hash, Hold>();
  readonly #changes: Changed[] = [];
  readonly #certificates: CertificateCheck;

  constructor(options: MemoryBooksOptions) {
    this.#options = options;
    this.#certificates = new CertificateCheck(options.network, options.verify, options.certificates);
    for (const [account, assets] of Object.entries(options.balances)) {
      const rows = Object.entries(assets).map(
        ([asset, amount]) => [asset, { balance: unitsOf(amount, asset), held: 0n }] as const,
      );
      this.#positions.set(account, new Map(rows));
    }
  }

  get changes(): readonly Changed[] {
    return this.#changes;
  }

  /** Knows the next epoch from now on; holds are of it, too. */
  installEpoch(next: EpochKeys): void {
    this.#certificates.install(next);
  }

  positions(): Position[] {
    return [...this.#positions].flatMap(([account, assets]) =>
      [...assets].map(([asset, position]) => ({ account, asset, ...position })),
    );
  }

  /** What no system does: makes something vanish. For those who watch to find. */
  embezzle(account: string, asset: string, units: bigint): void {
    const position = this.#positions.get(account)?.get(asset);
    if (position) position.balance -= units;
  }

  /** Ends a hold for somebody who has no operation id, only the certificate. Undefined when done, otherwise why not. */
  closeAsStranger(
    verb: 'execute' | 'deliver' | 'release',
    id: Hash,
    certificate: SignedCertificate,
  ): string | undefined {
    const hold = this.#holds.get(id);
    if (hold?.status !== 'held') return 'There is no such open hold.';
    const wrong = this.#certificates.problem(certificate, kindFor(verb), hold.settlement, hold.epoch, id);
    if (wrong !== undefined) return wrong;
    this.#close(NO_OPERATION, verb, id, hold);
    return undefined;
  }

  /** Fences an operation for somebody who is no executor, with a certificate that names it. Undefined when done, otherwise why not. */
  fenceAsStranger(operation: Operation, reason: string, certificate: SignedCertificate): string | undefined {
    const kind = certificate.certificate.kind === 'fence' ? 'fence' : 'abort';
    const wrong = this.#certificates.problem(certificate, kind, operation.settlement, NO_HOLD, operation.id);
    if (wrong !== undefined) return wrong;
    this.fence(operation, reason);
    return undefined;
  }

  /** How a hold stands, or undefined where there is none. */
  holdStatus(id: Hash): Hold['status'] | undefined {
    return this.#holds.get(id)?.status;
  }

  /** How many holds are open. */
  openHolds(): number {
    return [...this.#holds.values()].filter(({ status }) => status === 'held').length;
  }

  submit(operation: Operation, certificate: SignedCertificate | undefined): Submission {
    const { id, verb } = operation;
    const known = this.#operations.get(id);
    if (known?.status === 'dead') return refused(known.reason, 'The id is fenced.');
    if (known) {
      const same = sameTerms(this.#effect(operation, known).terms, operation.terms);
      return same ? { status: 'sent' } : refused('DUPL', 'The id was used with other content.');
    }
    if (verb === 'hold') return this.#hold(operation);
    if (endsHolds(verb)) return this.#end(operation, verb, certificate);
    return refused('NARR', `${this.#options.system} knows no ${verb}.`);
  }

  #hold({ id, settlement, terms }: Operation): Submission {
    const moved = movedBy(terms);
    const { from = '', to = '' } = terms;
    const payer = this.#accountOf(from);
    if (!moved || !payer || !this.#accountOf(to))
      return refused('NARR', 'It keeps nothing of what the operation names.');
    const position = payer.get(moved.asset);
    if (!position || position.balance - position.held < moved.units)
      return refused(moved.shortReason, `${from} has too little that is free.`);
    position.held += moved.units;
    this.#holds.set(id, {
      terms,
      settlement,
      epoch: this.#certificates.latest,
      from,
      to,
      moved,
      status: 'held',
      closedBy: 0,
    });
    this.#note(
      id,
      'hold',
      undefined,
      { operation: id, status: 'effective', terms, reason: '', transaction: this.#nextName() },
      settlement,
    );
    return { status: 'sent' };
  }

  #end(
    operation: Operation,
    verb: 'execute' | 'deliver' | 'release',
    certificate: SignedCertificate | undefined,
  ): Submission {
    const hold = this.#holdOf(operation);
    if (!hold && verb !== 'release') return refused('NARR', 'There is no such hold.');
    const { settlement, epoch } = hold ?? { settlement: operation.settlement, epoch: NO_HOLD };
    if (hold && hold.status !== 'held')
      return hold.status === endOf(verb) ? { status: 'sent' } : refused('NARR', `The hold is ${hold.status}.`);
    const id = holdIdOf(operation);
    if (id === undefined) return refused('NARR', 'It names no hold.');
    const wrong = certificate
      ? this.#certificates.problem(certificate, kindFor(verb), settlement, epoch, id)
      : `${verb} needs a certificate.`;
    if (wrong !== undefined) return { ...refused('NARR', wrong), about: 'certificate' };
    if (hold) this.#close(operation.id, verb, id, hold);
    else this.#releaseUnknown(operation, id);
    return { status: 'sent' };
  }

  #close(by: Hash, verb: 'execute' | 'deliver' | 'release', id: Hash, hold: Hold): void {
    const payer = this.#accountOf(hold.from)?.get(hold.moved.asset);
    const payee = this.#accountOf(hold.to);
    if (!payer || !payee) throw new Error(`${this.#options.system} lost an account`);
    payer.held -= hold.moved.units;
    if (verb !== 'release') {
      payer.balance -= hold.moved.units;
      const position = payee.get(hold.moved.asset) ?? { balance: 0n, held: 0n };
      position.balance += hold.moved.units;
      payee.set(hold.moved.asset, position);
    }
    hold.status = endOf(verb);
    const terms = { ...hold.terms, hold: id };
    const number = this.#note(
      by,
      verb,
      id,
      { operation: by, status: 'effective', terms, reason: '', transaction: this.#nextName() },
      hold.settlement,
    );
    hold.closedBy = number;
  }

  /** The release of a hold that never was is its fence. */
  #releaseUnknown(operation: Operation, hold: Hash): void {
    this.fence({ ...operation, id: hold, verb: 'hold', terms: {} }, 'ABRT');
    const { id, settlement } = operation;
    const terms = { hold };
    this.#note(
      id,
      'release',
      hold,
      { operation: id, status: 'effective', terms, reason: '', transaction: this.#nextName() },
      settlement,
    );
  }

  fence(operation: Operation, reason: string): Observation {
    return this.lookup(operation) ?? this.fenceBlindly(operation.id, reason);
  }

  /** Kills an id that has not been used, whatever became of the hold that it was about. */
  fenceBlindly(operation: Hash, reason: string): Observation {
    const observation = { operation, status: 'dead', terms: {}, reason, transaction: this.#nextName() } as const;
    if (!this.#operations.has(operation)) this.#note(operation, 'hold', undefined, observation, undefined);
    return observation;
  }

  lookup(operation: Operation): Observation | undefined {
    const known = this.#operations.get(operation.id);
    if (known?.status === 'effective') return this.#effect(operation, known);
    const hold = this.#holdOf(operation);
    // Whoever ended the hold: it was ended as asked, unless the id had been fenced before.
    if (
      hold &&
      endsHolds(operation.verb) &&
      hold.status === endOf(operation.verb) &&
      (!known || hold.closedBy < known.number)
    ) {
      return this.#effect(operation, {
        verb: operation.verb,
        status: 'effective',
        hold: holdIdOf(operation),
        reason: '',
        number: hold.closedBy,
      });
    }
    return (
      known && {
        operation: operation.id,
        status: 'dead',
        terms: {},
        reason: known.reason,
        transaction: this.#name(known.number),
      }
    );
  }

  /** What happened, as it is read back. What does not fit the operation is added, so that it cannot look regular. */
  #effect(operation: Operation, record: OperationRecord): Observation {
    const hold = this.#holds.get(record.hold ?? operation.id);
    const terms = {
      ...hold?.terms,
      ...(record.hold === undefined ? {} : { hold: record.hold }),
      ...(record.verb === operation.verb ? {} : { verb: record.verb }),
      ...(hold === undefined || hold.settlement === operation.settlement ? {} : { settlement: hold.settlement }),
    };
    return { operation: operation.id, status: 'effective', terms, reason: '', transaction: this.#name(record.number) };
  }

  #note(id: Hash, verb: Verb, hold: Hash | undefined, observation: Observation, settlement: Hash | undefined): number {
    const number = this.#changes.push({ observation, settlement });
    if (id !== NO_OPERATION)
      this.#operations.set(id, { verb, status: observation.status, hold, reason: observation.reason, number });
    this.#options.onChange();
    return number;
  }

  #nextName(): string {
    return this.#name(this.#changes.length + 1);
  }

  #name(number: number): string {
    return `${this.#options.system}-${number}`;
  }

  #accountOf(account: string): Map<string, { balance: bigint; held: bigint }> | undefined {
    return account.startsWith(`${this.#options.system}:`) ? this.#positions.get(nameInSystem(account)) : undefined;
  }

  #holdOf(operation: Operation): Hold | undefined {
    const id = holdIdOf(operation);
    return id && this.#holds.get(id);
  }
}

function refused(reason: string, message: string): Refusal {
  return { status: 'refused', reason, message };
}

function kindFor(verb: 'execute' | 'deliver' | 'release'): CertificateKind {
  return verb === 'release' ? 'abort' : 'commit';
}

/** How a hold stands after a verb that ends holds. */
function endOf(verb: 'execute' | 'deliver' | 'release'): 'executed' | 'released' {
  return verb === 'release' ? 'released' : 'executed';
}

function endsHolds(verb: Verb): verb is 'execute' | 'deliver' | 'release' {
  return verb === 'execute' || verb === 'deliver' || verb === 'release';
}

function holdIdOf({ terms }: Operation): Hash | undefined {
  const { hold } = terms;
  return hold !== undefined && isHash(hold) ? hold : undefined;
}

function isHash(text: string): text is Hash {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

function sameTerms(a: Terms, b: Terms): boolean {
  const names = Object.keys({ ...a, ...b });
  return names.every((name) => a[name] === b[name]);
}
