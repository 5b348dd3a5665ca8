import { ENDPOINTS } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command } from '../command.ts';
import { fail } from '../failure.ts';
import { paint, plain, shortId } from '../terminal.ts';

export const instruct: Command = {
  name: 'instruct',
  usage: 'FILE [--key KEY]',
  summary: "lodge this organisation's copy of an instruction",
  arguments: [1, 1],
  options: { key: { type: 'string' } },
  completes: { positionals: [() => 'file'] },
  help: [
    'FILE is an instruction as JSON (schema dvp/1), or - for standard input. Each debited side lodges its own copy; when the',
    'copies are equal, the settlement begins. If something is wrong with it, every problem is shown at once, with its place.',
    '',
    '  --key KEY    the Idempotency-Key. The same key with the same file lodges once, however often it is sent; without it',
    '               every call is a new request, and its key is shown in case it must be sent again.',
    '',
    'Examples:',
    '  linkspan instruct trade.json',
    '  linkspan instruct trade.json --organisation csd-b --key 2026-11-24/17',
  ],
  async run({ positionals: [file = ''], options, terminal, api, readInput, newKey }) {
    const text = readInput(file);
    if (!text.ok) return text;
    const malformed = whyNoJson(text.value);
    if (malformed !== undefined) return fail('json-malformed', malformed, `${file} is not JSON`);
    const key = typeof options['key'] === 'string' ? options['key'] : newKey();
    const { path, answer: schema } = ENDPOINTS.lodge;
    const lodged = await api.post(path, text.value, { 'idempotency-key': key }, answer(schema));
    if (!lodged.ok) return lodged.failure.exit === RETRY ? withKey(lodged.failure, file, key) : lodged;
    const { tradeId, phase, id } = lodged.value;
    const next =
      phase === 'proposed' ? 'It waits for the other side.' : 'Both sides have lodged; the settlement has begun.';
    return {
      ok: true,
      value: {
        document: lodged.value,
        lines: [
          `${paint(terminal, 'bold', plain(tradeId))} is ${paint(terminal, 'cyan', phase)} (${shortId(id)}). ${next}`,
          `Follow it with: linkspan status ${plain(tradeId)}`,
        ],
      },
    };
  },
};

/** The exit code of what may be tried again. */
const RETRY = 6;

/** Without the key that was made up for it, trying again would be another request. */
function withKey<F extends { readonly detail: string }>(
  failure: F,
  file: string,
  key: string,
): { readonly ok: false; readonly failure: F } {
  return {
    ok: false,
    failure: {
      ...failure,
      detail: `${failure.detail} Send it again as the same request with: linkspan instruct ${file} --key '${key}'`,
    },
  };
}

function whyNoJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'It cannot be parsed.';
  }
}
