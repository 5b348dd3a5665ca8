/** One row of the catalogue of faults. `outcome` is what the product does, written only where a test shows it. */
export type FaultRow = {
  readonly row: number;
  readonly fault: string;
  readonly stage: string;
  readonly mayHaveHappened: 'yes' | 'no' | '';
  readonly outcome: string;
};

/** The one list of faults by number. The reference page joins it with the tests that name its rows. */
export const FAULT_CATALOGUE: readonly FaultRow[] = [
  shown(
    1,
    'Validator crashes before it submits',
    'any operation',
    'no',
    'The Verifier asks the next validator; a restarted one reads the system and goes on. The id makes a second submit harmless.',
  ),
  shown(
    2,
    'Crash after the submit, before the answer',
    'any operation',
    'yes',
    '`lookup` finds what the system has; the same id again has no second effect.',
  ),
  shown(
    3,
    'Crash after the system’s commit, before the report',
    'any operation',
    'yes',
    'The statement is made again from `lookup` and recorded once.',
  ),
  shown(
    4,
    'Coordinator (CoreAPI) crashes at any state boundary',
    'any',
    'yes',
    'It resumes from the ledger; meanwhile another organisation writes.',
  ),
  shown(
    5,
    'Two coordinators of one organisation act at once',
    'any',
    'yes',
    'One effect per operation id; the second writer changes nothing.',
  ),
  named(6, 'Duplicate delivery of events or calls'),
  named(7, 'Events out of order'),
  shown(
    8,
    'Lost event',
    'any operation',
    'yes',
    'The stream is resumed from its cursor by the next validator; waiting validators also look again every second.',
  ),
  shown(
    9,
    'Chain reorganisation, or a final block that vanishes',
    'any operation on an EVM chain',
    'yes',
    'Only final blocks count. If a final block is replaced, the validator states nothing more until people have looked; nothing is compensated.',
  ),
  named(10, 'A ledger with probabilistic finality joins'),
  named(11, 'Partition of the consortium ledger'),
  shown(
    12,
    'The consortium ledger answers nobody',
    'any',
    'yes',
    'No decisions; holds stay; everything goes on by itself when it is back.',
  ),
  named(13, 'System closed, holiday, past its cut-off'),
  named(14, 'Cut-off between two legs'),
  named(15, 'Skewed clocks at the deadline'),
  shown(
    16,
    'The last outcome and `expire` at the same moment',
    'preparing',
    'no',
    'The order on the ledger decides; the other call is refused with the state that it met.',
  ),
  shown(
    17,
    'Effect that becomes known after the abort',
    'aborting',
    'yes',
    'The fence finds it and its inverse undoes it; a request that arrives after its fence does nothing.',
  ),
  named(18, 'Cancellation after the point of no return'),
  named(19, 'One side alone cancels'),
  shown(
    20,
    'Too little cash at the hold',
    'preparing',
    'no',
    'Abort with the system’s reason (MONY); every hold is released.',
  ),
  shown(
    21,
    'Too few securities at the hold',
    'preparing',
    'no',
    'Abort with the system’s reason (LACK); every hold is released.',
  ),
  shown(
    22,
    'An amount that is wrong in one side’s instruction',
    'proposed',
    'no',
    'Each differing field is shown with both values; nothing is held; rejected at the deadline unless corrected.',
  ),
  named(23, 'Missing or malformed fields of an instruction'),
  named(24, 'Malformed or unknown ISIN'),
  named(25, 'Wrong LEI, BIC or account'),
  named(26, 'Unknown currency, or too many digits'),
  named(27, 'Exchange rate that disagrees or has expired'),
  named(28, 'Partial settlement'),
  named(29, 'Account blocked before the hold'),
  named(30, 'Account frozen after the hold'),
  shown(
    31,
    'One validator, or another organisation, forges a result',
    'any operation',
    'no',
    'It is not accepted: m equal statements of distinct registered keys are needed. Where no m can agree any more, attention `disagreement`.',
  ),
  shown(
    32,
    'A validator contradicts itself',
    'any operation',
    'no',
    'Both statements are kept on the ledger, the key is suspended, attention `equivocation`; the other validators go on if they are enough.',
  ),
  shown(
    33,
    'A key is compromised',
    'any',
    'no',
    'It is revoked at once, by its owner alone or by a quorum of the others. What it signed and the ledger took stays; statements that were not taken are signed again by keys that count.',
  ),
  shown(
    34,
    'Key rotation during a trade',
    'any',
    'no',
    'The trade goes on: its decision is certified again under the new epoch, and what was signed before verifies by the keys of its own epoch.',
  ),
  named(35, 'Replayed access token'),
  named(36, 'Token used for another amount or payee'),
  named(37, 'Signature server down'),
  named(38, 'Trade id used again'),
  named(39, 'Replay on another network'),
  named(40, 'A malicious or censoring coordinator'),
  named(41, 'A party is silent after the other side’s hold'),
  shown(
    42,
    'Nonce gap, transaction stuck or forgotten by the node',
    'any operation on an EVM chain',
    'yes',
    'The gap is filled, the stuck transaction replaced by the same call for a higher fee; it happens once.',
  ),
  named(43, 'Double spend of a held amount'),
  named(44, 'Mint without burn'),
  named(45, 'Payment booked, message lost'),
  named(46, 'Payment returned after success'),
  named(47, 'Scenario changed while a settlement runs'),
  named(48, 'Upgrade, mixed versions, rollback'),
  named(49, 'Storage damaged, log truncated, disk full'),
  shown(
    50,
    'Coordinator restored from an old backup',
    'any',
    'yes',
    'It reads the ledger again from its old checkpoint, signs the same content again, and changes nothing.',
  ),
  named(51, 'Overload, slow consumer'),
  shown(
    52,
    'One leg of several fails',
    'preparing',
    'no',
    'One decision, abort; the holds of the other legs are released in any order.',
  ),
  named(53, 'Trades that wait for each other'),
  named(54, 'Audit without the trade’s content'),
  shown(
    55,
    'An organisation joins or leaves',
    'any',
    'no',
    'An epoch with the new quorum begins once a quorum has confirmed it; what is under way goes on, and nothing new begins with who has left.',
  ),
];

function shown(
  row: number,
  fault: string,
  stage: string,
  mayHaveHappened: FaultRow['mayHaveHappened'],
  outcome: string,
): FaultRow {
  return { row, fault, stage, mayHaveHappened, outcome };
}

/** A fault that no test names yet, so nothing is said about what happens. */
function named(row: number, fault: string): FaultRow {
  return { row, fault, stage: '', mayHaveHappened: '', outcome: '' };
}
