import { readFileSync, writeFileSync } from 'node:fs';
import { documentsWithExamples } from './generate/documents.ts';
import { referencePages } from './generate/reference-pages.ts';

// Writes the reference pages that follow from tables in the code, and the examples in documents that people write; tests prove both fresh.
for (const [path, text] of Object.entries({ ...referencePages(), ...(await documentsWithExamples()) })) {
  const url = new URL(`../${path}`, import.meta.url);
  if (readFileSync(url, { encoding: 'utf8', flag: 'a+' }) === text) continue;
  writeFileSync(url, text);
  process.stdout.write(`${path}\n`);
}
