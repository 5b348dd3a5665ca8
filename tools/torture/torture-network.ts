import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type NetworkDefinition, networkDefinitionSchema, parse, scenarioDocumentSchema } from '@linkspan/protocol';
import { tokenAddress } from '../../apps/cli/src/product/development-accounts.ts';
import { CORE_API, layOut, type Layout, urlOf } from '../local-network/layout.ts';
import { processesOf } from '../local-network/processes.ts';
import { Supervisor } from '../local-network/supervisor.ts';
import { clientSecret, readScenarios, writeFiles } from '../local-network/write-files.ts';
import { minorUnits } from './facts.ts';
import type { Opening } from './judge.ts';
import type { Chain, Register } from './read-books.ts';

/** The local network on a data directory of its own, whose processes may die at any moment. */
export type TortureNetwork = {
  readonly definition: NetworkDefinition;
  readonly layout: Layout;
  readonly supervisor: Supervisor;
  /** The EVM chain's own node, a child of the process that keeps it: its name here, whose child it is, and where its id is written. */
  readonly chainNode: { readonly name: string; readonly keeper: string; readonly pidFile: string };
  readonly registers: readonly Register[];
  readonly chain: Chain;
  readonly opening: Opening;
};

const DIGITS: Readonly<Record<string, number>> = { USD: 2, JPY: 0, XS0000000009: 0 };

export function layTortureNetwork(root: string, data: string, portBase: number): TortureNetwork {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const definition = networkDefinitionSchema.parse(
    JSON.parse(readFileSync(join(root, 'deploy/local/network.json'), 'utf8')),
  );
  const layout = layOut(definition, root, data, portBase);
  writeFiles(
    definition,
    readScenarios(definition, root, (value) => {
      const parsed = parse(scenarioDocumentSchema, value, 'scenario-invalid');
      if (!parsed.ok) throw new Error(parsed.refusal.message);
      return parsed.value;
    }),
    layout,
  );
  const processes = processesOf(definition, layout).map((child) =>
    child.name === CORE_API ? { ...child, script: join(root, 'tools/torture/core-api-with-loops.ts') } : child,
  );
  const evm = definition.systems.find(({ kind }) => kind === 'evm')?.id ?? '';
  return {
    definition,
    layout,
    supervisor: new Supervisor(processes, data),
    chainNode: { name: 'anvil', keeper: evm, pidFile: join(data, evm, 'data', 'anvil.pid') },
    registers: definition.systems
      .filter(({ kind }) => kind !== 'evm')
      .map(({ id }) => ({
        system: id,
        url: urlOf(layout, id),
        client: 'auditor',
        secret: clientSecret(layout, id, 'auditor'),
      })),
    chain: {
      system: evm,
      url: urlOf(layout, evm),
      token: tokenAddress(),
      asset: 'USD',
      holders: Object.keys(definition.balances[evm] ?? {}),
    },
    opening: openingOf(definition),
  };
}

/** A range of ports that is free now, below those that the operating system gives to outgoing connections: a restart needs the same ones again. */
export async function freePortBase(): Promise<number> {
  for (let tried = 0; tried < 100; tried++) {
    const base = 10_000 + Math.floor(Math.random() * 200) * 100;
    const ports = Array.from({ length: 40 }, (_, i) => base + i);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no forty free ports in a row were found');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function openingOf({ balances }: NetworkDefinition): Opening {
  return new Map(
    Object.entries(balances).flatMap(([system, accounts]) =>
      Object.entries(accounts).flatMap(([account, assets]) =>
        Object.entries(assets).map(
          ([asset, amount]) => [`${system} ${account} ${asset}`, minorUnits(amount, DIGITS[asset] ?? 0)] as const,
        ),
      ),
    ),
  );
}
