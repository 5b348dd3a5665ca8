import {
  INSTRUCTION_PATHS,
  type OperationDocument,
  type Problem,
  problem,
  type ProblemCode,
  type ScenarioDocument,
  type StageDocument,
  type SystemPromise,
} from '@linkspan/protocol';
import { stageOperations } from './operations.ts';
import { ALLOWED } from './verbs.ts';

const MAXIMUM_OPERATIONS = 32;

/** Promises without which a hold may strand somebody: every role that holds must demand them. */
const HOLD_PROMISES: readonly SystemPromise[] = [
  'hold-perpetual',
  'execute-never-fails',
  'fence-immediate',
  'keyed-forever',
];

type Report = (pointer: string, code: ProblemCode, message: string) => void;
type Placed = {
  readonly pointer: string;
  readonly stage: StageDocument;
  readonly index: number;
  readonly name: string;
  readonly operation: OperationDocument;
};

/** Every rule of the scenario language that a document of the right shape breaks. */
export function validate(document: ScenarioDocument): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (pointer, code, message) => void problems.push(problem(pointer, code, message));
  const placed = placedOperations(document);
  checkStages(document, report);
  if (placed.length > MAXIMUM_OPERATIONS)
    report('/stages', 'limit-exceeded', `A scenario has at most ${MAXIMUM_OPERATIONS} operations.`);
  for (const each of placed) checkOperation(document, placed, each, report);
  checkHolds(placed, report);
  checkExchange(document, placed, report);
  checkResiduals(document, placed, report);
  return problems;
}

function placedOperations(document: ScenarioDocument): Placed[] {
  return document.stages.flatMap((stage, index) =>
    stageOperations(stage).map(([name, operation]) => {
      const pointer = 'operation' in stage ? `/stages/${index}/operation` : `/stages/${index}/operations/${name}`;
      return { pointer, stage, index, name, operation };
    }),
  );
}

function checkStages(document: ScenarioDocument, report: Report): void {
  const kinds = document.stages.map((stage) => stage.stage);
  const order = kinds.map((kind) => ({ prepare: 0, pivot: 1, complete: 2 })[kind]);
  if (order.some((value, i) => i > 0 && value < (order[i - 1] ?? 0))) {
    report('/stages', 'rule-broken', 'Prepare stages come first, then the pivot, then complete stages.');
  }
  if (kinds.filter((kind) => kind === 'pivot').length !== 1)
    report('/stages', 'rule-broken', 'A scenario has exactly one pivot.');
  if (!kinds.includes('prepare')) report('/stages', 'rule-broken', 'A scenario has at least one prepare stage.');
  if (document.stages.some((stage) => 'pivot' in stage) && !kinds.includes('complete')) {
    report('/stages', 'rule-broken', 'A pivot on the ledger needs a complete stage: nothing would be delivered.');
  }
  document.stages.forEach((stage, index) => {
    if (document.stages.findIndex((other) => other.name === stage.name) !== index) {
      report(`/stages/${index}/name`, 'rule-broken', `The stage name ${stage.name} is used twice.`);
    }
    if ('operations' in stage && Object.keys(stage.operations).length === 0) {
      report(`/stages/${index}/operations`, 'rule-broken', 'A stage has at least one operation.');
    }
    if ('deadline' in stage && !INSTRUCTION_PATHS[document.instruction].includes(stage.deadline)) {
      report(`/stages/${index}/deadline`, 'reference-unknown', `The instruction has no ${stage.deadline}.`);
    }
  });
}

function checkOperation(document: ScenarioDocument, placed: readonly Placed[], each: Placed, report: Report): void {
  const { pointer, operation, stage } = each;
  const role = document.roles[operation.system];
  if (!role) report(`${pointer}/system`, 'reference-unknown', `There is no role ${operation.system}.`);
  if (!ALLOWED[operation.verb].includes(stage.stage)) {
    report(`${pointer}/verb`, 'rule-broken', `"${operation.verb}" may not stand in a ${stage.stage} stage.`);
  }
  switch (operation.verb) {
    case 'hold':
    case 'transfer':
      for (const end of ['from', 'to'] as const) checkLeaf(document, `${pointer}/${end}`, operation[end], report);
      checkBranch(document, `${pointer}/amount`, operation.amount, report);
      checkAuthority(document, pointer, operation.from, operation.authority, report);
      if (operation.verb === 'hold')
        checkPromises(`/roles/${operation.system}/promises`, role?.promises ?? [], HOLD_PROMISES, report);
      break;
    case 'mint':
    case 'burn':
      checkLeaf(document, `${pointer}/account`, operation.account, report);
      checkBranch(document, `${pointer}/amount`, operation.amount, report);
      checkAuthority(document, pointer, operation.account, operation.authority, report);
      break;
    case 'execute':
    case 'deliver': {
      checkReference(placed, each, 'hold', operation.hold, report);
      const needed = operation.verb === 'deliver' ? 'securities' : 'cash';
      if (role && role.type !== needed)
        report(`${pointer}/verb`, 'rule-broken', `"${operation.verb}" is for ${needed}; the role is ${role.type}.`);
      break;
    }
    case 'settle-dvp':
      checkReference(placed, each, 'security', operation.security, report);
      checkReference(placed, each, 'cash', operation.cash, report);
      break;
    case 'await':
      for (const [name, path] of Object.entries(operation.key))
        checkLeaf(document, `${pointer}/key/${name}`, path, report);
      if (stage.stage === 'prepare' && operation.residual === undefined) {
        report(
          pointer,
          'rule-broken',
          'An awaited event cannot be undone: before the pivot it needs a declared residual.',
        );
      }
      if (stage.stage === 'pivot' && operation.residual === undefined) {
        checkPromises(`/roles/${operation.system}/promises`, role?.promises ?? [], ['pivot-waits-for-proceed'], report);
      }
      break;
  }
}

