import { mkdirSync, writeFileSync } from 'node:fs';
import { recordDvpBuyerOverseas } from '@linkspan/testkit';

// Writes the recorded histories of scenarios anew. Needed only when a scenario has a new version: what is recorded replays for ever.
const folder = new URL('../scenarios/dvp-buyer-overseas/recordings/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, recording] of recordDvpBuyerOverseas()) {
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(recording)}\n`);
}
