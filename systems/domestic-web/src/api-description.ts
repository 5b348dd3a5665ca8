import { ANSWERS } from './answer-schemas.ts';
import type { AnswerName } from './answer-schemas.ts';
import { REFUSALS } from './refusal.ts';
import { schemaOf } from './schema-of.ts';
import type { JsonSchema } from './schema-of.ts';
import type { Route } from './server.ts';

export type Operation = {
  operationId: string;
  summary: string;
  security: readonly object[];
  parameters: readonly { name: string; in: 'path' | 'query'; required: boolean; schema: unknown }[];
  requestBody?: { required: true; content: Content };
  responses: Readonly<Record<string, { description: string; content?: Content }>>;
};

export type OpenApi = {
  openapi: '3.1.0';
  info: { title: string; version: string; description: string };
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  components: { schemas: Readonly<Record<string, JsonSchema>>; securitySchemes: object };
};

type Content = Readonly<Record<string, { schema: JsonSchema }>>;

/** The whole API as an OpenAPI 3.1 document: what is behind a token by the routes' own readers, and what needs none. */
export function describeApi(name: string, routes: readonly Route[]): OpenApi {
  const named = new Map<string, JsonSchema>();
  const paths: Record<string, Record<string, Operation>> = structuredClone(OPEN_TO_ALL);
  for (const route of routes) {
    (paths[pathOf(route.url)] ??= {})[route.method.toLowerCase()] = operationOf(route, named);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: `Domestic system "${name}"`,
      version: '1',
      description:
        'Accounts, holds and certificates. Amounts are decimal strings of minor units or pieces, instants RFC 3339 in UTC, ids 32 bytes in hex. The same id with the same content is one effect. Every answer that is none is a problem document (RFC 9457).',
    },
    paths,
    components: {
      schemas: { ...Object.fromEntries(named), ...ANSWERS },
      securitySchemes: {
        token: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: '/oauth/token', scopes: {} } } },
      },
    },
  };
}

function operationOf(route: Route, named: Map<string, JsonSchema>): Operation {
  const { method, url, summary, params, query, body, answers } = route;
  const taken = schemaOf(body, named);
  const responses = Object.entries(answers).map(([status, answer]) => [status, answered(summary, answer)] as const);
  return {
    operationId: `${method.toLowerCase()} ${pathOf(url)}`,
    summary,
    security: [{ token: [] }],
    parameters: [
      ...membersOf(schemaOf(params, named), named).map((each) => ({ ...each, in: 'path' as const })),
      ...membersOf(schemaOf(query, named), named).map((each) => ({ ...each, in: 'query' as const })),
    ],
    ...(method === 'POST'
      ? { requestBody: { required: true as const, content: { 'application/json': { schema: taken } } } }
      : {}),
    responses: { ...Object.fromEntries(responses), ...PROBLEMS },
  };
}

/** The members of an object's schema, which parameters are. */
function membersOf(schema: JsonSchema, named: ReadonlyMap<string, JsonSchema>) {
  const reference = typeof schema['$ref'] === 'string' ? schema['$ref'].split('/').at(-1) : undefined;
  const { properties, required } = (reference === undefined ? undefined : named.get(reference)) ?? schema;
  if (typeof properties !== 'object' || properties === null) return [];
  return Object.entries(properties).map(([name, member]) => ({
    name,
    required: Array.isArray(required) && required.includes(name),
    schema: member,
  }));
}

function answered(description: string, answer: AnswerName) {
  return { description, content: { 'application/json': { schema: reference(answer) } } };
}

function reference(answer: AnswerName): JsonSchema {
  return { $ref: `#/components/schemas/${answer}` };
}

function pathOf(url: string): string {
  return url.replaceAll(/:([a-z]+)/g, '{$1}');
}

const PROBLEM_CONTENT = { 'application/problem+json': { schema: reference('Problem') } };

/** Every status that a refusal can have, with its codes. */
const PROBLEMS = Object.fromEntries(
  [...Map.groupBy(Object.entries(REFUSALS), ([, [status]]) => status)].map(([status, refusals]) => [
    String(status),
    { description: refusals.map(([code]) => code).join(', '), content: PROBLEM_CONTENT },
  ]),
);

const OPEN_TO_ALL: Record<string, Record<string, Operation>> = {
  '/healthz': { get: open('get /healthz', 'Whether the system serves', answered('It does', 'Health')) },
  '/oauth/token': {
    post: {
      ...open('post /oauth/token', 'A token for a client that proves itself by HTTP Basic (RFC 6749 4.4)', {
        ...answered('The token', 'Token'),
      }),
      requestBody: {
        required: true,
        content: {
          'application/x-www-form-urlencoded': {
            schema: {
              type: 'object',
              properties: { grant_type: { const: 'client_credentials' } },
              required: ['grant_type'],
            },
          },
        },
      },
    },
  },
  '/openapi.json': {
    get: open('get /openapi.json', 'This API as an OpenAPI 3.1 document', answered('The document', 'Description')),
  },
  '/docs': {
    get: open('get /docs', 'This API as a page for people', {
      description: 'The page',
      content: { 'text/html': { schema: { type: 'string' } } },
    }),
  },
};

function open(operationId: string, summary: string, answer: Operation['responses'][string]): Operation {
  return { operationId, summary, security: [], parameters: [], responses: { 200: answer, ...PROBLEMS } };
}
