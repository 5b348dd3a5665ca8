import { mkdirSync, writeFileSync } from 'node:fs';
import { recordDvpBuyerOverseas, recordDvpBuyerOverseasReport, type Recording } from '@linkspan/testkit';

// Writes the recorded histories of scenarios anew. Needed only when a scenario has a new version: what is recorded replays for ever.
write('dvp-buyer-overseas', recordDvpBuyerOverseas());
write('dvp-buyer-overseas-report', recordDvpBuyerOverseasReport());

function write(scenario: string, recordings: ReadonlyMap<string, Recording>): void {
  const folder = new URL(`../scenarios/${scenario}/recordings/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, recording] of recordings)
    writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(recording)}\n`);
}
