import { ENDPOINTS } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
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
    'a certificate needs. Keys are those of the present epoch; linkspan help change says how they change. With --json: the genesis, and everything that is registered (systems, parties, accounts, instruments, scenarios).',
    '',
    'Examples:',
    '  linkspan organisations',
    '  linkspan organisations --json',
  ],
  async run({ api, terminal }) {
    const found = await api.get(ENDPOINTS.network.path, answer(ENDPOINTS.network.answer));
    if (!found.ok) return found;
    const { id, epoch, genesis, announced, organisations: members, quorum, revoked } = found.value;
    const columns = [
      { title: 'organisation' },
      { title: 'name', cut: true },
      { title: 'economy' },
      { title: 'call key', cut: 'middle' },
      { title: 'certificate key', cut: 'middle' },
    ] as const;
    const shown = (key: string): string => (revoked.includes(key) ? `revoked ${key}` : key);
    const rows = members.map(({ id: organisation, name, economy, callKey, certificateKey }) => [
      organisation,
      name,
      economy,
      shown(callKey),
      shown(certificateKey),
    ]);
    const fact = (name: string, value: string): string => `${paint(terminal, 'dim', name.padEnd(9))}  ${plain(value)}`;
    const lines = [
      paint(terminal, 'bold', plain(genesis.name)),
      fact('id', id),
      fact('epoch', announced === null ? String(epoch) : `${epoch}, and ${announced} is announced`),
      fact('must sign', `${quorum} of ${members.length}`),
      '',
      ...table(terminal, columns, rows),
    ];
    return { ok: true, value: { document: found.value, lines } };
  },
};
