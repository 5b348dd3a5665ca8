import { readKeyFile } from '@linkspan/keys';
import { createValidator } from '@linkspan/plugin';
import { Fault, type SigningKey } from '@linkspan/protocol';
import type { Logger } from 'pino';
import type { ValidatorConfig } from './config.ts';
import { createServer } from './server.ts';

export type RunningValidator = AsyncDisposable & { readonly url: string; readonly key: SigningKey };

/** Starts listening whether or not the system answers. Throws a Fault `configuration-invalid`, one sentence, when it cannot. */
export async function startValidator(config: ValidatorConfig, log: Logger): Promise<RunningValidator> {
  const { network, system, listen, mostOperations } = config;
  const signer = readKeyFile(config.keyFile).ed25519;
  if (!signer)
    throw new Fault(
      'configuration-invalid',
      `The key file ${config.keyFile} holds no Ed25519 key to sign statements with.`,
    );
  const onRefusal = (operation: { id: string }, reason: string, message: string): void =>
    log.warn({ operation: operation.id, reason }, `${system} refused an operation: ${message}`);
  const validator = createValidator({
    network,
    system,
    connector: config.connector(),
    signer,
    mostOperations,
    onRefusal,
    onAttention: (message) => log.error(message),
  });
  const app = createServer(config, validator, signer.key, log);
  try {
    const url = await app.listen({ host: listen.host, port: listen.port });
    return {
      url,
      key: signer.key,
      async [Symbol.asyncDispose]() {
        await validator[Symbol.asyncDispose]();
        await app.close();
      },
    };
  } catch (error) {
    await validator[Symbol.asyncDispose]();
    throw cannotListen(listen, error);
  }
}

function cannotListen({ host, port }: ValidatorConfig['listen'], error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const why = code === 'EADDRINUSE' ? 'is used by another process' : `cannot be listened on (${code})`;
  return new Fault('configuration-invalid', `Port ${port} of ${host} ${why}.`, { cause: error });
}
