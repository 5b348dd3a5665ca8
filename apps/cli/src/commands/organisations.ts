import { accept, ENDPOINTS, genesisSchema, parse, type Result } from '@linkspan/protocol';
import type { Command } from '../command.ts';
import { isObject } from '../failure.ts';
import { table } from '../table.ts';
import { paint, plain } from '../terminal.ts';

export const organisations: Command = {
  name: 'organisations',
  usage: '',
  summary: 'the network: its id, its organisations and how many of them must sign',
  arguments: [0, 0],
  options: {},
  help: [
    'The id of the network is the hash of its genesis document: give it to whoever verifies evidence. "must sign" is how many organisations',
    'a certificate needs. With --json: the genesis, and everything that is registered (systems, parties, accounts, instruments, scenarios).',
    '',
    'Examples:',
    '  linkspan organisations',
    '  linkspan organisations --json',
  ],
  async run({ api, terminal }) {
    const found = await api.get(ENDPOINTS.network.path, readNetwork);
    if (!found.ok) return found;
    const { id, epoch, genesis, document } = found.value;
    const columns = [
      { title: 'organisation' },
      { title: 'name', cut: true },
      { title: 'economy' },
      { title: 'call key', cut: 'middle' },
      { title: 'certificate key', cut: 'middle' },
    ] as const;
    const rows = genesis.organisations.map(({ id: organisation, name, economy, callKey, certificateKey }) => [
      organisation,
      name,
      economy,
      callKey,
      certificateKey,
    ]);
    const fact = (name: string, value: string): string => `${paint(terminal, 'dim', name.padEnd(9))}  ${plain(value)}`;
    const lines = [
      paint(terminal, 'bold', plain(genesis.name)),
      fact('id', id),
      fact('epoch', epoch),
      fact('must sign', `${genesis.quorum} of ${genesis.organisations.length}`),
      '',
      ...table(terminal, columns, rows),
    ];
    return { ok: true, value: { document, lines } };
  },
};

function readNetwork(body: unknown): Result<{
  readonly id: string;
  readonly epoch: string;
  readonly genesis: ReturnType<typeof genesisSchema.parse>;
  readonly document: object;
}> {
  const answer = isObject(body) ? body : {};
  const genesis = parse(genesisSchema, answer['genesis'], 'internal');
  if (!genesis.ok) return genesis;
  return accept({
    id: String(answer['id']),
    epoch: String(answer['epoch']),
    genesis: genesis.value,
    document: answer,
  });
}
