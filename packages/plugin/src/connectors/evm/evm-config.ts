import { checkCurrency, type ErrorCode, type Result } from '@linkspan/protocol';
import { type DocumentReader, readDocument } from '../../document-reader.ts';
import { Secret } from '../../secret.ts';
import type { PollingMs } from './head-watch.ts';
import type { Hex } from './json-rpc.ts';

export type EvmConfig = {
  readonly system: string;
  readonly rpcUrl: string;
  readonly token: Hex;
  readonly currency: string;
  readonly executorPrivateKey: Secret;
  /** Blocks on top of a block before anything in it is final. */
  readonly confirmations: number;
  /** Where the log begins to be of interest; the token's own block, or earlier. */
  readonly firstBlock: number;
  readonly pollingMs: PollingMs;
  readonly stuckMs: number;
  readonly timeoutMs: number;
};

/**
 * `{ kind: "evm", rpcUrl, token, currency, digits, executorPrivateKey, finality: { confirmations }, firstBlock?, pollingMs?: { busy?, idle? },
 * stuckMs?, timeoutMs? }`. `digits` are the token's decimals and must be the currency's own.
 */
export function evmConfig(system: string, value: unknown, code: ErrorCode): Result<EvmConfig> {
  const reader = readDocument(value);
  reader.choice('kind', ['evm']);
  const rpcUrl = reader.text('rpcUrl', { pattern: /^https?:\/\/\S+$/, words: 'an http or https address' });
  const token = hexOf(
    reader.text('token', { pattern: /^0x[0-9a-fA-F]{40}$/, words: 'an address, 0x and 40 hexadecimal digits' }),
  );
  const currency = readCurrency(reader);
  const key = reader.text('executorPrivateKey', {
    pattern: /^0x[0-9a-f]{64}$/,
    words: 'a private key, 0x and 64 hexadecimal digits',
  });
  const confirmations = reader.object('finality').integer('confirmations', { min: 0, max: 1_000 });
  const firstBlock = reader.integer('firstBlock', { min: 0, max: Number.MAX_SAFE_INTEGER, otherwise: 0 });
  const polling = reader.optionalObject('pollingMs');
  const pollingMs = {
    busy: polling?.integer('busy', { min: 1, max: 60_000, otherwise: DEFAULT_POLLING.busy }) ?? DEFAULT_POLLING.busy,
    idle: polling?.integer('idle', { min: 1, max: 60_000, otherwise: DEFAULT_POLLING.idle }) ?? DEFAULT_POLLING.idle,
  };
  const stuckMs = reader.integer('stuckMs', { min: 100, max: 3_600_000, otherwise: 15_000 });
  const timeoutMs = reader.integer('timeoutMs', { min: 100, max: 120_000, otherwise: 10_000 });
  return reader.finish(code, () => {
    const executorPrivateKey = new Secret(key);
    return {
      system,
      rpcUrl,
      token,
      currency,
      executorPrivateKey,
      confirmations,
      firstBlock,
      pollingMs,
      stuckMs,
      timeoutMs,
    };
  });
}

const DEFAULT_POLLING: PollingMs = { busy: 15, idle: 75 };

function readCurrency(reader: DocumentReader): string {
  const code = reader.text('currency');
  const digits = reader.integer('digits', { min: 0, max: 18 });
  const currency = checkCurrency(code);
  if (!currency.ok) reader.fail('currency', currency.message);
  else if (currency.value.digits !== digits) {
    reader.fail(
      'digits',
      `${code} has ${currency.value.digits} decimals, so a token of it must have as many, not ${digits}.`,
    );
  }
  return code;
}

function hexOf(address: string): Hex {
  return `0x${address.slice(2).toLowerCase()}`;
}
