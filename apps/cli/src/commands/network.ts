import { Fault } from '@linkspan/protocol';
import type { Command } from '../command.ts';
import { fail } from '../failure.ts';
import { proposeAction, signAction, submitAction } from './network/channel-updates.ts';
import { down } from './network/down.ts';
import { logs } from './network/logs.ts';
import { genesis } from './network/genesis.ts';
import { join } from './network/join.ts';
import { addMember, removeMember } from './network/members.ts';
import { DATA, dataFolder, type NetworkAction } from './network/network-action.ts';
import { renew } from './network/renew.ts';
import { PORT_BASE } from './network/requested-network.ts';
import { status } from './network/status.ts';
import { prepare } from './network/prepare.ts';
import { units } from './network/units.ts';
import { upgrade } from './network/upgrade.ts';
import { up } from './network/up.ts';

const ACTIONS: Readonly<Record<string, NetworkAction>> = {
  up,
  down,
  status,
  logs,
  renew,
  upgrade,
  'add-organisation': addMember,
  'remove-organisation': removeMember,
  prepare,
  genesis,
  units,
  join,
  'propose-update': proposeAction,
  'sign-update': signAction,
  'submit-update': submitAction,
};

export const network: Command = {
  name: 'network',
  usage: 'ACTION [ORGANISATION [PROCESS]]',
  summary: 'a Hyperledger Fabric network on this machine, and all that runs on it',
  arguments: [1, 3],
  options: {
    countries: { type: 'string' },
    file: { type: 'string' },
    data: { type: 'string' },
    'port-base': { type: 'string' },
    definition: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string' },
    user: { type: 'string' },
    'ledger-only': { type: 'boolean' },
    remove: { type: 'boolean' },
    again: { type: 'boolean' },
    take: { type: 'boolean' },
    'from-ledger': { type: 'boolean' },
    force: { type: 'boolean' },
  },
  help: [
    'up        makes certificates, keys and configuration, starts every process and defines the contract; again, it starts what is missing',
    'down      ends every process; what they stored stays, unless --remove is given',
    'status    heights and lag of each organisation’s nodes, who leads, until when certificates last, and what does not run',
    'logs      the last lines of each process, of one organisation or of all; more of one process',
    'renew     new certificates from the same authorities, for one organisation or one after the other; nothing stops meanwhile',
    'upgrade   brings the contract of this installation onto the network, for all or for one organisation on its own host; nothing stops meanwhile',
    'add-organisation ID     a new organisation with its own nodes and CoreAPI here; it gets its vote once it has every block, and is admitted to the ledger',
    'remove-organisation ID  takes its vote, then its place in the channel, and ends its processes; its folder stays',
    '',
    'One organisation on a host of its own, in this order:',
    'prepare   makes its keys, certificates and configuration; again, once the shared folder has what the others made',
    'genesis   one of them makes the channel’s first block and the ledger’s genesis of what all have shown',
    'units     writes systemd units and firewall rules for its host',
    'join      has its nodes, once they run, take part in the channel, and agrees to the contract',
    'propose-update  writes what the channel has to change to be what the network file and the shared folder say (--out FILE)',
    'sign-update     shows what an update changes (--file FILE) and signs it with the organisation’s own administrator’s key',
    'submit-update   submits it with the signatures beside it, of a majority of the organisations',
    '',
    '  --countries N     4 (the default) and 7 order with BFT, 3 with Raft',
    '  --file FILE       a network file instead: { "channel", "organisations": [{ "id", "host", "port", "member"? }] }',
    '  --definition FILE organisations, systems, parties and balances; those of the local network unless given',
    '  --ledger-only     peers, orderers and the contract, and nothing on them',
    `  --data DIR        where everything is kept, a folder for each organisation; ${DATA} unless given`,
    `  --port-base N     the first of twenty ports for each organisation; ${PORT_BASE} unless given`,
    '  --out FOLDER      with units: where they are written',
    '  --user NAME       with units: under whom they run; who asks for them unless given',
    '  --only KIND       with renew: tls or signing',
    '  --take            with renew on a host of its own: the channel has the orderer’s new certificate, so the orderer takes it',
    '  --again           with upgrade: a new definition of the same version too, as a peer needs that lost its disk',
    '  --from-ledger     with remove-organisation: removes it from the ledger first, in the name of the others',
    '  --force           with remove-organisation: also while the ledger has it as a member, or cannot be asked',
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
  completes: {
    positionals: [() => Object.keys(ACTIONS)],
    options: { file: 'file', data: 'file', definition: 'file' },
  },
  async run(invocation) {
    const [what = ''] = invocation.positionals;
    const action = Object.entries(ACTIONS).find(([name]) => name === what)?.[1];
    if (!action) return fail('request-invalid', `Say ${Object.keys(ACTIONS).join(', ')}. More: linkspan help network`);
    try {
      return await action(invocation, dataFolder(invocation));
    } catch (error) {
      if (error instanceof Fault) return fail(error.code, error.message);
      throw error;
    }
  },
};
