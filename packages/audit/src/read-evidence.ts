import {
  type Entry,
  genesisSchema,
  hashSchema,
  isCanonicalisable,
  parse,
  PHASES,
  type SignedCall,
} from '@linkspan/protocol';
import {
  type ArchivedCall,
  type Evidence,
  type EvidenceHost,
  type FabricBlocks,
  FABRIC_HOST,
  HOSTS,
  MAXIMUM_BLOCKS,
  MAXIMUM_CALLS,
  MAXIMUM_DEPTH,
  MAXIMUM_FILE_LENGTH,
  MAXIMUM_SETTLEMENTS,
  type SettlementEvidence,
} from './evidence.ts';
import { finding, found, type Found } from './finding.ts';

/** Reads the text of an evidence file. Whatever it is given, it answers with the evidence or with the first thing that is wrong. */
export function readEvidence(text: string): Found<Evidence> {
  if (text.length > MAXIMUM_FILE_LENGTH)
    return finding('', 'file-too-large', `The file has more than ${MAXIMUM_FILE_LENGTH} characters.`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return finding('', 'file-malformed', 'The file is not JSON text (RFC 8259).');
  }
  const evidence = parseEvidence(document);
  // Of a member that is there twice, JSON.parse keeps the last one, and another reader of the file may see the first.
  if (evidence.ok && membersWritten(text) !== membersOf(document))
    return finding('', 'file-malformed', 'The file has an object with the same member twice.');
  return evidence;
}

/**
 * Checks the form of a parsed file. Calls and entries are only known to be objects afterwards: the contract parses every call itself, and
 * entries are compared with those of the replay, so a second check of either would say nothing more.
 */
export function parseEvidence(input: unknown): Found<Evidence> {
  if (!isObject(input)) return malformed('', 'is no object');
  if (input['schema'] !== 'audit/1')
    return finding('/schema', 'file-version-unknown', 'The file is no evidence of the form audit/1.');
  const strange = unknownMember(input, MEMBERS.file, '');
  if (strange) return strange;
  const deep = tooDeep(input);
  if (deep) return finding('', 'file-too-deep', `The file is nested deeper than ${MAXIMUM_DEPTH} levels.`);
  const network = parse(hashSchema, input['network'], 'request-invalid');
  if (!network.ok) return malformed('/network', 'is no hash');
  const genesis = parse(genesisSchema, input['genesis'], 'request-invalid');
  if (!genesis.ok) return malformed('/genesis', `is no genesis: ${genesis.refusal.message}`);
  if (!isCanonicalisable(genesis.value)) return malformed('/genesis', 'has no canonical form');
  const host = parseHost(input['host']);
  if (!host.ok) return host;
  const environment = parseCalls(input['environment'], '/environment');
  if (!environment.ok) return environment;
  const settlements = parseSettlements(input['settlements']);
  if (!settlements.ok) return settlements;
  const calls = settlements.value.reduce((sum, each) => sum + each.calls.length, environment.value.length);
  if (calls > MAXIMUM_CALLS) return finding('', 'file-too-large', `The file has more than ${MAXIMUM_CALLS} calls.`);
  const fabric = parseBlocks(input, host.value);
  if (!fabric.ok) return fabric;
  return found({
    schema: 'audit/1',
    network: network.value,
    genesis: genesis.value,
    host: host.value,
    environment: environment.value,
    settlements: settlements.value,
    ...fabric.value,
  });
}

/** The end of the year 9999: RFC 3339 writes no later instant. */
const LAST_INSTANT_MS = 253_402_300_799_999;

const MEMBERS = {
  file: new Set(['schema', 'network', 'genesis', 'host', 'environment', 'settlements', 'fabric']),
  fabric: new Set(['chaincode', 'blocks']),
  block: new Set(['number', 'content']),
  host: new Set(['kind', 'proves']),
  settlement: new Set(['role', 'proposal', 'settlement', 'tradeId', 'calls', 'entries', 'head', 'phase']),
  call: new Set(['block', 'time', 'index', 'call']),
};

