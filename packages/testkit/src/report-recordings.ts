import type { DvpInstruction, Hash, SignedStatement, Terms } from '@linkspan/protocol';
import type { ContractScene } from './contract-scene.ts';
import { record, type Recording } from './recordings.ts';

/** One course for each way in which the report's own flow ends. `node tools/record-scenarios.ts` writes them down. */
export function recordDvpBuyerOverseasReport(): Map<string, Recording> {
  const courses: [string, string, (scene: ContractScene) => Hash][] = [
    ['settled', 'The payment is seen, the depository tries the delivery under proceed, the currency follows.', settled],
    [
      'cancelled-payment-differs',
      'The payment has another amount than agreed; the currency is released, the payment stays as a residual.',
      cancelledPaymentDiffers,
    ],
    [
      'cancelled-delivery-dead',
      'The delivery against payment dies in the depository; the currency is released, the payment stays as a residual.',
      cancelledDeliveryDead,
    ],
    [
      'cancelled-at-deadline',
      'Nobody pays until the deadline; what was awaited is fenced, the currency released.',
      cancelledAtDeadline,
    ],
    ['rejected-retracted', 'The only copy is taken back.', rejectedRetracted],
  ];
  return new Map(courses.map(([name, title, play]) => [name, record(title, play)]));
}

function settled(scene: ContractScene): Hash {
  const proposal = prepared(scene, 'GOLDEN-R1');
  scene.world.tx.time += 1500;
  recordAs(scene, proposal, 'dvp/dvp');
  scene.world.tx.time += 1500;
  recordAs(scene, proposal, 'deliver/fcy');
  return proposal;
}

function cancelledPaymentDiffers(scene: ContractScene): Hash {
  const proposal = begun(scene, 'GOLDEN-R2');
  recordAs(scene, proposal, 'earmark/fcy');
  recordAs(scene, proposal, 'earmark/lcy', { amount: '999000' });
  scene.world.tx.time += 1500;
  scene.accepted('csd-b', scene.recording(proposal, ['dvp/dvp', 'dead']));
  recordAs(scene, proposal, 'earmark/fcy release');
  return proposal;
}

function cancelledDeliveryDead(scene: ContractScene): Hash {
  const proposal = prepared(scene, 'GOLDEN-R3');
  scene.accepted('csd-b', scene.recording(proposal, ['dvp/dvp', 'dead']));
  scene.world.tx.time += 1500;
  recordAs(scene, proposal, 'earmark/fcy release');
  return proposal;
}

function cancelledAtDeadline(scene: ContractScene): Hash {
  const proposal = begun(scene, 'GOLDEN-R4');
  recordAs(scene, proposal, 'earmark/fcy');
  scene.world.tx.time += 60_000;
  scene.accepted('central-bank-b', { type: 'expire', proposal });
  scene.accepted('csd-b', scene.recording(proposal, ['earmark/lcy', 'dead'], ['dvp/dvp', 'dead']));
  recordAs(scene, proposal, 'earmark/fcy release');
  return proposal;
}

function rejectedRetracted(scene: ContractScene): Hash {
  const proposal = scene.lodge('csd-b', instruction(scene, 'GOLDEN-R5'));
  scene.accepted('csd-b', { type: 'retract', proposal });
  return proposal;
}

/** The overseas currency is held and the payment seen: the depository may try. */
function prepared(scene: ContractScene, tradeId: string): Hash {
  const proposal = begun(scene, tradeId);
  recordAs(scene, proposal, 'earmark/fcy');
  recordAs(scene, proposal, 'earmark/lcy');
  return proposal;
}

function begun(scene: ContractScene, tradeId: string): Hash {
  const copy = instruction(scene, tradeId);
  scene.lodge('central-bank-a', copy);
  return scene.lodge('csd-b', copy);
}

/** In the report all local cash is kept in the depository. */
function instruction(scene: ContractScene, tradeId: string): DvpInstruction {
  const usual = scene.instruction(tradeId);
  const { seller, buyer, intermediary } = usual;
  return {
    ...usual,
    scenario: 'dvp-buyer-overseas-report@1',
    seller: { ...seller, accounts: { ...seller.accounts, lcy: 'csd:0042' } },
    buyer: { ...buyer, accounts: { ...buyer.accounts, lcy: 'csd:0099' } },
    intermediary: { ...intermediary, accounts: { ...intermediary.accounts, lcy: 'csd:9001' } },
  };
}

/** The operation took effect with the terms that are expected, but for those that are given. */
function recordAs(scene: ContractScene, proposal: Hash, name: string, other: Terms = {}): void {
  const { terms, expected } = scene.operation(proposal, name);
  const statement = scene.statement(proposal, name, { terms: { ...terms, ...expected, ...other } });
  const statements: SignedStatement[] = [scene.signed(statement)];
  scene.accepted('central-bank-b', { type: 'record', proposal, statements });
}
