import { ENDPOINTS } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { paint, plain } from '../terminal.ts';

export const ready: Command = {
  name: 'ready',
  usage: '',
  summary: 'whether each organisation can settle now, and what is missing',
  arguments: [0, 0],
  options: {},
  help: [
    'Asks every organisation of the profile; with --organisation or --api only that one. What is missing is said in sentences, also where',
    'enough is there to settle all the same. The exit code is 6 where one cannot settle. `linkspan doctor` looks further.',
    '',
    'Examples:',
    '  linkspan ready',
    '  linkspan ready --organisation csd-b --json',
  ],
  async run({ apis, terminal }) {
    const asked = await Promise.all(
      apis.map(async (one) => ({
        one,
        health: await one.api.get(ENDPOINTS.health.path, answer(ENDPOINTS.health.answer)),
        answered: await one.api.get(ENDPOINTS.readiness.path, answer(ENDPOINTS.readiness.answer)),
      })),
    );
    const width = Math.max(0, ...asked.map(({ one }) => one.name.length));
    const lines = asked.flatMap(({ one, health, answered }) => {
      const state = answered.ok ? paint(terminal, 'green', 'ready') : paint(terminal, 'red', 'cannot settle');
      const height = health.ok ? `, block ${health.value.height}, ${health.value.open} open` : '';
      const missing = answered.ok ? answered.value.missing : [answered.failure.detail || answered.failure.title];
      return [`${plain(one.name.padEnd(width))}  ${state}${height}`, ...missing.map((line) => `  ${plain(line)}`)];
    });
    const document = {
      organisations: asked.map(({ one, health, answered }) => ({
        organisation: one.organisation,
        ready: answered.ok,
        missing: answered.ok ? answered.value.missing : [answered.failure.detail || answered.failure.title],
        ...(health.ok ? { height: health.value.height, open: health.value.open } : {}),
      })),
    };
    const failed = asked.flatMap(({ answered }) => (answered.ok ? [] : [answered.failure.exit]));
    return { ok: true, value: { document, lines, ...(failed[0] === undefined ? {} : { exit: failed[0] }) } };
  },
};
