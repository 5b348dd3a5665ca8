import { isDeepStrictEqual } from 'node:util';
import { type Hash, hashSchema } from '@linkspan/protocol';
import type { ArchivedBlocks, ArchivedCall } from '../archive.ts';
import { blockNumber, fabricBlockOf } from './block-number.ts';
import { ChannelRules } from './channel-rules.ts';
import { type EndorsedTransaction, readEndorsedTransaction } from './endorsed-transaction.ts';
import { configurationOf, dataHashOf, type FabricBlock, isConfigurationBlock, readBlock } from './fabric-block.ts';
import { StaleReads } from './stale-reads.ts';

/** What can be wrong with blocks. */
export const BLOCK_FINDING_CODES = [
  'block-malformed',
  'block-order-wrong',
  'block-data-differs',
  'block-chain-broken',
  'block-unsigned',
  'block-missing',
  'configuration-other',
  'configuration-missing',
  'transaction-unendorsed',
  'transaction-repeated',
  'transaction-conflicts',
  'call-not-in-block',
  'call-left-out',
] as const;

/** `where` is a JSON pointer into the evidence. */
export type BlockFinding = {
  readonly where: string;
  readonly code: (typeof BLOCK_FINDING_CODES)[number];
  readonly message: string;
};

/** Evidence as far as blocks can prove it. */
export type EvidenceWithBlocks = {
  readonly environment: readonly ArchivedCall[];
  readonly settlements: readonly { readonly proposal: Hash; readonly calls: readonly ArchivedCall[] }[];
  readonly fabric: ArchivedBlocks;
};

/** What was checked, and what that proves; both texts are whole sentences. */
export type BlocksReport = {
  readonly channel: string;
  readonly chaincode: string;
  /** The hash of the header of the channel's first block, on which everything rests. */
  readonly firstBlock: Hash;
  /** Whether the reader named that hash; otherwise it is the file's own. */
  readonly pinned: boolean;
  readonly blocks: number;
  readonly configurations: number;
  readonly transactions: number;
  /** How many orderers signed the block that the fewest signed, and how many there are; `of` is 0 where any one's signature suffices. */
  readonly ordered: { readonly fewest: number; readonly of: number };
  /** How many organisations endorsed the transaction that the fewest endorsed, and how many there are. */
  readonly endorsed: { readonly fewest: number; readonly of: number };
  readonly proves: string;
  readonly doesNotProve: string;
};

export type BlocksVerdict =
  | { readonly ok: true; readonly value: BlocksReport }
  | { readonly ok: false; readonly finding: BlockFinding };

/**
 * Verifies offline that the calls of evidence are exactly what Fabric's orderers put into signed blocks and enough organisations endorsed, under the
 * configuration that the channel's first block begins. Nothing that the evidence holds makes it throw. The calls themselves are the
 * business of their replay.
 */
export function verifyBlocks(evidence: EvidenceWithBlocks, firstBlock?: Hash): BlocksVerdict {
  try {
    return { ok: true, value: new Check(evidence, firstBlock).run() };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, finding: error.finding };
    throw error;
  }
}

/** The hash that stands for a channel, from its first block as `configtxgen` writes it and peers hand it out. Throws a RangeError on anything else. */
export function hashOfFirstBlock(bytes: Uint8Array): Hash {
  const block = readBlock(bytes);
  if (block.number !== 0n || !isConfigurationBlock(block)) throw new RangeError('this is no first block of a channel');
  return hashText(block.hash);
}

/** Ends a check with what does not hold. Never leaves this file. */
class Refusal extends Error {
  readonly finding: BlockFinding;

  constructor(where: string, code: BlockFinding['code'], message: string) {
    super(message);
    this.finding = { where, code, message };
  }
}

class Check {
  readonly #evidence: EvidenceWithBlocks;
  readonly #pin: Hash | undefined;
  readonly #rules = new Map<bigint, ChannelRules>();
  readonly #transactions = new Map<number, EndorsedTransaction>();
  readonly #ids = new Set<string>();
  readonly #reads = new StaleReads();
  readonly #blocks = new Set<bigint>();
  #first: FabricBlock | undefined;
  #before: FabricBlock | undefined;
  #fewestOrderers = Infinity;
  #fewestEndorsers = Infinity;

  constructor(evidence: EvidenceWithBlocks, pin: Hash | undefined) {
    this.#evidence = evidence;
    this.#pin = pin;
  }

