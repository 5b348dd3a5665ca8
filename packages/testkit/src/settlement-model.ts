import {
  type Hash,
  type OperationDocument,
  operationId,
  type Phase,
  type ScenarioDocument,
  type Verb,
} from '@linkspan/protocol';

/**
 * The phase table of the settlement protocol, written down a second time, apart from the machine: plain state, plain ifs, no terms,
 * no certificates, no words. Where the two disagree, one of them is wrong.
 */
export type ModelEvent =
  /** `copy` names what is lodged: equal names are equal copies. */
  | { readonly type: 'lodge'; readonly by: string; readonly copy: string; readonly deadline: number }
  | { readonly type: 'retract' | 'cancel'; readonly by: string }
  | { readonly type: 'expire' }
  | { readonly type: 'disagree'; readonly operation: Hash }
  | { readonly type: 'outcome'; readonly operation: Hash; readonly outcome: ModelOutcome; readonly byPeople: boolean };

export type ModelOutcome = 'effective' | 'irregular' | 'dead';

export type ModelOperation = {
  readonly id: Hash;
  readonly stage: string;
  readonly name: string;
  readonly verb: Verb;
  readonly attempt: number;
  readonly purpose: 'prepare' | 'pivot' | 'complete' | 'inverse';
  status: 'requested' | ModelOutcome;
  fenced: boolean;
  since: number;
  byPeople: boolean;
};

export type ModelOptions = {
  readonly network: Hash;
  readonly lodgers: readonly string[];
  readonly unansweredAfterMs: number;
  /** The id that the settlement gets when all copies are equal. */
  settlementOf(copy: string): Hash;
};

const UNDONE_BY: Partial<Record<Verb, Verb>> = { hold: 'release', mint: 'burn', burn: 'mint' };

export class SettlementModel {
  phase: Phase = 'proposed';
  operations: ModelOperation[] = [];
  /** Operations that cannot be undone and stayed behind. */
  residuals: Hash[] = [];
  decision: 'commit' | 'abort' | null = null;
  proceed = false;
  #settlement: Hash | undefined;
  #stage = -1;
  #time = 0;
  #deadline = Number.MAX_SAFE_INTEGER;
  #fencedPivot = false;
  readonly #copies = new Map<string, { copy: string; deadline: number }>();
  readonly #cancels = new Set<string>();
  readonly #told = new Set<string>();
  readonly #contradicted = new Set<string>();
  readonly #document: ScenarioDocument;
  readonly #options: ModelOptions;

  constructor(document: ScenarioDocument, options: ModelOptions) {
    this.#document = document;
    this.#options = options;
  }

  /** Whether the event is accepted. A refused one changes nothing. */
  apply(event: ModelEvent, hostTime: number): boolean {
    const before = this.#time;
    this.#time = Math.max(before, hostTime);
    const accepted = this.#dispatch(event);
    if (!accepted) this.#time = before;
    else this.#end();
    return accepted;
  }

  #dispatch(event: ModelEvent): boolean {
    switch (event.type) {
      case 'lodge':
        return this.#lodge(event.by, event.copy, event.deadline);
      case 'retract':
        if (this.phase !== 'proposed' || !this.#copies.has(event.by)) return false;
        this.phase = 'rejected';
        return true;
      case 'cancel':
        return this.#cancel(event.by);
      case 'expire':
        return this.#expire();
      case 'disagree':
        return this.#find(event.operation) !== undefined && this.#evidence();
      case 'outcome':
        return this.#outcome(event.operation, event.outcome, event.byPeople);
    }
  }

