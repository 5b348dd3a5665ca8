import type { ApiDescription } from './api-description.ts';
import type { MadeRequest } from './make-request.ts';
import type { RawAnswer } from './raw-http.ts';
import { misfit } from './schema-check.ts';
import { isRecord } from './schema-values.ts';

/** What is wrong with an answer, or undefined. `codes` are the status of every code that a problem document may have. */
export type Judge = (request: MadeRequest, answer: RawAnswer) => string | undefined;

export type JudgeOptions = {
  readonly api: ApiDescription;
  readonly codes: ReadonlyMap<string, number>;
  /** The schema of problem documents. */
  readonly problem: unknown;
  /** Paths whose refusals have a form of their own, such as those of OAuth 2.0 (RFC 6749 5.2). */
  readonly ownRefusals?: RegExp;
};

export function createJudge({ api, codes, problem, ownRefusals }: JudgeOptions): Judge {
  function judgeRefusal(status: number, media: string, body: Buffer): string | undefined {
    if (!media.startsWith('application/problem+json')) return `HTTP ${status} is no problem document but "${media}"`;
    const document = parsed(body);
    if (!isRecord(document)) return 'a problem document that is no JSON object';
    const wrong = misfit(api.schemas, problem, document, 'problem');
    if (wrong !== undefined) return wrong;
    const code = String(document['code']);
    if (document['status'] !== status) return `HTTP ${status} with a document that says ${String(document['status'])}`;
    if (codes.get(code) !== status) return `the code ${code} does not belong to HTTP ${status}`;
    return undefined;
  }

  return ({ operation, raw, complete }, answer) => {
    if (answer.kind === 'silent') return 'no answer within the deadline';
    if (answer.kind === 'closed') return complete ? 'the connection was closed without an answer' : undefined;
    const { status, headers, body } = answer;
    const media = headers.get('content-type') ?? '';
    const leak = leakIn(body, media);
    if (leak !== undefined) return `the answer tells internals: ${leak}`;
    if (raw.head.startsWith('HEAD ')) return status >= 500 ? `HTTP ${status}` : undefined;
    if (status >= 500 && status !== 503) return `HTTP ${status}: ${shown(body)}`;
    if (status === 503 && operation && !operation.answers.has('503'))
      return `HTTP 503 is not documented here: ${shown(body)}`;
    if (status >= 300) {
      if (ownRefusals && ownRefusals.test(raw.head.split(' ')[1] ?? '')) return undefined;
      return judgeRefusal(status, media, body);
    }
    if (media.startsWith('application/problem+json')) return `HTTP ${status} with a problem document: ${shown(body)}`;
    const documented = operation?.answers.get(String(status));
    // A target that was changed may lead to another operation.
    if (!documented || status < 200)
      return operation && raw.head.startsWith(`${operation.method} ${operation.path} `)
        ? `HTTP ${status} is not documented`
        : undefined;
    return complete && leadsTo(operation?.path ?? '', operation?.method ?? '', raw.head)
      ? judgeResult(documented, media, body)
      : undefined;
  };

  function judgeResult(
    documented: { readonly media: string; readonly schema: unknown },
    media: string,
    body: Buffer,
  ): string | undefined {
    if (!media.startsWith(documented.media))
      return `an answer of type "${media}" where ${documented.media} is documented`;
    if (documented.media !== 'application/json') return undefined;
    const document = parsed(body);
    if (document === undefined) return 'an answer that is no JSON';
    return misfit(api.schemas, documented.schema, document, 'answer');
  }
}

function leadsTo(path: string, method: string, head: string): boolean {
  // The colon of an id is written as %3A; anything else that is escaped may lead elsewhere.
  const pattern = path.replaceAll(/\{[a-z]+\}/g, '(?:[^/?#;%]|%3A)+').replaceAll('.', '\\.');
  return new RegExp(`^${method} ${pattern}[ ?]`).test(head);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Stack traces, paths, and words of the framework or the language that only our log may tell. Documents about the API may name files. */
function leakIn(body: Buffer, media: string): string | undefined {
  if (media.startsWith('text/html') || media.startsWith('text/plain')) return undefined;
  return LEAK.exec(body.toString('latin1'))?.[0];
}

const LEAK =
  /node_modules|node:internal|file:\/\/|\.ts:[0-9]|\.js:[0-9]|\n\s+at |\\n\s+at |FST_[A-Z]|\bERR_[A-Z]|ECONN|EPIPE|TypeError|RangeError|SyntaxError|is not a function|Cannot read|is not iterable|SQLITE_|at JSON\.parse|in JSON at position|Unexpected token|\/work\/|\/tmp\//;

function shown(body: Buffer): string {
  return body.toString('utf8').slice(0, 300);
}
