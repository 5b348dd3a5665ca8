import type { Command } from '../command.ts';

export const token: Command = {
  name: 'token',
  usage: '',
  summary: 'an access token, for other programs that ask the API',
  arguments: [0, 0],
  options: { scope: { type: 'string' } },
  help: [
    'Prints an access token for the API of the organisation that speaks, as the client that acts. It is as good as a password until it',
    'expires, minutes later: pass it on by a variable or a pipe, not in a file.',
    '  --scope "A B"  a token that permits no more than these; without it, all that the client may do',
    '',
    'Examples:',
    '  linkspan token --scope settlements:read',
    '  curl -H "Authorization: Bearer $(linkspan token)" http://127.0.0.1:7401/settlements',
    '  LINKSPAN_TOKEN=$(linkspan token --as auditor) linkspan settlements --api http://127.0.0.1:7401',
  ],
  async run({ api, options }) {
    const { scope } = options;
    const given = await api.token(typeof scope === 'string' ? scope : undefined);
    if (!given.ok) return given;
    return { ok: true, value: { document: { token: given.value, api: api.url }, lines: [given.value] } };
  },
};
