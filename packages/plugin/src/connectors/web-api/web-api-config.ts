import { checkCurrency, type ErrorCode, refuse, type Result, type Verb, VERBS } from '@linkspan/protocol';
import type { DocumentReader } from '../../document-reader.ts';
import { readDocument } from '../../document-reader.ts';
import { Secret } from '../../secret.ts';
import type { Asset } from './asset-table.ts';
import { DEFAULT_MAPPING, type Mapping, type RequestTemplate } from './mapping.ts';

export type WebApiConfig = {
  readonly system: string;
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly assets: readonly Asset[];
  readonly mapping: Mapping;
  readonly timeoutMs: number;
};

const URL_FORM = { pattern: /^https?:\/\/\S+$/, words: 'an http or https address' };

/**
 * `{ kind: "web-api", baseUrl, clientId, clientSecret, assets: [{ id, kind: "cash" | "securities", currency?, isin? }], timeoutMs?, verbs? }`.
 * `currency` and `isin` are the asset's id where they are left out. `verbs` replaces or adds requests: `{ hold: { method, path, body } }`.
 */
export function webApiConfig(system: string, value: unknown, code: ErrorCode): Result<WebApiConfig> {
  const reader = readDocument(value);
  reader.choice('kind', ['web-api']);
  const baseUrl = reader.text('baseUrl', URL_FORM);
  const clientId = reader.text('clientId');
  const clientSecret = new Secret(reader.text('clientSecret'));
  const assets = reader.objects('assets').map(readAsset);
  const timeoutMs = reader.integer('timeoutMs', { min: 100, max: 120_000, otherwise: 10_000 });
  const verbs = reader.has('verbs') ? readVerbs(reader) : {};
  const mapping = { ...DEFAULT_MAPPING, verbs: { ...DEFAULT_MAPPING.verbs, ...verbs } };
  if (system === '') return refuse(code, 'The system has no name.');
  return reader.finish(code, () => ({ system, baseUrl, clientId, clientSecret, assets, mapping, timeoutMs }));
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