  run(): BlocksReport {
    const { blocks, chaincode } = this.#evidence.fabric;
    for (const [i, { number, content }] of blocks.entries()) {
      const at = `/fabric/blocks/${i}`;
      try {
        const block = decode(content);
        if (block.number !== BigInt(number)) throw new RangeError(`it is block ${block.number}`);
        this.#block(block, at);
      } catch (error) {
        if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError)
          throw new Refusal(at, 'block-malformed', `The block cannot be read in one way only: ${error.message}.`);
        throw error;
      }
    }
    this.#calls();
    const rules = [...this.#rules.values()].at(-1);
    if (!this.#first || !rules) throw new Refusal('/fabric/blocks', 'configuration-missing', 'There is no block.');
    const transactions = this.#transactions.size;
    const orderers = { fewest: transactions === 0 ? 0 : this.#fewestOrderers, of: rules.consenters };
    const endorsers = { fewest: transactions === 0 ? 0 : this.#fewestEndorsers, of: rules.organisations };
    const counts = { blocks: blocks.length, configurations: this.#rules.size, transactions };
    const firstBlock = hashText(this.#first.hash);
    const report = { channel: rules.channel, chaincode, firstBlock, pinned: this.#pin !== undefined, ...counts };
    return { ...report, ordered: orderers, endorsed: endorsers, ...meaningOf(report, orderers, endorsers) };
  }

  /** Blocks come by ascending numbers, the configuration's first one before all. */
  #block(block: FabricBlock, at: string): void {
    const before = this.#before;
    if (before && block.number <= before.number)
      throw new Refusal(at, 'block-order-wrong', `Block ${block.number} stands behind block ${before.number}.`);
    if (!same(dataHashOf(block), block.dataHash))
      throw new Refusal(
        at,
        'block-data-differs',
        `Block ${block.number} holds other transactions than its header says.`,
      );
    if (before?.number === block.number - 1n && !same(before.hash, block.previousHash))
      throw new Refusal(at, 'block-chain-broken', `Block ${block.number} does not follow the block before it.`);
    if (before) this.#later(block, at);
    else this.#begin(block, at);
    this.#before = block;
    this.#blocks.add(block.number);
  }

  #begin(block: FabricBlock, at: string): void {
    const hash = hashText(block.hash);
    if (block.number !== 0n || !isConfigurationBlock(block))
      throw new Refusal(at, 'configuration-missing', 'The first block of the channel is missing.');
    if (this.#pin !== undefined && hash !== this.#pin)
      throw new Refusal(at, 'configuration-other', `The channel begins with ${hash}, not with ${this.#pin}.`);
    this.#first = block;
    this.#rules.set(0n, new ChannelRules(block));
  }

  #later(block: FabricBlock, at: string): void {
    const configures = isConfigurationBlock(block);
    // A configuration block is signed by those whom the one before it names, and itself names itself.
    const under = configures ? [...this.#rules.keys()].at(-1) : configurationOf(block);
    const rules = this.#rules.get(under ?? -1n);
    if (!rules)
      throw new Refusal(
        at,
        'configuration-missing',
        `The configuration of block ${block.number}, ${under}, is missing.`,
      );
    const { holds, members } = rules.ordered(block);
    if (!holds)
      throw new Refusal(
        at,
        'block-unsigned',
        `Block ${block.number} has ${members.length} signatures of orderers that hold: too few.`,
      );
    this.#fewestOrderers = Math.min(this.#fewestOrderers, members.length);
    if (configures) this.#rules.set(block.number, new ChannelRules(block));
    else this.#blockOfTransactions(block, rules, at);
  }

  #blockOfTransactions(
    { number: block, envelopes, validationCodes }: FabricBlock,
    rules: ChannelRules,
    at: string,
  ): void {
    if (envelopes.length >= MOST_TRANSACTIONS) throw new RangeError('it has more transactions than a block may');
    let place = 0;
    for (const [i, envelope] of envelopes.entries()) {
      if (validationCodes[i] !== VALID) continue;
      const transaction = readEndorsedTransaction(envelope, this.#evidence.fabric.chaincode);
      if (!transaction) continue;
      this.#endorsed(transaction, rules, (why) => new Refusal(at, 'transaction-unendorsed', `Transaction ${i} ${why}`));
      if (this.#ids.has(transaction.id))
        throw new Refusal(at, 'transaction-repeated', `Transaction ${i} was in the ledger before.`);
      this.#ids.add(transaction.id);
      const stale = this.#reads.take(transaction.readsAndWrites, { block, place: i });
      if (stale !== undefined)
        throw new Refusal(
          at,
          'transaction-conflicts',
          `Transaction ${i} read ${stale} before it was changed, so that peers refuse it.`,
        );
      this.#transactions.set(blockNumber(block, place), transaction);
      place += 1;
    }
  }

  #endorsed(
    { isWhole, creator, channel, endorsements }: EndorsedTransaction,
    rules: ChannelRules,
    refuse: (why: string) => Refusal,
  ): void {
    if (!isWhole || channel !== rules.channel) throw refuse('is not what its endorsers answered.');
    const { holds, members } = rules.endorsed(endorsements);
    const organisations = new Set(members.map(({ mspId }) => mspId));
    if (!holds) throw refuse(`has endorsements of ${organisations.size} organisations that hold: too few.`);
    if (!rules.signer(creator)) throw refuse('is not signed by a member of the channel.');
    this.#fewestEndorsers = Math.min(this.#fewestEndorsers, organisations.size);
  }

  /** Every call of the evidence is the one in its place, and none about the same settlement was left out before its last one. */
  #calls(): void {
    const { environment, settlements } = this.#evidence;
    this.#list(environment, '/environment');
    const kept = new Map<string, { readonly calls: readonly ArchivedCall[]; readonly at: string }>();
    for (const [i, { proposal, calls }] of settlements.entries()) {
      const at = `/settlements/${i}/calls`;
      this.#list(calls, at);
      kept.set(proposal, { calls, at });
    }
    for (const [number, { id, calls, results }] of this.#transactions) {
      for (const [i, result] of results.entries()) {
        const proposal = result.ok ? result.value['proposal'] : undefined;
        const settlement = typeof proposal === 'string' ? kept.get(proposal) : undefined;
        if (!settlement || number > (settlement.calls.at(-1)?.block ?? -1)) continue;
        // The same call may have been accepted before, in another batch.
        if (!settlement.calls.some(({ call }) => isDeepStrictEqual(call.call, calls[i]?.call)))
          throw new Refusal(
            settlement.at,
            'call-left-out',
            `A call about this settlement in the transaction ${id} is missing.`,
          );
      }
    }
  }

  #list(calls: readonly ArchivedCall[], at: string): void {
    for (const [i, { block: number, index, time, call }] of calls.entries()) {
      const block = fabricBlockOf(number);
      if (!this.#blocks.has(block))
        throw new Refusal(
          `${at}/${i}`,
          'block-missing',
          `Block ${block}, in which the call is said to be, is missing.`,
        );
      const transaction = this.#transactions.get(number);
      const accepted = transaction?.calls.filter((_, j) => transaction.results[j]?.ok) ?? [];
      if (!accepted[index] || transaction?.time !== time || !isDeepStrictEqual(accepted[index], call))
        throw new Refusal(
          `${at}/${i}`,
          'call-not-in-block',
          `Block ${block} does not hold this call in this place at this time.`,
        );
    }
  }
}

const VALID = 0;
/** So that their places have numbers; far more than a channel's batch size allows. */
const MOST_TRANSACTIONS = 10_000;

function decode(text: string): FabricBlock {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new RangeError('it is no base64');
  return readBlock(bytes);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function hashText(bytes: Uint8Array): Hash {
  return hashSchema.parse(`sha256:${Buffer.from(bytes).toString('hex')}`);
}

function meaningOf(
  {
    channel,
    firstBlock,
    pinned,
    transactions,
    configurations,
  }: Pick<BlocksReport, 'channel' | 'firstBlock' | 'pinned' | 'transactions' | 'configurations'>,
  ordered: BlocksReport['ordered'],
  endorsed: BlocksReport['endorsed'],
): Pick<BlocksReport, 'proves' | 'doesNotProve'> {
  const trust = pinned
    ? `Given the configuration block ${firstBlock}, which you named`
    : `If you trust the configuration block ${firstBlock}, which is the file’s own word`;
  const changes = configurations === 1 ? '' : ` and its ${configurations - 1} signed changes`;
  const orderers =
    ordered.of === 0 ? 'an orderer signed' : `at least ${ordered.fewest} of ${ordered.of} orderers signed`;
  return {
    proves:
      `${trust}${changes}: ${orderers} each block of the channel ${channel} in the file, with all its transactions in this order; and peers of at least ` +
      `${endorsed.fewest} of ${endorsed.of} organisations signed, for each of ${transactions} transactions, exactly these calls, their answers and their time.`,
    doesNotProve:
      'Not proved: what other blocks hold, before, between or after these; that the peers did not refuse one of these transactions over one that is not in the file ' +
      '(none of those in it conflict); that the chaincode asks for no more endorsements than the channel does; that no certificate was revoked or a key stolen' +
      `${configurations === 1 ? '' : '; that the organisations agreed to the changes of configuration, beyond the orderers’ signatures'}.`,
  };
}