  #lodge(by: string, copy: string, deadline: number): boolean {
    if (this.phase !== 'proposed') return false;
    const copies = new Map(this.#copies).set(by, { copy, deadline });
    const earliest = Math.min(...[...copies.values()].map((each) => each.deadline));
    if (this.#time >= earliest) return false;
    this.#copies.set(by, { copy, deadline });
    this.#deadline = earliest;
    const names = new Set([...copies.values()].map((each) => each.copy));
    if (copies.size === this.#options.lodgers.length && names.size === 1) {
      this.#settlement = this.#options.settlementOf(copy);
      this.phase = 'preparing';
      this.#request(0);
    }
    return true;
  }

  #cancel(by: string): boolean {
    // After the pivot may have happened it is irrevocable; before anything has matched a copy is retracted instead.
    if (this.phase !== 'preparing' || this.#cancels.has(by)) return false;
    this.#cancels.add(by);
    const late = this.#time >= this.#deadline;
    if (late || this.#cancels.size === this.#options.lodgers.length) this.#abort();
    return true;
  }

  /** Evidence changes nothing, except that whatever is recorded too late aborts. */
  #evidence(): true {
    if (this.phase === 'preparing' && this.#time >= this.#deadline) this.#abort();
    return true;
  }

  #expire(): boolean {
    const passed = this.#time >= this.#deadline;
    if (this.phase === 'proposed' && passed) {
      this.phase = 'rejected';
      return true;
    }
    if (this.phase === 'preparing' && passed) {
      this.#abort();
      return true;
    }
    const pivot = this.operations.find((operation) => operation.purpose === 'pivot');
    if (this.phase === 'deciding' && passed && pivot?.status === 'requested' && !this.#fencedPivot) {
      this.#fencedPivot = true;
      this.#fence(pivot);
      return true;
    }
    if (this.phase !== 'deciding' && this.phase !== 'committed' && this.phase !== 'aborting') return false;
    const late = this.operations.filter(
      (operation) =>
        operation.status === 'requested' &&
        this.#time - operation.since >= this.#options.unansweredAfterMs &&
        !this.#told.has(nameOf(operation)),
    );
    for (const operation of late) this.#told.add(nameOf(operation));
    return late.length > 0;
  }

  #outcome(id: Hash, outcome: ModelOutcome, byPeople: boolean): boolean {
    const operation = this.#find(id);
    if (!operation) return false;
    if (operation.status === 'requested' || (byPeople && this.#waitsForPeople(operation))) {
      operation.status = outcome;
      operation.byPeople = byPeople;
      this.#answered(operation, outcome);
      return true;
    }
    // A second word on one operation: the same is nothing new, another one is kept as evidence once.
    if (this.#says(operation, outcome, byPeople) || this.#contradicted.has(nameOf(operation))) return false;
    this.#contradicted.add(nameOf(operation));
    return this.#evidence();
  }

  #says(operation: ModelOperation, outcome: ModelOutcome, byPeople: boolean): boolean {
    if (operation.status === 'dead' || outcome === 'dead') return operation.status === outcome;
    return operation.byPeople || byPeople || operation.status === outcome;
  }

  /** What took effect with other terms waits for people, except before the decision and under an abort, where it is simply undone. */
  #waitsForPeople({ status, purpose }: ModelOperation): boolean {
    if (status !== 'irregular') return false;
    return purpose === 'complete' || purpose === 'inverse' || (purpose === 'pivot' && this.phase === 'deciding');
  }

