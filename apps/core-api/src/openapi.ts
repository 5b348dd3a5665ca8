import {
  type Endpoint,
  ENDPOINTS,
  type ErrorCode,
  ERRORS,
  type JsonSchema,
  jsonSchemas,
  needsIdempotencyKey,
  queryParameters,
  schemaName,
  type Scope,
  SCOPES,
} from '@linkspan/protocol';
import { EXAMPLES } from './examples.ts';

/** An OpenAPI 3.1 document as far as it is made here. */
export type OpenApi = {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<keyof Security, object>>;
  };
};

/** Scopes that an access token must have, however it was got: from the issuer that the API itself is, or from another one. */
export type Security = Readonly<Partial<Record<'development' | 'bearer', readonly Scope[]>>>;

export type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  /** One of them is enough; none is needed where the list is empty. */
  readonly security: readonly Security[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
};

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
};

type Content = Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>;

let made: OpenApi | undefined;

/** The API as the endpoint table declares it. */
export function openApiDocument(): OpenApi {
  made ??= {
    openapi: '3.1.0',
    info: {
      title: 'Linkspan CoreAPI',
      version: '1',
      description:
        'Settles one trade across several ledgers: every leg delivered, or none. Amounts are decimal strings, instants RFC 3339 in UTC. Every answer that is none is a problem document (RFC 9457). A header traceparent (W3C Trace Context) is carried on and answered.',
    },
    paths: paths(),
    components: { schemas: jsonSchemas(SCHEMAS), securitySchemes: SECURITY_SCHEMES },
  };
  return made;
}

const SCHEMAS = '#/components/schemas/';

const SECURITY_SCHEMES = {
  development: {
    type: 'oauth2',
    description: 'The issuer that the API itself is in development.',
    flows: { clientCredentials: { tokenUrl: '/oauth/token', scopes: SCOPES } },
  },
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token (RFC 9068) of the organisation’s issuer, for the audience that this API is configured with.',
  },
};

function paths(): Record<string, Record<string, Operation>> {
  const all: Record<string, Record<string, Operation>> = {};
  for (const [name, endpoint] of Object.entries<Endpoint>(ENDPOINTS)) {
    const path = endpoint.path.replaceAll(/:([a-z]+)/g, '{$1}');
    (all[path] ??= {})[endpoint.method.toLowerCase()] = operation(name, endpoint);
  }
  return all;
}

function operation(name: string, endpoint: Endpoint): Operation {
  const form = endpoint.form ?? endpoint.body;
  const example = EXAMPLES[name];
  const body = form && {
    'application/json': { schema: reference(form), ...(example === undefined ? {} : { example }) },
  };
  return {
    operationId: name,
    summary: endpoint.title,
    tags: [endpoint.for],
    security: endpoint.scope === undefined ? [] : [{ development: [endpoint.scope] }, { bearer: [endpoint.scope] }],
    parameters: parameters(endpoint),
    ...(body ? { requestBody: { required: true, content: body } } : {}),
    responses: {
      [endpoint.status]: { description: endpoint.title, content: answerContent(endpoint) },
      ...problemResponses(endpoint),
    },
  };
}

function parameters(endpoint: Endpoint): Parameter[] {
  const inPath = [...endpoint.path.matchAll(/:([a-z]+)/g)].map(([, name = '']): Parameter => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(queryParameters(endpoint)).map(([name, schema]): Parameter => ({
    name,
    in: 'query',
    required: isRequired(endpoint, name),
    schema,
  }));
  const key: Parameter = {
    name: 'Idempotency-Key',
    in: 'header',
    required: true,
    description:
      'Any text that is used for this one request only; sent again with the same body, it has the same answer.',
    schema: { type: 'string', minLength: 1, maxLength: 100 },
  };
  const last: Parameter = {
    name: 'Last-Event-ID',
    in: 'header',
    required: false,
    description: 'The id of the last event that was seen; the stream goes on after it.',
    schema: { type: 'string' },
  };
  return [...inPath, ...inQuery, ...(needsIdempotencyKey(endpoint) ? [key] : []), ...(endpoint.stream ? [last] : [])];
}

function isRequired({ query }: Endpoint, name: string): boolean {
  const parsed = query?.safeParse({});
  return parsed?.success === false && parsed.error.issues.some(({ path }) => path[0] === name);
}

function answerContent(endpoint: Endpoint): Content {
  if (endpoint.stream) return { 'text/event-stream': { schema: { type: 'string' } } };
  if (endpoint.media !== undefined) return { [endpoint.media.split(';')[0] ?? '']: { schema: { type: 'string' } } };
  return { 'application/json': { schema: endpoint.answer ? reference(endpoint.answer) : { type: 'object' } } };
}

/** Statuses that a request of this form can have, with every code of the error table that has them and is about requests. */
function problemResponses(endpoint: Endpoint): Operation['responses'] {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(endpoint)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { 'application/problem+json': { schema: { $ref: `${SCHEMAS}Problem` } } };
  const responses = [...byStatus]
    .toSorted(([a], [b]) => a - b)
    .map(([status, codes]) => {
      return [
        String(status),
        { description: codes.map((code) => `${code}: ${ERRORS[code].title}`).join('; '), content },
      ] as const;
    });
  return { ...Object.fromEntries(responses), default: { description: 'Any other code of the error table', content } };
}

function codesOf(endpoint: Endpoint): ErrorCode[] {
  const takesBody = endpoint.body !== undefined;
  return [
    ...(needsIdempotencyKey(endpoint)
      ? (['idempotency-key-missing', 'idempotency-key-reused', 'request-in-progress'] as const)
      : []),
    ...(endpoint.scope === undefined ? [] : TOKEN_CODES),
    ...(takesBody ? (['json-malformed', 'media-type-unsupported', 'body-too-large'] as const) : []),
    ...(endpoint.path.includes(':') ? (['not-found'] as const) : []),
    ...(endpoint.form ? (['instruction-invalid'] as const) : []),
    'request-invalid',
    'too-many-requests',
    'internal',
    'ledger-unavailable',
  ];
}

const TOKEN_CODES: readonly ErrorCode[] = ['token-missing', 'token-invalid', 'scope-missing', 'issuer-unavailable'];

function reference(schema: NonNullable<Endpoint['body']>): JsonSchema {
  const name = schemaName(schema);
  if (name === undefined) throw new TypeError('a schema of the endpoint table has no name in it');
  return { $ref: SCHEMAS + name };
}
