import { chaincodeProcess, type ChaincodeProgram } from './chaincode-definition.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import type { FabricNetwork, FabricOrganisation } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import type { NodeProcess } from './node-process.ts';
import { nodesOf } from './organisation-nodes.ts';
import { type PreparedProduct, processesOfProduct } from './product-processes.ts';

/** A file for systemd: its name and its text. */
export type Unit = { readonly name: string; readonly text: string };

export type UnitOptions = {
  readonly programs: FabricPrograms;
  readonly network: FabricNetwork;
  readonly layout: NetworkLayout;
  readonly organisation: FabricOrganisation;
  readonly prepared: Pick<PreparedProduct, 'product' | 'places'>;
  readonly program: ChaincodeProgram;
  /** The sequence of the contract's definition that is in force. */
  readonly sequence: number;
  /** Under whom they run. */
  readonly user: string;
};

/** A systemd unit for each process of an organisation on a host of its own, and a target that starts them all. */
export function systemdUnits(options: UnitOptions): readonly Unit[] {
  const { programs, network, layout, organisation, prepared, program, sequence, user } = options;
  const own = layout.organisation(organisation);
  const processes: NodeProcess[] = [
    // What Fabric's builder scripts call is in every system's own folders.
    ...nodesOf(programs, own).map((node) => ({ ...node, env: { ...node.env, PATH: '/usr/local/bin:/usr/bin:/bin' } })),
    chaincodeProcess(network, organisation, program, sequence),
    ...processesOfProduct(organisation, prepared).map(({ name, script, config }) => ({
      name,
      program: process.execPath,
      args: [script, '--config', config],
      env: {},
    })),
  ];
  const units = processes.map((each) => ({
    name: `linkspan-${each.name}.service`,
    text: service(organisation, each, own.folder, user),
  }));
  const wants = units.map(({ name }) => name).join(' ');
  const target = [
    '[Unit]',
    `Description=Linkspan: everything of ${organisation.id}`,
    `Wants=${wants}`,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
  return [...units, { name: 'linkspan.target', text: target }];
}

function service(
  { id }: FabricOrganisation,
  { name, program, args, env }: NodeProcess,
  folder: string,
  user: string,
): string {
  return [
    '[Unit]',
    `Description=Linkspan: ${name} of ${id}`,
    'Wants=network-online.target',
    'After=network-online.target',
    'PartOf=linkspan.target',
    '',
    '[Service]',
    `User=${user}`,
    `WorkingDirectory=${folder}`,
    ...Object.entries(env).map(([variable, value]) => `Environment=${quoted(`${variable}=${value}`)}`),
    `ExecStart=${[program, ...args].map(quoted).join(' ')}`,
    // A process that ends itself does so for a reason that may pass, such as a full disk; all of them take up where they left off.
    'Restart=always',
    'RestartSec=2',
    'TimeoutStopSec=20',
    'LimitNOFILE=65536',
    'UMask=0077',
    'NoNewPrivileges=yes',
    'PrivateTmp=yes',
    'ProtectSystem=strict',
    `ReadWritePaths=${quoted(folder)}`,
    '',
    '[Install]',
    'WantedBy=linkspan.target',
    '',
  ].join('\n');
}

/** As systemd reads a word: in quotes where it has more than plain characters; percent signs and dollars stand for themselves. */
function quoted(word: string): string {
  const literal = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  if (/^[\w./:=,@+%-]+$/.test(literal)) return literal;
  return `"${literal.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`;
}

/** A port that must be reached from other machines: which, from which hosts, and what for. */
export type FirewallRule = {
  readonly port: number;
  readonly from: readonly string[];
  readonly purpose: string;
  /** Whether the organisation's own people and programs ask there too, from networks that only it knows. */
  readonly alsoOwn?: true;
};

/** What the firewall of an organisation's host lets in; every other port is for that machine alone. */
export function firewallRules(
  { organisations }: FabricNetwork,
  { ports, id }: FabricOrganisation,
): readonly FirewallRule[] {
  const from = organisations.filter((each) => each.id !== id).map((each) => each.host);
  return [
    { port: ports.peer, from, purpose: 'peer: gossip, endorsements, definitions of the contract (TLS)' },
    {
      port: ports.orderer,
      from,
      purpose: 'orderer: agreement, transactions, new blocks (TLS, both ways between orderers)',
    },
    {
      port: ports.coreApi,
      from,
      purpose: 'CoreAPI: shares of certificates (TLS both ways); own people and programs too',
      alsoOwn: true,
    },
  ];
}

/** The set in the firewall's table into which an organisation writes where its own people and programs are. */
export const OWN_NETWORKS = 'own_networks';

/** The rules as a table of nftables, to be read with `nft -f`. */
export function nftables(rules: readonly FirewallRule[], { id }: FabricOrganisation): string {
  const lines = rules.flatMap(({ port, from, purpose, alsoOwn }) => [
    `    # ${purpose}`,
    ...from.map((host) => `    ip saddr ${host} tcp dport ${port} accept`),
    ...(alsoOwn ? [`    ip saddr @${OWN_NETWORKS} tcp dport ${port} accept`] : []),
  ]);
  return [
    `# What is reached at ${id} from other machines.`,
    '# Hosts by name are looked up once, when this is read: every name must resolve to an IPv4 address then, or nothing of this takes effect; and where an',
    '# address changes, read it again. Over IPv6 only this machine itself reaches these ports, what comes from elsewhere is dropped.',
    'table inet linkspan {',
    `  # Fill in where your own people and programs reach the CoreAPI from, such as elements = { 10.1.0.0/16, 192.0.2.7 }. Empty, none do.`,
    `  set ${OWN_NETWORKS} {`,
    '    type ipv4_addr',
    '    flags interval',
    '    # elements = { }',
    '  }',
    '',
    '  chain input {',
    '    type filter hook input priority 0; policy accept;',
    '    iif lo accept',
    ...lines,
    `    tcp dport { ${rules.map(({ port }) => port).join(', ')} } drop`,
    '  }',
    '}',
    '',
  ].join('\n');
}
