import type { SettlementBody } from '@linkspan/protocol';

/** What people have asked or said of a settlement that still waits for others of them, each in one line. */
export function peoplesWord(body: SettlementBody): string[] {
  const { phase, lodgers, cancelRequestedBy, operations } = body;
  const sides = lodgers.map((side) => `${side} ${cancelRequestedBy.includes(side) ? 'asked' : 'has not'}`);
  const isPending = cancelRequestedBy.length > 0 && (phase === 'preparing' || phase === 'deciding');
  const said = operations
    .filter(isOpen)
    .flatMap(({ id, name }) =>
      OUTCOMES.filter((status) => body.opinions.some((each) => each.operation === id && each.status === status)).map(
        (status) => `resolve ${name} ${status}: ${personsSaying(body, id, status)}`,
      ),
    );
  return [...(isPending ? [`cancel: ${sides.join(', ')}`] : []), ...said];
}

/** Whether people's word can still make the outcome of an operation. */
export function isOpen({ status }: SettlementBody['operations'][number]): boolean {
  return status === 'requested' || status === 'irregular';
}

/** `3 of 6 persons`: no organisation's word counts for more persons than are needed of it. */
export function personsSaying({ opinions, resolvers }: SettlementBody, operation: string, status: Outcome): string {
  const alike = opinions.filter((each) => each.operation === operation && each.status === status);
  const counted = resolvers.map(({ organisation, persons }) =>
    Math.min(persons, alike.filter((each) => each.organisation === organisation).length),
  );
  return `${sum(counted)} of ${sum(resolvers.map(({ persons }) => persons))} persons`;
}

type Outcome = SettlementBody['opinions'][number]['status'];
const OUTCOMES: readonly Outcome[] = ['effective', 'dead'];

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
