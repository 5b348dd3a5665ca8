import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { verifyEvidenceText } from '@linkspan/audit';
import { createVerify } from '@linkspan/keys';
import { hashSchema, parse, scenarioDocumentSchema } from '@linkspan/protocol';
import { networkDefinitionSchema, sampleInstruction } from '@linkspan/testkit';
import { z } from 'zod';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { apiOf } from '../../tools/local-network/api.ts';
import { apiTokens } from '../../tools/local-network/api-clients.ts';
import type { ChildDefinition } from '../../tools/local-network/child.ts';
import { configFileOf, CORE_API, layOut, urlOf } from '../../tools/local-network/layout.ts';
import { processesOf } from '../../tools/local-network/processes.ts';
import { Supervisor } from '../../tools/local-network/supervisor.ts';
import { readScenarios, writeFiles } from '../../tools/local-network/write-files.ts';
import { freePorts, startTestNetwork, type TestNetwork, whyNoFabric } from '../integration/fabric-network.ts';

const root = resolve(import.meta.dirname, '../..');
const missing = await whyNoFabric();
const WHAT =
  'the default trade settles between three CoreAPIs, each with its own Fabric node, and each exports complete evidence with proof by blocks';
const LONGEST_WAIT_MS = 60_000;

test(WHAT, missing === undefined ? {} : { skip: missing }, async () => {
  const data = mkdtempSync(join(tmpdir(), 'linkspan-fabric-apis-'));
  try {
    await using fabric = await startTestNetwork(4);
    const { layout, processes, network } = await layOutProcesses(data, fabric);
    const supervisor = new Supervisor(processes, data);
    try {
      await supervisor.startAll();
      const [first, second] = [apiOf(layout, 'central-bank-a'), apiOf(layout, 'csd-b')];
      const instruction = sampleInstruction('FABRIC-E2E', Date.now(), LONGEST_WAIT_MS);
      for (const api of [first, second]) {
        const answer = await api.lodge(instruction, `lodge at ${api.url}`);
        assert.ok('lodged' in answer, JSON.stringify(answer));
      }
      const until = performance.now() + LONGEST_WAIT_MS;
      for (const api of [first, second, apiOf(layout, 'central-bank-b')]) {
        let phase = '';
        while (phase !== 'settled' && performance.now() < until) {
          ({ phase } = await api.settlement('FABRIC-E2E'));
          await delay(50);
        }
        assert.equal(phase, 'settled', api.url);
      }
      for (const organisation of ['central-bank-a', 'csd-b']) {
        const token = await apiTokens(data, organisation)();
        const { id } = await apiOf(layout, organisation).settlement('FABRIC-E2E');
        const response = await fetch(`${urlOf(layout, organisation)}/settlements/${id}/evidence`, {
          headers: { authorization: `Bearer ${token}` },
        });
        const text = await response.text();
        const verdict = verifyEvidenceText(text, { verify: createVerify({ memoize: 1000 }), network });
        assert.ok(verdict.verdict === 'complete', JSON.stringify(verdict));
        assert.equal(verdict.host.kind, 'fabric');
        const file = join(data, `${organisation}.json`);
        writeFileSync(file, text);
        const { genesisBlock } = networkLayout(fabric.directory);
        const linkspan = join(root, 'apps/cli/bin/linkspan.js');
        const args = [linkspan, 'audit', 'verify', file, '--network', network, '--first-block', genesisBlock, '--json'];
        // Fails where the exit code says that anything does not hold.
        const { blocks } = provedSchema.parse(JSON.parse((await run(process.execPath, args)).stdout));
        assert.equal(blocks.pinned, true);
        assert.ok(
          blocks.transactions >= 3 && blocks.ordered.fewest >= 3 && blocks.endorsed.fewest >= 3,
          text.slice(-200),
        );
      }
    } finally {
      await supervisor.stopAll();
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

const run = promisify(execFile);

const countSchema = z.looseObject({ fewest: z.int() });
const provedSchema = z.looseObject({
  blocks: z.looseObject({ pinned: z.boolean(), transactions: z.int(), ordered: countSchema, endorsed: countSchema }),
});

const coreApiSchema = z.looseObject({ organisations: z.array(z.looseObject({ id: z.string() })) });

/** The processes of the local network, but a CoreAPI for each organisation, on the node of its own country. */
async function layOutProcesses(data: string, fabric: TestNetwork) {
  const definition = networkDefinitionSchema.parse(readJson(join(root, 'deploy/local/network.json')));
  const layout = layOut(definition, root, data, await freePorts(40));
  const written = writeFiles(definition, readScenarios(definition, root, scenarioOf), layout);
  const whole = coreApiSchema.parse(readJson(configFileOf(layout, CORE_API)));
  const apis = whole.organisations.map((organisation, i): ChildDefinition => {
    const node = fabric.network.organisations[i];
    assert.ok(node);
    const name = `${CORE_API}-${organisation.id}`;
    const config = configFileOf(layout, name);
    mkdirSync(join(config, '..'), { recursive: true });
    writeFileSync(
      config,
      JSON.stringify({ ...whole, ledger: fabric.ledgerConfig(node), organisations: [organisation] }),
    );
    return { name, script: join(root, 'apps/core-api/src/main.ts'), config };
  });
  const network = hashSchema.parse(written.network);
  return {
    layout,
    network,
    processes: [...processesOf(definition, layout).filter(({ name }) => name !== CORE_API), ...apis],
  };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function scenarioOf(value: unknown) {
  const parsed = parse(scenarioDocumentSchema, value, 'scenario-invalid');
  assert.ok(parsed.ok);
  return parsed.value;
}
