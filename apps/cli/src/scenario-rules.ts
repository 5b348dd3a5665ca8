import type { ScenarioBody } from '@linkspan/protocol';

type Document = ScenarioBody['document'];
type Stage = Document['stages'][number];
type Operation = Extract<Stage, { readonly operation: unknown }>['operation'];

/** Everything that a scenario document rules, in lines for whoever has to approve it. Paths such as `/buyer` lead into the instruction. */
export function scenarioRules(document: Document): string[] {
  const residuals = Object.entries(document.residuals);
  const limit = document.unansweredAfterSeconds;
  return [
    `instruction ${document.instruction}; what begins with / is read from there`,
    '',
    'systems',
    ...Object.entries(document.roles).map(
      ([role, { type, promises }]) => `  ${role}: ${type}, which promises ${promises.join(', ') || 'nothing'}`,
    ),
    '',
    'exchange',
    ...document.exchange.map(({ party, gives, gets }) => `  ${party} gives ${gives} and gets ${gets}`),
    '',
    'stages',
    ...document.stages.flatMap(stageLines),
    ...(limit === undefined ? [] : ['', `people are told of what is unanswered after ${limit} s`]),
    ...(residuals.length === 0 ? [] : ['', 'may be left open']),
    ...residuals.flatMap(([name, { holder, owes, what, when, why }]) => [
      `  ${name}: ${when}`,
      `      ${holder} has ${what} and owes it to ${owes}`,
      `      ${why}`,
    ]),
    '',
    'ends',
    ...Object.entries(document.ends).map(([end, words]) => `  ${end}: ${words}`),
  ];
}

function stageLines(stage: Stage): string[] {
  const until = 'deadline' in stage ? `, until ${stage.deadline}` : '';
  const head = `  ${stage.name} (${stage.stage}${until})`;
  if ('pivot' in stage) return [head, '    the ledger decides'];
  const operations = 'operation' in stage ? [[stage.name, stage.operation] as const] : Object.entries(stage.operations);
  return [head, ...operations.flatMap(([name, operation]) => operationLines(name, operation))];
}

function operationLines(name: string, operation: Operation): string[] {
  const { verb, system } = operation;
  const head = `    ${name}: ${verb} in ${system}`;
  switch (operation.verb) {
    case 'hold':
    case 'transfer': {
      const { from, to, amount, authority } = operation;
      return [head, `      ${amount}, from ${from} to ${to}, under the authority of ${authority}`];
    }
    case 'mint':
    case 'burn': {
      const { account, amount, authority } = operation;
      return [head, `      ${amount}, of ${account}, under the authority of ${authority}`];
    }
    case 'execute':
    case 'deliver':
      return [head, `      what ${operation.hold} holds`];
    case 'settle-dvp':
      return [head, `      what ${operation.security} holds against what ${operation.cash} holds`];
    case 'await':
      return [
        `    ${name}: await ${operation.filter} in ${system}`,
        `      known by ${pairs(Object.entries(operation.key))}`,
        ...(operation.guards.length === 0
          ? []
          : [`      only with ${pairs(operation.guards.map(({ equals }) => equals))}`]),
        ...(operation.residual === undefined
          ? []
          : [`      left open where it does not settle: ${operation.residual}`]),
      ];
  }
}

function pairs(equal: readonly (readonly [string, string])[]): string {
  return equal.map(([term, path]) => `${term} = ${path}`).join(', ');
}
