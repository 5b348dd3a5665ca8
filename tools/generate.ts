import { writeFileSync } from 'node:fs';
import { referencePages } from './generate/reference-pages.ts';

// Writes the reference pages that follow from tables in the code; a test proves them fresh.
for (const [path, text] of Object.entries(referencePages())) {
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
  process.stdout.write(`${path}\n`);
}
