import type { Client } from './config.ts';
import { decode } from './decode.ts';
import type { Reader } from './decode.ts';
import type { AnswerName } from './answer-schemas.ts';
import { readNoQuery } from './requests.ts';
import type { Answer, Route } from './server.ts';
import type { Result } from './refusal.ts';

/** An endpoint behind a token: what it takes, in the readers that read it, and the form of its answers by their status. */
export type Declared<P, Q, B> = {
  method: 'GET' | 'POST';
  url: string;
  summary: string;
  params: Reader<P>;
  query: Reader<Q>;
  body: Reader<B>;
  answers: Readonly<Record<number, AnswerName>>;
};

/** A request after its readers: query first, then path, then body, each with all of its problems at once. */
export type Asked<P, Q, B> = { params: P; query: Q; body: B; signal: AbortSignal };

export const readNothing: Reader<undefined> = () => undefined;

/** Nothing in the path, no query, and no body. */
export const ASKS_NOTHING = { params: readNothing, query: readNoQuery, body: readNothing } as const;

export function route<P, Q, B>(
  declared: Declared<P, Q, B>,
  handle: (client: Client, asked: Asked<P, Q, B>) => Result<Answer> | Promise<Result<Answer>>,
): Route {
  return {
    ...declared,
    handle: (client, request) => {
      const query = decode(request.query, declared.query);
      if (!query.ok) return query;
      const params = decode(request.params, declared.params);
      if (!params.ok) return params;
      const body = decode(request.body, declared.body);
      if (!body.ok) return body;
      return handle(client, {
        params: params.value,
        query: query.value,
        body: body.value,
        signal: request.signal,
      });
    },
  };
}
