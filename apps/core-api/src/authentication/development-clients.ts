import { Fault, isScope, type Scope } from '@linkspan/protocol';
import { readPrivateJson } from './private-file.ts';

/** A client of the development issuer: a person or program of the organisation, with what it may do. */
export type DevelopmentClient = { readonly id: string; readonly secret: string; readonly scopes: readonly Scope[] };

/**
 * Reads `{ "schema": "clients/1", "clients": [{ "id", "secret", "scopes": […] }] }`. Throws a Fault `configuration-invalid` where others can use the file
 * or something in it is wrong.
 */
export function readDevelopmentClients(path: string): readonly DevelopmentClient[] {
  const document = readPrivateJson(path, 'list of clients');
  if (!document) throw new Fault('configuration-invalid', `The list of clients ${path} does not exist.`);
  const { schema, clients } = document;
  if (schema !== 'clients/1' || !Array.isArray(clients))
    throw new Fault('configuration-invalid', `${path} is no list of clients of the schema clients/1.`);
  const read = clients.map((client: unknown, i) => {
    if (isClient(client)) return client;
    throw new Fault('configuration-invalid', `Client ${i} in ${path} has not the form { id, secret, scopes }.`);
  });
  if (new Set(read.map(({ id }) => id)).size !== read.length)
    throw new Fault('configuration-invalid', `Two clients in ${path} have one id.`);
  return read;
}

const SHORTEST_SECRET = 32;

function isClient(value: unknown): value is DevelopmentClient {
  if (typeof value !== 'object' || value === null) return false;
  const { id, secret, scopes }: Partial<Record<keyof DevelopmentClient, unknown>> = value;
  return (
    typeof id === 'string' &&
    /^[a-z][a-z0-9-]{0,47}$/.test(id) &&
    typeof secret === 'string' &&
    secret.length >= SHORTEST_SECRET &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === 'string' && isScope(scope))
  );
}
