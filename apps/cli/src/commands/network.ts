import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Fault } from '@linkspan/protocol';
import type { Command, Invocation, Shown } from '../command.ts';
import { fail, type Outcome } from '../failure.ts';
import { fabricPrograms } from '../network/fabric-programs.ts';
import { type FabricNetwork, localNetworkFile, readNetworkFile } from '../network/network-definition.ts';
import { bringDown } from '../network/network-down.ts';
import { networkLayout } from '../network/network-layout.ts';
import { networkStatus } from '../network/network-status.ts';
import { bringUp } from '../network/network-up.ts';
import { notedProcesses } from '../network/node-process.ts';
import { writeJson } from '../network/write-json.ts';
import { table } from '../table.ts';
import { plain } from '../terminal.ts';

const DATA = 'var/fabric';
const PORT_BASE = 7300;
const LOG_LINES = 20;

export const network: Command = {
  name: 'network',
  usage: 'up | down | status | logs [ORGANISATION]',
  summary: 'a Hyperledger Fabric network on this machine: peers, orderers and the contract',
  arguments: [1, 2],
  options: {
    countries: { type: 'string' },
    file: { type: 'string' },
    data: { type: 'string' },
    'port-base': { type: 'string' },
    remove: { type: 'boolean' },
  },
  help: [
    'up        makes certificates and configuration, starts every process and defines the contract; again, it starts what is missing',
    'down      ends every process; what they stored stays, unless --remove is given',
    'status    heights and lag of each organisation’s nodes, who leads, and what does not run',
    'logs      the last lines of each process, of one organisation or of all',
    '',
    '  --countries N     4 (the default) and 7 order with BFT, 3 with Raft',
    '  --file FILE       a network file instead: { "channel", "organisations": [{ "id", "host", "port" }] }',
    `  --data DIR        where everything is kept, a folder for each organisation; ${DATA} unless given`,
    `  --port-base N     the first of ten ports for each organisation; ${PORT_BASE} unless given`,
    '  --remove          with down: deletes the data too, certificates and ledger included',
    '',
    'Fabric is built with Go the first time, or taken from the folder that FABRIC_BIN names.',
    '',
    'Examples:',
    '  linkspan network up --countries 4',
    '  linkspan network status',
    '  linkspan network down --remove',
  ],
  worksWithoutApi: true,
  completes: { positionals: [() => ['up', 'down', 'status', 'logs']], options: { file: 'file', data: 'file' } },
  async run(invocation) {
    const [what = ''] = invocation.positionals;
    const action = Object.entries(ACTIONS).find(([name]) => name === what)?.[1];
    if (!action) return fail('request-invalid', 'Say up, down, status or logs. More: linkspan help network');
    const { options, folder } = invocation;
    const data = resolve(folder, typeof options['data'] === 'string' ? options['data'] : DATA);
    try {
      return await action(invocation, data);
    } catch (error) {
      if (error instanceof Fault) return fail(error.code, error.message);
      throw error;
    }
  },
};

type Action = (invocation: Invocation, data: string) => Promise<Outcome<Shown>>;

const ACTIONS: Readonly<Record<string, Action>> = { up, down, status, logs };

async function up({ options, terminal, env, readInput }: Invocation, data: string): Promise<Outcome<Shown>> {
  const { definitionFile } = networkLayout(data);
  const begun = performance.now();
  if (!existsSync(definitionFile)) {
    const asked = askedFor(options, readInput);
    if (!asked.ok) return asked;
    // Read before it is kept, so that nothing is kept that cannot be used.
    readNetworkFile(asked.value);
    writeJson(definitionFile, asked.value);
  } else if (['countries', 'file', 'port-base'].some((name) => options[name] !== undefined)) {
    return fail(
      'request-invalid',
      `${data} holds a network already: end it with network down --remove, or name another --data.`,
    );
  }
  const definition = readDefinition(data);
  const programs = await fabricPrograms(env, terminal.error);
  await bringUp({ network: definition, directory: data, programs, say: terminal.error });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const { organisations, channel } = definition;
  const line = `The channel ${channel} of ${organisations.length} organisations is up after ${seconds} s. Data: ${data}`;
  return { ok: true, value: { document: { data, network: definition }, lines: [plain(line)] } };
}

function askedFor(options: Invocation['options'], readInput: Invocation['readInput']): Outcome<object> {
  const { file, countries = '4', 'port-base': portBase = String(PORT_BASE) } = options;
  if (typeof file === 'string') {
    const text = readInput(file);
    if (!text.ok) return text;
    try {
      const document: unknown = JSON.parse(text.value);
      if (typeof document === 'object' && document !== null) return { ok: true, value: document };
    } catch {
      // Told below, as for any other document that is none.
    }
    return fail('request-invalid', `${file} is no JSON object.`);
  }
  return { ok: true, value: localNetworkFile(Number(countries), Number(portBase)) };
}

async function down({ options }: Invocation, data: string): Promise<Outcome<Shown>> {
  const ended = await bringDown(readDefinition(data), data);
  if (options['remove'] === true) rmSync(data, { recursive: true });
  const line = `${ended} processes ended${options['remove'] === true ? `, ${data} deleted` : ''}.`;
  return { ok: true, value: { document: { ended }, lines: [plain(line)] } };
}

async function status({ terminal }: Invocation, data: string): Promise<Outcome<Shown>> {
  const found = await networkStatus(readDefinition(data), data);
  const shown = (value: number | undefined): string => (value === undefined ? '-' : String(value));
  const columns = [
    { title: 'organisation' },
    { title: 'peer height', align: 'right' },
    { title: 'lag', align: 'right' },
    { title: 'orderer height', align: 'right' },
    { title: 'leads' },
    { title: 'not running' },
  ] as const;
  const rows = found.map(({ organisation, peerHeight, lag, ordererHeight, isLeader, missing }) => [
    organisation,
    shown(peerHeight),
    shown(lag),
    shown(ordererHeight),
    isLeader ? 'yes' : '',
    { text: missing.join(', '), colour: 'red' as const },
  ]);
  return { ok: true, value: { document: { organisations: found }, lines: table(terminal, columns, rows) } };
}

async function logs({ positionals: [, name] }: Invocation, data: string): Promise<Outcome<Shown>> {
  const { organisations } = readDefinition(data);
  const wanted = organisations.filter(({ id }) => name === undefined || id === name);
  if (wanted.length === 0) return fail('not-found', `The network has ${organisations.map(({ id }) => id).join(', ')}.`);
  const layout = networkLayout(data);
  const found = wanted.flatMap((organisation) => {
    const own = layout.organisation(organisation);
    return notedProcesses(own).map((process) => {
      const file = join(own.logs, `${process.name}.log`);
      return { organisation: organisation.id, process: process.name, file, lines: lastLines(file) };
    });
  });
  const lines = found.flatMap((each) => [
    `${each.organisation} ${each.process} (${each.file})`,
    ...each.lines.map((line) => `  ${line}`),
  ]);
  return { ok: true, value: { document: { logs: found }, lines: lines.map(plain) } };
}

function lastLines(file: string): readonly string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_LINES);
}

function readDefinition(data: string): FabricNetwork {
  const { definitionFile } = networkLayout(data);
  if (!existsSync(definitionFile))
    throw new Fault('not-found', `There is no network in ${data}: make one with linkspan network up.`);
  return readNetworkFile(JSON.parse(readFileSync(definitionFile, 'utf8')));
}
