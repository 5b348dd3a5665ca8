import { deflateSync, gzipSync } from 'node:zlib';
import type { Random } from '../torture/random.ts';
import type { ApiOperation } from './api-description.ts';
import { mutateBytes, mutateValue, strangeValue } from './mutate-json.ts';
import type { RawRequest } from './raw-http.ts';
import {
  BEHIND,
  CONTENT_TYPES,
  GARBAGE,
  KEYS,
  PARAMETERS,
  PERCENT,
  STRANGE_HEADERS,
  TOKENS,
} from './request-oddities.ts';
import type { MakeValue } from './schema-values.ts';

/** A request and how it may be answered: `complete` requests need an answer, others may also see their connection closed. */
export type MadeRequest = {
  readonly operation: ApiOperation | undefined;
  readonly raw: RawRequest;
  readonly complete: boolean;
  /** What was done to it, for the report of a failure. */
  readonly how: string;
};

export type RequestMaker = {
  readonly make: MakeValue;
  /** Bodies of an operation that the server would accept. */
  readonly bodies: (operation: ApiOperation) => readonly unknown[];
  /** Who sends it; the one place that knows how callers are told apart. */
  readonly identity: (random: Random) => readonly Header[];
};

export type Header = readonly [string, string];

type Draft = { method: string; target: string; headers: Header[]; body: Buffer; how: string[]; complete: boolean };

/** A request for the operation that is right, or wrong in one or two ways. */
export function makeRequest(random: Random, operation: ApiOperation, maker: RequestMaker): MadeRequest {
  const draft = rightRequest(random, operation, maker);
  const raw: { delivery: RawRequest['delivery']; behind: Buffer } = { delivery: 'whole', behind: Buffer.alloc(0) };
  for (let n = random.pick([0, 1, 1, 1, 2]); n > 0; n--) random.pick(MUTATIONS)(random, draft, raw);
  if (raw.delivery === 'half' || raw.delivery === 'abandoned') draft.complete = false;
  const head = headOf(draft);
  // No server takes a head that long, and none needs to read it to the end.
  if (head.length > 12_000) draft.complete = false;
  return {
    operation,
    raw: { head, body: draft.body, ...raw, ends: !draft.complete },
    complete: draft.complete,
    how: draft.how.join(', ') || 'right',
  };
}

/** Bytes that are no HTTP request, or hardly one. */
export function makeGarbage(random: Random): MadeRequest {
  const head = random.pick(GARBAGE)(random);
  const raw = { head, body: Buffer.alloc(0), delivery: 'whole', behind: Buffer.alloc(0), ends: true } as const;
  return { operation: undefined, raw, complete: false, how: 'garbage' };
}

function headOf({ method, target, headers, body }: Draft): string {
  const length: Header[] =
    body.length > 0 && !headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
      ? [['content-length', String(body.length)]]
      : [];
  const lines = [...headers, ...length].map(([name, value]) => `${name}: ${value}`);
  return `${[`${method} ${target} HTTP/1.1`, 'host: localhost', 'connection: close', ...lines].join('\r\n')}\r\n\r\n`;
}

function rightRequest(random: Random, operation: ApiOperation, { make, bodies, identity }: RequestMaker): Draft {
  const query = new URLSearchParams();
  const headers: Header[] = [...identity(random)];
  let target = operation.path;
  for (const { name, in: where, required, schema } of operation.parameters) {
    if (where === 'path')
      target = target.replace(`{${name}}`, encodeURIComponent(String(make(schema, name)).toWellFormed()));
    else if (!required && random.chance(0.6)) continue;
    else if (where === 'query') query.set(name, String(make(schema, name)));
    else
      headers.push([
        name,
        name === 'Idempotency-Key'
          ? `k${random.between(0, 1e9)}`
          : String(make(schema, name)).replaceAll(/[^ -~]/g, '?'),
      ]);
  }
  const text = query.toString();
  const draft = {
    method: operation.method,
    target: text === '' ? target : `${target}?${text}`,
    headers,
    how: [],
    complete: true,
  };
  if (operation.body === undefined) return { ...draft, body: Buffer.alloc(0) };
  headers.push(['content-type', 'application/json']);
  const known = [...bodies(operation), ...(operation.example === undefined ? [] : [operation.example])];
  const right = known.length > 0 && random.chance(0.6) ? random.pick(known) : make(operation.body);
  const kind = random.between(0, 9);
  const body =
    kind < 3
      ? Buffer.from(JSON.stringify(right))
      : kind < 7
        ? asBytes(mutateValue(random, right))
        : mutateBytes(random, right);
  return {
    ...draft,
    body,
    how: [kind < 3 ? 'body as documented' : kind < 7 ? 'body value changed' : 'body bytes changed'],
  };
}

function asBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value) ?? '');
}

type Mutation = (random: Random, draft: Draft, raw: { delivery: RawRequest['delivery']; behind: Buffer }) => void;

function withoutHeader(draft: Draft, name: string): void {
  draft.headers = draft.headers.filter(([other]) => other.toLowerCase() !== name);
}

function replaceHeader(draft: Draft, name: string, value: string): void {
  withoutHeader(draft, name);
  draft.headers.push([name, value]);
}

