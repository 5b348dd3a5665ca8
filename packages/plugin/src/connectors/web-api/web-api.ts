import { type Hash, hashFromHex, type Terms } from '@linkspan/protocol';
import { NO_OPERATION } from '../../connector.ts';
import type { AssetTable } from './asset-table.ts';
import type { Mapping, TermsMapping } from './mapping.ts';
import { textAt, valueAt } from './template.ts';
import type { WebClient } from './web-client.ts';

/** What the connector's parts share. */
export type WebApi = {
  readonly system: string;
  readonly client: WebClient;
  readonly mapping: Mapping;
  readonly assets: AssetTable;
};

/** The moved amount, the accounts, and the hold where the change is not the hold itself. */
export function termsAt(api: WebApi, body: unknown, at: TermsMapping): Terms {
  const hold = textAt(body, at.hold);
  return {
    from: `${api.system}:${textAt(body, at.from) ?? ''}`,
    to: `${api.system}:${textAt(body, at.to) ?? ''}`,
    ...api.assets.toTerms(textAt(body, at.asset) ?? '', textAt(body, at.amount) ?? ''),
    ...(hold !== undefined && textAt(body, at.verb) !== 'hold' ? { hold: hashFromHex(hold) } : {}),
  };
}

/** A member that must be a list; anything else is a system that does not speak as configured. */
export function listAt(body: unknown, pointer: string): readonly unknown[] {
  const list = valueAt(body, pointer);
  return Array.isArray(list) ? list : [];
}

/** The reason code that the system gave, or NARR where it gave none that is a code. */
export function reasonIn(body: unknown, pointer: string): string {
  const reason = textAt(body, pointer) ?? '';
  return /^[A-Z0-9]{4}$/.test(reason) ? reason : 'NARR';
}

/** An observation of a change that carries no operation id. */
export function idOf(hex: string | undefined): Hash {
  return hex === undefined ? NO_OPERATION : hashFromHex(hex);
}
