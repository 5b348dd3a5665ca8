import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as contract from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import { lodgeBody, sampleInstruction, sampleNetwork } from '@linkspan/testkit';
import { ledgerConformance } from '../conformance.ts';
import type { LedgerUnderTest } from '../conformance-host.ts';
import { type EmbeddedLedgerOptions, openEmbeddedLedger } from './open-embedded-ledger.ts';

ledgerConformance('embedded, everything read from disk', () => setUp({ strict: true, cacheEntries: 0 }));
ledgerConformance('embedded, with its cache', () => setUp({}));

async function setUp(options: Partial<EmbeddedLedgerOptions>): Promise<LedgerUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-ledger-'));
  const verify = createVerify({ memoize: 1000 });
  const open = () => openEmbeddedLedger({ directory, contract, verify, now: Date.now, ...options });
  let ledger = await open();
  const sample = sampleNetwork();
  return {
    ledger,
    network: {
      setUp: () => sample.setUp(),
      call: (organisation, body, nonce) => sample.call(organisation, body, nonce),
      system: { id: 'csd', owner: 'csd-b' },
      party: '999900KITABANK00B013',
      lodgers: ['central-bank-a', 'csd-b'],
      lodge: (tradeId, now) => lodgeBody(sampleInstruction(tradeId, now, 3_600_000)),
      toleranceMs: 2000,
    },
    now: Date.now,
    restart: async () => {
      await ledger[Symbol.asyncDispose]();
      return (ledger = await open());
    },
    close: async () => {
      await ledger[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
