import assert from 'node:assert/strict';
import {
  Client,
  credentials,
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';

/**
 * What a proxy does with one request: hands it on; never hands it on, or does but says that it failed; keeps it on the way until told to deliver; or breaks off
 * every connection, before or after it.
 */
export type Interference = 'pass' | 'drop' | 'deny' | 'keep' | 'die before' | 'die after';
export type GatewayMethod = 'Endorse' | 'Submit' | 'CommitStatus' | 'Evaluate';

/** A peer's gateway behind a proxy that may lie and die as a real one does at the worst of moments. */
export type GatewayProxy = AsyncDisposable & {
  readonly address: string;
  /** What is done with the next requests of a method, in order; all others are handed on. */
  readonly next: Record<GatewayMethod, Interference[]>;
  /** What is done with requests of a method that `next` says nothing about. */
  readonly otherwise: Record<GatewayMethod, Interference>;
  /** How many requests are kept on the way. */
  kept(): number;
  /** Lets the kept requests arrive. Resolves when all were answered. */
  deliver(): Promise<void>;
  /** How many requests of a method came. */
  readonly seen: Record<GatewayMethod, number>;
};

export type ProxiedPeer = {
  readonly address: string;
  readonly name: string;
  readonly tlsCa: string;
  readonly tlsCertificate: string;
  readonly tlsKey: string;
};

const METHODS = ['Endorse', 'Submit', 'CommitStatus', 'Evaluate'] as const;

export async function startGatewayProxy(peer: ProxiedPeer): Promise<GatewayProxy> {
  const { address, name, tlsCa, tlsCertificate, tlsKey } = peer;
  const upstream = new Client(address, credentials.createSsl(Buffer.from(tlsCa)), {
    'grpc.ssl_target_name_override': name,
    'grpc.max_receive_message_length': -1,
  });
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const next: GatewayProxy['next'] = { Endorse: [], Submit: [], CommitStatus: [], Evaluate: [] };
  const otherwise: GatewayProxy['otherwise'] = {
    Endorse: 'pass',
    Submit: 'pass',
    CommitStatus: 'pass',
    Evaluate: 'pass',
  };
  let kept: (() => Promise<void>)[] = [];
  const seen: GatewayProxy['seen'] = { Endorse: 0, Submit: 0, CommitStatus: 0, Evaluate: 0 };

  const unary = (method: GatewayMethod) => (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
    seen[method] += 1;
    const deed = next[method].shift() ?? otherwise[method];
    const failed = { code: status.UNAVAILABLE, details: `the proxy was told to ${deed}`, metadata: new Metadata() };
    if (deed === 'drop') return answer(failed);
    if (deed === 'die before') return server.forceShutdown();
    const handOn = (answered: () => void): void =>
      void upstream.makeUnaryRequest(`/gateway.Gateway/${method}`, same, same, call.request, (error, value) => {
        answered();
        if (deed === 'die after') return server.forceShutdown();
        if (deed === 'deny') return answer(failed);
        return error ? answer(error) : answer(null, value ?? Buffer.alloc(0));
      });
    if (deed === 'keep') kept.push(() => new Promise(handOn));
    else handOn(() => undefined);
  };
  server.addService(
    {
      ...Object.fromEntries(METHODS.map((method) => [method, definition(`/gateway.Gateway/${method}`, false, false)])),
      ChaincodeEvents: definition('/gateway.Gateway/ChaincodeEvents', false, true),
      Deliver: definition('/protos.Deliver/Deliver', true, true),
    },
    {
      ...Object.fromEntries(METHODS.map((method) => [method, unary(method)])),
      ChaincodeEvents(call: ServerWritableStream<Buffer, Buffer>) {
        const stream = upstream.makeServerStreamRequest('/gateway.Gateway/ChaincodeEvents', same, same, call.request);
        call.on('cancelled', () => stream.cancel());
        stream.on('data', (value: Buffer) => call.write(value));
        stream.on('end', () => call.end());
        stream.on('error', (error) => call.destroy(error));
      },
      Deliver(call: ServerDuplexStream<Buffer, Buffer>) {
        const stream = upstream.makeBidiStreamRequest('/protos.Deliver/Deliver', same, same);
        call.on('cancelled', () => stream.cancel());
        call.on('data', (value: Buffer) => stream.write(value));
        stream.on('data', (value: Buffer) => call.write(value));
        stream.on('end', () => call.end());
        stream.on('error', (error) => call.destroy(error));
      },
    },
  );
  const keys = [{ private_key: Buffer.from(tlsKey), cert_chain: Buffer.from(tlsCertificate) }];
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, keys), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  assert.ok(port > 0);
  return {
    address: `127.0.0.1:${port}`,
    next,
    otherwise,
    kept: () => kept.length,
    async deliver() {
      const late = kept;
      kept = [];
      await Promise.all(late.map((arrive) => arrive()));
    },
    seen,
    [Symbol.asyncDispose]: async () => {
      server.forceShutdown();
      upstream.close();
    },
  };
}

function definition(path: string, requestStream: boolean, responseStream: boolean) {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Messages go through as the bytes that they are. */
function same(bytes: Buffer): Buffer {
  return bytes;
}
