import {
  accept,
  formatInstant,
  refuse,
  type RegisteredScenario,
  type Result,
  type ScenarioBody,
  type ScenariosBody,
  type SystemsBody,
} from '@linkspan/protocol';
import { diagram } from '@linkspan/scenario';
import type { Known } from './directory.ts';

/** The connected systems of the network as the API shows them. */
export function systemsBody({ register }: Known): SystemsBody {
  return {
    systems: register.systems.map((system) => ({
      ...system,
      types: [...system.types],
      promises: [...system.promises],
      validators: { keys: [...system.validators.keys], threshold: system.validators.threshold },
      windows: system.windows.map(({ from, to }) => ({ from: formatInstant(from), to: formatInstant(to) })),
    })),
  };
}

export function scenariosBody({ register }: Known): ScenariosBody {
  return { scenarios: register.scenarios.map(factsOf) };
}

/** One scenario by its reference, `NAME@VERSION`. */
export function scenarioBody({ register }: Known, reference: string): Result<ScenarioBody> {
  const scenario = register.scenarios.find((each) => factsOf(each).reference === reference);
  if (!scenario) return refuse('not-found', `There is no scenario ${reference.slice(0, 80)}.`);
  const { document } = scenario;
  return accept({ ...factsOf(scenario), document, diagram: diagram(document) });
}

function factsOf({
  document,
  hash,
  proposedBy,
  approvals,
  retired = false,
}: RegisteredScenario): ScenariosBody['scenarios'][number] {
  const { name, version, instruction } = document;
  return { reference: `${name}@${version}`, hash, instruction, proposedBy, approvals: [...approvals], retired };
}
