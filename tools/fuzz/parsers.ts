import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyEvidenceText } from '@linkspan/audit';
import { loadConfig as loadCoreApi } from '@linkspan/core-api';
import { createLiveFiles, createVerify, readKeyFile } from '@linkspan/keys';
import {
  parseAnswer,
  parseAttest,
  parseFence,
  parseObservationQuery,
  parseProblem,
  parseRead,
  parseSignedObservation,
  parseSignedReading,
  parseSubmit,
  readConnector,
} from '@linkspan/plugin';
import {
  applyRate,
  callBodySchema,
  canonicalAmount,
  canonicalJson,
  certificateShareSchema,
  checkBic,
  checkInstruction,
  checkIsin,
  checkLei,
  checkRateValue,
  dvpInstructionSchema,
  formatInstant,
  genesisSchema,
  isCanonicalisable,
  parse,
  parseAmount,
  parseDate,
  parseInstant,
  type Register,
  scenarioDocumentSchema,
  signedCertificateSchema,
  signedStatementSchema,
  unflatten,
  fieldsSchema,
  verifyBatchSignature,
  verifyShare,
} from '@linkspan/protocol';
import { validate } from '@linkspan/scenario';
import { loadConfig as loadValidator } from '@linkspan/validator';
import { findProfile } from '../../apps/cli/src/profile.ts';
import { deeperThan } from '../../apps/core-api/src/json-body.ts';
import { parseConfig as parseDomestic } from '../../systems/domestic-web/src/config.ts';
import { readSampleFrom } from '../local-network/samples.ts';
import { readSeeds } from './parser-seeds.ts';

/** One reader of something that comes from outside. */
export type Parser = {
  readonly name: string;
  /** Right documents; what is given to the parser is one of them, changed. */
  readonly seeds: readonly unknown[];
  /** `text` parsers are given JSON as text, `value` parsers what JSON.parse makes of it, `word` parsers texts that are no JSON. */
  readonly takes: 'text' | 'value' | 'word';
  /** Reads it; throws only what {@link isDocumented} knows. What it says is wrong with its own result is a finding. */
  readonly read: (input: unknown) => unknown;
};

const verify = createVerify({ memoize: 100 });
const EMPTY: Register = {
  instrument: () => undefined,
  party: () => undefined,
  account: () => undefined,
  system: () => undefined,
  scenario: () => undefined,
  tradeIdUsed: () => false,
};

