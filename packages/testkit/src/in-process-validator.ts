import {
  type Connector,
  createValidator,
  parseAttest,
  parseFence,
  parseObservationQuery,
  parseRead,
  parseSubmit,
  PATHS,
  type Validator,
  type ValidatorClient,
} from '@linkspan/plugin';
import {
  Fault,
  type Hash,
  type Operation,
  refuse,
  type Result,
  signOne,
  type Signer,
  type SigningKey,
  type Statement,
  type SignedStatement,
} from '@linkspan/protocol';
import type { MemorySystem } from './memory-system.ts';

/** A validator that is reached without HTTP: the real service behind the Verifier's own port to it. */
export type InProcessValidator = AsyncDisposable & {
  readonly signer: Signer<SigningKey>;
  /** While true, it is not there. */
  down: boolean;
  /** Makes a liar of it: what it signs instead of an honest statement. */
  lie: ((statement: Statement, operation: Operation) => Statement) | undefined;
  client(): ValidatorClient;
};

export function startInProcessValidator(
  system: MemorySystem,
  network: Hash,
  signer: Signer<SigningKey>,
  connector: Connector,
): InProcessValidator {
  const validator = createValidator({ network, system: system.system, connector, signer });
  const self: InProcessValidator = {
    signer,
    down: false,
    lie: undefined,
    client: () => ({
      key: signer.key,
      async post(path, body, parse, { signal }) {
        const answer = await answeredBefore(signal, ask(self, validator, path, body));
        return answer.ok ? parse(answer.value) : answer;
      },
      stream: (path, signal) => lines(self, validator, path, signal),
      async close() {},
    }),
    [Symbol.asyncDispose]: () => validator[Symbol.asyncDispose](),
  };
  return self;
}

/** A statement as a validator with this key would sign it. */
export function signStatement(statement: Statement, ...signers: readonly Signer<SigningKey>[]): SignedStatement {
  return { statement, signatures: signers.map((signer) => signOne(signer, statement)) };
}

async function ask(
  self: InProcessValidator,
  validator: Validator,
  path: string,
  body: object,
): Promise<Result<unknown>> {
  if (self.down) throw new Fault('validator-unavailable', `The validator ${self.signer.key} is down.`);
  const answer = await handle(self, validator, path, body);
  if (self.down)
    throw new Fault('validator-unavailable', `The validator ${self.signer.key} went down.`, { mayHaveHappened: true });
  return answer;
}

async function handle(
  self: InProcessValidator,
  validator: Validator,
  path: string,
  body: object,
): Promise<Result<unknown>> {
  switch (path) {
    case PATHS.submit:
      return answered(self, parseSubmit(body), (request) => validator.submit(request));
    case PATHS.attest:
      return answered(self, parseAttest(body), (request) => validator.attest(request));
    case PATHS.fence:
      return answered(self, parseFence(body), (request) => validator.fence(request));
    case PATHS.read: {
      const request = parseRead(body);
      return request.ok ? asValidatorFault(() => validator.read(request.value)) : request;
    }
    default:
      return refuse('not-found', `There is no ${path}.`);
  }
}

async function answered<T extends { readonly operation: Operation }>(
  { lie, signer }: InProcessValidator,
  request: Result<T>,
  handler: (request: T) => ReturnType<Validator['submit']>,
): Promise<Result<unknown>> {
  if (!request.ok) return request;
  const answer = await asValidatorFault(() => handler(request.value));
  if (!lie || !answer.ok || answer.value.status !== 'final') return answer;
  const statement = lie(answer.value.statement, request.value.operation);
  return { ok: true, value: { status: 'final', statement, signature: signOne(signer, statement) } };
}

/** As over HTTP: whatever stops the service, its client only learns that there was no answer. */
async function asValidatorFault<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new Fault('validator-unavailable', cause.message, { cause, mayHaveHappened: true });
  }
}

function answeredBefore<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (): void =>
      reject(new Fault('validator-unavailable', 'Nobody waits for the answer any more.', { mayHaveHappened: true }));
    if (signal.aborted) gone();
    signal.addEventListener('abort', gone, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}

async function* lines(
  self: InProcessValidator,
  validator: Validator,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const asked = Object.fromEntries(new URLSearchParams(path.slice(path.indexOf('?') + 1)));
  const query = parseObservationQuery(asked);
  if (!query.ok || self.down) throw new Fault('validator-unavailable', 'The validator gives no events.');
  for await (const signed of validator.observations(query.value.after, query.value.filter, signal))
    yield `data: ${JSON.stringify(signed)}`;
}
