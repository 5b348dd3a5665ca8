import {
  accept,
  type JsonObject,
  refuse,
  type RegisteredScenario,
  type Result,
  scenarioHash,
  scenarioReference,
} from '@linkspan/protocol';
import { validate } from '@linkspan/scenario';
import type { Context } from './apply-calls.ts';
import { SCENARIO } from './store.ts';
import type { World } from './world.ts';

/** Proposes a scenario. Its name and version stand for this document for ever; whoever proposes also approves. */
export function proposeScenario({ world, body, organisation }: Context<'propose-scenario'>): Result<JsonObject> {
  const { document } = body;
  const reference = scenarioReference(document);
  const hash = scenarioHash(document);
  const known = SCENARIO.get(world, reference);
  if (known && known.hash !== hash)
    return refuse('already-registered', `${reference} is registered with another document.`);
  const problems = validate(document);
  if (problems.length > 0)
    return refuse('scenario-invalid', `${reference} breaks ${problems.length} rules of the language.`, { problems });
  if (known) addApproval(world, known, reference, organisation);
  else SCENARIO.put(world, { document, hash, proposedBy: organisation, approvals: [organisation] }, reference);
  return accept({ scenario: reference, hash });
}

/** Approves exactly the document with this hash. */
export function approveScenario({ world, body, organisation }: Context<'approve-scenario'>): Result<JsonObject> {
  const known = SCENARIO.get(world, body.scenario);
  if (!known) return refuse('not-registered', `No scenario ${body.scenario} is proposed.`);
  if (known.hash !== body.hash)
    return refuse('already-registered', `${body.scenario} has the hash ${known.hash}, not ${body.hash}.`);
  addApproval(world, known, body.scenario, organisation);
  return accept({ scenario: body.scenario, hash: known.hash });
}

function addApproval(world: World, known: RegisteredScenario, reference: string, organisation: string): void {
  if (known.approvals.includes(organisation)) return;
  SCENARIO.put(world, { ...known, approvals: [...known.approvals, organisation].toSorted() }, reference);
}