function parseHost(input: unknown): Found<EvidenceHost> {
  if (!isObject(input)) return malformed('/host', 'is no object');
  const strange = unknownMember(input, MEMBERS.host, '/host');
  if (strange) return strange;
  const { kind, proves } = input;
  if (!HOSTS.some((known) => known.kind === kind))
    return finding('/host/kind', 'host-unknown', 'This program knows no such kind of ledger.');
  if (!isText(proves, 2000)) return malformed('/host/proves', 'is no text');
  return found({ kind: String(kind), proves });
}

/** That the blocks are texts: what is in them is checked where they are verified. */
function parseBlocks(
  input: Readonly<Record<string, unknown>>,
  { kind }: EvidenceHost,
): Found<{ fabric?: FabricBlocks }> {
  if (!Object.hasOwn(input, 'fabric')) return found({});
  const { fabric } = input;
  if (kind !== FABRIC_HOST.kind) return malformed('/fabric', 'is nothing that this kind of ledger has');
  if (!isObject(fabric)) return malformed('/fabric', 'is no object');
  const strange = unknownMember(fabric, MEMBERS.fabric, '/fabric');
  if (strange) return strange;
  const { chaincode, blocks } = fabric;
  if (!isText(chaincode, 64)) return malformed('/fabric/chaincode', 'is no name of a chaincode');
  if (!Array.isArray(blocks)) return malformed('/fabric/blocks', 'is no list');
  const list: readonly unknown[] = blocks;
  if (list.length > MAXIMUM_BLOCKS)
    return finding('/fabric/blocks', 'file-too-large', `There are more than ${MAXIMUM_BLOCKS} blocks.`);
  const read: FabricBlocks['blocks'][number][] = [];
  for (const [i, each] of list.entries()) {
    const at = `/fabric/blocks/${i}`;
    if (!isObject(each)) return malformed(at, 'is no object');
    const other = unknownMember(each, MEMBERS.block, at);
    if (other) return other;
    const { number, content } = each;
    if (!isCount(number)) return malformed(`${at}/number`, 'is no block number');
    if (typeof content !== 'string') return malformed(`${at}/content`, 'is no text');
    read.push({ number, content });
  }
  return found({ fabric: { chaincode, blocks: read } });
}

function parseSettlements(input: unknown): Found<SettlementEvidence[]> {
  if (!Array.isArray(input)) return malformed('/settlements', 'is no list');
  const list: readonly unknown[] = input;
  if (list.length > MAXIMUM_SETTLEMENTS)
    return finding('/settlements', 'file-too-large', `There are more than ${MAXIMUM_SETTLEMENTS} settlements.`);
  const settlements: SettlementEvidence[] = [];
  for (const [i, each] of list.entries()) {
    const settlement = parseSettlement(each, `/settlements/${i}`);
    if (!settlement.ok) return settlement;
    settlements.push(settlement.value);
  }
  if (!settlements.some(({ role }) => role === 'asked'))
    return malformed('/settlements', 'holds nothing that was asked for');
  return found(settlements);
}

function parseSettlement(input: unknown, at: string): Found<SettlementEvidence> {
  if (!isObject(input)) return malformed(at, 'is no object');
  const strange = unknownMember(input, MEMBERS.settlement, at);
  if (strange) return strange;
  const { role, tradeId, entries } = input;
  if (role !== 'asked' && role !== 'context') return malformed(`${at}/role`, 'is neither asked nor context');
  const proposal = parse(hashSchema, input['proposal'], 'request-invalid');
  if (!proposal.ok) return malformed(`${at}/proposal`, 'is no hash');
  const settlement =
    input['settlement'] === null
      ? { ok: true as const, value: null }
      : parse(hashSchema, input['settlement'], 'request-invalid');
  if (!settlement.ok) return malformed(`${at}/settlement`, 'is neither a hash nor null');
  if (!isText(tradeId, 64)) return malformed(`${at}/tradeId`, 'is no trade id');
  const head = parse(hashSchema, input['head'], 'request-invalid');
  if (!head.ok) return malformed(`${at}/head`, 'is no hash');
  const phase = PHASES.find((known) => known === input['phase']);
  if (!phase) return malformed(`${at}/phase`, 'is no phase');
  const calls = parseCalls(input['calls'], `${at}/calls`);
  if (!calls.ok) return calls;
  if (!Array.isArray(entries) || !entries.every(isEntry)) return malformed(`${at}/entries`, 'is no list of entries');
  return found({
    role,
    proposal: proposal.value,
    settlement: settlement.value,
    tradeId,
    calls: calls.value,
    entries,
    head: head.value,
    phase,
  });
}

