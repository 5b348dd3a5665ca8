import type { Command } from './command.ts';
import { audit } from './commands/audit.ts';
import { balances } from './commands/balances.ts';
import { cancel } from './commands/cancel.ts';
import { certificate } from './commands/certificate.ts';
import { change } from './commands/change.ts';
import { completion } from './commands/completion.ts';
import { doctor } from './commands/doctor.ts';
import { events } from './commands/events.ts';
import { history } from './commands/history.ts';
import { instruct } from './commands/instruct.ts';
import { metrics } from './commands/metrics.ts';
import { network } from './commands/network.ts';
import { organisations } from './commands/organisations.ts';
import { ready } from './commands/ready.ts';
import { register } from './commands/register.ts';
import { resolve } from './commands/resolve.ts';
import { retract } from './commands/retract.ts';
import { scenario } from './commands/scenario.ts';
import { settlements } from './commands/settlements.ts';
import { status } from './commands/status.ts';
import { systems } from './commands/systems.ts';
import { token } from './commands/token.ts';
import { watch } from './commands/watch.ts';

/** Every command, by what people want to do; what they do most often comes first. */
export const GROUPS: readonly { readonly title: string; readonly commands: readonly Command[] }[] = [
  { title: 'Settle and follow', commands: [instruct, watch, settlements, status, history, balances] },
  { title: 'Step in', commands: [retract, cancel, resolve, certificate] },
  { title: 'Prove', commands: [audit] },
  { title: 'The network and its rules', commands: [organisations, systems, scenario, register, change] },
  { title: 'Operate', commands: [doctor, ready, metrics, events, token, network, completion] },
];

export const COMMANDS: readonly Command[] = GROUPS.flatMap(({ commands }) => commands);