const MUTATIONS: readonly Mutation[] = [
  (random, draft) => {
    replaceHeader(draft, 'content-type', random.pick(CONTENT_TYPES));
    draft.how.push('content type');
  },
  (random, draft) => {
    withoutHeader(draft, random.pick(['content-type', 'idempotency-key', 'authorization']));
    draft.how.push('header left out');
  },
  (random, draft) => {
    replaceHeader(draft, 'idempotency-key', random.pick(KEYS));
    draft.how.push('idempotency key');
  },
  (random, draft) => {
    draft.headers.push(
      ['idempotency-key', 'a'],
      [random.pick(['traceparent', 'last-event-id']), random.pick(STRANGE_HEADERS)],
    );
    draft.how.push('strange header');
  },
  (random, draft) => {
    replaceHeader(draft, 'authorization', random.pick(TOKENS));
    draft.how.push('authorization');
  },
  (random, draft) => {
    draft.headers.push(['x-long', 'l'.repeat(random.pick([4000, 16_000, 70_000]))]);
    draft.how.push('long header');
  },
  (random, draft) => {
    for (let n = random.pick([50, 500, 3000]); n > 0; n--) draft.headers.push([`x-${n}`, '1']);
    draft.complete = false;
    draft.how.push('many headers');
  },
  (random, draft) => {
    draft.target = strangeTarget(random, draft.target);
    draft.how.push('target');
  },
  (random, draft) => {
    const [name, value] = random.pick(PARAMETERS);
    const more = Array.from({ length: random.pick([1, 2, 200]) }, () => `${name}=${value}`).join('&');
    draft.target += `${draft.target.includes('?') ? '&' : '?'}${more}`;
    draft.how.push('query');
  },
  (random, draft) => {
    draft.method = random.pick([
      'GET',
      'POST',
      'PUT',
      'DELETE',
      'PATCH',
      'HEAD',
      'OPTIONS',
      'TRACE',
      'PROPFIND',
      'QUERY',
    ]);
    draft.how.push(`method ${draft.method}`);
  },
  (random, draft, raw) => {
    raw.delivery = random.pick(['slow', 'half', 'abandoned']);
    draft.how.push(raw.delivery);
  },
  (random, draft, raw) => {
    raw.behind = Buffer.from(random.pick(BEHIND));
    // Garbage behind a request may end the connection before the request is answered.
    draft.complete = false;
    draft.how.push('something behind');
  },
  (random, draft) => {
    const length = draft.body.length;
    replaceHeader(
      draft,
      'content-length',
      random.pick([
        `${length + 50}`,
        `${Math.max(0, length - 5)}`,
        '-1',
        'x',
        '1e3',
        '9'.repeat(30),
        '0',
        `${length}, ${length}`,
      ]),
    );
    draft.complete = false;
    draft.how.push('length lie');
  },
  (random, draft) => {
    const { body } = draft;
    draft.headers.push([
      'transfer-encoding',
      random.pick(['chunked', 'gzip, chunked', 'identity', 'chunked, chunked']),
    ]);
    const chunked = `${body.length.toString(16)}\r\n${body.toString('latin1')}\r\n0\r\n\r\n`;
    draft.body = Buffer.from(
      random.chance(0.6) ? chunked : random.pick(['zz\r\n', '-1\r\n', 'ffffffffffffffff\r\nx', '5;x="\r\nabc']),
      'latin1',
    );
    draft.complete = false;
    draft.how.push('chunked');
  },
  (random, draft) => {
    draft.body = Buffer.from(`{"a":"${'b'.repeat(random.pick([120_000, 260_000, 1_200_000]))}"}`);
    draft.how.push('large body');
    // A server may close as soon as it knows that the body is too large, while it is still being sent.
    draft.complete = false;
  },
  (random, draft) => {
    const packed = random.chance(0.5) ? gzipSync(draft.body) : deflateSync(draft.body);
    draft.body = packed;
    replaceHeader(draft, 'content-encoding', random.pick(['gzip', 'deflate', 'br', 'x']));
    draft.how.push('compressed');
  },
  (random, draft) => {
    draft.body = asBytes(strangeValue(random));
    draft.how.push('strange body');
  },
  (random, draft) => {
    draft.headers.push(
      random.pick<Header>([
        ['expect', '100-continue'],
        ['expect', 'x'],
        ['upgrade', 'websocket'],
        ['accept', 'image/png'],
        ['range', 'bytes=0-1'],
        ['if-none-match', '*'],
        ['x-forwarded-for', '1.2.3.4'],
        ['cookie', 'a=b'],
        ['te', 'trailers'],
      ]),
    );
    draft.how.push('protocol header');
    draft.complete = false;
  },
];

function strangeTarget(random: Random, target: string): string {
  const at = random.between(1, target.length);
  switch (random.between(0, 5)) {
    case 0:
      return target.slice(0, at) + random.pick(PERCENT) + target.slice(at);
    case 1:
      return target.replace(/[^/]*$/, 'p'.repeat(random.pick([200, 4000, 20_000])));
    case 2:
      return (
        random.pick([
          '//',
          '/./',
          '/../',
          '/;',
          '*',
          'http://other.example',
          '/?',
          '/%',
          '/settlements/',
          '/%2e%2e/',
          '/__proto__',
          '/constructor',
        ]) + target.slice(at)
      );
    case 3:
      return target.replaceAll('/', '%2F');
    case 4:
      return `${target}${random.pick(['/', '//', '#x', '?', '/extra', ';a=b', '%00', '?a[b]=c', '?__proto__[x]=1', '?constructor=1'])}`;
    default:
      return target.toUpperCase();
  }
}
