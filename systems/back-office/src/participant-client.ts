import { isObject } from './domestic-plan.ts';

export type Reply = { readonly status: number; readonly body: Record<string, unknown> };

/** One participant's client of the system's Web API, by OAuth 2.0 client credentials (RFC 6749 4.4). */
export class ParticipantClient {
  readonly #url: string;
  readonly #id: string;
  readonly #secret: string;
  #token: string | undefined;

  constructor(url: string, id: string, secret: string) {
    this.#url = url;
    this.#id = id;
    this.#secret = secret;
  }

  get(path: string): Promise<Reply> {
    return this.#send(path, { method: 'GET' }, {});
  }

  post(path: string, body: object): Promise<Reply> {
    return this.#send(path, { method: 'POST', body: JSON.stringify(body) }, { 'content-type': 'application/json' });
  }

  /** A token may have ended or been forgotten by a restarted system; a new one is asked for once. */
  async #send(path: string, init: RequestInit, headers: Record<string, string>): Promise<Reply> {
    for (let attempt = 1; ; attempt++) {
      const token = (this.#token ??= await this.#requestToken());
      const response = await fetch(`${this.#url}${path}`, {
        ...init,
        headers: { ...headers, authorization: `Bearer ${token}` },
      });
      const body: unknown = await response.json();
      if (response.status !== 401 || attempt === 2)
        return { status: response.status, body: isObject(body) ? body : {} };
      this.#token = undefined;
    }
  }

  async #requestToken(): Promise<string> {
    const pair = `${encodeURIComponent(this.#id)}:${encodeURIComponent(this.#secret)}`;
    const response = await fetch(`${this.#url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const body: unknown = await response.json();
    const token = isObject(body) ? body['access_token'] : undefined;
    if (typeof token !== 'string')
      throw new Error(`The system does not accept the client ${this.#id} (HTTP ${response.status}).`);
    return token;
  }
}
