import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Client } from './config.ts';

/** How long a bearer token lives, in seconds. */
export const TOKEN_LIFETIME_S = 600;

/** Opaque bearer tokens (RFC 6750), kept in memory: a restart ends them all. */
export class Tokens {
  readonly #clients: Map<string, Client>;
  readonly #now: () => number;
  readonly #issued = new Map<string, { client: Client; expiresMs: number }>();
  readonly #perClient = new Map<string, string[]>();

  constructor(clients: Map<string, Client>, now: () => number) {
    this.#clients = clients;
    this.#now = now;
  }

  /** A new token for a client that proves itself by HTTP Basic (RFC 6749 2.3.1), or undefined. */
  issue(authorization: string | undefined): string | undefined {
    const credentials = basicCredentials(authorization);
    const client = this.#clients.get(credentials?.id ?? '');
    // The comparison also runs for unknown clients, so that its time does not tell which ids exist.
    const isRight = isSameSecret(credentials?.secret ?? '', client?.secret ?? '');
    if (client === undefined || !isRight) return undefined;
    const token = randomBytes(32).toString('base64url');
    this.#issued.set(token, { client, expiresMs: this.#now() + TOKEN_LIFETIME_S * 1000 });
    this.#limit(client.id, token);
    return token;
  }

  clientOf(token: string): Client | undefined {
    const issued = this.#issued.get(token);
    if (issued !== undefined && issued.expiresMs > this.#now()) return issued.client;
    this.#issued.delete(token);
    return undefined;
  }

  /** A client keeps its latest tokens only; older ones end early, so that asking for many cannot fill the memory. */
  #limit(id: string, token: string): void {
    const kept = [...(this.#perClient.get(id) ?? []), token];
    for (const old of kept.splice(0, kept.length - MOST_PER_CLIENT)) this.#issued.delete(old);
    this.#perClient.set(id, kept);
  }
}

/** The token of an Authorization header, or undefined when there is none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization ?? '')?.[1];
}

const MOST_PER_CLIENT = 100;

function basicCredentials(authorization: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, id, secret] = /^([^:]*):(.*)$/su.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  return { id: formDecoded(id), secret: formDecoded(secret) };
}

/** RFC 6749 has id and secret form-encoded before they are joined; a text that is no such encoding stands for itself. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** Hashes have one length, which the constant-time comparison needs. */
function isSameSecret(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
