import { type Hash, hashFromHex, type Terms } from '@linkspan/protocol';
import { NO_OPERATION, type Submission } from '../../connector.ts';
import type { AssetTable } from './asset-table.ts';
import type { Mapping, TermsMapping } from './mapping.ts';
import { textAt, valueAt } from './template.ts';
import type { WebAnswer, WebClient } from './web-client.ts';

/** What the connector's parts share. */
export type WebApi = {
  readonly system: string;
  readonly client: WebClient;
  readonly mapping: Mapping;
  readonly assets: AssetTable;
};

/** What happened under a business key; of a delivery versus payment both legs. One event is counted as one where the system counts none. */
export function awaitedTermsAt(api: WebApi, body: unknown, at: TermsMapping): Terms {
  const { filter, trade, count, cashFrom, cashTo, cashAsset, cashAmount } = api.mapping.awaited.terms;
  const payer = textAt(body, cashFrom);
  return {
    filter: textAt(body, filter) ?? '',
    count: textAt(body, count) ?? '1',
    trade: textAt(body, trade) ?? '',
    from: `${api.system}:${textAt(body, at.from) ?? ''}`,
    to: `${api.system}:${textAt(body, at.to) ?? ''}`,
    ...api.assets.toTerms(textAt(body, at.asset) ?? '', textAt(body, at.amount) ?? ''),
    ...(payer === undefined
      ? {}
      : {
          cashFrom: `${api.system}:${payer}`,
          cashTo: `${api.system}:${textAt(body, cashTo) ?? ''}`,
          ...api.assets.toTerms(textAt(body, cashAsset) ?? '', textAt(body, cashAmount) ?? ''),
        }),
  };
}

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

/** A refusal as the system words it. */
export function refusalIn(api: WebApi, { status, body }: WebAnswer): Submission {
  const { code, reason, message, certificatePrefix } = api.mapping.refusal;
  const words = (textAt(body, message) ?? `${api.system} answered HTTP ${status}.`).slice(0, 500).toWellFormed();
  const refusal = { status: 'refused', reason: reasonIn(body, reason), message: words } as const;
  return (textAt(body, code) ?? '').startsWith(certificatePrefix) ? { ...refusal, about: 'certificate' } : refusal;
}
