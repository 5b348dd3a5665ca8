import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseEvidence } from '@linkspan/audit';
import { ed25519Signer } from '@linkspan/keys';
import { isObject } from '@linkspan/plugin';
import {
  accept,
  constant,
  dvpInstructionSchema,
  genesisSchema,
  parse,
  scenarioDocumentSchema,
  signedCallSchema,
  signedStatementSchema,
} from '@linkspan/protocol';
import { parseArguments } from '../../apps/cli/src/arguments.ts';
import { COMMANDS } from '../../apps/cli/src/commands.ts';
import { type Files, loadConfig } from '../../apps/validator/src/config.ts';
import { readDocuments } from '../generate/documents.ts';
import { anchorsIn, blocksIn, linkspanCommandsIn, linksIn, npmScriptsIn, plainTypeScriptIn } from './document-parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = [...readDocuments()];

test('every JSON in a document is JSON, and what names a schema has its form', () => {
  for (const [path, text] of documents) {
    for (const block of blocksIn(text).filter(({ language }) => language === 'json')) {
      const place = `${path}:${block.line}`;
      const value = parsed(block.text, place);
      const wrong = whyWrong(value);
      assert.equal(wrong, undefined, `${place}: ${wrong}`);
    }
  }
});

/** Blocks whose lists are cut say so with an ellipsis; only their being JSON is checked. */
function whyWrong(value: unknown): string | undefined {
  if (!isObject(value) || JSON.stringify(value).includes('"…')) return undefined;
  const schema = schemaOf(value);
  const result = schema?.(value);
  return result === undefined || result.ok ? undefined : JSON.stringify(result);
}

function schemaOf(
  value: Readonly<Record<string, unknown>>,
): ((value: unknown) => { readonly ok: boolean }) | undefined {
  if (isObject(value['statement']) && Array.isArray(value['signatures']))
    return (one) => parse(signedStatementSchema, one, 'request-invalid');
  if (isObject(value['call']) && isObject(value['signature']))
    return (one) => parse(signedCallSchema, one, 'request-invalid');
  switch (value['schema']) {
    case undefined:
      return undefined;
    case 'dvp/1':
      return (one) => parse(dvpInstructionSchema, one, 'request-invalid');
    case 'scenario/1':
      return (one) => parse(scenarioDocumentSchema, one, 'request-invalid');
    case 'genesis/1':
      return (one) => parse(genesisSchema, one, 'request-invalid');
    case 'audit/1':
      return parseEvidence;
    default:
      return () => ({ ok: false, why: 'no parser is known for this schema' });
  }
}

function parsed(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return assert.fail(`${place} is no JSON: ${String(error)}`);
  }
}

test('every linkspan command in a document is one that the program takes', () => {
  const commands = documents.flatMap(([path, text]) => linkspanCommandsIn(text).map((args) => ({ path, args })));
  assert.ok(commands.length > 10, 'the documents show commands');
  for (const { path, args } of commands) {
    const wrong = whyNotTaken(args);
    assert.equal(wrong, undefined, `${path}: npx linkspan ${args.join(' ')}: ${wrong}`);
  }
});

function whyNotTaken([name, ...rest]: readonly string[]): string | undefined {
  if (name === undefined || name === 'help') return undefined;
  const command = COMMANDS.find((each) => each.name === name);
  if (!command) return 'there is no such command';
  const parsed = parseArguments(command, rest);
  return parsed.ok ? undefined : parsed.failure.detail;
}

test('every configuration of a validator in a document is one that the validator takes', async () => {
  const shown = documents.flatMap(([path, text]) =>
    blocksIn(text)
      .filter(({ language, text: block }) => language === 'json' && block.includes('"connector"'))
      .map((block) => ({ path, block })),
  );
  assert.ok(shown.length > 1, 'the documents show configurations');
  for (const { path, block } of shown) {
    const config = await loadConfig({}, filesWith(block.text), 'validator.json');
    assert.ok(config.ok, `${path}:${block.line} ${config.ok ? '' : JSON.stringify(config.refusal)}`);
  }
});

/** Every file that a configuration names is there and in order. */
function filesWith(configuration: string): Files {
  return {
    text: () => configuration,
    keys: () => accept({ ed25519: ed25519Signer('1'.repeat(64)) }),
    secret: () => accept(constant(`0x${'1'.repeat(64)}`)),
    tls: () => accept(constant({})),
  };
}

test('every npm script in a document exists', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [path, text] of documents) {
    for (const name of npmScriptsIn(text)) assert.ok(Object.hasOwn(scripts, name), `${path}: npm run ${name}`);
  }
});

test('nobody who reads README or a guide is told to run TypeScript on whichever Node they have', () => {
  const readers = documents.filter(([path]) => path === 'README.md' || path.startsWith('docs/guides/'));
  assert.ok(readers.length > 4);
  for (const [path, text] of readers)
    assert.deepEqual(plainTypeScriptIn(text), [], `${path}: name an npm script, or apps/cli/bin/node24.js`);
  assert.deepEqual(plainTypeScriptIn('```\nnode tools/test.ts x\n```\n`node --test a/b.ts`, `node c.js d.ts`'), [
    'node tools/test.ts',
    'node --test a/b.ts',
  ]);
});

test('every link leads to a file, its anchor to a heading, and the title of a test to that test', () => {
  for (const [path, text] of documents) {
    for (const { text: words, path: target, anchor } of linksIn(text)) {
      const file = target === '' ? path : normalize(join(dirname(path), target)).replaceAll('\\', '/');
      assert.ok(existsSync(join(root, file)), `${path} links to ${target}`);
      if (statSync(join(root, file)).isDirectory()) continue;
      const there = readFileSync(join(root, file), 'utf8');
      if (anchor !== '' && file.endsWith('.md'))
        assert.ok(anchorsIn(there).includes(anchor), `${path} links to ${file}#${anchor}`);
      const title = /^“(.+)”$/.exec(words)?.[1];
      if (title !== undefined) assert.ok(there.includes(title), `${path}: ${file} has no test “${title}”`);
    }
  }
});

test('the guide for operators names every metric', () => {
  const metrics = readFileSync(join(root, 'docs/reference/metrics.md'), 'utf8');
  const guide = documents.find(([path]) => path === 'docs/guides/operate.md')?.[1] ?? '';
  for (const [, name = ''] of metrics.matchAll(/^\| `(linkspan_[a-z_]+)`/gm)) assert.ok(guide.includes(name), name);
});
