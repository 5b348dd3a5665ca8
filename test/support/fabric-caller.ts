import { readFileSync } from 'node:fs';
import { lowSSigner } from '@linkspan/keys';
import { openFabricLedger } from '@linkspan/ledger';
import { Fault, type SignedCall } from '@linkspan/protocol';

/** Everything that a program of an organisation needs to submit calls to its own peer: what a CoreAPI's configuration names. */
export type CallerOptions = {
  readonly channel: string;
  readonly chaincode: string;
  readonly mspId: string;
  readonly client: { readonly certFile: string; readonly keyFile: string };
  readonly gateways: readonly { readonly address: string; readonly name: string; readonly caFile: string }[];
  readonly archiveFile: string;
  readonly patienceMs: number;
  readonly calls: readonly SignedCall[];
};

/** What became of them: the results, or the fault's code and message. */
export type CallerAnswer =
  | { readonly results: readonly unknown[] }
  | { readonly code: string; readonly message: string };

// A process of an organisation by itself, so that its clock can be another than the test's: reads its options from standard input, submits, and says what came of it.
const options: CallerOptions = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(await submit(options)));

async function submit({ client, gateways, mspId, calls, ...others }: CallerOptions): Promise<CallerAnswer> {
  await using ledger = await openFabricLedger({
    ...others,
    identity: { mspId, certificate: readFileSync(client.certFile, 'utf8') },
    sign: lowSSigner(readFileSync(client.keyFile, 'utf8')),
    gateways: gateways.map(({ caFile, ...gateway }) => ({ ...gateway, tlsCa: readFileSync(caFile, 'utf8') })),
  });
  try {
    return { results: await ledger.submit(calls) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { code: error.code, message: error.message };
  }
}
