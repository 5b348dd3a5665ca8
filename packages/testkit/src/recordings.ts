import { readdirSync, readFileSync } from 'node:fs';
import { applyCalls, runQuery } from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import { type Entry, type Hash, hashOf, hashSchema, PHASES, signedCallSchema } from '@linkspan/protocol';
import { z } from 'zod';
import { ContractScene } from './contract-scene.ts';
import { MemoryWorld } from './memory-world.ts';

/**
 * A settlement as it was once recorded, from the genesis on: every call with the ledger's time (UTC milliseconds), and what each entry
 * came to. Whoever runs the calls again must come to the same hashes, for ever.
 */
export const recordingSchema = z.strictObject({
  schema: z.literal('recording/1'),
  title: z.string(),
  scenario: z.strictObject({ reference: z.string(), hash: hashSchema }),
  transactions: z.array(z.strictObject({ time: z.int(), calls: z.array(signedCallSchema) })),
  proposal: hashSchema,
  entries: z.array(
    z.strictObject({
      sequence: z.int(),
      time: z.int(),
      phase: z.enum(PHASES),
      changes: hashSchema,
      state: hashSchema,
      hash: hashSchema,
    }),
  ),
});
export type Recording = z.infer<typeof recordingSchema>;

/** Plays one course of a settlement and records it. */
export function record(title: string, play: (scene: ContractScene) => Hash): Recording {
  const scene = new ContractScene();
  const proposal = play(scene);
  const transactions = scene.submitted.map(({ time, calls }) => ({ time, calls: [...calls] }));
  const { scenario } = scene.view(proposal).state;
  return { schema: 'recording/1', title, scenario, transactions, proposal, entries: entriesOf(scene.world, proposal) };
}

/** The entries to which the recorded calls come when they are run now, on a world that knows nothing else. */
export function replay({ transactions, proposal }: Recording): Recording['entries'] {
  const world = new MemoryWorld(createVerify({ memoize: 10_000 }), 0);
  for (const { time, calls } of transactions) {
    world.tx.time = time;
    applyCalls(world, calls);
  }
  return entriesOf(world, proposal);
}

/** The recordings of a scenario, by the name of their file. */
export function readRecordings(scenario: string): Map<string, Recording> {
  const folder = new URL(`../../../scenarios/${scenario}/recordings/`, import.meta.url);
  const files = readdirSync(folder).toSorted();
  return new Map(
    files.map((file) => [
      file.replace('.json', ''),
      recordingSchema.parse(JSON.parse(readFileSync(new URL(file, folder), 'utf8'))),
    ]),
  );
}

/** One course for each way in which the default scenario ends. `node tools/record-scenarios.ts` writes them down. */
export function recordDvpBuyerOverseas(): Map<string, Recording> {
  const courses: [string, string, (scene: ContractScene) => Hash][] = [
    ['settled', 'Every leg is held, the ledger decides, every leg is delivered.', settled],
    ['cancelled-no-cash', 'The overseas cash cannot be held; what was held is released.', cancelledNoCash],
    ['cancelled-wrong-terms', 'A hold takes effect with another amount; everything is released.', cancelledWrongTerms],
    [
      'cancelled-at-deadline',
      'One system is silent until the deadline; its hold is fenced and found effective.',
      cancelledAtDeadline,
    ],
    ['cancelled-by-both', 'Both sides cancel before every leg is held.', cancelledByBoth],
    ['rejected-expired', 'The copies differ until the earliest deadline.', rejectedExpired],
    ['rejected-retracted', 'The only copy is taken back.', rejectedRetracted],
  ];
  return new Map(courses.map(([name, title, play]) => [name, record(title, play)]));
}

function settled(scene: ContractScene): Hash {
  const proposal = scene.begin('GOLDEN-1');
  scene.world.tx.time += 1500;
  scene.answerAll(proposal);
  const [certificate] = scene.view(proposal).certificates;
  if (certificate) {
    const shares = ['central-bank-a', 'csd-b'].map((organisation) => scene.share(organisation, certificate));
    scene.accepted('csd-b', { type: 'certify', proposal, shares });
  }
  scene.world.tx.time += 1500;
  scene.answerAll(proposal);
  return proposal;
}

