import { cpus, loadavg, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { useNativeHashes } from '@linkspan/keys';
import { z } from 'zod';
import { benchAudit, printAudit } from './bench/audit.ts';
import { benchFabric, printFabric } from './bench/fabric.ts';
import { benchInProcess, profileInProcess } from './bench/in-process.ts';
import { benchLocalNetwork, profileLocalNetwork } from './bench/local-network.ts';
import { benchPeers, printPeers } from './bench/peers.ts';
import { printProfile, printRounds, type Profile, type Round } from './bench/report.ts';
import { benchStored, printStored } from './bench/stored.ts';

const USAGE = `npm run bench -- [--json] [--only in-process|local-network] [--callers 1,16,64] [--seconds N | --settlements N] [--no-profile]
npm run bench -- --peers FOLDER [--rounds N] [--seconds N] [--json]
npm run bench -- --stored N [--data FOLDER] [--callers N] [--json]
npm run bench -- --audit N [--json]
npm run bench -- --host fabric [--countries 4] [--delay MS] [--callers 1,16,64,256] [--seconds N] [--json]

Settlements of the default scenario, with every signature and certificate, on the embedded ledger: how many, how long each takes, and what it costs.
  in-process     systems that answer in this process at once: the cost of the machinery itself, one process for everything
  local-network  the network of npm start: an EVM chain, an RTGS and a CSD, each with its validators, over HTTP
Where the time goes is sampled in further rounds, which count for nothing else.

  --seconds N      length of a round (10)
  --settlements N  instead: so many settlements in a round
  --peers FOLDER   in turn with other engines: a folder whose npm scripts each print
                   NAME concurrency=N … X workflows/s p50=Xms p99=Xms
  --rounds N       with --peers: how often each engine has its turn (3)
  --stored N       fills a ledger with N settlements and compares what it then costs with one of a thousand
  --audit N        verifies an export of N settlements on one core
  --host fabric    on real Fabric nodes on this machine, beside the embedded ledger: every organisation with its own peer, orderer and contract
  --countries N    with --host fabric: 3 (Raft), 4 or 7 (BFT)
  --delay MS       with --host fabric: how far the countries are apart, there and back (0)
  --data FOLDER    with --stored: where the stores are kept, to be used again (var/bench)
`;

const PROFILED_SETTLEMENTS = 1000;
const PROFILED_CALLERS = 64;

const countriesSchema = z.literal([3, 4, 7]);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      callers: { type: 'string' },
      seconds: { type: 'string', default: '10' },
      settlements: { type: 'string' },
      'no-profile': { type: 'boolean', default: false },
      peers: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      stored: { type: 'string' },
      audit: { type: 'string' },
      data: { type: 'string', default: 'var/bench' },
      host: { type: 'string', default: 'embedded' },
      countries: { type: 'string', default: '4' },
      delay: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  useNativeHashes();
  const say = (text: string): boolean => process.stderr.write(text);
  const out = (text: string): boolean => process.stdout.write(text);
  const machine = machineNow();
  if (!values.json) out(`${machineText(machine)}\n\n`);
  const seconds = Number(values.seconds);
  const finish = <T extends object>(report: T, print: (report: T, write: typeof out) => void): number => {
    if (values.json) out(`${JSON.stringify({ machine, loadAfter: loadavg(), ...report })}\n`);
    else print(report, out);
    return 0;
  };
  if (values.stored !== undefined) {
    const plan = { stored: Number(values.stored), data: resolve(values.data), callers: Number(values.callers ?? 16) };
    return finish(await benchStored({ ...plan, progress: say }), printStored);
  }
  if (values.audit !== undefined) return finish(benchAudit(Number(values.audit)), printAudit);
  if (values.host === 'fabric') {
    const plan = {
      countries: countriesSchema.parse(Number(values.countries)),
      delayMs: Number(values.delay),
      callers: (values.callers ?? '1,16,64,256').split(',').map(Number),
      seconds,
      settlements: values.settlements === undefined ? undefined : Number(values.settlements),
    };
    return finish(await benchFabric(plan, say), printFabric);
  }
  const callers = (values.callers ?? '1,16,64').split(',').map(Number);
  if (values.peers !== undefined) {
    const plan = { folder: resolve(values.peers), callers, seconds, rounds: Number(values.rounds) };
    return finish(await benchPeers({ ...plan, progress: say }), printPeers);
  }
  const networks = (['in-process', 'local-network'] as const).filter((name) => (values.only ?? name) === name);
  const settlements = values.settlements === undefined ? undefined : Number(values.settlements);
  const rounds: Round[] = [];
  const profiles: Profile[] = [];
  for (const network of networks) {
    const bench = network === 'in-process' ? benchInProcess : benchLocalNetwork;
    for (const count of callers) {
      say(`${network}, ${count} callers\n`);
      rounds.push(await bench({ callers: count, seconds, settlements }));
    }
    if (values['no-profile']) continue;
    say(`${network}, where the time goes\n`);
    const processes =
      network === 'in-process'
        ? await profileInProcess(PROFILED_CALLERS, PROFILED_SETTLEMENTS)
        : await profileLocalNetwork(PROFILED_CALLERS, seconds);
    profiles.push({ network, callers: PROFILED_CALLERS, processes });
  }
  const whole = {
    rounds,
    profiles: profiles.map((each) => ({ ...each, processes: Object.fromEntries(each.processes) })),
  };
  return finish(whole, () => {
    printRounds(rounds, out);
    for (const profile of profiles) printProfile(profile, out);
  });
}

function machineNow() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    loadBefore: loadavg(),
  };
}

function machineText({
  cpu,
  cores,
  memoryGb,
  kernel,
  node,
  sqlite,
  loadBefore,
}: ReturnType<typeof machineNow>): string {
  const load = loadBefore.map((each) => each.toFixed(1)).join(' ');
  return `${cpu}, ${cores} cores, ${memoryGb} GB, kernel ${kernel}, Node ${node}, SQLite ${sqlite}; load before ${load}`;
}