  #answered(operation: ModelOperation, outcome: ModelOutcome): void {
    switch (this.phase) {
      case 'preparing':
        if (this.#time >= this.#deadline || outcome !== 'effective') this.#abort();
        else if (this.#stageEffective()) this.#afterPrepareStage();
        return;
      case 'deciding':
        if (outcome === 'effective') this.#commit();
        else if (outcome === 'dead') this.#abort();
        if (outcome !== 'irregular') this.#told.delete(nameOf(operation));
        return;
      case 'committed':
        if (outcome === 'dead') this.#again(operation);
        if (outcome !== 'effective') return;
        this.#told.delete(nameOf(operation));
        if (this.#stageEffective() && this.#document.stages[this.#stage + 1]) this.#request(this.#stage + 1);
        return;
      case 'aborting':
        if (operation.purpose === 'inverse' && outcome === 'dead') this.#again(operation);
        else if (operation.purpose !== 'inverse' && outcome !== 'dead') this.#undo(operation);
        if (operation.purpose !== 'inverse' || outcome === 'effective') this.#told.delete(nameOf(operation));
        return;
      default:
        throw new Error(`an operation was open in the phase ${this.phase}`);
    }
  }

  #afterPrepareStage(): void {
    const next = this.#document.stages[this.#stage + 1];
    if (next?.stage === 'prepare') return this.#request(this.#stage + 1);
    if (next && 'pivot' in next) {
      this.#stage += 1;
      return this.#commit();
    }
    this.phase = 'deciding';
    this.proceed = true;
    this.#request(this.#stage + 1);
  }

  #commit(): void {
    this.phase = 'committed';
    this.decision = 'commit';
    if (this.#document.stages[this.#stage + 1]) this.#request(this.#stage + 1);
  }

  #abort(): void {
    this.phase = 'aborting';
    this.decision = 'abort';
    // Whatever a later stage would only have awaited may still happen by itself, so it is withdrawn too.
    this.#document.stages.forEach((_, at) => {
      if (at > this.#stage) this.#add(at, 'await');
    });
    for (const operation of this.operations.slice()) {
      if (operation.status === 'requested') this.#fence(operation);
      else if (operation.status !== 'dead') this.#undo(operation);
    }
  }

  #undo(operation: ModelOperation): void {
    const verb = UNDONE_BY[operation.verb];
    if (verb) this.#open({ ...operation, verb, attempt: 1, purpose: 'inverse' });
    else this.residuals.push(operation.id);
  }

  #again(operation: ModelOperation): void {
    this.#open({ ...operation, attempt: operation.attempt + 1 });
  }

  #fence(operation: ModelOperation): void {
    if (operation.fenced) return;
    operation.fenced = true;
    operation.since = this.#time;
  }

  #end(): void {
    if (this.phase === 'committed' && this.#stage === this.#document.stages.length - 1 && this.#stageEffective()) {
      this.phase = 'settled';
    }
    const open = this.#latest().some(
      ({ status, purpose }) => status === 'requested' || (purpose === 'inverse' && status !== 'effective'),
    );
    if (this.phase === 'aborting' && !open) this.phase = 'cancelled';
  }

  #stageEffective(): boolean {
    const name = this.#document.stages[this.#stage]?.name;
    return this.#latest().every(
      ({ stage, purpose, status }) => stage !== name || purpose === 'inverse' || status === 'effective',
    );
  }

  #latest(): ModelOperation[] {
    const last = new Map(this.operations.map((operation) => [`${nameOf(operation)} ${operation.purpose}`, operation]));
    return [...last.values()];
  }

  #find(id: Hash): ModelOperation | undefined {
    return this.operations.find((operation) => operation.id === id);
  }

  #request(stage: number): void {
    this.#stage = stage;
    this.#add(stage);
  }

  #add(index: number, only?: Verb): void {
    const stage = this.#document.stages[index];
    if (!stage) throw new Error(`there is no stage ${index}`);
    const operations: readonly (readonly [string, OperationDocument])[] =
      'operations' in stage
        ? Object.entries(stage.operations)
        : 'operation' in stage
          ? [[stage.name, stage.operation]]
          : [];
    for (const [name, { verb }] of operations) {
      if (only === undefined || verb === only)
        this.#open({ stage: stage.name, name, verb, attempt: 1, purpose: stage.stage });
    }
  }

  #open({
    stage,
    name,
    verb,
    attempt,
    purpose,
  }: Pick<ModelOperation, 'stage' | 'name' | 'verb' | 'attempt' | 'purpose'>): void {
    const settlement = this.#settlement;
    if (!settlement) throw new Error('nothing is asked before the copies match');
    const id = operationId({ network: this.#options.network, settlement, stage, name, leg: 0, verb, attempt });
    const state = { status: 'requested', fenced: false, since: this.#time, byPeople: false } as const;
    this.operations.push({ id, stage, name, verb, attempt, purpose, ...state });
  }
}

/** Attention speaks of an operation by its place, and of what undoes it by the verb too. */
function nameOf({ stage, name, verb, purpose }: ModelOperation): string {
  return purpose === 'inverse' ? `${stage}/${name} ${verb}` : `${stage}/${name}`;
}
