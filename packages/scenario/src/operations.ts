import {
  canonicalAmount,
  fieldAt,
  fieldsBelow,
  type Field,
  type OperationDocument,
  operationId,
  type ScenarioDocument,
  type StageDocument,
  systemOfAccount,
  type Terms,
  type Verb,
} from '@linkspan/protocol';
import { invariant } from '@linkspan/protocol';
import { INVERSE } from './verbs.ts';
import type { OperationState, Purpose, Settlement } from './settlement.ts';

/** The operations of a stage as its document writes them. A pivot operation has the stage's own name. */
export function stageOperations(stage: StageDocument): readonly (readonly [string, OperationDocument])[] {
  if ('operations' in stage) return Object.entries(stage.operations).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return 'operation' in stage ? [[stage.name, stage.operation]] : [];
}

export function pivotStage(document: ScenarioDocument): { readonly index: number; readonly stage: StageDocument } {
  const index = document.stages.findIndex((stage) => stage.stage === 'pivot');
  const stage = document.stages[index];
  invariant(stage, 'a validated document has a pivot');
  return { index, stage };
}

/** The system that a role is bound to by the accounts of the instruction, or undefined where no operation names an account in it. */
export function systemOfRole(document: ScenarioDocument, fields: readonly Field[], role: string): string | undefined {
  for (const path of accountPathsOfRole(document, role)) {
    const account = fieldAt(fields, path);
    if (account !== undefined) return systemOfAccount(account);
  }
  return undefined;
}

/** Every account path that operations of a role name. Documents never change, so each is looked through once. */
export function accountPathsOfRole(document: ScenarioDocument, role: string): readonly string[] {
  const known = PATHS.get(document) ?? new Map<string, readonly string[]>();
  PATHS.set(document, known);
  const paths = known.get(role) ?? findAccountPaths(document, role);
  known.set(role, paths);
  return paths;
}

const PATHS = new WeakMap<ScenarioDocument, Map<string, readonly string[]>>();

function findAccountPaths(document: ScenarioDocument, role: string): string[] {
  const operations = document.stages.flatMap(stageOperations).filter(([, operation]) => operation.system === role);
  return [...new Set(operations.flatMap(([, operation]) => accountPaths(operation)))];
}

function accountPaths(operation: OperationDocument): string[] {
  switch (operation.verb) {
    case 'hold':
    case 'transfer':
      return [operation.from, operation.to];
    case 'mint':
    case 'burn':
      return [operation.account];
    case 'await':
      return ['from', 'to'].flatMap((name) => operation.key[name] ?? []);
    default:
      return [];
  }
}

/** The requests of a stage, of one verb where it is given, with the ids that they keep for ever. */
export function requestsOf(
  document: ScenarioDocument,
  settlement: Settlement,
  index: number,
  time: number,
  verb?: Verb,
): OperationState[] {
  const stage = document.stages[index];
  invariant(stage, 'the stage exists');
  const wanted = stageOperations(stage).filter(([, operation]) => verb === undefined || operation.verb === verb);
  return wanted.map(([name, operation]) => {
    const terms = askedTerms(operation, settlement);
    const expected = expectedTerms(operation, settlement, terms);
    const system = systemOfRole(document, settlement.fields, operation.system);
    invariant(system, `role ${operation.system} is bound`);
    return request(settlement, {
      stage: stage.name,
      name,
      leg: 0,
      verb: operation.verb,
      attempt: 1,
      purpose: stage.stage,
      system,
      terms,
      expected,
      residual: operation.verb === 'await' ? (operation.residual ?? null) : null,
      requestedAt: time,
      notBefore: time,
      notAfter: stage.stage === 'complete' ? null : settlement.deadline,
    });
  });
}

/** What undoes an operation that took effect, with the terms that were read back; undefined where nothing does. */
export function inverseOf(settlement: Settlement, operation: OperationState, time: number): OperationState | undefined {
  const verb = INVERSE[operation.verb];
  if (verb === null) return undefined;
  const terms = { ...operation.readBack, hold: operation.id };
  return request(settlement, {
    ...operation,
    verb,
    attempt: 1,
    purpose: 'inverse',
    terms,
    expected: terms,
    residual: null,
    requestedAt: time,
    notBefore: time,
    notAfter: null,
  });
}

