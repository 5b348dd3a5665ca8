import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { useNativeHashes } from '@linkspan/keys';
import { benchInProcess } from './bench/in-process.ts';
import { benchLocalNetwork } from './bench/local-network.ts';
import { printReport, type Round } from './bench/report.ts';

const USAGE = `npm run bench -- [--json] [--callers 1,16,64] [--settlements N] [--only in-process|local-network]

Settlements per second and latencies of the default scenario, with every signature and certificate, on the embedded ledger.
  in-process     systems that answer in this process at once: the cost of the machinery itself, one process for everything
  local-network  the network of npm start: an EVM chain, an RTGS and a CSD, each with its validators, over HTTP`;

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      callers: { type: 'string', default: '1,16,64' },
      settlements: { type: 'string' },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  useNativeHashes();
  const callers = values.callers.split(',').map(Number);
  const many = values.settlements === undefined ? undefined : Number(values.settlements);
  const rounds: Round[] = [];
  if (values.only !== 'local-network') rounds.push(...(await benchInProcess(callers, many)));
  if (values.only !== 'in-process') rounds.push(...(await benchLocalNetwork(callers, many)));
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, rounds })}\n`);
  else printReport(machine, rounds, (text) => process.stdout.write(text));
  return 0;
}
