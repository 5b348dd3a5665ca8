import {
  type Field,
  fieldAt,
  type Problem,
  problem,
  type Register,
  type ScenarioDocument,
  systemOfAccount,
} from '@linkspan/protocol';
import { accountPathsOfRole, systemOfRole } from './operations.ts';
import type { Participant } from './settlement.ts';

/** Which system plays each role under an instruction, and what keeps one from playing it. */
export type Bindings = { readonly participants: readonly Participant[]; readonly problems: readonly Problem[] };

/** A role's system is the one that its accounts name; it must be of the role's type and promise all that the role demands. */
export function bindRoles(
  document: ScenarioDocument,
  fields: readonly Field[],
  register: Pick<Register, 'system'>,
): Bindings {
  const participants: Participant[] = [];
  const problems: Problem[] = [];
  // In order of their names: two hosts may keep the members of one document in different orders.
  for (const [role, demands] of Object.entries(document.roles).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const id = systemOfRole(document, fields, role);
    const pointer = accountPathsOfRole(document, role)[0] ?? '';
    const system = id === undefined ? undefined : register.system(id);
    if (id === undefined || !system) {
      problems.push(problem(pointer, 'system-unknown', `No registered system plays the role ${role}.`));
      continue;
    }
    const missing = demands.promises.filter((promise) => !system.promises.includes(promise));
    if (!system.types.includes(demands.type))
      problems.push(
        problem(pointer, 'promise-missing', `${id} does not keep ${demands.type}; the role ${role} needs it.`),
      );
    if (missing.length > 0)
      problems.push(
        problem(pointer, 'promise-missing', `${id} does not promise ${missing.join(', ')}; the role ${role} needs it.`),
      );
    problems.push(...misplacedAccounts(document, fields, role, id));
    participants.push({ role, system: id, owner: system.owner });
  }
  return { participants, problems };
}

/** What a role does happens in one system, so every account that its operations name must be there, and in the instruction at all. */
function misplacedAccounts(
  document: ScenarioDocument,
  fields: readonly Field[],
  role: string,
  system: string,
): Problem[] {
  return accountPathsOfRole(document, role).flatMap((path) => {
    const account = fieldAt(fields, path);
    if (account === undefined) return [problem(path, 'missing', `The role ${role} needs an account here.`)];
    if (systemOfAccount(account) === system) return [];
    return [
      problem(path, 'account-system-differs', `${account} is not in ${system}, where the role ${role} is played.`),
    ];
  });
}
