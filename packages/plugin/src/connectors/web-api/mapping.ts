import type { Verb } from '@linkspan/protocol';

/** A JSON pointer (RFC 6901) into an answer of the system. */
export type Pointer = string;

/**
 * A request as data. `{name}` stands for a value of the operation: operation, settlement, hold (32 bytes, `0x`), from, to (the system's own account
 * names), asset, amount (minor units or pieces), trade (a business reference), filter, await (an object: filter, trade, from, to), reason,
 * certificate (an object), after, waitMs. A body member whose value is absent is left out.
 */
export type RequestTemplate = {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: Readonly<Record<string, string>>;
};

/** Where an answer or event says what was moved. */
export type TermsMapping = {
  readonly from: Pointer;
  readonly to: Pointer;
  readonly asset: Pointer;
  readonly amount: Pointer;
  readonly hold: Pointer;
  readonly settlement: Pointer;
  /** The system's name of the verb, translated by `verbs`. */
  readonly verb: Pointer;
  /** The booking, which names the transaction. */
  readonly booking: Pointer;
};

/** Where an answer says what happened under a business key. */
export type AwaitedMapping = {
  readonly filter: Pointer;
  readonly trade: Pointer;
  readonly count: Pointer;
  /** The other leg of a delivery versus payment. */
  readonly cashFrom: Pointer;
  readonly cashTo: Pointer;
  readonly cashAsset: Pointer;
  readonly cashAmount: Pointer;
};

/** How one system's Web API says what every system says. All of it is configuration; nothing about a particular system is in the code. */
export type Mapping = {
  /** Client credentials (RFC 6749 4.4) with HTTP Basic, form body. */
  readonly token: { readonly path: string };
  readonly verbs: Readonly<Partial<Record<Verb, RequestTemplate>>>;
  readonly lookup: {
    readonly request: RequestTemplate;
    readonly status: Pointer;
    readonly effective: string;
    readonly dead: string;
    readonly reason: Pointer;
    readonly terms: TermsMapping;
  };
  /** The state of a hold, which counts when a stranger closed it. */
  readonly hold: { readonly request: RequestTemplate; readonly terms: TermsMapping };
  readonly fence: RequestTemplate;
  /** Events that happen by themselves: found, withdrawn, and by filter let happen under `proceed` where the system waits for it. */
  readonly awaited: {
    readonly lookup: RequestTemplate;
    readonly fence: RequestTemplate;
    readonly attempts: Readonly<Record<string, RequestTemplate>>;
    readonly terms: AwaitedMapping;
  };
  /** Codes of refusals that say that the certificate is not accepted begin with `certificatePrefix`. */
  readonly refusal: {
    readonly code: Pointer;
    readonly reason: Pointer;
    readonly message: Pointer;
    readonly certificatePrefix: string;
    /** The code for a hold that is closed already. */
    readonly closed: string;
    /** Where such a refusal names the verb that closed it. */
    readonly closedBy: Pointer;
  };
  readonly events: {
    readonly request: RequestTemplate;
    readonly list: Pointer;
    readonly next: Pointer;
    /** What a request with a cursor beyond the end says about the end. */
    readonly newest: Pointer;
    readonly sequence: Pointer;
    readonly operation: Pointer;
    readonly reason: Pointer;
    /** The type of event that kills an id; effects have the type of their verb. */
    readonly dead: string;
    readonly terms: TermsMapping;
  };
  readonly accounts: {
    readonly request: RequestTemplate;
    readonly list: Pointer;
    readonly account: Pointer;
    readonly positions: Pointer;
    readonly asset: Pointer;
    readonly balance: Pointer;
    readonly held: Pointer;
  };
};

const TERMS: TermsMapping = {
  from: '/from',
  to: '/to',
  asset: '/asset',
  amount: '/amount',
  hold: '/hold',
  settlement: '/settlement',
  verb: '/verb',
  booking: '/booking',
};

const CLOSING = { operation: '{operation}', certificate: '{certificate}' };

/** A bookkeeping system with holds, as the stand-ins offer it. */
export const DEFAULT_MAPPING: Mapping = {
  token: { path: '/oauth/token' },
  verbs: {
    hold: {
      method: 'POST',
      path: '/holds',
      body: {
        id: '{operation}',
        settlement: '{settlement}',
        from: '{from}',
        to: '{to}',
        asset: '{asset}',
        amount: '{amount}',
      },
    },
    execute: { method: 'POST', path: '/holds/{hold}/execute', body: CLOSING },
    deliver: { method: 'POST', path: '/holds/{hold}/deliver', body: CLOSING },
    release: { method: 'POST', path: '/holds/{hold}/release', body: CLOSING },
  },
  lookup: {
    request: { method: 'GET', path: '/operations/{operation}' },
    status: '/status',
    effective: 'effective',
    dead: 'dead',
    reason: '/reason',
    terms: TERMS,
  },
  hold: {
    request: { method: 'GET', path: '/holds/{hold}' },
    terms: { ...TERMS, hold: '/id', verb: '/closing/verb', booking: '/closing/booking' },
  },
  fence: {
    method: 'POST',
    path: '/operations/{operation}/fence',
    body: { reason: '{reason}', certificate: '{certificate}' },
  },
  awaited: {
    lookup: {
      method: 'GET',
      path: '/awaited/{operation}?filter={filter}&trade={trade}&from={from}&to={to}',
    },
    fence: {
      method: 'POST',
      path: '/operations/{operation}/fence',
      body: { reason: '{reason}', certificate: '{certificate}', await: '{await}' },
    },
    attempts: {
      dvp: {
        method: 'POST',
        path: '/dvp/try',
        body: {
          operation: '{operation}',
          settlement: '{settlement}',
          trade: '{trade}',
          from: '{from}',
          to: '{to}',
          certificate: '{certificate}',
        },
      },
    },
    terms: {
      filter: '/filter',
      trade: '/trade',
      count: '/count',
      cashFrom: '/cash/from',
      cashTo: '/cash/to',
      cashAsset: '/cash/asset',
      cashAmount: '/cash/amount',
    },
  },
  refusal: {
    code: '/code',
    reason: '/reason',
    message: '/detail',
    certificatePrefix: 'certificate-',
    closed: 'hold-closed',
    closedBy: '/closedBy',
  },
  events: {
    request: { method: 'GET', path: '/events?after={after}&limit=500&waitMs={waitMs}' },
    list: '/events',
    next: '/next',
    newest: '/newest',
    sequence: '/sequence',
    operation: '/operation',
    reason: '/reason',
    dead: 'fence',
    terms: { ...TERMS, verb: '/type' },
  },
  accounts: {
    request: { method: 'GET', path: '/accounts' },
    list: '/accounts',
    account: '/id',
    positions: '/positions',
    asset: '/asset',
    balance: '/balance',
    held: '/held',
  },
};
