import {
  certificateForSystems,
  Fault,
  hashToHex,
  nameInSystem,
  type Operation,
  parseAmount,
  type SignedCertificate,
} from '@linkspan/protocol';
import type { Connector, Observation, Reading, ReadingQuery, Submission } from '../../connector.ts';
import type { FabricConfig } from './fabric-config.ts';
import { heightOfChainInfo } from './gateway-messages.ts';
import { GatewayPool, unavailable } from './gateway-pool.ts';
import { holdIdOf, verdicts } from './operation-verdict.ts';
import { RequestBatcher } from './request-batcher.ts';
import { observeEvents } from './token-events.ts';
import { type RequestAnswer, type TokenReader, tokenReader } from './token-records.ts';
import { writeRequests } from './transaction-writer.ts';

/** What the connector's parts share. */
type FabricSystem = {
  readonly config: FabricConfig;
  readonly pool: GatewayPool;
  readonly read: TokenReader;
  readonly batcher: RequestBatcher;
};

/** A cash token with holds as chaincode on Fabric. Final is what a peer has committed: there are no forks. */
export function createFabricConnector(config: FabricConfig): Connector {
  const { system, timeoutMs } = config;
  const pool = new GatewayPool(config);
  const read = tokenReader(system);
  const closed = new AbortController();
  const batcher = new RequestBatcher((requests) =>
    writeRequests({ system, pool, read, timeoutMs, signal: closed.signal }, requests),
  );
  const fabric: FabricSystem = { config, pool, read, batcher };
  return {
    submit: (operation, certificate) => submit(fabric, operation, certificate),
    observe: (cursor, filter, signal) =>
      observeEvents(fabric, cursor, filter, AbortSignal.any([signal, closed.signal])),
    lookup: (operation) => lookup(fabric, operation),
    fence: (operation, reason, certificate) => fence(fabric, operation, reason, certificate),
    read: (query) => readPositions(fabric, query),
    async [Symbol.asyncDispose]() {
      closed.abort();
      pool[Symbol.dispose]();
      await batcher.close();
    },
  };
}

async function submit(
  fabric: FabricSystem,
  operation: Operation,
  certificate?: SignedCertificate,
): Promise<Submission> {
  const request = requestFor(fabric.config, operation, certificate);
  if ('status' in request) return request;
  const answer = await fabric.batcher.send(request);
  if (answer.ok) return { status: 'sent' };
  return answer.code === 'hold-closed' ? already(fabric, operation, answer) : refusal(answer);
}

/** Somebody else has ended the hold: as this operation would have, or the other way. */
async function already(fabric: FabricSystem, operation: Operation, answer: Refused): Promise<Submission> {
  const found = await lookup(fabric, operation);
  if (found?.status !== 'effective') return refusal(answer);
  const { terms } = found;
  const names = Object.keys({ ...terms, ...operation.terms });
  if (names.every((name) => terms[name] === operation.terms[name])) return { status: 'sent' };
  return { status: 'refused', reason: 'DUPL', message: 'The hold was made with other terms.' };
}

type Refused = Extract<RequestAnswer, { ok: false }>;

function refusal({ code, reason, message }: Refused): Submission {
  const refused = { status: 'refused', reason, message } as const;
  return code.startsWith('certificate-') ? { ...refused, about: 'certificate' } : refused;
}

async function lookup({ config, pool, read }: FabricSystem, operation: Operation): Promise<Observation | undefined> {
  const question = JSON.stringify({ operation: hashToHex(operation.id), hold: holdIdOf(operation) });
  const bytes = await pool.evaluate(config.chaincode, 'lookup', [question]);
  const [first, second] = verdicts(operation, read.records(bytes), config);
  if (!first || !second) return first;
  const [one, two] = await Promise.all([blockOf(config, pool, first), blockOf(config, pool, second)]);
  // Of two in one block no reader ever saw one without the other, so all say the same by any rule: an effect counts.
  if (one === two) return first.status === 'effective' ? first : second;
  return one < two ? first : second;
}

async function blockOf({ system }: FabricConfig, pool: GatewayPool, { transaction }: Observation): Promise<bigint> {
  const gateway = pool.current;
  try {
    const { blockNumber } = await pool.commitOf(gateway, transaction).getStatus({ deadline: Date.now() + STATUS_MS });
    return blockNumber;
  } catch (error) {
    throw unavailable(system, error, false);
  }
}

const STATUS_MS = 5000;

async function fence(
  fabric: FabricSystem,
  operation: Operation,
  reason: string,
  certificate?: SignedCertificate,
): Promise<Observation> {
  const known = await lookup(fabric, operation);
  if (known) return known;
  const { system } = fabric.config;
  const answer = await fabric.batcher.send({
    type: 'fence',
    operation: hashToHex(operation.id),
    reason: /^[A-Z0-9]{4}$/.test(reason) ? reason : 'NARR',
    ...(certificate ? { certificate: certificateMembers(certificate) } : {}),
  });
  if (!answer.ok) throw new Fault('system-unavailable', `${system} does not fence: ${answer.message}`);
  const found = await lookup(fabric, operation);
  if (found) return found;
  throw new Fault('system-unavailable', `The peer of ${system} does not show the fence yet.`, {
    mayHaveHappened: true,
  });
}

async function readPositions({ config, pool, read }: FabricSystem, query: ReadingQuery): Promise<Reading> {
  const { channel, currency: asset } = config;
  // Before the positions, so that whatever changes them afterwards comes after the cursor.
  const info = await pool.evaluate('qscc', 'GetChainInfo', [channel]);
  const cursor = String(heightOfChainInfo(info) - 1);
  if (query.type === 'health') return { positions: [], cursor };
  const question = JSON.stringify(query.accounts ? { accounts: query.accounts } : {});
  const bytes = await pool.evaluate(config.chaincode, 'balances', [question]);
  return { positions: read.rows(bytes).map((row) => ({ ...row, asset })), cursor };
}

/** The chaincode's request for an operation. What can never be one is refused here; the system then fences the id. */
function requestFor(
  { currency }: FabricConfig,
  operation: Operation,
  certificate?: SignedCertificate,
): object | Exclude<Submission, { status: 'sent' }> {
  const { id, settlement, verb, terms } = operation;
  if (verb === 'hold') {
    const amount = parseAmount(terms['amount'] ?? '', terms['currency'] ?? '');
    if (!amount.ok) return refused(amount.message);
    if (terms['currency'] !== currency) return refused(`This token is of ${currency}.`);
    return {
      type: 'hold',
      operation: hashToHex(id),
      settlement: hashToHex(settlement),
      from: nameInSystem(terms['from'] ?? ''),
      to: nameInSystem(terms['to'] ?? ''),
      amount: String(amount.value),
    };
  }
  if (verb !== 'execute' && verb !== 'release') return refused(`A token with holds has no ${verb}.`);
  if (!/^sha256:[0-9a-f]{64}$/.test(terms['hold'] ?? '')) return refused('The operation names no hold.');
  if (!certificate) return { ...refused('The certificate is missing.'), about: 'certificate' };
  const certified = certificateMembers(certificate);
  return { type: verb, operation: hashToHex(id), hold: holdIdOf(operation), certificate: certified };
}

function certificateMembers(signed: SignedCertificate): object {
  const { certificate, block, path, signatures } = certificateForSystems(signed);
  return { certificate, block, path, signatures };
}

function refused(message: string): { status: 'refused'; reason: string; message: string } {
  return { status: 'refused', reason: 'NARR', message };
}
