import {
  checkCurrency,
  constant,
  type Live,
  refuse,
  type Result,
  type TlsCredentials,
  type Verb,
  VERBS,
} from '@linkspan/protocol';
import { type ConfigurationContext, readSecret, readTlsTowards, readUrl } from '../../configuration.ts';
import type { DocumentReader } from '../../document-reader.ts';
import { readDocument } from '../../document-reader.ts';
import type { Asset } from './asset-table.ts';
import { DEFAULT_MAPPING, type Mapping, type RequestTemplate } from './mapping.ts';

export type WebApiConfig = {
  readonly system: string;
  readonly baseUrl: string;
  readonly clientId: string;
  readonly tls: Live<TlsCredentials> | undefined;
  readonly clientSecret: Live<string>;
  readonly assets: readonly Asset[];
  readonly mapping: Mapping;
  readonly timeoutMs: number;
};

/**
 * `{ kind: "web-api", baseUrl, tls?: { caFile?, certFile?, keyFile? }, clientId, clientSecretFile | clientSecret, assets: [{ id, kind: "cash" |
 * "securities", currency?, isin? }], timeoutMs?, verbs? }`. `currency` and `isin` are the asset's id where they are left out. `verbs` replaces or
 * adds requests: `{ hold: { method, path, body } }`.
 */
export function webApiConfig(system: string, value: unknown, context: ConfigurationContext): Result<WebApiConfig> {
  if (system === '') return refuse('configuration-invalid', 'The system has no name.');
  const reader = readDocument(value);
  const build = readWebApi(system, reader, context);
  return reader.finish('configuration-invalid', build);
}

/** Asks a reader for every member; what it returns makes the configuration where nothing was wrong. */
export function readWebApi(system: string, reader: DocumentReader, context: ConfigurationContext): () => WebApiConfig {
  reader.choice('kind', ['web-api']);
  const baseUrl = readUrl(reader, 'baseUrl', context);
  const tls = readTlsTowards(reader, baseUrl, context);
  const clientId = reader.text('clientId');
  const clientSecret = readSecret(reader, 'clientSecret', 'clientSecretFile', context) ?? constant('');
  const assets = reader.objects('assets').map(readAsset);
  const timeoutMs = reader.integer('timeoutMs', { min: 100, max: 120_000, otherwise: 10_000 });
  const verbs = reader.has('verbs') ? readVerbs(reader) : {};
  const mapping = { ...DEFAULT_MAPPING, verbs: { ...DEFAULT_MAPPING.verbs, ...verbs } };
  return () => ({ system, baseUrl, tls, clientId, clientSecret, assets, mapping, timeoutMs });
}

function readAsset(reader: DocumentReader): Asset {
  const id = reader.text('id');
  if (reader.choice('kind', ['cash', 'securities']) === 'securities')
    return { id, kind: 'securities', isin: reader.optionalText('isin') ?? id };
  const currency = reader.optionalText('currency') ?? id;
  const known = checkCurrency(currency);
  if (!known.ok) reader.fail('currency', known.message);
  return { id, kind: 'cash', currency };
}

function readVerbs(reader: DocumentReader): Partial<Record<Verb, RequestTemplate>> {
  const verbs: Partial<Record<Verb, RequestTemplate>> = {};
  for (const [name, request] of reader.entries('verbs')) {
    const verb = VERBS.find((one) => one === name);
    const method = request.choice('method', ['POST', 'PUT', 'GET']);
    const path = request.text('path', { pattern: /^\//, words: 'a path' });
    const body = request.optionalObject('body');
    if (!verb) request.fail('', `${name} is no verb.`);
    else verbs[verb] = { method, path, ...(body ? { body: body.allTexts() } : {}) };
  }
  return verbs;
}
