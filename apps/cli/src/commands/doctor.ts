import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { hashSchema, parse } from '@linkspan/protocol';
import type { Command, Invocation, NamedApi } from '../command.ts';
import {
  checkApi,
  checkCertificate,
  checkReadiness,
  checkSystems,
  checkToken,
  checkVersion,
  type Pulse,
} from '../doctor/check-apis.ts';
import { checkFolder, checkNode, localLedger } from '../doctor/check-installation.ts';
import { checkArchive, checkEvidence } from '../doctor/check-ledger.ts';
import { checkHeights, checkNetworkId, checkSettlements } from '../doctor/check-network.ts';
import { bad, exitOf, type Finding, good } from '../doctor/finding.ts';
import { findProfile, type Profile } from '../profile.ts';
import { paint, plain, type Terminal } from '../terminal.ts';

export const doctor: Command = {
  name: 'doctor',
  usage: '[--full] [--ledger DIR]',
  summary: 'checks an installation, and says what to do where something is not well',
  arguments: [0, 0],
  options: { full: { type: 'boolean' }, ledger: { type: 'string' } },
  worksWithoutApi: true,
  completes: { options: { ledger: 'file' } },
  help: [
    'Looks at Node and the profile; at every organisation: whether its API answers, fits this version, can settle, agrees about the',
    'network, the time and the height of the ledger; at its systems and validators; at settlements that wait for people or are late; at',
    'certificates that end soon; and where the data is on this machine, at the disk and who may read its secrets.',
    '',
    '  --full        the whole ledger too: every call of every settlement is run again, with every signature, and where the file of an',
    '                embedded ledger is on this machine, every block of it is checked. This takes time; progress is shown.',
    '  --ledger DIR  where that file is, other than beside the profile',
    '',
    '✓ is well, ! works but needs somebody to look, ✗ does not work. The exit code is that of the first ✗, and 0 without one.',
    '',
    'Examples:',
    '  linkspan doctor',
    '  linkspan doctor --full',
    '  linkspan doctor --organisation csd-b --json',
  ],
  async run(invocation) {
    const { terminal, options } = invocation;
    const json = options['json'] === true;
    const findings: Finding[] = [];
    const report = (found: readonly Finding[]): void => {
      findings.push(...found);
      if (!json) for (const line of found.flatMap((finding) => linesOf(terminal, finding))) terminal.out(line);
    };
    report([checkNode(process.versions.node)]);
    const profile = readProfile(invocation);
    report([profile.finding]);
    const pulses = await checkOrganisations(invocation, profile.profile, report);
    const [pulse] = pulses;
    if (pulse)
      report(
        await checkSettlements(
          pulse.one.api.url === invocation.api.url ? pulse.one : speaker(invocation, pulse),
          Date.now(),
        ),
      );
    if (profile.path !== undefined) report(checkFolder(dirname(profile.path)));
    if (options['full'] === true) await checkAll(invocation, profile, pulse, report);
    const [bads, warnings] = (['bad', 'warning'] as const).map(
      (state) => findings.filter((each) => each.state === state).length,
    );
    if (!json) terminal.out('');
    const verdict =
      bads === 0 && warnings === 0
        ? paint(terminal, 'green', 'All is well.')
        : `${bads === 0 ? 'It works' : paint(terminal, 'red', `${bads} of ${findings.length} checks failed`)}; ${warnings} to look at.`;
    return {
      ok: true,
      value: { document: { findings }, lines: [verdict], exit: exitOf(findings) },
    };
  },
};

type Found = { readonly finding: Finding; readonly profile?: Profile | undefined; readonly path?: string | undefined };

