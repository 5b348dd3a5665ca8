import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { lost, readTotals } from './conservation.ts';

const servers: Server[] = [];
after(() => servers.forEach((server) => server.close()));

const totals = fc.dictionary(fc.string({ minLength: 1 }), fc.bigInt({ min: 0n, max: 10n ** 30n }), { minKeys: 1 });

test('equal totals lose nothing', () => {
  fc.assert(fc.property(totals, (before) => assert.deepEqual(lost(before, { ...before }), [])));
});

test('one unit that is missing or too many anywhere is seen, and said with both totals', () => {
  const unit = fc.constantFrom(-1n, 1n);
  fc.assert(
    fc.property(totals, fc.nat(), unit, (before, pick, by) => {
      const name = Object.keys(before)[pick % Object.keys(before).length] ?? '';
      const moved = { ...before, [name]: (before[name] ?? 0n) + by };
      assert.deepEqual(lost(before, moved), [`${name}: ${before[name]} before, ${moved[name]} after`]);
    }),
  );
});

test('a total that appears or vanishes is seen', () => {
  assert.deepEqual(lost({}, { 'rtgs JPY': 5n }), ['rtgs JPY: none before, 5 after']);
  assert.deepEqual(lost({ 'rtgs JPY': 0n }, {}), ['rtgs JPY: 0 before, none after']);
});

test('totals are summed over all accounts of a register, by asset, beyond what a float can count', async () => {
  const accounts = [
    {
      positions: [
        { asset: 'JPY', balance: '9007199254740993' },
        { asset: 'XS', balance: '1' },
      ],
    },
    { positions: [{ asset: 'JPY', balance: '9007199254740993' }] },
    { positions: [] },
  ];
  const url = await serve((request, response) =>
    response.end(JSON.stringify(request.url === '/oauth/token' ? { access_token: 't' } : { accounts })),
  );
  const read = await readTotals({ registers: { csd: { url, client: 'auditor', secret: 's' } }, chains: {} });
  assert.deepEqual(read, { 'csd JPY': 18014398509481986n, 'csd XS': 1n });
});

test('of a chain both the supply and what all holders have are read, so that a unit on no known account is seen', async () => {
  const rpcUrl = await serve((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const supply = text.includes('0x18160ddd');
      response.end(JSON.stringify({ result: supply ? '0x65' : '0x32' }));
    });
  });
  const read = await readTotals({
    registers: {},
    chains: { evm: { rpcUrl, token: '0x1', holders: [`0x${'a'.repeat(40)}`, `0x${'b'.repeat(40)}`] } },
  });
  assert.deepEqual(read, { 'evm supply': 101n, 'evm held by all accounts': 100n });
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}
