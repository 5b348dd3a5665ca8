import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, EndorseError, hash, StatusCode } from '@hyperledger/fabric-gateway';
import { createLiveFiles, lowSSigner } from '@linkspan/keys';
import { type Connector, isObject, readConnector } from '@linkspan/plugin';
import type { ConformanceSystem, FaultyProxy } from '@linkspan/plugin/conformance';
import { certificateForSystems, formatAmount, hashToHex, type SignedCertificate } from '@linkspan/protocol';
import { identityOf } from '@stand-in/domestic-fabric';
import { mspId } from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { isRunning, notedProcesses } from '../../apps/cli/src/network/node-process.ts';
import { certificatesConfig, certify, NETWORK, OPENING, QUORUM } from './connector-systems.ts';
import { startTestNetwork, type TestNetwork } from './fabric-network.ts';
import { type GatewayProxy, startGatewayProxy } from './gateway-proxy.ts';

const SYSTEM = 'cash-fabric';
const [PAYER, PAYEE] = ['0042', '0099'];
const [FROM, TO] = [`${SYSTEM}:${PAYER}`, `${SYSTEM}:${PAYEE}`];

/** What a token is started with. Accounts that are opened for nothing have nothing. */
export type CashOptions = { readonly certificates: object; readonly accounts: Readonly<Record<string, bigint>> };

/** The cash token on a Fabric network of its own: three countries, whose clients are the executors, and two administrators as issuer and stranger. */
export type CashOnFabric = AsyncDisposable & {
  readonly fabric: TestNetwork;
  readonly people: People;
  /** A connector of one of three executors, at the gateway of the first country unless other addresses of it are given. */
  connect(
    system: { readonly system: string; readonly currency: string; readonly digits: number },
    executor: number,
    ...addresses: readonly string[]
  ): Promise<Connector>;
};

export async function startCash(options: CashOptions): Promise<CashOnFabric> {
  const main = join(import.meta.dirname, '../../systems/domestic-fabric/src/main.ts');
  const fabric = await startTestNetwork(3, { name: 'cash', main, args: ['--issuer', 'country-a'] });
  try {
    const people = peopleOf(fabric);
    await startToken(people, options);
    return {
      fabric,
      people,
      connect: (system, executor, ...addresses) => open(fabric, system, people.executors[executor], addresses),
      [Symbol.asyncDispose]: () => fabric[Symbol.asyncDispose](),
    };
  } catch (error) {
    await fabric[Symbol.asyncDispose]();
    throw error;
  }
}

/** The same for the conformance suite. */
export async function cashSystem(): Promise<ConformanceSystem> {
  const accounts = { [PAYER]: OPENING, [PAYEE]: 0n };
  return systemOn(await startCash({ certificates: certificatesConfig(), accounts }));
}

type Person = {
  readonly identity: string;
  readonly mspId: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Has one request done, at the peer of the first country, as a program that is no connector of ours would. */
  request(content: object): Promise<void>;
};
type People = { readonly executors: readonly Person[]; readonly issuer: Person; readonly stranger: Person };

function systemOn(cash: CashOnFabric): ConformanceSystem {
  const { fabric, people } = cash;
  const { executors, stranger } = people;
  const gateway = firstGateway(fabric);
  const blind = executors[2];
  assert.ok(blind);
  return {
    network: NETWORK,
    system: SYSTEM,
    url: `http://${gateway.address}`,
    connect: (url, executor = 0) =>
      cash.connect({ system: SYSTEM, currency: 'USD', digits: 2 }, executor, new URL(url).host),
    proxy: () => faultyProxy(fabric),
    kill: () => killFirst(fabric),
    start: () => fabric.bringUp(),
    payer: PAYER,
    payee: PAYEE,
    terms: (units) => ({ from: FROM, to: TO, amount: formatAmount(units, 'USD'), currency: 'USD' }),
    opening: OPENING,
    shortReason: 'MONY',
    complete: 'execute',
    wrongTerms: [
      { from: FROM, to: `${SYSTEM}:7777`, amount: '1.00', currency: 'USD' },
      { from: `${SYSTEM}:7777`, to: TO, amount: '1.00', currency: 'USD' },
      { from: TO, to: FROM, amount: '1.00', currency: 'USD' },
      { from: FROM, to: FROM, amount: '1.00', currency: 'USD' },
      { from: FROM, to: TO, amount: '1.005', currency: 'USD' },
      { from: FROM, to: TO, amount: '1', currency: 'JPY' },
      { from: FROM, to: TO },
    ],
    certify,
    quorum: QUORUM,
    closeAsStranger: (verb, hold, certificate) =>
      stranger.request({ type: verb, hold: hashToHex(hold), certificate: membersOf(certificate) }),
    fenceBlindly: (operation, reason) => blind.request({ type: 'fence', operation: hashToHex(operation), reason }),
    [Symbol.asyncDispose]: () => fabric[Symbol.asyncDispose](),
  };
}

async function open(
  fabric: TestNetwork,
  { system, currency, digits }: { readonly system: string; readonly currency: string; readonly digits: number },
  executor: Person | undefined,
  addresses: readonly string[],
): Promise<Connector> {
  assert.ok(executor);
  const { channel, chaincode } = fabric.network;
  const { address: own, name, caFile } = firstGateway(fabric);
  const config = {
    kind: 'fabric',
    channel,
    chaincode,
    mspId: executor.mspId,
    certFile: executor.certFile,
    keyFile: executor.keyFile,
    gateways: (addresses.length > 0 ? addresses : [own]).map((address) => ({ address, name, caFile })),
    currency,
    digits,
    timeoutMs: 5_000,
  };
  const files = createLiveFiles({ now: Date.now });
  const read = await readConnector(system, config, { mode: 'production', at: (file) => file, files });
  if (!read.ok) throw new TypeError(`${read.refusal.message} ${JSON.stringify(read.refusal.problems)}`);
  return read.value();
}

