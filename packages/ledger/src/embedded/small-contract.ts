import { accept, type Call, type JsonObject, refuse, type Result, type SignedCall } from '@linkspan/protocol';
import type { Stored, World } from '@linkspan/contract';
import type { ContractCode } from './open-embedded-ledger.ts';

/**
 * A contract over texts, small enough to be compared with a model, for what the host alone must do. A call's nonce says what it asks:
 * `put KEY VALUE`, `delete KEY`, `count KEY` (one more each time), `get KEY` (writes nothing), `event NAME`, `refuse`, `throw` (a broken contract).
 */
export const smallContract: ContractCode = {
  applyCalls: (world, calls) => {
    const own = new Map<string, Stored | undefined>();
    return calls.map(({ call }) => run(world, own, call.nonce.split(' ')));
  },
  runQuery: () => refuse('not-found', 'The small contract answers through calls only.'),
};

/** A call to the small contract. It checks no signature. */
export function smallCall(text: string): SignedCall {
  const call: Call = {
    schema: 'call/1',
    network: HASH,
    organisation: 'anybody',
    actor: 'test',
    nonce: text,
    body: { type: 'expire', proposal: HASH },
  };
  return { call, signature: { key: `ed25519:${'00'.repeat(32)}`, signature: '00'.repeat(64) } };
}

const HASH = `sha256:${'00'.repeat(32)}` as const;

function run(
  world: World,
  own: Map<string, Stored | undefined>,
  [verb, key = '', value = '']: readonly string[],
): Result<JsonObject> {
  const current = own.has(key) ? own.get(key) : world.get(key);
  const known = current && 'value' in current ? String(current.value) : null;
  const put = (text: string): Result<JsonObject> => {
    own.set(key, { value: text });
    world.put(key, { value: text });
    return accept({ value: text });
  };
  switch (verb) {
    case 'put':
      return put(value);
    case 'count':
      return put(String(Number(known ?? 0) + 1));
    case 'delete':
      own.set(key, undefined);
      world.delete(key);
      return accept({ value: null });
    case 'get':
      return accept({ value: known });
    case 'event':
      world.emit({
        proposal: HASH,
        settlement: null,
        tradeId: key,
        sequence: 1,
        phase: 'proposed',
        head: HASH,
        changes: [],
        certificates: [],
      });
      return accept({ value: null });
    case 'throw':
      throw new Error('the contract broke');
    default:
      return refuse('call-invalid', 'The small contract refuses this.');
  }
}
