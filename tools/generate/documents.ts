import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { examplesIn, fillExamples } from './fill-examples.ts';
import { formatExamples } from './format-examples.ts';
import { webApiExchanges } from './web-api-exchanges.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Every document that people write, by its path in the repository, in order: the README and all of docs but the generated reference. */
export function readDocuments(): ReadonlyMap<string, string> {
  const paths = readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' })
    .map((file) => `docs/${file}`.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.md') && !GENERATED.test(file));
  return new Map(['README.md', ...paths.toSorted()].map((path) => [path, readFileSync(`${ROOT}${path}`, 'utf8')]));
}

const GENERATED = /^docs\/(reference\/|numbers\.md$)/;

/** The documents that show examples, with those examples as they are made now. */
export async function documentsWithExamples(): Promise<Record<string, string>> {
  const documents = [...readDocuments()].filter(([, text]) => examplesIn(text).length > 0);
  const examples = { ...formatExamples(), ...(await webApiExchanges()) };
  return Object.fromEntries(documents.map(([path, text]) => [path, fillExamples(text, examples)]));
}