function parseCalls(input: unknown, at: string): Found<ArchivedCall[]> {
  if (!Array.isArray(input)) return malformed(at, 'is no list');
  const list: readonly unknown[] = input;
  const calls: ArchivedCall[] = [];
  for (const [i, each] of list.entries()) {
    if (!isObject(each)) return malformed(`${at}/${i}`, 'is no object');
    const strange = unknownMember(each, MEMBERS.call, `${at}/${i}`);
    if (strange) return strange;
    const { block, time, index, call } = each;
    if (!isCount(block)) return malformed(`${at}/${i}/block`, 'is no block number');
    if (!isCount(time) || time > LAST_INSTANT_MS) return malformed(`${at}/${i}/time`, 'is no time in milliseconds');
    if (!isCount(index)) return malformed(`${at}/${i}/index`, 'is no place in a block');
    if (!isCall(call)) return malformed(`${at}/${i}/call`, 'is no object');
    calls.push({ block, time, index, call });
  }
  return found(calls);
}

/** The contract refuses whatever is not really one. */
function isCall(input: unknown): input is SignedCall {
  return isObject(input);
}

/** The replay tells what an entry must be, member by member. */
function isEntry(input: unknown): input is Entry {
  return isObject(input);
}

function isCount(input: unknown): input is number {
  return typeof input === 'number' && Number.isSafeInteger(input) && input >= 0;
}

function isText(input: unknown, longest: number): input is string {
  return typeof input === 'string' && input.length <= longest;
}

function isObject(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

function unknownMember(
  input: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  at: string,
): ReturnType<typeof finding> | undefined {
  for (const name of Object.keys(input))
    if (!known.has(name)) return malformed(at, `has a member "${name.slice(0, 40)}" that the format does not know`);
  return undefined;
}

function malformed(at: string, what: string): ReturnType<typeof finding> {
  return finding(at, 'file-malformed', `${at === '' ? 'The file' : at} ${what}.`);
}

/** How many members the text of a JSON document writes: its colons outside of strings. */
function membersWritten(text: string): number {
  let members = 0;
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    for (let i = at; i < end; i++) if (text.charCodeAt(i) === COLON) members++;
    at = quote === -1 ? end : endOfString(text, quote);
  }
  return members;
}

const [COLON, BACKSLASH] = [0x3a, 0x5c];

/** The place behind the string that begins at a quote. */
function endOfString(text: string, quote: number): number {
  for (let at = text.indexOf('"', quote + 1); ; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at + 1;
  }
}

function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const parts: readonly unknown[] = Object.values(value);
  return parts.reduce<number>((sum, part) => sum + membersOf(part), Array.isArray(value) ? 0 : parts.length);
}

/** Whether anything lies deeper than allowed. Level by level, because what is nested too deep would exhaust the stack. */
function tooDeep(input: object): boolean {
  let level: object[] = [input];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MAXIMUM_DEPTH) return true;
    const below: object[] = [];
    for (const each of level) {
      for (const name in each) {
        const member: unknown = Reflect.get(each, name);
        if (typeof member === 'object' && member !== null) below.push(member);
      }
    }
    level = below;
  }
  return false;
}
