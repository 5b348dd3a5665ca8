import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lowSSigner } from '@linkspan/keys';
import { Fault } from '@linkspan/protocol';
import { makeFirstBlock } from './channel-configuration.ts';
import {
  changesIn,
  configIn,
  encodeSignature,
  numberOfBlock,
  signatureHeader,
  updateIn,
  updateEnvelope,
} from './config-update.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import { Administrator } from './lifecycle.ts';
import { type FabricNetwork, type FabricOrganisation, mspId, votersOf } from './network-definition.ts';
import type { NetworkLayout, OrganisationLayout } from './network-layout.ts';
import { orderersOf, peerHeight } from './node-standing.ts';
import { waitUntil } from './node-requests.ts';
import { runProgram } from './run-program.ts';

/** Whoever changes a network from this machine. */
export type NetworkChanger = {
  readonly programs: FabricPrograms;
  readonly layout: NetworkLayout;
  readonly say: (line: string) => void;
};

/** An update (common.ConfigUpdate), and what it does in lines for people. */
export type ProposedUpdate = { readonly update: Uint8Array; readonly changes: readonly string[] };

/**
 * The update that makes the channel's configuration what the network file and the organisations' published certificates say;
 * undefined where it is that already. The configuration is made anew from them and compared, so there is one place that says what a channel should be;
 * what was changed by hand is undone. `by` asks its orderer for the newest configuration.
 */
export async function proposeUpdate(
  { programs, layout }: NetworkChanger,
  network: FabricNetwork,
  by: FabricOrganisation,
): Promise<ProposedUpdate | undefined> {
  return inTemporaryFolder(async (folder) => {
    const file = (name: string): string => join(folder, name);
    const administrator = new Administrator(programs, network, layout, by);
    const [current] = await Promise.all([
      newestConfiguration(administrator),
      makeFirstBlock(programs, network, layout, file('wanted.block'), folder),
    ]);
    writeFileSync(file('current.pb'), configIn(current));
    writeFileSync(file('wanted.pb'), configIn(readFileSync(file('wanted.block'))));
    const files = ['--original', file('current.pb'), '--updated', file('wanted.pb'), '--output', file('update.pb')];
    try {
      await runProgram(programs.configtxlator, ['compute_update', '--channel_id', network.channel, ...files]);
    } catch (error) {
      if (error instanceof Fault && error.message.includes('no differences detected')) return undefined;
      throw error;
    }
    const update = readFileSync(file('update.pb'));
    return { update, changes: changesIn(update, configIn(current)) };
  });
}

/** What an update would change in the channel, in lines for people who are asked to sign it. `by` asks its orderer for the configuration. */
export async function describeUpdate(
  { programs, layout }: NetworkChanger,
  network: FabricNetwork,
  by: FabricOrganisation,
  update: Uint8Array,
): Promise<readonly string[]> {
  const current = await newestConfiguration(new Administrator(programs, network, layout, by));
  return changesIn(update, configIn(current));
}

/** An organisation's signature of an update, by its administrator's key, which stays where it is. */
export async function signUpdate(
  organisation: FabricOrganisation,
  { admin }: OrganisationLayout,
  update: Uint8Array,
): Promise<Uint8Array> {
  const header = signatureHeader(mspId(organisation), readFileSync(admin.certificate), randomBytes(NONCE_LENGTH));
  const sign = lowSSigner(readFileSync(admin.key, 'utf8'));
  return encodeSignature({ header, signature: await sign(Buffer.concat([header, update])) });
}

/**
 * Submits an update with the signatures of enough organisations and waits until every orderer and peer with a vote that runs has taken it over.
 * The newest configuration block is put into the shared folder, for those who join. `by` is whose orderer it goes to.
 */