/** A further attempt after a signed `dead`, after a back-off that doubles up to a minute. */
export function nextAttempt(settlement: Settlement, operation: OperationState, time: number): OperationState {
  const backOffMs = Math.min(1000 * 2 ** Math.min(operation.attempt - 1, 6), 60_000);
  return request(settlement, {
    ...operation,
    attempt: operation.attempt + 1,
    requestedAt: time,
    notBefore: time + backOffMs,
  });
}

type Asked = {
  readonly stage: string;
  readonly name: string;
  readonly leg: number;
  readonly verb: Verb;
  readonly attempt: number;
  readonly purpose: Purpose;
  readonly system: string;
  readonly terms: Terms;
  readonly expected: Terms;
  readonly residual: string | null;
  readonly requestedAt: number;
  readonly notBefore: number;
  readonly notAfter: number | null;
};

function request(settlement: Settlement, asked: Asked): OperationState {
  const { network, settlement: id } = settlement;
  invariant(id, 'operations are requested of matched settlements only');
  const { stage, name, leg, verb, attempt } = asked;
  return {
    id: operationId({ network, settlement: id, stage, name, leg, verb, attempt }),
    stage,
    name,
    leg,
    verb,
    attempt,
    purpose: asked.purpose,
    system: asked.system,
    terms: asked.terms,
    expected: asked.expected,
    residual: asked.residual,
    status: 'requested',
    fenced: false,
    requestedAt: asked.requestedAt,
    notBefore: asked.notBefore,
    notAfter: asked.notAfter,
    readBack: {},
    reason: '',
    transaction: '',
    byPeople: false,
  };
}

function askedTerms(operation: OperationDocument, settlement: Settlement): Terms {
  const { fields } = settlement;
  switch (operation.verb) {
    case 'hold':
    case 'transfer':
      return {
        from: textAt(fields, operation.from),
        to: textAt(fields, operation.to),
        ...assetAt(fields, operation.amount),
      };
    case 'mint':
    case 'burn':
      return { account: textAt(fields, operation.account), ...assetAt(fields, operation.amount) };
    case 'execute':
    case 'deliver': {
      const hold = referred(settlement, operation.hold);
      return { ...hold.terms, hold: hold.id };
    }
    case 'settle-dvp':
      return { security: referred(settlement, operation.security).id, cash: referred(settlement, operation.cash).id };
    case 'await':
      // The filter comes last: it says in what kind of event the key is looked for, and no key may say otherwise.
      return {
        ...Object.fromEntries(Object.entries(operation.key).map(([name, path]) => [name, textAt(fields, path)])),
        filter: operation.filter,
      };
  }
}

/** An awaited event must also fit its guards and be the only one; everything else must be read back exactly as it was asked. */
function expectedTerms(operation: OperationDocument, settlement: Settlement, terms: Terms): Terms {
  if (operation.verb !== 'await') return terms;
  const guards = operation.guards.map(({ equals: [name, path] }): Terms => {
    const text = fieldAt(settlement.fields, path);
    return text === undefined ? assetAt(settlement.fields, path) : { [name]: text };
  });
  return Object.assign({}, terms, ...guards, { count: '1' });
}

function referred(settlement: Settlement, reference: string): OperationState {
  const operation = settlement.operations.find(
    (other) => `${other.stage}/${other.name}` === reference && other.purpose === 'prepare',
  );
  invariant(operation, `${reference} was requested before`);
  return operation;
}

function textAt(fields: readonly Field[], path: string): string {
  const value = fieldAt(fields, path);
  invariant(value !== undefined, `the instruction has ${path}`);
  return value;
}

/** What moves: money as amount and currency, a security as ISIN and quantity. */
function assetAt(fields: readonly Field[], path: string): Terms {
  const { amount, currency, isin, quantity } = fieldsBelow(fields, path);
  if (isin !== undefined && quantity !== undefined) return { isin, quantity };
  invariant(amount !== undefined && currency !== undefined, `${path} is money or a security`);
  const canonical = canonicalAmount(amount, currency);
  invariant(canonical.ok, `${path} was checked when it was lodged`);
  return { amount: canonical.value, currency };
}
