import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFunctionData, parseTransaction, serializeTransaction } from 'viem';
import { tokenAbi } from '../../systems/fcy-evm/src/compiled/token-abi.ts';
import { installEpochData, signedTransaction } from '../../apps/cli/src/network/evm-transaction.ts';

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((each): `0x${string}` => `0x${Buffer.from(each).toString('hex')}`);

test('what installs an epoch on a chain is encoded as another program encodes it', () => {
  const lists = [fc.array(hex(20), { maxLength: 16 }), fc.array(hex(65), { maxLength: 16 })] as const;
  fc.assert(
    fc.property(fc.nat(), fc.nat(), ...lists, (epoch, quorum, signers, signatures) => {
      const args = [BigInt(epoch), BigInt(quorum), signers, signatures] as const;
      const expected = encodeFunctionData({ abi: tokenAbi, functionName: 'installEpoch', args });
      assert.equal(installEpochData(epoch, quorum, signers, signatures), expected);
    }),
  );
});

test('a transaction reads as another program writes it, whatever its length, and whatever zeros its signature begins with', () => {
  const contents = fc.nat({ max: 700 }).chain(hex);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4_000_000 }), hex(20), contents, (chainId, to, data) => {
      const raw: `0x${string}` = `0x${signedTransaction(chainId, to, data).slice(2)}`;
      const { r, s, v } = parseTransaction(raw);
      assert.ok(r !== undefined && s !== undefined && v !== undefined);
      const expected = { type: 'legacy', chainId, to, data, gas: 1_000_000n } as const;
      assert.equal(serializeTransaction(expected, { r, s, v }), raw);
    }),
    { numRuns: 600 },
  );
});