/** Every parser. `directory` is for those that read files. */
export function parsers(directory: string): Parser[] {
  const { instructions, scenarios, samples, envelopes, evidence, network, wire, connectors, domestic } = readSeeds();
  const value = (name: string, given: readonly unknown[], read: Parser['read']): Parser => ({
    name,
    seeds: given,
    takes: 'value',
    read,
  });
  const text = (name: string, given: readonly unknown[], read: (text: string) => unknown): Parser => ({
    name,
    seeds: given,
    takes: 'text',
    read: (input) => read(String(input)),
  });
  const words = (name: string, given: readonly string[], read: (word: string) => unknown): Parser => ({
    name,
    seeds: given,
    takes: 'word',
    read: (input) => read(String(input)),
  });
  const written =
    (name: string, read: (path: string) => unknown): ((content: string) => unknown) =>
    (content) => {
      const path = join(directory, name);
      writeFileSync(path, content, { mode: 0o600 });
      return read(path);
    };
  return [
    value('instruction', [...instructions, ...samples], (input) =>
      parse(dvpInstructionSchema, input, 'instruction-invalid'),
    ),
    value('instruction checks', [...instructions, ...samples], (input) => checkInstruction(input, EMPTY, 0)),
    value('scenario', scenarios, (input) => {
      const document = parse(scenarioDocumentSchema, input, 'scenario-invalid');
      return document.ok ? validate(document.value) : document;
    }),
    value('call body', envelopes, (input) => parse(callBodySchema, input, 'call-invalid')),
    value('genesis', [...evidence.map((file) => Reflect.get(Object(file), 'genesis')), ...network], (input) =>
      parse(genesisSchema, input, 'call-invalid'),
    ),
    value(
      'fields',
      [
        [
          { path: '/a/b', value: 'c' },
          { path: '/a/d', value: 'e' },
        ],
      ],
      (input) => {
        const fields = parse(fieldsSchema, input, 'call-invalid');
        return fields.ok ? unflatten(fields.value) : fields;
      },
    ),
    value('share', envelopes, (input) => {
      const share = parse(certificateShareSchema, input, 'request-invalid');
      return share.ok ? verifyShare(verify, share.value) : share;
    }),
    value('certificate', envelopes, (input) => parse(signedCertificateSchema, input, 'request-invalid')),
    value('statement', envelopes, (input) => {
      const signed = parse(signedStatementSchema, input, 'request-invalid');
      return signed.ok && isCanonicalisable(signed.value.statement)
        ? signed.value.signatures.map((each) => verifyBatchSignature(verify, signed.value.statement, each))
        : signed;
    }),
    value('canonical JSON', [...envelopes, ...samples], (input) => {
      if (!isCanonicalisable(input)) return undefined;
      const once = canonicalJson(input);
      return canonicalJson(JSON.parse(once)) === once ? once : wrong('what is canonical once is not canonical twice');
    }),
    text('evidence', evidence, (input) => verifyEvidenceText(input, { verify })),
    words('amount', ['6711.41', '1000000', '0.01'], (input) => {
      const amount = canonicalAmount(input, 'USD');
      return !amount.ok || canonicalAmount(amount.value, 'USD').ok
        ? parseAmount(input, 'JPY')
        : wrong('a canonical amount is none');
    }),
    words('rate', ['149.00', '0.0067114'], (input) => [
      checkRateValue(input),
      applyRate(
        { value: input, base: 'USD', quote: 'JPY', of: '/lcy', rounding: 'half-up' },
        { '/lcy': { amount: 1_000_000n, currency: 'JPY' }, '/fcy': { amount: 671_141n, currency: 'USD' } },
      ),
    ]),
    words('instant', ['2026-11-24T15:00:00+09:00', '2026-11-24T06:00:00.000Z'], (input) => {
      const instant = parseInstant(input);
      if (!instant.ok) return parseDate(input);
      const again = parseInstant(formatInstant(instant.value));
      return again.ok && again.value === instant.value
        ? again
        : wrong('an instant changes when it is written and read');
    }),
    words('ISIN', ['XS0000000009', 'JP1103581L36'], checkIsin),
    words('LEI', ['999900KITABANK00B013'], checkLei),
    words('BIC', ['KITAJPJ0XXX', 'KITAJPJ0'], checkBic),
    text('depth', envelopes.slice(0, 3), (input) => deeperThan(input, 32)),
    value('submit', wire, parseSubmit),
    value('attest', wire, parseAttest),
    value('fence', wire, parseFence),
    value('read', [{ nonce: 'n', query: { type: 'balances', accounts: ['a'] } }], parseRead),
    value(
      'observation query',
      [
        {
          after: '1',
          settlement: `sha256:${'a'.repeat(64)}`,
          operations: `sha256:${'a'.repeat(64)},sha256:${'b'.repeat(64)}`,
        },
      ],
      parseObservationQuery,
    ),
    value('answer of a validator', [...envelopes, { status: 'final' }], parseAnswer),
    value('reading', envelopes, parseSignedReading),
    value('observation', envelopes, parseSignedObservation),
    value('problem', [{ type: 'x', code: 'not-found', detail: 'd' }], parseProblem),
    value('connector', connectors, (input) => readConnector('sys', input)),
    value('domestic configuration', [domestic], parseDomestic),
    text(
      'core-api configuration',
      network,
      written('core-api.json', (path) => within((files) => loadCoreApi({}, files, path))),
    ),
    text(
      'validator configuration',
      [
        {
          mode: 'development',
          network: `sha256:${'a'.repeat(64)}`,
          system: 'rtgs',
          listen: { port: 0 },
          keyFile: 'key.json',
          connector: connectors[0],
        },
      ],
      written('validator.json', (path) => within((files) => loadValidator({}, files, path))),
    ),
    text(
      'key file',
      [{ schema: 'keys/1', ed25519: { key: `ed25519:${'a'.repeat(64)}`, privateKey: '1'.repeat(64) } }],
      written('keys.json', readKeyFile),
    ),
    text(
      'profile',
      [{ network: 'n', default: 'a', organisations: { a: { name: 'A', api: 'http://127.0.0.1:1' } } }],
      (input) => findProfile({ LINKSPAN_PROFILE: '/p.json' }, '/', () => input),
    ),
    text('sample', samples, (input) => {
      const folder = join(directory, 'samples/01-fuzzed');
      writeFileSync(join(folder, 'instruction.json'), input);
      return readSampleFrom(join(directory, 'samples'), '01-fuzzed', 'run', 0);
    }),
  ];
}

/** A sentence about a result that is wrong, where a parser's own answer is looked at. */
function wrong(what: string): never {
  throw new WrongResult(what);
}

export class WrongResult extends Error {
  override readonly name = 'WrongResult';
}

async function within<T>(read: (files: ReturnType<typeof createLiveFiles>) => T): Promise<Awaited<T>> {
  using files = createLiveFiles({ now: Date.now });
  return await read(files);
}
