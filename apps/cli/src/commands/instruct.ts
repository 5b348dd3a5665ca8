import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ENDPOINTS } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { Command, Invocation, Shown } from '../command.ts';
import { exampleInstruction } from '../example-instruction.ts';
import { fail, type Outcome } from '../failure.ts';
import { paint, plain, shortId } from '../terminal.ts';

export const instruct: Command = {
  name: 'instruct',
  usage: 'FILE [--key KEY] | --example [--out FILE]',
  summary: "lodge this organisation's copy of an instruction",
  arguments: [0, 1],
  options: { key: { type: 'string' }, example: { type: 'boolean' }, out: { type: 'string' } },
  worksWithoutApi: true,
  completes: { positionals: [() => 'file'], options: { out: 'file' } },
  help: [
    'FILE is an instruction as JSON (schema dvp/1), or - for standard input. Each debited side lodges its own copy; when the',
    'copies are equal, the settlement begins. If something is wrong with it, every problem is shown at once, with its place.',
    '',
    '  --key KEY    the Idempotency-Key. The same key with the same file lodges once, however often it is sent; without it',
    '               every call is a new request, and its key is shown in case it must be sent again.',
    '',
    '  --example    lodge nothing, and print an instruction for the local network, with an id of its own and a deadline in a quarter of',
    '               an hour: the start of a trade of your own. The central bank of A and the CSD of B lodge it.',
    '  --out FILE   write the example there',
    '',
    'Examples:',
    '  linkspan instruct --example --out trade.json',
    '  linkspan instruct trade.json',
    '  linkspan instruct trade.json --organisation csd-b --key 2026-11-24/17',
  ],
  async run(invocation) {
    const { positionals, options, terminal, api, readInput, newKey } = invocation;
    const [file] = positionals;
    if (options['example'] === true && file === undefined) return showExample(invocation);
    if (file === undefined || options['example'] === true || options['out'] !== undefined)
      return fail('request-invalid', `Usage: linkspan instruct ${instruct.usage}. More: linkspan help instruct`);
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

function showExample({ options: { out }, folder, terminal }: Invocation): Outcome<Shown> {
  const text = exampleInstruction(Date.now()).trimEnd();
  const document: unknown = JSON.parse(text);
  if (typeof out !== 'string') return { ok: true, value: { document, lines: text.split('\n') } };
  try {
    writeFileSync(resolve(folder, out), `${text}\n`);
  } catch (error) {
    return fail('request-invalid', error instanceof Error ? error.message : '', `${out} cannot be written`);
  }
  const lines = [
    `${paint(terminal, 'bold', plain(out))} has a trade for the local network. Lodge it within a quarter of an hour, with both sides:`,
    ...SIDES.map((side) => `  linkspan instruct ${plain(out)} --organisation ${side}`),
  ];
  return { ok: true, value: { document, lines } };
}

/** Whose systems the example debits first: the foreign currency of the buyer, and the bond of the seller. */
const SIDES = ['central-bank-a', 'csd-b'] as const;

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
