import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRecord } from './schema-values.ts';

/** Right documents of every kind, from the vectors, the samples and the local network. */
export type Seeds = Readonly<
  Record<
    'instructions' | 'scenarios' | 'samples' | 'envelopes' | 'evidence' | 'network' | 'wire' | 'connectors',
    readonly unknown[]
  >
> & { readonly domestic: unknown };

export function readSeeds(): Seeds {
  const envelopes = ['calls', 'certificates', 'statements', 'merkle'].flatMap((name) =>
    objectsIn(document(`test/vectors/envelopes/${name}.json`)),
  );
  const [hash, other] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
  const operation = {
    id: hash,
    network: hash,
    settlement: other,
    system: 'rtgs',
    verb: 'hold',
    terms: { from: 'rtgs:1', to: 'rtgs:2', amount: '3', currency: 'JPY' },
  };
  return {
    instructions: objectsIn(document('test/vectors/instructions/dvp.json')),
    scenarios: ['dvp-buyer-overseas', 'dvp-buyer-overseas-report'].map((name) =>
      document(`scenarios/${name}/scenario.json`),
    ),
    samples: readdirSync(join(root, 'deploy/samples')).map((name) =>
      document(`deploy/samples/${name}/instruction.json`),
    ),
    envelopes,
    evidence: ['settled', 'rejected'].map((name) => document(`test/vectors/audit/valid/${name}.json`)),
    network: [document('deploy/local/network.json')],
    wire: [
      { operation, waitMs: 5 },
      { operation, waitMs: 5, reason: 'TIMO' },
    ],
    connectors: [
      {
        kind: 'web-api',
        baseUrl: 'http://127.0.0.1:1',
        clientId: 'c',
        clientSecret: 's',
        assets: [{ id: 'JPY', kind: 'cash' }],
        verbs: { hold: { method: 'POST', path: '/h/{operation}', body: { a: '{amount}' } } },
      },
      {
        kind: 'evm',
        rpcUrl: 'http://127.0.0.1:1',
        token: `0x${'a'.repeat(40)}`,
        currency: 'USD',
        digits: 2,
        executorPrivateKey: `0x${'1'.repeat(64)}`,
        finality: { confirmations: 1 },
      },
    ],
    domestic: {
      name: 'rtgs',
      port: 0,
      dataDir: '/nowhere',
      certificates: { network: `0x${'1'.repeat(64)}`, epoch: 1, quorum: 1, signers: [`0x${'2'.repeat(40)}`] },
      clients: [{ id: 'executor', secret: 'secret', roles: ['executor'] }],
      assets: [{ id: 'JPY', kind: 'cash', digits: 0 }],
      accounts: [{ id: '0042', name: 'Kita Bank', operators: ['executor'], positions: { JPY: '1000' } }],
    },
  };
}

const root = resolve(import.meta.dirname, '../..');

function document(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

/** The objects of a file of vectors down to its third level, so that whatever a parser takes is among them. */
function objectsIn(value: unknown, depth = 0): unknown[] {
  if (typeof value !== 'object' || value === null || depth > 3) return [];
  const below = Object.values(value)
    .slice(0, 30)
    .flatMap((each) => objectsIn(each, depth + 1));
  return isRecord(value) && depth > 0 ? [value, ...below] : below;
}