/** A proxy in front of the gateway of the first country. */
export function gatewayProxy(fabric: TestNetwork): Promise<GatewayProxy> {
  const [organisation] = fabric.network.organisations;
  assert.ok(organisation);
  const { peer, publicTlsCa } = networkLayout(fabric.directory).organisation(organisation);
  const { address, name } = firstGateway(fabric);
  const [tlsCa, tlsCertificate, tlsKey] = [publicTlsCa, peer.tlsCertificate, peer.tlsKey].map((file) =>
    readFileSync(file, 'utf8'),
  );
  return startGatewayProxy({
    address,
    name,
    tlsCa: tlsCa ?? '',
    tlsCertificate: tlsCertificate ?? '',
    tlsKey: tlsKey ?? '',
  });
}

/** What is lost or late is the request that has the effect: the submission to the orderers, not the endorsement that comes before it. */
async function faultyProxy(fabric: TestNetwork): Promise<FaultyProxy> {
  const proxy = await gatewayProxy(fabric);
  let mode: FaultyProxy['mode'] = 'pass';
  return {
    url: `http://${proxy.address}`,
    get mode() {
      return mode;
    },
    set mode(next) {
      mode = next;
      proxy.otherwise.Submit = next === 'drop-answers' ? 'deny' : next === 'keep-requests' ? 'keep' : 'pass';
      proxy.otherwise.CommitStatus = next === 'drop-answers' ? 'drop' : 'pass';
    },
    kept: () => proxy.kept(),
    deliver: () => proxy.deliver(),
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

/** The peer that everybody asks and its chaincode, as `kill -9` does. */
async function killFirst({ network, directory }: TestNetwork): Promise<void> {
  const [organisation] = network.organisations;
  assert.ok(organisation);
  const own = networkLayout(directory).organisation(organisation);
  for (const noted of notedProcesses(own).filter(({ name }) => name !== 'orderer')) {
    if (isRunning(noted)) process.kill(noted.pid, 'SIGKILL');
    while (isRunning(noted)) await delay(5);
  }
}

export function firstGateway({ network, directory }: TestNetwork) {
  const [organisation] = network.organisations;
  assert.ok(organisation);
  const caFile = networkLayout(directory).organisation(organisation).publicTlsCa;
  return {
    address: `${organisation.host}:${organisation.ports.peer}`,
    name: `peer.${organisation.id}`,
    caFile,
  };
}

function peopleOf(fabric: TestNetwork): People {
  const layout = networkLayout(fabric.directory);
  const clients = fabric.network.organisations.map((organisation) => {
    const { client } = layout.organisation(organisation);
    return person(fabric, mspId(organisation), client.certificate, client.key);
  });
  const administrators = fabric.network.organisations.map((organisation) => {
    const { admin } = layout.organisation(organisation);
    return person(fabric, mspId(organisation), admin.certificate, admin.key);
  });
  const [issuer, stranger] = administrators;
  assert.ok(issuer && stranger);
  return { executors: clients, issuer, stranger };
}

function person(fabric: TestNetwork, mspId: string, certFile: string, keyFile: string): Person {
  const idBytes = readFileSync(certFile);
  const identity = identityOf({ mspid: mspId, idBytes });
  return {
    identity,
    mspId,
    certFile,
    keyFile,
    async request(content) {
      const { address, name, caFile } = firstGateway(fabric);
      const client = new Client(address, credentials.createSsl(readFileSync(caFile)), {
        'grpc.ssl_target_name_override': name,
      });
      const signer = lowSSigner(readFileSync(keyFile, 'utf8'));
      const gateway = connect({ client, identity: { mspId, credentials: idBytes }, signer, hash: hash.none });
      try {
        const { channel, chaincode } = fabric.network;
        const contract = gateway.getNetwork(channel).getContract(chaincode);
        const transaction = await contract.newProposal('submit', { arguments: [JSON.stringify([content])] }).endorse();
        const answers: unknown = JSON.parse(Buffer.from(transaction.getResult()).toString());
        const [answer]: readonly unknown[] = Array.isArray(answers) ? answers : [];
        if (!isObject(answer) || answer['ok'] !== true) throw new Error(`refused: ${JSON.stringify(answer)}`);
        const { code } = await (await transaction.submit()).getStatus();
        if (code !== StatusCode.VALID) throw new Error(`the transaction was not valid: ${code}`);
      } finally {
        gateway.close();
        client.close();
      }
    },
  };
}

/** All clients are executors, and operators of every account. */
async function startToken({ executors, issuer }: People, { certificates, accounts }: CashOptions): Promise<void> {
  await firstRequest(issuer, { type: 'start', ...certificates });
  for (const { identity } of executors) await issuer.request({ type: 'register-executor', identity });
  for (const [account, amount] of Object.entries(accounts)) {
    await issuer.request({ type: 'open-account', account, owner: issuer.identity });
    if (amount > 0n) await issuer.request({ type: 'issue', account, amount: String(amount) });
    for (const { identity } of executors) await issuer.request({ type: 'authorise', account, operator: identity });
  }
}

/** The peers of a new network must find each other before they endorse. */
async function firstRequest(issuer: Person, content: object): Promise<void> {
  for (const limit = AbortSignal.timeout(30_000); ;) {
    try {
      return await issuer.request(content);
    } catch (error) {
      if (!(error instanceof EndorseError) || limit.aborted) throw error;
      await delay(100);
    }
  }
}

function membersOf(signed: SignedCertificate): object {
  const { certificate, block, path, signatures } = certificateForSystems(signed);
  return { certificate, block, path, signatures };
}