function readProfile({ options, env, folder, readInput, apis }: Invocation): Found {
  const { api, profile: named } = options;
  if (typeof api === 'string')
    return { finding: good('profile', `No profile, but the API at ${apis[0]?.api.url ?? api}.`) };
  let path: string | undefined;
  const read = (file: string): string | undefined => {
    const text = readInput(file);
    if (text.ok) path = file;
    return text.ok ? text.value : undefined;
  };
  const found = findProfile(env, folder, read, typeof named === 'string' ? named : env['LINKSPAN_PROFILE']);
  if (!found.ok)
    return {
      finding: bad(
        'profile',
        'configuration-invalid',
        found.failure.detail,
        'Correct it, or name another with --profile FILE.',
      ),
    };
  if (!found.value)
    return {
      finding: bad(
        'profile',
        'ledger-unavailable',
        'There is no profile of a network.',
        'Start the local network with npm start, name a profile with --profile FILE, or an API with --api URL.',
      ),
    };
  const count = Object.keys(found.value.organisations).length;
  const words = `The profile ${path ?? ''} has ${count} organisations; ${found.value.default} speaks.`;
  return { finding: good('profile', words), profile: found.value, path };
}

async function checkOrganisations(
  { apis }: Invocation,
  profile: Profile | undefined,
  report: (found: readonly Finding[]) => void,
): Promise<readonly Pulse[]> {
  const hasAccess = ({ organisation }: NamedApi): boolean => profile?.organisations[organisation]?.access !== undefined;
  const asked = await Promise.all(
    apis.map(async (one) => {
      const [reached, certificate, token] = await Promise.all([
        checkApi(one),
        checkCertificate(one),
        checkToken(one, hasAccess(one)),
      ]);
      // Where the API cannot be asked, the reason is said once.
      return {
        pulse: reached.pulse,
        findings: reached.pulse
          ? [...reached.findings, ...certificate, ...token]
          : [...reached.findings, ...certificate],
      };
    }),
  );
  report(asked.flatMap(({ findings }) => findings));
  const pulses = asked.flatMap(({ pulse }) => pulse ?? []);
  report(checkNetworkId(pulses, profile?.network));
  report(await checkHeights(pulses));
  const deeper = await Promise.all(
    pulses.map(async (pulse) => [
      ...(await checkReadiness(pulse)),
      ...(await checkVersion(pulse)),
      ...(await checkSystems(pulse)),
    ]),
  );
  report(deeper.flat());
  return pulses;
}

function speaker({ api, apis }: Invocation, pulse: Pulse): NamedApi {
  return apis.find((each) => each.api.url === api.url) ?? pulse.one;
}

async function checkAll(
  { options, folder, terminal }: Invocation,
  { profile, path }: Found,
  pulse: Pulse | undefined,
  report: (found: readonly Finding[]) => void,
): Promise<void> {
  const network = parse(hashSchema, profile?.network, 'request-invalid');
  if (pulse) report(await checkEvidence(pulse.one, network.ok ? network.value : undefined, terminal));
  const { ledger } = options;
  const directory = typeof ledger === 'string' ? resolve(folder, ledger) : path && localLedger(path);
  if (directory === undefined || directory === '') return;
  if (!isLedger(directory))
    return report([
      bad(
        'archive',
        'request-invalid',
        `There is no embedded ledger in ${directory}.`,
        'Name the folder that has ledger.db.',
      ),
    ]);
  terminal.progress?.(`checking every block in ${directory}`);
  const finding = checkArchive(directory);
  terminal.progress?.('');
  report([finding]);
}

function isLedger(directory: string): boolean {
  try {
    return statSync(join(directory, 'ledger.db')).isFile();
  } catch {
    return false;
  }
}

const SIGNS = { good: ['✓', 'green'], warning: ['!', 'yellow'], bad: ['✗', 'red'] } as const;

function linesOf(terminal: Terminal, { state, words, todo }: Finding): string[] {
  const [sign, colour] = SIGNS[state];
  return [
    `${paint(terminal, colour, sign)} ${plain(words)}`,
    ...todo.filter((each) => each !== '').map((each) => `    ${plain(each)}`),
  ];
}
