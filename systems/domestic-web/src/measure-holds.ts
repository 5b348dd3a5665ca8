import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

/** Prints how many durable holds a second one server process takes over HTTP, and how long one takes. Not a test. */
const { values } = parseArgs({
  options: { holds: { type: 'string', default: '20000' }, connections: { type: 'string', default: '64' } },
});
const total = Number(values.holds);
const connections = Number(values.connections);
const dataDir = mkdtempSync(join(tmpdir(), 'domestic-web-measure-'));
const config = {
  name: 'measured',
  port: 0,
  dataDir,
  certificates: { network: `0x${'11'.repeat(32)}`, epoch: 1, quorum: 1, signers: [`0x${'22'.repeat(20)}`] },
  clients: [{ id: 'executor', secret: 'secret', roles: ['executor'] }],
  assets: [{ id: 'JPY', kind: 'cash', digits: 0 }],
  accounts: [
    { id: 'payer', name: 'Payer', operators: ['executor'], positions: { JPY: '1000000000000' } },
    { id: 'payee', name: 'Payee', operators: [], positions: {} },
  ],
};
const file = join(dataDir, 'config.json');
writeFileSync(file, JSON.stringify(config));
const server = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--config', file], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = await once(createInterface({ input: server.stdout }), 'line');
const url = /"url":"([^"]+)"/.exec(String(line))?.[1] ?? '';
const agent = new Agent({ keepAlive: true, maxSockets: connections });
try {
  const token = await fetchToken();
  const latenciesMs: number[] = [];
  let started = 0;
  const worker = async () => {
    while (started < total) {
      const id = `0x${(++started).toString(16).padStart(64, '0')}`;
      const beganMs = performance.now();
      await send('/holds', token, { id, settlement: id, from: 'payer', to: 'payee', asset: 'JPY', amount: '1' });
      latenciesMs.push(performance.now() - beganMs);
    }
  };
  const beganMs = performance.now();
  await Promise.all(Array.from({ length: connections }, worker));
  const perSecond = Math.round((total * 1000) / (performance.now() - beganMs));
  latenciesMs.sort((one, other) => one - other);
  const at = (share: number) => Number((latenciesMs[Math.floor(total * share)] ?? 0).toFixed(2));
  const result = { holds: total, connections, perSecond, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  agent.destroy();
  server.kill('SIGTERM');
  await once(server, 'exit');
  rmSync(dataDir, { recursive: true });
}

async function fetchToken(): Promise<string> {
  const authorization = `Basic ${Buffer.from('executor:secret').toString('base64')}`;
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  const response = await fetch(`${url}/oauth/token`, { method: 'POST', headers: { authorization }, body });
  return /"access_token":"([^"]+)"/.exec(await response.text())?.[1] ?? '';
}

function send(path: string, token: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 201) resolve();
        else reject(new Error(`A hold was answered with ${response.statusCode}.`));
      });
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
}
