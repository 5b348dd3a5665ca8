import { checkCurrency, type Live, type Result, type TlsCredentials } from '@linkspan/protocol';
import { type ConfigurationContext, readSecret, readTlsTowards, readUrl } from '../../configuration.ts';
import { type DocumentReader, readDocument } from '../../document-reader.ts';
import { Secret } from '../../secret.ts';
import type { PollingMs } from './head-watch.ts';
import type { Hex } from './json-rpc.ts';

export type EvmConfig = {
  readonly system: string;
  readonly rpcUrl: string;
  readonly tls: Live<TlsCredentials> | undefined;
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
 * `{ kind: "evm", rpcUrl, tls?: { caFile?, certFile?, keyFile? }, token, currency, digits, executorKeyFile | executorPrivateKey, finality: {
 * confirmations }, firstBlock?, pollingMs?: { busy?, idle? }, stuckMs?, timeoutMs? }`. `digits` are the token's decimals and must be the currency's
 * own. The executor's key is 0x and 64 hexadecimal digits; it is registered with the token, so a new one takes a restart.
 */
export function evmConfig(system: string, value: unknown, context: ConfigurationContext): Result<EvmConfig> {
  const reader = readDocument(value);
  const build = readEvm(system, reader, context);
  return reader.finish('configuration-invalid', build);
}

/** Asks a reader for every member; what it returns makes the configuration where nothing was wrong. */
export function readEvm(system: string, reader: DocumentReader, context: ConfigurationContext): () => EvmConfig {
  reader.choice('kind', ['evm']);
  // A node on the same machine is believed as the machine is; what it is sent is signed.
  const rpcUrl = readUrl(reader, 'rpcUrl', context, { plainOnLoopback: true });
  const tls = readTlsTowards(reader, rpcUrl, context);
  const token = hexOf(
    reader.text('token', { pattern: /^0x[0-9a-fA-F]{40}$/, words: 'an address, 0x and 40 hexadecimal digits' }),
  );
  const currency = readCurrency(reader);
  const key = readExecutorKey(reader, context);
  const confirmations = reader.object('finality').integer('confirmations', { min: 0, max: 1_000 });
  const firstBlock = reader.integer('firstBlock', { min: 0, max: Number.MAX_SAFE_INTEGER, otherwise: 0 });
  const polling = reader.optionalObject('pollingMs');
  const pollingMs = {
    busy: polling?.integer('busy', { min: 1, max: 60_000, otherwise: DEFAULT_POLLING.busy }) ?? DEFAULT_POLLING.busy,
    idle: polling?.integer('idle', { min: 1, max: 60_000, otherwise: DEFAULT_POLLING.idle }) ?? DEFAULT_POLLING.idle,
  };
  const stuckMs = reader.integer('stuckMs', { min: 100, max: 3_600_000, otherwise: 15_000 });
  const timeoutMs = reader.integer('timeoutMs', { min: 100, max: 120_000, otherwise: 10_000 });
  return () => {
    const executorPrivateKey = new Secret(key);
    return {
      system,
      rpcUrl,
      tls,
      token,
      currency,
      executorPrivateKey,
      confirmations,
      firstBlock,
      pollingMs,
      stuckMs,
      timeoutMs,
    };
  };
}

function readExecutorKey(reader: DocumentReader, context: ConfigurationContext): string {
  const key = readSecret(reader, 'executorPrivateKey', 'executorKeyFile', context)?.current() ?? '';
  if (key !== '' && !/^0x[0-9a-f]{64}$/.test(key)) {
    const name = reader.has('executorKeyFile') ? 'executorKeyFile' : 'executorPrivateKey';
    reader.fail(name, `"${name}" must hold a private key, 0x and 64 hexadecimal digits.`);
  }
  return key;
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
