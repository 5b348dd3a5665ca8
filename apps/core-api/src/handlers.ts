import type { Coordinator } from '@linkspan/coordinator';
import type { Archive, Ledger } from '@linkspan/ledger';
import {
  accept,
  ENDPOINTS,
  type EndpointName,
  invariant,
  type Json,
  parse,
  parseInstant,
  type Result,
  systemCertificate,
} from '@linkspan/protocol';
import { operationNames } from '@linkspan/scenario';
import { readBalances, type SystemReader } from './balances.ts';
import { entryBody, settlementBody, summaryBody } from './bodies.ts';
import { accountsIn, type Directory } from './directory.ts';
import { docsPage } from './docs-page.ts';
import { collectEvidence, listPeriod } from './evidence.ts';
import { findSettlement } from './find-settlement.ts';
import type { Lodging } from './lodge-instruction.ts';
import type { Measurements } from './measurements.ts';
import { openApiDocument } from './openapi.ts';
import type { Action, OperatorCalls } from './operator-calls.ts';
import type { NetworkChanges } from './network-changes.ts';
import type { Readiness } from './readiness.ts';
import { scenarioBody, scenariosBody, systemsBody } from './register-bodies.ts';
import type { Sender } from './requests.ts';

/** What one organisation's API is made of. */
export type Services = {
  readonly organisation: string;
  readonly ledger: Ledger;
  readonly archive: Archive;
  readonly directory: Directory;
  readonly lodging: Lodging;
  readonly calls: OperatorCalls;
  readonly changes: NetworkChanges;
  readonly coordinator: Pick<Coordinator, 'receiveShares' | 'receiveStatements' | 'shares' | 'certificates'>;
  readonly readiness: Readiness;
  readonly measurements: Pick<Measurements, 'text' | 'answered'>;
  /** The systems of this organisation. */
  readonly systems: readonly SystemReader[];
};

/** A request as handlers see it: of who sends it everything is known, of what it says nothing is checked yet. `id` is the one in the path. */
export type ApiRequest = {
  readonly id: string;
  readonly query: unknown;
  readonly body: Json;
  /** Undefined where the endpoint asks for no access token. */
  readonly sender: Sender | undefined;
};
export type ApiAnswer = { readonly body: object | string; readonly location?: string };
export type Handler = (request: ApiRequest) => Promise<Result<ApiAnswer>>;

/** Every endpoint that gives one answer. */
export type Handlers = Readonly<Record<Exclude<EndpointName, 'events'>, Handler>>;

export function createHandlers(services: Services): Handlers {
  return {
    lodge: (request) => lodge(services, request),
    settlements: (request) => listSettlements(services, request),
    retract: (request) => act(services, request, { type: 'retract' }),
    cancel: (request) => act(services, request, { type: 'cancel' }),
    resolve: async (request) => {
      const said = parse(ENDPOINTS.resolve.body, request.body, 'request-invalid');
      return said.ok ? act(services, request, { type: 'resolve', ...said.value }) : said;
    },
    register: async (request) => {
      const registration = parse(ENDPOINTS.register.body, request.body, 'request-invalid');
      if (!registration.ok) return registration;
      return answered(await services.calls.register(senderOf(request), registration.value));
    },
    systems: async () => accept({ body: systemsBody(await services.directory.known({ current: true })) }),
    scenarios: async () => accept({ body: scenariosBody(await services.directory.known({ current: true })) }),
    scenario: async ({ id }) => {
      const body = scenarioBody(await services.directory.known({ current: true }), id);
      return body.ok ? accept({ body: body.value }) : body;
    },
    settlement: (request) => showSettlement(services, request),
    history: (request) => showHistory(services, request),
    certificates: (request) => showCertificates(services, request),
    evidence: (request) => showEvidence(services, request),
    'evidence-period': async ({ query }) => {
      const page = await listPeriod(services.archive, query);
      return page.ok ? accept({ body: page.value }) : page;
    },
    balances: async () => {
      const known = await services.directory.known();
      return accept({ body: await readBalances(services.systems, known, READING_TIMEOUT_MS) });
    },
    network: async () => {
      const { network, epoch, genesis, register, members } = await services.directory.known({ current: true });
      const { organisations, current, announced, revoked, removed } = members;
      const now = { organisations, quorum: current.quorum, announced: announced?.epoch ?? null, revoked, removed };
      return accept({ body: { id: network, epoch, genesis, ...now, ...register } });
    },
    changes: async () => accept({ body: await services.changes.list() }),
    epochs: async () => accept({ body: await services.changes.epochs() }),
    'propose-change': async (request) => {
      const proposed = parse(ENDPOINTS['propose-change'].body, request.body, 'request-invalid');
      return proposed.ok
        ? answered(await services.changes.propose(senderOf(request), proposed.value.change))
        : proposed;
    },
    'approve-change': async (request) => answered(await services.changes.approve(senderOf(request), request.id)),
    'confirm-epoch': async (request) => answered(await services.changes.confirm(senderOf(request), request.id)),
    health: () => showHealth(services),
    readiness: async () => {
      const answer = await services.readiness();
      return answer.ok ? accept({ body: answer.value }) : answer;
    },
    metrics: async () => accept({ body: await services.measurements.text() }),
    openapi: async () => accept({ body: openApiDocument() }),
    docs: async () => accept({ body: docsPage() }),
    'send-shares': async ({ body }) => {
      const sent = parse(ENDPOINTS['send-shares'].body, body, 'request-invalid');
      if (!sent.ok) return sent;
      services.coordinator.receiveShares(sent.value.proposal, sent.value.shares);
      return accept({ body: { received: sent.value.shares.length } });
    },
    'ask-shares': async ({ body }) => {
      const asked = parse(ENDPOINTS['ask-shares'].body, body, 'request-invalid');
      if (!asked.ok) return asked;
      return accept({ body: { shares: await services.coordinator.shares(asked.value.proposal) } });
    },
    'send-statements': async ({ body }) => {
      const sent = parse(ENDPOINTS['send-statements'].body, body, 'request-invalid');
      if (!sent.ok) return sent;
      services.coordinator.receiveStatements(sent.value.proposal, sent.value.statements);
      return accept({ body: { received: sent.value.statements.length } });
    },
  };
}