function cancelledNoCash(scene: ContractScene): Hash {
  const proposal = scene.begin('GOLDEN-2');
  scene.world.tx.time += 1500;
  scene.accepted('central-bank-a', scene.recording(proposal, ['earmark/bond', 'effective'], ['earmark/fcy', 'dead']));
  scene.accepted(
    'central-bank-b',
    scene.recording(proposal, ['earmark/lcy', 'dead'], ['earmark/bond release', 'dead']),
  );
  scene.world.tx.time += 1500;
  scene.answerAll(proposal);
  return proposal;
}

function cancelledWrongTerms(scene: ContractScene): Hash {
  const proposal = scene.begin('GOLDEN-3');
  const { terms } = scene.operation(proposal, 'earmark/lcy');
  const statement = scene.statement(proposal, 'earmark/lcy', { terms: { ...terms, amount: '999999' } });
  scene.accepted('central-bank-b', { type: 'record', proposal, statements: [scene.signed(statement)] });
  scene.accepted('csd-b', scene.recording(proposal, ['earmark/bond', 'dead'], ['earmark/fcy', 'dead']));
  scene.answerAll(proposal);
  return proposal;
}

function cancelledAtDeadline(scene: ContractScene): Hash {
  const proposal = scene.begin('GOLDEN-4');
  scene.accepted('csd-b', scene.recording(proposal, ['earmark/bond', 'effective'], ['earmark/lcy', 'effective']));
  scene.world.tx.time += 60_000;
  scene.accepted('csd-b', { type: 'expire', proposal });
  scene.accepted(
    'csd-b',
    scene.recording(proposal, ['earmark/bond release', 'effective'], ['earmark/lcy release', 'effective']),
  );
  scene.world.tx.time += 60_000;
  scene.accepted('csd-b', { type: 'expire', proposal });
  scene.answerAll(proposal);
  scene.answerAll(proposal);
  return proposal;
}

function cancelledByBoth(scene: ContractScene): Hash {
  const proposal = scene.begin('GOLDEN-5');
  scene.accepted('csd-b', scene.recording(proposal, ['earmark/bond', 'effective']));
  scene.accepted('csd-b', { type: 'cancel', proposal });
  scene.accepted('central-bank-a', { type: 'cancel', proposal });
  scene.accepted('csd-b', scene.recording(proposal, ['earmark/fcy', 'dead'], ['earmark/lcy', 'dead']));
  scene.answerAll(proposal);
  return proposal;
}

function rejectedExpired(scene: ContractScene): Hash {
  const instruction = scene.instruction('GOLDEN-6');
  scene.lodge('central-bank-a', instruction);
  const proposal = scene.lodge('csd-b', { ...instruction, security: { ...instruction.security, quantity: '2000000' } });
  scene.world.tx.time += 60_000;
  scene.accepted('central-bank-b', { type: 'expire', proposal });
  return proposal;
}

function rejectedRetracted(scene: ContractScene): Hash {
  const proposal = scene.lodge('csd-b', scene.instruction('GOLDEN-7'));
  scene.accepted('csd-b', { type: 'retract', proposal });
  return proposal;
}

function entriesOf(world: MemoryWorld, proposal: Hash): Recording['entries'] {
  const found = runQuery(world, 'history', { id: proposal, limit: 500 });
  if (!found.ok) throw new Error(found.refusal.message);
  const phases = new Map(
    world.events.filter((event) => event.proposal === proposal).map(({ sequence, phase }) => [sequence, phase]),
  );
  return found.value.map((entry: Entry) => {
    const { sequence, time, state, changes } = entry;
    return {
      sequence,
      time,
      phase: phases.get(sequence) ?? 'proposed',
      changes: hashOf(changes),
      state,
      hash: hashOf(entry),
    };
  });
}
