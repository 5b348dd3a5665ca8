import {
  type OperationDocument,
  type Phase,
  type ScenarioDocument,
  scenarioReference,
  type StageDocument,
} from '@linkspan/protocol';
import { pivotStage, stageOperations } from './operations.ts';
import { ENDINGS, type EventName, type Row, TABLE } from './table.ts';
import { INVERSE } from './verbs.ts';

/**
 * The course of a scenario as a Mermaid state diagram, drawn from the machine's own table: every row that a document of this shape can
 * reach and that changes the phase, with the operations of each stage inside the phase in which they run.
 */
export function diagram(document: ScenarioDocument): string {
  const edges = [...new Set([...TABLE.flatMap((row) => edgesOf(document, row)), ...endingEdges()])].filter((edge) =>
    isReached(document, edge),
  );
  return ['stateDiagram-v2', '  [*] --> proposed', ...phases(document), ...edges, ...ends(document)]
    .map((line) => `${line}\n`)
    .join('');
}

/** A page about scenarios for people: what each exchanges, does, leaves open and how it ends, with its diagram. Generated, never edited. */
export function scenarioReferencePage(documents: readonly ScenarioDocument[]): string {
  const parts = documents.map((document) => [
    `## ${scenarioReference(document)}`,
    table(
      ['party', 'gives', 'gets'],
      document.exchange.map(({ party, gives, gets }) => [party, gives, gets]),
    ),
    table(
      ['role', 'type', 'must promise'],
      Object.entries(document.roles).map(([name, { type, promises }]) => [name, type, promises.join(', ')]),
    ),
    table(
      ['stage', 'operation', 'role', 'what', 'undone by'],
      document.stages.flatMap((stage) => stageRows(stage)),
    ),
    table(
      ['stays open', 'who has it', 'owed to', 'when', 'why'],
      Object.entries(document.residuals).map(([name, each]) => [name, each.holder, each.owes, each.when, each.why]),
    ),
    table(['end', 'what it means'], Object.entries(document.ends)),
    `\`\`\`mermaid\n${diagram(document)}\`\`\``,
  ]);
  const title = "# Scenarios\n\nGenerated from the documents in `scenarios/` and the machine's table. Do not edit.";
  return `${[title, ...parts.flat()].filter((part) => part !== '').join('\n\n')}\n`;
}

function stageRows(stage: StageDocument): string[][] {
  if ('pivot' in stage)
    return [[`${stage.name} (pivot)`, 'the decision', 'ledger', 'commit is decided when every leg is held', '-']];
  const kind = stage.stage === 'pivot' ? ' (pivot)' : '';
  return stageOperations(stage).map(([name, operation]) => [
    `${stage.name}${kind}`,
    name,
    operation.system,
    inWords(operation),
    undoneBy(stage, operation),
  ]);
}

function undoneBy(stage: StageDocument, operation: OperationDocument): string {
  if (stage.stage !== 'prepare') return '-';
  const inverse = INVERSE[operation.verb];
  if (inverse !== null) return inverse;
  return operation.verb === 'await' && operation.residual !== undefined ? `stays open: ${operation.residual}` : '-';
}

function inWords(operation: OperationDocument): string {
  switch (operation.verb) {
    case 'hold':
    case 'transfer':
      return `${operation.verb} ${operation.amount} from ${operation.from} to ${operation.to}`;
    case 'mint':
    case 'burn':
      return `${operation.verb} ${operation.amount} on ${operation.account}`;
    case 'execute':
    case 'deliver':
      return `${operation.verb} ${operation.hold}`;
    case 'settle-dvp':
      return `settle-dvp ${operation.security} against ${operation.cash}`;
    case 'await':
      return `await ${operation.filter} with ${awaited(operation)}`;
  }
}

function awaited({ key, guards }: Extract<OperationDocument, { verb: 'await' }>): string {
  const keys = Object.entries(key).map(([name, path]) => `${name} = ${path}`);
  const equal = guards.map(({ equals: [name, path] }) => `${name} = ${path}`);
  return [...keys, ...equal].join(', ');
}

/** The phases in which operations run, each with its stages inside, in their order. */
function phases(document: ScenarioDocument): string[] {
  const places = { prepare: 'preparing', pivot: 'deciding', complete: 'committed' } as const;
  return (['prepare', 'pivot', 'complete'] as const).flatMap((kind) => {
    const stages = document.stages.filter((stage) => stage.stage === kind && stageOperations(stage).length > 0);
    if (stages.length === 0) return [];
    const ids = stages.map((stage) => `stage_${stage.name.replaceAll('-', '_')}`);
    const states = stages.map(
      (stage, index) =>
        `    state "${stage.name}: ${stageOperations(stage)
          .map(([name, each]) => shortWords(name, each))
          .join(', ')}" as ${ids[index]}`,
    );
    const order = ids.slice(1).map((id, index) => `    ${ids[index]} --> ${id}`);
    return [`  state ${places[kind]} {`, ...states, ...order, '  }'];
  });
}

function shortWords(name: string, operation: OperationDocument): string {
  return operation.verb === 'await' ? `await ${operation.filter} in ${operation.system}` : `${operation.verb} ${name}`;
}

function edgesOf(document: ScenarioDocument, row: Row): string[] {
  const { next } = row;
  if (next === 'same' || !canMatch(document, row)) return [];
  const events = row.event.filter((event) => canHappen(document, event)).join(' or ');
  const label = `${events}${row.when.length > 0 ? ` [${row.when.join(', ')}]` : ''}`;
  return row.phase.map((phase) => `  ${phase} --> ${next} : ${label}`);
}

function endingEdges(): string[] {
  return ENDINGS.map(({ phase, when, next }) => `  ${phase} --> ${next} : [${when.join(', ')}]`);
}

/** Whether a row's guards can hold in a document of this shape. The last row for a complete stage stands for a pivot that is no ledger's. */
function canMatch(document: ScenarioDocument, { when, next, event }: Row): boolean {
  const ledger = isLedgerPivot(document);
  if (when.includes('pivot-is-ledger')) return ledger;
  if (next === 'deciding') return !ledger;
  return event.some((each) => canHappen(document, each));
}

function canHappen(document: ScenarioDocument, event: EventName): boolean {
  return !event.startsWith('pivot ') || !isLedgerPivot(document);
}

/** A phase that this document never enters has no edges out of it. */
function isReached(document: ScenarioDocument, edge: string): boolean {
  return !isLedgerPivot(document) || !edge.startsWith('  deciding ');
}

function isLedgerPivot(document: ScenarioDocument): boolean {
  return 'pivot' in pivotStage(document).stage;
}

function ends(document: ScenarioDocument): string[] {
  const names = ['settled', 'cancelled', 'rejected'] as const satisfies readonly Phase[];
  const notes = names.map((end) => `  note right of ${end} : ${document.ends[end].replaceAll(/[:;]/g, ',')}`);
  return [...names.map((end) => `  ${end} --> [*]`), ...notes];
}

/** A Markdown table, or nothing where there are no rows. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