export async function submitUpdate(
  { programs, layout }: NetworkChanger,
  network: FabricNetwork,
  by: FabricOrganisation,
  update: Uint8Array,
  signatures: readonly Uint8Array[],
): Promise<void> {
  const administrator = new Administrator(programs, network, layout, by);
  const envelope = updateEnvelope(update, signatures);
  let newest = await orderUpdate(administrator, update, envelope);
  // Orderers that change their leader just then may lose it. A second one is refused where the first has been ordered after all.
  newest ??= await orderUpdate(administrator, update, envelope);
  if (!newest)
    throw new Fault('not-ready', 'The orderers took the new configuration of the channel and did not order it.');
  mkdirSync(dirname(layout.newestConfiguration), { recursive: true });
  writeFileSync(layout.newestConfiguration, newest);
  await waitUntilTaken(network, numberOfBlock(newest));
}

/**
 * Makes the channel what the network file says, with the signatures of all organisations whose keys are on this machine. False where
 * nothing had to be done.
 */
export async function updateChannel(
  changer: NetworkChanger,
  network: FabricNetwork,
  by: FabricOrganisation,
  signers: readonly FabricOrganisation[],
): Promise<boolean> {
  const proposed = await proposeUpdate(changer, network, by);
  if (!proposed) return false;
  const { update, changes } = proposed;
  for (const change of changes) changer.say(`  ${change}`);
  const signatures = await Promise.all(
    signers.map((each) => signUpdate(each, changer.layout.organisation(each), update)),
  );
  await submitUpdate(changer, network, by, update, signatures);
  return true;
}

/** Puts the newest configuration block of the channel into the shared folder. */
export async function fetchConfiguration(
  { programs, layout }: NetworkChanger,
  network: FabricNetwork,
  by: FabricOrganisation,
): Promise<void> {
  await new Administrator(programs, network, layout, by).fetchConfiguration(layout.newestConfiguration);
}

const NONCE_LENGTH = 24;

/** Submits an update and gives the configuration block that it made; undefined where none comes. */
async function orderUpdate(
  administrator: Administrator,
  update: Uint8Array,
  envelope: Uint8Array,
): Promise<Uint8Array | undefined> {
  return inTemporaryFolder(async (folder) => {
    const file = join(folder, 'envelope.pb');
    writeFileSync(file, envelope);
    const refused = await submitOrRefused(administrator, file);
    let newest: Uint8Array = new Uint8Array();
    try {
      await waitUntil('The new configuration of the channel', async () => {
        newest = await newestConfiguration(administrator);
        const isThere = Buffer.from(updateIn(newest)).equals(update);
        if (!isThere && refused !== undefined) throw tooFewSigned(refused);
        return isThere;
      });
      return newest;
    } catch (error) {
      if (refused !== undefined || !(error instanceof Fault)) throw error;
      return undefined;
    }
  });
}

async function newestConfiguration(administrator: Administrator): Promise<Buffer> {
  return inTemporaryFolder(async (folder) => {
    const file = join(folder, 'newest.block');
    await administrator.fetchConfiguration(file);
    return readFileSync(file);
  });
}

async function submitOrRefused(administrator: Administrator, file: string): Promise<Fault | undefined> {
  try {
    await administrator.submitUpdate(file);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

function tooFewSigned(refused: Fault): Fault {
  const [, signed, needed] =
    /(\d+) sub-policies were satisfied, .* requires (\d+) of the 'Admins'/.exec(refused.message) ?? [];
  if (signed === undefined || needed === undefined) return refused;
  return new Fault('not-entitled', `${needed} organisations have to sign the update, and ${signed} did.`, {
    cause: refused,
  });
}

/** Nodes that do not answer are passed over: they take it over when they come back. Those without a vote may take their time. */
async function waitUntilTaken(network: FabricNetwork, block: bigint): Promise<void> {
  const { channel } = network;
  const wanted = Number(block) + 1;
  await Promise.all(
    votersOf(network).map((each) =>
      waitUntil(`Block ${block} at the nodes of ${each.id}`, async () => {
        const [[orderer], peer] = await Promise.all([orderersOf([each], channel), peerHeight(each, channel)]);
        return (orderer?.height ?? wanted) >= wanted && (peer ?? wanted) >= wanted;
      }),
    ),
  );
}

async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'linkspan-channel-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