const READING_TIMEOUT_MS = 5_000;
const DEFAULT_PAGE = 50;
const MAXIMUM_PAGE = 500;

/** Whoever changes something was asked for an access token. */
function senderOf({ sender }: ApiRequest): Sender {
  invariant(sender, 'an endpoint that changes something has a scope');
  return sender;
}

async function lodge({ lodging }: Services, request: ApiRequest): Promise<Result<ApiAnswer>> {
  const lodged = await lodging(senderOf(request), request.body);
  return lodged.ok ? accept({ body: lodged.value, location: `/settlements/${lodged.value.id}` }) : lodged;
}

async function act({ calls }: Services, request: ApiRequest, action: Action): Promise<Result<ApiAnswer>> {
  const standing = await calls.act(senderOf(request), request.id, action);
  return standing.ok ? accept({ body: standing.value }) : standing;
}

async function listSettlements({ ledger }: Services, request: ApiRequest): Promise<Result<ApiAnswer>> {
  const query = parse(ENDPOINTS.settlements.query, request.query, 'request-invalid');
  if (!query.ok) return query;
  const { limit = DEFAULT_PAGE, before, phase, party, system } = query.value;
  const openedFrom = optionalInstant(query.value.openedFrom);
  const openedTo = optionalInstant(query.value.openedTo);
  const filter = { phase, party, system, openedFrom, openedTo };
  const page = await ledger.evaluate('settlements', { limit, before, ...filter });
  if (!page.ok) return page;
  return accept({ body: { settlements: page.value.settlements.map(summaryBody), next: page.value.next } });
}

function optionalInstant(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const instant = parseInstant(text);
  invariant(instant.ok, 'the form of the query was checked');
  return instant.value;
}

async function showSettlement({ ledger, directory }: Services, { id }: ApiRequest): Promise<Result<ApiAnswer>> {
  const view = await findSettlement(ledger, id);
  if (!view.ok) return view;
  const known = await directory.known({
    scenario: view.value.state.scenario.reference,
    epochs: view.value.certificates.map(({ epoch }) => epoch),
  });
  return accept({ body: settlementBody(view.value, known) });
}

async function showHistory({ ledger, directory }: Services, request: ApiRequest): Promise<Result<ApiAnswer>> {
  const query = parse(ENDPOINTS.history.query, request.query, 'request-invalid');
  if (!query.ok) return query;
  const view = await findSettlement(ledger, request.id);
  if (!view.ok) return view;
  const { proposal, settlement } = view.value.state;
  const { after, limit = DEFAULT_PAGE } = query.value;
  // One more than is shown tells whether there is a next page; the largest page is tried by itself.
  const entries = await ledger.evaluate('history', { id: proposal, after, limit: Math.min(limit + 1, MAXIMUM_PAGE) });
  if (!entries.ok) return entries;
  const shown = entries.value.slice(0, limit);
  const { names } = await directory.known({ accounts: accountsIn(shown.flatMap(({ changes }) => changes)) });
  const named = { ...names, operations: operationNames(view.value.state) };
  const more = entries.value.length > limit || entries.value.length === MAXIMUM_PAGE;
  const next = more ? (shown.at(-1)?.sequence ?? null) : null;
  return accept({ body: { id: settlement ?? proposal, entries: shown.map((entry) => entryBody(entry, named)), next } });
}

async function showCertificates({ ledger, coordinator }: Services, { id }: ApiRequest): Promise<Result<ApiAnswer>> {
  const view = await findSettlement(ledger, id);
  if (!view.ok) return view;
  const { proposal, settlement } = view.value.state;
  const gathered = await coordinator.certificates(proposal);
  const certificates = gathered.map(({ certificate: { kind, epoch }, signatures, quorum, signed }) => ({
    kind,
    epoch,
    signatures,
    quorum,
    certificate: signed ? systemCertificate(signed) : null,
  }));
  return accept({ body: { id: settlement ?? proposal, certificates } });
}

async function showEvidence({ ledger, archive, directory }: Services, { id }: ApiRequest): Promise<Result<ApiAnswer>> {
  const { genesis } = await directory.known();
  const evidence = await collectEvidence({ ledger, archive, genesis }, id);
  return evidence.ok ? accept({ body: evidence.value }) : evidence;
}

function answered(result: Result<object>): Result<ApiAnswer> {
  return result.ok ? accept({ body: result.value }) : result;
}

/** Open settlements are counted up to one page, so that asking often costs little however many there are. */
async function showHealth({ organisation, ledger, directory }: Services): Promise<Result<ApiAnswer>> {
  const [{ network }, height, open] = await Promise.all([
    directory.known(),
    ledger.height(),
    ledger.evaluate('open', { limit: MAXIMUM_PAGE }),
  ]);
  invariant(open.ok, 'what is open is never refused');
  return accept({ body: { status: 'up', organisation, network, height, open: open.value.length } });
}
