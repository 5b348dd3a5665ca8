import { type BatchSignature, signBatch, type Signer, type SigningKey } from '@linkspan/protocol';

/** Signs documents. What is asked for while the process is busy is signed together: one signature over a tree, a path for each. */
export type BatchSigner = { sign(document: object): Promise<BatchSignature> };

const LARGEST_BATCH = 1_024;

type Waiting = { readonly document: object; readonly signed: PromiseWithResolvers<BatchSignature> };

export function createBatchSigner(signer: Signer<SigningKey>): BatchSigner {
  let queue: Waiting[] = [];

  function flush(): void {
    const batch = queue.slice(0, LARGEST_BATCH);
    queue = queue.slice(LARGEST_BATCH);
    if (queue.length > 0) setImmediate(flush);
    try {
      const signatures = signBatch(
        signer,
        batch.map(({ document }) => document),
      );
      for (const [i, { signed }] of batch.entries()) {
        const signature = signatures[i];
        if (signature) signed.resolve(signature);
      }
    } catch (error) {
      for (const { signed } of batch) signed.reject(error);
    }
  }

  return {
    sign(document) {
      const signed = Promise.withResolvers<BatchSignature>();
      if (queue.length === 0) setImmediate(flush);
      queue.push({ document, signed });
      return signed.promise;
    },
  };
}
