/**
 * The one table of refusals and faults: what people read, the HTTP status, whether trying again may help, and the exit code of the
 * command line. The reference page is generated from it, and a test holds code, page and types together.
 */
export type ErrorRow = {
  readonly title: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly exit: number;
};

/** Exit codes of the command line: 1 internal, 2 usage, 3 refused, 4 not found, 5 not allowed, 6 try again, 7 conflict, 8 not proved. */
export const ERRORS = {
  // Requests
  'http-malformed': { title: 'This is no HTTP request', status: 400, retryable: false, exit: 2 },
  'request-timeout': { title: 'The rest of the request did not come in time', status: 408, retryable: true, exit: 6 },
  'json-malformed': { title: 'The body is not JSON', status: 400, retryable: false, exit: 2 },
  'request-invalid': { title: 'The request does not have the documented form', status: 422, retryable: false, exit: 2 },
  'body-too-large': { title: 'The body is larger than allowed', status: 413, retryable: false, exit: 2 },
  'media-type-unsupported': {
    title: 'The body is of a type that is not taken here',
    status: 415,
    retryable: false,
    exit: 2,
  },
  'token-missing': { title: 'An access token is needed', status: 401, retryable: false, exit: 5 },
  'token-invalid': { title: 'The access token is not accepted', status: 401, retryable: false, exit: 5 },
  'scope-missing': { title: 'The access token does not permit this', status: 403, retryable: false, exit: 5 },
  'not-found': { title: 'There is no such resource', status: 404, retryable: false, exit: 4 },
  'method-not-allowed': { title: 'The resource does not know this method', status: 405, retryable: false, exit: 2 },
  'too-many-requests': {
    title: 'This client asks more than is allowed at once',
    status: 429,
    retryable: true,
    exit: 6,
  },
  'idempotency-key-missing': { title: 'The header Idempotency-Key is missing', status: 400, retryable: false, exit: 2 },
  'idempotency-key-reused': {
    title: 'The Idempotency-Key was used with another body',
    status: 422,
    retryable: false,
    exit: 7,
  },
  'request-in-progress': { title: 'The same request is still under way', status: 409, retryable: true, exit: 6 },
  ambiguous: { title: 'More than one settlement has this trade id', status: 409, retryable: false, exit: 4 },
  internal: { title: 'Something broke inside; the fault is logged', status: 500, retryable: true, exit: 1 },
  // Faults of the surroundings
  'not-ready': { title: 'Something that is needed to settle is missing', status: 503, retryable: true, exit: 6 },
  'ledger-unavailable': { title: 'The ledger gave no answer', status: 503, retryable: true, exit: 6 },
  'storage-unavailable': { title: 'The storage cannot be written', status: 503, retryable: true, exit: 6 },
  'storage-corrupt': { title: 'The stored ledger does not hold together', status: 503, retryable: false, exit: 1 },
  'system-unavailable': { title: 'A connected system gave no answer', status: 503, retryable: true, exit: 6 },
  'validator-unavailable': { title: 'Too few validators gave an answer', status: 503, retryable: true, exit: 6 },
  'issuer-unavailable': { title: 'The issuer of access tokens gave no answer', status: 503, retryable: true, exit: 6 },
  'peer-unavailable': { title: 'Another organisation gave no answer', status: 503, retryable: true, exit: 6 },
  'configuration-invalid': { title: 'The configuration cannot be used', status: 500, retryable: false, exit: 2 },
  // Calls to the contract
  'call-invalid': { title: 'The call does not have the documented form', status: 422, retryable: false, exit: 2 },
  'call-broken': {
    title: 'The call broke a rule of the contract itself and was rolled back',
    status: 500,
    retryable: false,
    exit: 1,
  },
  'network-mismatch': { title: 'It was made for another network', status: 409, retryable: false, exit: 3 },
  'signature-invalid': { title: 'The signature does not fit what it signs', status: 403, retryable: false, exit: 5 },
  'key-unknown': { title: 'The key is not registered', status: 403, retryable: false, exit: 5 },
  'not-entitled': { title: 'This organisation may not do that', status: 403, retryable: false, exit: 5 },
  'already-registered': { title: 'It is registered with other content', status: 409, retryable: false, exit: 7 },
  'not-registered': { title: 'It is not registered', status: 404, retryable: false, exit: 4 },
  'record-invalid': { title: 'The registration cannot be accepted', status: 422, retryable: false, exit: 3 },
  'quorum-invalid': {
    title: 'The quorum does not fit the number of organisations',
    status: 422,
    retryable: false,
    exit: 3,
  },
  // Changes of the network
  'change-outdated': {
    title: 'The change was proposed in another epoch; it must be proposed again',
    status: 409,
    retryable: false,
    exit: 7,
  },
  'epoch-announced': {
    title: 'Another epoch is announced and must begin first',
    status: 409,
    retryable: true,
    exit: 6,
  },
  'epoch-not-announced': { title: 'No such epoch is announced', status: 409, retryable: false, exit: 7 },
  'epoch-seal-invalid': {
    title: 'The approval lacks a right signature over the epoch that the change makes',
    status: 403,
    retryable: false,
    exit: 5,
  },
  'key-used': { title: 'The key is or was somebody’s already', status: 409, retryable: false, exit: 7 },
  'key-revoked': { title: 'The key was revoked', status: 403, retryable: false, exit: 5 },
  'organisation-removed': {
    title: 'The organisation is no longer a member of the network',
    status: 403,
    retryable: false,
    exit: 5,
  },
  'quorum-lost': {
    title: 'Too few keys would be left to ever make a quorum',
    status: 409,
    retryable: false,
    exit: 3,
  },
  // Scenarios
  'scenario-invalid': { title: 'The scenario document cannot be accepted', status: 422, retryable: false, exit: 3 },
  'scenario-not-approved': {
    title: 'The scenario is not approved by every organisation it needs',
    status: 409,
    retryable: false,
    exit: 3,
  },
  // Instructions and settlements
  'instruction-invalid': { title: 'The instruction cannot be accepted', status: 422, retryable: false, exit: 3 },
  'trade-id-used': { title: 'The trade id is used', status: 409, retryable: false, exit: 7 },
  'illegal-edge': {
    title: 'The settlement is in a state where that cannot happen',
    status: 409,
    retryable: false,
    exit: 7,
  },
  irrevocable: { title: 'The settlement can no longer be cancelled', status: 409, retryable: false, exit: 7 },
  'deadline-passed': { title: 'The deadline has passed', status: 409, retryable: false, exit: 3 },
  'deadline-not-passed': { title: 'The deadline has not passed', status: 409, retryable: true, exit: 6 },
  'nothing-overdue': { title: 'Nothing is unanswered beyond its limit', status: 409, retryable: true, exit: 6 },
  'already-recorded': { title: 'It is recorded already', status: 409, retryable: false, exit: 7 },
  // Statements and certificates
  'statement-signature-invalid': {
    title: 'A validator signature does not fit the statement',
    status: 403,
    retryable: false,
    exit: 5,
  },
  'statement-key-unknown': {
    title: 'The statement is signed by a key that is no validator of the system',
    status: 403,
    retryable: false,
    exit: 5,
  },
  'statement-key-suspended': {
    title: 'The statement is signed by a suspended validator key',
    status: 403,
    retryable: false,
    exit: 5,
  },
  'statement-too-few': {
    title: 'The statement is signed by too few validators',
    status: 403,
    retryable: true,
    exit: 6,
  },
  'statement-other-network': { title: 'The statement is for another network', status: 409, retryable: false, exit: 3 },
  'statement-other-settlement': {
    title: 'The statement is for another settlement',
    status: 409,
    retryable: false,
    exit: 3,
  },
  'statement-other-operation': {
    title: 'The statement is for an operation that was not requested',
    status: 409,
    retryable: true,
    exit: 3,
  },
  'statement-other-system': { title: 'The statement is for another system', status: 409, retryable: false, exit: 3 },
  'statements-agree': { title: 'The statements do not contradict each other', status: 409, retryable: false, exit: 3 },
  'certificate-unknown': {
    title: 'The ledger has no decision that calls for this certificate',
    status: 409,
    retryable: true,
    exit: 3,
  },
  'certificate-key-unknown': {
    title: 'The certificate is signed by a key that is no organisation of this epoch',
    status: 403,
    retryable: false,
    exit: 5,
  },
  'certificate-epoch-ended': {
    title: 'The certificate is of an epoch that has ended or not begun',
    status: 409,
    retryable: false,
    exit: 7,
  },
  'certificate-signature-invalid': {
    title: 'A signature does not fit the certificate',
    status: 403,
    retryable: false,
    exit: 5,
  },
  'certificate-missing': { title: 'The certificate is missing', status: 403, retryable: false, exit: 5 },
  'certificate-refused': {
    title: 'The system does not accept the certificate',
    status: 403,
    retryable: false,
    exit: 5,
  },
  // Evidence
  'evidence-refused': { title: 'Something in the evidence does not hold', status: 422, retryable: false, exit: 3 },
  'evidence-incomplete': {
    title: 'The evidence holds, and something is still missing',
    status: 409,
    retryable: true,
    exit: 6,
  },
  'evidence-unanchored': {
    title: 'The file agrees with itself; nothing here shows of which network it is',
    status: 409,
    retryable: false,
    exit: 8,
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * Problems inside one request, each at a place in it, with the ISO 20022 status reason where the standard has one.
 * A refusal lists all of them at once.
 */
export const PROBLEMS = {
  missing: { title: 'A required member is missing', iso: 'NARR' },
  'member-unknown': { title: 'The member is not part of the format', iso: 'NARR' },
  'type-wrong': { title: 'The value has the wrong type or form', iso: 'NARR' },
  'value-not-allowed': { title: 'The value is not one of those allowed', iso: 'NARR' },
  'out-of-range': { title: 'The number is outside its range', iso: 'NARR' },
  'too-long': { title: 'The value is too long', iso: 'NARR' },
  'isin-malformed': { title: 'The ISIN has not the form of one', iso: 'DSEC' },
  'isin-country': { title: 'The ISIN begins with no country code', iso: 'DSEC' },
  'isin-check-digit': { title: 'The check digit of the ISIN is wrong', iso: 'DSEC' },
  'instrument-unknown': { title: 'The instrument is not registered', iso: 'DSEC' },
  'unit-wrong': { title: 'The instrument is counted in another unit', iso: 'DQUA' },
  'quantity-malformed': { title: 'The quantity is not a positive whole number', iso: 'DQUA' },
  'lei-malformed': { title: 'The LEI has not the form of one', iso: 'IEXE' },
  'lei-check-digits': { title: 'The check digits of the LEI are wrong', iso: 'IEXE' },
  'bic-malformed': { title: 'The BIC has not the form of one', iso: 'ICAG' },
  'bic-country': { title: 'The BIC names no country', iso: 'ICAG' },
  'party-unknown': { title: 'The party is not registered', iso: 'IEXE' },
  'party-differs': { title: 'The party is registered with other particulars', iso: 'IEXE' },
  'account-malformed': { title: 'The account has not the form SYSTEM:account', iso: 'CASH' },
  'account-unknown': { title: 'The account is not registered', iso: 'CASH' },
  'account-of-another-party': { title: 'The account is registered for another party', iso: 'CASH' },
  'account-system-differs': { title: 'The accounts of one leg are in different systems', iso: 'CASH' },
  'account-asset-differs': { title: 'The account cannot hold what the leg moves', iso: 'CASH' },
  'safekeeping-account-unknown': { title: 'The safekeeping account is not registered', iso: 'SAFE' },
  'system-unknown': { title: 'The system is not registered', iso: 'RTGS' },
  'promise-missing': { title: 'The system does not promise what the scenario demands', iso: 'RTGS' },
  'currency-unknown': { title: 'The currency is not in ISO 4217', iso: 'NCRR' },
  'amount-malformed': { title: 'The amount is not a decimal number', iso: 'DMON' },
  'amount-too-precise': { title: 'The amount has more digits than the currency', iso: 'NCRR' },
  'amount-not-positive': { title: 'The amount is not greater than zero', iso: 'DMON' },
  'rate-malformed': { title: 'The rate is not a positive decimal number', iso: 'DMON' },
  'rate-currencies': { title: 'The rate is between other currencies than the amounts', iso: 'NCRR' },
  'rate-disagrees': { title: 'The amounts do not agree under the rate', iso: 'DMON' },
  'rate-expired': { title: 'The rate is no longer valid', iso: 'DMON' },
  'instant-malformed': { title: 'The instant is not RFC 3339 with an offset', iso: 'DDAT' },
  'date-malformed': { title: 'The date is not a calendar date', iso: 'DDAT' },
  'date-disagrees': { title: 'The settlement date is not the date of the deadline', iso: 'DDAT' },
  'deadline-passed': { title: 'The deadline has passed', iso: 'LATE' },
  'deadline-infeasible': { title: 'The deadline lies outside the windows of a system', iso: 'DDAT' },
  'scenario-unknown': { title: 'The scenario is not registered', iso: 'NARR' },
  'scenario-not-approved': { title: 'The scenario is not approved', iso: 'NARR' },
  'scenario-retired': { title: 'The scenario is retired', iso: 'NARR' },
  'scenario-takes-another-schema': { title: 'The scenario takes another kind of instruction', iso: 'NARR' },
  'trade-id-used': { title: 'The trade id is used', iso: 'REFE' },
  'reference-unknown': { title: 'The reference leads nowhere', iso: 'NARR' },
  'rule-broken': { title: 'A rule of the scenario language is broken', iso: 'NARR' },
  'limit-exceeded': { title: 'A limit is exceeded', iso: 'NARR' },
} as const satisfies Record<string, { readonly title: string; readonly iso: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/**
 * Reasons that a system stores with a refusal or a fence, as ISO 20022 status reasons, in words for people.
 * Unknown codes are shown as they are.
 */
export const REASONS: Readonly<Record<string, string>> = {
  MONY: 'not enough cash',
  LACK: 'not enough securities',
  BLOC: 'the account is blocked',
  AC01: 'the account does not exist',
  LATE: 'too late',
  TIMO: 'no answer before the deadline',
  DUPL: 'the id was used with other content',
  CANI: 'cancelled by the instructing side',
  ABRT: 'the settlement was aborted',
  NARR: 'refused by the system',
};