/** An account is touched only under the authority of its own party, which gives it by lodging the instruction: so it must be one that lodges. */
function checkAuthority(
  document: ScenarioDocument,
  pointer: string,
  account: string,
  authority: string,
  report: Report,
): void {
  checkBranch(document, `${pointer}/authority`, authority, report);
  if (!account.startsWith(`${authority}/`))
    report(`${pointer}/authority`, 'rule-broken', `${account} is no account of ${authority}.`);
  if (!document.exchange.some(({ party }) => party === authority)) {
    report(
      `${pointer}/authority`,
      'rule-broken',
      `${authority} takes no part in the exchange, so it lodges no instruction.`,
    );
  }
}

function checkPromises(
  pointer: string,
  promised: readonly SystemPromise[],
  needed: readonly SystemPromise[],
  report: Report,
): void {
  for (const promise of needed) {
    if (!promised.includes(promise)) report(pointer, 'promise-missing', `The role must demand "${promise}".`);
  }
}

function checkReference(
  placed: readonly Placed[],
  each: Placed,
  member: string,
  reference: string,
  report: Report,
): void {
  const target = placed.find((other) => `${other.stage.name}/${other.name}` === reference);
  if (target?.operation.verb !== 'hold' || target.index >= each.index) {
    report(`${each.pointer}/${member}`, 'reference-unknown', `${reference} is no hold of an earlier stage.`);
  } else if (target.operation.system !== each.operation.system) {
    report(
      `${each.pointer}/${member}`,
      'rule-broken',
      `${reference} is held by the role ${target.operation.system}, not ${each.operation.system}.`,
    );
  }
}

/** A hold that nothing consumes strands its payer after commit; one that two operations consume cannot be executed twice. */
function checkHolds(placed: readonly Placed[], report: Report): void {
  for (const each of placed.filter(({ operation }) => operation.verb === 'hold')) {
    const reference = `${each.stage.name}/${each.name}`;
    const uses = placed.flatMap(({ operation }) => holdsUsedBy(operation)).filter((used) => used === reference).length;
    if (uses !== 1)
      report(
        each.pointer,
        'rule-broken',
        `${reference} must be executed exactly once; the document does so ${uses} times.`,
      );
  }
}

function holdsUsedBy(operation: OperationDocument): string[] {
  if (operation.verb === 'execute' || operation.verb === 'deliver') return [operation.hold];
  return operation.verb === 'settle-dvp' ? [operation.security, operation.cash] : [];
}

/** With every leg held, what each party gives must be held under that party's own authority, and lead to whoever gets it. */
function checkExchange(document: ScenarioDocument, placed: readonly Placed[], report: Report): void {
  const moves = placed.flatMap(({ operation }) =>
    operation.verb === 'hold' || operation.verb === 'transfer' ? [operation] : [],
  );
  document.exchange.forEach((exchange, index) => {
    for (const member of ['party', 'gives', 'gets'] as const)
      checkBranch(document, `/exchange/${index}/${member}`, exchange[member], report);
    if (!document.stages.some((stage) => 'pivot' in stage)) return;
    if (!moves.some((move) => move.amount === exchange.gives && move.authority === exchange.party)) {
      report(
        `/exchange/${index}/gives`,
        'rule-broken',
        `No operation moves ${exchange.gives} under the authority of ${exchange.party}.`,
      );
    }
    if (!moves.some((move) => move.amount === exchange.gets && move.to.startsWith(`${exchange.party}/`))) {
      report(`/exchange/${index}/gets`, 'rule-broken', `No operation moves ${exchange.gets} to ${exchange.party}.`);
    }
  });
}

function checkResiduals(document: ScenarioDocument, placed: readonly Placed[], report: Report): void {
  const used = placed.flatMap(({ operation }) =>
    operation.verb === 'await' && operation.residual !== undefined ? [operation.residual] : [],
  );
  for (const name of used) {
    if (!(name in document.residuals))
      report('/residuals', 'reference-unknown', `The residual ${name} is not declared.`);
  }
  for (const [name, residual] of Object.entries(document.residuals)) {
    if (!used.includes(name)) report(`/residuals/${name}`, 'rule-broken', `No operation leaves the residual ${name}.`);
    for (const member of ['holder', 'owes', 'what'] as const)
      checkBranch(document, `/residuals/${name}/${member}`, residual[member], report);
  }
}

function checkLeaf(document: ScenarioDocument, pointer: string, path: string, report: Report): void {
  if (!INSTRUCTION_PATHS[document.instruction].includes(path))
    report(pointer, 'reference-unknown', `The instruction has no ${path}.`);
}

function checkBranch(document: ScenarioDocument, pointer: string, path: string, report: Report): void {
  const known = INSTRUCTION_PATHS[document.instruction].some((other) => other.startsWith(`${path}/`));
  if (!known) report(pointer, 'reference-unknown', `The instruction has nothing below ${path}.`);
}
